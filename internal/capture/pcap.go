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
	near   uint32 // seconds of the last good record; 0 before the first
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

func (s stamp) String() string {
	if s == (stamp{}) {
		return "zeros where a packet should start"
	}
	return fmt.Sprintf("no packet can be %d bytes long", s.caplen)
}

func (p *pcap) time(s stamp) model.Time {
	return model.Time(int64(s.sec)*1e9 + int64(s.frac)*int64(p.tick))
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
		if len(buf) >= end+p.header && !p.stamp(buf[end:]).possible() {
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
	p.near = s.sec
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

// astray handles a record after which no record can be. If records go on before
// its end, its length is damaged and it is left out; else what follows it is.
func (p *pcap) astray(r *Reader, b *Batch, s stamp) (want int) {
	size := p.header + int(s.caplen)
	if len(r.buf)-r.pos < size+lookAhead && !r.ended {
		return size + lookAhead
	}
	end := r.pos + size
	if q := r.find(r.pos+1, end, end); q >= 0 {
		r.lost(r.offset(), int64(q-r.pos), "the length of a packet is damaged")
		r.pos = q
		return 0
	}
	p.emit(r, b, s)
	return 0
}

// Seconds that a stamp after damage may be away from the last good one, and the
// years 1990 to 2100, between which it must lie where there is no good one.
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
	if uint64(s.frac)*uint64(p.tick) >= 1e9 || !p.timely(s.sec) {
		return 0
	}
	return p.header + int(s.caplen)
}

func (p *pcap) timely(sec uint32) bool {
	if p.near == 0 {
		return sec >= earliest && sec < latest
	}
	return sec-p.near+nearby <= 2*nearby // wraps around below near
}
