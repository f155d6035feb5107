package tls

import (
	"crypto/x509"
	"encoding/binary"

	"waybill/internal/content"
	"waybill/internal/wire"
)

// maxHello bounds what is gathered of a side's handshake: hellos with post-quantum
// shares have 2 KiB, certificates about 5.
const maxHello = 16 << 10

// greeting follows the start of a connection until it knows who speaks to whom.
type greeting struct {
	greeter     greeter
	budget      *content.Budget
	charged     int64
	said        *hello // of the client, once it was read; nil where it was not seen
	client      wire.Side
	certificate string // name on the server's, where the client asked for none
	datagramTLS bool
	done        bool // nothing more is looked at
}

// greeter gathers hellos from what carries them.
type greeter interface {
	// take looks at the next bytes and says whether there is more to see.
	take(g *greeting, from wire.Side, b []byte) (more bool)
	// miss says that bytes of a side were not seen.
	miss(g *greeting, from wire.Side) (more bool)
}

func (g *greeting) greet(from wire.Side, c wire.Chunk) {
	if !g.greeter.take(g, from, c.Data) {
		g.close()
	}
}

func (g *greeting) miss(from wire.Side) {
	if !g.done && !g.greeter.miss(g, from) {
		g.close()
	}
}

// close gives up what was gathered.
func (g *greeting) close() {
	g.budget.Give(g.charged)
	g.done, g.greeter, g.charged = true, nil, 0
}

// charge takes memory for n bytes more.
func (g *greeting) charge(n int) bool {
	if !g.budget.Take(int64(n)) {
		return false
	}
	g.charged += int64(n)
	return true
}

// records gathers the handshakes of a TLS connection, the client's and then, where
// that names no server and the version keeps certificates in clear, the server's.
type records struct{ sides [2][]byte }

func (r *records) take(g *greeting, from wire.Side, b []byte) bool {
	n := min(len(b), maxHello-len(r.sides[from]))
	if n == 0 || !g.charge(n) {
		return false
	}
	r.sides[from] = append(r.sides[from], b[:n]...)
	return r.look(g, from)
}

// miss reads what is there of a hello whose rest was lost.
func (r *records) miss(g *greeting, from wire.Side) bool {
	if g.said == nil && len(r.sides[from]) > 0 {
		body, _ := handshakeOf(r.sides[from])
		g.readHello(from, body)
	}
	return false
}

// look reads the handshake of a side as far as it is there.
func (r *records) look(g *greeting, from wire.Side) bool {
	b := r.sides[from]
	if len(b) < 6 {
		return true
	}
	if b[0] != recordHandshake {
		return false
	}
	body, ended := handshakeOf(b)
	full := ended || len(b) == maxHello
	switch {
	case b[5] == clientHello && g.said == nil:
		if !whole(body) && !full {
			return true
		}
		g.readHello(from, body)
		return g.said != nil && g.said.server == "" && (len(r.sides[from.Other()]) == 0 || r.look(g, from.Other()))
	case b[5] != serverHello:
		return false
	case g.said == nil:
		return !full // the client's comes yet, or was not captured
	}
	name, more := certificateName(body)
	g.certificate = name
	return more && !full
}

// readHello keeps the hello in a handshake message.
func (g *greeting) readHello(from wire.Side, body []byte) {
	if h, ok := parseHello(body, false); ok {
		g.said, g.client = h, from
	}
}

// handshakeOf gives the handshake messages in the records of b, and whether others
// follow.
func handshakeOf(b []byte) (body []byte, ended bool) {
	for len(b) >= 5 && b[0] == recordHandshake {
		n := int(binary.BigEndian.Uint16(b[3:]))
		body = append(body, b[5:min(len(b), 5+n)]...)
		b = b[min(len(b), 5+n):]
	}
	return body, len(b) > 0 && b[0] != recordHandshake
}

// whole says whether all of a handshake message is there.
func whole(b []byte) bool { return len(b) >= 4 && len(b) >= 4+size24(b[1:]) }

func size24(b []byte) int { return int(b[0])<<16 | int(b[1])<<8 | int(b[2]) }

// certificateName reads the name on the first certificate in a server's handshake
// (RFC 5246 7.4.2), and says whether it may still come. From TLS 1.3 on it never
// comes in clear.
func certificateName(b []byte) (name string, more bool) {
	for whole(b) {
		n := 4 + size24(b[1:])
		switch b[0] {
		case serverHello:
		case certificates:
			c := cursor{b: b[4:n]}
			c.take(3)
			der := c.take(c.u24())
			return nameOn(der), false
		default:
			return "", false
		}
		b = b[n:]
	}
	return "", true
}

// nameOn is the first DNS name of a certificate, else its common name.
func nameOn(der []byte) string {
	cert, err := x509.ParseCertificate(der)
	switch {
	case err != nil:
		return ""
	case len(cert.DNSNames) > 0:
		return wire.Printable(cert.DNSNames[0])
	}
	return wire.Printable(cert.Subject.CommonName)
}
