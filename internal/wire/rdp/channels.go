package rdp

import (
	"bytes"
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
	pieceHead  = 8
	pieceFirst = 0x1
	pieceLast  = 0x2
)

// The two channels that files cross (MS-RDPECLIP 1.3, MS-RDPEFS 2.1).
const (
	clipboardChannel = "cliprdr"
	devicesChannel   = "rdpdr"
)

// maxPart bounds a message of a channel: file data come in messages of 4 KiB to 16
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

// known says whether an id is of a channel of this session.
func (d *conn) known(id uint16) bool { return id == d.screen && id != 0 || d.channelOf(id) != "" }

// channelOf is the name of a static virtual channel.
func (d *conn) channelOf(id uint16) string {
	for i, x := range d.channelIDs {
		if x == id && i < len(d.channels) {
			return d.channels[i]
		}
	}
	return ""
}

// mcs takes one MCS packet (T.125 7, with the PER of MS-RDPBCGR 2.2.8.1.1).
func (d *conn) mcs(from wire.Side, b []byte, c wire.Chunk) {
	switch {
	case int(from) == d.client && d.name == "" && bytes.HasPrefix(b, connectInitial):
		d.clientData(b)
		return
	case int(from) != d.client && d.channelIDs == nil && bytes.HasPrefix(b, connectResponse):
		d.serverData(b)
		return
	case d.channelIDs == nil || len(b) < 8 || b[0] != sendDataRequest && b[0] != sendDataIndication:
		return
	}
	id := binary.BigEndian.Uint16(b[3:])
	at := 7
	if b[6]&0x80 != 0 {
		at = 8
	}
	name := d.channelOf(id)
	files := name == clipboardChannel || name == devicesChannel
	switch body := b[at:]; {
	case d.method != 0 && files:
		d.halves[from].moved += int64(max(0, len(body)-pieceHead-securityHead(d.method)))
	case d.method != 0:
	case id == d.screen:
		d.shared(from, body)
	case name != "" && len(body) >= pieceHead:
		data, ok := d.plain(from, byte(binary.LittleEndian.Uint32(body[4:])>>16), body[pieceHead:])
		if files {
			d.piece(name, channelSide{id, from}, body[:pieceHead], data, ok, c)
		}
	}
}

// securityHead is what encryption puts before each packet (MS-RDPBCGR 2.2.8.1.1.2.2,
// 2.2.8.1.1.2.3).
func securityHead(method uint32) int {
	if methods[method] == "FIPS" {
		return 16
	}
	return 12
}

// piece takes one piece of a channel's data behind its header; data are not to be had
// where ok is false.
func (d *conn) piece(name string, key channelSide, head, data []byte, ok bool, c wire.Chunk) {
	size, flags := int(binary.LittleEndian.Uint32(head)), binary.LittleEndian.Uint32(head[4:])
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
	n := int64(len(data))
	if p.skip = p.skip || !ok || n > 0 && (len(p.b) >= p.size || !d.p.env.Budget().Take(n)); !p.skip {
		p.charged += n
		p.b = append(p.b, data...)
	}
	if flags&pieceLast == 0 {
		return
	}
	delete(d.parts, key)
	if p.skip || len(p.b) < p.size {
		d.missed()
	} else {
		d.message(name, key.from, p.b, c)
	}
	d.p.env.Budget().Give(p.charged)
}

// message takes a whole message of a channel.
func (d *conn) message(name string, from wire.Side, b []byte, c wire.Chunk) {
	if name == clipboardChannel {
		if d.clip == nil {
			d.clip = &clipboard{d: d}
		}
		d.clip.message(from, b, c)
		return
	}
	if d.drives == nil {
		d.drives = newDrives(d)
	}
	d.drives.message(from, b, c)
}

// lostData notes that bytes of a side were lost.
func (d *conn) lostData(from wire.Side) {
	for k, p := range d.parts {
		if k.from == from {
			p.skip = true
		}
	}
	d.missed()
}

// missed notes that a message was not read.
func (d *conn) missed() {
	if d.drives != nil {
		d.drives.lost = true
	}
	if d.clip != nil {
		d.clip.lost = true
	}
}
