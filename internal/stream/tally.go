package stream

import (
	"waybill/internal/packet"
	"waybill/internal/wire"
)

// Stats are the payload bytes of one input that went another way than to a decoder
// in order, and what else was not as it should be. Each byte of a captured payload
// is either carried by a flow or in one of Duplicate, Conflicting, Stray and Dropped.
type Stats struct {
	Duplicate   int64 // bytes seen before: sent again, or seen by another sensor too
	Conflicting int64 // bytes seen before that differ from the first copy
	Stray       int64 // bytes that fit nowhere: behind the end, too late, never part of the stream
	Dropped     int64 // bytes that had no room within the budget
	Snapped     int64 // bytes cut off by the snap length
	Lost        int64 // bytes in no packet
	OneWay      int64 // bytes in no packet, of a side of which none was seen
	Gaps        int64 // holes passed on
	Checksum    int64 // copies set aside for a wrong checksum
	Evicted     int64 // flows forgotten to stay within the budget
}

// Stats are those of one input.
func (t *Table) Stats(input int) Stats { return *t.stats(wire.At{Input: int32(input)}) }

// stats are those of the input of a packet.
func (t *Table) stats(at wire.At) *Stats {
	for int(at.Input) >= len(t.inputs) {
		t.inputs = append(t.inputs, Stats{})
	}
	return &t.inputs[at.Input]
}

// carried counts the bytes that a flow gave to its decoders, by input. Nearly
// every flow is in one input.
type carried struct {
	first inputBytes
	more  []inputBytes
}

type inputBytes struct {
	input int32
	n     int64
}

// count counts bytes for the decoder.
func (f *Flow) count(at wire.At, n int) {
	c := &f.carried
	if c.first.n == 0 {
		c.first.input = at.Input
	}
	if c.first.input == at.Input {
		c.first.n += int64(n)
		return
	}
	for i := range c.more {
		if c.more[i].input == at.Input {
			c.more[i].n += int64(n)
			return
		}
	}
	c.more = append(c.more, inputBytes{at.Input, int64(n)})
}

// Carried gives the bytes that the flow's decoders were given, by input.
func (f *Flow) Carried(each func(input int, n int64)) {
	if f.carried.first.n == 0 {
		return
	}
	each(int(f.carried.first.input), f.carried.first.n)
	for _, m := range f.carried.more {
		each(int(m.input), m.n)
	}
}

// HasData says whether decoders were given anything.
func (f *Flow) HasData() bool { return f.carried.first.n > 0 }

// OneSided says whether no packet of one side was seen.
func (f *Flow) OneSided() bool { return !f.half[0].seen || !f.half[1].seen }

// unheard counts the bytes of a side of which no packet was seen, not even where
// they begin: the other side acknowledged them.
func (f *Flow) unheard(side wire.Side, at wire.At) {
	h := &f.half[side]
	if h.seen || h.known || !h.hasAck {
		return
	}
	if n := int32(h.acked - h.firstAck); n > 1 { // one is the FIN
		f.table.stats(at).OneWay += int64(n)
	}
}

// aside counts the payload of a segment that no decoder gets: late copies, and
// what comes behind the end.
func (f *Flow) aside(h *half, p *packet.Packet, seq uint32, at wire.At) {
	n, old := len(p.Payload), 0
	if h.known && before(seq, h.next) {
		old = min(n, int(h.next-seq))
	}
	f.table.stats(at).Duplicate += int64(old)
	f.table.stats(at).Stray += int64(n - old)
}

// stray counts a waiting segment that is given up.
func (f *Flow) stray(s segment) { f.table.stats(s.at).Stray += int64(len(s.data)) }

// holes remembers the last holes of a flow, to know bytes that come after they were
// given up from bytes sent twice.
type holes struct {
	all  []hole
	next int
}

type hole struct {
	side       wire.Side
	begin, end uint32
}

const holesKept = 16

func (h *holes) add(side wire.Side, begin, n uint32) {
	x := hole{side, begin, begin + n}
	if len(h.all) < holesKept {
		h.all = append(h.all, x)
		return
	}
	h.all[h.next] = x
	h.next = (h.next + 1) % holesKept
}

// within is how many of n bytes lie in holes.
func (h *holes) within(side wire.Side, seq uint32, n int) int {
	sum := 0
	for _, x := range h.all {
		from, to := x.begin, x.end
		if before(from, seq) {
			from = seq
		}
		if end := seq + uint32(n); before(end, to) {
			to = end
		}
		if x.side == side && before(from, to) {
			sum += int(to - from)
		}
	}
	return sum
}
