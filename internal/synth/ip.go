package synth

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

const (
	etherIPv4 = 0x0800
	etherIPv6 = 0x86DD

	protoTCP = 6
	protoUDP = 17

	flagDontFragment = 0x4000
)

// appendEthernet adds an Ethernet header from one host to another.
func appendEthernet(b []byte, from, to *Host) []byte {
	b = append(b, to.MAC[:]...)
	b = append(b, from.MAC[:]...)
	if from.Addr.Is4() {
		return be16(b, etherIPv4)
	}
	return be16(b, etherIPv6)
}

// appendIP adds an IP header before a payload of size bytes.
func appendIP(b []byte, from, to netip.Addr, id uint16, proto uint8, size int) []byte {
	if from.Is4() {
		return appendIPv4(b, from, to, id, flagDontFragment, proto, size)
	}
	b = be32(b, 6<<28)
	b = be16(b, uint16(size))
	b = append(b, proto, 64)
	b = append(b, from.AsSlice()...)
	return append(b, to.AsSlice()...)
}

// appendIPv4 adds an IPv4 header; frag is the field of flags and fragment offset.
func appendIPv4(b []byte, from, to netip.Addr, id, frag uint16, proto uint8, size int) []byte {
	at := len(b)
	b = be16(b, 0x4500, uint16(20+size), id, frag)
	b = append(b, 64, proto, 0, 0)
	src, dst := from.As4(), to.As4()
	b = append(b, src[:]...)
	b = append(b, dst[:]...)
	sealIPv4(b[at : at+20])
	return b
}

// sealIPv4 sets the checksum of an IPv4 header.
func sealIPv4(h []byte) {
	h[10], h[11] = 0, 0
	binary.BigEndian.PutUint16(h[10:], ^fold(sum(0, h)))
}

// sum adds b to a ones' complement sum, eight bytes at a time (RFC 1071).
func sum(s uint64, b []byte) uint64 {
	var carry uint64
	for len(b) >= 8 {
		s, carry = bits.Add64(s, binary.BigEndian.Uint64(b), carry)
		b = b[8:]
	}
	var tail [8]byte
	copy(tail[:], b)
	s, carry = bits.Add64(s, binary.BigEndian.Uint64(tail[:]), carry)
	return s + carry
}

// fold brings a ones' complement sum down to 16 bits.
func fold(s uint64) uint16 {
	for s > 0xFFFF {
		s = s>>16 + s&0xFFFF
	}
	return uint16(s)
}

// transportSum is the checksum of a TCP segment or UDP datagram, whose own
// field is zero, with its pseudo header.
func transportSum(from, to netip.Addr, proto uint8, segment []byte) uint16 {
	pseudo := uint64(proto) + uint64(len(segment))
	if from.Is4() {
		src, dst := from.As4(), to.As4()
		pseudo += uint64(binary.BigEndian.Uint32(src[:])) + uint64(binary.BigEndian.Uint32(dst[:]))
		return ^fold(sum(pseudo, segment))
	}
	src, dst := from.As16(), to.As16()
	return ^fold(sum(sum(sum(pseudo, src[:]), dst[:]), segment))
}

// appendUDP adds a UDP header and its payload.
func appendUDP(b []byte, from, to netip.AddrPort, payload []byte) []byte {
	at := len(b)
	b = be16(b, from.Port(), to.Port(), uint16(8+len(payload)), 0)
	b = append(b, payload...)
	check := transportSum(from.Addr(), to.Addr(), protoUDP, b[at:])
	if check == 0 {
		check = 0xFFFF
	}
	binary.BigEndian.PutUint16(b[at+6:], check)
	return b
}

// UDP is a conversation in datagrams.
type UDP struct {
	net   *Net
	hosts [2]*Host
	ports [2]uint16
	flow  int

	Fragments bool // datagrams that are too long for a frame come in fragments
}

// UDP begins a conversation with a server's port.
func (n *Net) UDP(client, server *Host, port uint16) *UDP {
	return &UDP{net: n, hosts: [2]*Host{client, server}, ports: [2]uint16{client.ephemeral(), port}, flow: n.nextFlow()}
}

// Client sends a datagram of the client, Server one of the server.
func (u *UDP) Client(payload []byte) { u.send(Client, payload) }

// Server sends a datagram of the server.
func (u *UDP) Server(payload []byte) {
	u.send(Server, payload)
}

func (u *UDP) send(from Side, payload []byte) {
	a, b := u.hosts[from], u.hosts[from.other()]
	u.net.Now += u.net.Delay
	a.ipID++
	datagram := appendUDP(nil, netip.AddrPortFrom(a.Addr, u.ports[from]), netip.AddrPortFrom(b.Addr, u.ports[from.other()]), payload)
	if !u.Fragments || len(datagram) <= fragmentSize {
		frame := appendIP(appendEthernet(nil, a, b), a.Addr, b.Addr, a.ipID, protoUDP, len(datagram))
		u.net.frame(append(frame, datagram...), u.flow, from)
		return
	}
	for at := 0; at < len(datagram); at += fragmentSize {
		part := datagram[at:min(at+fragmentSize, len(datagram))]
		frame := appendFragment(appendEthernet(nil, a, b), a, b, at, len(part), at+len(part) < len(datagram))
		u.net.frame(append(frame, part...), u.flow, from)
	}
}

// fragmentSize is the payload of a fragment; both versions' headers fit before it.
const fragmentSize = 1448

// appendFragment adds the headers of a fragment of n bytes at an offset of its
// datagram (RFC 791 3.2, RFC 8200 4.5).
func appendFragment(b []byte, from, to *Host, at, n int, more bool) []byte {
	flag := uint16(0)
	if more {
		flag = 1
	}
	if from.Addr.Is4() {
		return appendIPv4(b, from.Addr, to.Addr, from.ipID, flag<<13|uint16(at/8), protoUDP, n)
	}
	b = appendIP(b, from.Addr, to.Addr, 0, 44, 8+n)
	b = be16(append(b, protoUDP, 0), uint16(at)|flag)
	return be32(b, uint32(from.ipID))
}
