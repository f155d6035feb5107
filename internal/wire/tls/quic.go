package tls

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// The versions of QUIC whose first packets can be opened, with their salts (RFC
// 9001 5.2, RFC 9369 3.3.1).
var salts = map[uint32][]byte{
	1:          {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a},
	0x6b3343cf: {0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9},
}

const version2 = 0x6b3343cf

// isInitial tells a client's first packet: long header, a known version, and at
// least 1,200 bytes (RFC 9000 14.1, 17.2.2).
func isInitial(b []byte) bool {
	if len(b) < 1200 || b[0]&0xc0 != 0xc0 {
		return false
	}
	version := binary.BigEndian.Uint32(b[1:])
	kind := b[0] >> 4 & 3
	return version == 1 && kind == 0 || version == version2 && kind == 1
}

// initialHello opens a client's first packet and reads the hello in it; nil where
// it holds none, or not all of it.
func initialHello(b []byte) *hello {
	if !isInitial(b) {
		return nil
	}
	payload, ok := openInitial(b)
	if !ok {
		return nil
	}
	h, _ := parseHello(cryptoFrames(payload))
	return h
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

// openInitial removes the protection of a first packet (RFC 9001 5.3, 5.4).
func openInitial(b []byte) ([]byte, bool) {
	version := binary.BigEndian.Uint32(b[1:])
	c := cursor{b: b[5:]}
	destination := c.take(c.u8())
	c.take(c.u8())
	c.take(int(min(c.varint(), 2048))) // token
	length := c.varint()
	start := len(b) - len(c.b) // of the packet number
	if c.bad || length < 20 || length > uint64(len(c.b)) {
		return nil, false
	}
	key, iv, mask := initialKeys(version, destination)
	block, err := aes.NewCipher(mask)
	if err != nil {
		return nil, false
	}
	var pad [16]byte
	block.Encrypt(pad[:], b[start+4:start+20])
	p := slices.Clone(b[:start+int(length)])
	p[0] ^= pad[0] & 0x0f
	size := int(p[0]&3) + 1
	number := uint32(0)
	for i := range size {
		p[start+i] ^= pad[1+i]
		number = number<<8 | uint32(p[start+i])
	}
	for i := range 4 {
		iv[8+i] ^= byte(number >> (24 - 8*i))
	}
	block, err = aes.NewCipher(key)
	if err != nil {
		return nil, false
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, false
	}
	out, err := gcm.Open(nil, iv, p[start+size:], p[:start+size])
	return out, err == nil
}

// initialKeys derives the client's keys from the connection id (RFC 9001 5.2).
func initialKeys(version uint32, id []byte) (key, iv, mask []byte) {
	prefix := "quic "
	if version == version2 {
		prefix = "quicv2 "
	}
	secret, _ := hkdf.Extract(sha256.New, id, salts[version])
	client := expand(secret, "client in", 32)
	return expand(client, prefix+"key", 16), expand(client, prefix+"iv", 12), expand(client, prefix+"hp", 16)
}

// expand is HKDF-Expand-Label (RFC 8446 7.1) without context.
func expand(secret []byte, label string, n int) []byte {
	label = "tls13 " + label
	info := append([]byte{0, byte(n), byte(len(label))}, label...)
	out, _ := hkdf.Expand(sha256.New, secret, string(append(info, 0)), n)
	return out
}

// cryptoFrames puts the handshake bytes of a packet together (RFC 9000 19.6).
// Clients cut their hello in pieces and mix them with padding and pings.
func cryptoFrames(b []byte) []byte {
	out := make([]byte, 0, len(b))
	c := cursor{b: b}
	for len(c.b) > 0 && !c.bad {
		switch kind := c.varint(); kind {
		case 0, 1: // padding, ping
		case 6:
			off, n := c.varint(), c.varint()
			data := c.take(int(min(n, 1<<16)))
			if off > maxHello || c.bad {
				return out
			}
			if need := int(off) + len(data); need > len(out) {
				out = append(out, make([]byte, need-len(out))...)
			}
			copy(out[off:], data)
		default:
			return out
		}
	}
	return out
}
