// Package smb1 decodes SMB 1, the dialect NT LM 0.12 and those before it
// (MS-CIFS, MS-SMB), over TCP and over the NetBIOS session service (RFC 1002
// 4.3). In come the bytes of connections, with word of what was not seen; out go
// transfers, each one open of a file in one direction, and accesses: log-ons,
// shares, pipes with what is called through them, refusals, peeks.
//
// A session is one connection. Messages are gathered whole, with a note of the
// holes in them; bytes written count when the server says so. It never guesses
// where a message begins but by its framing, and never opens a password.
package smb1

import (
	"bytes"

	"waybill/internal/wire"
	"waybill/internal/wire/framed"
	"waybill/internal/wire/ntlm"
)

// channel is the word of the contract.
const channel = "smb1"

type protocol struct {
	env     wire.Env
	servers ntlm.Servers
}

// New makes the decoder of SMB 1.
func New(env wire.Env) wire.Protocol { return &protocol{env: env} }

func (p *protocol) Name() string { return channel }

// magic is how every message begins (MS-CIFS 2.2.3.1).
const magic = "\xffSMB"

// Probe tells SMB 1 by the protocol id behind a length field, on any port. A
// client that offers SMB 2 as well is left to it until the server answers.
func (p *protocol) Probe(c *wire.Conn, head [2][]byte) wire.Verdict {
	if c.UDP {
		return wire.No
	}
	verdict := wire.Maybe
	for _, b := range head {
		switch probeSide(b) {
		case wire.Yes:
			return wire.Yes
		case wire.No:
			verdict = wire.No
		}
	}
	return verdict
}

func probeSide(b []byte) wire.Verdict {
	for len(b) >= 4 && b[0] >= 0x81 && b[0] <= 0x85 {
		b = b[min(len(b), 4+frameLength(b)):]
	}
	switch {
	case len(b) > 0 && b[0] != 0:
		return wire.No
	case len(b) < 8:
		return wire.Maybe
	case string(b[4:8]) != magic:
		return wire.No
	case len(b) < 4+headerLen+1:
		return wire.Maybe
	}
	size := min(len(b), 4+frameLength(b))
	if b[8] == cmdNegotiate && b[13]&flagReply == 0 && bytes.Contains(b[:size], []byte("SMB 2.")) {
		return wire.Maybe
	}
	return wire.Yes
}

// maxMessage bounds a message: UNIX extensions negotiate up to 16 MiB.
const maxMessage = 17 << 20

// frameLength is the length that an RFC 1002 header states: 17 bits there, 24
// over TCP without NetBIOS (MS-SMB 2.1).
func frameLength(b []byte) int { return int(b[1])<<16 | int(b[2])<<8 | int(b[3]) }

// format is the framing of both: a type byte, 0 for a message, and a length.
var format = framed.Format{
	Head:   4,
	Needed: 4 + headerLen + 40, // the header and the words of a read or write
	Length: func(b []byte) int {
		n := frameLength(b)
		if b[0] == 0 && n <= maxMessage || b[0] >= 0x81 && b[0] <= 0x85 && n <= 0x1FFFF {
			return 4 + n
		}
		return -1
	},
	Find: func(b []byte) int {
		for from := 0; ; {
			i := bytes.Index(b[from:], []byte(magic))
			if i < 0 {
				return -1
			}
			if at := from + i - 4; at >= 0 && b[at] == 0 && plausible(b[at:]) {
				return at
			}
			from += i + 1
		}
	},
}

// plausible says whether a length field and what of a header follows fit.
func plausible(b []byte) bool {
	n := frameLength(b)
	return n >= headerLen+3 && n <= maxMessage && (len(b) < 9 || b[8] != cmdNone)
}

// Open makes the decoder of one connection.
func (p *protocol) Open(c *wire.Conn) wire.Decoder {
	d := &conn{p: p, env: p.env, wire: c, client: -1, trees: map[uint16]*tree{}, opens: map[uint16]*open{},
		pending: map[uint32]*request{}, users: map[uint16]user{}, partial: map[readKey]*flow{}}
	if c.Opened {
		d.client = 0
	}
	for i := range d.halves {
		d.halves[i] = framed.NewReader(&format, p.env, wire.Side(i), c.FromStart[i], d.frame, d.lostMessages)
		d.halves[i].Bulk(d.bulk)
	}
	return d
}

// Flush has nothing to end: all state belongs to connections.
func (p *protocol) Flush(wire.At) {}
