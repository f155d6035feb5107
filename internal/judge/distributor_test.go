package judge

import (
	"strings"
	"testing"

	"waybill/internal/history"
)

// TestDistributorNats: what a host hands out of other kinds is explained the better the
// longer it does so; what it hands out to few, or fetches, is not.
func TestDistributorNats(t *testing.T) {
	for name, c := range map[string]struct {
		days  uint16
		hosts int
		push  bool
		want  float64
	}{
		"two days":       {2, 9, true, 0},
		"four hosts":     {9, 4, true, 0},
		"three days":     {3, 5, true, distributorNew},
		"a week's work":  {5, 5, true, distributorLong},
		"others ask it":  {5, 5, false, 0},
		"long, not many": {9, 4, true, 0},
	} {
		u := &Usual{Days: 10, Gives: history.Use{First: 1, Last: 1, Days: c.days, Count: 9}, GivesTo: c.hosts}
		if got, _ := distributorNats(u, c.push, true); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// TestAgain: the same kind of file from the same host is new once, told twice, and then
// explained, whatever was held against it; not what a host only offers.
func TestAgain(t *testing.T) {
	for days, want := range []float64{0, 0, distributorTwice, distributorAgain, distributorAgain} {
		u := &Usual{Days: 10, Family: history.Use{First: 1, Last: 1, Days: uint16(days), Count: 9}, FamilyHosts: 2}
		if got, _ := distributorNats(u, true, true); got != want {
			t.Errorf("%d days: %v, want %v", days, got, want)
		}
		if got, _ := distributorNats(u, false, true); got != 0 {
			t.Errorf("%d days, fetched: %v", days, got)
		}
	}
}

// TestHabitOfUnknownContent: of what goes so every day a content that nobody had is
// explained least, one that many have had best; where no log tells the content, neither
// is said.
func TestHabitOfUnknownContent(t *testing.T) {
	u := Usual{Days: 10, Family: history.Use{First: 1, Last: 1, Days: 9, Count: 99}, FamilyHosts: 64}
	had := u
	had.Content = history.Use{First: 1, Last: 1, Days: 2, Count: 2}
	for _, c := range []struct {
		usual *Usual
		told  bool
		want  float64
		says  string
	}{
		{&u, true, distributorFresh, "never with this content"},
		{&had, true, distributorKnown, "to 64 hosts"},
		{&u, false, distributorBlind, "nobody tells its content"},
	} {
		if got, text := distributorNats(c.usual, true, c.told); got != c.want || !strings.HasSuffix(text, c.says) {
			t.Errorf("%v: %v %q, want %v", c.says, got, text, c.want)
		}
	}
}
