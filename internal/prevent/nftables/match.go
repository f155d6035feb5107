package nftables

import (
	"fmt"
	"strings"

	"go4.org/netipx"

	"waybill/internal/prevent"
	"waybill/internal/prevent/plan"
)

// side is what an address is compared with, in each family; empty where it has none of it.
// A nil pointer is any address.
type side struct{ v4, v6 string }

// named is a side that a set of the table holds.
func named(set string, at *netipx.IPSet) *side {
	v4, v6 := families(at)
	s := &side{}
	if len(v4) > 0 {
		s.v4 = "@" + set + "_v4"
	}
	if len(v6) > 0 {
		s.v6 = "@" + set + "_v6"
	}
	return s
}

// of is whom a rule or an exception names; nil is any.
func of(e plan.End) *side {
	if e.Group != nil {
		return named(setOf(e.Group), e.At)
	}
	if e.At == plan.Everywhere {
		return nil
	}
	v4, v6 := families(e.At)
	return &side{braces(v4), braces(v6)}
}

// setOf is the name of a group's sets.
func setOf(g *plan.Group) string { return "g_" + g.Name }

// families are the elements of a set in IPv4 and IPv6.
func families(at *netipx.IPSet) (v4, v6 []string) {
	for _, r := range at.Ranges() {
		if r.From().Is4() {
			v4 = append(v4, element(r))
		} else {
			v6 = append(v6, element(r))
		}
	}
	return v4, v6
}

// element is a range in the shortest form that nft takes.
func element(r netipx.IPRange) string {
	if r.From() == r.To() {
		return r.From().String()
	}
	if p, ok := r.Prefix(); ok {
		return p.String()
	}
	return r.String()
}

func braces(elements []string) string {
	if len(elements) < 2 {
		return strings.Join(elements, "")
	}
	return "{ " + strings.Join(elements, ", ") + " }"
}

// ends are the matches of source and destination, one a family where either is told.
func ends(from, to *side) (out []string) {
	if from == nil && to == nil {
		return []string{""}
	}
	for _, f := range []struct {
		name string
		of   func(*side) string
	}{{"ip", func(s *side) string { return s.v4 }}, {"ip6", func(s *side) string { return s.v6 }}} {
		m, fits := "", true
		for _, end := range []struct {
			name string
			side *side
		}{{"saddr", from}, {"daddr", to}} {
			if end.side == nil {
				continue
			}
			with := f.of(end.side)
			m += f.name + " " + end.name + " " + with + " "
			fits = fits && with != ""
		}
		if fits {
			out = append(out, m)
		}
	}
	return out
}

// dports are the matches of destination ports, one a transport.
func dports(ports []prevent.Ports) (out []string) {
	for _, transport := range []string{"tcp", "udp"} {
		var ranges []string
		for _, p := range ports {
			if p.Transport == transport {
				ranges = append(ranges, span(p))
			}
		}
		if len(ranges) > 0 {
			out = append(out, transport+" dport "+braces(ranges)+" ")
		}
	}
	return out
}

func span(p prevent.Ports) string {
	if p.First == p.Last {
		return fmt.Sprint(p.First)
	}
	return fmt.Sprintf("%d-%d", p.First, p.Last)
}

// matches are all that fit a source, a destination and ports.
func matches(from, to *side, ports []prevent.Ports) (out []string) {
	for _, e := range ends(from, to) {
		for _, p := range dports(ports) {
			out = append(out, e+p)
		}
	}
	return out
}
