package history

import (
	"fmt"
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

// A time in between knows nothing of the days after it: what was learned from an input is
// not known when it is read again.
func TestUseAsOfThen(t *testing.T) {
	n := New()
	for d := range 6 {
		n.Learn(Pair, "a", "w", "b", start+model.Time(2*d)*day)
	}
	for _, c := range []struct {
		after model.Time
		days  uint16
		last  model.Time
	}{{0, 0, 0}, {1e9, 1, 0}, {day, 1, 0}, {4*day + 3600e9, 3, 4 * day}, {5 * day, 3, 4 * day}, {10*day + 1e9, 6, 10 * day}, {90 * day, 6, 10 * day}} {
		u := n.Use(Pair, "a", "w", "b", start+c.after)
		if u.Days != c.days || u.Known() && dayOf(u.Last) != dayOf(start+c.last) || u.Count > float32(c.days) {
			t.Errorf("after %v: %+v, want %d days until %v", c.after, u, c.days, start+c.last)
		}
	}
}

func dayOf(t model.Time) int { return dayNumber(seconds(t)) }

// TestFull learns more than there is room for, again and again: names get new numbers while
// a use is learned, and it still is of its own names.
func TestFull(t *testing.T) {
	n := New()
	n.Most = 64
	for i := range 5000 {
		at, name := model.Time(i+1)*3600e9, fmt.Sprint("host", i)
		n.Learn(Host, name, "", "", at)
		if !n.Use(Host, name, "", "", at+1e9).Known() {
			t.Fatalf("%s is not known", name)
		}
	}
	if n.Len() > n.Most || len(n.texts) > 4*n.Most {
		t.Errorf("%d uses, %d names", n.Len(), len(n.texts))
	}
	for _, e := range n.Entries() {
		if e.A < "host48" || e.B != "" {
			t.Errorf("%q, %q stayed", e.A, e.B)
		}
	}
}
