package history

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"waybill/internal/identity"
	"waybill/internal/model"
)

// Bounds of what is taken from a file: more is damage, or somebody's bad will.
const (
	mostNames   = 1 << 26
	longestName = 4096
	mostBlob    = 1 << 20
)

// Load reads all that the file holds. Nothing in it is trusted; what cannot be is an
// error, never left out.
func (f *File) Load() (*Memory, error) {
	m := NewMemory()
	if f.fresh {
		return m, nil
	}
	for _, part := range []struct {
		table string
		since int64
		read  func(*Memory) error
	}{{"meta", 1, f.loadMeta}, {"names", 1, f.loadNames}, {"uses", 1, f.loadUses}, {"roles", 1, f.loadRoles}, {"inputs", 1, f.loadInputs},
		{"marks", 1, f.loadMarks}, {"covers", 2, f.loadCovers}, {"held", 1, f.loadHeld}, {"works", 2, f.loadWorks}, {"homes", 3, f.loadHomes}} {
		if !f.has(part.since) {
			continue
		}
		if err := part.read(m); err != nil {
			return nil, f.explain(fmt.Errorf("table %s: %w", part.table, err))
		}
	}
	m.Normal.rewrite, m.Normal.saved = false, len(m.Normal.texts)
	return m, nil
}

// each reads the rows of a query. The values are checked by row.
func (f *File) each(query string, into []any, row func() error) error {
	rows, err := f.conn.QueryContext(context.Background(), query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for n := 1; rows.Next(); n++ {
		if err := rows.Scan(into...); err != nil {
			return damaged(n, err)
		}
		if err := row(); err != nil {
			return damaged(n, err)
		}
	}
	return rows.Err()
}

func damaged(row int, err error) error {
	return fmt.Errorf("row %d is damaged (%w): take a copy of before, or begin a new one", row, err)
}

var errValue = errors.New("a value that cannot be")

// text says whether a text is one that was saved.
func text(all ...string) bool {
	for _, s := range all {
		if len(s) > longestName || !utf8.ValidString(s) {
			return false
		}
	}
	return true
}

// keptSpan is the value of "span" in the table meta: the tally of all uses.
type keptSpan struct {
	Recent      uint64
	First, Last uint32
	Count       float32
	Older       uint16
	HalfLife    int64
}

func (f *File) loadMeta(m *Memory) error {
	var name string
	var value []byte
	return f.each("SELECT name, value FROM meta", []any{&name, &value}, func() error {
		if name != "span" {
			return nil // of a version that knows more and breaks nothing
		}
		var s keptSpan
		if len(value) != binary.Size(s) {
			return errValue
		}
		if _, err := binary.Decode(value, binary.LittleEndian, &s); err != nil {
			return err
		}
		all := tally{recent: s.Recent, first: s.First, last: s.Last, count: s.Count, older: s.Older}
		if s.HalfLife <= 0 || all != (tally{}) && !all.sane() {
			return errValue
		}
		m.Normal.HalfLife, m.Normal.all, m.Normal.last = model.Time(s.HalfLife), all, all.lastTime()
		return nil
	})
}

func (f *File) loadNames(m *Memory) error {
	n := m.Normal
	var id int64
	var name string
	return f.each("SELECT id, name FROM names ORDER BY id", []any{&id, &name}, func() error {
		if id != int64(len(n.texts))+1 || id > mostNames || !text(name) || n.known(name) != 0 {
			return errValue
		}
		n.name(name)
		return nil
	})
}

func (f *File) loadUses(m *Memory) error {
	n := m.Normal
	var kind, a, b, c, first, last, older, recent int64
	var count float64
	name := func(id int64) bool { return id >= 1 && id <= int64(len(n.texts)) }
	return f.each("SELECT kind, a, b, c, first, last, count, older, recent FROM uses ORDER BY kind, a, b, c", []any{&kind, &a, &b, &c, &first, &last, &count, &older, &recent}, func() error {
		u := tally{recent: uint64(recent), first: uint32(first), last: uint32(last), count: float32(count), older: uint16(older)}
		if kind < 1 || kind > int64(lastKind) || !name(a) || !name(b) || !name(c) || int64(u.first) != first || int64(u.last) != last || int64(u.older) != older || !u.sane() {
			return errValue
		}
		if len(n.uses) >= 2*MostUses {
			return errors.New("there are too many")
		}
		id := key{uint32(a), uint32(b), uint32(c), Kind(kind)}
		n.uses[id] = u
		n.countPeer(id)
		n.last = max(n.last, u.lastTime())
		return nil
	})
}

func (f *File) loadRoles(m *Memory) error {
	m.Roles = &identity.Roles{}
	var host string
	var seen []byte
	return f.each("SELECT host, seen FROM roles", []any{&host, &seen}, func() error {
		if !text(host) {
			return errValue
		}
		return m.Roles.Restore(host, seen)
	})
}

func (f *File) loadInputs(m *Memory) error {
	var digest, name string
	var last int64
	return f.each("SELECT digest, name, last FROM inputs", []any{&digest, &name, &last}, func() error {
		if !text(digest, name) || len(m.Inputs) > 2*mostInputs {
			return errValue
		}
		m.Inputs[digest] = Input{name, model.Time(last)}
		return nil
	})
}

func (f *File) loadMarks(m *Memory) error {
	var x Mark
	return f.each("SELECT id, verdict, reason, until FROM marks ORDER BY id", []any{&x.ID, &x.Verdict, &x.Reason, (*int64)(&x.Until)}, func() error {
		if !text(x.ID, x.Reason) || x.Verdict != Benign && x.Verdict != Malicious || len(m.Marks) > 2*mostMarks {
			return errValue
		}
		m.Marks = append(m.Marks, x)
		return nil
	})
}

func (f *File) loadHeld(m *Memory) error {
	var h Held
	var uses sql.RawBytes
	return f.each("SELECT transfer, artifact, finding, time, uses FROM held ORDER BY time, transfer", []any{&h.Transfer, &h.Artifact, &h.Finding, (*int64)(&h.Time), &uses}, func() error {
		if !text(h.Transfer, h.Artifact, h.Finding) || len(uses) > mostBlob || len(m.Held) > 2*mostHeld {
			return errValue
		}
		h.Uses = nil
		if err := json.Unmarshal(uses, &h.Uses); err != nil {
			return err
		}
		for _, e := range h.Uses {
			if !text(e.A, e.B, e.C) {
				return errValue
			}
		}
		m.Held = append(m.Held, h)
		return nil
	})
}

// loadCovers reads what marks cover.
func (f *File) loadCovers(m *Memory) error {
	var id string
	var w Work
	return f.each("SELECT mark, giver, account, way, file, start, content FROM covers ORDER BY mark, giver, account, way, file, start, content", append([]any{&id}, w.columns()...), func() error {
		at, found := slices.BinarySearchFunc(m.Marks, id, func(x Mark, id string) int { return cmp.Compare(x.ID, id) })
		if !found || w != w.kept() || len(m.Marks[at].Covers) >= mostCovers {
			return errValue
		}
		m.Marks[at].Covers = append(m.Marks[at].Covers, w)
		return nil
	})
}

// loadWorks reads what the transfers were that are held back.
func (f *File) loadWorks(m *Memory) error {
	at := make(map[string]int, len(m.Held))
	for i := range m.Held {
		at[m.Held[i].Transfer] = i
	}
	var id string
	var w Work
	return f.each("SELECT transfer, giver, account, way, file, start, content FROM works", append([]any{&id}, w.columns()...), func() error {
		i, found := at[id]
		if !found || w != w.kept() {
			return errValue
		}
		m.Held[i].Work = w
		return nil
	})
}

// shortName is a name as it is kept: a longer one is cut.
func shortName(name string) string {
	name = strings.ToValidUTF8(name, "\uFFFD")
	if len(name) > longestName {
		name = strings.ToValidUTF8(name[:longestName], "")
	}
	return name
}
