package rdp

import (
	"encoding/binary"

	"waybill/internal/wire"
)

// The MCS packets that carry channels (ITU-T T.125 10), by their first byte.
const (
	sendDataRequest    = 0x64
	sendDataIndication = 0x68
)

// Flags of a piece of a channel's data (MS-RDPBCGR 2.2.6.1.1).
const (
	pieceFirst      = 0x1
	pieceLast       = 0x2
	pieceCompressed = 0x200000
)

// maxPart bounds a message of a channel: file data come in pieces of 64 KiB to 16
// MiB.
const maxPart = 20 << 20

type channelSide struct {
	id   uint16
	from wire.Side
}

// part is a message of a channel that has not all come.
type part struct {
	b       []byte
	size    int
	skip    bool // something of it was lost or cannot be read
	charged int64
}

// mcs takes one MCS packet (T.125 7, with the PER of MS-RDPBCGR 2.2.8.1.1).
func (d *conn) mcs(from wire.Side, b []byte, c wire.Chunk) {
	if d.channelIDs == nil || d.method != 0 || len(b) < 8 || b[0] != sendDataRequest && b[0] != sendDataIndication {
		return
	}
	id := binary.BigEndian.Uint16(b[3:])
	name := ""
	for i, x := range d.channelIDs {
		if x == id && i < len(d.channels) {
			name = d.channels[i]
		}
	}
	if name != "cliprdr" && name != "rdpdr" {
		return
	}
	at := 7
	if b[6]&0x80 != 0 {
		at = 8
	}
	if len(b) < at+8 {
		return
	}
	d.piece(name, channelSide{id, from}, b[at:], c)
}

// piece takes one piece of a channel's data.
func (d *conn) piece(name string, key channelSide, b []byte, c wire.Chunk) {
	size, flags := int(binary.LittleEndian.Uint32(b)), binary.LittleEndian.Uint32(b[4:])
	if d.parts == nil {
		d.parts = map[channelSide]*part{}
	}
	p := d.parts[key]
	if p == nil || flags&pieceFirst != 0 {
		if p != nil {
			d.p.env.Budget().Give(p.charged)
		}
		p = &part{size: size, skip: flags&pieceFirst == 0 || size > maxPart}
		d.parts[key] = p
	}
	if flags&pieceCompressed != 0 {
		d.p.env.Blind("compressed-unknown", int64(len(b)-8))
		p.skip = true
	}
	if n := int64(len(b) - 8); !p.skip && d.p.env.Budget().Take(n) {
		p.charged += n
		p.b = append(p.b, b[8:]...)
	} else {
		p.skip = true
	}
	if flags&pieceLast == 0 && len(p.b) < p.size {
		return
	}
	delete(d.parts, key)
	d.p.env.Budget().Give(p.charged)
	if p.skip {
		return
	}
	if name == "cliprdr" {
		if d.clip == nil {
			d.clip = &clipboard{d: d}
		}
		d.clip.message(key.from, p.b, c)
		return
	}
	if d.drives == nil {
		d.drives = &drives{d: d, files: map[fileKey]*redirected{}, waiting: map[ioKey]*ioRequest{}}
	}
	d.drives.message(p.b, c)
}

// lostData notes that bytes of a side were lost.
func (d *conn) lostData(from wire.Side) {
	for k, p := range d.parts {
		if k.from == from {
			p.skip = true
		}
	}
	if d.drives != nil {
		d.drives.lost = true
	}
	if d.clip != nil {
		d.clip.lost = true
	}
}
