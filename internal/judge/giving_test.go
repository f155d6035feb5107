package judge

import (
	"testing"

	"waybill/internal/history"
)

func TestStem(t *testing.T) {
	for host, want := range map[string]string{"hlp0018.corp.example": "hlp", "ws-07": "ws", "fs01": "fs", "anna.corp": "", "x1": "", "10.0.0.1": "", "": "", "print-server": ""} {
		if got := stem(host); got != want {
			t.Errorf("%s: %q, want %q", host, got, want)
		}
	}
}

// TestPeersGive: what a quarter of the hosts do that are called alike, on three days, is new
// for none of them; what a few of many workstations do is.
func TestPeersGive(t *testing.T) {
	for name, c := range map[string]struct {
		days          uint16
		called, gives int
		want          bool
	}{
		"helpdesk":             {3, 12, 3, true},
		"two days":             {2, 12, 6, false},
		"two of three":         {5, 3, 2, false},
		"some of many":         {5, 64, 15, false},
		"a quarter of many":    {5, 64, 16, true},
		"all together are few": {5, 2, 2, false},
	} {
		u := &Usual{Days: 10, Called: c.called, CalledGivers: c.gives, CalledGive: history.Use{First: 1, Last: 1, Days: c.days, Count: 9}}
		if got := u.peersGive(); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
		if nats, _ := u.unseen("anna", false, false); c.want != (nats == newPair) {
			t.Errorf("%s: %v nats", name, nats)
		}
	}
}

// TestGiving: how usual a giver is, by what it hands out to how many, and by this kind of
// file, each on its own scale.
func TestGiving(t *testing.T) {
	days := func(n uint16) history.Use { return history.Use{First: 1, Last: 1, Days: n, Count: 9} }
	group := Usual{Called: 12, CalledGivers: 3, CalledGive: days(3)}
	for name, c := range map[string]struct {
		usual Usual
		push  bool
		want  giving
	}{
		"nobody knows it":                {Usual{}, true, giving{}},
		"programs, to few":               {Usual{Gives: days(9), GivesTo: 4}, true, giving{}},
		"programs, to many":              {Usual{Gives: days(3), GivesTo: 5}, true, giving{hostHands, kindFresh}},
		"programs, for a week":           {Usual{Gives: days(5), GivesTo: 5}, true, giving{hostSteady, kindFresh}},
		"very many, once, a week before": {Usual{at: 7 * Window, Gives: days(1), GivesTo: 20}, true, giving{hostHands, kindFresh}},
		"others called like it":          {group, true, giving{hostCalled, kindFresh}},
		"others that are asked":          {group, false, giving{}},
		"this kind, once":                {Usual{Family: days(1)}, true, giving{}},
		"on two days":                    {Usual{Family: days(2)}, true, giving{hostStranger, kindTwice}},
		"on three, to few":               {Usual{Family: days(3), FamilyHosts: 4}, true, giving{hostStranger, kindAgain}},
		"on three, to many":              {Usual{Family: days(3), FamilyHosts: 5}, true, giving{hostStranger, kindHabit}},
		"and other programs":             {Usual{Family: days(3), FamilyHosts: 5, Gives: days(3), GivesTo: 5}, true, giving{hostHands, kindHabit}},
		"that names no maker":            {Usual{Days: 9, Bare: true, Family: days(3), FamilyHosts: 5}, true, giving{hostStranger, kindAgain}},
	} {
		got := c.usual.giving(c.push)
		if got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
		if got.known() != (got != giving{}) || got.known() != (got.why(&c.usual) != "") {
			t.Errorf("%s: known %v, %q", name, got.known(), got.why(&c.usual))
		}
	}
}
