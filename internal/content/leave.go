package content

import (
	"math"
	"slices"
)

// How bytes leave an assembly: to the hash, into buffers of its own, or forgotten.

// send hands the segments of the run that end at or before upto to the hash.
func (a *assembly) send(upto int64, e ending) {
	k := len(a.run)
	if upto < a.tip {
		k = a.run.after(upto)
	}
	if k == 0 && e == goesOn {
		return
	}
	a.keepHead(k)
	j := a.job(e)
	j.segs = append(j.segs, a.run[:k]...)
	for i := range a.run[:k] {
		a.settle(&a.run[i])
	}
	if k == len(a.run) {
		j.lent, a.lent = a.lent, j.lent
	} else {
		j.lent = retainAll(j.lent, a.lent)
	}
	if k > 0 {
		a.sent = a.run[k-1].end()
	}
	a.run = slices.Delete(a.run, 0, k)
	a.pool.dispatch(j)
}

// job makes a job for the file's hash.
func (a *assembly) job(e ending) *job {
	if a.tally == nil {
		a.tally = &tally{pool: a.pool}
	}
	return newJob(a.tally, e)
}

// settle ends what the decoding goroutine counts of a segment.
func (a *assembly) settle(s *segment) {
	switch s.kind {
	case loan:
		a.pool.loans -= int64(cap(s.data))
	case owned:
		a.pool.budget.Give(s.cost())
	case spilled:
		a.pool.spill.give()
	}
}

// release drops a segment.
func (a *assembly) release(s *segment) {
	a.settle(s)
	s.recycle(a.pool)
}

func retainAll(to, blocks []Block) []Block {
	for _, b := range blocks {
		b.Retain()
	}
	return append(to, blocks...)
}

// flush sends what is sealed, and copies what the rest borrows.
func (a *assembly) flush() {
	a.open = false
	a.send(a.sealed, goesOn)
	if !a.own() {
		a.sealed = a.tip
		a.send(a.tip, goesOn)
	}
	a.giveBack()
	a.run = a.pool.trim(a.run)
}

// giveBack releases the blocks that the run no longer borrows from.
func (a *assembly) giveBack() {
	for _, b := range a.lent {
		b.Release()
	}
	clear(a.lent)
	a.lent = a.lent[:0]
}

// own moves all of the run into segments that the budget counts. When that finds
// no room it says false, and the run is as good as before.
func (a *assembly) own() bool {
	if !slices.ContainsFunc(a.run, func(s segment) bool { return s.kind <= loan }) {
		return true
	}
	out := a.pool.grow(nil)
	for i := range a.run {
		s := &a.run[i]
		ok := true
		switch {
		case s.kind == borrowed:
			out, ok = a.ownCopy(out, s)
		case s.kind == loan && !a.pool.budget.Take(s.cost()):
			out, ok = a.ownCopy(out, s)
		case s.kind == loan:
			a.pool.loans -= int64(cap(s.data))
			s.kind = owned
			fallthrough
		default:
			out = append(out, *s)
		}
		if !ok {
			out = append(out, a.run[i:]...)
			a.pool.reuse(a.run)
			a.run = out
			return false
		}
	}
	a.pool.reuse(a.run)
	a.run = out
	return true
}

// ownCopy copies a segment behind others. What found no room stays in s.
func (a *assembly) ownCopy(out segments, s *segment) (segments, bool) {
	out, n := a.store(out, len(out), s.off, s.data, a.tip-s.off)
	if n == len(s.data) {
		if s.kind == loan {
			a.release(s)
		}
		return out, true
	}
	s.off, s.n = s.off+int64(n), s.n-int64(n)
	if s.kind == loan {
		n = copy(s.data, s.data[n:])
		s.data = s.data[:n]
	} else {
		s.data = s.data[n:]
	}
	return out, false
}

// rewrite takes data over bytes that are hashed: into the extracted file, which
// is hashed again at the end, or, without one, as the end of what is known.
func (a *assembly) rewrite(off int64, data []byte) bool {
	if a.pool.extract == nil {
		a.damage(off)
		return false
	}
	if off < int64(len(a.head)) {
		copy(a.head[off:], data)
	}
	for len(data) > 0 {
		s := segment{off: off, data: newBuffer(int64(len(data))), kind: patch}
		n := min(len(data), cap(s.data))
		s.data, s.n = append(s.data, data[:n]...), int64(n)
		j := a.job(goesOn)
		j.segs = append(j.segs, s)
		a.pool.dispatch(j)
		off, data = off+int64(n), data[n:]
	}
	return true
}

// damage gives up the content from a byte on that was rewritten after it was sealed.
func (a *assembly) damage(at int64) {
	a.run = a.cutAt(a.run, at)
	a.tip = max(min(a.tip, at), a.sent)
	a.send(a.tip, goesOn) // the first bytes are still right
	a.lose(at, rewritten(at))
}

// lose gives up the content from a byte on.
func (a *assembly) lose(at int64, why string) {
	if at < a.stop {
		a.stop, a.why = at, why
		a.drop(at)
	}
}

// drop frees what is held from n on.
func (a *assembly) drop(n int64) {
	a.run = a.cutAt(a.run, n)
	a.wait = a.cutAt(a.wait, n)
	a.tip = max(min(a.tip, n), a.sent)
}

// cutAt cuts a list of segments down to what lies before n.
func (a *assembly) cutAt(l segments, n int64) segments {
	i := l.after(n)
	if i < len(l) && l[i].off < n {
		l[i].shorten(n - l[i].off)
		i++
	}
	for k := i; k < len(l); k++ {
		a.release(&l[k])
	}
	clear(l[i:])
	return l[:i]
}

// truncate forgets all bytes from n on.
func (a *assembly) truncate(n int64) {
	if n >= a.cov.High() {
		return
	}
	a.cov.Cut(n)
	a.chargeSpans(len(a.cov.spans))
	if int64(len(a.head)) > n {
		a.head = a.head[:n]
	}
	if n <= a.stop {
		a.stop, a.why = math.MaxInt64, ""
	}
	if n < a.floor() {
		a.truncateSent(n)
		return
	}
	a.drop(n)
	a.sealed = min(a.sealed, n)
}

// truncateSent is truncate for an end before what can still be changed.
func (a *assembly) truncateSent(n int64) {
	switch {
	case n == 0:
		a.forget()
		a.sent = 0
	case a.pool.extract != nil:
		j := a.job(goesOn)
		j.segs = append(j.segs, segment{off: n, kind: cut})
		a.pool.dispatch(j)
		a.sent = n
	default:
		a.damage(n)
		return
	}
	a.drop(n)
	a.sealed = a.sent
}

// forget makes the hash as if it had never been given anything.
func (a *assembly) forget() {
	if a.tally != nil && a.pool.extract != nil {
		a.pool.dispatch(newJob(a.tally, abandoned))
	}
	a.tally = nil
	a.typ = ""
}

// verdict says why the content is not whole; "" when it is.
func (a *assembly) verdict(size int64, e End) string {
	holes := size - a.cov.Len()
	switch {
	case e.Incomplete != "":
		return e.Incomplete
	case a.mode == Read && a.cov.High() > size:
		return sizeChanged
	case a.stop < size || a.mode == Write && a.floor() > size:
		return a.why
	case holes == 0:
		return ""
	case !e.ZeroFill:
		return missing
	case !a.pool.takeZeros(holes):
		return sparse
	}
	return ""
}

// fill puts zeros into all holes below size.
func (a *assembly) fill(size int64) {
	waiting := a.wait
	a.wait = nil
	for i := range waiting {
		a.fillTo(waiting[i].off)
		a.append(waiting[i])
	}
	a.fillTo(size)
}

func (a *assembly) fillTo(off int64) {
	if a.tip < off {
		a.append(segment{off: a.tip, n: off - a.tip, kind: zeros})
	}
}

// finish sends the last bytes to the hash: all when the content is whole, else
// those that the prefix hashes need. right is how far the bytes are known.
func (a *assembly) finish(whole bool, right int64) *tally {
	if whole {
		a.send(a.tip, endsWhole)
		return a.tally
	}
	need := int64(0)
	for _, n := range ladder {
		if n <= min(right, a.tip) {
			need = n
		}
	}
	a.drop(max(need, a.sent))
	if a.tally != nil || len(a.run) > 0 {
		a.send(a.tip, endsPartial)
	}
	return a.tally
}

// free gives back all that the assembly holds.
func (a *assembly) free() {
	a.run = a.pool.trim(a.cutAt(a.run, 0))
	a.wait = a.cutAt(a.wait, 0)
	a.giveBack()
	a.pool.budget.Give(int64(cap(a.head)))
	a.head = nil
	a.cov = Ranges{}
	a.chargeSpans(0)
}
