// Package plan says a policy as packet filters can ask it. In comes a policy; out come its
// management sources, groups, exceptions and rules as sets of addresses and ranges of ports, in
// the order in which a filter asks, and what the policy says that packets do not show. It never
// writes a filter, looks a name up, or leaves out in silence what it cannot say.
package plan

import (
	"cmp"
	"fmt"
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
	Ports      []prevent.Ports // of all services, merged
	Spans      []prevent.Span
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
	At *netipx.IPSet
}

// Rule is a rule of the policy.
type Rule struct {
	*prevent.Rule
	Number   int // in the policy, from 1
	From, To End
	Ports    []prevent.Ports
}

// End is whom a rule names: a group, a host (no Group), or all (Everywhere).
type End struct {
	Group *Group
	At    *netipx.IPSet
}

// Exception is an exception of the policy.
type Exception struct {
	*prevent.Exception
	Number   int // in the policy, from 1
	From, To End
	Ports    []prevent.Ports
	End      time.Time // the day after the last, in the time of wherever the filter is
}

// In says whether an end is, at least in part, of a group; no two groups share an address.
func (e End) In(g *Group) bool {
	if e.Group != nil {
		return e.Group == g
	}
	return e.At.Overlaps(g.At)
}

// Everywhere is all addresses.
var Everywhere = func() *netipx.IPSet {
	var all netipx.IPSetBuilder
	all.Complement()
	at, _ := all.IPSet()
	return at
}()

// Of makes the plan of a policy. It refuses one that is wrong, and one without management sources.
func Of(p *prevent.Policy) (*Plan, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	b := &builder{policy: p, names: p.Names(), plan: &Plan{Spans: p.Spans()}}
	if p.Learned != nil && p.Learned.Management == prevent.Proposed {
		b.unwritten("whether the management sources are right: they are proposed, look at them first")
	}
	for _, step := range []func() error{b.services, b.groups, b.management, b.exceptions, b.rules} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return b.plan, nil
}

type builder struct {
	names  prevent.Names
	policy *prevent.Policy
	plan   *Plan
}

func (b *builder) unwritten(format string, a ...any) {
	b.plan.Unwritten = append(b.plan.Unwritten, fmt.Sprintf(format, a...))
}

// management is the guard: who may always come in. One that no packet tells is none.
func (b *builder) management() (err error) {
	networks, unknown := b.policy.Sources()
	if len(unknown) > 0 {
		return fmt.Errorf("management: no address of %s is known, and packets do not show names: give its addresses", unknown[0])
	}
	b.plan.Management, err = builderOf(networks).IPSet()
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
	}
	return nil
}

func (b *builder) exception(e *Exception) (err error) {
	last, err := time.Parse(time.DateOnly, e.Until)
	if err != nil {
		return err
	}
	e.End = last.AddDate(0, 0, 1)
	if e.From, err = b.addressed(e.Exception.From); err != nil {
		return err
	}
	if e.To, err = b.addressed(e.Exception.To); err != nil {
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
		if who := unaddressed(&r); who != "" {
			b.unwritten("rule %d (%s): no address of %s is known", r.Number, r.Says(), who)
			continue
		}
		b.plan.Rules = append(b.plan.Rules, r)
	}
	// A move has one service, a port may be of two: tcp/50000 and the dynamic ports of RPC.
	slices.SortStableFunc(b.plan.Rules, func(a, b Rule) int { return cmp.Compare(width(a.Ports), width(b.Ports)) })
	return nil
}

func (b *builder) rule(r *Rule) (err error) {
	if r.From, err = b.end(r.Rule.From); err != nil {
		return err
	}
	if r.To, err = b.end(r.Rule.To); err != nil {
		return err
	}
	r.Ports, err = b.ports(r.Service)
	return err
}

// Says is the rule in a few words.
func (r *Rule) Says() string {
	return fmt.Sprintf("%s %s -> %s, %s", r.Action, r.Rule.From, r.Rule.To, r.Service)
}

func unaddressed(r *Rule) string {
	switch {
	case len(r.From.At.Ranges()) == 0:
		return r.Rule.From
	case len(r.To.At.Ranges()) == 0:
		return r.Rule.To
	}
	return ""
}
