package prevent

import (
	"fmt"
	"slices"
	"testing"
)

// shared is a policy whose services share ports.
func shared() *Policy {
	return &Policy{
		Version: PolicyVersion,
		Groups:  []Group{{Name: "ws", Networks: prefixes("10.0.1.0/24")}, {Name: "fs", Networks: prefixes("10.0.2.0/24")}},
		Services: []Service{
			{"rpc", []string{"tcp/135", "tcp/49152-65535"}}, {"smb", []string{"tcp/445", "tcp/139"}},
			{"tcp/50000", []string{"tcp/50000"}}, {"tcp/50001", []string{"tcp/50001"}}, {"tftp", []string{"udp/69"}},
		},
		Rules: []Rule{
			{From: "ws", To: "ws", Service: "rpc", Action: Deny},
			{From: "ws", To: "fs", Service: "rpc", Action: Deny},
			{From: "ws", To: "fs", Service: "tcp/50000", Action: Allow},
		},
		Exceptions: []Exception{{From: "10.0.1.9", To: "fs", Service: "rpc", Owner: "a", Reason: "b", Until: "2100-01-01"}},
	}
}

func TestSpans(t *testing.T) {
	got := fmt.Sprint(shared().Spans())
	want := "[{{tcp 135 135} [0]} {{tcp 139 139} [1]} {{tcp 445 445} [1]} {{tcp 49152 49999} [0]} {{tcp 50000 50000} [2 0]} {{tcp 50001 50001} [3 0]} {{tcp 50002 65535} [0]} {{udp 69 69} [4]}]"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// A filter goes by ports: where services share one, Decide says what the filter does.
func TestDecideSharedPorts(t *testing.T) {
	p := shared()
	f := mustCompile(t, p)
	for _, c := range []struct {
		what           string
		client, server string
		port           uint16
		service        string
		want           Outcome
		rule           int
	}{
		{"RPC on a dynamic port", "10.0.1.1", "10.0.2.1", 49664, "rpc", Denied, 1},
		{"RPC, port not told", "10.0.1.1", "10.0.2.1", 0, "rpc", Denied, 1},
		{"RPC on a port that is open", "10.0.1.1", "10.0.2.1", 50000, "rpc", Allowed, 2},
		{"on the port that is open", "10.0.1.1", "10.0.2.1", 50000, "tcp/50000", Allowed, 2},
		{"its rule is of others", "10.0.1.1", "10.0.1.2", 50000, "tcp/50000", Denied, 0},
		{"no rule of its own", "10.0.1.1", "10.0.2.1", 50001, "tcp/50001", Denied, 1},
		{"a dynamic port that no service names", "10.0.1.1", "10.0.2.1", 51234, "tcp/51234", Denied, 1},
		{"an exception for RPC", "10.0.1.9", "10.0.2.1", 51234, "tcp/51234", Allowed, -1},
		{"a port that the policy says nothing of", "10.0.1.1", "10.0.2.1", 4444, "tcp/4444", Unjudged, -1},
		{"a service that the policy says nothing of", "10.0.1.1", "10.0.2.1", 3389, "rdp", Unjudged, -1},
		{"a service without a rule", "10.0.1.1", "10.0.2.1", 445, "smb", Unseen, -1},
		{"data of TFTP", "10.0.1.1", "10.0.2.1", 51000, "tftp", Unseen, -1},
	} {
		d := f.Decide(&Move{Time: 1, Client: at(c.client, "", 1), Server: at(c.server, "", c.port), Service: c.service})
		rule := slices.IndexFunc(p.Rules, func(r Rule) bool {
			return d.Rule != nil && r.From+r.To+r.Service == d.Rule.From+d.Rule.To+d.Rule.Service
		})
		if d.Outcome != c.want || rule != c.rule {
			t.Errorf("%s: %v by rule %d, want %v by %d (%s)", c.what, d.Outcome, rule, c.want, c.rule, d.Why)
		}
	}
}
