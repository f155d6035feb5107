package prevent

import (
	"waybill/internal/model"
)

// Replay learns from moves, which are in the order of time, and replays them: each day by
// what the days before it taught. Of less than two days nothing can be said: they are
// replayed on what they taught themselves, and the records say so.
func Replay(moves []Move, r *model.Records, o LearnOptions) ([]*model.Replay, error) {
	if !testable(days(moves)) {
		return inPlace(moves, r, o)
	}
	x := newTrial(model.Rolling, "", moves, r)
	n := newsOf(r, moves)
	err := Rolling(moves, o, func(day []Move, p *Policy, f *Filter) {
		morning := model.Time(dayOf(day[0].Time)) * oneDay
		if f == nil {
			x.day(day, lesson{})
		} else {
			in := lessonOf(p, f, n.known(morning))
			in.later = n.later(morning)
			x.day(day, in)
		}
		n.read(day)
	})
	if err != nil {
		return nil, err
	}
	return x.records(r), nil
}

// Rolling gives the moves of each day (UTC) with the policy that the days before taught, which
// is nil on the first.
func Rolling(moves []Move, o LearnOptions, visit func(day []Move, p *Policy, f *Filter)) error {
	l := NewLearner(o)
	for i, day := range days(moves) {
		var p *Policy
		var f *Filter
		if i > 0 {
			var err error
			p = l.Policy()
			if f, err = p.Compile(); err != nil {
				return err
			}
		}
		visit(day, p, f)
		for j := range day {
			l.Add(&day[j])
		}
	}
	return nil
}

// inPlace replays what was learned from.
func inPlace(moves []Move, r *model.Records, o LearnOptions) ([]*model.Replay, error) {
	if len(moves) == 0 {
		return through(lesson{}, model.InPlace, notTestable(moves), nil, r), nil
	}
	p := Learn(moves, o)
	f, err := p.Compile()
	if err != nil {
		return nil, err
	}
	p.Indicators = indicatorsOf(r, moves)
	return through(lessonOf(p, f, p.Indicators), model.InPlace, notTestable(moves), moves, r), nil
}

// ReplayPolicy replays moves, which are in the order of time, through a policy that somebody gave.
func ReplayPolicy(p *Policy, moves []Move, r *model.Records) ([]*model.Replay, error) {
	f, err := p.Compile()
	if err != nil {
		return nil, err
	}
	all := through(lessonOf(p, f, p.Indicators), model.Given, overlap(p, moves), moves, r)
	total := all[len(all)-1]
	if what := bars(p, f); what != "" {
		total.Warnings = append([]string{what}, total.Warnings...)
	}
	return all, nil
}

// overlap is the label of a policy that was learned from what it is replayed on.
func overlap(p *Policy, moves []Move) string {
	if l := p.Learned; l == nil || len(moves) == 0 || moves[0].Time > l.To || moves[len(moves)-1].Time < l.From {
		return ""
	}
	return "the policy was learned from some of these days, " + dateOf(p.Learned.From) + " to " + dateOf(p.Learned.To) + ": on them it proves nothing"
}

// lessonOf is what a policy puts into force.
func lessonOf(p *Policy, f *Filter, known []Indicator) lesson {
	in := lesson{Decider: f, rules: len(p.Rules), known: known}
	if p.Learned != nil {
		in.days = p.Learned.Days
	}
	return in
}

// news is what findings say, by when they say it.
type news struct {
	indicators []Indicator
	told       map[*Indicator]model.Time // by the first finding that has it
	left       []model.Time              // of moves that were not learned: when their finding was told
}

func newsOf(r *model.Records, moves []Move) *news {
	n := &news{indicators: indicatorsOf(r, moves), told: map[*Indicator]model.Time{}}
	s := newSensor(n.indicators)
	transfers := map[string]*model.Transfer{}
	for _, t := range r.Transfers {
		transfers[t.ID] = t
	}
	for _, f := range r.Findings {
		if f.Suppressed != nil || f.Severity < model.Low {
			continue
		}
		for _, id := range f.Transfers {
			if t := transfers[id]; t != nil {
				n.tell(s, t, f.Time)
			}
		}
	}
	return n
}

// tell notes that a finding names what of a transfer indicators look for.
func (n *news) tell(s *sensor, t *model.Transfer, at model.Time) {
	for _, i := range s.all(t) {
		if old, ok := n.told[i]; !ok || at < old {
			n.told[i] = at
		}
	}
}

// known are the indicators that a finding told before a time.
func (n *news) known(before model.Time) (out []Indicator) {
	for i := range n.indicators {
		if at, ok := n.told[&n.indicators[i]]; ok && at < before {
			out = append(out, n.indicators[i])
		}
	}
	return out
}

// read notes the moves of a day that are not learned.
func (n *news) read(day []Move) {
	for i := range day {
		if m := &day[i]; m.Bad() {
			n.left = append(n.left, m.Finding.Time)
		}
	}
}

// later counts the moves that were not learned although nobody knew of their finding yet.
func (n *news) later(morning model.Time) (count int) {
	for _, at := range n.left {
		if at >= morning {
			count++
		}
	}
	return count
}
