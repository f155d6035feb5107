package rdp

import (
	"encoding/binary"

	"waybill/internal/model"
	"waybill/internal/wire"
)

const opaqueFrom = 16 << 10 // contract, transfer

type conn struct {
	p      *protocol
	wire   *wire.Conn
	client int
	halves [2]half
	seen   wire.Packets
	start  model.Time
	end    model.Time
	first  uint32
	from   wire.Side
	ended  int
	unread int64 // bytes that were counted as blind

	cookie, name string // as the client says
	build        uint32
	asked        string // kinds of security that the client offers
	security     string
	sealed       bool     // what follows is TLS, or nothing that can be read
	method       uint32   // of standard security; 0 is none
	channels     []string // static virtual channels, as the client asks for them
	channelIDs   []uint16
	screen       uint16 // the MCS channel of all else
	parts        map[channelSide]*part
	clip         *clipboard
	drives       *drives
}

// half is one side.
type half struct {
	buf    []byte // of a packet that has not all come
	tsdu   []byte // of a message that X.224 cut
	total  int64
	lost   int64
	large  int64 // bytes in large chunks
	astray bool  // bytes were lost: the next packet is still to be found
	tls    records
	volume volume
	bulk   mppc
	moved  int64 // payload on the channels of clipboard and drives, encrypted by standard security
}

// largeChunk is the least of a segment that carries more than keys and pointer.
const largeChunk = 1000

func (d *conn) Data(from wire.Side, c wire.Chunk) {
	if d.start == 0 {
		d.begin(from, c)
	}
	wire.Stretch(&d.start, &d.end, c.Time)
	d.seen.Add(c.At)
	h := &d.halves[from]
	h.total += int64(len(c.Data)) + int64(c.Cut)
	h.lost += int64(c.Cut)
	if len(c.Data) >= largeChunk {
		h.large += int64(len(c.Data))
	}
	b := c.Data
	if !d.sealed {
		b = d.gather(from, c)
	}
	if d.sealed && !d.wire.UDP {
		h.tls.take(b, c.Time, &h.volume)
	}
}

func (d *conn) begin(from wire.Side, c wire.Chunk) {
	d.first, d.from = c.Seq, from
	if d.client >= 0 {
		return
	}
	d.client = int(from)
	if len(c.Data) > 5 && c.Data[5] == connectionConfirm {
		d.client = int(from.Other())
	}
}

// gather takes the whole packets that c completes, keeps the rest, and gives back
// what comes after the packets when TLS begins.
func (d *conn) gather(from wire.Side, c wire.Chunk) []byte {
	h := &d.halves[from]
	b := c.Data
	if len(h.buf) > 0 {
		h.buf = append(h.buf, b...)
		b = h.buf
	}
	for again := true; again; again = h.astray {
		if h.astray {
			at := d.find(b)
			if at < 0 {
				h.buf = append(h.buf[:0], b[max(0, len(b)-resyncLen):]...)
				return nil
			}
			h.astray = false
			b = b[at:]
		}
		b = b[d.consume(from, b, c):]
	}
	if d.sealed {
		h.buf = nil
		return b
	}
	h.buf = append(h.buf[:0], b...)
	return nil
}

func (d *conn) Gap(from wire.Side, n int64, at wire.At) {
	h := &d.halves[from]
	h.total += n
	h.lost += n
	h.buf, h.tsdu, h.astray = h.buf[:0], h.tsdu[:0], true
	h.bulk.spoilt = true
	h.tls.lose()
	h.volume.lose()
	d.lostData(from)
}

// fastPath tells packets of the fast path from TPKT by the action in their first
// bits (MS-RDPBCGR 2.2.8.1.2, 2.2.9.1.2).
const fastPathMask = 3

// packetLen is the length of the packet that b begins: 0 when b is too short to
// tell, below 0 when it begins none.
func packetLen(b []byte) int {
	n, head := 0, 0
	switch {
	case b[0] == 3 && len(b) >= tpktLen:
		n, head = int(binary.BigEndian.Uint16(b[2:])), tpktLen+3
	case b[0] == 3:
		return 0
	case b[0]&fastPathMask != 0: // TLS, CredSSP, damage
		return -1
	case len(b) >= 2 && b[1]&0x80 == 0:
		n, head = int(b[1]), 3
	case len(b) >= 3:
		n, head = int(b[1]&0x7f)<<8|int(b[2]), 4
	default:
		return 0
	}
	if n < head {
		return -1
	}
	return n
}

// consume takes the whole packets of b and gives their length.
func (d *conn) consume(from wire.Side, b []byte, c wire.Chunk) int {
	at := 0
	for !d.sealed && at < len(b) {
		p := b[at:]
		n := packetLen(p)
		if n < 0 {
			d.sealed = d.security == "" || isRecord(p)
			d.halves[from].astray = !d.sealed
			return at
		}
		if n == 0 || len(p) < n {
			return at
		}
		if p[0] == 3 {
			d.packet(from, p[tpktLen:n], c)
		} else if int(from) != d.client {
			d.updates(from, p[:n])
		}
		at += n
	}
	return at
}

// resyncLen is what tells a packet of a channel: TPKT, X.224 data, and the begin
// of an MCS packet.
const resyncLen = tpktLen + 3 + 5

// find gives where a packet of a channel that the two ends agreed on begins in b
// after a loss, below 0 where none does.
func (d *conn) find(b []byte) int {
	for at := 0; at+resyncLen <= len(b); at++ {
		p := b[at:]
		if p[0] != 3 || p[1] != 0 || packetLen(p) < resyncLen || p[4] != 2 || p[5] != dataPacket || p[6] != lastFragment {
			continue
		}
		m := p[tpktLen+3:]
		if (m[0] == sendDataRequest || m[0] == sendDataIndication) && d.known(binary.BigEndian.Uint16(m[3:])) {
			return at
		}
	}
	return -1
}

// lastFragment marks the last X.224 packet of a message (ITU-T X.224 13.7.3).
const lastFragment = 0x80

// maxMessage bounds a message that X.224 cut into packets.
const maxMessage = 64 << 10

// packet takes one X.224 packet.
func (d *conn) packet(from wire.Side, b []byte, c wire.Chunk) {
	switch b[1] {
	case connectionRequest:
		d.request(b)
	case connectionConfirm:
		d.confirm(b)
	case dataPacket:
		h := &d.halves[from]
		if b[2]&lastFragment != 0 && len(h.tsdu) == 0 {
			d.mcs(from, b[3:], c)
			return
		}
		if len(h.tsdu)+len(b) > maxMessage {
			h.tsdu = h.tsdu[:0]
			return
		}
		h.tsdu = append(h.tsdu, b[3:]...)
		if b[2]&lastFragment != 0 {
			d.mcs(from, h.tsdu, c)
			h.tsdu = h.tsdu[:0]
		}
	}
}

func (d *conn) ends() (client, server wire.AddrPort) {
	s := wire.Side(max(d.client, 0))
	return d.wire.Ends[s], d.wire.Ends[s.Other()]
}

// sides gives the halves of client and server.
func (d *conn) sides() (up, down *half) {
	s := wire.Side(max(d.client, 0))
	return &d.halves[s], &d.halves[s.Other()]
}

func (d *conn) End(_ wire.Side, how wire.Ending, at wire.At) {
	if d.ended++; d.ended < 2 {
		return
	}
	for _, p := range d.parts {
		d.p.env.Budget().Give(p.charged)
	}
	d.parts = nil
	for s := range d.halves {
		d.p.env.Budget().Give(int64(len(d.halves[s].bulk.history)))
	}
	if d.drives != nil {
		d.drives.end(how)
	}
	if d.clip != nil {
		d.clip.end(how)
	}
	if d.start == 0 {
		return
	}
	d.session()
	if d.encrypted() {
		up, down := d.sides()
		d.blind("encrypted-rdp", up.total+down.total-up.lost-down.lost-d.unread)
		d.opaque(up, down)
	}
}

// blind counts bytes that cannot be read; each byte once.
func (d *conn) blind(reason string, n int64) {
	d.unread += n
	d.p.env.Blind(reason, n)
}

// encrypted says that the session's content cannot be read.
func (d *conn) encrypted() bool { return d.sealed || d.method != 0 }
