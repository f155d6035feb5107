package smb2

import (
	"waybill/internal/wire"
	"waybill/internal/wire/smbcrypt"
)

// oneDirection is after how many requests without a single byte from the server
// a capture is taken to hold one direction only.
const oneDirection = 8

// conn decodes one connection.
type conn struct {
	p      *protocol
	wire   *wire.Conn
	halves [2]half
	client int     // the client's side; -1 until known
	heard  [2]bool // bytes of the side were seen
	lossy  [2]bool // bytes of the side were not seen
	asked  int     // requests seen
	ended  [2]bool
	ending wire.Ending
	damage int64 // conflicting bytes noted so far, both sides
	twin   bool  // another connection shows the same exchange

	unpacked bool // the message under way was compressed

	negotiated negotiation
	preauth    smbcrypt.Preauth
	setups     map[uint64]setup    // sessions being set up
	sessions   map[uint64]*session // joined
	joined     []*session          // the same, in order
	stranger   uint64              // a session id that resync met once

	connecting *request // the last TREE_CONNECT without an answer
	creating   *request // the last CREATE without an answer

	pending pendings
}

func (c *conn) Data(from wire.Side, ch wire.Chunk) {
	c.heard[from] = true
	if c.twin {
		return
	}
	c.halves[from].data(ch)
}

func (c *conn) Gap(from wire.Side, n int64, at wire.At) {
	c.lossy[from] = true
	if c.twin {
		return
	}
	c.halves[from].gap(n)
}

// End ends one side. The connection ends with its second side.
func (c *conn) End(from wire.Side, how wire.Ending, at wire.At) {
	c.halves[from].end()
	if c.ended[from] {
		return
	}
	c.ended[from] = true
	if !c.ended[from.Other()] {
		c.ending = how
		return
	}
	c.ending = ending(c.ending, how)
	for c.pending.order.first != nil {
		c.giveUp(c.pending.order.first)
	}
	for _, s := range c.joined {
		s.leave(c, at)
	}
	c.sessions, c.joined, c.setups = nil, nil, nil
	c.p.expire(at.Time)
}

// ending joins how the two sides of a connection ended: broken off if one was,
// else closed if one was, since the other's closing may not have been captured.
func ending(a, b wire.Ending) wire.Ending {
	for _, how := range [...]wire.Ending{wire.RST, wire.Reused, wire.FIN, wire.Dropped} {
		if a == how || b == how {
			return how
		}
	}
	return wire.EndOfCapture
}

// server is the server's side.
func (c *conn) server() wire.Side {
	return c.clientSide().Other()
}

// clientSide is the client's side; while no message tells, the one that does
// not use a file-sharing port, else the one with the higher port.
func (c *conn) clientSide() wire.Side {
	if c.client >= 0 {
		return wire.Side(c.client)
	}
	for s, e := range c.wire.Ends {
		if e.Port == 445 || e.Port == 139 {
			return wire.Side(s).Other()
		}
	}
	if c.wire.Ends[1].Port > c.wire.Ends[0].Port {
		return 1
	}
	return 0
}

// fromClient checks the direction of a message, and learns it from the first.
func (c *conn) fromClient(h *header, from wire.Side) bool {
	if c.client < 0 {
		c.client = int(from)
		if h.response() {
			c.client = int(from.Other())
		}
	}
	return int(from) == c.client
}

// silent says that of the server nothing at all was captured.
func (c *conn) silent() bool {
	return !c.heard[c.server()] && c.asked >= oneDirection
}

// unheard says that answers may be missing because the capture lacks them.
func (c *conn) unheard() bool {
	s := c.server()
	return c.lossy[s] || !c.heard[s]
}

// lostMessages notes that messages were lost of which nothing is known: opens
// of all sessions on the connection may have been written by them.
func (c *conn) lostMessages(from wire.Side) {
	for _, s := range c.joined {
		s.losses++
		if from == c.clientSide() {
			s.asksLost++
		}
	}
}

// message takes one whole message without its length field.
func (c *conn) message(m []byte, at place) {
	switch string(m[:4]) {
	case "\xffSMB":
		c.multiProtocol(m, at)
	case "\xfcSMB":
		c.compressed(m, at)
	case "\xfdSMB":
		c.unseal(m, at)
	default:
		c.chain(m, at)
	}
}

// conflict says whether copies of a byte that differ were seen since the last call.
func (c *conn) conflict() bool {
	n := c.wire.Conflicts[0] + c.wire.Conflicts[1]
	if n == c.damage {
		return false
	}
	c.damage = n
	return true
}
