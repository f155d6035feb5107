package eval

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
)

// ReasonTable prints what reasons are worth, how families go together, and what scores are.
func ReasonTable(out io.Writer, w *Weights) error {
	p := &printer{Writer: tabwriter.NewWriter(out, 0, 4, 2, ' ', tabwriter.StripEscape)}
	p.line("%d hostile clusters, %d of everyday life", w.All.Hostile, w.All.Everyday)
	p.line("\nfamily\tanalytic\tweight\thostile\teveryday\tworth (nats)")
	for _, k := range w.weighed() {
		t := w.Reasons[k]
		p.line("%s\t%s\t%g\t%d\t%d\t%.1f", k.Family, k.Analytic, k.Nats, t.Hostile, t.Everyday, t.Worth(w.All))
	}
	p.line("\nfamilies\thostile\teveryday\tworth\tcorrelation: hostile\teveryday\tcounted twice")
	for _, f := range sorted(w.Families) {
		t := w.Families[f]
		p.line("%s\t%d\t%d\t%.1f", f, t.Hostile, t.Everyday, t.Worth(w.All))
	}
	for _, pair := range w.pairs() {
		t := w.Pairs[pair]
		hostile, everyday, twice := w.Together(pair)
		p.line("%s and %s\t%d\t%d\t%.1f\t%.2f\t%.2f\t%.1f", pair[0], pair[1], t.Hostile, t.Everyday, t.Worth(w.All), hostile, everyday, twice)
	}
	p.line("\nscore\thostile\teveryday\tmean score\tworth (nats)")
	for i, b := range w.Bins {
		name := fmt.Sprintf("from %g", binsFrom[i])
		if i == 0 {
			name = fmt.Sprintf("below %g", binsFrom[1])
		}
		if n := b.Hostile + b.Everyday; n > 0 {
			p.line("%s\t%d\t%d\t%.1f\t%.1f", name, b.Hostile, b.Everyday, b.Sum/float64(n), b.Worth(w.All))
		}
	}
	if p.err != nil {
		return p.err
	}
	return p.Flush()
}

// weighed are the reasons in order.
func (w *Weights) weighed() []Weighed {
	return slices.SortedFunc(maps.Keys(w.Reasons), func(a, b Weighed) int {
		return cmp.Or(cmp.Compare(a.Family, b.Family), cmp.Compare(a.Analytic, b.Analytic), cmp.Compare(a.Nats, b.Nats))
	})
}

// fewClusters are too few to say how two families go together.
const fewClusters = 10

// pairs are those of families that go together often enough, in order.
func (w *Weights) pairs() [][2]string {
	var out [][2]string
	for pair, t := range w.Pairs {
		if t.Hostile+t.Everyday >= fewClusters {
			out = append(out, pair)
		}
	}
	slices.SortFunc(out, func(a, b [2]string) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	return out
}

// ReasonNDJSON prints a record for each reason, family, pair and range of scores.
func ReasonNDJSON(out io.Writer, w *Weights) error {
	e := json.NewEncoder(out)
	var err error
	put := func(kind string, t Tally, more map[string]any) {
		more["kind"], more["hostile"], more["everyday"], more["worth"] = kind, t.Hostile, t.Everyday, t.Worth(w.All)
		err = cmp.Or(err, e.Encode(more))
	}
	for _, k := range w.weighed() {
		put("reason", w.Reasons[k], map[string]any{"family": k.Family, "analytic": k.Analytic, "nats": k.Nats})
	}
	for _, f := range sorted(w.Families) {
		put("family", w.Families[f], map[string]any{"family": f})
	}
	for _, pair := range w.pairs() {
		hostile, everyday, twice := w.Together(pair)
		put("pair", w.Pairs[pair], map[string]any{"families": pair, "correlation_hostile": hostile, "correlation_everyday": everyday, "counted_twice": twice})
	}
	for i, b := range w.Bins {
		put("score", b.Tally, map[string]any{"from": max(0, binsFrom[i])})
	}
	return err
}
