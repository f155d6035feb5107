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
		Management: []string{"10.9.0.0/28", "WS-2"},
		Groups: []prevent.Group{
			{Name: "Domain Controllers", Hosts: []prevent.Host{host("DC-1", "10.2.0.1", "fd00::1")}},
			{Name: "servers", Networks: prefixes("10.2.0.0/30"), Hosts: []prevent.Host{host("FS-1", "::ffff:10.2.0.9"), host("NAS")}},
			{Name: "SERVERS", Networks: prefixes("10.1.0.0/24"), Hosts: []prevent.Host{host("WS-2", "10.1.0.2")}},
			{Name: "ghosts"},
		},
		Services: []prevent.Service{{Name: "rpc", Ports: []string{"tcp/49152-65535", "tcp/135"}}, {Name: "smb", Ports: []string{"tcp/445", "tcp/139", "tcp/445"}}},
		Rules: []prevent.Rule{
			{From: "any", To: "servers", Service: "rpc", Action: prevent.Deny},
			{From: "SERVERS", To: "ghosts", Service: "smb", Action: prevent.Deny},
			{From: "SERVERS", To: "any", Service: "tcp/50000", Action: prevent.Allow},
		},
		Exceptions: []prevent.Exception{{From: "ws-2", To: "servers", Service: "smb", Until: "2027-01-31"}},
	}
}

func TestOf(t *testing.T) {
	p, err := Of(policy())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, g := range p.Groups {
		got = append(got, fmt.Sprint(g.ID, " ", g.At.Ranges()))
	}
	for _, x := range p.Exceptions {
		got = append(got, fmt.Sprint(x.Number, x.From.Prefixes(), x.To.Prefixes(), x.Ports, x.End.Format(" 2006-01-02 15:04")))
	}
	for _, r := range p.Rules {
		got = append(got, fmt.Sprint(r.Number, r.From == nil, r.To == nil, r.Ports))
	}
	got = append(got, fmt.Sprint(p.Management.Prefixes(), p.Ports), strings.Join(p.Unwritten, "\n"))
	want := []string{
		"domain_controllers [10.2.0.1-10.2.0.1 fd00::1-fd00::1]",
		"servers [10.2.0.0-10.2.0.0 10.2.0.2-10.2.0.3 10.2.0.9-10.2.0.9]",
		"servers_2 [10.1.0.0-10.1.0.255]",
		"ghosts []",
		"1 [10.1.0.2/32] [10.2.0.0/30 10.2.0.9/32] [{tcp 139 139} {tcp 445 445}] 2027-02-01 00:00",
		"3 false true [{tcp 50000 50000}]",
		"1 true false [{tcp 135 135} {tcp 49152 65535}]",
		"[10.1.0.2/32 10.9.0.0/28] [{tcp 135 135} {tcp 139 139} {tcp 445 445} {tcp 49152 65535}]",
		"group servers: no address is known of NAS: packets do not tell them\nrule 2 (deny SERVERS -> ghosts, smb): no address of ghosts is known",
	}
	if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestRefused(t *testing.T) {
	for want, change := range map[string]func(*prevent.Policy){
		"management: no sources":                    func(p *prevent.Policy) { p.Management = nil },
		`management: no address of "nobody"`:        func(p *prevent.Policy) { p.Management = append(p.Management, "nobody") },
		`rule 1: there is no group "x"`:             func(p *prevent.Policy) { p.Rules[0].To = "x" },
		`rule 2: action "block"`:                    func(p *prevent.Policy) { p.Rules[1].Action = "block" },
		`rule 3: service "web" has no ports`:        func(p *prevent.Policy) { p.Rules[2].Service = "web" },
		`rule 3: service "tcp/0": ports "tcp/0"`:    func(p *prevent.Policy) { p.Rules[2].Service = "tcp/0" },
		`exception 1: until "soon"`:                 func(p *prevent.Policy) { p.Exceptions[0].Until = "soon" },
		`exception 1: no address of "ghosts"`:       func(p *prevent.Policy) { p.Exceptions[0].To = "ghosts" },
		`service "smb": ports "445": give them as`:  func(p *prevent.Policy) { p.Services[1].Ports = []string{"445", "139"} },
		`management: "any" lets everybody in`:       func(p *prevent.Policy) { p.Management = []string{"10.0.0.0/8", "any"} },
		`management: "0.0.0.0/0" lets everybody in`: func(p *prevent.Policy) { p.Management = []string{"0.0.0.0/0"} },
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
