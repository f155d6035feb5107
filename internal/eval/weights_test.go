package eval

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"waybill/internal/judge"
	"waybill/internal/model"
)

// TestWeights: clusters are counted once, whatever moved in them; those of which nothing
// speaks too, what is irreducible for neither side, and what is only learned from not at all.
func TestWeights(t *testing.T) {
	everyday, hostile, alike := &Label{Index: 0}, &Label{Index: 1, Campaign: &Running{Campaign: &Campaign{}}}, &Label{Index: 2, Campaign: &Running{}, Irreducible: true}
	r := &Result{World: &World{labels: []*Label{everyday, hostile, alike}}, labels: map[uint64]uint16{}, Weights: Weights{from: 100}}
	move := func(id string, l *Label, at model.Time) *model.Transfer {
		r.labels[idKey(id)] = uint16(l.Index)
		return &model.Transfer{ID: id, Start: at}
	}
	all := []*model.Transfer{move("t-1", everyday, 200), move("t-2", everyday, 200), move("t-3", everyday, 200), move("t-4", hostile, 200), move("t-5", hostile, 200), move("t-6", alike, 200), move("t-7", everyday, 50)}
	w := &r.Weights
	w.moved(r, all)
	way, start := judge.Mark{Family: "channel", Analytic: "admin-share-write", Nats: 5}, judge.Mark{Family: "execution", Analytic: "remote-start", Nats: 6}
	r.weigh([]judge.Mark{way}, all[:2])
	r.weigh([]judge.Mark{way, start}, all[3:5])
	r.weigh([]judge.Mark{start}, all[5:6])
	r.weigh([]judge.Mark{start}, all[6:])
	if w.All != (Tally{1, 2}) {
		t.Errorf("%+v: one of two transfers, one of one that nothing speaks of, and one hostile", w.All)
	}
	if got := w.Reasons[Weighed{"channel", "admin-share-write", 5}]; got != (Tally{1, 1}) {
		t.Errorf("%+v", got)
	}
	if got := w.Reasons[Weighed{"execution", "remote-start", 6}]; got != (Tally{1, 0}) {
		t.Errorf("%+v", got)
	}
	if w.Bins[1].Tally != (Tally{0, 1}) || w.Bins[2].Tally != (Tally{1, 0}) || w.Bins[2].Sum != 11 {
		t.Errorf("%+v", w.Bins)
	}
	pooled := &Weights{}
	pooled.Add(w)
	pooled.Add(w)
	if pooled.All != (Tally{2, 4}) || pooled.Pairs[[2]string{"channel", "execution"}] != (Tally{2, 0}) || pooled.Bins[2].Sum != 22 {
		t.Errorf("%+v", pooled)
	}
	for range 5 {
		pooled.Add(w)
	}
	var table bytes.Buffer
	if err := ReasonTable(&table, pooled); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"7 hostile clusters, 14 of everyday life", "channel    admin-share-write  5       7        7", "from 10  7        0         11.0"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("no %q in\n%s", want, table.String())
		}
	}
}

// TestTogether: families that always go together are counted twice, those that have
// nothing to do with each other are not.
func TestTogether(t *testing.T) {
	w := &Weights{All: Tally{1000, 100_000},
		Families: map[string]Tally{"a": {500, 1000}, "b": {500, 1000}, "c": {500, 1000}},
		Pairs:    map[[2]string]Tally{{"a", "b"}: {500, 1000}, {"a", "c"}: {250, 10}}}
	hostile, everyday, twice := w.Together([2]string{"a", "b"})
	if hostile != 1 || everyday != 1 || math.Abs(twice-w.Families["a"].Worth(w.All)) > 1e-9 {
		t.Errorf("%g, %g, %g: one of the two says it all", hostile, everyday, twice)
	}
	hostile, everyday, twice = w.Together([2]string{"a", "c"})
	if math.Abs(hostile) > 1e-9 || math.Abs(everyday) > 1e-9 || math.Abs(twice) > 0.06 {
		t.Errorf("%g, %g, %g: chance brings them together", hostile, everyday, twice)
	}
}
