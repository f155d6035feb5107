// Package smb2 decodes SMB 2 and 3, dialects 2.0.2 to 3.1.1 (MS-SMB2). In come
// the bytes of connections, in order, with word of what was not seen; out go
// transfers, each one open of a file in one direction, and accesses: opens of
// pipes, refusals, peeks, log-ons, services made and started.
//
// State belongs to what it describes: messages to a connection, opens to a
// session, sessions to a client and a server, however many connections join
// them. Bytes written count when the server says so. The data of plain READ and
// WRITE messages flow through as they come; everything else is gathered, within
// bounds. It never opens, runs or names a file by what it reads, and never
// guesses a session key.
package smb2

import (
	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/ntlm"
)

// protocol holds what outlives connections.
type protocol struct {
	env      wire.Env
	sessions sessionTable
	opens    openTable
	hold     holdList
	partial  partialReads
	durable  durableOpens
	tokens   tokenTable
	servers  ntlm.Servers

	idle     []*request // for reuse
	opened   []byte     // scratch: a decrypted message
	packed   []byte     // scratch: a decompressed message
	expiring bool
	zeros    int64 // how many bytes never written may still be taken as zeros
}

// New makes the decoder of SMB 2 and 3.
func New(env wire.Env) wire.Protocol {
	p := &protocol{env: env, zeros: zeroAllowance}
	return p
}

// channel is the word of the contract for SMB 2 and 3; the dialect stands in the session.
const channel = "smb2"

func (p *protocol) Name() string { return channel }

// Open makes the decoder of one connection.
func (p *protocol) Open(c *wire.Conn) wire.Decoder {
	d := &conn{p: p, wire: c, client: -1, sessions: make(map[uint64]*session)}
	if c.Opened {
		d.client = 0
	}
	d.pending.order.which = inConnection
	for i := range d.halves {
		d.halves[i] = half{c: d, side: wire.Side(i)}
		if !c.FromStart[i] {
			d.halves[i].state = seeking
		}
	}
	return d
}

// Flush ends what outlives connections.
func (p *protocol) Flush(at wire.At) {
	p.durable.flush(at)
	p.partial.flush()
	p.hold.flush(p)
}

// expire lets go of what was held for long enough by now.
func (p *protocol) expire(now model.Time) {
	if p.expiring {
		return // an open that ends meanwhile asks again
	}
	p.expiring = true
	p.durable.expire(now)
	p.partial.expire(now)
	p.hold.expire(p, now)
	p.expiring = false
}
