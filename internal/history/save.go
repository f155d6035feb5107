package history

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"maps"
	"slices"
)

// Save writes what is remembered, all or nothing, and lets go of the file's lock. What
// has faded away is forgotten before. Once only.
func (f *File) Save(m *Memory) error {
	if !f.writes || !f.open {
		return f.explain(errors.New("it was opened to be read"))
	}
	m.Normal.fade()
	m.Normal.shrink(m.Normal.Most)
	m.bound()
	if err := f.write(m); err != nil {
		return f.explain(err)
	}
	if err := f.exec("COMMIT"); err != nil {
		return f.explain(err)
	}
	f.open, f.created = false, false
	m.Normal.written()
	return nil
}

// written notes that the file has all of it.
func (n *Normal) written() {
	n.saved, n.gone, n.rewrite = len(n.texts), nil, false
	for k, u := range n.uses {
		if u.changed {
			u.changed = false
			n.uses[k] = u
		}
	}
}

func (f *File) write(m *Memory) error {
	if f.form < Form {
		if err := f.create(); err != nil {
			return err
		}
	}
	for _, part := range []func(*Memory) error{f.saveMeta, f.saveNames, f.saveUses, f.saveRoles, f.saveInputs, f.saveMarks, f.saveCovers, f.saveHeld, f.saveWorks, f.saveHomes} {
		if err := part(m); err != nil {
			return err
		}
	}
	return nil
}

// fill runs a statement once for each row that rows gives to put.
func (f *File) fill(statement string, rows func(put func(args ...any) error) error) error {
	s, err := f.conn.PrepareContext(context.Background(), statement)
	if err != nil {
		return err
	}
	defer s.Close()
	return rows(func(args ...any) error {
		_, err := s.ExecContext(context.Background(), args...)
		return err
	})
}

func (f *File) saveMeta(m *Memory) error {
	a := m.Normal.all
	value, err := binary.Append(nil, binary.LittleEndian, keptSpan{a.recent, a.first, a.last, a.count, a.older, int64(m.Normal.HalfLife)})
	if err != nil {
		return err
	}
	return f.exec("INSERT OR REPLACE INTO meta VALUES ('span', ?)", value)
}

func (f *File) saveNames(m *Memory) error {
	n := m.Normal
	if n.rewrite {
		n.saved = 0
		if err := f.exec("DELETE FROM names"); err != nil {
			return err
		}
	}
	return f.fill("INSERT INTO names VALUES (?, ?)", func(put func(...any) error) error {
		for i, name := range n.texts[n.saved:] {
			if err := put(n.saved+i+1, name); err != nil {
				return err
			}
		}
		return nil
	})
}

func (f *File) saveUses(m *Memory) error {
	n := m.Normal
	if n.rewrite {
		if err := f.exec("DELETE FROM uses"); err != nil {
			return err
		}
	}
	err := f.fill("DELETE FROM uses WHERE kind = ? AND a = ? AND b = ? AND c = ?", func(put func(...any) error) error {
		for _, k := range n.gone {
			if err := put(int64(k.kind), int64(k.a), int64(k.b), int64(k.c)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return f.fill("INSERT OR REPLACE INTO uses VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", func(put func(...any) error) error {
		for _, k := range n.unsaved() {
			u := n.uses[k]
			if err := put(int64(k.kind), int64(k.a), int64(k.b), int64(k.c), int64(u.first), int64(u.last), float64(u.count), int64(u.older), int64(u.recent)); err != nil {
				return err
			}
		}
		return nil
	})
}

// unsaved are the uses that the file does not have so, in its order.
func (n *Normal) unsaved() []key {
	var out []key
	for k, u := range n.uses {
		if n.rewrite || u.changed {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, compareKeys)
	return out
}

// replaced writes a table anew.
func (f *File) replaced(table, statement string, rows func(put func(args ...any) error) error) error {
	if err := f.exec("DELETE FROM " + table); err != nil {
		return err
	}
	return f.fill(statement, rows)
}

func (f *File) saveRoles(m *Memory) error {
	return f.replaced("roles", "INSERT INTO roles VALUES (?, ?)", func(put func(...any) error) error {
		for host, seen := range m.Roles.Kept() {
			if !text(host) {
				continue
			}
			if err := put(host, seen); err != nil {
				return err
			}
		}
		return nil
	})
}

func (f *File) saveInputs(m *Memory) error {
	return f.replaced("inputs", "INSERT INTO inputs VALUES (?, ?, ?)", func(put func(...any) error) error {
		for _, digest := range slices.Sorted(maps.Keys(m.Inputs)) {
			in := m.Inputs[digest]
			if err := put(digest, shortName(in.Name), int64(in.Last)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (f *File) saveMarks(m *Memory) error {
	return f.replaced("marks", "INSERT INTO marks VALUES (?, ?, ?, ?)", func(put func(...any) error) error {
		for _, x := range m.Marks {
			if err := put(x.ID, x.Verdict, shortName(x.Reason), int64(x.Until)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (f *File) saveHeld(m *Memory) error {
	return f.replaced("held", "INSERT INTO held VALUES (?, ?, ?, ?, ?)", func(put func(...any) error) error {
		for _, h := range m.Held {
			uses, err := json.Marshal(h.Uses)
			if err != nil {
				return err
			}
			if err := put(h.Transfer, h.Artifact, h.Finding, int64(h.Time), sql.RawBytes(uses)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (f *File) saveCovers(m *Memory) error {
	return f.replaced("covers", "INSERT INTO covers VALUES (?, ?, ?, ?, ?, ?, ?)", func(put func(...any) error) error {
		for _, x := range m.Marks {
			for _, w := range x.Covers {
				if err := put(append([]any{x.ID}, w.columns()...)...); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (f *File) saveWorks(m *Memory) error {
	return f.replaced("works", "INSERT INTO works VALUES (?, ?, ?, ?, ?, ?, ?)", func(put func(...any) error) error {
		for _, h := range m.Held {
			if h.Work == (Work{}) {
				continue
			}
			if err := put(append([]any{h.Transfer}, h.Work.columns()...)...); err != nil {
				return err
			}
		}
		return nil
	})
}
