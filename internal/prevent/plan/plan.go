// Package plan says a policy as packet filters can ask it. In comes a policy; out come its
// management sources, groups, exceptions and rules as sets of addresses and ranges of ports, in
// the order in which a filter asks, and what the policy says that packets do not show. It never
// writes a filter, looks a name up, or leaves out in silence what it cannot say.
package plan

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"go4.org/netipx"

	"waybill/internal/prevent"
)

// Plan is a policy in addresses and ports.
type Plan struct {
	Management *netipx.IPSet
	Groups     []*Group
	Known      *netipx.IPSet // of all groups
	Exceptions []Exception
	Rules      []Rule // first those of services that lie inside another's ports; else as in the policy
	Services   []Service
	Ports      []prevent.Ports // of all services, rules and exceptions, merged
	// Unwritten is what packets do not show, a line each.
	Unwritten []string
}

// Service is a service with its ports, merged.
type Service struct {
	Name  string
	Ports []prevent.Ports
}

// Group is a group with its addresses, which no other has.
type Group struct {
	*prevent.Group
	ID string // the name in letters, digits and "_", as no other group has it
	At *netipx.IPSet
}

// Rule is a rule of the policy; From and To are nil for all hosts.
type Rule struct {
	*prevent.Rule
	Number   int // in the policy, from 1
	From, To *Group
	Ports    []prevent.Ports
}

// Exception is an exception of the policy.
type Exception struct {
	*prevent.Exception
	Number   int // in the policy, from 1
	From, To *netipx.IPSet
	Ports    []prevent.Ports
	End      time.Time // the day after the last, in the time of wherever the filter is
}

// Everywhere is all addresses.
var Everywhere = func() *netipx.IPSet {
	var all netipx.IPSetBuilder
	all.Complement()
	at, _ := all.IPSet()
	return at
}()

// Of makes the plan of a policy. It refuses one without management sources.
func Of(p *prevent.Policy) (*Plan, error) {
	b := &builder{policy: p, plan: &Plan{}}
	for _, step := range []func() error{b.services, b.groups, b.management, b.exceptions, b.rules} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return b.plan, nil
}

type builder struct {
	policy *prevent.Policy
	plan   *Plan
}

func (b *builder) unwritten(format string, a ...any) {
	b.plan.Unwritten = append(b.plan.Unwritten, fmt.Sprintf(format, a...))
}

// management is the guard: who may always come in.
func (b *builder) management() error {
	for _, m := range b.policy.Management {
		if n, err := netip.ParsePrefix(m); m == prevent.AnyGroup || err == nil && n.Bits() == 0 {
			return fmt.Errorf("management: %q lets everybody in: no filter is left", m)
		}
	}
	networks, unknown := b.policy.Sources()
	if len(unknown) > 0 {
		return fmt.Errorf("management: no address of %q is known, and packets do not show names: give its addresses", unknown[0])
	}
	if len(networks) == 0 {
		return fmt.Errorf("management: no sources: a filter without them can lock you out; give networks, addresses or hosts")
	}
	at, err := builderOf(networks).IPSet()
	b.plan.Management = at
	return err
}

func (b *builder) exceptions() error {
	for i := range b.policy.Exceptions {
		x := &b.policy.Exceptions[i]
		e := Exception{Exception: x, Number: i + 1}
		if err := b.exception(&e); err != nil {
			return fmt.Errorf("exception %d: %w", i+1, err)
		}
		b.plan.Exceptions = append(b.plan.Exceptions, e)
		b.plan.Ports = Merge(append(b.plan.Ports, e.Ports...))
	}
	return nil
}

func (b *builder) exception(e *Exception) (err error) {
	last, err := time.Parse(time.DateOnly, e.Until)
	if err != nil {
		return fmt.Errorf("until %q: give the last day, as 2027-01-31", e.Until)
	}
	e.End = last.AddDate(0, 0, 1)
	if e.From, err = b.resolve(e.Exception.From); err != nil {
		return err
	}
	if e.To, err = b.resolve(e.Exception.To); err != nil {
		return err
	}
	e.Ports, err = b.ports(e.Service)
	return err
}

func (b *builder) rules() error {
	for i := range b.policy.Rules {
		r := Rule{Rule: &b.policy.Rules[i], Number: i + 1}
		if err := b.rule(&r); err != nil {
			return fmt.Errorf("rule %d: %w", i+1, err)
		}
		if empty := firstEmpty(r.From, r.To); empty != "" {
			b.unwritten("rule %d (%s): no address of %s is known", r.Number, r.Says(), empty)
			continue
		}
		b.plan.Rules = append(b.plan.Rules, r)
		b.plan.Ports = Merge(append(b.plan.Ports, r.Ports...))
	}
	// A move has one service, a port may be of two: tcp/50000 and the dynamic ports of RPC.
	slices.SortStableFunc(b.plan.Rules, func(a, b Rule) int { return cmp.Compare(width(a.Ports), width(b.Ports)) })
	return nil
}

func (b *builder) rule(r *Rule) (err error) {
	if r.From, err = b.group(r.Rule.From); err != nil {
		return err
	}
	if r.To, err = b.group(r.Rule.To); err != nil {
		return err
	}
	if !slices.Contains([]string{prevent.Allow, prevent.Deny, prevent.Candidate}, r.Action) {
		return fmt.Errorf("action %q: give allow, deny or candidate", r.Action)
	}
	r.Ports, err = b.ports(r.Service)
	return err
}

// Says is the rule in a few words.
func (r *Rule) Says() string {
	return fmt.Sprintf("%s %s -> %s, %s", r.Action, r.Rule.From, r.Rule.To, r.Service)
}

func firstEmpty(groups ...*Group) string {
	for _, g := range groups {
		if g != nil && len(g.At.Prefixes()) == 0 {
			return g.Name
		}
	}
	return ""
}
