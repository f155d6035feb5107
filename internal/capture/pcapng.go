package capture

import "fmt"

// Block types of draft-ietf-opsawg-pcapng, section 11.1.
const (
	sectionHeader        = 0x0A0D0D0A
	interfaceDescription = 1
	packetBlock          = 2 // obsolete, but old files have it
	simplePacket         = 3
	enhancedPacket       = 6
)

const (
	byteOrderMagic = 0x1A2B3C4D
	blockFrame     = 12      // type, length, and the length again at the end
	maxInterfaces  = 1 << 16 // of a section
)

// pcapng reads blocks: type, total length, body, total length again. A section
// header starts a new byte order and a new list of interfaces.
type pcapng struct {
	endian
	interfaces []netInterface
	nameless   int // 1 + the damage that counts this section's packets of unknown interfaces; 0 for none
}

// netInterface is what an interface description block says.
type netInterface struct {
	link    LinkType
	snaplen uint32
	clock   clock
}

// sectionOrder tells the byte order of the section that starts at b.
func sectionOrder(b []byte) (endian, bool) {
	if len(b) < blockFrame || (endian{}).u32(b) != sectionHeader {
		return endian{}, false
	}
	for _, e := range [...]endian{{false}, {true}} {
		if e.u32(b[8:]) == byteOrderMagic {
			return e, true
		}
	}
	return endian{}, false
}

func (p *pcapng) cut(r *Reader, b *Batch) (want int) {
	for len(b.Frames) < maxBatch && !r.done {
		if r.hole.open {
			return r.seek()
		}
		buf := r.buf[r.pos:]
		if len(buf) < blockFrame {
			return r.short(blockFrame, "the capture ends inside the header of a block")
		}
		order := p.endian
		if e, ok := sectionOrder(buf); ok {
			order = e
		}
		stated := order.u32(buf[4:])
		if stated < blockFrame || stated > maxRecord {
			r.lose(0, fmt.Sprintf("no block can be %d bytes long", stated))
			continue
		}
		size := int(stated+3) &^ 3 // some writers leave the padding out of the length
		if len(buf) < size {
			if !r.ended {
				return size
			}
			p.truncated(r, stated)
			continue
		}
		if order.u32(buf[size-4:]) != stated {
			r.lose(r.offset()+int64(size), fmt.Sprintf("a block's two lengths differ (%d and %d)", stated, order.u32(buf[size-4:])))
			continue
		}
		p.block(r, b, order, buf[:size])
		r.pos += size
	}
	return 0
}

// truncated is the pcapng side of what pcap.truncated does.
func (p *pcapng) truncated(r *Reader, stated uint32) {
	q := r.find(r.pos+1, len(r.buf), len(r.buf)+1)
	if q < 0 {
		r.finish(fmt.Sprintf("the capture ends inside a block of %d bytes", stated))
		return
	}
	r.lost(r.offset(), int64(q-r.pos), "the length of a block is damaged")
	r.pos = q
}

// block takes one whole block; one of a type that carries no packet is passed over.
func (p *pcapng) block(r *Reader, b *Batch, order endian, buf []byte) {
	body := buf[8 : len(buf)-4]
	switch order.u32(buf) {
	case sectionHeader:
		p.endian = order
		p.interfaces = p.interfaces[:0]
		p.nameless = 0
	case interfaceDescription:
		p.describe(r, body)
	case enhancedPacket:
		p.enhanced(r, b, body)
	case packetBlock:
		p.obsolete(r, b, body)
	case simplePacket:
		p.simple(r, b, body)
	}
}

// reject notes a packet block that is well framed but cannot be read.
func (p *pcapng) reject(r *Reader, body []byte, cause string) {
	r.lost(r.offset(), int64(len(body)+blockFrame), cause)
}

func (p *pcapng) describe(r *Reader, body []byte) {
	if len(body) < 8 || len(p.interfaces) == maxInterfaces {
		p.reject(r, body, "an interface description cannot be read")
		return
	}
	p.interfaces = append(p.interfaces, netInterface{
		link:    LinkType(p.u16(body)),
		snaplen: p.u32(body[4:]),
		clock:   clockOf(p.endian, body[8:]),
	})
}

func (p *pcapng) enhanced(r *Reader, b *Batch, body []byte) {
	if len(body) < 20 {
		p.reject(r, body, "a packet block is too short")
		return
	}
	p.packet(r, b, p.u32(body), body[4:], body)
}

func (p *pcapng) obsolete(r *Reader, b *Batch, body []byte) {
	if len(body) < 20 {
		p.reject(r, body, "a packet block is too short")
		return
	}
	p.packet(r, b, uint32(p.u16(body)), body[4:], body)
}

// packet reads what both packet blocks share: stamp, captured length, length, bytes.
func (p *pcapng) packet(r *Reader, b *Batch, id uint32, rest, body []byte) {
	if int64(id) >= int64(len(p.interfaces)) {
		p.orphan(r, body, id)
		return
	}
	caplen, data := p.u32(rest[8:]), rest[16:]
	if caplen > MaxFrame || int(caplen) > len(data) {
		p.reject(r, body, fmt.Sprintf("a packet of %d bytes in a block of %d", caplen, len(body)+blockFrame))
		return
	}
	i := &p.interfaces[id]
	ticks := uint64(p.u32(rest))<<32 | uint64(p.u32(rest[4:]))
	r.frame(b, i.clock.time(ticks), data[:caplen:caplen], p.u32(rest[12:]), i.link)
}

// orphan notes packets of interfaces that no block describes, once a section.
func (p *pcapng) orphan(r *Reader, body []byte, id uint32) {
	if p.nameless > 0 {
		r.damages[p.nameless-1].Skipped += int64(len(body) + blockFrame)
		return
	}
	p.reject(r, body, fmt.Sprintf("packets of interface %d, which no block describes", id))
	p.nameless = len(r.damages)
}

func (p *pcapng) simple(r *Reader, b *Batch, body []byte) {
	if len(body) < 4 {
		p.reject(r, body, "a packet block is too short")
		return
	}
	if len(p.interfaces) == 0 {
		p.orphan(r, body, 0)
		return
	}
	i := &p.interfaces[0]
	length := p.u32(body)
	caplen := min(int64(length), int64(len(body)-4), MaxFrame)
	if i.snaplen > 0 {
		caplen = min(caplen, int64(i.snaplen))
	}
	r.frame(b, 0, body[4:4+caplen:4+caplen], length, i.link)
}

// credible takes blocks whose two lengths agree; a chain starts only with one
// of a packet, an interface or a section.
func (p *pcapng) credible(buf []byte, first bool) int {
	if len(buf) < blockFrame {
		return 0
	}
	order := p.endian
	e, section := sectionOrder(buf)
	if section {
		order = e
	}
	switch kind := order.u32(buf); {
	case section, kind == enhancedPacket, kind == interfaceDescription, kind == packetBlock, kind == simplePacket:
	case first || kind == 0 || kind > 0x0FFFFFFF && kind != 0x40000BAD:
		return 0
	}
	size := order.u32(buf[4:])
	if size < blockFrame || size > maxCredible || size&3 != 0 || int(size) > len(buf) {
		return 0
	}
	if order.u32(buf[size-4:]) != size {
		return 0
	}
	return int(size)
}
