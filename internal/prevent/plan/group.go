package plan

import (
	"fmt"
	"net/netip"
	"strings"

	"go4.org/netipx"

	"waybill/internal/prevent"
)

// groups gives the groups their addresses; a policy that checks has each in one group.
func (b *builder) groups() (err error) {
	var known netipx.IPSetBuilder
	for i := range b.policy.Groups {
		g := &Group{Group: &b.policy.Groups[i]}
		b.silent(g.Group)
		if g.At, err = builderOf(b.names.Networks(g.Name)).IPSet(); err != nil {
			return fmt.Errorf("group %s: %w", g.Name, err)
		}
		known.AddSet(g.At)
		b.plan.Groups = append(b.plan.Groups, g)
	}
	b.plan.Known, err = known.IPSet()
	return err
}

// silent notes the hosts of a group that no address is known of.
func (b *builder) silent(g *prevent.Group) {
	var names []string
	for _, h := range g.Hosts {
		if len(h.Addresses) == 0 {
			names = append(names, h.Name)
		}
	}
	if len(names) > 0 {
		b.unwritten("group %s: no address is known of %s", g.Name, some(names))
	}
}

// some are the first names of many.
func some(names []string) string {
	if len(names) > 8 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:8], ", "), len(names)-8)
	}
	return strings.Join(names, ", ")
}

func builderOf(networks []netip.Prefix) *netipx.IPSetBuilder {
	var b netipx.IPSetBuilder
	for _, n := range networks {
		b.AddPrefix(n)
	}
	return &b
}

// end is whom a rule names: any, a group, a host, an address or a network.
func (b *builder) end(word string) (e End, err error) {
	for _, g := range b.plan.Groups {
		if g.Name == word {
			return End{g, g.At}, nil
		}
	}
	if word == prevent.AnyGroup {
		return End{At: Everywhere}, nil
	}
	e.At, err = builderOf(b.names.Networks(word)).IPSet()
	return e, err
}

// addressed is an end that has to have addresses.
func (b *builder) addressed(word string) (End, error) {
	e, err := b.end(word)
	if err == nil && len(e.At.Ranges()) == 0 {
		err = fmt.Errorf("no address of %s is known, and packets do not show names: give its addresses", word)
	}
	return e, err
}
