// Package ftp decodes FTP (RFC 959, 2228, 2428, 3659) on any port. In come the
// bytes of control and data connections; out goes one transfer for each file
// that a command moved, with its content, and one opaque transfer for each
// session whose data connections are encrypted (RFC 4217). It tells control
// connections by their words, finds data connections by what was agreed on, and
// never keeps a password.
package ftp

import (
	"waybill/internal/model"
	"waybill/internal/wire"
)

// Times are of packets.
const (
	renameTime = model.Time(60e9)  // a rename within 60 s belongs to the upload (contract)
	resumeTime = model.Time(300e9) // a transfer that was broken off may go on within 5 minutes
)

// Bounds of what is kept.
const (
	maxLine     = 8 << 10
	maxPending  = 1000 // commands without an answer, a connection
	maxUnproved = 1000 // transfers whose data connection was not seen yet, a connection
	maxBroken   = 1024 // transfers that may go on, of all connections
	maxStored   = 4096 // uploads that may still be renamed, of all connections
	maxEarly    = 64 << 10
)

// Protocol makes decoders of control connections, and holds what outlives them.
type Protocol struct {
	env    wire.Env
	broken []*movement                // broken off, oldest first
	stored []*movement                // uploads that may be renamed or deleted, oldest first
	secret map[hosts][]*tunnel        // oldest first
	active map[wire.AddrPort]*channel // data connections agreed on and not there yet
}

// hosts are the two ends of a control connection.
type hosts struct{ client, server model.Addr }

// New makes the protocol.
func New(env wire.Env) wire.Protocol {
	return &Protocol{env: env, secret: map[hosts][]*tunnel{}, active: map[wire.AddrPort]*channel{}}
}

// Name is "ftp".
func (p *Protocol) Name() string { return "ftp" }

// Open makes the decoder of a control connection, or of an encrypted data
// connection that Probe recognised.
func (p *Protocol) Open(c *wire.Conn) wire.Decoder {
	if t, client := p.tunnelOf(c); t != nil {
		return t.carry(c, client)
	}
	return newControl(p, c)
}

// Flush hands out all that waited.
func (p *Protocol) Flush(wire.At) {
	for _, m := range p.broken {
		m.settle()
	}
	for _, m := range p.stored {
		p.env.Transfer(m.t)
	}
	p.broken, p.stored = nil, nil
}

// tick hands out what nothing can change any more.
func (p *Protocol) tick() {
	now := p.env.Now()
	for len(p.broken) > 0 && (now-p.broken[0].ended > resumeTime || len(p.broken) > maxBroken) {
		p.broken[0].settle()
		p.broken = p.broken[1:]
	}
	for len(p.stored) > 0 && (now-p.stored[0].ended > renameTime || len(p.stored) > maxStored) {
		p.env.Transfer(p.stored[0].t)
		p.stored = p.stored[1:]
	}
}

// resume gives the transfer that a command with an offset goes on with, if any.
func (p *Protocol) resume(m *movement) *movement {
	for i := len(p.broken) - 1; i >= 0; i-- {
		if old := p.broken[i]; old.continues(m) {
			p.broken = append(p.broken[:i:i], p.broken[i+1:]...)
			return old
		}
	}
	return nil
}
