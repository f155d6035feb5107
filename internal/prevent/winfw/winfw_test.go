package winfw

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"waybill/internal/model"
	"waybill/internal/prevent"
	"waybill/internal/prevent/plan"
)

var rewrite = flag.Bool("rewrite", false, "write the expected files anew")

func prefixes(texts ...string) (out []netip.Prefix) {
	for _, t := range texts {
		out = append(out, netip.MustParsePrefix(t))
	}
	return out
}

func host(name string, addresses ...string) prevent.Host {
	h := prevent.Host{Name: name}
	for _, a := range addresses {
		h.Addresses = append(h.Addresses, netip.MustParseAddr(a))
	}
	return h
}

// office is workstations, servers and a domain controller in IPv4 and IPv6.
func office() *prevent.Policy {
	return &prevent.Policy{
		Version:    prevent.PolicyVersion,
		Learned:    &prevent.Learned{From: model.Time(1790000000e9), To: model.Time(1790600000e9), Moves: 1200, LeftOut: 3},
		Management: []string{"10.9.0.0/28", "ADMIN-1"},
		Groups: []prevent.Group{
			{Name: "domain-controllers", Hosts: []prevent.Host{host("DC-1", "10.2.0.10", "fd00:2::10")}},
			{Name: "servers", Networks: prefixes("10.2.0.16/28"), Hosts: []prevent.Host{host("FS-1", "10.2.0.20"), host("OLD-NAS"), host("NLB-1", "10.2.0.41", "10.2.0.43", "10.2.0.45", "10.2.0.47", "10.2.0.49", "10.2.0.51", "10.2.0.53", "10.2.0.55")}},
			{Name: "workstations", Networks: prefixes("10.1.0.0/24", "fd00:1::/64"), Hosts: []prevent.Host{host("WS-1", "10.1.0.11"), host("ADMIN-1", "10.1.0.99")}},
		},
		Services: []prevent.Service{
			{Name: "rdp", Ports: []string{"tcp/3389", "udp/3389"}}, {Name: "rpc", Ports: []string{"tcp/135", "tcp/49152-65535"}},
			{Name: "smb", Ports: []string{"tcp/445", "tcp/139"}}, {Name: "tcp/50000", Ports: []string{"tcp/50000"}},
		},
		Rules: []prevent.Rule{
			{From: "workstations", To: "workstations", Service: "rpc", Action: prevent.Deny, Why: "no workstation called another in 7 days"},
			{From: "workstations", To: "workstations", Service: "smb", Action: prevent.Deny, Why: "no workstation served another's files in 7 days"},
			{From: "workstations", To: "servers", Service: "smb", Action: prevent.Allow, Why: "800 moves of 40 pairs on 7 days"},
			{From: prevent.AnyGroup, To: "servers", Service: "rdp", Action: prevent.Deny, Why: "management only"},
			{From: "WS-1", To: "FS-1", Service: "rdp", Action: prevent.Allow, Why: "after a rule that denies it"},
			{From: "workstations", To: "servers", Service: "tcp/50000", Action: prevent.Allow, Why: "an updater"},
			{From: "workstations", To: "servers", Service: "rpc", Action: prevent.Deny, Why: "nobody calls servers"},
			{From: "servers", To: "workstations", Service: "smb", Action: prevent.Candidate, Why: "never seen"},
		},
		Exceptions: []prevent.Exception{{From: "WS-1", To: "10.1.0.12", Service: "smb", Owner: "CORP\\ann", Until: "2027-01-31", Reason: "moves to a \"new\" PC\n'; Remove-Item C:\\ | $(reboot)"}},
	}
}

func export(t testing.TB, p *prevent.Policy, c prevent.Choice) []prevent.File {
	t.Helper()
	files, err := Target.Write(p, c)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestExpected(t *testing.T) {
	for _, c := range []struct {
		folder string
		choice prevent.Choice
	}{{"office", prevent.Choice{}}, {"office-strict", prevent.Choice{Strict: true}}} {
		for _, f := range export(t, office(), c.choice) {
			if f.Name == "windows-try.ps1" || f.Name == "windows-rollback.ps1" {
				continue
			}
			path := filepath.Join("testdata", c.folder, f.Name)
			if *rewrite {
				_ = os.MkdirAll(filepath.Dir(path), 0o755)
				if err := os.WriteFile(path, f.Text, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil || !bytes.Equal(f.Text, want) {
				t.Errorf("%s differs from what is expected (%v); with -rewrite it is written anew:\n%s", path, err, f.Text)
			}
		}
	}
}

// stops says what Windows does with a connection, where rules that block win over all others.
func stops(all []block, client, server netip.Addr, transport string, port uint16, now model.Time) bool {
	for _, b := range all {
		on := b.rpc && transport == "tcp" && (port == 135 || port >= 49152)
		for _, p := range b.ports {
			on = on || p.Transport == transport && p.First <= port && port <= p.Last
		}
		over := b.over == nil || now >= model.Time(b.over.End.UnixNano())
		if on && over && b.local.Contains(server) && b.remote.Contains(client) {
			return true
		}
	}
	return false
}

// Whatever a policy is, Windows blocks what Decide denies and nothing else.
func TestBlocksAgreeWithDecide(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	denied, passed := 0, 0
	for n := range 150 {
		p := random(rnd)
		f, err := p.Compile()
		if err != nil {
			t.Fatal(err)
		}
		pl, err := plan.Of(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range pl.Groups {
			for _, strict := range []bool{false, true} {
				all := blocks(pl, g, strict)
				for range 40 {
					c := pick(rnd, p, g)
					want := !f.Decide(&c.move).Passes(strict)
					if got := stops(all, c.client, c.server, c.transport, c.port, c.move.Time); got != want {
						t.Fatalf("policy %d, strict %v: %v -> %v %s/%d at %v: blocked is %v, Decide says %+v\n%+v", n, strict, c.client, c.server, c.transport, c.port, c.move.Time, got, f.Decide(&c.move), p)
					} else if got {
						denied++
					} else {
						passed++
					}
				}
			}
		}
	}
	if denied < 1000 || passed < 1000 {
		t.Errorf("%d denied and %d passed say little", denied, passed)
	}
}

// random is a policy of three groups with rules of all kinds.
func random(rnd *rand.Rand) *prevent.Policy {
	p := &prevent.Policy{
		Version: prevent.PolicyVersion, Management: []string{"10.0.9.0/24", "A-1"},
		Groups: []prevent.Group{
			{Name: "a", Networks: prefixes("10.0.0.0/28"), Hosts: []prevent.Host{host("A-1", "10.0.0.1"), host("A-2", "10.0.0.2", "fd00::a2")}},
			{Name: "b", Networks: prefixes("10.0.0.16/30", "fd00:b::/64"), Hosts: []prevent.Host{host("B-1", "10.0.0.17", "fd00:b::1")}},
			{Name: "c", Hosts: []prevent.Host{host("C-1", "10.0.0.24"), host("C-2", "10.0.0.25")}},
		},
		Services: []prevent.Service{{Name: "smb", Ports: []string{"tcp/445", "tcp/139"}}, {Name: "web", Ports: []string{"tcp/80-90"}}, {Name: "tcp/85", Ports: []string{"tcp/85"}}, {Name: "rpc", Ports: []string{"tcp/135", "tcp/49152-65535"}}, {Name: "rdp", Ports: []string{"tcp/3389", "udp/3389"}}},
	}
	words := []string{"a", "b", "c", "a", "b", "A-1", "A-2", "B-1", "C-2", prevent.AnyGroup}
	word := func() string { return words[rnd.IntN(len(words))] }
	service := func() string { return p.Services[rnd.IntN(len(p.Services))].Name }
	seen := map[string]bool{}
	for range 1 + rnd.IntN(12) {
		r := prevent.Rule{From: word(), To: word(), Service: service(), Action: []string{prevent.Allow, prevent.Deny, prevent.Candidate}[rnd.IntN(3)], Why: "x"}
		if k := r.From + r.To + r.Service; !seen[k] && (r.From != prevent.AnyGroup || r.To != prevent.AnyGroup) {
			seen[k] = true
			p.Rules = append(p.Rules, r)
		}
	}
	if len(p.Rules) == 0 {
		p.Rules = []prevent.Rule{{From: "a", To: "b", Service: "smb", Action: prevent.Deny}}
	}
	for range rnd.IntN(4) {
		x := prevent.Exception{From: word(), To: word(), Service: service(), Owner: "o", Reason: "r", Until: fmt.Sprintf("2027-01-0%d", 1+rnd.IntN(5))}
		if rnd.IntN(3) == 0 {
			x.From = "10.0.0.0/29"
		}
		if x.From != prevent.AnyGroup || x.To != prevent.AnyGroup {
			p.Exceptions = append(p.Exceptions, x)
		}
	}
	return p
}

type connection struct {
	client, server netip.Addr
	transport      string
	port           uint16
	move           prevent.Move
}

// pick is a connection to a host of a group.
func pick(rnd *rand.Rand, p *prevent.Policy, g *plan.Group) connection {
	clients := []string{"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.9", "10.0.0.17", "10.0.0.18", "10.0.0.24", "10.0.0.25", "10.0.9.7", "10.77.0.1", "fd00::a2", "fd00:b::1", "fd00:b::7", "2001:db8::1"}
	ports := []string{"tcp/445", "tcp/139", "tcp/80", "tcp/85", "tcp/90", "tcp/91", "tcp/135", "tcp/50000", "tcp/3389", "udp/3389", "udp/445"}
	ranges := g.At.Ranges()
	server := ranges[rnd.IntN(len(ranges))].From()
	for range rnd.IntN(3) {
		if next := server.Next(); g.At.Contains(next) {
			server = next
		}
	}
	c := connection{client: netip.MustParseAddr(clients[rnd.IntN(len(clients))]), server: server}
	over, _ := prevent.ParsePorts(ports[rnd.IntN(len(ports))])
	c.transport, c.port = over.Transport, over.First
	c.move = prevent.Move{
		Time:   model.Time(1798761600e9 + rnd.Int64N(7)*86400e9 - 86400e9/2), // around the first days of 2027
		Client: model.Endpoint{IP: model.AddrOf(c.client)}, Server: model.Endpoint{IP: model.AddrOf(c.server), Port: c.port},
		Service: fmt.Sprintf("%s/%d", c.transport, c.port),
	}
	return c
}

var (
	quoted = regexp.MustCompile(`'(?:[^']|'')*'`)
	ascii  = regexp.MustCompile(`^[\n -~]*$`)
)

// told is what PowerShell reads of a script: without comments, and without texts for people.
func told(text []byte) string {
	var out []string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "# ") {
			continue
		}
		if strings.Contains(line, "-DisplayName") || strings.Contains(line, "-Description") {
			line = quoted.ReplaceAllString(line, "''")
		}
		out = append(out, line)
	}
	return strings.Join(out, "")
}

// Whatever names and reasons say, PowerShell reads the same rules.
func FuzzText(f *testing.F) {
	for _, s := range []string{"plain", "'; reboot; '", "\u2019; reboot #", "x\n}\nreboot", "$(reboot)", "`", "a|b", "\"", "ü\u2028\u202e\u00d1", strings.Repeat("long' ", 200), "\xff\x00", "#>", "''"} {
		f.Add(s)
	}
	named := func(s string) *prevent.Policy {
		p := office()
		for i := range p.Rules {
			p.Rules[i].Why = s
		}
		g := &p.Groups[2]
		g.Why, g.Role, g.Hosts[0].Name, p.Groups[1].Hosts[1].Name = s, s, "h"+s, "o"+s
		p.Rules[4].From = "h" + s
		x := &p.Exceptions[0]
		x.From, x.Owner, x.Reason = "h"+s, "o"+s, "r"+s
		return p
	}
	want := export(f, named(""), prevent.Choice{Strict: true})
	f.Fuzz(func(t *testing.T, s string) {
		files, err := Target.Write(named(s), prevent.Choice{Strict: true})
		if err != nil {
			t.Skip(err) // the name is that of another host, or does not print
		}
		for i, file := range files {
			if told(file.Text) != told(want[i].Text) || !ascii.Match(file.Text) {
				t.Errorf("%s: PowerShell reads other rules:\n%s", file.Name, file.Text)
			}
		}
	})
}
