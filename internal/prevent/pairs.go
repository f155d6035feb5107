package prevent

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// enough says whether a pair did so often enough to be allowed by itself: what intruders
// go over has to have happened on several days, where there are several.
func (r *ruler) enough(k triple, t *tally) bool {
	return !r.window || t.needed || t.good.days() >= severalDays || !r.sensitive(k)
}

// sensitive says whether a triple is one that intruders take: administration of any host,
// and shares of peers.
func (r *ruler) sensitive(k triple) bool {
	service := r.service(k)
	return slices.Contains(lateral, service) && (service != "smb" || isPeer(r.groups[k.to].Role))
}

// pairRules are the rules of single pairs, at most as many as are wanted: those on the
// most days first.
func (r *ruler) pairRules() []Rule {
	slices.SortFunc(r.single, func(a, b candidatePair) int {
		return cmp.Or(cmp.Compare(b.good.days(), a.good.days()), cmp.Compare(b.good.moves, a.good.moves), r.compare(a, b))
	})
	n := min(len(r.single), r.l.o.PairRules)
	for _, c := range r.single[n:] {
		r.rest[c.of] = append(r.rest[c.of], c)
	}
	chosen := r.single[:n]
	slices.SortFunc(chosen, r.compare)
	var out []Rule
	for _, c := range chosen {
		x := Rule{From: r.name(c.pair[0]), To: r.name(c.pair[1]), Service: r.service(c.of), Action: Allow, Why: "these two hosts only", Pairs: 1, Days: c.good.days()}
		fill(&x, r.l.channels.list, map[int]*tally{0: c.tally})
		if c.bad.moves > 0 {
			x.Why += letsPass(c.bad.moves)
		}
		out = append(out, x)
	}
	return out
}

func (r *ruler) compare(a, b candidatePair) int {
	return cmp.Or(cmp.Compare(a.of.from, b.of.from), cmp.Compare(a.of.to, b.of.to), cmp.Compare(r.service(a.of), r.service(b.of)),
		cmp.Compare(r.name(a.pair[0]), r.name(b.pair[0])), cmp.Compare(r.name(a.pair[1]), r.name(b.pair[1])))
}

// restRules say what was seen and has no rule: it is neither allowed nor denied.
func (r *ruler) restRules(keys []triple) []Rule {
	var out []Rule
	for _, k := range keys {
		rest := r.rest[k]
		if len(rest) == 0 || r.fewOf(fewKey{k.from, k.to, family(r.service(k))}).covers(k.service) {
			continue
		}
		slices.SortFunc(rest, r.compare)
		x := Rule{From: r.groups[k.from].Name, To: r.groups[k.to].Name, Service: r.service(k), Action: Candidate, Pairs: len(rest)}
		pairs := map[int]*tally{}
		rare := 0
		for i, c := range rest {
			pairs[i] = c.tally
			if !r.enough(k, c.tally) {
				rare++
			}
		}
		fill(&x, r.l.channels.list, pairs)
		x.Days = daysOf(pairs)
		x.Why = r.whyRest(rest, rare)
		out = append(out, x)
	}
	return out
}

// shownPairs is how many pairs a reason names.
const shownPairs = 3

func (r *ruler) whyRest(rest []candidatePair, rare int) string {
	var why []string
	if rare > 0 {
		why = append(why, fmt.Sprintf("%s on one day only, too few to allow", pairsWord(rare)))
	}
	if n := len(rest) - rare; n > 0 {
		why = append(why, fmt.Sprintf("%s past the %d that have rules of their own", pairsWord(n), r.l.o.PairRules))
	}
	var shown []string
	for _, c := range rest[:min(len(rest), shownPairs)] {
		shown = append(shown, r.name(c.pair[0])+" > "+r.name(c.pair[1]))
	}
	return strings.Join(why, "; ") + ": " + strings.Join(shown, ", ") + more(len(rest)-len(shown))
}

// letsPass warns of a rule.
func letsPass(bad int) string {
	if bad == 1 {
		return "; it lets pass 1 move that a finding holds"
	}
	return fmt.Sprintf("; it lets pass %d moves that findings hold", bad)
}

func pairsWord(n int) string {
	if n == 1 {
		return "1 pair"
	}
	return fmt.Sprintf("%d pairs", n)
}

func more(n int) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprintf(" and %d more", n)
}
