package capture

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"waybill/internal/model"
)

// The names of the formats, as IsCapture gives them.
const (
	PCAP   = "pcap"
	PCAPNG = "pcapng"
)

// IsCapture tells the format from the first bytes of a file, 12 or more of them.
func IsCapture(head []byte) (kind string, ok bool) {
	if _, ok := pcapOf(head); ok {
		return PCAP, true
	}
	if _, ok := sectionOrder(head); ok {
		return PCAPNG, true
	}
	return "", false
}

// Kind is IsCapture for callers that want one value: "" is no capture.
func Kind(head []byte) string {
	kind, _ := IsCapture(head)
	return kind
}

// FirstTime is the time of the first packet that head, the first bytes of a
// capture, holds as a whole and with a time.
func FirstTime(head []byte) (model.Time, bool) {
	r := NewReader(bytes.NewReader(head), NewBlockPool(len(head)+1, 2))
	defer r.Close()
	var b Batch
	defer b.Release()
	for r.Next(&b) == nil {
		for i := range b.Frames {
			if t := b.Frames[i].Time; t != 0 {
				return t, true
			}
		}
		b.Release()
	}
	return 0, false
}

// unknown is the format of a capture whose first bytes were not looked at.
type unknown struct{}

func (unknown) cut(r *Reader, _ *Batch) int {
	const enough = 12
	if len(r.buf) < enough && !r.ended {
		return enough
	}
	if p, ok := pcapOf(r.buf); ok {
		r.format = &p
		return 0
	}
	if _, ok := sectionOrder(r.buf); ok {
		r.format = &pcapng{}
		return 0
	}
	if r.err == nil {
		r.lost(0, 0, "the first bytes are those of no pcap or pcapng capture")
		r.done = true
		return 0
	}
	r.finish("")
	return 0
}

func (unknown) credible([]byte, bool) int { return 0 }

// endian is a byte order that is only known at run time; the zero value is little-endian.
type endian struct{ big bool }

func (e endian) u16(b []byte) uint16 {
	v := binary.LittleEndian.Uint16(b)
	if e.big {
		return bits.ReverseBytes16(v)
	}
	return v
}

func (e endian) u32(b []byte) uint32 {
	v := binary.LittleEndian.Uint32(b)
	if e.big {
		return bits.ReverseBytes32(v)
	}
	return v
}

func (e endian) u64(b []byte) uint64 {
	v := binary.LittleEndian.Uint64(b)
	if e.big {
		return bits.ReverseBytes64(v)
	}
	return v
}
