package plan

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"waybill/internal/prevent"
)

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

func policy() *prevent.Policy {
	return &prevent.Policy{
		Version:    prevent.PolicyVersion,
		Learned:    &prevent.Learned{Management: prevent.Proposed},
		Management: []string{"10.9.0.0/28", "WS-2"},
		Groups: []prevent.Group{
			{Name: "dcs", Hosts: []prevent.Host{host("DC-1", "10.2.0.1", "fd00::1")}},
			{Name: "servers", Networks: prefixes("10.2.0.8/31"), Hosts: []prevent.Host{host("FS-1", "10.2.0.10"), host("NAS")}},
			{Name: "desks", Networks: prefixes("10.1.0.0/24"), Hosts: []prevent.Host{host("WS-2", "10.1.0.2")}},
			{Name: "ghosts", Hosts: []prevent.Host{host("G")}},
		},
		Services: []prevent.Service{{Name: "rpc", Ports: []string{"tcp/49152-65535", "tcp/135"}}, {Name: "smb", Ports: []string{"tcp/445", "tcp/139", "tcp/445"}}, {Name: "tcp/50000", Ports: []string{"tcp/50000"}}},
		Rules: []prevent.Rule{
			{From: "any", To: "servers", Service: "rpc", Action: prevent.Deny},
			{From: "desks", To: "ghosts", Service: "smb", Action: prevent.Deny},
			{From: "desks", To: "any", Service: "tcp/50000", Action: prevent.Allow},
		},
		Exceptions: []prevent.Exception{{From: "ws-2", To: "servers", Service: "smb", Until: "2027-01-31", Owner: "ann", Reason: "r"}},
	}
}

func TestOf(t *testing.T) {
	p, err := Of(policy())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, g := range p.Groups {
		got = append(got, fmt.Sprint(g.Name, " ", g.At.Ranges()))
	}
	for _, x := range p.Exceptions {
		got = append(got, fmt.Sprint(x.Number, x.From.At.Prefixes(), x.To.At.Prefixes(), x.Ports, x.End.Format(" 2006-01-02 15:04")))
	}
	for _, r := range p.Rules {
		got = append(got, fmt.Sprint(r.Number, r.From.At == Everywhere, r.To.At == Everywhere, r.Ports))
	}
	got = append(got, fmt.Sprint(p.Management.Prefixes(), p.Ports), strings.Join(p.Unwritten, "\n"))
	want := []string{
		"dcs [10.2.0.1-10.2.0.1 fd00::1-fd00::1]",
		"servers [10.2.0.8-10.2.0.10]",
		"desks [10.1.0.0-10.1.0.255]",
		"ghosts []",
		"1 [10.1.0.2/32] [10.2.0.8/31 10.2.0.10/32] [{tcp 139 139} {tcp 445 445}] 2027-02-01 00:00",
		"3 false true [{tcp 50000 50000}]",
		"1 true false [{tcp 135 135} {tcp 49152 65535}]",
		"[10.1.0.2/32 10.9.0.0/28] [{tcp 135 135} {tcp 139 139} {tcp 445 445} {tcp 49152 65535}]",
		"whether the management sources are right: they are proposed, look at them first\ngroup servers: no address is known of NAS\ngroup ghosts: no address is known of G\nrule 2 (deny desks -> ghosts, smb): no address of ghosts is known",
	}
	if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestRefused(t *testing.T) {
	for want, change := range map[string]func(*prevent.Policy){
		"management: no management source":        func(p *prevent.Policy) { p.Management = nil },
		"management: no address of NAS is known":  func(p *prevent.Policy) { p.Management = append(p.Management, "NAS") },
		`rules[1].to: "x" is no group`:            func(p *prevent.Policy) { p.Rules[0].To = "x" },
		"exception 1: no address of ghosts":       func(p *prevent.Policy) { p.Exceptions[0].To = "ghosts" },
		"exception 1: no address of nas is known": func(p *prevent.Policy) { p.Exceptions[0].From = "nas" },
	} {
		p := policy()
		change(p)
		if _, err := Of(p); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		"a 'b'": "a 'b'", "CORP\\ann \"x\" `y`": "CORP/ann 'x' 'y'", "$(reboot)\n\x1b[2Jü": "?(reboot)??[2J?", "0123456789abcdefghi": "0123456789abcde...",
	} {
		if got := Plain(in, 18); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}
