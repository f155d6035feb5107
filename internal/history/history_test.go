package history

import (
	"testing"

	"waybill/internal/model"
)

const start model.Time = 1_770_000_000e9

func TestUse(t *testing.T) {
	n := New()
	for d := range 3 {
		n.Learn(Pair, "a", "smb push", "b", start+model.Time(d)*day)
		n.Learn(Pair, "a", "smb push", "b", start+model.Time(d)*day+3600e9)
	}
	n.Learn(Pair, "a", "smb push", "d", start)
	u := n.Use(Pair, "a", "smb push", "b", start+2*day+3600e9)
	if u.Days != 3 || u.First != start || u.Count < 5.5 || u.Count > 6 {
		t.Errorf("use %+v", u)
	}
	if n.Use(Pair, "b", "smb push", "a", start).Known() || n.Use(Account, "a", "smb push", "b", start).Known() {
		t.Error("what never happened is known")
	}
	if got := n.Peers(Pair, "a", "smb push"); got != 2 {
		t.Errorf("peers %d", got)
	}
	if first, last, days := n.Span(); first != start || last != start+2*day+3600e9 || days != 3 {
		t.Errorf("span %v %v %d", first, last, days)
	}
}

func TestFades(t *testing.T) {
	n := New()
	n.Learn(Host, "a", "", "", start)
	if c := n.Use(Host, "a", "", "", start+HalfLife).Count; c < 0.49 || c > 0.51 {
		t.Errorf("after a half-life it counts %v", c)
	}
}

func TestRestore(t *testing.T) {
	n := New()
	n.Learn(Pair, "a", "w", "b", start)
	n.Learn(Pair, "a", "w", "b", start+day)
	n.Learn(Host, "a", "", "", start)
	m := New()
	for _, e := range n.Entries() {
		m.Restore(e)
	}
	if m.Len() != 2 || m.Use(Pair, "a", "w", "b", start+day) != n.Use(Pair, "a", "w", "b", start+day) || m.Peers(Pair, "a", "w") != 1 {
		t.Errorf("restored %+v", m.Entries())
	}
	first, last, days := m.Span()
	if first != start || last != start+day || days != 2 {
		t.Errorf("span %v %v %d", first, last, days)
	}
}
