package stream

import (
	"encoding/binary"
	"math/bits"

	"waybill/internal/content"
	"waybill/internal/model"
	"waybill/internal/packet"
)

// Bounds of reassembly (RFC 8200, 4.5: 60 s; sensors see a datagram's parts
// within less).
const (
	fragmentTime  = model.Time(30e9)
	maxDatagrams  = 4096
	maxFragments  = 1024 // of one datagram
	datagramLimit = 65535
)

// Fragments puts IP datagrams together. It keeps a bounded number of them and
// gives up on the oldest first; a datagram with a hole is never given out.
type Fragments struct {
	budget  *content.Budget
	pending map[fragmentKey]*datagram
	order   []fragmentKey // oldest first; may name some that are gone
	out     []byte
	Dropped int64 // datagrams that were never complete
	Lost    int64 // bytes in them
	Overlap int64 // bytes seen in differing copies
}

type fragmentKey struct {
	src, dst model.Addr
	proto    uint8
	id       uint32
}

// datagram is one being put together: its bytes and which of them are there,
// in units of 8 bytes (RFC 791, 3.1).
type datagram struct {
	data  []byte
	seen  [datagramLimit/8/64 + 2]uint64
	size  int // -1 until the last fragment was seen
	parts int
	since model.Time
}

// NewFragments makes an empty table that takes its memory from b.
func NewFragments(b *content.Budget) *Fragments {
	return &Fragments{budget: b, pending: map[fragmentKey]*datagram{}}
}

// Add takes a fragment. When it completes its datagram, this comes back with a
// new IP header, good until the next call.
func (f *Fragments) Add(p *packet.Packet, now model.Time) ([]byte, bool) {
	f.expire(now)
	key := fragmentKey{p.Src, p.Dst, p.Proto, p.Fragment.ID}
	d := f.pending[key]
	if d == nil {
		if len(f.pending) == maxDatagrams {
			f.dropOldest()
		}
		d = &datagram{size: -1, since: now}
		f.pending[key] = d
		f.order = append(f.order, key)
	}
	if !f.put(d, &p.Fragment) {
		f.drop(key)
		return nil, false
	}
	if !d.complete() {
		return nil, false
	}
	f.out = rebuild(f.out[:0], p, d.data[:d.size])
	f.remove(key)
	return f.out, true
}

// put copies a fragment's bytes. Where copies differ, the first one wins.
func (f *Fragments) put(d *datagram, part *packet.Fragment) bool {
	end := part.Offset + len(part.Data)
	d.parts++
	if end > datagramLimit || d.parts > maxFragments || part.More && len(part.Data)%8 != 0 {
		return false
	}
	if !part.More {
		if d.size >= 0 && d.size != end {
			return false
		}
		d.size = end
	}
	if d.size >= 0 && (end > d.size || len(d.data) > d.size) {
		return false
	}
	if end > len(d.data) {
		if !f.budget.Take(int64(end - len(d.data))) {
			return false
		}
		d.data = append(d.data, make([]byte, end-len(d.data))...)
	}
	for off := part.Offset; off < end; off += 8 {
		unit := part.Data[off-part.Offset : min(off+8, end)-part.Offset]
		word, bit := off/8/64, uint64(1)<<(off/8%64)
		if d.seen[word]&bit == 0 {
			d.seen[word] |= bit
			copy(d.data[off:], unit)
		} else if string(d.data[off:off+len(unit)]) != string(unit) {
			f.Overlap += int64(len(unit))
		}
	}
	return true
}

func (d *datagram) complete() bool {
	if d.size < 0 || len(d.data) < d.size {
		return false
	}
	for unit := range (d.size + 7) / 8 {
		if d.seen[unit/64]&(1<<(unit%64)) == 0 {
			return false
		}
	}
	return true
}

// have is how many bytes are there.
func (d *datagram) have() (n int64) {
	for _, word := range d.seen {
		n += int64(bits.OnesCount64(word)) * 8
	}
	return min(n, int64(len(d.data)))
}

// Flush drops what is not complete: the input is at its end.
func (f *Fragments) Flush() {
	for _, key := range f.order {
		if f.pending[key] != nil {
			f.drop(key)
		}
	}
	f.order = nil
}

func (f *Fragments) remove(key fragmentKey) {
	if d := f.pending[key]; d != nil {
		f.budget.Give(int64(len(d.data)))
		delete(f.pending, key)
	}
}

func (f *Fragments) drop(key fragmentKey) {
	f.Dropped++
	f.Lost += f.pending[key].have()
	f.remove(key)
}

// expire drops what waited too long.
func (f *Fragments) expire(now model.Time) {
	for len(f.order) > 0 {
		d := f.pending[f.order[0]]
		if d != nil && now-d.since <= fragmentTime {
			return
		}
		if d != nil {
			f.drop(f.order[0])
		}
		f.order = f.order[1:]
	}
}

func (f *Fragments) dropOldest() {
	for len(f.order) > 0 {
		key := f.order[0]
		f.order = f.order[1:]
		if f.pending[key] != nil {
			f.drop(key)
			return
		}
	}
}

// rebuild appends an IP header without fragment fields and the payload.
func rebuild(b []byte, p *packet.Packet, payload []byte) []byte {
	if p.Fragment.V6 {
		b = append(b, 0x60, 0, 0, 0, 0, 0, p.Proto, 64)
		binary.BigEndian.PutUint16(b[4:], uint16(len(payload)))
		b = append(append(b, p.Src[:]...), p.Dst[:]...)
		return append(b, payload...)
	}
	b = append(b, 0x45, 0, 0, 0, 0, 0, 0, 0, 64, p.Proto, 0, 0)
	if total := 20 + len(payload); total <= datagramLimit {
		binary.BigEndian.PutUint16(b[2:], uint16(total))
	}
	b = append(append(b, p.Src[12:]...), p.Dst[12:]...)
	return append(b, payload...)
}
