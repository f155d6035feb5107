package content

import (
	"math"
	"slices"
)

// assembly is a file that is not closed yet, as the decoding goroutine knows it.
//
//	0 ........ sent ........ sealed ........ tip     hole     wait      hole   wait
//	hashed     run: without a hole, on its way       ....     copied    ....   copied
//
// What lies before sealed can no longer be changed (a reader's first copy stands
// at once); what lies between sealed and tip can.
type assembly struct {
	pool  *Pool
	mode  Mode
	open  bool     // it is in the pool's list of files that Flush has to visit
	begun bool     // the caller says where writes begin
	cov   Ranges   // what was given, kept or not
	run   segments // [sent, tip)
	wait  segments // beyond tip
	lent  []Block  // what the borrowed segments of run lie in
	head  []byte   // the first bytes of what was sent
	typ   string   // the type, once the head could not be kept
	tally *tally   // nil until something was sent

	sent, sealed, tip int64
	lastFrom, lastTo  int64 // the last write

	stop    int64 // from here on the content is not known,
	why     string
	charged int // spans that the budget counts
}

func newAssembly(p *Pool, m Mode) *assembly {
	return &assembly{pool: p, mode: m, stop: math.MaxInt64}
}

// cover notes that [from, to) was given; false when that could not be noted.
func (a *assembly) cover(from, to int64) bool {
	if !a.cov.Add(from, to) {
		a.lose(from, scattered)
		return false
	}
	if n := len(a.cov.spans); n != a.charged {
		a.chargeSpans(n)
	}
	return true
}

// chargeSpans lets the budget count n spans but for the first few. When it is
// used up, no further spans are taken.
func (a *assembly) chargeSpans(n int) {
	const size, free = 32, 4
	more := int64(max(n, free)-max(a.charged, free)) * size
	switch {
	case more <= 0:
		a.pool.budget.Give(-more)
	case !a.pool.budget.Take(more):
		a.cov.limit = n
		return
	}
	a.charged = n
}

// read takes what was not seen before: the first copy wins.
func (a *assembly) read(off int64, data []byte, b Block) {
	for end := off + int64(len(data)); off < end; {
		from, to := a.cov.hole(off, end)
		if from == to || !a.cover(from, to) {
			return
		}
		a.place(from, data[from-off:to-off], b)
		data, off = data[to-off:], to
	}
}

// write takes everything: the last copy wins.
func (a *assembly) write(off int64, data []byte, b Block) {
	if !a.cover(off, off+int64(len(data))) {
		return
	}
	if a.begun && a.lastTo >= 0 {
		a.lastFrom = min(a.lastFrom, off)
	} else {
		a.lastFrom = off
	}
	a.lastTo = off + int64(len(data))
	a.place(off, data, b)
}

// place puts data where it belongs, up to the point from which on nothing is known.
func (a *assembly) place(off int64, data []byte, b Block) {
	if off >= a.stop {
		return
	}
	data = data[:min(int64(len(data)), a.stop-off)]
	if floor := a.floor(); off < floor {
		n := min(int64(len(data)), floor-off)
		if !a.rewrite(off, data[:n]) {
			return
		}
		off, data = off+n, data[n:]
	}
	if off < a.tip {
		n := min(int64(len(data)), a.tip-off)
		a.replace(off, data[:n])
		off, data = off+n, data[n:]
	}
	if len(data) == 0 || off >= a.stop {
		return
	}
	if off == a.tip && (len(a.wait) == 0 || a.wait[0].off >= off+int64(len(data))) {
		a.push(off, data, b)
	} else {
		a.put(off, data)
	}
	a.pull()
	a.seal()
}

// floor is where rewriting becomes a matter of bytes that are hashed. Extracted
// content is rewritten in its file, so only what was sent matters then.
func (a *assembly) floor() int64 {
	if a.pool.extract != nil {
		return a.sent
	}
	return a.sealed
}

// push adds data to the run.
func (a *assembly) push(off int64, data []byte, b Block) {
	a.enlist()
	if b == nil {
		a.lend(off, data)
		return
	}
	if n := len(a.lent); n == 0 || a.lent[n-1] != b {
		a.borrow(b)
	}
	for len(data) > 0 {
		n := min(len(data), segmentSize)
		a.append(segment{off: off, n: int64(n), data: data[:n]})
		off, data = off+int64(n), data[n:]
	}
}

// append adds a segment to the run.
func (a *assembly) append(s segment) {
	if len(a.run) == cap(a.run) {
		a.run = a.pool.grow(a.run)
	}
	a.run = append(a.run, s)
	a.tip = s.end()
}

// lend copies data into buffers at the end of the run.
func (a *assembly) lend(off int64, data []byte) {
	size := int64(len(data))
	if i := len(a.run) - 1; i >= 0 {
		n := a.extend(&a.run[i], data)
		a.tip += int64(n)
		off, data = off+int64(n), data[n:]
		size = max(size, 4*int64(cap(a.run[i].data)))
	}
	for len(data) > 0 {
		s := segment{off: off, data: newBuffer(size), kind: loan}
		n := a.extend(&s, data)
		a.pool.loans += int64(cap(s.data))
		a.append(s)
		off, data = off+int64(n), data[n:]
	}
}

// borrow retains a block unless it is retained already.
func (a *assembly) borrow(b Block) {
	for _, have := range a.lent {
		if have == b {
			return
		}
	}
	b.Retain()
	a.lent = append(a.lent, b)
}

// enlist makes Flush visit the file.
func (a *assembly) enlist() {
	if !a.open {
		a.open = true
		a.pool.open = append(a.pool.open, a)
	}
}

// put copies data that cannot join the run yet.
func (a *assembly) put(off int64, data []byte) {
	for len(data) > 0 {
		i := a.wait.after(off)
		n := int64(len(data))
		if i < len(a.wait) {
			n = min(n, max(a.wait[i].off-off, 0))
		}
		if n > 0 {
			if !a.insert(i, off, data[:n]) {
				return
			}
		} else {
			n = min(int64(len(data)), a.wait[i].end()-off)
			if !a.overwrite(&a.wait[i], off, data[:n]) {
				return
			}
		}
		off, data = off+n, data[n:]
	}
}

// insert copies data into the hole before the i-th waiting segment.
func (a *assembly) insert(i int, off int64, data []byte) bool {
	var n int
	a.wait, n = a.store(a.wait, i, off, data, int64(len(data)))
	if n < len(data) {
		a.lose(off+int64(n), overBudget)
	}
	return n == len(data)
}

// store copies data into segments that outlive the block, before l[i], and says
// how much of it found room. rest is how much more is known to follow.
func (a *assembly) store(l segments, i int, off int64, data []byte, rest int64) (segments, int) {
	done := 0
	if i > 0 && l[i-1].end() == off && l[i-1].kind != loan {
		done = a.extend(&l[i-1], data)
		rest = max(rest, 4*int64(cap(l[i-1].data)))
	}
	for done < len(data) {
		s, ok := a.hold(off+int64(done), data[done:], rest)
		if !ok {
			break
		}
		l = slices.Insert(l, i, s)
		i++
		done += int(s.n)
	}
	return l, done
}

// hold copies the first of data into a new segment: in memory, else in the
// temporary file.
func (a *assembly) hold(off int64, data []byte, rest int64) (segment, bool) {
	p := a.pool
	s := segment{off: off, kind: owned}
	if p.budget.Take(bufferSize(rest) + overhead) {
		s.data = newBuffer(rest)
		a.extend(&s, data)
		return s, true
	}
	slot, ok := p.spill.take()
	if !ok {
		return s, false
	}
	s.kind, s.slot = spilled, slot
	if a.extend(&s, data) == 0 {
		a.release(&s)
		return s, false
	}
	return s, true
}

// extend adds as much of data to a segment as it has room for.
func (a *assembly) extend(s *segment, data []byte) int {
	n := min(len(data), s.room())
	switch {
	case n == 0:
		return 0
	case s.kind != spilled:
		s.data = append(s.data, data[:n]...)
	case !a.pool.spill.write(s.slot, s.n, data[:n]):
		return 0
	}
	s.n += int64(n)
	return n
}

// pull moves what waits right behind the run into the run.
func (a *assembly) pull() {
	n := 0
	for n < len(a.wait) && a.wait[n].off == a.tip {
		a.append(a.wait[n])
		n++
	}
	if n > 0 {
		a.enlist()
		a.wait = a.wait.dropFirst(n)
	}
}

// replace puts data over bytes of the run.
func (a *assembly) replace(off int64, data []byte) {
	for i := a.run.after(off); len(data) > 0; i++ {
		n := min(int64(len(data)), a.run[i].end()-off)
		if !a.overwrite(&a.run[i], off, data[:n]) {
			return
		}
		off, data = off+n, data[n:]
	}
}

// overwrite puts data over bytes of a segment. It says false when that failed
// and the content from that segment on was given up.
func (a *assembly) overwrite(s *segment, off int64, data []byte) bool {
	at := off - s.off
	if s.kind == spilled {
		if !a.pool.spill.write(s.slot, at, data) {
			a.lose(s.off, tempFailed)
			return false
		}
		return true
	}
	if s.kind == borrowed {
		a.lendCopy(s)
	}
	copy(s.data[at:], data)
	return true
}

// lendCopy moves a borrowed segment into a buffer that may be changed.
func (a *assembly) lendCopy(s *segment) {
	s.data = append(newBuffer(s.n), s.data...)
	s.kind = loan
	a.pool.loans += int64(cap(s.data))
}

// seal moves the point before which nothing can change any more, and sends to
// the hash what lies before it once that is worth a job. The point depends on
// the writes alone, never on when Flush is called.
func (a *assembly) seal() {
	l := a.pool.limits
	switch {
	case a.mode == Read:
		a.sealed = a.tip
	case a.tip > l.keep:
		to := a.tip - l.tail
		if a.lastTo == a.tip {
			to = min(to, a.lastFrom)
		}
		a.sealed = max(a.sealed, to, a.tip-l.hold)
	}
	if a.sealed-a.sent >= l.job {
		a.send(a.sealed, goesOn)
	}
}
