package eval

import (
	"context"
	"math"
	"slices"

	"waybill/internal/judge"
	"waybill/internal/model"
)

// Weights is what reasons turned out to be worth. All is counted in clusters, as the judge
// scores them: the transfers of one content by one host, less than an hour apart. Those of
// which nothing speaks for or against them count as well.
type Weights struct {
	All      Tally
	Reasons  map[Weighed]Tally
	Families map[string]Tally
	Pairs    map[[2]string]Tally // of families, in the order of their names
	Bins     [6]ScoreBin
	from     model.Time // clusters that began before are only learned from
}

// Tally counts clusters.
type Tally struct{ Hostile, Everyday int }

// Weighed is an analytic with the weight that it gave.
type Weighed struct {
	Family, Analytic string
	Nats             float64 // rounded to whole ones
}

// ScoreBin is the clusters of a range of scores.
type ScoreBin struct {
	Tally
	Sum float64 // of scores
}

// binsFrom are the scores at which bins begin: below the first nothing is said.
var binsFrom = [6]float64{math.Inf(-1), 5, 10, 15, 18, 22}

func (t *Tally) add(hostile bool, n int) {
	if hostile {
		t.Hostile += n
		return
	}
	t.Everyday += n
}

func added[K comparable](to *map[K]Tally, key K, hostile bool) {
	if *to == nil {
		*to = map[K]Tally{}
	}
	t := (*to)[key]
	t.add(hostile, 1)
	(*to)[key] = t
}

// Worth is the logarithm of how much more often a hostile cluster is among the counted ones
// than one of everyday life.
func (t Tally) Worth(of Tally) float64 {
	return math.Log((float64(t.Hostile) + 0.5) / float64(of.Hostile+1) / ((float64(t.Everyday) + 0.5) / float64(of.Everyday+1)))
}

// moved counts the transfers of a day as if each was a cluster.
func (w *Weights) moved(r *Result, all []*model.Transfer) {
	for _, t := range all {
		if hostile, counts := r.whose(t.ID); counts && t.Start >= w.from {
			w.All.add(hostile, 1)
		}
	}
}

// whose says whether a transfer is a campaign's. What cannot be told from a campaign by its
// form counts for neither side.
func (r *Result) whose(id string) (hostile, counts bool) {
	l := r.label(id)
	return l != nil && l.Campaign != nil, l == nil || !l.Irreducible
}

// weigh takes a cluster, in the place of its transfers.
func (r *Result) weigh(marks []judge.Mark, all []*model.Transfer) {
	w := &r.Weights
	hostile := false
	for _, t := range all {
		own, counts := r.whose(t.ID)
		if !counts || t.Start < w.from {
			return
		}
		hostile = hostile || own
	}
	for _, t := range all {
		own, _ := r.whose(t.ID)
		w.All.add(own, -1)
	}
	w.All.add(hostile, 1)
	w.reasons(marks, hostile)
}

// reasons notes what speaks for and against a cluster.
func (w *Weights) reasons(marks []judge.Mark, hostile bool) {
	families := map[string]float64{}
	for _, m := range marks {
		families[m.Family] += m.Nats
		added(&w.Reasons, Weighed{m.Family, m.Analytic, math.Round(m.Nats)}, hostile)
	}
	names := sorted(families)
	names = slices.DeleteFunc(names, func(f string) bool { return families[f] == 0 })
	for i, a := range names {
		added(&w.Families, a, hostile)
		for _, b := range names[i+1:] {
			added(&w.Pairs, [2]string{a, b}, hostile)
		}
	}
	score := judge.Sum(marks)
	i := len(binsFrom) - 1
	for score < binsFrom[i] {
		i--
	}
	w.Bins[i].add(hostile, 1)
	w.Bins[i].Sum += score
}

// Add pools what two worlds showed.
func (w *Weights) Add(o *Weights) {
	w.All = w.All.plus(o.All)
	pool(&w.Reasons, o.Reasons)
	pool(&w.Families, o.Families)
	pool(&w.Pairs, o.Pairs)
	for i := range w.Bins {
		w.Bins[i].Tally = w.Bins[i].plus(o.Bins[i].Tally)
		w.Bins[i].Sum += o.Bins[i].Sum
	}
}

func (t Tally) plus(o Tally) Tally { return Tally{t.Hostile + o.Hostile, t.Everyday + o.Everyday} }

func pool[K comparable](to *map[K]Tally, from map[K]Tally) {
	if *to == nil {
		*to = map[K]Tally{}
	}
	for k, t := range from {
		(*to)[k] = (*to)[k].plus(t)
	}
}

// Together is how two families go together: their correlation among hostile clusters and
// among those of everyday life, and by how many nats the sum of what each is worth
// overstates what both are worth.
func (w *Weights) Together(pair [2]string) (hostile, everyday, twice float64) {
	a, b, both := w.Families[pair[0]], w.Families[pair[1]], w.Pairs[pair]
	hostile = correlation(both.Hostile, a.Hostile, b.Hostile, w.All.Hostile)
	everyday = correlation(both.Everyday, a.Everyday, b.Everyday, w.All.Everyday)
	return hostile, everyday, a.Worth(w.All) + b.Worth(w.All) - both.Worth(w.All)
}

// correlation is that of two properties (phi), of which so many of all have both, the one,
// the other.
func correlation(both, a, b, all int) float64 {
	n, x, y := float64(all), float64(a), float64(b)
	if d := x * y * (n - x) * (n - y); d > 0 {
		return (float64(both)*n - x*y) / math.Sqrt(d)
	}
	return 0
}

// Reasons pools what reasons are worth over so many worlds at each tier.
func Reasons(ctx context.Context, c Config, tiers []Tier, worlds int) *Weights {
	all := &Weights{}
	for i := range worlds {
		for _, t := range tiers {
			if ctx.Err() != nil {
				return all
			}
			own := c
			if i > 0 {
				own.Seed = mix(c.Seed, uint64(i), 77)
			}
			all.Add(&Run(ctx, own, t).Weights)
		}
	}
	return all
}
