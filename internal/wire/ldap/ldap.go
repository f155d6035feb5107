// Package ldap reads who logs on at directories (RFC 4511, MS-ADTS 5.1.1). In come
// the bytes of connections over TCP, told by their content; out go accesses, one a
// bind with its outcome: the name of a simple bind, the account or principal of a
// SASL or Sicily one. It never keeps a password, and reads nothing else: searches
// and what they find are passed over.
package ldap

import (
	"waybill/internal/wire"
	"waybill/internal/wire/der"
	"waybill/internal/wire/framed"
)

const channel = "ldap"

// The operations (RFC 4511 4.2 to 4.12) by their application tags.
const (
	opBind         = 0x60
	opBindResponse = 0x61
	opUnbind       = 0x42
	opExtended     = 0x77
)

// operations are all of them: they tell what is LDAP.
var operations = map[byte]bool{
	opBind: true, opBindResponse: true, opUnbind: true,
	0x63: true, 0x64: true, 0x65: true, 0x73: true, // search
	0x66: true, 0x67: true, 0x68: true, 0x69: true, 0x4a: true, 0x6b: true, // modify, add, delete
	0x6c: true, 0x6d: true, 0x6e: true, 0x6f: true, 0x50: true, // rename, compare, abandon
	opExtended: true, 0x78: true, 0x79: true,
}

const (
	tagInteger    = 0x02
	tagOctets     = 0x04
	tagEnumerated = 0x0a
	tagSequence   = 0x30
)

// The shortest message is an unbind; the longest that is read is longer than what
// servers send (MS-ADTS 3.1.1.3.4.6, MaxReceiveBuffer and MaxResultSetSize).
const (
	minMessage = 7
	maxMessage = 16 << 20
)

// message is the framing. Servers of Windows write all lengths in four bytes.
var message = framed.Format{
	Head:   minMessage,
	Needed: 64,
	Length: lengthOf,
	Find: func(b []byte) int {
		for i := 0; i+2*minMessage <= len(b); i++ {
			if b[i] == tagSequence && starts(b[i:]) {
				return i
			}
		}
		return -1
	},
}

// lengthOf is the length of a message by its first bytes, -1 where they are none:
// the number of the message must follow its length.
func lengthOf(b []byte) int {
	head, n := 2, int(b[1])
	if n >= 0x80 {
		size := n & 0x7f
		if size == 0 || size > 4 {
			return -1
		}
		head, n = 2+size, 0
		for _, c := range b[2:head] {
			n = n<<8 | int(c)
		}
	}
	if b[0] != tagSequence || b[head] != tagInteger || n > maxMessage || head+n < minMessage {
		return -1
	}
	return head + n
}

// starts says whether b begins with a message of a known operation.
func starts(b []byte) bool {
	if lengthOf(b) < 0 {
		return false
	}
	_, op, ok := parts(b)
	return ok && operations[op.Tag]
}

// parts are the number and the operation of a message.
func parts(b []byte) (id int, op der.Value, ok bool) {
	fields, ok := der.Run(b).Child(tagSequence)
	if !ok {
		return 0, op, false
	}
	number, rest, ok := fields.Next()
	if !ok || number.Tag != tagInteger || len(number.Body) == 0 || len(number.Body) > 4 {
		return 0, op, false
	}
	op, _, ok = rest.Next()
	return integer(number.Body), op, ok
}

func integer(b der.Run) int {
	n := 0
	for _, c := range b {
		n = n<<8 | int(c)
	}
	return n
}

type protocol struct{ env wire.Env }

// New makes the decoder of LDAP.
func New(env wire.Env) wire.Protocol { return &protocol{env} }

func (p *protocol) Name() string { return channel }

// enough is how many bytes show the operation of a message, whatever its lengths.
const enough = 2*minMessage + 4

// Probe asks for the start of a message. LDAP over UDP carries no logon.
func (p *protocol) Probe(c *wire.Conn, head [2][]byte) wire.Verdict {
	if c.UDP {
		return wire.No
	}
	verdict := wire.No
	for _, b := range head {
		switch {
		case len(b) >= minMessage && starts(b):
			return wire.Yes
		case len(b) >= enough, len(b) > 0 && b[0] != tagSequence:
			return wire.No
		case len(b) > 0:
			verdict = wire.Maybe
		}
	}
	return verdict
}

// Open makes the decoder of one connection.
func (p *protocol) Open(c *wire.Conn) wire.Decoder {
	d := &conn{p: p, wire: c}
	for i := range d.halves {
		side := wire.Side(i)
		d.halves[i] = framed.NewReader(&message, p.env, side, c.FromStart[i], d.message, func() { d.lost(side) })
	}
	return d
}

// Flush has nothing to end.
func (p *protocol) Flush(wire.At) {}
