package synth

import (
	"encoding/binary"
)

// The flags of a TCP segment.
const (
	tcpFIN = 1 << iota
	tcpSYN
	tcpRST
	tcpPSH
	tcpACK
)

// offloadSegment is the payload of a segment that the network card is to cut.
const offloadSegment = 60 << 10

// Conn is a TCP connection between two hosts.
type Conn struct {
	net  *Net
	ends [2]tcpEnd
	last Side // who sent last
	flow int
	buf  []byte
}

type tcpEnd struct {
	host  *Host
	port  uint16
	seq   uint32
	stamp uint32 // timestamp echoed by the other end
	owed  int    // segments of the other end not yet acknowledged
}

// Dial opens a connection to a server's port, with the three-way handshake.
func (n *Net) Dial(client, server *Host, port uint16) *Conn {
	return n.dial(client, client.ephemeral(), server, port)
}

func (n *Net) dial(client *Host, clientPort uint16, server *Host, port uint16) *Conn {
	c := &Conn{net: n, flow: n.nextFlow()}
	isn := n.ISN
	for s := range isn {
		if isn[s] == 0 {
			isn[s] = uint32(n.random())
		}
	}
	c.ends[Client] = tcpEnd{host: client, port: clientPort, seq: isn[Client]}
	c.ends[Server] = tcpEnd{host: server, port: port, seq: isn[Server]}
	c.segment(Client, tcpSYN, 0)
	c.ends[Client].seq++
	c.turn(Server)
	c.segment(Server, tcpSYN|tcpACK, 0)
	c.ends[Server].seq++
	c.turn(Client)
	c.segment(Client, tcpACK, 0)
	return c
}

// Client sends bytes from the client; the parts follow each other.
func (c *Conn) Client(parts ...[]byte) { c.Send(Client, parts...) }

// Server sends bytes from the server.
func (c *Conn) Server(parts ...[]byte) { c.Send(Server, parts...) }

// Send cuts bytes into segments; the other side acknowledges every second one.
func (c *Conn) Send(from Side, parts ...[]byte) {
	c.turn(from)
	left := 0
	for _, p := range parts {
		left += len(p)
	}
	for left > 0 {
		n := min(left, c.payload())
		left -= n
		flags := uint8(tcpACK)
		if left == 0 {
			flags |= tcpPSH
		}
		parts = c.segment(from, flags, n, parts...)
		c.ends[from].seq += uint32(n)
		c.owe(from.other())
	}
}

// payload is how many bytes one segment carries. With IPv6, whose header is
// longer, the frame keeps its size.
func (c *Conn) payload() int {
	if c.net.Offload {
		return offloadSegment
	}
	if c.ends[Client].host.Addr.Is6() {
		return c.net.MSS - 20
	}
	return c.net.MSS
}

// owe lets a side acknowledge every second segment.
func (c *Conn) owe(s Side) {
	if c.ends[s].owed++; c.ends[s].owed == 2 {
		c.segment(s, tcpACK, 0)
	}
}

// turn lets time pass when the other side begins to speak.
func (c *Conn) turn(to Side) {
	if c.last != to {
		c.net.Now += c.net.Delay
	}
	c.last = to
}

// Close ends both directions in order, the client first.
func (c *Conn) Close() {
	c.CloseBy(Client)
}

// CloseBy ends both directions in order, begun by a side.
func (c *Conn) CloseBy(first Side) {
	for _, s := range [2]Side{first, first.other()} {
		c.turn(s)
		c.segment(s, tcpFIN|tcpACK, 0)
		c.ends[s].seq++
	}
	c.turn(first)
	c.segment(first, tcpACK, 0)
}

// Reset breaks the connection off.
func (c *Conn) Reset(by Side) {
	c.turn(by)
	c.segment(by, tcpRST|tcpACK, 0)
}

// Skip moves a side's sequence number over n bytes that are never sent: a hole.
func (c *Conn) Skip(from Side, n int) { c.ends[from].seq += uint32(n) }

// segment makes one frame with the first n bytes of parts and gives the rest.
func (c *Conn) segment(from Side, flags uint8, n int, parts ...[]byte) [][]byte {
	a, b := &c.ends[from], &c.ends[from.other()]
	options := c.options(a, b, flags)
	a.host.ipID++
	f := appendEthernet(c.buf[:0], a.host, b.host)
	ip := len(f)
	f = appendIP(f, a.host.Addr, b.host.Addr, a.host.ipID, protoTCP, 20+len(options)+n)
	at := len(f)
	ack := uint32(0)
	if flags&tcpACK != 0 {
		ack, a.owed = b.seq, 0
	}
	f = be16(f, a.port, b.port)
	f = be32(f, a.seq, ack)
	f = append(f, uint8(20+len(options))<<2, flags)
	f = be16(f, 0xFFFF, 0, 0)
	f = append(f, options...)
	f, parts = gather(f, n, parts)
	binary.BigEndian.PutUint16(f[at+16:], transportSum(a.host.Addr, b.host.Addr, protoTCP, f[at:]))
	if c.net.Offload && n > c.net.MSS {
		hideLength(f[ip:])
	}
	c.net.frame(f, c.flow, from)
	c.buf = f
	return parts
}

// options are the timestamps (RFC 7323) and, on a SYN, what is agreed on.
func (c *Conn) options(a, b *tcpEnd, flags uint8) []byte {
	now := uint32(c.net.Now / 1e6)
	var o [20]byte
	if flags&tcpSYN == 0 {
		copy(o[:], []byte{1, 1, 8, 10})
		binary.BigEndian.PutUint32(o[4:], now)
		binary.BigEndian.PutUint32(o[8:], a.stamp)
		b.stamp = now
		return o[:12]
	}
	copy(o[:], []byte{2, 4, 0x05, 0xB4, 4, 2, 8, 10})
	binary.BigEndian.PutUint32(o[8:], now)
	binary.BigEndian.PutUint32(o[12:], a.stamp)
	copy(o[16:], []byte{1, 3, 3, 8})
	b.stamp = now
	return o[:]
}

// gather adds the first n bytes of parts to b.
func gather(b []byte, n int, parts [][]byte) ([]byte, [][]byte) {
	for n > 0 {
		k := min(n, len(parts[0]))
		b = append(b, parts[0][:k]...)
		n -= k
		if k < len(parts[0]) {
			rest := append([][]byte{parts[0][k:]}, parts[1:]...)
			return b, rest
		}
		parts = parts[1:]
	}
	return b, parts
}

// hideLength sets the total length of an IP header to 0, as frames have that
// the sender's network card is still to cut into segments.
func hideLength(ip []byte) {
	if ip[0]>>4 == 6 {
		ip[4], ip[5] = 0, 0
		return
	}
	ip[2], ip[3] = 0, 0
	sealIPv4(ip[:20])
}
