package plan

import (
	"fmt"
	"net/netip"
	"strings"

	"go4.org/netipx"

	"waybill/internal/prevent"
)

// groups gives each group the addresses that none before it has: a host is of the first
// group that names it.
func (b *builder) groups() error {
	var taken netipx.IPSetBuilder
	ids := map[string]bool{}
	for i := range b.policy.Groups {
		g := &Group{Group: &b.policy.Groups[i]}
		at, err := b.addresses(g.Group, taken.Clone())
		if err != nil {
			return fmt.Errorf("group %q: %w", g.Name, err)
		}
		g.At, g.ID = at, identifier(g.Name, ids)
		taken.AddSet(at)
		b.plan.Groups = append(b.plan.Groups, g)
	}
	known, err := taken.IPSet()
	b.plan.Known = known
	return err
}

// addresses are those of a group, without those that are taken.
func (b *builder) addresses(g *prevent.Group, taken *netipx.IPSetBuilder) (*netipx.IPSet, error) {
	var unknown []string
	for _, h := range g.Hosts {
		if len(h.Addresses) == 0 {
			unknown = append(unknown, h.Name)
		}
	}
	if len(unknown) > 0 {
		b.unwritten("group %s: no address is known of %s: packets do not tell them", g.Name, some(unknown))
	}
	before, err := taken.IPSet()
	if err != nil {
		return nil, err
	}
	own := builderOf(b.policy.Networks(g.Name))
	own.RemoveSet(before)
	return own.IPSet()
}

func builderOf(networks []netip.Prefix) *netipx.IPSetBuilder {
	var b netipx.IPSetBuilder
	for _, n := range networks {
		b.AddPrefix(n)
	}
	return &b
}

// some are the first names of many.
func some(names []string) string {
	if len(names) > 8 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:8], ", "), len(names)-8)
	}
	return strings.Join(names, ", ")
}

// group is the group of that name, nil for any.
func (b *builder) group(name string) (*Group, error) {
	if name == prevent.AnyGroup {
		return nil, nil
	}
	for _, g := range b.plan.Groups {
		if g.Name == name {
			return g, nil
		}
	}
	return nil, fmt.Errorf("there is no group %q", name)
}

// resolve gives the addresses that a group, host, address or network stands for.
func (b *builder) resolve(who string) (*netipx.IPSet, error) {
	if who == prevent.AnyGroup {
		return Everywhere, nil
	}
	networks := b.policy.Networks(who)
	if len(networks) == 0 {
		return nil, fmt.Errorf("no address of %q is known, and packets do not show names: give its addresses", who)
	}
	return builderOf(networks).IPSet()
}

// identifier is a name as filters and file names take it, as it is not in taken.
func identifier(name string, taken map[string]bool) string {
	id := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			return r
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '_'
	}, name[:min(len(name), maxID)])
	base := id
	for n := 2; taken[id]; n++ {
		id = fmt.Sprintf("%s_%d", base, n)
	}
	taken[id] = true
	return id
}

// maxID keeps names of sets under the 31 bytes that old kernels take (linux, NFT_SET_MAXNAMELEN before 4.14).
const maxID = 20
