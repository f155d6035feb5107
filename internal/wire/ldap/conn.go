package ldap

import (
	"waybill/internal/wire"
	"waybill/internal/wire/framed"
)

// conn is one connection.
type conn struct {
	p      *protocol
	wire   *wire.Conn
	halves [2]*framed.Reader
	lossy  [2]bool
	dark   [2]bool // what comes is no LDAP any more
	layer  bool    // TLS or a SASL layer was asked for: what it hides are no files
	bind   *bind   // under way
	ended  int
}

// Data takes the next bytes.
func (d *conn) Data(from wire.Side, c wire.Chunk) {
	switch {
	case !d.dark[from]:
		d.halves[from].Data(c)
	case !d.layer:
		d.p.env.Blind("unknown-protocol", int64(len(c.Data)))
	}
}

// Gap goes on after bytes that were not seen.
func (d *conn) Gap(from wire.Side, n int64, _ wire.At) {
	d.lossy[from] = true
	d.halves[from].Gap(n)
}

// lost is told that no message is where one should be. Without a loss that is what
// a security layer does: each of its messages has a length of its own (RFC 4422 3.7).
func (d *conn) lost(side wire.Side) {
	if !d.lossy[side] && d.wire.FromStart[side] {
		d.dark[side] = true
	}
}

// End ends a side; after the second one no answer can come any more.
func (d *conn) End(from wire.Side, _ wire.Ending, _ wire.At) {
	d.halves[from].Reset()
	if d.ended++; d.ended < 2 {
		return
	}
	if d.bind != nil && d.bind.who {
		d.report(d.bind, "no answer seen")
	}
	d.bind = nil
}

// message takes one message.
func (d *conn) message(m *framed.Message) {
	id, op, ok := parts(m.Data)
	if !ok || len(m.Holes) > 0 {
		return
	}
	switch op.Tag {
	case opBind:
		d.request(id, op.Body, m)
	case opBindResponse:
		d.response(id, op.Body, m)
	case opExtended:
		d.layer = d.layer || startsTLS(op.Body)
	}
}
