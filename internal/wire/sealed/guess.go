package sealed

import (
	"bytes"
	"encoding/binary"

	"waybill/internal/wire"
)

// guess follows what protocols that encrypt show of themselves, over the first
// messages of both sides. One that does not fit ends it.
type guess struct {
	looked    [2]int
	wireguard [2]counter
	wgVotes   votes
	esp       [2]counter
	espVotes  votes
	rtp       [2]counter
	rtpVotes  votes
	session   []byte // of an OpenVPN client
	openvpn   bool
}

// votes counts messages that fit a protocol, and those that do not.
type votes struct{ yes, no int }

func (v *votes) add(fits bool) {
	if fits {
		v.yes++
		return
	}
	v.no++
}

// sure is that enough messages fit, and none does not.
func (v *votes) sure() bool { return v.yes >= enough && v.no == 0 }

const (
	enough  = 8  // messages that fit
	mostSet = 64 // messages that are looked at, a side
)

// counter is the number of a stream, and that of its last message.
type counter struct {
	stream uint32
	number uint32
	begun  bool
}

// near is how far apart messages that follow each other may count: some are lost,
// some come late.
const near = 64

// next says whether a message is of the stream and counts near to the last.
func (c *counter) next(stream, number, mask uint32) bool {
	off := (number - c.number) & mask
	ok := !c.begun || stream == c.stream && (off <= near || off >= mask-near)
	c.begun, c.stream, c.number = true, stream, number
	return ok
}

func (g *guess) take(udp bool, from wire.Side, b []byte, size int) {
	if g.looked[from]++; g.looked[from] > mostSet {
		return
	}
	if !udp {
		g.openVPN(from, b[min(len(b), 2):], len(b) > 2 && int(binary.BigEndian.Uint16(b)) == size-2)
		return
	}
	g.openVPN(from, b, true)
	g.wgVotes.add(g.isWireGuard(from, b, size))
	g.espVotes.add(g.isESP(from, b))
	g.rtpVotes.add(g.isRTP(from, b))
}

// isWireGuard tells its messages (WireGuard: Next Generation Kernel Network Tunnel,
// 5.4): a type, three zeros, and the lengths that each type has. Data counts up for a
// receiver, which a handshake renews, and is padded to 16 bytes unless it is as long
// as the tunnel carries.
func (g *guess) isWireGuard(from wire.Side, b []byte, size int) bool {
	const full = 1200
	if len(b) < 16 || b[1]|b[2]|b[3] != 0 {
		return false
	}
	switch b[0] {
	case 1, 2:
		g.wireguard = [2]counter{}
		return b[0] == 1 && size == 148 || b[0] == 2 && size == 92
	case 3:
		return size == 64
	case 4:
		return size >= 32 && (size%16 == 0 || size >= full) &&
			g.wireguard[from].next(binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint32(b[8:]), 1<<32-1)
	}
	return false
}

// isESP tells ESP in UDP (RFC 3948 2): a security parameters index that stays, and a
// number that counts up; beside it IKE behind four zeros, and single bytes that keep
// the way open.
func (g *guess) isESP(from wire.Side, b []byte) bool {
	if len(b) == 1 {
		return b[0] == 0xff
	}
	if len(b) < 8 {
		return false
	}
	spi, number := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	if spi == 0 {
		return len(b) >= 4+28 && isIKE(b[4:])
	}
	return spi > 255 && g.esp[from].next(spi, number, 1<<32-1)
}

// isIKE tells the header of IKE (RFC 7296 3.1, RFC 2408 3.1).
func isIKE(b []byte) bool {
	return (b[17] == 0x20 || b[17] == 0x10) && int64(binary.BigEndian.Uint32(b[24:])) <= int64(len(b))
}

// isRTP tells real-time media (RFC 3550 5.1, 6.4): version 2, a source that stays, and
// a number that counts up; beside it its reports.
func (g *guess) isRTP(from wire.Side, b []byte) bool {
	if len(b) < 12 || b[0]>>6 != 2 {
		return false
	}
	if b[1] >= 192 && b[1] <= 223 {
		return true
	}
	return g.rtp[from].next(binary.BigEndian.Uint32(b[8:]), uint32(binary.BigEndian.Uint16(b[2:])), 1<<16-1)
}

// First bytes of OpenVPN's messages: operation and key (OpenVPN protocol, "packet
// opcodes"): the client's reset of version 2 or 3, and the server's.
const (
	resetClient2 = 7 << 3
	resetClient3 = 10 << 3
	resetServer2 = 8 << 3
	idBytes      = 8
)

// openVPN looks for the session id that the client begins with in the server's answer.
func (g *guess) openVPN(from wire.Side, b []byte, framed bool) {
	if !framed || g.looked[from] > 1 || len(b) < 1+idBytes {
		return
	}
	switch {
	case b[0] == resetClient2 || b[0] == resetClient3:
		g.session = bytes.Clone(b[1 : 1+idBytes])
	case b[0] == resetServer2 && g.session != nil:
		g.openvpn = bytes.Contains(b[1+idBytes:min(len(b), 128)], g.session)
	}
}

// name is the protocol that the messages show for certain.
func (g *guess) name(udp bool) string {
	switch {
	case g.openvpn:
		return "OpenVPN"
	case udp && g.wgVotes.sure():
		return "WireGuard"
	case udp && g.espVotes.sure():
		return "IPsec ESP in UDP"
	}
	return ""
}

// media says whether the flow is a call or a picture, and no file.
func (g *guess) media(udp bool) bool { return udp && g.rtpVotes.sure() }
