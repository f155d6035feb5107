package history

import (
	"math"
	"math/bits"

	"waybill/internal/model"
)

// Use is how often something happened before, and when.
type Use struct {
	First, Last model.Time // to the second
	Count       float32    // faded
	Days        uint16     // distinct days, not faded
}

// Known says whether it ever happened.
func (u Use) Known() bool { return u.Days > 0 }

// tally is a use as it is kept, in 24 bytes.
type tally struct {
	recent      uint64 // the days among the 64 up to that of last: bit 0 is it
	first, last uint32 // seconds since the epoch
	count       float32
	older       uint16 // days before those
	changed     bool   // since it was saved
}

func seconds(t model.Time) uint32 { return uint32(min(max(t/1e9, 1), math.MaxUint32)) }

func (u *tally) firstTime() model.Time { return model.Time(u.first) * 1e9 }
func (u *tally) lastTime() model.Time  { return model.Time(u.last) * 1e9 }

const daySeconds = 24 * 3600

func dayNumber(seconds uint32) int { return int(seconds / daySeconds) }

// days is how many distinct days there were.
func (u *tally) days() uint16 {
	return uint16(min(int(u.older)+bits.OnesCount64(u.recent), math.MaxUint16))
}

func (u *tally) use() Use { return Use{u.firstTime(), u.lastTime(), u.count, u.days()} }

// tallyOf is what an entry says, if it can be.
func tallyOf(e *Entry) (tally, bool) {
	u := tally{recent: e.Recent | 1, first: seconds(e.First), last: seconds(e.Last), count: e.Count}
	if n := int(e.Days) - bits.OnesCount64(u.recent); n > 0 {
		u.older = uint16(n)
	}
	return u, e.Days > 0 && u.sane()
}

// sane says whether the parts fit each other.
func (u *tally) sane() bool {
	return u.first > 0 && u.last >= u.first && u.recent&1 == 1 && u.count >= 0 && !math.IsInf(float64(u.count), 0) &&
		bits.Len64(u.recent)-1 <= dayNumber(u.last)-dayNumber(u.first)
}

// add counts once more.
func (u *tally) add(at model.Time, halfLife model.Time) {
	t := seconds(at)
	u.changed = true
	if u.recent == 0 {
		*u = tally{recent: 1, first: t, last: t, count: 1, changed: true}
		return
	}
	u.count = u.faded(at, halfLife) + 1
	if t > u.last {
		u.forward(t)
		u.recent |= 1
	} else if back := dayNumber(u.last) - dayNumber(t); back < 64 {
		u.recent |= 1 << back
	} else if dayNumber(t) < dayNumber(u.first) {
		u.older = min(u.older, math.MaxUint16-1) + 1
	}
	u.first = min(u.first, t)
}

// before is what was known by a time: without the days after it. What was learned from
// the same input before, or comes late, is judged as it was then.
func (u tally) before(at model.Time) tally {
	t := seconds(at)
	back := dayNumber(u.last) - dayNumber(t)
	if back <= 0 {
		return u
	}
	all := float32(u.days())
	u.recent >>= back // a shift by 64 or more gives 0
	day := dayNumber(t) - bits.TrailingZeros64(u.recent|1<<63)
	u.last = max(u.first, uint32(min(max(day, 0)*daySeconds+daySeconds-1, int(t))))
	u.count *= float32(u.days()) / all
	return u
}

// forward moves the last day to a later time; bit 0 is that day's.
func (u *tally) forward(t uint32) {
	gap := dayNumber(t) - dayNumber(u.last)
	u.last = t
	kept := u.recent << gap // a shift by 64 or more gives 0
	out := bits.OnesCount64(u.recent) - bits.OnesCount64(kept)
	u.older = uint16(min(int(u.older)+out, math.MaxUint16))
	u.recent = kept
}

// faded is a count as it is worth at a time.
func (u *tally) faded(at model.Time, halfLife model.Time) float32 {
	age := at - u.lastTime()
	switch {
	case age <= 0 || u.count == 0 || halfLife <= 0:
		return u.count
	case age < day:
		return u.count * float32(1-math.Ln2*float64(age)/float64(halfLife)) // near enough
	}
	return u.count * float32(math.Exp2(-float64(age)/float64(halfLife)))
}

// merged puts two tallies of one use together. Days of the last 64 count once.
func merged(a, b tally, halfLife model.Time) tally {
	if a.recent == 0 {
		return b
	}
	if b.recent == 0 {
		return a
	}
	last := max(a.last, b.last)
	at := model.Time(last) * 1e9
	count := a.faded(at, halfLife) + b.faded(at, halfLife)
	a.forward(last)
	b.forward(last)
	return tally{recent: a.recent | b.recent, first: min(a.first, b.first), last: last, count: count, older: max(a.older, b.older), changed: true}
}
