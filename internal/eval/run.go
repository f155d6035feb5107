package eval

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"waybill/internal/model"
)

// Run makes a world, lets the sensors of a tier look at it, and scores what waybill says.
// When ctx is cancelled the world ends early, and the result is worth nothing.
func Run(ctx context.Context, c Config, t Tier) *Result { return observed(ctx, c, t, nil) }

// observed is Run, with somebody who sees what each day brings, and in the end the
// findings.
func observed(ctx context.Context, c Config, t Tier, see func([]*model.Transfer, []*model.Finding)) *Result {
	w := NewWorld(c)
	r := newResult(w, t)
	ch := newChain(w)
	ch.weighed = r.weigh
	eyes := newEyes(w, t, ch.event)
	var g *guard
	if c.Prevent {
		g = &guard{}
	}
	for !w.Done() && ctx.Err() == nil {
		if w.hour%24 == 0 {
			ch.morning()
		}
		from := Epoch + model.Time(w.hour)*hour
		before := len(eyes.seen.Transfers)
		w.Hour(func(m *Move) {
			r.Moves++
			g.happened(m)
			eyes.see(m)
		})
		if (w.hour-1)%24 == 0 {
			daybreak(w, eyes, from)
			ch.bind(w, from, t)
		}
		ch.noted(eyes.seen.Transfers[before:])
		eyes.until(from + hour)
		if w.hour%24 == 0 {
			transfers, accesses := ch.evening(eyes.seen)
			r.day(transfers, accesses)
			r.Weights.moved(r, transfers)
			g.saw(transfers, accesses)
			if see != nil {
				see(transfers, nil)
			}
			eyes.seen = &Seen{}
		}
	}
	findings, artifacts, incidents := ch.close()
	if see != nil {
		see(nil, findings)
	}
	r.judged(findings, artifacts)
	r.chained(incidents)
	if g != nil {
		r.Prevented = g.try(r, findings)
	}
	return r
}

// daybreak tells sensors who the hosts are: each logs its own account in the morning,
// and clients ask for an address.
func daybreak(w *World, eyes *Eyes, from model.Time) {
	for _, h := range w.All {
		at := from + model.Time(h.ID%600)*second/10
		eyes.awake(h, at)
		if eyes.tier.Zeek && (h.client() || h.Role == "mac" || h.Role == "printer") {
			eyes.leased(h, at, w.labels[0])
		}
	}
}

// labelOf finds what a record belongs to by the name of its input.
func labelOf(all []model.Evidence, labels []*Label) *Label {
	for _, e := range all {
		if n, err := strconv.Atoi(strings.TrimPrefix(e.Input, "simulated-")); err == nil && n < len(labels) {
			return labels[n]
		}
	}
	return nil
}

// dayOf is the day of the world that a time is in.
func dayOf(t model.Time) int { return int((t - Epoch) / day) }

// idKey is a transfer's id as a number, to keep many of them.
func idKey(id string) uint64 {
	_, digits, _ := strings.Cut(id, "-")
	n, err := strconv.ParseUint(digits, 16, 64)
	if err != nil {
		return text(id)
	}
	return n
}

func median(v []float64) float64 { return quantile(v, 0.5) }

// quantile of some numbers; 0 where there are none.
func quantile(v []float64, q float64) float64 {
	if len(v) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(v))
	return s[min(len(s)-1, int(q*float64(len(s)-1)+0.5))]
}
