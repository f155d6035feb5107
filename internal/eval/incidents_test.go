package eval

import (
	"testing"

	"waybill/internal/model"
)

// TestIncidents: an incident counts for a campaign when half of it is the campaign's, and
// is ranked among those of everyday life alone.
func TestIncidents(t *testing.T) {
	w := &World{Config: Config{Days: 3}}
	running := func(name string) *Running {
		src, dst := &Host{Name: name + "-src"}, &Host{Name: name + "-dst"}
		c := &Running{Campaign: &Campaign{Name: name}, ID: len(w.Running), Moves: []*Move{{Source: src, Destination: dst}}}
		w.Running = append(w.Running, c)
		return c
	}
	mine, other := running("mine"), running("other")
	running("missed")
	r := &Result{World: w, Days: 3, alerts: [][]alert{{
		{id: "a", score: 16, campaign: mine}, {id: "b", score: 12, campaign: mine}, {id: "weak", score: 6}, {id: "c", score: 11, campaign: other},
		{id: "x", score: 17}, {id: "y", score: 18}, {id: "z", score: 20, campaign: other}}}}
	incident := func(findings ...string) *model.Incident {
		return &model.Incident{Findings: findings, Severity: model.High, Reasons: []model.Share{{Nats: 16}, {Nats: 0.5}}}
	}
	first := incident("a", "weak")
	first.ActFirst = []model.Target{{Host: "MINE-SRC.corp.example"}, {Host: "bystander"}}
	first.EarliestVisible = "mine-src"
	r.chained([]*model.Incident{first, incident("b"), incident("x"), incident("c", "y", "x"), incident("z")})
	x := &r.Incidents
	if x.Tuned.Campaigns != 3 || x.Tuned.Told != 2 || x.Tuned.Whole != 0 || len(x.Split) != 6 {
		t.Errorf("%+v", x)
	}
	// Above mine, of 16.5, is the incident x alone: y is in one that is not of everyday life alone.
	if f := x.Tuned.Found; f[1] != 1 || f[5] != 2 {
		t.Errorf("found %v: of other the one with z is first, mine is second", f)
	}
	if x.Benign[model.High] != 1 || x.Own != 3 || x.Foreign != 0 {
		t.Errorf("%+v: the one of which other has a third counts for nobody", x)
	}
	if x.Targets != [2]int{1, 2} || x.First != [2]int{1, 1} || x.Leads != [2]int{1, 1} {
		t.Errorf("%+v", x)
	}
}
