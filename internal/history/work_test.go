package history

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"reflect"
	"testing"

	"waybill/internal/identity"
	"waybill/internal/model"
)

// held is a transfer of a finding that was held back.
func heldOf(transfer, finding string, at model.Time, w Work) Held {
	return Held{Transfer: transfer, Artifact: "a-1", Finding: finding, Time: at, Work: w}
}

// A mark of a finding or transfer covers what was held back of it, once; one of an artifact
// nothing else. It keeps what it covered when it is said again.
func TestCovers(t *testing.T) {
	one, two, other := workOf(1), workOf(2), workOf(3)
	for _, c := range []struct {
		id   string
		want []Work
	}{{"f-1", []Work{one, two}}, {"t-2", []Work{two}}, {"a-1", nil}, {"f-9", nil}} {
		for _, verdict := range []string{Benign, Malicious} {
			m := NewMemory()
			m.Hold(heldOf("t-1", "f-1", start, one), heldOf("t-2", "f-1", start, two), heldOf("t-3", "f-1", start, one), heldOf("t-4", "f-4", start, other), heldOf("t-5", "f-1", start+9*day, other))
			m.Mark(Mark{ID: c.id, Verdict: verdict, Until: start + day})
			if got, _ := m.MarkOf(c.id); !reflect.DeepEqual(got.Covers, c.want) {
				t.Errorf("%s %s covers %v", verdict, c.id, got.Covers)
			}
			m.Mark(Mark{ID: c.id, Verdict: verdict, Until: start + 2*day})
			if got, _ := m.MarkOf(c.id); !reflect.DeepEqual(got.Covers, c.want) || got.Until != start+2*day {
				t.Errorf("%s %s, said again: %+v", verdict, c.id, got)
			}
			if !m.Unmark(c.id) || m.Unmark(c.id) {
				t.Errorf("%s cannot be taken back, or twice", c.id)
			}
		}
	}
}

// Merged, a mark covers what it covered in either; forgotten are the hosts, accounts and
// files that it covers, and with the last one the mark.
func TestCoversMergedAndForgotten(t *testing.T) {
	one, two := workOf(1), workOf(2)
	two.Giver, two.Account, two.File = "y", `corp\ben`, `\tools\*.bat`
	mark := func(works ...Work) *Memory {
		m := NewMemory()
		m.Mark(Mark{ID: "f-1", Verdict: Benign, Reason: "ours", Until: start, Covers: works})
		return m
	}
	for _, parts := range [][]*Memory{{mark(one), mark(two)}, {mark(two), mark(one)}, {mark(one, two), mark(one)}} {
		if _, err := parts[0].Merge(parts[1]); err != nil || !reflect.DeepEqual(parts[0].Marks, mark(one, two).Marks) {
			t.Errorf("%v %+v", err, parts[0].Marks)
		}
	}
	for name, use := range map[string]func(e *Entry) bool{
		"host":           func(e *Entry) bool { hosts, _, _ := e.Names(); return hosts[0] == "y" },
		"account":        func(e *Entry) bool { _, account, _ := e.Names(); return account == `corp\ben` },
		"file":           func(e *Entry) bool { _, _, file := e.Names(); return file == `\tools\*.bat` },
		"content":        func(e *Entry) bool { _, _, file := e.Names(); return file == "c-2" },
		"account on one": func(e *Entry) bool { hosts, account, _ := e.Names(); return hosts[0] == "y" && account == `corp\ben` },
	} {
		none := func(string, model.Time) bool { return false }
		m := mark(one, two)
		if got := m.Forget(use, none); got.Marks != 0 || len(m.Marks) != 1 || !reflect.DeepEqual(m.Marks[0].Covers, []Work{one}) {
			t.Errorf("%s: %+v %+v", name, got, m.Marks)
		}
		m = mark(two)
		if got := m.Forget(use, none); got.Marks != 1 || len(m.Marks) != 0 {
			t.Errorf("%s: %+v %+v", name, got, m.Marks)
		}
	}
}

// A file of an older form is read, and saved in the newest.
func TestOlderForm(t *testing.T) {
	for form, drop := range map[int][]string{1: {"covers", "works", "homes"}, 2: {"homes"}} {
		olderForm(t, form, drop)
	}
}

func olderForm(t *testing.T, form int, drop []string) {
	path := filepath.Join(t.TempDir(), "h.waybill")
	want := save(t, path, func(*Memory) *Memory { return somethingOfAll(0) })
	for i := range want.Marks {
		if form == 1 {
			want.Marks[i].Covers = nil
		}
	}
	if form == 1 {
		want.Held[0].Work = Work{}
	}
	want.Homes = identity.Homes{}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range append(drop, fmt.Sprint("PRAGMA user_version = ", form)) {
		if i < len(drop) {
			s = "DROP TABLE " + s
		}
		if _, err := db.Exec(s); err != nil {
			t.Fatal(err)
		}
	}
	db.Close()
	same(t, load(t, path), want)
	want = save(t, path, func(m *Memory) *Memory {
		m.Mark(Mark{ID: "f-7", Verdict: Benign, Reason: "ours", Until: start, Covers: []Work{workOf(7)}})
		m.Locate(somethingOfAll(7).Homes.Sorted())
		return m
	})
	same(t, load(t, path), want)
}
