package capture

import (
	"fmt"

	"waybill/internal/model"
)

// pcap is the classic format of libpcap, draft-ietf-opsawg-pcap: a file header
// of 24 bytes, then records of a 16-byte header (seconds, fraction, captured
// length, length) and the captured bytes.
type pcap struct {
	endian
	header int    // bytes of a record header
	tick   uint32 // nanoseconds in one unit of a stamp's fraction
	link   LinkType
	opened bool   // the file header was read
	last   uint32 // seconds of the last record
	near   uint32 // seconds of the last record whose neighbour agreed with it; 0 before
}

const pcapFileHeader = 24

// pcapOf gives the variant that the magic number at the start of head stands for.
func pcapOf(head []byte) (pcap, bool) {
	if len(head) < 4 {
		return pcap{}, false
	}
	for _, big := range [...]bool{false, true} {
		e := endian{big}
		switch e.u32(head) {
		case 0xA1B2C3D4:
			return pcap{endian: e, header: 16, tick: 1000}, true
		case 0xA1B23C4D:
			return pcap{endian: e, header: 16, tick: 1}, true
		case 0xA1B2CD34: // Kuznetzov's patch: interface, protocol and packet type follow
			return pcap{endian: e, header: 24, tick: 1000}, true
		}
	}
	return pcap{}, false
}

// stamp is a record header.
type stamp struct{ sec, frac, caplen, length uint32 }

func (p *pcap) stamp(b []byte) stamp {
	return stamp{p.u32(b), p.u32(b[4:]), p.u32(b[8:]), p.u32(b[12:])}
}

// possible is asked of every record: it lets pass what writers are known to get
// wrong (fractions over a second, a length under the captured one), but neither
// a length that cannot be nor the zeros of a file that was never filled.
func (s stamp) possible() bool {
	return s.caplen <= MaxFrame && s != stamp{}
}

// String says what is wrong with a header.
func (s stamp) String() string {
	if s == (stamp{}) {
		return "zeros where a packet should start"
	}
	if s.caplen <= MaxFrame {
		return "no header of a packet where one should be"
	}
	return fmt.Sprintf("no packet can be %d bytes long", s.caplen)
}

func (p *pcap) time(s stamp) model.Time {
	return model.Time(int64(s.sec)*second + int64(s.frac)*int64(p.tick))
}

func (p *pcap) cut(r *Reader, b *Batch) (want int) {
	if !p.opened {
		return p.open(r)
	}
	for len(b.Frames) < maxBatch {
		if r.hole.open {
			return r.seek()
		}
		buf := r.buf[r.pos:]
		if len(buf) < p.header {
			return r.short(p.header, "the capture ends inside the header of a packet")
		}
		s := p.stamp(buf)
		if !s.possible() {
			r.lose(0, s.String())
			continue
		}
		end := p.header + int(s.caplen)
		if len(buf) < end+p.header && !r.ended {
			return end + p.header
		}
		if len(buf) < end {
			p.truncated(r, s)
			continue
		}
		if len(buf) >= end+p.header && !p.follows(s, p.stamp(buf[end:])) {
			if want := p.astray(r, b, s); want > 0 {
				return want
			}
			continue
		}
		p.emit(r, b, s)
	}
	return 0
}

func (p *pcap) open(r *Reader) (want int) {
	if len(r.buf) < pcapFileHeader {
		return r.short(pcapFileHeader, "the capture ends inside its file header")
	}
	// The upper half of the field may hold the length of a frame check sequence.
	p.link = LinkType(p.u32(r.buf[20:]))
	p.opened = true
	r.pos = pcapFileHeader
	return 0
}

// short says that n bytes are needed at pos, or ends the capture.
func (r *Reader) short(n int, cause string) (want int) {
	if !r.ended {
		return n
	}
	r.finish(cause)
	return 0
}

func (p *pcap) emit(r *Reader, b *Batch, s stamp) {
	end := r.pos + p.header + int(s.caplen)
	r.frame(b, p.time(s), r.buf[r.pos+p.header:end:end], s.length, p.link)
	r.pos = end
	if within(s.sec, p.last) {
		p.near = s.sec
	}
	p.last = s.sec
}

// truncated handles a record that would go on after the end of the capture:
// nearly always the file was cut, but if records end exactly where the file
// does, it was the length that was damaged.
func (p *pcap) truncated(r *Reader, s stamp) {
	q := r.find(r.pos+1, len(r.buf), len(r.buf)+1)
	if q < 0 {
		r.finish(fmt.Sprintf("the capture ends inside a packet of %d bytes", s.caplen))
		return
	}
	r.lost(r.offset(), int64(q-r.pos), "the length of a packet is damaged")
	r.pos = q
}

// follows says whether next looks like the header after that of s. Odd writers
// and pauses fail here too, which costs a closer look.
func (p *pcap) follows(s, next stamp) bool {
	return next.possible() && next.caplen <= next.length &&
		uint64(next.frac)*uint64(p.tick) < second && within(next.sec, s.sec)
}

// astray handles a record that is not followed as it should be. If records go
// on before its end, its length is damaged and it is left out. Else it is good,
// and what follows it is either odd or damage.
func (p *pcap) astray(r *Reader, b *Batch, s stamp) (want int) {
	size := p.header + int(s.caplen)
	if len(r.buf)-r.pos < size+lookAhead && !r.ended {
		return 2 * (size + lookAhead) // twice, so that many odd records share one fill
	}
	end := r.pos + size
	if q := r.find(r.pos+1, end, end); q >= 0 {
		r.lost(r.offset(), int64(q-r.pos), "the length of a packet is damaged")
		r.pos = q
		return 0
	}
	p.emit(r, b, s)
	if !p.goesOn(r) {
		next := p.stamp(r.buf[r.pos:])
		r.lose(p.claim(r, next), next.String())
	}
	return 0
}

// claim is the offset at which the record at r.pos says that it ends; 0 if that cannot be.
func (p *pcap) claim(r *Reader, s stamp) int64 {
	if !s.possible() {
		return 0
	}
	return r.offset() + int64(p.header) + int64(s.caplen)
}

// goesOn says whether headers that are at least possible go on at r.pos, up to
// the cut end of the capture if need be.
func (p *pcap) goesOn(r *Reader) bool {
	at := r.pos
	for range chainMin {
		if len(r.buf)-at < p.header {
			return r.ended
		}
		s := p.stamp(r.buf[at:])
		if !s.possible() {
			return false
		}
		at += p.header + int(s.caplen)
	}
	return true
}

// Seconds that neighbours may be apart, and the years 1990 to 2100, between
// which a stamp after damage must lie where no good one came before.
const (
	nearby   = 30 * 86400
	earliest = 631152000
	latest   = 4102444800
)

func (p *pcap) credible(buf []byte, _ bool) int {
	if len(buf) < p.header {
		return 0
	}
	s := p.stamp(buf)
	if s.caplen == 0 || s.caplen > MaxFrame || s.length < s.caplen || s.length > maxRecord {
		return 0
	}
	if uint64(s.frac)*uint64(p.tick) >= second || !p.timely(s.sec) {
		return 0
	}
	return p.header + int(s.caplen)
}

func (p *pcap) timely(sec uint32) bool {
	if p.near == 0 {
		return sec >= earliest && sec < latest
	}
	return within(sec, p.near)
}

func within(a, b uint32) bool {
	return a-b+nearby <= 2*nearby // unsigned: wraps around where a is before b
}
