package synth

import (
	"bufio"
	"encoding/binary"
	"io"
	"math/bits"

	"waybill/internal/model"
)

// PCAPNGOptions chooses among the forms of the pcapng format.
type PCAPNGOptions struct {
	BigEndian bool
	// Resolutions are the if_tsresol values of the interfaces, in turn; none is
	// microseconds without the option. 9 is nanoseconds, 0x80|n is 2^-n seconds.
	// Finer than 10 does not fit 64 bits since 1970.
	Resolutions  []uint8
	SectionEvery int    // frames a section; 0 is one section for all
	Comment      string // on every packet
	UnknownEvery int    // a block of an unknown type before every n-th packet; 0 is none
}

// PCAPNG writes a pcapng file (draft-ietf-opsawg-pcapng). Each pair of link type and
// tap is an interface of the section.
type PCAPNG struct {
	w          *bufio.Writer
	o          PCAPNGOptions
	order      binary.ByteOrder
	interfaces []ngInterface // of this section
	frames     int
	block      []byte
}

type ngInterface struct {
	link uint16
	tap  int
}

// The block types of pcapng.
const (
	ngSection   = 0x0A0D0D0A
	ngDescribes = 1
	ngPacket    = 6
	ngUnknown   = 0x0000_7ABC
)

// NewPCAPNG makes a writer.
func NewPCAPNG(w io.Writer, o PCAPNGOptions) *PCAPNG {
	return &PCAPNG{w: bufio.NewWriterSize(w, writeBuffer), o: o, order: byteOrder(o.BigEndian)}
}

// Frame writes one frame.
func (p *PCAPNG) Frame(f Frame) error {
	if p.frames == 0 || p.o.SectionEvery > 0 && p.frames%p.o.SectionEvery == 0 {
		p.section()
	}
	if p.o.UnknownEvery > 0 && p.frames%p.o.UnknownEvery == 0 {
		p.put(ngUnknown, []byte("a block that readers skip"))
	}
	p.frames++
	i := p.interfaceOf(f)
	stamp := inUnits(f.Time, p.resolution(i))
	b := p.block[:0]
	b = p.u32(b, uint32(i), uint32(stamp>>32), uint32(stamp), uint32(len(f.Data)), uint32(max(f.Len, len(f.Data))))
	b = pad(append(b, f.Data...), 4)
	if p.o.Comment != "" {
		b = p.option(b, 1, []byte(p.o.Comment))
		b = p.option(b, 0, nil)
	}
	p.block = b
	return p.put(ngPacket, b)
}

// Flush writes what is gathered; a file without frames gets a section.
func (p *PCAPNG) Flush() error {
	if p.frames == 0 {
		p.section()
	}
	return p.w.Flush()
}

// section begins a section, of unstated length.
func (p *PCAPNG) section() {
	p.interfaces = p.interfaces[:0]
	b := p.u32(nil, 0x1A2B3C4D)
	b = p.u16(b, 1, 0)
	p.put(ngSection, p.u32(b, 0xFFFFFFFF, 0xFFFFFFFF))
}

// interfaceOf gives the frame's interface, described before its first frame.
func (p *PCAPNG) interfaceOf(f Frame) int {
	want := ngInterface{f.Link, f.Tap}
	for i, have := range p.interfaces {
		if have == want {
			return i
		}
	}
	i := len(p.interfaces)
	p.interfaces = append(p.interfaces, want)
	b := p.u16(nil, f.Link, 0)
	b = p.u32(b, snapLen)
	if len(p.o.Resolutions) > 0 {
		b = p.option(b, 9, []byte{p.resolution(i)})
		b = p.option(b, 0, nil)
	}
	p.put(ngDescribes, b)
	return i
}

func (p *PCAPNG) resolution(i int) uint8 {
	if len(p.o.Resolutions) == 0 {
		return 6
	}
	return p.o.Resolutions[i%len(p.o.Resolutions)]
}

// inUnits is t in units of an if_tsresol, rounded down.
func inUnits(t model.Time, resolution uint8) uint64 {
	if n := resolution & 0x7F; resolution&0x80 != 0 {
		hi, lo := bits.Mul64(uint64(t), 1<<n)
		q, _ := bits.Div64(hi, lo, 1e9)
		return q
	}
	units := uint64(t)
	for ; resolution < 9; resolution++ {
		units /= 10
	}
	for ; resolution > 9; resolution-- {
		units *= 10
	}
	return units
}

// put writes one block.
func (p *PCAPNG) put(kind uint32, body []byte) error {
	padding := -len(body) & 3
	size := uint32(12 + len(body) + padding)
	p.w.Write(p.u32(nil, kind, size))
	p.w.Write(body)
	p.w.Write(make([]byte, padding))
	_, err := p.w.Write(p.u32(nil, size))
	return err
}

func (p *PCAPNG) option(b []byte, code uint16, value []byte) []byte {
	b = p.u16(b, code, uint16(len(value)))
	return pad(append(b, value...), 4)
}

func (p *PCAPNG) u16(b []byte, vs ...uint16) []byte {
	for _, v := range vs {
		b = append(b, 0, 0)
		p.order.PutUint16(b[len(b)-2:], v)
	}
	return b
}

func (p *PCAPNG) u32(b []byte, vs ...uint32) []byte {
	for _, v := range vs {
		b = append(b, 0, 0, 0, 0)
		p.order.PutUint32(b[len(b)-4:], v)
	}
	return b
}
