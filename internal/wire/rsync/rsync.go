// Package rsync decodes the daemon protocol of rsync, versions 27 to 32, as rsync's
// own source states it (clientserver.c, compat.c, io.c, flist.c, sender.c, token.c).
// In come the bytes of connections; out goes one transfer for each file of which
// bytes were sent: whole where it was sent whole, partial where the receiver had an
// older copy. It follows the side that sends files, reads nothing of what the other
// one asks for, and keeps no password or answer to a challenge.
package rsync

import (
	"bytes"

	"waybill/internal/wire"
)

const channel = "rsync"

type protocol struct{ env wire.Env }

// New makes the decoder of rsync.
func New(env wire.Env) wire.Protocol { return &protocol{env} }

func (p *protocol) Name() string { return channel }

// greeting begins what both sides say first, and what the daemon says later on.
var greeting = []byte("@RSYNCD: ")

// Probe asks for the greeting. Without it the version is not known, and with it
// nothing of what follows.
func (p *protocol) Probe(c *wire.Conn, head [2][]byte) wire.Verdict {
	if c.UDP {
		return wire.No
	}
	verdict := wire.Maybe
	for _, b := range head {
		n := min(len(b), len(greeting))
		switch {
		case !bytes.Equal(b[:n], greeting[:n]):
			return wire.No
		case n == len(greeting):
			verdict = wire.Yes
		}
	}
	return verdict
}

// port is that of daemons; it tells who is the client where the opening of the
// connection was not seen.
const port = 873

// Open makes the decoder of one connection.
func (p *protocol) Open(c *wire.Conn) wire.Decoder {
	d := &conn{p: p, wire: c}
	if a, b := c.Ends[0].Port, c.Ends[1].Port; !c.Opened && b != port && (a == port || a < b) {
		d.client = 1
	}
	return d
}

// Flush has nothing to end: all state belongs to connections.
func (p *protocol) Flush(wire.At) {}
