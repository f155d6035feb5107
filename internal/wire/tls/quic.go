package tls

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"waybill/internal/wire"
)

// The versions of QUIC whose first packets can be opened, with their salts (RFC
// 9001 5.2, RFC 9369 3.3.1).
var salts = map[uint32][]byte{
	1:        {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a},
	version2: {0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9},
}

const version2 = 0x6b3343cf

// Sizes of QUIC: of a client's first datagram (RFC 9000 14.1), and of connection
// ids (17.2).
const (
	firstDatagram = 1200
	maxID         = 20
)

// isInitial tells a client's first datagram: it begins with an Initial packet of a
// known version and has at least 1,200 bytes.
func isInitial(b []byte) bool { return len(b) >= firstDatagram && initialPacket(b) }

// initialPacket says whether a packet is an Initial one (RFC 9000 17.2.2, RFC 9369 3.2).
func initialPacket(b []byte) bool {
	if len(b) < 7 || b[0]&0xc0 != 0xc0 {
		return false
	}
	version := binary.BigEndian.Uint32(b[1:])
	kind := b[0] >> 4 & 3
	return version == 1 && kind == 0 || version == version2 && kind == 1
}

// initials gathers the client's hello from the datagrams of a QUIC or DTLS flow. Its
// frames may lie in several packets, of one datagram or of more.
type initials struct {
	hello pieces
	keys  [2]*quicKeys // those that opened a packet, a side each
	tries int
	begun bool
}

// maxInitials is how many datagrams are looked at: a hello is in the first two or
// three, and comes again where they were lost.
const maxInitials = 24

func (d *initials) take(g *greeting, from wire.Side, b []byte) bool {
	if !d.begun {
		d.begun, g.datagramTLS = true, isDTLS(b)
	}
	d.tries++
	if g.datagramTLS {
		return d.dtlsHello(g, from, b) && d.tries < maxInitials
	}
	for len(b) > 0 {
		packet, rest, ok := nextPacket(b)
		if !ok {
			break
		}
		b = rest
		payload, opened := d.open(from, packet)
		if !opened {
			continue
		}
		g.client = from
		if !d.frames(g, payload) {
			return false
		}
	}
	return d.read(g, false) && d.tries < maxInitials
}

func (d *initials) miss(*greeting, wire.Side) bool { return true } // datagrams have no gaps

// read reads the hello as far as it came, and says whether more of it may come.
func (d *initials) read(g *greeting, cookie bool) bool {
	b := d.hello.start()
	if h, ok := parseHello(b, cookie); ok {
		g.said = h
	}
	return !whole(b)
}

// nextPacket cuts the first of the packets that share a datagram (RFC 9000 12.2). One
// with a short header has no length, and is the last.
func nextPacket(b []byte) (packet, rest []byte, ok bool) {
	if len(b) < 7 || b[0]&0x80 == 0 {
		return nil, nil, false
	}
	c := cursor{b: b[5:]}
	c.take(c.u8())
	c.take(c.u8())
	if initialPacket(b) {
		c.take(int(min(c.varint(), 1<<16)))
	}
	n := c.varint()
	if c.bad || n > uint64(len(c.b)) {
		return nil, nil, false
	}
	end := len(b) - len(c.b) + int(n)
	return b[:end], b[end:], true
}

// open removes the protection of a client's Initial packet. Its keys come from the
// connection id that the client chose at first, or got in a Retry (RFC 9001 5.2).
func (d *initials) open(from wire.Side, packet []byte) ([]byte, bool) {
	if !initialPacket(packet) {
		return nil, false
	}
	c := cursor{b: packet[5:]}
	id := c.take(c.u8())
	if c.bad || len(id) > maxID {
		return nil, false
	}
	if k := d.keys[from]; k != nil {
		if out, ok := k.open(packet); ok {
			return out, true
		}
	}
	k := clientKeys(binary.BigEndian.Uint32(packet[1:]), id)
	out, ok := k.open(packet)
	if ok {
		d.keys[from] = k
	}
	return out, ok
}

// varint reads a number of RFC 9000 16.
func (c *cursor) varint() uint64 {
	first := c.u8()
	v := uint64(first & 0x3f)
	for range 1<<(first>>6) - 1 {
		v = v<<8 | uint64(c.u8())
	}
	return v
}

// quicKeys open the Initial packets of a client.
type quicKeys struct{ key, iv, mask []byte }

// clientKeys derives them from the connection id (RFC 9001 5.2).
func clientKeys(version uint32, id []byte) *quicKeys {
	prefix := "quic "
	if version == version2 {
		prefix = "quicv2 "
	}
	secret, _ := hkdf.Extract(sha256.New, id, salts[version])
	client := expand(secret, "client in", 32)
	return &quicKeys{expand(client, prefix+"key", 16), expand(client, prefix+"iv", 12), expand(client, prefix+"hp", 16)}
}

// expand is HKDF-Expand-Label (RFC 8446 7.1) without context.
func expand(secret []byte, label string, n int) []byte {
	label = "tls13 " + label
	info := append([]byte{0, byte(n), byte(len(label))}, label...)
	out, _ := hkdf.Expand(sha256.New, secret, string(append(info, 0)), n)
	return out
}

// open removes the protection of a packet (RFC 9001 5.3, 5.4), which ends where its
// length says.
func (k *quicKeys) open(packet []byte) ([]byte, bool) {
	c := cursor{b: packet[5:]}
	c.take(c.u8())
	c.take(c.u8())
	c.take(int(min(c.varint(), 1<<16))) // token
	c.varint()
	start := len(packet) - len(c.b) // of the packet number
	if c.bad || len(c.b) < 20 {
		return nil, false
	}
	mask, err := aes.NewCipher(k.mask)
	if err != nil {
		return nil, false
	}
	var pad [16]byte
	mask.Encrypt(pad[:], packet[start+4:start+20])
	p, iv := slices.Clone(packet), slices.Clone(k.iv)
	p[0] ^= pad[0] & 0x0f
	size := int(p[0]&3) + 1
	for i := range size {
		p[start+i] ^= pad[1+i]
		iv[len(iv)-size+i] ^= p[start+i]
	}
	return unseal(k.key, iv, p[start+size:], p[:start+size])
}

// unseal opens AES-GCM.
func unseal(key, iv, sealed, head []byte) ([]byte, bool) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, false
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, false
	}
	out, err := gcm.Open(nil, iv, sealed, head)
	return out, err == nil
}

// Frames of Initial packets (RFC 9000 12.4, 19).
const (
	framePadding = 0
	framePing    = 1
	frameAck     = 2
	frameAckECN  = 3
	frameCrypto  = 6
)

// frames adds the pieces of the hello in a packet. Clients cut it in any pieces and
// mix them with padding and pings. It reports false where there is no memory.
func (d *initials) frames(g *greeting, b []byte) bool {
	c := cursor{b: b}
	for len(c.b) > 0 && !c.bad {
		switch kind := c.varint(); kind {
		case framePadding, framePing:
		case frameAck, frameAckECN:
			c.ack(kind == frameAckECN)
		case frameCrypto:
			off, n := c.varint(), c.varint()
			data := c.take(int(min(n, 1<<16)))
			if !c.bad && !d.hello.put(g, off, data) {
				return false
			}
		default:
			return true
		}
	}
	return true
}

// ack skips an acknowledgement (RFC 9000 19.3).
func (c *cursor) ack(ecn bool) {
	c.varint()
	c.varint()
	numbers := 2 * min(c.varint(), uint64(len(c.b)))
	if numbers++; ecn {
		numbers += 3
	}
	for range numbers {
		if c.varint(); c.bad {
			return
		}
	}
}
