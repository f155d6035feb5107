package winfw

import (
	"slices"
	"strings"

	"go4.org/netipx"

	"waybill/internal/prevent"
	"waybill/internal/prevent/plan"
)

// block is what one reason stops: sources, at addresses of the group's hosts, on ports.
type block struct {
	rule     *plan.Rule      // whose reason it is; nil where no rule fits (strict)
	over     *plan.Exception // it holds once this one is over; nil for at once
	services string          // that hold the ports
	ports    []prevent.Ports
	rpc      bool          // the ports of RPC, as Windows knows them
	local    *netipx.IPSet // of the group's hosts; plan.Everywhere for all
	remote   *netipx.IPSet
}

// sources are all addresses that a connection can come from: a source is never multicast, and
// what comes from the host itself is not filtered.
var sources = setOf("1.0.0.0-126.255.255.255", "128.0.0.0-223.255.255.255", "2000::-3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	"fc00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fe80::-febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff")

func setOf(ranges ...string) *netipx.IPSet {
	return built(func(b *netipx.IPSetBuilder) {
		for _, r := range ranges {
			b.AddRange(netipx.MustParseIPRange(r))
		}
	})
}

// built is a set that cannot fail: all that goes into it was read before.
func built(fill func(*netipx.IPSetBuilder)) *netipx.IPSet {
	var b netipx.IPSetBuilder
	fill(&b)
	s, _ := b.IPSet()
	return s
}

func both(a, b *netipx.IPSet) *netipx.IPSet {
	return built(func(s *netipx.IPSetBuilder) { s.AddSet(a); s.Intersect(b) })
}

func without(a, b *netipx.IPSet) *netipx.IPSet {
	return built(func(s *netipx.IPSetBuilder) { s.AddSet(a); s.RemoveSet(b) })
}

func empty(s *netipx.IPSet) bool { return len(s.Ranges()) == 0 }

// blocks are what the hosts of a group stop. A block wins over every rule that allows
// (Windows Firewall's order of precedence), so each is made without what an earlier rule, an
// exception or management lets in.
func blocks(p *plan.Plan, g *plan.Group, strict bool) []block {
	var out []block
	where := places(p, g)
	for _, local := range where {
		for _, s := range shares(p) {
			out = append(out, at(p, g, local, s, strict)...)
		}
	}
	return joined(out, len(where))
}

// joined puts blocks together that differ by place alone; one of all places is everywhere.
func joined(all []block, places int) (out []block) {
	var found []int
	for _, b := range all {
		i := slices.IndexFunc(out, b.same)
		if i < 0 {
			out, found = append(out, b), append(found, 1)
			continue
		}
		found[i]++
		out[i].local = built(func(s *netipx.IPSetBuilder) { s.AddSet(out[i].local); s.AddSet(b.local) })
	}
	for i := range out {
		if found[i] == places {
			out[i].local = plan.Everywhere
		}
	}
	return out
}

func (b *block) same(o block) bool {
	return b.rule == o.rule && b.over == o.over && b.rpc == o.rpc && slices.Equal(b.ports, o.ports) && b.remote.Equal(o.remote)
}

// places parts the addresses of the group's hosts by what rules and exceptions tell apart.
func places(p *plan.Plan, g *plan.Group) []*netipx.IPSet {
	out := []*netipx.IPSet{plan.Everywhere}
	part := func(to plan.End) {
		if to.Group != nil || to.At == plan.Everywhere || !to.In(g) {
			return
		}
		var next []*netipx.IPSet
		for _, place := range out {
			for _, s := range []*netipx.IPSet{both(place, to.At), without(both(place, sources), to.At)} {
				if !empty(s) {
					next = append(next, s)
				}
			}
		}
		out = next
	}
	for _, r := range p.Rules {
		part(r.To)
	}
	for _, x := range p.Exceptions {
		part(x.To)
	}
	return out
}

// share is ports that belong to the same services.
type share struct {
	services []string
	ports    []prevent.Ports
}

// shares parts the ports of all services: a port may be of several.
func shares(p *plan.Plan) (out []share) {
	for _, span := range p.Spans {
		var of []string
		for _, n := range span.Services {
			of = append(of, p.Services[n].Name)
		}
		i := slices.IndexFunc(out, func(s share) bool { return slices.Equal(s.services, of) })
		if i < 0 {
			i = len(out)
			out = append(out, share{services: of})
		}
		out[i].ports = plan.Merge(append(out[i].ports, span.Ports))
	}
	return out
}

// at are the blocks at a place on ports that belong to the same services.
func at(p *plan.Plan, g *plan.Group, local *netipx.IPSet, s share, strict bool) (out []block) {
	left := without(sources, p.Management)
	stop := func(r *plan.Rule, from *netipx.IPSet) {
		now := both(left, from)
		for _, b := range exempt(p, g, local, s, now) {
			b.rule, b.local, b.services = r, local, strings.Join(s.services, " or ")
			out = append(out, b)
		}
	}
	for i := range p.Rules {
		r := &p.Rules[i]
		if !slices.Contains(s.services, r.Service) || !holds(r.To, g, local) {
			continue
		}
		if r.Action == prevent.Deny || r.Action == prevent.Candidate && strict {
			stop(r, r.From.At)
		}
		left = without(left, r.From.At)
	}
	if strict {
		stop(nil, p.Known)
	}
	return out
}

// holds says whether a rule is of a place of the group's.
func holds(to plan.End, g *plan.Group, local *netipx.IPSet) bool {
	return to.Group == g || to.Group == nil && contains(to.At, local)
}

func contains(outer, inner *netipx.IPSet) bool { return empty(without(inner, outer)) }

// exempt parts sources by the exceptions that let them in: those of none are stopped at once,
// the others when the last exception that has them is over.
func exempt(p *plan.Plan, g *plan.Group, local *netipx.IPSet, s share, from *netipx.IPSet) (out []block) {
	for _, x := range lastFirst(p.Exceptions) {
		if !slices.Contains(s.services, x.Service) || !holds(x.To, g, local) {
			continue
		}
		if has := both(from, x.From.At); !empty(has) {
			out = append(out, s.on(block{over: x, remote: has})...)
		}
		from = without(from, x.From.At)
	}
	if !empty(from) {
		out = append(out, s.on(block{remote: from})...)
	}
	return out
}

func lastFirst(exceptions []plan.Exception) (out []*plan.Exception) {
	for i := range exceptions {
		out = append(out, &exceptions[i])
	}
	slices.SortStableFunc(out, func(a, b *plan.Exception) int { return b.End.Compare(a.End) })
	return out
}

// on gives a block its ports: those of RPC as Windows knows them, else numbers.
func (s share) on(b block) (out []block) {
	var numbers []prevent.Ports
	for _, p := range s.ports {
		if slices.Equal(s.services, []string{"rpc"}) && p.Transport == "tcp" {
			b.rpc = true
			continue
		}
		numbers = append(numbers, p)
	}
	if b.rpc {
		out = append(out, b)
	}
	b.rpc = false
	for _, transport := range []string{"tcp", "udp"} {
		b.ports = slices.DeleteFunc(slices.Clone(numbers), func(p prevent.Ports) bool { return p.Transport != transport })
		if len(b.ports) > 0 {
			out = append(out, b)
		}
	}
	return out
}

// elements are the ranges of a set as Windows takes them.
func elements(s *netipx.IPSet) (out []string) {
	for _, r := range s.Ranges() {
		p, ok := r.Prefix()
		switch {
		case r.From() == r.To():
			out = append(out, r.From().String())
		case ok && p.Bits() > 0:
			out = append(out, p.String())
		default:
			out = append(out, r.String())
		}
	}
	return out
}
