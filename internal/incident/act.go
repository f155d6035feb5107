package incident

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"waybill/internal/model"
)

// part is what a host did in an incident.
type part struct {
	name, role string
	passedOn   model.Time // when it sent something of it last, as the one that acted
	passed     int
	received   model.Time // first
	had        model.Time // when it received what it passed on, or what came before it acted
	ran        model.Time // last
	runs       int
	gave       model.Time // when others last fetched something from it
	file       string     // that it passed on last, else that it received or gave first
	program    string     // that ran last
	outside    bool
	deleted    bool
}

// actFirst gives the hosts in the order in which to act: those that passed something on,
// the latest first, since they may still do; those where something was started; those
// that hold something. Hosts outside are nobody's to act on.
func (c *chain) actFirst() []model.Target {
	parts := c.parts()
	slices.SortFunc(parts, func(a, b *part) int {
		return cmp.Or(cmp.Compare(a.order(), b.order()), cmp.Compare(b.last(), a.last()), cmp.Compare(a.name, b.name))
	})
	var out []model.Target
	for _, p := range parts {
		if why := p.why(c.members[0].start); why != "" && !p.outside {
			out = append(out, model.Target{Host: p.name, Role: p.role, Why: why})
		}
	}
	return out
}

// parts says what each host did.
func (c *chain) parts() []*part {
	byHost := map[string]*part{}
	of := func(e model.Endpoint, outside bool) *part {
		p := byHost[hostKey(e)]
		if p == nil {
			p = &part{name: name(e), outside: outside}
			byHost[hostKey(e)] = p
		}
		p.role = cmp.Or(p.role, e.Role)
		p.outside = p.outside && outside
		return p
	}
	for i := range c.moves {
		m := &c.moves[i]
		if !landed(m.Transfer) {
			continue
		}
		inbound, outbound := m.Scope == model.ScopeInbound, m.Scope == model.ScopeOutbound
		of(m.Source, inbound || m.Scope == model.ScopeExternal).sent(m)
		of(m.Destination, outbound || m.Scope == model.ScopeExternal).got(m)
		if m.Operation == model.Copy && m.Client != nil {
			of(*m.Client, false).ordered(m)
		}
	}
	delete(byHost, "")
	out := make([]*part, 0, len(byHost))
	for _, p := range byHost {
		out = append(out, p)
	}
	return out
}

func (p *part) sent(m *move) {
	if m.Initiator == model.ByDestination {
		p.gave, p.file = begin(m.Transfer), cmp.Or(p.file, fileName(m.Transfer))
		return
	}
	if m.Initiator == model.BySource {
		p.ordered(m)
	}
}

func (p *part) ordered(m *move) {
	p.passedOn, p.file = begin(m.Transfer), fileName(m.Transfer)
	p.passed++
	switch {
	case m.had != nil:
		p.had = cmp.Or(p.had, begin(m.had.Transfer))
	case p.received < p.passedOn:
		p.had = cmp.Or(p.had, p.received)
	}
}

func (p *part) got(m *move) {
	p.received = cmp.Or(p.received, m.End, m.Start)
	p.file = cmp.Or(p.file, fileName(m.Transfer))
	p.deleted = m.Deleted != nil
	for _, x := range m.Executed {
		if p.runs++; x.Time > p.ran {
			p.ran, p.program = x.Time, fileName(m.Transfer)
		}
	}
}

// order is in which group of hosts to act on a host belongs.
func (p *part) order() int {
	switch {
	case p.passed > 0:
		return 0
	case p.runs > 0:
		return 1
	}
	return 2
}

func (p *part) last() model.Time {
	switch p.order() {
	case 0:
		return p.passedOn
	case 1:
		return p.ran
	}
	return max(p.gave, p.received)
}

// why says in one line what makes a host one to act on.
func (p *part) why(start model.Time) string {
	switch {
	case p.passed == 1 && p.had != 0:
		return fmt.Sprintf("relay: received %s, then passed on %s %s", clock(p.had, start), p.file, clock(p.passedOn, start))
	case p.passed == 1:
		return fmt.Sprintf("sent %s %s", p.file, clock(p.passedOn, start))
	case p.passed > 0 && p.had != 0:
		return fmt.Sprintf("relay: received %s, then passed files on %s, last %s %s", clock(p.had, start), count(p.passed, "time"), p.file, clock(p.passedOn, start))
	case p.passed > 0:
		return fmt.Sprintf("sent files %s, last %s %s", count(p.passed, "time"), p.file, clock(p.passedOn, start))
	case p.runs > 0:
		return fmt.Sprintf("ran %s, started %s", p.program, clock(p.ran, start))
	case p.gave != 0 && p.received != 0:
		return fmt.Sprintf("holder: received %s, and others fetched from it, last %s", p.file, clock(p.gave, start))
	case p.gave != 0:
		return fmt.Sprintf("holder: %s was fetched from it, last %s", p.file, clock(p.gave, start))
	case p.received != 0 && p.deleted:
		return fmt.Sprintf("received %s %s, deleted since", p.file, clock(p.received, start))
	case p.received != 0:
		return fmt.Sprintf("holder: received %s %s", p.file, clock(p.received, start))
	}
	return ""
}

// earliest is the host that any input shows first with a file of the incident's findings
// of worth: a lead to the origin. A file that was somewhere long before belongs to
// another story. A host that got it from another one had it after that one, whatever the
// clocks of their sensors say.
func (c *chain) earliest() string {
	host, best, given := "", model.Sighting{}, c.given()
	for _, a := range c.artifacts {
		for _, s := range a.Sightings {
			n := model.Endpoint{Host: s.Host, IP: s.IP}.Name()
			at, got := given[strings.ToLower(n)]
			if n == "" || got && at-clockError <= s.Time || s.Time < c.members[0].start-artifactGap {
				continue
			}
			if host == "" || earlier(s, best) < 0 {
				host, best = n, s
			}
		}
	}
	for i := range c.moves {
		if m := &c.moves[i]; host == "" && landed(m.Transfer) {
			host = m.Source.Name()
		}
	}
	return host
}

// given is when each host was first given a file of the incident by another one that is known.
func (c *chain) given() map[string]model.Time {
	out := map[string]model.Time{}
	for i := range c.moves { // in the order of time
		m := &c.moves[i]
		from, to := hostKey(m.Source), hostKey(m.Destination)
		if _, known := out[to]; !known && from != "" && from != to && landed(m.Transfer) {
			out[to] = begin(m.Transfer)
		}
	}
	return out
}

// earlier orders sightings; who sent a file had it before who received it.
func earlier(a, b model.Sighting) int {
	return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(b.How, a.How), cmp.Compare(a.Host, b.Host), bytes.Compare(a.IP[:], b.IP[:]))
}
