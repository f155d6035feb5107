package prevent

import (
	"fmt"
	"net/netip"
	"testing"
)

func prefixes(texts ...string) (out []netip.Prefix) {
	for _, t := range texts {
		out = append(out, netip.MustParsePrefix(t))
	}
	return out
}

func TestJoin(t *testing.T) {
	for _, c := range []struct{ in, want []netip.Prefix }{
		{nil, nil},
		{prefixes("10.0.0.1/32", "10.0.0.0/32"), prefixes("10.0.0.0/31")},
		{prefixes("10.0.0.1/32", "10.0.0.2/32"), prefixes("10.0.0.1/32", "10.0.0.2/32")},
		{prefixes("10.0.0.3/32", "10.0.0.2/32", "10.0.0.0/31"), prefixes("10.0.0.0/30")},
		{prefixes("10.0.0.7/24", "10.0.0.9/32", "10.0.0.9/32"), prefixes("10.0.0.0/24")},
		{prefixes("0.0.0.0/1", "128.0.0.0/1", "::/0"), prefixes("0.0.0.0/0", "::/0")},
		{prefixes("fd00::1/128", "10.0.0.0/32", "fd00::/128"), prefixes("10.0.0.0/32", "fd00::/127")},
	} {
		if got := Join(c.in); fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("Join(%v) = %v, want %v", c.in, got, c.want)
		}
	}
}

func TestNetworks(t *testing.T) {
	p := &Policy{
		Management: []string{"JUMP", "10.9.0.0/24", "ghost"},
		Groups: []Group{
			{Name: "admins", Hosts: []Host{{Name: "JUMP", Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.5"), netip.MustParseAddr("::ffff:10.0.0.4")}}}},
			{Name: "desks", Networks: prefixes("10.1.0.0/16"), Hosts: []Host{{Name: "WS-1", Addresses: []netip.Addr{netip.MustParseAddr("10.1.0.7")}}}},
		},
	}
	for name, want := range map[string]string{
		"admins": "[10.0.0.4/31]", "desks": "[10.1.0.0/16]", "ws-1": "[10.1.0.7/32]", "10.2.3.4": "[10.2.3.4/32]", "10.2.3.4/8": "[10.0.0.0/8]", "ghost": "[]",
	} {
		if got := fmt.Sprint(p.Networks(name)); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	networks, unknown := p.Sources()
	if fmt.Sprint(networks, unknown) != "[10.0.0.4/31 10.9.0.0/24] [ghost]" {
		t.Errorf("management is %v, unknown %v", networks, unknown)
	}
}

func TestVerdict(t *testing.T) {
	p := &Policy{Rules: []Rule{
		{From: "desks", To: "servers", Service: "smb", Action: Allow},
		{From: "desks", To: AnyGroup, Service: "smb", Action: Deny},
	}}
	for _, c := range []struct{ from, to, service, want string }{
		{"desks", "servers", "smb", Allow}, {"desks", "desks", "smb", Deny}, {"servers", "desks", "smb", Candidate}, {"desks", "desks", "ssh", Candidate},
	} {
		if got, _ := p.Verdict(c.from, c.to, c.service); got != c.want {
			t.Errorf("%v: %s", c, got)
		}
	}
}
