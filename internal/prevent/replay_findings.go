package prevent

import (
	"cmp"
	"fmt"
	"slices"

	"waybill/internal/model"
)

// casebook is the findings that a replay follows: those of low or above that nobody suppressed.
type casebook struct {
	findings []*model.Finding
	paths    map[string]*path // by transfer
	asks     map[string]bool  // transfers whose fate matters
	calls    map[string]int   // accesses of findings that would not pass
	shown    map[string]shown // what indicators show, by transfer
}

func newCasebook(r *model.Records) *casebook {
	b := &casebook{asks: map[string]bool{}, calls: map[string]int{}, shown: map[string]shown{}}
	for _, f := range r.Findings {
		if f.Suppressed == nil && f.Severity >= model.Low {
			b.findings = append(b.findings, f)
			for _, id := range f.Transfers {
				b.asks[id] = true
			}
		}
	}
	b.paths = paths(r, b.asks)
	for id := range b.paths {
		b.asks[id] = true
	}
	return b
}

// judge says what becomes of each finding, when all days are decided.
func (x *trial) judge(r *model.Records) {
	done := map[*path]bool{}
	for _, p := range x.book.paths {
		if !done[p] {
			done[p] = true
			p.replay(x.fate)
		}
	}
	for _, f := range x.book.findings {
		x.settle(f)
	}
}

// settle puts a finding into the record of the day of its first transfer that was judged.
func (x *trial) settle(f *model.Finding) {
	moved := x.book.moved(f)
	if len(moved) == 0 {
		return // files that did not go between hosts inside
	}
	fate := model.Fate{Finding: f.ID, Title: f.Title, Severity: f.Severity, CallsBlocked: x.book.calls[f.ID]}
	day := x.total
	for _, t := range moved {
		if r, ok := x.fate[t.ID]; ok {
			day = r.day
			break
		}
	}
	x.outcome(&fate, moved)
	x.spared(&fate, moved, day)
	x.detected(&fate, moved)
	day.record.Fates[fate.Outcome]++
	day.record.Findings = append(day.record.Findings, fate)
}

// moved are the transfers of a finding that brought something to a host inside, in the order of time.
func (b *casebook) moved(f *model.Finding) []*model.Transfer {
	p := &path{}
	for _, id := range f.Transfers {
		of := b.paths[id]
		if of == nil {
			continue
		}
		i := slices.IndexFunc(of.arrivals, func(t *model.Transfer) bool { return t.ID == id })
		if t := of.arrivals[i]; t.Scope == "" || t.Scope == model.ScopeInternal {
			p.arrivals = append(p.arrivals, t)
		}
	}
	p.sort()
	return p.arrivals
}

// outcome is the fate of a finding: it is blocked at the first of its transfers that would
// not pass.
func (x *trial) outcome(fate *model.Fate, moved []*model.Transfer) {
	judged, starved, strict := 0, 0, (*ruled)(nil)
	for _, t := range moved {
		r, ok := x.fate[t.ID]
		switch {
		case !ok || r.Outcome == Unjudged:
			fate.NotJudged++
		case !r.Passes(false):
			x.stop(fate, model.FateBlocked, &r)
			return
		case !r.Passes(true) && strict == nil:
			strict = &r
			judged++
		default:
			judged++
		}
		if !x.book.paths[t.ID].arrived[0][t.ID] {
			starved++
		}
	}
	switch {
	case starved == len(moved):
		fate.Outcome = model.FateNotBegun
	case strict != nil:
		x.stop(fate, model.FateCandidate, strict)
	case judged == 0:
		fate.Outcome = model.FateNotJudged
	default:
		fate.Outcome = model.FatePasses
	}
}

// stop says where a finding ends and by what.
func (x *trial) stop(fate *model.Fate, outcome string, r *ruled) {
	s := sample(r.move)
	fate.Outcome, fate.At, fate.Why = outcome, &s, r.why()
	if r.Rule != nil {
		fate.By = fmt.Sprintf("%s > %s over %s", r.Rule.From, r.Rule.To, r.Rule.Service)
	}
	fate.By, fate.ByRole = cmp.Or(fate.By, "no rule"), r.ByRole
}

// spared counts the hosts that a finding brought a file to, and those of them that it would
// not have come to. Who had the file before is none of them.
func (x *trial) spared(fate *model.Fate, moved []*model.Transfer, day *sheet) {
	hosts := map[string]string{} // to its name as records have it
	reached := [2]map[string]bool{{}, {}}
	detour, unknown := map[string]bool{}, map[string]bool{}
	for _, t := range moved {
		p, to := x.book.paths[t.ID], hostKey(t.Destination)
		if p.roots[to] {
			continue
		}
		hosts[to] = t.Destination.Name()
		for strict := range reached {
			if p.holders[strict][to] {
				reached[strict][to] = true
			}
		}
		if p.detour[to] {
			detour[to] = true
		}
		if p.unknown[to] {
			unknown[to] = true
		}
	}
	for _, host := range sortedKeys(hosts) {
		day.hosts[0][host] = true
		if reached[1][host] {
			day.hosts[2][host] = true
		}
		if reached[0][host] {
			day.hosts[1][host] = true
		} else {
			fate.Spared = append(fate.Spared, hosts[host])
		}
	}
	fate.Hosts, fate.Reached, fate.ReachedStrict = len(hosts), len(reached[0]), len(reached[1])
	fate.AnotherWay, fate.UnknownParents = len(detour), len(unknown)
}
