package prevent

import (
	"fmt"
	"time"

	"waybill/internal/model"
)

// Decider says what becomes of a move. A filter of a policy is one.
type Decider interface{ Decide(*Move) Decision }

// lesson is what is in force on a day.
type lesson struct {
	Decider
	days  int // that it was learned from
	rules int
	known []Indicator // that sensors look for on that day
	later int         // moves that were not learned for findings that were told later
}

// trial is moves that are replayed, day by day.
type trial struct {
	form  string
	label string
	moves []Move
	days  []*sheet
	total *sheet
	fate  map[string]ruled // of the transfers that findings ask for, by id
	book  *casebook
}

// ruled is what was decided of a transfer, and on which day.
type ruled struct {
	Decision
	move *Move
	day  *sheet
}

const oneDay = model.Time(24 * time.Hour)

// days cuts moves, which are in the order of time, where a UTC day begins.
func days(moves []Move) (out [][]Move) {
	for len(moves) > 0 {
		first := dayOf(moves[0].Time)
		n := 1
		for n < len(moves) && dayOf(moves[n].Time) == first {
			n++
		}
		out = append(out, moves[:n])
		moves = moves[n:]
	}
	return out
}

// testable says whether one day can be judged by another: there are moves on two days (UTC),
// more than a day apart.
func testable(days [][]Move) bool {
	if len(days) < 2 {
		return false
	}
	last := days[len(days)-1]
	return last[len(last)-1].Time-days[0][0].Time >= oneDay
}

// newTrial prepares a replay of the moves of records.
func newTrial(form, label string, moves []Move, r *model.Records) *trial {
	return &trial{form: form, label: label, moves: moves, total: newSheet(), fate: map[string]ruled{}, book: newCasebook(r)}
}

// day replays the moves of a day. Without a decider they are only learned from.
func (x *trial) day(moves []Move, in lesson) {
	t := newSheet()
	t.record.Day = dateOf(moves[0].Time)
	t.record.Form = x.form
	t.record.LearnedDays, t.record.Rules, t.record.LeftOutLater = in.days, in.rules, in.later
	x.days = append(x.days, t)
	sensor := newSensor(in.known)
	for i := range moves {
		m := &moves[i]
		if in.Decider == nil {
			t.learnedOnly(m)
			continue
		}
		d := in.Decide(m)
		t.take(m, d)
		if m.Transfer != nil && x.book.asks[m.Transfer.ID] {
			x.fate[m.Transfer.ID] = ruled{d, m, t}
		}
		if m.Access != nil && m.Bad() && !d.Passes(false) {
			x.book.calls[m.Finding.ID]++
		}
		if len(in.known) > 0 {
			x.watch(t, m, sensor)
		}
	}
}

// records closes the replay: a record a day, then the total.
func (x *trial) records(r *model.Records) []*model.Replay {
	x.judge(r)
	x.outside(r)
	var out []*model.Replay
	for _, t := range x.days {
		out = append(out, t.close())
		x.total.add(t)
	}
	total := x.total.close()
	total.Form, total.Label = x.form, x.label
	return append(out, total)
}

// outside counts transfers that are no moves, since one end is outside: no filter between
// hosts inside would see them.
func (x *trial) outside(r *model.Records) {
	of := map[string]*sheet{}
	for _, t := range x.days {
		of[t.record.Day] = t
	}
	for _, t := range r.Transfers {
		if t.Scope == "" || t.Scope == model.ScopeInternal {
			continue
		}
		day := of[dateOf(max(t.Start, t.End))]
		if day == nil {
			day = x.total
		}
		day.record.NotJudged["one end is outside"]++
	}
}

func dateOf(t model.Time) string { return time.Unix(0, int64(t)).UTC().Format(time.DateOnly) }

// through replays moves, which are in the order of time, by the same lesson on all days.
func through(in lesson, form, label string, moves []Move, r *model.Records) []*model.Replay {
	x := newTrial(form, label, moves, r)
	for _, day := range days(moves) {
		x.day(day, in)
	}
	return x.records(r)
}

// notTestable is the label of a replay on what was learned from.
func notTestable(moves []Move) string {
	if len(moves) == 0 {
		return "not testable: nothing moved between hosts inside"
	}
	span := time.Duration(moves[len(moves)-1].Time - moves[0].Time).Round(time.Second)
	return fmt.Sprintf("not testable: the inputs hold %v, it takes two days; replayed on what was learned from", span)
}
