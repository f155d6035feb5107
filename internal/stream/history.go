package stream

import (
	"bytes"

	"waybill/internal/packet"
	"waybill/internal/wire"
)

// history remembers where the last delivered segments of a side lie, so that a
// later copy can be compared. It holds no bytes: an entry is good while its
// block is, which is historyBlocks blocks long.
type history struct {
	entries []delivered
	at      int // the entry to overwrite next
}

// delivered is one delivered segment.
type delivered struct {
	seq   uint32
	epoch uint32
	owned bool // data are a copy, good for ever
	input int32
	data  []byte
	head  int // bytes of transport header before the payload in data
}

// add remembers a segment that was delivered from its block.
func (h *history) add(seq uint32, p *packet.Packet, input int32, epoch uint32) {
	e := h.slot()
	e.seq, e.epoch, e.input, e.owned = seq, epoch, input, false
	e.data, e.head = p.Segment, len(p.Segment)-len(p.Payload)
}

// keep remembers a segment that waited, which has its own memory.
func (h *history) keep(seq uint32, data []byte, input int32) {
	e := h.slot()
	*e = delivered{seq: seq, owned: true, input: input, data: data}
}

// slot is the entry to write next: flows grow from 2 entries to historyEntries.
func (h *history) slot() *delivered {
	if len(h.entries) < historyEntries && h.at == len(h.entries) {
		if h.at == cap(h.entries) {
			grown := make([]delivered, h.at, max(2, 4*h.at))
			copy(grown, h.entries)
			h.entries = grown
		}
		h.entries = h.entries[:h.at+1]
	}
	e := &h.entries[h.at]
	if h.at++; h.at == historyEntries {
		h.at = 0
	}
	return e
}

// compare looks at a copy of n bytes that were delivered before.
func (f *Flow) compare(side wire.Side, p *packet.Packet, seq uint32, n int, at wire.At) {
	h, stats := &f.half[side], f.table.stats(at)
	late := f.holes.within(side, seq, n)
	stats.Stray += int64(late)
	stats.Duplicate += int64(n - late)
	if p.Len == 1 && seq == h.next-1 {
		return // a keep-alive probe carries a garbage byte (RFC 9293, 3.8.4)
	}
	for i := range h.history.entries {
		e := &h.history.entries[i]
		if e.owned || f.table.epoch-e.epoch < historyBlocks {
			f.compareWith(side, e, p, seq, n, at)
		}
	}
}

// compareWith looks whether the bytes that e and p have in common, if any, are the same.
func (f *Flow) compareWith(side wire.Side, e *delivered, p *packet.Packet, seq uint32, n int, at wire.At) {
	old := e.data[e.head:]
	skipOld, skipNew := 0, 0
	if before(e.seq, seq) {
		skipOld = int(seq - e.seq)
	} else {
		skipNew = int(e.seq - seq)
	}
	if skipOld >= len(old) || skipNew >= n {
		return
	}
	k := min(len(old)-skipOld, n-skipNew)
	if bytes.Equal(old[skipOld:skipOld+k], p.Payload[skipNew:skipNew+k]) {
		return
	}
	f.table.stats(at).Duplicate -= int64(k)
	f.conflict(side, k, at)
	if right, known := p.ChecksumOK(); known && right && !e.owned && e.wrong(p) {
		f.table.stats(at).Checksum++
		f.Conn.Corrupt = true
	}
}

// wrong says whether the delivered copy has a wrong checksum; p is another
// packet of the same direction.
func (e *delivered) wrong(p *packet.Packet) bool {
	q := packet.Packet{Src: p.Src, Dst: p.Dst, Proto: p.Proto, Segment: e.data, SegmentLen: len(e.data)}
	ok, known := q.ChecksumOK()
	return known && !ok
}

// conflict counts bytes that were seen in two differing copies.
func (f *Flow) conflict(side wire.Side, n int, at wire.At) {
	f.Conn.Conflicts[side] += int64(n)
	f.Conn.ConflictAt = at
	f.table.stats(at).Conflicting += int64(n)
}
