package prevent

import (
	"cmp"
	"fmt"
	"slices"

	"waybill/internal/model"
)

// maxBadPairs bounds the rules that deny single pairs.
const maxBadPairs = 32

// denials are the rules that deny, of pairs and of roles, each with a positive reason: it happened only in
// findings, or peers do not do it in a window of days.
func (r *ruler) denials(keys []triple, few []Rule) (single, roles []Rule) {
	out := append(r.ofPeers(), few...)
	denied := map[[3]string]bool{}
	for _, x := range out {
		denied[[3]string{x.From, x.To, x.Service}] = true
	}
	for _, k := range keys {
		from, to, service := r.groups[k.from].Name, r.groups[k.to].Name, r.service(k)
		bad := r.badPairs(k)
		if len(bad) == 0 || r.openTo[k] || r.mayManage(k.from) || denied[[3]string{from, to, service}] || denied[[3]string{AnyGroup, to, service}] && !r.leftOpen(k) {
			continue
		}
		if r.onlyBad(k) && r.isRole(k.from) && r.isRole(k.to) && certain(bad) && (slices.Contains(lateral, service) || isPeer(r.groups[k.to].Role)) {
			out = append(out, r.ofFindings(from, to, service, bad))
			continue
		}
		for _, c := range bad {
			if c.good.moves == 0 && c.bad.days() <= severalDays && !r.serves(k, c.pair[1]) {
				single = append(single, r.ofFindings(r.name(c.pair[0]), r.name(c.pair[1]), service, []candidatePair{c}))
			}
		}
	}
	r.undenied = max(0, len(single)-maxBadPairs)
	return single[:len(single)-r.undenied], out
}

// badPairs are the pairs that findings hold moves of.
func (r *ruler) badPairs(k triple) (out []candidatePair) {
	for p, t := range r.triples[k].pairs {
		if t.bad.moves > 0 {
			out = append(out, candidatePair{p, k, t})
		}
	}
	slices.SortFunc(out, r.compare)
	return out
}

func (r *ruler) onlyBad(k triple) bool {
	for _, t := range r.triples[k].pairs {
		if t.good.moves > 0 {
			return false
		}
	}
	return true
}

// serves says whether a host serves others of the role of the client too: then what is wrong
// is not that a host of the role turns to it.
func (r *ruler) serves(k triple, server int32) bool {
	for p, t := range r.triples[k].pairs {
		if p[1] == server && t.good.moves > 0 && r.isRole(k.from) {
			return true
		}
	}
	return false
}

// certain says whether findings are strong enough to deny something to a role, and not to
// the hosts alone.
func certain(bad []candidatePair) bool {
	return slices.ContainsFunc(bad, func(c candidatePair) bool { return c.worst >= model.Medium })
}

// ofFindings denies what happened only in findings.
func (r *ruler) ofFindings(from, to, service string, bad []candidatePair) Rule {
	x := Rule{From: from, To: to, Service: service, Action: Deny, Pairs: len(bad)}
	finding := ""
	for _, c := range bad {
		x.Moves += c.bad.moves
		x.Days = max(x.Days, c.bad.days())
		if finding == "" || c.finding < finding {
			finding = c.finding
		}
	}
	x.Why = fmt.Sprintf("only findings hold it (%s)", finding)
	return x
}

// ofPeers denies what filters between peers are advised for, where nobody but management
// does it, or each that does has a rule above.
func (r *ruler) ofPeers() []Rule {
	var out []Rule
	if !r.window {
		return out
	}
	for to := range r.groups {
		if !isPeer(r.groups[to].Role) {
			continue
		}
		for _, service := range lateral {
			if r.number(service) < 0 && !r.l.packets {
				continue // nothing says that the sensors see it
			}
			out = append(out, r.ofPeer(to, service)...)
		}
	}
	return out
}

// ofPeer denies a service to a group of peers: for all hosts where each group that has it open
// has a rule above, else for the groups that do not have it open.
func (r *ruler) ofPeer(to int, service string) []Rule {
	why := fmt.Sprintf("%s have no %s for others (T1021): in %d days nobody used it there but by a rule above", r.groups[to].Name, service, r.l.days)
	var out []Rule
	bare := false // open, and nothing above says so
	for from := range r.groups {
		k := triple{from, to, r.number(service)}
		switch {
		case r.openTo[k] || r.leftOpen(k):
		case r.mayManage(from):
			bare = true
		default:
			out = append(out, Rule{From: r.groups[from].Name, To: r.groups[to].Name, Service: service, Action: Deny, Why: why})
		}
	}
	if len(out) > 0 && !bare {
		return []Rule{{From: AnyGroup, To: r.groups[to].Name, Service: service, Action: Deny, Why: why}}
	}
	slices.SortFunc(out, func(a, b Rule) int { return cmp.Compare(a.From, b.From) })
	return out
}

// leftOpen says whether what is left of a triple has a rule that leaves it open.
func (r *ruler) leftOpen(k triple) bool {
	return k.service >= 0 && len(r.rest[k]) > 0 && !r.fewOf(fewKey{k.from, k.to, family(r.service(k))}).covers(k.service)
}

// mayManage says whether a role is one whose hosts turn to all others, and some of this are no
// management sources, which pass before any rule.
func (r *ruler) mayManage(group int) bool {
	if len(r.l.o.Management) > 0 || !slices.Contains(managers, r.groups[group].Role) {
		return false
	}
	for host, of := range r.of {
		if of == group && !r.management[r.alias[host]] {
			return true
		}
	}
	return false
}

func (r *ruler) number(service string) int32 {
	if i, ok := r.l.services.at[service]; ok {
		return i
	}
	return -1
}
