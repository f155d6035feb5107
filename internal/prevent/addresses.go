package prevent

import (
	"net/netip"
	"slices"
)

// Networks are the addresses of what a policy names: a group, a host of one, an address or a
// network. They are sorted, and neighbours are one. It gives none for a name that the policy
// knows no address of.
func (p *Policy) Networks(name string) []netip.Prefix { return p.Names().Networks(name) }

// Names finds what a policy names, for who asks often. It holds while the policy does not change.
type Names struct{ ix *index }

// Names gives the names of the policy.
func (p *Policy) Names() Names { return Names{p.index()} }

// Networks is Policy.Networks.
func (n Names) Networks(name string) []netip.Prefix {
	if net, err := netip.ParsePrefix(name); err == nil {
		return []netip.Prefix{net.Masked()}
	}
	if a, err := netip.ParseAddr(name); err == nil {
		return []netip.Prefix{whole(a)}
	}
	groups := n.ix.p.Groups
	if i, ok := n.ix.groups[name]; ok {
		return groups[i].networks()
	}
	if at, ok := n.ix.host(name); ok {
		return Join(ofHost(groups[at.group].Hosts[at.host]))
	}
	return nil
}

// Sources are the addresses of all management sources, and the names among them that no
// address is known of.
func (p *Policy) Sources() (networks []netip.Prefix, unknown []string) {
	names := p.Names()
	for _, name := range p.Management {
		found := names.Networks(name)
		if len(found) == 0 {
			unknown = append(unknown, name)
		}
		networks = append(networks, found...)
	}
	return Join(networks), unknown
}

// Verdict is what the rules say of exchanges between two groups over a service, and by which
// rule: Candidate and nil where none fits.
func (p *Policy) Verdict(from, to, service string) (string, *Rule) {
	for i := range p.Rules {
		r := &p.Rules[i]
		if (r.From == from || r.From == AnyGroup) && (r.To == to || r.To == AnyGroup) && r.Service == service {
			return r.Action, r
		}
	}
	return Candidate, nil
}

func (g *Group) networks() []netip.Prefix {
	out := slices.Clone(g.Networks)
	for _, h := range g.Hosts {
		out = append(out, ofHost(h)...)
	}
	return Join(out)
}

func ofHost(h Host) (out []netip.Prefix) {
	for _, a := range h.Addresses {
		if a.IsValid() {
			out = append(out, whole(a))
		}
	}
	return out
}

func whole(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	return netip.PrefixFrom(a, a.BitLen())
}

// Join gives the same addresses in as few networks as can be, sorted.
func Join(networks []netip.Prefix) []netip.Prefix {
	sorted := make([]netip.Prefix, 0, len(networks))
	for _, n := range networks {
		if n.IsValid() {
			sorted = append(sorted, n.Masked())
		}
	}
	slices.SortFunc(sorted, netip.Prefix.Compare)
	var out []netip.Prefix
	for _, n := range sorted {
		if k := len(out); k > 0 && out[k-1].Bits() <= n.Bits() && out[k-1].Contains(n.Addr()) {
			continue
		}
		out = append(out, n)
		for k := len(out); k > 1; k = len(out) {
			both := netip.PrefixFrom(out[k-2].Addr(), out[k-2].Bits()-1).Masked()
			if out[k-2].Bits() == 0 || out[k-2].Bits() != out[k-1].Bits() || both.Addr() != out[k-2].Addr() || !both.Contains(out[k-1].Addr()) {
				break
			}
			out = append(out[:k-2], both)
		}
	}
	return out
}
