package rdp

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf16"

	"waybill/internal/model"
	"waybill/internal/wire"
)

const opaqueFrom = 16 << 10 // contract, transfer

// Negotiation of security (MS-RDPBCGR 2.2.1.1.1, 2.2.1.2.1).
const (
	negotiationRequest  = 1
	negotiationResponse = 2
)

var securityNames = map[uint32]string{0: "standard RDP security", 1: "TLS", 2: "CredSSP", 4: "RDSTLS", 8: "CredSSP with early user authorization", 16: "RDS AAD"}

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

	cookie, name string // as the client says
	build        uint32
	security     string
	sealed       bool // what follows cannot be read
	method       uint32
	channels     []string // static virtual channels, as the client asks for them
	channelIDs   []uint16
	parts        map[channelSide]*part
	clip         *clipboard
	drives       *drives
}

// half is one side.
type half struct {
	buf   []byte
	total int64
	lost  int64
	large int64 // bytes in large chunks
}

// maxHeld bounds what is gathered of a packet in clear.
const maxHeld = 64 << 10

func (d *conn) Data(from wire.Side, c wire.Chunk) {
	if d.start == 0 {
		d.first, d.from = c.Seq, from
		if d.client < 0 {
			d.client = int(from)
			if len(c.Data) > 5 && c.Data[5] == connectionConfirm {
				d.client = int(from.Other())
			}
		}
	}
	wire.Stretch(&d.start, &d.end, c.Time)
	d.seen.Add(c.At)
	h := &d.halves[from]
	h.total += int64(len(c.Data)) + int64(c.Cut)
	if len(c.Data) >= 1000 {
		h.large += int64(len(c.Data))
	}
	if d.sealed {
		return
	}
	h.buf = append(h.buf, c.Data...)
	n := d.consume(from, h.buf, c)
	h.buf = append(h.buf[:0], h.buf[n:]...)
}

func (d *conn) Gap(from wire.Side, n int64, at wire.At) {
	h := &d.halves[from]
	h.total += n
	h.lost += n
	h.buf = h.buf[:0]
	d.lostData(from)
}

// consume takes the whole packets of b and gives their length.
func (d *conn) consume(from wire.Side, b []byte, c wire.Chunk) int {
	at := 0
	for !d.sealed && len(b)-at >= tpktLen {
		p := b[at:]
		n := 0
		switch {
		case p[0] == 3: // TPKT
			n = int(binary.BigEndian.Uint16(p[2:]))
		case p[0]&3 == 0: // fast path (MS-RDPBCGR 2.2.8.1.2)
			n = int(p[1])
			if n&0x80 != 0 {
				n = (n&0x7f)<<8 | int(p[2])
			}
		default: // TLS, CredSSP, damage
			d.sealed = true
			return len(b)
		}
		if n < 4 || n > maxHeld {
			d.sealed = true
			return len(b)
		}
		if len(p) < n {
			return at
		}
		if p[0] == 3 && n >= 7 {
			d.packet(from, p[tpktLen:n], c)
		}
		at += n
	}
	return at
}

// packet takes one X.224 packet.
func (d *conn) packet(from wire.Side, b []byte, c wire.Chunk) {
	switch b[1] {
	case connectionRequest:
		d.request(b)
	case connectionConfirm:
		d.confirm(b)
	case dataPacket:
		if int(from) == d.client && d.name == "" && bytes.Contains(b, []byte{0x01, 0xc0}) {
			d.clientData(b)
		}
		if int(from) != d.client && d.channelIDs == nil {
			d.serverData(b)
		}
		if len(b) > 3 {
			d.mcs(from, b[3:], c)
		}
	}
}

func (d *conn) request(b []byte) {
	rest := b[min(7, len(b)):]
	if line, _, ok := bytes.Cut(rest, []byte("\r\n")); ok {
		if name, found := bytes.CutPrefix(line, []byte("Cookie: mstshash=")); found {
			d.cookie = printable(string(name))
		}
	}
}

func (d *conn) confirm(b []byte) {
	d.security = securityNames[0]
	if rest := b[min(7, len(b)):]; len(rest) >= 8 && rest[0] == negotiationResponse {
		chosen := binary.LittleEndian.Uint32(rest[4:])
		d.security = securityNames[chosen]
		d.sealed = chosen != 0
	}
}

func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return -1
		}
		return r
	}, s[:min(len(s), 256)])
}

// Blocks of user data in the GCC conference (MS-RDPBCGR 2.2.1.3, 2.2.1.4).
const (
	clientCore     = 0xc001
	clientNetwork  = 0xc003
	serverSecurity = 0x0c02
	serverNetwork  = 0x0c03
)

// blocks visits the user data blocks of MCS Connect: a type and a length each,
// from the first of a type on that all of the rest follows.
func blocks(b []byte, first uint16, visit func(kind uint16, body []byte)) {
	le := binary.LittleEndian
	start := 0
	for ; !chained(b[start:], first); start++ {
		if start+4 > len(b) {
			return
		}
	}
	for at := start; at+4 <= len(b); at += int(le.Uint16(b[at+2:])) {
		if !chained(b[at:], le.Uint16(b[at:])) {
			return
		}
		visit(le.Uint16(b[at:]), b[at+4:at+int(le.Uint16(b[at+2:]))])
	}
}

// chained says whether b begins with a block of a type whose length fits.
func chained(b []byte, kind uint16) bool {
	if len(b) < 4 || binary.LittleEndian.Uint16(b) != kind {
		return false
	}
	n := int(binary.LittleEndian.Uint16(b[2:]))
	return n >= 8 && n <= len(b)
}

// clientData reads the client's core and network data.
func (d *conn) clientData(b []byte) {
	le := binary.LittleEndian
	blocks(b, clientCore, func(kind uint16, body []byte) {
		switch {
		case kind == clientCore && len(body) >= 52:
			d.build = le.Uint32(body[16:])
			d.name = utf16String(body[20:52])
		case kind == clientNetwork && len(body) >= 4:
			for n := min(int(le.Uint32(body)), 31, (len(body)-4)/12); n > 0; n-- {
				name, _, _ := bytes.Cut(body[4+12*len(d.channels):][:8], []byte{0})
				d.channels = append(d.channels, strings.ToLower(printable(string(name))))
			}
		}
	})
}

// serverData reads the server's choice of encryption and the ids of channels.
func (d *conn) serverData(b []byte) {
	le := binary.LittleEndian
	blocks(b, 0x0c01, func(kind uint16, body []byte) {
		switch {
		case kind == serverSecurity && len(body) >= 4:
			d.method = le.Uint32(body)
		case kind == serverNetwork && len(body) >= 4:
			d.channelIDs = []uint16{}
			for n := min(int(le.Uint16(body[2:])), 31, (len(body)-4)/2); n > 0; n-- {
				d.channelIDs = append(d.channelIDs, le.Uint16(body[4+2*len(d.channelIDs):]))
			}
		}
	})
	if d.channelIDs != nil && d.method != 0 {
		d.sealed = true
		d.security += ", encrypted"
	}
}

func utf16String(b []byte) string {
	units := make([]uint16, 0, len(b)/2)
	for ; len(b) >= 2; b = b[2:] {
		u := binary.LittleEndian.Uint16(b)
		if u == 0 {
			break
		}
		units = append(units, u)
	}
	return printable(string(utf16.Decode(units)))
}

func (d *conn) ends() (client, server wire.AddrPort) {
	s := wire.Side(max(d.client, 0))
	return d.wire.Ends[s], d.wire.Ends[s.Other()]
}

func (d *conn) End(_ wire.Side, how wire.Ending, at wire.At) {
	if d.ended++; d.ended < 2 {
		return
	}
	for _, p := range d.parts {
		d.p.env.Budget().Give(p.charged)
	}
	d.parts = nil
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
	up, down := &d.halves[max(d.client, 0)], &d.halves[1-max(d.client, 0)]
	if d.sealed {
		d.p.env.Blind("encrypted-rdp", up.total+down.total-up.lost-down.lost)
	}
	if d.sealed && max(up.total, down.total) >= opaqueFrom {
		d.transfer(up, down)
	}
}

// session reports the session.
func (d *conn) session() {
	client, server := d.ends()
	a := &wire.Access{Conn: d.wire, Seen: d.seen}
	a.ID = wire.ID("a", channel, d.wire, d.from, d.first, 0, []byte("rdp-session")...)
	a.Time, a.What, a.Channel = d.start, "rdp-session", channel
	a.Source, a.Destination = client.Endpoint(), server.Endpoint()
	a.User, a.Object = d.cookie, d.name
	var detail []string
	if d.name != "" {
		detail = append(detail, fmt.Sprintf("client name %s, build %d", d.name, d.build))
	}
	if d.security != "" {
		detail = append(detail, d.security)
	}
	if len(d.channels) > 0 {
		detail = append(detail, "channels "+strings.Join(d.channels, " "))
	}
	up, down := &d.halves[max(d.client, 0)], &d.halves[1-max(d.client, 0)]
	detail = append(detail, fmt.Sprintf("%d bytes sent, %d received", up.total, down.total))
	a.Detail = strings.Join(detail, ", ")
	d.p.env.Access(a)
}

// uploadPattern is how much a client sends at most for what it receives, in
// keys, pointer and acknowledgements; unverified beyond the public captures.
const uploadPattern = 4

// transfer reports what an encrypted session moved in its heavier direction.
// Screens make the server's side heavy; a client that sends more than it gets
// sends something else than keys.
func (d *conn) transfer(up, down *half) {
	client, server := d.ends()
	t := &wire.Transfer{Conns: []*wire.Conn{d.wire}, Seen: d.seen, What: "RDP session"}
	t.ID = wire.ID("t", channel, d.wire, d.from, d.first, 0)
	t.Start, t.End, t.Channel = d.start, d.end, channel
	t.Completeness, t.Status, t.Confidence = model.Opaque, model.Done, "low"
	h := down
	t.Source, t.Destination, t.Operation, t.Initiator = server.Endpoint(), client.Endpoint(), model.Pull, model.ByDestination
	t.Reason = "encrypted; screens alone can be this much"
	if up.total > down.total {
		h = up
		t.Source, t.Destination, t.Operation, t.Initiator = client.Endpoint(), server.Endpoint(), model.Push, model.BySource
		t.Reason = "encrypted; more was sent than keys and pointer are"
	} else if up.large*uploadPattern > down.total && up.large > opaqueFrom {
		t.Notes = append(t.Notes, fmt.Sprintf("the client sent %d bytes in large segments too", up.large))
	}
	t.BytesSeen = new(int64)
	t.Estimate = &model.Estimate{Size: h.total, High: h.total}
	if t.Operation == model.Push {
		t.Estimate.Size = h.large
	}
	t.User = d.cookie
	t.Session = &model.Session{Encrypted: true, Dialect: d.security, Workstation: d.name, Channels: 1}
	if h.lost > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("%d bytes of it were not captured", h.lost))
	}
	d.p.env.Transfer(t)
}
