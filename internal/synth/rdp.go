package synth

import "waybill/internal/model"

// RDPOptions say how a Remote Desktop session begins.
type RDPOptions struct {
	User string // in the cookie
	Name string // of the client, where it is in clear; the client host's when empty
	TLS  bool   // all that follows the negotiation is encrypted; else nothing is
}

// RDP is a Remote Desktop session (MS-RDPBCGR).
type RDP struct {
	RDPOptions
	net            *Net
	client, server *Host
	conn           *Conn
	completion     uint32 // of requests to drives
	files          uint32
	streams        uint32 // of requests to the clipboard
}

// What a session has: its channels, with the ids that the server gives them.
const (
	rdpPort     = 3389
	rdpUser     = 1007
	rdpIO       = 1003
	rdpDrives   = 1004
	rdpClip     = 1005
	rdpPieceLen = 1600 // CHANNEL_CHUNK_LENGTH, MS-RDPBCGR 3.1.5.2.1
)

// RDP opens a session up to where its channels are used.
func (n *Net) RDP(client, server *Host, o RDPOptions) *RDP {
	if o.Name == "" {
		o.Name = client.Name
	}
	r := &RDP{RDPOptions: o, net: n, client: client, server: server, conn: n.Dial(client, server, rdpPort)}
	r.negotiate()
	seen := Seen{What: "rdp-session", Channel: "rdp", User: o.User, Detail: "TLS"}
	if o.TLS {
		n.TLSOver(r.conn, server.Name)
	} else {
		r.connect()
		seen.Object, seen.Detail = o.Name, "rdpdr cliprdr"
	}
	n.seen(client, server, seen)
	return r
}

// negotiate asks for a protocol and gets it (MS-RDPBCGR 2.2.1.1, 2.2.1.2).
func (r *RDP) negotiate() {
	asked, chosen := uint32(0), uint32(0)
	if r.TLS {
		asked, chosen = 3, 1
	}
	var ask, answer pack
	ask.bytes([]byte{0xe0, 0, 0, 0, 0, 0}, []byte("Cookie: mstshash="+r.User+"\r\n"))
	ask.u8(1, 0, 8, 0)
	ask.u32(asked)
	answer.bytes([]byte{0xd0, 0, 0, 0x12, 0x34, 0})
	answer.u8(2, 0, 8, 0)
	answer.u32(chosen)
	r.conn.Client(tpkt(append([]byte{uint8(len(ask))}, ask...)))
	r.conn.Server(tpkt(append([]byte{uint8(len(answer))}, answer...)))
}

// tpkt adds the header of RFC 1006 6.
func tpkt(b []byte) []byte { return append(be16([]byte{3, 0}, uint16(4+len(b))), b...) }

// mcs sends a packet of T.125 in a data packet of X.224.
func (r *RDP) mcs(from Side, b []byte) {
	r.conn.Send(from, tpkt(append([]byte{2, 0xf0, 0x80}, b...)))
}

// connect agrees on channels and no encryption (MS-RDPBCGR 1.3.1.1).
func (r *RDP) connect() {
	domain := func(v ...uint32) []byte {
		var parts [][]byte
		for _, x := range v {
			parts = append(parts, derInt(x))
		}
		return der(0x30, parts...)
	}
	selector := der(0x04, []byte{1})
	initial := ber(0x7f65, selector, selector, der(0x01, []byte{0xff}), domain(34, 2, 0, 1, 0, 1, 65535, 2),
		domain(1, 1, 1, 1, 0, 1, 1056, 2), domain(65535, 64535, 65535, 1, 0, 1, 65535, 2), ber(0x04, r.clientBlocks()))
	r.mcs(Client, initial)
	r.mcs(Server, ber(0x7f66, der(0x0a, []byte{0}), derInt(0), domain(34, 3, 0, 1, 0, 1, 65528, 2), ber(0x04, r.serverBlocks())))
	r.mcs(Client, []byte{4, 1, 0, 1, 0})
	r.mcs(Client, []byte{0x28})
	r.mcs(Server, be16([]byte{0x2e, 0}, rdpUser-1001))
	for _, id := range []uint16{rdpUser, rdpIO, rdpDrives, rdpClip} {
		r.mcs(Client, be16([]byte{0x38}, rdpUser-1001, id))
		r.mcs(Server, be16([]byte{0x3e, 0}, rdpUser-1001, id, id))
	}
	r.logOn()
	r.activate()
}

// ber is an element with a tag of one or two bytes and a length of two.
func ber(tag uint16, parts ...[]byte) []byte {
	var body, out []byte
	for _, p := range parts {
		body = append(body, p...)
	}
	if tag > 0xff {
		out = append(out, uint8(tag>>8))
	}
	return append(be16(append(out, uint8(tag), 0x82), uint16(len(body))), body...)
}

// clientBlocks is the conference that the client asks for (MS-RDPBCGR 2.2.1.3, the
// PER of its example in 4.1.3): core, security and channels.
func (r *RDP) clientBlocks() []byte {
	name := append(utf16le(r.Name), make([]byte, 32)...)[:32]
	var core, channels pack
	core.u32(0x00080004)
	core.u16(1024, 768, 0xca01, 0xaa03)
	core.u32(0x409, 19041)
	core.bytes(name)
	core.u32(4, 0, 12)
	core.zero(64)
	core.u16(0xca01, 1)
	core.u32(0)
	core.u16(24, 15, 1)
	core.zero(64)
	core.u8(0, 0)
	core.u32(0)
	channels.u32(2)
	for _, name := range []string{"rdpdr\x00\x00\x00", "cliprdr\x00"} {
		channels.bytes([]byte(name))
		channels.u32(0xC0A00000)
	}
	blocks := append(gccBlock(0xC001, core), gccBlock(0xC002, make([]byte, 8))...)
	blocks = append(blocks, gccBlock(0xC003, channels)...)
	b := be16([]byte{0, 5, 0, 0x14, 0x7c, 0, 1}, 0x8000|uint16(len(blocks)+14))
	b = append(b, 0, 8, 0, 0x10, 0, 1, 0xc0, 0, 'D', 'u', 'c', 'a')
	return append(be16(b, 0x8000|uint16(len(blocks))), blocks...)
}

// serverBlocks is what the server grants (MS-RDPBCGR 2.2.1.4, 4.1.4): no encryption.
func (r *RDP) serverBlocks() []byte {
	var core, network pack
	core.u32(0x00080004, 0)
	network.u16(rdpIO, 2, rdpDrives, rdpClip)
	blocks := append(gccBlock(0x0C01, core), gccBlock(0x0C02, make([]byte, 8))...)
	blocks = append(blocks, gccBlock(0x0C03, network)...)
	b := append([]byte{0, 5, 0, 0x14, 0x7c, 0, 1}, 0x2a, 0x14, 0x76, 0x0a, 1, 1, 0, 1, 0xc0, 0, 'M', 'c', 'D', 'n')
	return append(be16(b, 0x8000|uint16(len(blocks))), blocks...)
}

func gccBlock(kind uint16, body []byte) []byte {
	var p pack
	p.u16(kind, uint16(4+len(body)))
	p.bytes(body)
	return p
}

// send is a packet of a channel (T.125 7, Send Data).
func (r *RDP) send(from Side, id uint16, b []byte) {
	kind := uint8(0x64)
	if from == Server {
		kind = 0x68
	}
	r.mcs(from, append(be16(append(be16([]byte{kind}, rdpUser-1001, id), 0x70), 0x8000|uint16(len(b))), b...))
}

// logOn is the client's information (MS-RDPBCGR 2.2.1.11) and the end of licensing
// (2.2.1.12), which alone have a security header.
func (r *RDP) logOn() {
	user := utf16le(r.User)
	var info, license pack
	info.u16(0x0040, 0)
	info.u32(0, 0x0001B3)
	info.u16(0, uint16(len(user)), 0, 0, 0)
	info.zero(2)
	info.bytes(user)
	info.zero(2 + 2 + 2 + 2)
	info.u16(2, 2, 0, 2, 0) // no address, no folder
	info.zero(172)          // the time zone
	info.u32(0, 7)
	info.u16(0, 0, 0, 0, 0)
	r.send(Client, rdpIO, info)
	license.u16(0x0080, 0)
	license.u8(0xff, 3)
	license.u16(16)
	license.u32(7, 2)
	license.u16(4, 0)
	r.send(Server, rdpIO, license)
}

// activate is Demand Active and Confirm Active (MS-RDPBCGR 2.2.1.13) without
// capabilities.
func (r *RDP) activate() {
	var demand, confirm pack
	demand.u16(30, 0x11, 1002)
	demand.u32(0x000103ea)
	demand.u16(4, 4)
	demand.bytes([]byte("RDP\x00"))
	demand.u32(0, 0)
	demand.zero(2)
	r.send(Server, rdpIO, demand[:30])
	confirm.u16(28, 0x13, rdpUser)
	confirm.u32(0x000103ea)
	confirm.u16(1002, 6, 4)
	confirm.bytes([]byte("MSTSC\x00"))
	confirm.u32(0)
	r.send(Client, rdpIO, confirm)
}

// message is one of a channel, in pieces (MS-RDPBCGR 2.2.6.1).
func (r *RDP) message(from Side, id uint16, b []byte) {
	const first, last = 1, 2
	for at := 0; at < len(b); at += rdpPieceLen {
		end := min(at+rdpPieceLen, len(b))
		flags := uint32(0)
		if at == 0 {
			flags |= first
		}
		if end == len(b) {
			flags |= last
		}
		var p pack
		p.u32(uint32(len(b)), flags)
		p.bytes(b[at:end])
		if r.TLS {
			r.record(from, 15+len(p))
			continue
		}
		r.send(from, id, p)
	}
}

// record is a packet of a size inside a TLS record.
func (r *RDP) record(from Side, size int) {
	r.conn.Send(from, tlsRecord(tlsData, r.net.Bytes(size+17)))
}

// Screens lets the server draw for a while: records of all lengths, with keys and
// pointer from the client.
func (r *RDP) Screens(frames int) {
	for range frames {
		r.record(Client, 30+r.net.Intn(30))
		for left := 2_000 + r.net.Intn(30_000); left > 0; left -= 9_000 {
			r.record(Server, min(left, 9_000))
		}
		r.net.Sleep(40e6)
	}
}

// moved adds to the truth a file that crossed in clear, or a volume that did not.
func (r *RDP) moved(from Side, operation, path string, content []byte) {
	a, b := r.client, r.server
	if from == Server {
		a, b = b, a
	}
	m := moved(a, b, operation, "rdp", path, content)
	if r.TLS {
		m = sealed(a, b, map[Side]string{Client: model.Push, Server: model.Pull}[from], "rdp", len(content))
	}
	m.User = r.User
	r.net.Truth.Moved = append(r.net.Truth.Moved, m)
}

// Close ends the session.
func (r *RDP) Close() { r.conn.Close() }

// RDPUDP is a session's transport over UDP (MS-RDPEUDP 3.1.5.1) that carries encrypted
// bytes both ways.
func (n *Net) RDPUDP(client, server *Host, sent, received int) {
	const syn, data, ack = 1, 4, 8
	u := n.UDP(client, server, rdpPort)
	opening := func(answered, flags uint16) []byte {
		b := be32(nil, 0xffffffff)
		if answered != 0 {
			b = be32(nil, 0x1000)
		}
		b = be16(b, 64, flags)
		b = be16(be32(b, 0x1000), 1232, 1232)
		return append(b, make([]byte, 1232-len(b))...)
	}
	u.Client(opening(0, syn))
	u.Server(opening(1, syn|ack))
	number := uint32(0x1000)
	for _, way := range []struct {
		from Side
		size int
	}{{Client, sent}, {Server, received}} {
		for left := way.size; left > 0; left -= 1200 {
			number++
			b := be16(be32(nil, number), 64, data|ack)
			b = be32(append(b, 0, 0, 0, 0), number, number)
			u.send(way.from, append(b, n.Bytes(min(left, 1200))...))
		}
	}
	m := sealed(client, server, model.Push, "rdp", sent)
	if received > sent {
		m = sealed(server, client, model.Pull, "rdp", received)
	}
	n.Truth.Moved = append(n.Truth.Moved, m)
	n.seen(client, server, Seen{What: "rdp-session", Channel: "rdp", Detail: "UDP"})
}
