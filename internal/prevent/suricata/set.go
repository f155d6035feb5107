package suricata

import (
	"net/netip"
	"slices"
	"strings"

	"go4.org/netipx"
)

// set is addresses as a rule names them: those of at, or $HOME_NET without those of not, or all.
type set struct {
	all, home bool
	at, not   []netip.Prefix
}

func (s set) empty() bool { return !s.all && !s.home && len(s.at) == 0 }

func (s set) String() string {
	if s.all {
		return "any"
	}
	var parts []string
	if s.home {
		parts = append(parts, "$HOME_NET")
	}
	for _, n := range s.at {
		parts = append(parts, network(n))
	}
	for _, n := range s.not {
		parts = append(parts, "!"+network(n))
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return "[" + strings.Join(parts, ",") + "]"
}

func network(n netip.Prefix) string {
	if n.IsSingleIP() {
		return n.Addr().String()
	}
	return n.String()
}

// holds says whether an address belongs to the set, with what HOME_NET stands for.
func (s set) holds(a netip.Addr, home []netip.Prefix) bool {
	return s.all || within(a, s.at) || s.home && within(a, home) && !within(a, s.not)
}

func within(a netip.Addr, networks []netip.Prefix) bool {
	for _, n := range networks {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// less takes networks out. What lies in at is cut exactly; nobody knows here what HOME_NET holds.
func (s set) less(networks []netip.Prefix) set {
	out := set{home: s.home, at: difference(s.at, networks)}
	if s.home {
		out.not = sum(s.not, networks)
	}
	if everything(out.not) { // Suricata refuses to exclude all
		return set{at: out.at}
	}
	return out
}

func everything(networks []netip.Prefix) bool {
	return slices.ContainsFunc(networks, func(n netip.Prefix) bool { return n.Bits() == 0 })
}

// both is what of the set lies in networks.
func (s set) both(networks []netip.Prefix) set {
	if everything(networks) {
		return s
	}
	at := difference(networks, difference(networks, s.at))
	if s.home {
		at = sum(at, difference(networks, s.not))
	}
	return set{at: at}
}

func difference(a, b []netip.Prefix) []netip.Prefix {
	var out netipx.IPSetBuilder
	for _, n := range a {
		out.AddPrefix(n)
	}
	for _, n := range b {
		out.RemovePrefix(n)
	}
	return prefixes(&out)
}

func sum(a, b []netip.Prefix) []netip.Prefix {
	var out netipx.IPSetBuilder
	for _, n := range a {
		out.AddPrefix(n)
	}
	for _, n := range b {
		out.AddPrefix(n)
	}
	return prefixes(&out)
}

func prefixes(b *netipx.IPSetBuilder) []netip.Prefix {
	at, err := b.IPSet()
	if err != nil { // only of prefixes that are none
		return nil
	}
	return at.Prefixes()
}

// longest is how many bytes the addresses of one end may take: a rule is read as a line of
// 8,192 bytes (DETECT_MAX_RULE_SIZE), longer ones are cut.
const longest = 2800

// pieces cuts a set into sets that are each short enough for a rule. $HOME_NET without more
// networks than fit cannot be said in one rule: it gives none.
func (s set) pieces() []set {
	if len(s.String()) <= longest {
		return []set{s}
	}
	if s.home {
		return nil
	}
	half := len(s.at) / 2
	return append(set{at: s.at[:half]}.pieces(), set{at: s.at[half:]}.pieces()...)
}
