package prevent

import (
	"fmt"
	"net/netip"
	"strings"
)

// index finds what words of a policy stand for.
type index struct {
	p         *Policy
	groups    map[string]int
	names     map[string]place // lower case
	bare      map[string]place // names without their domain, where one host has it
	addresses map[netip.Addr]place
}

// place is a host of a policy: the number of its group, and its own in it.
type place struct{ group, host int32 }

var nowhere = place{-1, -1}

func (p *Policy) index() *index {
	ix := &index{p, map[string]int{}, map[string]place{}, map[string]place{}, map[netip.Addr]place{}}
	for i := range p.Groups {
		g := &p.Groups[i]
		if _, twice := ix.groups[g.Name]; !twice {
			ix.groups[g.Name] = i
		}
		for j := range g.Hosts {
			ix.add(&g.Hosts[j], place{int32(i), int32(j)})
		}
	}
	return ix
}

func (ix *index) add(h *Host, at place) {
	name := lower(h.Name)
	if _, twice := ix.names[name]; !twice && name != "" {
		ix.names[name] = at
		if bare, _, full := strings.Cut(name, "."); full {
			if _, twice := ix.bare[bare]; twice {
				at = nowhere
			}
			ix.bare[bare] = at
			at = ix.names[name]
		}
	}
	for _, a := range h.Addresses {
		if _, twice := ix.addresses[a]; !twice {
			ix.addresses[a] = at
		}
	}
}

// lower makes the letters small that names of hosts compare without case by (RFC 4343 2).
func lower(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, name)
}

// host finds a host by name, also without its domain where one has it, or by address.
func (ix *index) host(word string) (place, bool) {
	if at, ok := ix.names[lower(word)]; ok {
		return at, true
	}
	if at, ok := ix.bare[lower(word)]; ok && at != nowhere {
		return at, true
	}
	a, err := netip.ParseAddr(word)
	at, ok := ix.addresses[a.Unmap()]
	return at, ok && err == nil
}

// end checks an end of a rule: a group, a host or any.
func (ix *index) end(word string) error {
	if _, ok := ix.groups[word]; ok || word == AnyGroup {
		return nil
	}
	if _, ok := ix.host(word); ok {
		return nil
	}
	return fmt.Errorf("%q is no group and no host of one: name it under groups", word)
}

// known checks a side of an exception or a management source: also an address or network
// that no group has.
func (ix *index) known(word string) error {
	if _, ok := networkOf(word); ok || ix.end(word) == nil {
		return nil
	}
	return fmt.Errorf("%q is no group, no host of one, no address and no network: name it under groups", word)
}

// networkOf reads a network or an address.
func networkOf(word string) (netip.Prefix, bool) {
	if n, err := netip.ParsePrefix(word); err == nil {
		return n.Masked(), true
	}
	if a, err := netip.ParseAddr(word); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	return netip.Prefix{}, false
}
