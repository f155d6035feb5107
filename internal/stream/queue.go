package stream

import (
	"bytes"
	"sort"

	"waybill/internal/model"
	"waybill/internal/packet"
	"waybill/internal/wire"
)

// Ceilings of what may wait behind a hole. A hole that the receiver has
// acknowledged will not be filled by a retransmission, only by a packet that
// another capture queue or sensor brings late; one that it has not will be.
const (
	queueAcked     = 128 << 10
	queueAckedMany = 2 << 20
	queueOpen      = 8 << 20
	queueSegments  = 8192
	segmentCost    = 96 // bytes of budget a waiting segment takes beside its bytes
)

// segment is a run of bytes that waits for its turn.
type segment struct {
	seq     uint32
	data    []byte // a copy
	missing int    // bytes that the snap length cut off behind data
	ack     uint32
	hasAck  bool
	sumOK   bool // its checksum is right
	at      wire.At
}

func (s *segment) end() uint32 { return s.seq + uint32(len(s.data)+s.missing) }

// enqueue copies the parts of a payload that no waiting segment has.
func (f *Flow) enqueue(p *packet.Packet, seq uint32, payload []byte, missing int, side wire.Side, at wire.At) {
	h := &f.half[side]
	ok, _ := p.ChecksumOK()
	s := segment{seq: seq, data: payload, missing: missing, ack: p.Ack, hasAck: p.Flags&packet.ACK != 0, sumOK: ok, at: at}
	i := sort.Search(len(h.queue), func(i int) bool { return before(s.seq, h.queue[i].end()) })
	for ; i < len(h.queue) && before(s.seq, s.end()); i++ {
		e := &h.queue[i]
		if !before(e.seq, s.end()) {
			break
		}
		if before(s.seq, e.seq) {
			n := int(e.seq - s.seq)
			room := len(h.queue)
			f.insert(h, i, s.first(n))
			i += len(h.queue) - room
			e = &h.queue[i]
			s = s.after(n)
		}
		f.overlap(side, e, &s, at)
		s = s.after(min(int(e.end()-s.seq), len(s.data)+s.missing))
	}
	if before(s.seq, s.end()) {
		f.insert(h, i, s)
	}
	if len(h.queue) == 0 {
		return
	}
	f.startWaiting(at.Time)
	if h.queued > f.ceiling(h) || len(h.queue) > queueSegments {
		f.giveUp(false)
	}
}

// first is the segment's first n bytes.
func (s segment) first(n int) segment {
	s.missing = max(0, min(s.missing, n-len(s.data)))
	s.data = s.data[:min(n, len(s.data))]
	return s
}

// after is the segment without its first n bytes.
func (s segment) after(n int) segment {
	cut := min(n, len(s.data))
	s.seq += uint32(n)
	s.data = s.data[cut:]
	s.missing -= n - cut
	return s
}

// overlap compares a waiting segment with a new copy of some of its bytes. The
// copy with a right checksum wins, then the first (contract, When it is whole).
func (f *Flow) overlap(side wire.Side, old, s *segment, at wire.At) {
	off := int(s.seq - old.seq)
	n := max(min(len(old.data)-off, len(s.data)), 0)
	stats := f.table.stats(at)
	stats.Stray += int64(min(int(old.end()-s.seq), len(s.data)) - n) // where the first copy was cut
	if n == 0 {
		return
	}
	if bytes.Equal(old.data[off:off+n], s.data[:n]) {
		stats.Duplicate += int64(n)
		return
	}
	f.conflict(side, n, at)
	if s.sumOK && !old.sumOK {
		stats.Checksum++
		copy(old.data[off:off+n], s.data)
	}
}

// insert puts a copy of s into the queue at i. Without room for it, it is lost.
func (f *Flow) insert(h *half, i int, s segment) {
	if !f.table.budget.Take(int64(len(s.data)) + segmentCost) {
		f.table.stats(s.at).Dropped += int64(len(s.data))
		return
	}
	s.data = bytes.Clone(s.data)
	h.queued += int64(len(s.data))
	h.queue = append(h.queue, segment{})
	copy(h.queue[i+1:], h.queue[i:])
	h.queue[i] = s
}

// ceiling is how much may wait behind the first hole of a side.
func (f *Flow) ceiling(h *half) int64 {
	switch {
	case !h.hasAck || before(h.acked, h.queue[0].seq):
		return queueOpen
	case f.table.many:
		return queueAckedMany
	}
	return queueAcked
}

// pop takes the first waiting segment off.
func (f *Flow) pop(h *half) segment {
	s := h.queue[0]
	h.queue[0] = segment{}
	h.queue = h.queue[1:]
	if len(h.queue) == 0 {
		h.queue = nil
	}
	h.queued -= int64(len(s.data))
	f.table.budget.Give(int64(len(s.data)) + segmentCost)
	return s
}

// discard forgets what waits on a side.
func (f *Flow) discard(h *half) {
	for len(h.queue) > 0 {
		f.stray(f.pop(h))
	}
}

// drain delivers all that is in order now.
func (f *Flow) drain() {
	for progress := true; progress; {
		progress = false
		for side := wire.Side(0); side < 2; side++ {
			for f.ready(side) {
				f.handFirst(side)
				progress = true
			}
			if h := &f.half[side]; !h.ended {
				f.fin(side, f.lastAt)
				progress = progress || h.ended
			}
		}
	}
	f.waiting = f.waiting && len(f.half[0].queue)+len(f.half[1].queue) > 0
}

// ready says whether the first waiting segment of a side may be delivered.
func (f *Flow) ready(side wire.Side) bool {
	h := &f.half[side]
	if len(h.queue) == 0 || h.ended || before(h.next, h.queue[0].seq) {
		return false
	}
	flags := uint8(0)
	if h.queue[0].hasAck {
		flags = packet.ACK
	}
	return f.mayFollow(side, h.queue[0].ack, flags)
}

// handFirst delivers the first waiting segment of a side.
func (f *Flow) handFirst(side wire.Side) {
	h := &f.half[side]
	s := f.pop(h)
	if before(s.seq, h.next) {
		known := min(int(h.next-s.seq), len(s.data)+s.missing)
		f.table.stats(s.at).Duplicate += int64(min(known, len(s.data)))
		s = s.after(known)
	}
	if len(s.data)+s.missing == 0 {
		return
	}
	h.history.keep(s.seq, s.data, s.at.Input)
	f.hand(side, s.seq, s.data, s.missing, s.at, nil)
}

// startWaiting puts the flow on the table's wait list.
func (f *Flow) startWaiting(now model.Time) {
	if f.waiting {
		return
	}
	f.half[0].moved, f.half[1].moved = false, false
	f.waiting, f.since = true, now
	f.table.wait.push(waiter{flow: f, since: now})
}

// timeout ends the waiting of a flow: the time of its first hole is over.
func (f *Flow) timeout() {
	if f.broken {
		f.finish(wire.RST, f.brokenAt)
		return
	}
	f.giveUp(false)
	if len(f.half[0].queue)+len(f.half[1].queue) > 0 {
		f.waiting = false
		f.startWaiting(f.table.now)
	}
}

// giveUp passes on one hole, and delivers what waited behind it. With force,
// nothing more will come. It reports whether anything changed.
func (f *Flow) giveUp(force bool) bool {
	side, ok := f.firstHole()
	if !ok {
		return false
	}
	h, o := &f.half[side], &f.half[side.Other()]
	s := &h.queue[0]
	switch {
	case before(h.next, s.seq):
		if !force && h.moved && !(h.hasAck && !before(h.acked, s.seq)) {
			f.stray(f.pop(h)) // the stream went on without it: it was never part of it
			break
		}
		f.gap(side, s.seq-h.next, s.at)
	case !o.known:
		o.moved = true // one direction only: wait no more
		f.handFirst(side)
	case len(o.queue) > 0 || !f.acknowledges(s, o):
		f.handFirst(side) // each side waits for the other: no real order exists
	default:
		f.gap(side.Other(), s.ack-o.next, s.at)
	}
	f.drain()
	return true
}

// acknowledges says whether s acknowledges bytes of o that were not delivered.
func (f *Flow) acknowledges(s *segment, o *half) bool {
	return s.hasAck && int32(s.ack-o.next) > 0
}

// firstHole is the side whose hole is passed on first: one with a hole of its
// own before one that waits for the other side, then the earlier one.
func (f *Flow) firstHole() (wire.Side, bool) {
	a, b := &f.half[0], &f.half[1]
	switch {
	case len(a.queue) == 0 && len(b.queue) == 0:
		return 0, false
	case len(b.queue) == 0:
		return 0, true
	case len(a.queue) == 0:
		return 1, true
	}
	holeA, holeB := before(a.next, a.queue[0].seq), before(b.next, b.queue[0].seq)
	if holeA != holeB {
		if holeA {
			return 0, true
		}
		return 1, true
	}
	if b.queue[0].at.Time < a.queue[0].at.Time {
		return 1, true
	}
	return 0, true
}

// waiter is a flow that waits since a time. It is stale once the flow waits no
// more, or waits anew.
type waiter struct {
	flow   *Flow
	since  model.Time
	broken bool // it waits for its end after a RST
}

func (w waiter) stale() bool {
	if w.broken {
		return !w.flow.broken || w.flow.brokenAt.Time != w.since || w.flow.ended()
	}
	return !w.flow.waiting || w.flow.since != w.since
}

// waitList holds the waiting flows, the longest waiting first.
type waitList struct {
	all  []waiter
	head int
}

func (l *waitList) push(w waiter) {
	if l.head > 64 && l.head > len(l.all)/2 {
		l.all = append(l.all[:0], l.all[l.head:]...)
		l.head = 0
	}
	l.all = append(l.all, w)
}

// due takes the next flow off whose wait is over.
func (l *waitList) due(now model.Time) *Flow {
	for ; l.head < len(l.all); l.head++ {
		w := l.all[l.head]
		if w.stale() {
			continue
		}
		if now-w.since <= waitTime {
			return nil
		}
		l.head++
		return w.flow
	}
	l.all, l.head = l.all[:0], 0
	return nil
}
