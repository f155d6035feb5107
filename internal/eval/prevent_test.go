package eval

import (
	"testing"

	"waybill/internal/model"
	"waybill/internal/prevent"
)

// TestSpreads: a campaign goes on only where the filter of the day lets it, and a host that
// the file never came to passes it to nobody.
func TestSpreads(t *testing.T) {
	hosts := map[string]*Host{}
	for i, name := range []string{"A", "B", "C", "D"} {
		hosts[name] = &Host{ID: i, Name: name, Role: "workstation", IP: model.Addr{10: 0xff, 11: 0xff, 12: 10, 15: byte(i + 1)}}
	}
	p := &prevent.Policy{Version: prevent.PolicyVersion, Services: prevent.KnownServices,
		Groups: []prevent.Group{{Name: "a", Hosts: []prevent.Host{{Name: "A.corp.example"}}}, {Name: "b", Hosts: []prevent.Host{{Name: "B.corp.example"}, {Name: "D.corp.example"}}}, {Name: "c", Hosts: []prevent.Host{{Name: "C.corp.example"}}}},
		Rules: []prevent.Rule{{From: "a", To: "b", Service: "smb", Action: prevent.Allow}, {From: "b", To: "c", Service: "smb", Action: prevent.Deny},
			{From: "a", To: "b", Service: "rpc", Action: prevent.Deny}, {From: "c", To: "b", Service: "smb", Action: prevent.Allow}}}
	f, err := p.Compile()
	if err != nil {
		t.Fatal(err)
	}
	c := &Running{}
	g := &guard{}
	for _, way := range []struct {
		from, to string
		start    *Start
	}{{"A", "B", &Start{How: "wmi"}}, {"B", "C", nil}, {"C", "D", &Start{How: "process"}}} {
		m := &Move{Time: Epoch + hour, Source: hosts[way.from], Destination: hosts[way.to], Push: true, Channel: "smb", Start: way.start}
		g.happened(m)
	}
	got := spreads(c, g.steps, map[int]*prevent.Filter{0: f})
	if got.Hosts != [3]int{3, 1, 1} || got.Starts != [3]int{2, 0, 0} {
		t.Errorf("hosts %v, starts %v", got.Hosts, got.Starts)
	}
	if got = spreads(c, g.steps, nil); got.Hosts != [3]int{3, 3, 3} {
		t.Errorf("without a filter: hosts %v", got.Hosts)
	}
}

// TestPrevented: policies of a small world are learned and tried on the days that are judged.
func TestPrevented(t *testing.T) {
	c := small("service", "winrm")
	c.Days, c.Learn, c.Prevent = 5, 3, true
	p := Run(t.Context(), c, Tiers[4]).Prevented
	if p.Err != nil || p.Days != 2 || len(p.Campaigns) != 2 {
		t.Fatalf("%+v", p)
	}
	if p.Seen.All == 0 || p.Legitimate.All < p.Seen.All || p.Legitimate.Strict < p.Legitimate.Blocked {
		t.Errorf("everyday files %+v, seen %+v", p.Legitimate, p.Seen)
	}
	for _, x := range p.Campaigns {
		if x.Hosts[0] == 0 || x.Hosts[1] > x.Hosts[0] || x.Hosts[2] > x.Hosts[1] {
			t.Errorf("%s: hosts %v", x.Name, x.Hosts)
		}
	}
}
