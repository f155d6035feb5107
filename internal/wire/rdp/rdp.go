// Package rdp watches Remote Desktop connections (MS-RDPBCGR) over TCP and UDP. In
// come their bytes; out go one access a session (client name, cookie, security,
// channels), an opaque transfer where the session is encrypted and carries 16
// KiB or more (one a direction where both look like copies), and, where the two
// ends agreed on no encryption, each file that crosses the clipboard (MS-RDPECLIP)
// or a redirected drive (MS-RDPEFS). It opens nothing that is encrypted.
package rdp

import (
	"bytes"
	"encoding/binary"

	"waybill/internal/wire"
)

const channel = "rdp"

type protocol struct{ env wire.Env }

// New makes the decoder of Remote Desktop.
func New(env wire.Env) wire.Protocol { return &protocol{env} }

func (p *protocol) Name() string { return channel }

// The X.224 packets of a connection (ITU-T X.224 13), behind a TPKT header of 4
// bytes (RFC 1006 6) and a length.
const (
	tpktLen           = 4
	connectionRequest = 0xe0
	connectionConfirm = 0xd0
	dataPacket        = 0xf0
)

// Probe asks for a connection request, or the confirmation of one, or over UDP
// for a SYN datagram.
func (p *protocol) Probe(c *wire.Conn, head [2][]byte) wire.Verdict {
	if c.UDP {
		return probeUDP(c, head)
	}
	if joinedLate(c, head) {
		return wire.Yes
	}
	verdict := wire.No
	for _, b := range head {
		switch {
		case len(b) == 0:
		case b[0] != 3:
			return wire.No
		case len(b) < tpktLen+7:
			verdict = wire.Maybe
		case isRequest(b):
			return wire.Yes
		case b[1] == 0 && b[5] == connectionConfirm && int(b[4]) == int(binary.BigEndian.Uint16(b[2:]))-5:
			verdict = wire.Maybe // another protocol over TPKT, unless the request asks for one of RDP's
			if len(b) >= 19 && b[11] == negotiationResponse && b[13] == 8 {
				return wire.Yes
			}
		default:
			return wire.No
		}
	}
	return verdict
}

// isRequest tells the request of Remote Desktop from others over TPKT, as of
// ISO protocols: by its cookie, its negotiation, or that it asks for nothing
// with a class of 0 (MS-RDPBCGR 2.2.1.1).
func isRequest(b []byte) bool {
	size := int(binary.BigEndian.Uint16(b[2:]))
	if b[1] != 0 || b[5] != connectionRequest || size < 11 || int(b[4]) != size-5 {
		return false
	}
	rest := b[11:min(size, len(b))]
	switch {
	case len(rest) == 0:
		return b[8] == 0 && b[9] == 0 // source reference
	case bytes.HasPrefix(rest, []byte("Cookie: mstshash=")), bytes.HasPrefix(rest, []byte("Cookie: msts=")), bytes.HasPrefix(rest, []byte("tsv://")):
		return true
	}
	return len(rest) >= 8 && rest[0] == negotiationRequest && rest[2] == 8 && rest[3] == 0
}

// joinedLate takes TLS from the middle of a connection to Remote Desktop's port for
// it: the request, which alone would tell, came before the capture.
func joinedLate(c *wire.Conn, head [2][]byte) bool {
	if c.FromStart[0] || c.FromStart[1] || c.Ends[0].Port != 3389 && c.Ends[1].Port != 3389 {
		return false
	}
	for _, b := range head {
		if len(b) >= 5 && b[0] == 0x17 && b[1] == 3 && b[2] <= 4 {
			return true
		}
	}
	return false
}

// probeUDP tells the transport over UDP by its SYN (MS-RDPEUDP 2.2.2.1, 2.2.3.1):
// an acknowledgement of -1, a window, and the flags SYN without data.
func probeUDP(c *wire.Conn, head [2][]byte) wire.Verdict {
	port := c.Ends[0].Port == 3389 || c.Ends[1].Port == 3389
	for _, b := range head {
		if len(b) == 1232 && port && binary.BigEndian.Uint32(b) == 0xffffffff && b[7]&1 != 0 {
			return wire.Yes
		}
		if len(b) > 0 && !port {
			return wire.No
		}
	}
	if len(head[0]) > 0 || len(head[1]) > 0 {
		return wire.No
	}
	return wire.Maybe
}

// Open makes the decoder of one connection.
func (p *protocol) Open(c *wire.Conn) wire.Decoder {
	d := &conn{p: p, wire: c, client: -1}
	if c.Opened {
		d.client = 0
	}
	late := !c.FromStart[0] && !c.FromStart[1]
	if late {
		d.security = "TLS, told by the port: the start was not captured"
	}
	if c.UDP || late {
		d.sealed, d.client = true, 0
		if c.Ends[0].Port == 3389 {
			d.client = 1
		}
	}
	if c.UDP {
		d.security = "UDP transport"
	}
	return d
}

// Flush has nothing to end: all state belongs to connections.
func (p *protocol) Flush(wire.At) {}
