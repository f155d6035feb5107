package synth

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// writeBuffer is what the writers gather before they write.
const writeBuffer = 1 << 20

// snapLen is the limit that the written files state.
const snapLen = 262144

// PCAPOptions chooses among the forms of the pcap format.
type PCAPOptions struct {
	Nanos     bool // nanoseconds instead of microseconds
	BigEndian bool
}

// PCAP writes a pcap file (draft-ietf-opsawg-pcap).
type PCAP struct {
	w     *bufio.Writer
	o     PCAPOptions
	order binary.ByteOrder
	link  uint16
	begun bool
}

// NewPCAP makes a writer; the first frame tells the file's link type.
func NewPCAP(w io.Writer, o PCAPOptions) *PCAP {
	return &PCAP{w: bufio.NewWriterSize(w, writeBuffer), o: o, order: byteOrder(o.BigEndian)}
}

func byteOrder(big bool) binary.ByteOrder {
	if big {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// Frame writes one frame. Its link type must be the first one's.
func (p *PCAP) Frame(f Frame) error {
	if !p.begun {
		p.begin(f.Link)
	}
	if f.Link != p.link {
		return fmt.Errorf("pcap holds one link type: this one %d, the frame %d; use pcapng", p.link, f.Link)
	}
	unit := int64(1000)
	if p.o.Nanos {
		unit = 1
	}
	var h [16]byte
	p.order.PutUint32(h[0:], uint32(f.Time/1e9))
	p.order.PutUint32(h[4:], uint32(int64(f.Time)%1e9/unit))
	p.order.PutUint32(h[8:], uint32(len(f.Data)))
	p.order.PutUint32(h[12:], uint32(max(f.Len, len(f.Data))))
	p.w.Write(h[:])
	_, err := p.w.Write(f.Data)
	return err
}

// begin writes the file's header.
func (p *PCAP) begin(link uint16) {
	magic := uint32(0xA1B2C3D4)
	if p.o.Nanos {
		magic = 0xA1B23C4D
	}
	var h [24]byte
	p.order.PutUint32(h[0:], magic)
	p.order.PutUint16(h[4:], 2)
	p.order.PutUint16(h[6:], 4)
	p.order.PutUint32(h[16:], snapLen)
	p.order.PutUint32(h[20:], uint32(link))
	p.w.Write(h[:])
	p.link, p.begun = link, true
}

// Flush writes what is gathered; a file without frames gets its header.
func (p *PCAP) Flush() error {
	if !p.begun {
		p.begin(LinkEthernet)
	}
	return p.w.Flush()
}
