package suricata

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"waybill/internal/model"
	"waybill/internal/prevent"
	"waybill/internal/prevent/plan"
)

// kindPolicy is the kind of rules that show what the policy would not let pass.
const kindPolicy = "policy"

// denials are rules for what the policy denies: one for each rule of it that does and the
// ports where it counts, cut where hosts are excepted or addresses are too many for a line.
func denials(p *prevent.Policy, asked *plan.Plan, strict bool) (rules []*rule, notes []string) {
	for _, s := range spans(p) {
		var earlier []area
		for _, x := range asked.Exceptions {
			if s.holds(x.Service) {
				earlier = append(earlier, area{x.From.At.Prefixes(), x.To.At.Prefixes()})
				s.why = append(s.why, fmt.Sprintf("exception: %s to %s until %s (%s: %s); Suricata knows no date, so export again after it",
					x.Exception.From, x.Exception.To, x.Until, x.Owner, x.Reason))
			}
		}
		for _, r := range append(slices.Clone(asked.Rules), rest) {
			if r.Rule != rest.Rule && !s.holds(r.Service) {
				continue
			}
			if r.Action == prevent.Deny || r.Action == prevent.Candidate && strict {
				d := denial{span: s, rule: r, clients: endOf(r.From).less(asked.Management.Prefixes()), servers: endOf(r.To)}
				made, left := d.rules(earlier)
				rules, notes = append(rules, made...), append(notes, left...)
			}
			earlier = append(earlier, area{r.From.At.Prefixes(), r.To.At.Prefixes()})
		}
	}
	return rules, append(notes, asked.Unwritten...)
}

// rest is what no rule of the policy says anything of.
var rest = plan.Rule{
	Rule: &prevent.Rule{From: prevent.AnyGroup, To: prevent.AnyGroup, Action: prevent.Candidate, Why: "never happened while the policy was learned"},
	From: plan.End{At: plan.Everywhere}, To: plan.End{At: plan.Everywhere},
}

// span is ports that the same services hold, so that the same rules count.
type span struct {
	services []string
	ports    []prevent.Ports
	why      []string
}

func (s *span) holds(service string) bool { return slices.Contains(s.services, service) }

func (s *span) name() string { return strings.Join(s.services, " and ") }

// spans are the ports of the policy, put together where the same services hold them.
func spans(p *prevent.Policy) (out []*span) {
	at := map[string]*span{}
	for _, x := range p.Spans() {
		id := fmt.Sprint(x.Services)
		if at[id] == nil {
			at[id] = &span{}
			for _, n := range x.Services {
				at[id].services = append(at[id].services, p.Services[n].Name)
			}
			out = append(out, at[id])
		}
		at[id].ports = append(at[id].ports, x.Ports)
	}
	for _, s := range out {
		s.ports = plan.Merge(s.ports)
	}
	return out
}

func endOf(e plan.End) set {
	if e.At.Equal(plan.Everywhere) {
		return set{home: true}
	}
	return set{at: e.At.Prefixes()}
}

// area is clients and servers that an earlier rule or an exception decides of.
type area struct{ clients, servers []netip.Prefix }

// cell is clients and the servers that they may not reach.
type cell struct{ clients, servers set }

// outside is what of a cell lies in no area.
func (c cell) outside(areas []area) []cell {
	out := filled(c)
	for _, a := range areas {
		var cut []cell
		for _, c := range out {
			if c.clients.both(a.clients).empty() || c.servers.both(a.servers).empty() {
				cut = append(cut, c)
				continue
			}
			cut = append(cut, cell{c.clients.less(a.clients), c.servers}, cell{c.clients.both(a.clients), c.servers.less(a.servers)})
		}
		out = filled(cut...)
	}
	return out
}

func filled(cells ...cell) []cell {
	return slices.DeleteFunc(cells, func(c cell) bool { return c.clients.empty() || c.servers.empty() })
}

// denial is a rule of the policy that denies, where it counts.
type denial struct {
	span             *span
	rule             plan.Rule
	clients, servers set
}

// maxPieces bounds the rules that one denial is cut into.
const maxPieces = 64

// rules are those of a denial, and what could not be written.
func (d *denial) rules(earlier []area) (rules []*rule, notes []string) {
	for _, c := range (cell{d.clients, d.servers}).outside(earlier) {
		clients, servers := c.clients.pieces(), c.servers.pieces()
		if len(clients) == 0 || len(servers) == 0 {
			notes = append(notes, fmt.Sprintf("%s: the hosts that other rules decide of are too many to exclude in a rule", d.says()))
			continue
		}
		if len(clients)*len(servers) > maxPieces {
			notes = append(notes, fmt.Sprintf("%s: its hosts have too many addresses apart for rules: give their groups networks", d.says()))
			continue
		}
		for _, from := range clients {
			for _, to := range servers {
				for _, transport := range []string{"tcp", "udp"} {
					if r := d.shown(transport, from, to, len(rules)); r != nil {
						rules = append(rules, r)
					}
				}
			}
		}
	}
	return rules, notes
}

func (d *denial) says() string {
	return fmt.Sprintf("%s %s -> %s, %s", d.rule.Action, d.rule.Rule.From, d.rule.Rule.To, d.span.name())
}

// shown is one rule; n tells those of one denial apart.
func (d *denial) shown(transport string, from, to set, n int) *rule {
	ports := slices.DeleteFunc(slices.Clone(d.span.ports), func(p prevent.Ports) bool { return p.Transport != transport })
	if len(ports) == 0 {
		return nil
	}
	key := keyOf("deny", d.span.name(), d.rule.Service, d.rule.Rule.From, d.rule.Rule.To)
	if n > 0 {
		key += fmt.Sprintf("-%d", n+1)
	}
	state := "to_server"
	if transport == "tcp" {
		state = "established,to_server"
	}
	bit := "waybill." + key
	return &rule{
		key: key, kind: kindPolicy, severity: model.Low,
		why: append([]string{d.says() + ": " + d.rule.Why}, d.span.why...),
		msg: fmt.Sprintf("policy denies %s from %s to %s", d.span.name(), d.rule.Rule.From, d.rule.Rule.To),
		// A bit of the flow lets each connection alert once.
		proto: transport, from: from.String(), to: to.String(), ports: portList(ports),
		options: []string{"flow:" + state + ";", "flowbits:isnotset," + bit + ";", "flowbits:set," + bit + ";"},
		sees: func(s *sight) bool {
			return s.between(from, to) && s.transport() == transport && reaches(ports, s.server.Port) && s.flow.once(key)
		},
	}
}

func portList(ports []prevent.Ports) string {
	var parts []string
	for _, p := range ports {
		if p.First == p.Last {
			parts = append(parts, fmt.Sprint(p.First))
		} else {
			parts = append(parts, fmt.Sprintf("%d:%d", p.First, p.Last))
		}
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return "[" + strings.Join(parts, ",") + "]"
}

func reaches(ports []prevent.Ports, port uint16) bool {
	return slices.ContainsFunc(ports, func(p prevent.Ports) bool { return p.First <= port && port <= p.Last })
}
