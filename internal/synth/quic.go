package synth

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"slices"
)

// QUIC is an exchange over QUIC version 1: a client's hello in Initial packets that
// are protected as RFC 9001 5 has it, and packets of random bytes that carry content
// of the given sizes. The hello is too long for one packet, as those with
// post-quantum shares are.
func (n *Net) QUIC(client, server *Host, name string, sent, received int) {
	u, id := n.UDP(client, server, 443), n.Bytes(8)
	hello := tlsMessage(1, n.browserHello(name, 1, "\x02h3"))
	half := len(hello) / 2
	u.Client(quicInitial(id, 0, quicCrypto(half, hello[half:]), quicCrypto(0, hello[:40])))
	u.Client(quicInitial(id, 1, quicCrypto(40, hello[40:half])))
	u.Server(n.quicAnswer(id))
	u.Server(n.quicShort(1200))
	u.Client(n.quicShort(60))
	for _, way := range []struct {
		from Side
		size int
	}{{Client, sent}, {Server, received}} {
		for i, left := 0, way.size; left > 0; i, left = i+1, left-1200 {
			u.send(way.from, n.quicShort(min(left, 1200)))
			if i%10 == 9 {
				u.send(way.from.other(), n.quicShort(12))
			}
		}
	}
}

// quicShort is a packet with a short header (RFC 9000 17.3.1) around content.
func (n *Net) quicShort(size int) []byte {
	return append([]byte{0x40 | byte(n.Intn(64))}, n.Bytes(8+2+size+16)...)
}

// quicAnswer is a server's first datagram: an Initial and a Handshake packet.
func (n *Net) quicAnswer(id []byte) []byte {
	b := quicLong(0xc0, id, []byte{0}, 100)
	b = append(b, n.Bytes(100)...)
	b = append(b, quicLong(0xe0, id, nil, 1000)...)
	return append(b, n.Bytes(1000)...)
}

// quicLong is a long header (RFC 9000 17.2) up to the packet number, of a packet with
// n bytes from there on.
func quicLong(first byte, id, token []byte, n int) []byte {
	return be16(slices.Concat([]byte{first, 0, 0, 0, 1, byte(len(id))}, id, []byte{0}, token), 0x4000|uint16(n))
}

// quicCrypto is a frame with bytes of the handshake (RFC 9000 19.6).
func quicCrypto(off int, b []byte) []byte {
	return append(be16([]byte{6}, 0x4000|uint16(off), 0x4000|uint16(len(b))), b...)
}

// quicInitial is a client's Initial packet of 1,200 bytes (RFC 9001 5.2 to 5.4).
func quicInitial(id []byte, number byte, frames ...[]byte) []byte {
	const whole, tag = 1200, 16
	head := append(quicLong(0xc1, id, []byte{0}, 0), 0, number)
	at := len(head) - 2
	payload := slices.Concat(frames...)
	payload = append(payload, make([]byte, max(0, whole-len(head)-tag-len(payload)))...)
	n := 2 + len(payload) + tag
	head[at-2], head[at-1] = 0x40|byte(n>>8), byte(n)
	secret, _ := hkdf.Extract(sha256.New, id, []byte("\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a"))
	client := quicExpand(secret, "client in", 32)
	iv := quicExpand(client, "quic iv", 12)
	iv[11] ^= number
	block, err := aes.NewCipher(quicExpand(client, "quic key", 16))
	if err != nil {
		panic(err) // the key's length is right
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	p := gcm.Seal(slices.Clone(head), iv, payload, head)
	mask, err := aes.NewCipher(quicExpand(client, "quic hp", 16))
	if err != nil {
		panic(err)
	}
	var pad [16]byte
	mask.Encrypt(pad[:], p[at+4:at+20])
	p[0] ^= pad[0] & 0x0f
	p[at] ^= pad[1]
	p[at+1] ^= pad[2]
	return p
}

// quicExpand is HKDF-Expand-Label (RFC 8446 7.1) without context.
func quicExpand(secret []byte, label string, n int) []byte {
	label = "tls13 " + label
	out, _ := hkdf.Expand(sha256.New, secret, string([]byte{0, byte(n), byte(len(label))})+label+"\x00", n)
	return out
}
