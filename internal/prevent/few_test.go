package prevent

import (
	"strings"
	"testing"

	"waybill/internal/model"
)

// park is an office with ten servers that turn to each other for so many days, with 3,000
// more moves a day: what a denial may break is a share of a day's.
func park(days int) []Move {
	moves := office(days)
	for d := range days {
		for n := range 9 {
			moves = append(moves, pull(moment(d, n), server(n), server(n+1), "http", "", "x.json"))
		}
		busy := pull(moment(d, 0), server(0), server(1), "http", "", "x.json")
		for range 3000 {
			moves = append(moves, busy)
		}
	}
	return moves
}

func moment(d, n int) model.Time { return model.Time(d)*day + model.Time(n+1)*1e9 }

// Few administer servers, day after day, and no other begins to: the others are denied it,
// the few may turn to servers that they did not administer yet.
func TestFew(t *testing.T) {
	base := func(days int, begins map[int]int) []Move { // workstation: first day
		moves := park(days)
		for w, first := range begins {
			for d := first; d < days; d++ {
				for n := range 2 {
					moves = append(moves, push(moment(d, n), workstation(w), server(n), "smb2", "ADMIN$", "fix.ps1"))
				}
			}
		}
		return sorted(moves)
	}
	few := Learn(base(20, map[int]int{1: 0, 2: 3}), LearnOptions{})
	if r := find(few, "workstations", "servers", "smb"); r == nil || r.Action != Deny || !strings.Contains(r.Why, "2 of 12 workstations administer them") {
		t.Errorf("the others: %+v, of\n%s", r, strings.Join(rulesOf(few), "\n"))
	}
	f := mustCompile(t, few)
	for w, want := range map[int]Outcome{1: Unseen, 2: Unseen, 5: Denied} {
		m := push(21*day, workstation(w), server(7), "smb2", "ADMIN$", "x.exe")
		if d := f.Decide(&m); d.Outcome != want {
			t.Errorf("WS-%d turns to APP-7: %v, want %v", w, d.Outcome, want)
		}
	}
	for name, begins := range map[string]map[int]int{
		"others begin to":    {1: 0, 2: 12, 3: 14},
		"more than few do":   {1: 0, 2: 0, 3: 0, 4: 0, 5: 0, 6: 0, 7: 0, 8: 0, 9: 0},
		"nobody does at all": {},
	} {
		p := Learn(base(20, begins), LearnOptions{})
		if r := find(p, "workstations", "servers", "smb"); r != nil && r.Action == Deny {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// Shares that few use now, more will use: they are not denied.
func TestFewShares(t *testing.T) {
	moves := park(20)
	for d := range 20 {
		for n := range 2 {
			moves = append(moves, pull(moment(d, n), workstation(1), server(n), "smb2", "packages", "setup.msi"))
		}
	}
	if r := find(Learn(sorted(moves), LearnOptions{}), "workstations", "servers", "smb"); r != nil && r.Action == Deny {
		t.Errorf("%+v", r)
	}
}

// A server that was only seen asking others looks like a workstation: denied nothing that
// peers are.
func TestNoPeer(t *testing.T) {
	moves := office(3)
	for d := range 3 {
		moves = append(moves, pull(moment(d, 5), at("10.0.9.9", "SRV-9", 0), at("10.0.0.2", "FS-1", 445), "smb2", "Docs", "a"))
		moves = append(moves, pull(moment(d, 6), at("10.0.9.8", "WS-99", 0), at("10.0.0.2", "FS-1", 445), "smb2", "Docs", "a"))
	}
	f := mustCompile(t, Learn(sorted(moves), LearnOptions{}))
	for host, want := range map[string]Outcome{"SRV-9": Unseen, "WS-99": Denied} {
		m := push(4*day, workstation(1), model.Endpoint{Host: host, Port: 445}, "smb2", "C$", "x.exe")
		if d := f.Decide(&m); d.Outcome != want {
			t.Errorf("to %s: %v (%s), want %v", host, d.Outcome, d.Server, want)
		}
	}
}
