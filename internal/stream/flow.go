package stream

import (
	"waybill/internal/content"
	"waybill/internal/model"
	"waybill/internal/packet"
	"waybill/internal/wire"
)

// Flow is one TCP connection or UDP flow.
type Flow struct {
	Conn wire.Conn

	table *Table
	dec   wire.Decoder
	half  [2]half

	proto      uint8
	v4         bool
	key4       key4
	key6       key6
	prev, next *Flow
	seen       model.Time // the last packet
	lastAt     wire.At

	// Tag is whatever the opener wants to remember.
	Tag     int
	carried carried
	holes   holes

	broken   bool // a RST was seen; it holds unless its sender goes on
	brokenBy wire.Side
	brokenAt wire.At

	datagrams *datagrams // of UDP, where several inputs are read

	waiting bool       // in the table's wait list
	since   model.Time // when it began to wait
}

// half is the bytes of one side.
type half struct {
	first    uint32 // sequence number of the first byte
	next     uint32 // of the next byte to deliver
	known    bool   // both are set
	acked    uint32 // the other side's last acknowledgement of these bytes
	hasAck   bool
	firstAck uint32 // the first of them
	seen     bool   // any packet of this side
	fin      bool   // a FIN was seen, at finSeq
	finSeq   uint32
	ended    bool
	moved    bool // bytes were delivered since the flow began to wait
	queue    []segment
	queued   int64
	history  history
}

// SetDecoder gives the rest of the flow to another decoder.
func (f *Flow) SetDecoder(d wire.Decoder) { f.dec = d }

// Last is the flow's last packet.
func (f *Flow) Last() wire.At { return f.lastAt }

// ended says whether both sides are over.
func (f *Flow) ended() bool { return f.half[0].ended && f.half[1].ended }

// over says whether nothing more is expected of the flow.
func (f *Flow) over() bool { return f.broken || f.ended() }

func (f *Flow) sideOf(p *packet.Packet) (wire.Side, bool) {
	a, b := &f.Conn.Ends[0], &f.Conn.Ends[1]
	if p.SrcPort == a.Port && p.DstPort == b.Port && p.Src == a.Addr && p.Dst == b.Addr {
		return 0, true
	}
	if p.SrcPort == b.Port && p.DstPort == a.Port && p.Src == b.Addr && p.Dst == a.Addr {
		return 1, true
	}
	return 0, false
}

// before says whether sequence number a lies before b (RFC 9293, 3.4).
func before(a, b uint32) bool { return int32(a-b) < 0 }

// start takes the sequence numbers of a flow's first packet.
func (f *Flow) start(p *packet.Packet, side wire.Side) {
	if f.Conn.UDP {
		f.Conn.FromStart = [2]bool{true, true}
		return
	}
	if p.Flags&packet.SYN == 0 {
		return
	}
	f.Conn.Opened = true
	if p.Flags&packet.ACK != 0 {
		// A SYN-ACK acknowledges the opener's SYN and nothing more.
		f.half[side.Other()].begin(p.Ack)
		f.Conn.FromStart[side.Other()] = true
	}
}

func (h *half) begin(seq uint32) { h.first, h.next, h.known = seq, seq, true }

// replacedBy says whether p opens a new connection on the same ports.
func (f *Flow) replacedBy(p *packet.Packet, side wire.Side) bool {
	h := &f.half[side]
	if f.Conn.UDP || !h.known {
		return false
	}
	if p.Flags&packet.SYN == 0 {
		// Data far behind the end of a closed connection belong to another one.
		return f.over() && p.Len > 0 && int32(p.Seq-h.next) > 1<<20
	}
	first := p.Seq + 1
	if first == h.first {
		return false
	}
	if f.over() {
		return true
	}
	// Among the bytes already delivered, or shortly before the first byte of a
	// flow that was joined late, a SYN is a late copy or a forgery.
	known := !before(first, h.first) && before(first, h.next)
	late := !f.Conn.FromStart[side] && before(first, h.first) && !before(first, h.first-queueAcked)
	return !known && !late
}

// segment takes one TCP segment of a side.
func (f *Flow) segment(p *packet.Packet, side wire.Side, at wire.At, block content.Block) {
	f.lastAt = at
	h, o := &f.half[side], &f.half[side.Other()]
	h.seen = true
	if p.Flags&packet.ACK != 0 {
		if !o.hasAck {
			o.firstAck = p.Ack
		}
		o.acked, o.hasAck = p.Ack, true
	}
	seq := p.Seq
	if p.Flags&packet.SYN != 0 {
		seq++
		f.syn(h, side, seq)
	}
	if p.Flags&packet.RST != 0 {
		f.aside(h, p, seq, at)
		f.reset(side, p, at)
		return
	}
	if h.ended || f.broken && !f.goesOn(p, side, seq) {
		f.aside(h, p, seq, at)
		return
	}
	if !h.known {
		if p.Len == 0 && p.Flags&packet.FIN == 0 {
			return
		}
		h.begin(seq)
	}
	if p.Flags&packet.FIN != 0 && !h.fin {
		h.fin, h.finSeq = true, seq+uint32(p.Len)
	}
	if p.Len > 0 {
		f.data(p, seq, side, at, block)
	}
	f.fin(side, at)
	if len(h.queue)+len(o.queue) > 0 {
		f.drain()
	}
}

// syn notes where the bytes of a side begin.
func (f *Flow) syn(h *half, side wire.Side, seq uint32) {
	if h.known && h.next != seq {
		return // a late copy
	}
	h.begin(seq)
	f.Conn.FromStart[side] = true
}

// data delivers a segment or lets it wait.
func (f *Flow) data(p *packet.Packet, seq uint32, side wire.Side, at wire.At, block content.Block) {
	h := &f.half[side]
	if seq == h.next && len(h.queue) == 0 && f.mayFollow(side, p.Ack, p.Flags) {
		f.deliver(side, seq, p, at, block)
		return
	}
	payload, missing := p.Payload, p.Len-len(p.Payload)
	if before(seq, h.next) {
		old := min(int(h.next-seq), p.Len)
		f.compare(side, p, seq, min(old, len(payload)), at)
		payload = payload[min(old, len(payload)):]
		seq += uint32(old)
		if len(payload)+missing == 0 || old == p.Len {
			return
		}
		missing = p.Len - old - len(payload)
		if len(h.queue) == 0 && f.mayFollow(side, p.Ack, p.Flags) {
			f.hand(side, seq, payload, missing, at, block)
			return
		}
	}
	f.enqueue(p, seq, payload, missing, side, at)
}

// mayFollow says whether data with this acknowledgement may be delivered: all
// that it acknowledges was.
func (f *Flow) mayFollow(side wire.Side, ack uint32, flags uint8) bool {
	if flags&packet.ACK == 0 {
		return true
	}
	o := &f.half[side.Other()]
	if !o.known {
		// Nothing was seen of the other side. Another sensor may bring it.
		return !f.table.many || o.moved
	}
	ahead := int32(ack - o.next)
	return ahead <= 0 || o.ended || ahead > farAhead
}

// deliver gives a segment that is next in order to the decoder.
func (f *Flow) deliver(side wire.Side, seq uint32, p *packet.Packet, at wire.At, block content.Block) {
	h := &f.half[side]
	h.history.add(seq, p, at.Input, f.table.epoch)
	f.hand(side, seq, p.Payload, p.Len-len(p.Payload), at, block)
}

// hand gives bytes to the decoder, and word of those that the snap length cut.
func (f *Flow) hand(side wire.Side, seq uint32, b []byte, missing int, at wire.At, block content.Block) {
	h := &f.half[side]
	h.moved = true
	if len(b) > 0 {
		h.next = seq + uint32(len(b))
		f.count(at, len(b))
		f.dec.Data(side, wire.Chunk{Data: b, Seq: seq, At: at, Block: block})
	}
	if missing > 0 {
		f.table.stats(at).Snapped += int64(missing)
		f.passOn(side, uint32(missing), at)
	}
}

// gap passes on that the next n bytes of a side were in no packet.
func (f *Flow) gap(side wire.Side, n uint32, at wire.At) {
	if f.half[side].seen {
		f.table.stats(at).Lost += int64(n)
	} else {
		f.table.stats(at).OneWay += int64(n)
	}
	f.holes.add(side, f.half[side].next, n)
	f.passOn(side, n, at)
}

func (f *Flow) passOn(side wire.Side, n uint32, at wire.At) {
	f.half[side].next += n
	f.table.stats(at).Gaps++
	f.dec.Gap(side, int64(n), at)
}

// fin ends a side whose last byte was delivered.
func (f *Flow) fin(side wire.Side, at wire.At) {
	h := &f.half[side]
	if !h.fin || h.ended || before(h.next, h.finSeq) {
		return
	}
	h.next = h.finSeq + 1 // a FIN takes one sequence number
	f.end(side, wire.FIN, at)
}

func (f *Flow) end(side wire.Side, how wire.Ending, at wire.At) {
	h := &f.half[side]
	if h.ended {
		return
	}
	h.ended = true
	f.discard(h)
	f.dec.End(side, how, at)
	if f.ended() {
		h.history.entries, f.half[side.Other()].history.entries = nil, nil
	}
}

// reset breaks the flow off. A RST whose number is out of place is none. One
// that its receiver ignored (for a wrong option or checksum, RFC 5925 7.3) shows
// in that its sender goes on; so the end waits for a moment.
func (f *Flow) reset(side wire.Side, p *packet.Packet, at wire.At) {
	h := &f.half[side]
	if h.known && (before(p.Seq, h.next-1) || before(h.next+farAhead, p.Seq)) && p.Seq != 0 {
		return
	}
	if f.over() {
		return
	}
	f.broken, f.brokenBy, f.brokenAt = true, side, at
	f.table.wait.push(waiter{flow: f, since: at.Time, broken: true})
}

// goesOn says whether the sender of a RST sends the byte that is next, as if
// there had been none.
func (f *Flow) goesOn(p *packet.Packet, side wire.Side, seq uint32) bool {
	if side != f.brokenBy || p.Len == 0 || seq != f.half[side].next {
		return false
	}
	f.broken = false
	return true
}

// finish ends what has not ended. What waits is delivered around its holes.
func (f *Flow) finish(how wire.Ending, at wire.At) {
	if f.broken {
		how, at = wire.RST, f.brokenAt
	}
	if f.Conn.UDP {
		f.end(0, how, at)
		f.end(1, how, at)
		return
	}
	for !f.ended() && len(f.half[0].queue)+len(f.half[1].queue) > 0 {
		if !f.giveUp(true) {
			break
		}
	}
	for side := wire.Side(0); side < 2; side++ {
		f.lastAcked(side, at)
		f.unheard(side, at)
		f.fin(side, at)
	}
	f.end(0, how, at)
	f.end(1, how, at)
}

// lastAcked passes on a hole at the end of a side: bytes that the other side
// acknowledged, or that a FIN follows, and that were never seen.
func (f *Flow) lastAcked(side wire.Side, at wire.At) {
	h := &f.half[side]
	if h.ended || !h.known {
		return
	}
	end := h.next
	if h.hasAck && int32(h.acked-end) > 0 && int32(h.acked-end) < farAhead {
		end = h.acked
	}
	if h.fin && int32(h.finSeq-h.next) >= 0 && int32(end-h.finSeq) > 0 {
		end = h.finSeq
	}
	if n := end - h.next; n > 0 && !(n == 1 && !h.fin) {
		f.gap(side, n, at)
	}
}
