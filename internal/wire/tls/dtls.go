package tls

import (
	"encoding/binary"

	"waybill/internal/wire"
)

// DTLS (RFC 6347 4.1, 4.2.2): a record has 13 bytes before its content, a handshake
// message 12, of which the last six say which fragment it is.
const (
	dtlsRecord    = 13
	dtlsHandshake = 12
	dtlsFirst     = 0xfe00 // versions count down from 0xfeff
)

// isDTLS tells a datagram that begins with a hello.
func isDTLS(b []byte) bool {
	if len(b) < dtlsRecord+dtlsHandshake || b[0] != recordHandshake || b[1] != 0xfe || b[2] != 0xff && b[2] != 0xfd {
		return false
	}
	kind, n := b[dtlsRecord], int(binary.BigEndian.Uint16(b[11:]))
	return n >= dtlsHandshake && n <= len(b)-dtlsRecord && (kind == clientHello || kind == serverHello || kind == helloVerify)
}

const helloVerify = 3

// dtlsHello adds the fragments of the client's hello in a datagram.
func (d *initials) dtlsHello(g *greeting, from wire.Side, b []byte) bool {
	for len(b) >= dtlsRecord+dtlsHandshake && b[0] == recordHandshake {
		n := int(binary.BigEndian.Uint16(b[11:]))
		body := b[dtlsRecord:min(len(b), dtlsRecord+n)]
		b = b[min(len(b), dtlsRecord+n):]
		if len(body) < dtlsHandshake || body[0] != clientHello {
			continue
		}
		off, data := size24(body[6:]), body[dtlsHandshake:]
		data = data[:min(len(data), size24(body[9:]))]
		if d.hello.b == nil && !d.hello.put(g, 0, body[:4]) {
			return false
		}
		g.client = from
		if !d.hello.put(g, uint64(4+off), data) {
			return false
		}
	}
	return d.read(g, true)
}
