package behaviour

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"waybill/internal/model"
	"waybill/internal/synth"
)

const day = 24 * 3600 * second

// moment is a random time within a scenario's hours, from the beginning of a day.
func (s *Scenario) moment(rng *rand.Rand) model.Time {
	from, to := s.hours[0]*3600, s.hours[1]*3600
	return model.Time(from+rng.IntN(max(to-from, 1))) * second
}

// benign gives the everyday rows.
func (set *Set) benign() (out []*Scenario) {
	for _, s := range set.Rows {
		if s.Expect == Benign && !s.rare() {
			out = append(out, s)
		}
	}
	return out
}

// rare says that a row does not happen in a normal week.
func (s *Scenario) rare() bool { return s.volume == 0 }

// playing is one time that a row happens in the week.
type playing struct {
	at model.Time
	s  *Scenario
}

// everyday plays the rows for a week before the last day, each as often as its volume says
// for an office of this size.
func (r *Runner) everyday(rows []*Scenario) *stage {
	b := newStage(r.office, "week")
	var all []playing
	for _, s := range rows {
		all = append(all, r.playings(s, b.rng)...)
	}
	slices.SortStableFunc(all, func(x, y playing) int { return cmp.Compare(x.at, y.at) })
	for _, p := range all {
		b.Now = p.at
		b.draw(p.s, nil)
		b.play(p.s.steps)
	}
	return b
}

// playings are the times of a row in the week.
func (r *Runner) playings(s *Scenario, rng *rand.Rand) (out []playing) {
	hosts := float64(len(r.office.addr))
	times := int(math.Ceil(s.volume * hosts / 1000 * 7 * r.Volume))
	begin := synth.Begin - 9*3600*second - 7*day
	for i := range times {
		at := begin + model.Time(i%7)*day + s.moment(rng)
		out = append(out, playing{at, s})
	}
	return out
}
