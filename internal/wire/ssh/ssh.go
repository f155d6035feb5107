// Package ssh watches SSH connections (RFC 4253) without opening them. In come
// their bytes; out go one access a session (software of both ends, fingerprints
// of the key exchange, whether the login seems to have succeeded, what the
// session was used for) and, from 16 KiB on, one opaque transfer with an
// estimate of what it moved. It looks at sizes and directions only: never at the
// times of keystrokes, never inside.
package ssh

import (
	"bytes"

	"waybill/internal/wire"
)

const channel = "ssh"

type protocol struct{ env wire.Env }

// New makes the decoder of SSH.
func New(env wire.Env) wire.Protocol { return &protocol{env} }

func (p *protocol) Name() string { return channel }

// banner is how both ends begin (RFC 4253 4.2).
var banner = []byte("SSH-")

// maxPreamble bounds the lines that a server may send before its banner.
const maxPreamble = 8 << 10

// joinedLate is how much of a connection whose start was not captured the other
// protocols may look at before its port tells.
const joinedLate = 2048

// Probe asks for the banner of either side. A server may send other lines first.
func (p *protocol) Probe(c *wire.Conn, head [2][]byte) wire.Verdict {
	if c.UDP {
		return wire.No
	}
	if !c.FromStart[0] && !c.FromStart[1] && (c.Ends[0].Port == 22 || c.Ends[1].Port == 22) && len(head[0])+len(head[1]) >= joinedLate {
		return wire.Yes // told by the port: the start was not captured
	}
	for s, b := range head {
		if c.FromStart[s] && bytes.HasPrefix(b, banner) && len(b) > 8 {
			return wire.Yes
		}
	}
	for _, b := range head {
		if n := min(len(b), len(banner)); n > 0 && bytes.Equal(b[:n], banner[:n]) && len(b) <= 8 {
			return wire.Maybe
		}
	}
	if len(head[0])+len(head[1]) == 0 {
		return wire.Maybe
	}
	for _, b := range head {
		if bytes.HasPrefix(b, banner) { // captured from the middle of the handshake
			return wire.Yes
		}
	}
	if !c.FromStart[0] && !c.FromStart[1] && (c.Ends[0].Port == 22 || c.Ends[1].Port == 22) {
		return wire.Maybe
	}
	return wire.No
}

// Open makes the decoder of one connection.
func (p *protocol) Open(c *wire.Conn) wire.Decoder {
	d := &conn{p: p, wire: c, client: 0}
	for i := range d.halves {
		d.halves[i].phase = greeting
		if !c.FromStart[i] {
			d.halves[i].phase = encrypted
		}
	}
	if !c.Opened && (c.Ends[0].Port == 22 || c.Ends[1].Port != 22 && c.Ends[0].Port < c.Ends[1].Port) {
		d.client = 1
	}
	return d
}

// Flush has nothing to end: all state belongs to connections.
func (p *protocol) Flush(wire.At) {}
