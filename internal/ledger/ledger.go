// Package ledger makes one transfer of the observations that vouch for the same
// movement. In come transfers as single sensors saw them, with their evidence, about
// in the order of time; out come transfers with the evidence of all, under the id of
// the best witness, each field from the witness that knows it best (witness.go), with
// what witnesses contradict each other in. It adds nothing that no sensor said, opens
// nothing and asks no clock; what it keeps is bounded by the window of the watermark.
package ledger

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"time"

	"waybill/internal/identity"
	"waybill/internal/model"
)

const (
	// Slack is how far apart two sensors may date one movement, once what is known of
	// their clocks is taken off: the rest of that error, and what lies between the ways
	// to see it.
	Slack model.Time = 2 * 60e9
	// Reach is how much of a long log record is looked at for what it may belong to. What
	// packets show is looked for as long as it lasts.
	Reach model.Time = 30 * 60e9
	// hold is how long after its end a movement is kept: two that only fit each other
	// are told by what else there was.
	hold = 3 * Slack
)

// Settings are what a ledger is told. The zero value is for observations that are
// added in the order of time.
type Settings struct {
	// Late is by how much an observation may come after the watermark has passed its
	// beginning. What comes later is a transfer of its own, says so, and is counted.
	Late model.Time
	// Clocks are what is known of the errors of clocks; nil is nothing.
	Clocks *Clocks
}

// Stats is what a ledger counted.
type Stats struct {
	Observations int64
	Joined       int64 // that became part of another's transfer
	Repeated     int64 // that were given twice
	Late         int64 // that came too late to be compared
	// Contradictions are those of witnesses, by the field.
	Contradictions map[string]int64
}

// Ledger takes observations and gives transfers.
//
// The best witnesses are put in the book first: an observation waits until all that
// may be a better witness of its movement is there, so that neither the order in which
// they were added counts nor how often the watermark moves.
type Ledger struct {
	settings Settings
	book     *book
	pending  queue[due]        // the watermark has not passed them
	waiting  [ranks - 1]line   // of ranks 1 and above, in the order of time
	unnamed  line              // of which a sensor knew no name
	over     queue[ending]     // all that are in the book
	passed   model.Time        // all that begins before is there
	last     *model.Transfer   // the latest that was taken
	out      []*model.Transfer // finished
	stats    Stats
}

// New makes a ledger. Ends that the table knows are completed.
func New(hosts *identity.Table, s Settings) *Ledger {
	return &Ledger{settings: s, book: newBook(hosts), passed: earliest, stats: Stats{Contradictions: map[string]int64{}}}
}

const (
	earliest = model.Time(-1 << 62)
	latest   = model.Time(1 << 62)
)

// Add takes an observation, which is given up.
func (l *Ledger) Add(t *model.Transfer) {
	from := begin(t) + l.settings.Clocks.shift(t.Evidence)
	if from < l.passed {
		l.late(t, from)
		return
	}
	l.pending.push(due{from, t})
}

// Advance says that the time is now the watermark's: what begins Late before it has
// come. It gives the movements that nothing can be joined to any more, in the order in
// which they ended.
func (l *Ledger) Advance(watermark model.Time) []*model.Transfer {
	closed := max(l.passed, watermark-l.settings.Late)
	for !l.pending.empty() && l.pending.first().from < closed {
		l.take(l.pending.pop())
	}
	l.pass(closed)
	return l.given()
}

// Close gives the rest.
func (l *Ledger) Close() []*model.Transfer { return l.Advance(latest) }

// Stats is what was counted so far.
func (l *Ledger) Stats() Stats { return l.stats }

// Join gives the transfers of a whole run.
func (l *Ledger) Join(all []*model.Transfer) []*model.Transfer {
	ordered := make([]due, len(all))
	for i, t := range all {
		ordered[i] = due{begin(t) + l.settings.Clocks.shift(t.Evidence), t}
	}
	slices.SortFunc(ordered, due.compare)
	for _, d := range ordered {
		l.take(d)
	}
	return l.Close()
}

// Join makes one transfer of those that are the same movement. The transfers are
// given up.
func Join(all []*model.Transfer, hosts *identity.Table) []*model.Transfer {
	return New(hosts, Settings{}).Join(all)
}

func (l *Ledger) given() []*model.Transfer {
	out := l.out
	l.out = nil
	return out
}

// take puts the next observation in its place.
func (l *Ledger) take(d due) {
	l.pass(d.from)
	l.stats.Observations++
	if l.last != nil && again(l.last, d.t) {
		l.stats.Repeated++
		return
	}
	l.last = d.t
	e := l.book.entry(d)
	if e.rank == 0 {
		l.enter(e, l.book.keys(e.t))
		if sealedLogin(e.t) {
			l.unnamed.push(e)
		}
		return
	}
	l.waiting[e.rank-1].push(e)
}

// again says whether two observations are one that was given twice.
func again(a, b *model.Transfer) bool {
	return a.Start == b.Start && a.ID == b.ID && a.End == b.End && a.Name == b.Name && reflect.DeepEqual(a.Evidence, b.Evidence)
}

// pass says that all that begins before now was taken, and does what waited for it, at
// its own time: the result must not depend on how far the watermark moves at once.
func (l *Ledger) pass(now model.Time) {
	for next := l.next(); next < now; next = l.next() {
		l.step(next)
	}
	l.step(now)
}

// next is the next time at which something can be done. What could be done before and
// waits for others is done with them.
func (l *Ledger) next() model.Time {
	next := latest
	at := func(last model.Time) {
		if last >= l.passed {
			next = min(next, last+1)
		}
	}
	for i := range l.waiting {
		at(l.waiting[i].last(Slack))
	}
	at(l.unnamed.last(hold))
	if !l.over.empty() {
		at(l.over.first().to + hold)
	}
	return next
}

// step does what can be done now: each rank for those above it.
func (l *Ledger) step(now model.Time) {
	l.passed = now
	through := now
	for i := range l.waiting {
		through = l.waiting[i].until(through, Slack, l.decide)
	}
	through = l.unnamed.until(through, hold, l.pairUp)
	for !l.over.empty() && l.over.first().to+hold < through {
		l.finish(l.over.pop().e)
	}
}

// decide joins an observation to its movement, or makes it one.
func (l *Ledger) decide(e *entry) {
	keys := l.book.keys(e.t)
	best := l.book.find(e, keys)
	if best == nil {
		best = l.book.sealed(e)
	}
	if best == nil {
		best = l.turned(e)
	}
	if best != nil {
		l.merge(best, e, keys)
		l.book.free(e)
		return
	}
	l.enter(e, keys)
	if passedNameless(e.t) {
		l.unnamed.push(e)
	}
}

// turned gives the movement of which e says the other direction.
func (l *Ledger) turned(e *entry) *entry {
	best := l.book.turned(e)
	if best != nil {
		l.stats.Contradictions["direction"]++
		best.turn(e)
	}
	return best
}

func (l *Ledger) merge(best, e *entry, keys []thing) {
	l.stats.Joined++
	l.book.whose(best)
	l.book.whose(e)
	for _, field := range best.merge(e) {
		l.stats.Contradictions[field]++
	}
	best.called = false // they may have got better names
	l.book.put(best, e.t, keys)
}

// pairUp joins what passed without a name to what a host noted, where they fit only
// each other.
func (l *Ledger) pairUp(e *entry) {
	noted := l.book.noted(e)
	if noted == nil {
		return
	}
	first, second := e, noted
	if noted.before(e) {
		first, second = noted, e
	}
	second.gone = true
	l.book.drop(second)
	l.merge(first, second, l.book.keys(second.t))
}

func (l *Ledger) enter(e *entry, keys []thing) {
	l.book.put(e, e.t, keys)
	l.over.push(ending{e.to, e})
}

func (l *Ledger) finish(e *entry) {
	if !e.gone {
		l.book.drop(e)
		l.out = append(l.out, e.t)
	}
	l.book.free(e)
}

// late makes a transfer of what came when others of its time had been decided.
func (l *Ledger) late(t *model.Transfer, from model.Time) {
	e := l.book.entry(due{from, t})
	l.stats.Observations++
	if e.to < l.passed {
		l.stats.Late++
		behind := time.Duration(l.passed - from).Round(time.Second)
		t.Notes = append(t.Notes, fmt.Sprintf("came %s after its time was closed: not compared with what others saw", behind))
	}
	l.enter(e, l.book.keys(e.t))
}

// ranks are those of witnesses, the best first: packets, network sensors, other logs
// that hold a movement for done, what was only asked for, what only its effects show.
// The id and the times of a transfer are those of its best witness.
const ranks = 5

func rank(t *model.Transfer) int {
	switch {
	case t.Completeness == model.Inferred:
		return 4
	case t.Completeness != model.Logged:
		return 0
	case t.Status == model.Claimed:
		return 3
	case passedBy(t):
		return 1
	}
	return 2
}

func begin(t *model.Transfer) model.Time { return cmp.Or(t.Start, t.End) }
