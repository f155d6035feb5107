// Package krb5 reads who asks for Kerberos tickets (RFC 4120). In come the
// exchanges of hosts with a key distribution centre, over UDP and TCP; out go
// accesses that say which principal got or was refused a ticket for which
// service, from which address. It opens no ticket and keeps no key.
package krb5

import (
	"encoding/binary"
	"fmt"
	"strings"

	"waybill/internal/wire"
	"waybill/internal/wire/der"
	"waybill/internal/wire/framed"
)

const channel = "kerberos"

// The messages by their application tags (RFC 4120 5.10).
const (
	asRequest  = 0x6a
	asReply    = 0x6b
	tgsRequest = 0x6c
	tgsReply   = 0x6d
	krbError   = 0x7e

	tagSequence      = 0x30
	tagInteger       = 0x02
	tagGeneralString = 0x1b
	tagTicket        = 0x61
)

func context(n byte) byte { return 0xa0 | n }

type protocol struct {
	env  wire.Env
	said map[string]bool
}

// New makes the decoder of Kerberos.
func New(env wire.Env) wire.Protocol { return &protocol{env: env, said: map[string]bool{}} }

func (p *protocol) Name() string { return channel }

// Probe asks for a message of version 5.
func (p *protocol) Probe(c *wire.Conn, head [2][]byte) wire.Verdict {
	verdict := wire.No
	for _, b := range head {
		if !c.UDP && len(b) > 0 {
			if b[0] != 0 {
				return wire.No
			}
			if len(b) < 24 {
				verdict = wire.Maybe
				continue
			}
			b = b[4:]
		}
		if len(b) == 0 {
			continue
		}
		if !isMessage(b) {
			return wire.No
		}
		return wire.Yes
	}
	return verdict
}

// isMessage says whether b is an exchange with a key distribution centre.
func isMessage(b []byte) bool {
	if len(b) < 16 {
		return false
	}
	switch b[0] {
	case asRequest, asReply, tgsRequest, tgsReply, krbError:
	default:
		return false
	}
	return versionOf(b) == 5
}

func versionOf(b []byte) int {
	v, _, ok := der.Run(b).Next()
	if !ok {
		return 0
	}
	fields, ok := v.Body.Child(tagSequence)
	if !ok {
		return 0
	}
	at := context(0)
	if v.Tag == asRequest || v.Tag == tgsRequest {
		at = context(1)
	}
	if n := fields.Field(at, tagInteger); len(n) == 1 {
		return int(n[0])
	}
	return 0
}

// record is the framing over TCP (RFC 4120 7.2.2).
var record = framed.Format{
	Head:   4,
	Needed: 64,
	Length: func(b []byte) int {
		n := binary.BigEndian.Uint32(b)
		if n > 1<<20 || n == 0 {
			return -1
		}
		return 4 + int(n)
	},
	Find: func(b []byte) int {
		for i := 0; i+20 <= len(b); i++ {
			if b[i] == 0 && isMessage(b[i+4:]) {
				return i
			}
		}
		return -1
	},
}

// Open makes the decoder of one connection.
func (p *protocol) Open(c *wire.Conn) wire.Decoder {
	d := &conn{p: p, wire: c}
	for i := range d.halves {
		d.halves[i] = framed.NewReader(&record, p.env, wire.Side(i), c.FromStart[i], func(m *framed.Message) {
			d.message(m.From, m.Data[4:], m.Last)
		}, func() {})
	}
	return d
}

// Flush has nothing to end.
func (p *protocol) Flush(wire.At) {}

type conn struct {
	p      *protocol
	wire   *wire.Conn
	halves [2]*framed.Reader
}

func (d *conn) Data(from wire.Side, c wire.Chunk) {
	if d.wire.UDP {
		d.message(from, c.Data, c.At)
		return
	}
	d.halves[from].Data(c)
}

func (d *conn) Gap(from wire.Side, n int64, _ wire.At)       { d.halves[from].Gap(n) }
func (d *conn) End(from wire.Side, _ wire.Ending, _ wire.At) { d.halves[from].Reset() }

// message takes one message.
func (d *conn) message(from wire.Side, b []byte, at wire.At) {
	if !isMessage(b) {
		return
	}
	v, _, _ := der.Run(b).Next()
	fields, _ := v.Body.Child(tagSequence)
	switch v.Tag {
	case asRequest:
		body := fields.Field(context(4), tagSequence)
		d.report(from, "AS-REQ", body.Field(context(2), tagGeneralString), body.Field(context(1), tagSequence), body.Field(context(3), tagSequence), "", at)
	case asReply, tgsReply:
		ticket, _ := fields.Field(context(5), tagTicket).Child(tagSequence)
		what := "AS-REP"
		if v.Tag == tgsReply {
			what = "TGS-REP"
		}
		d.report(from.Other(), what, fields.Field(context(3), tagGeneralString), fields.Field(context(4), tagSequence), ticket.Field(context(2), tagSequence), "", at)
		d.issued(fields)
	case krbError:
		code := fields.Field(context(6), tagInteger)
		n := 0
		for _, c := range code {
			n = n<<8 | int(c)
		}
		d.report(from.Other(), "KRB-ERROR", fields.Field(context(7), tagGeneralString), fields.Field(context(8), tagSequence),
			fields.Field(context(10), tagSequence), errorName(n), at)
	}
}

// issued notes whose ticket a reply brings (RFC 4120 5.4.2).
func (d *conn) issued(reply der.Run) {
	realm, user := reply.Field(context(3), tagGeneralString), principal(reply.Field(context(4), tagSequence))
	if user != "" {
		d.p.env.Issued(reply.Field(context(5), tagTicket), user, wire.Printable(string(realm)))
	}
}

// principal writes a name (RFC 4120 5.2.2).
func principal(name der.Run) string {
	var parts []string
	for rest := name.Field(context(1), tagSequence); len(parts) < 8; {
		v, more, ok := rest.Next()
		if !ok {
			break
		}
		parts = append(parts, wire.Printable(string(v.Body)))
		rest = more
	}
	return strings.Join(parts, "/")
}

const maxSaid = 1 << 16

// report says who asks for a ticket, once for each outcome.
func (d *conn) report(client wire.Side, what string, realm, cname, sname der.Run, status string, at wire.At) {
	user, service := principal(cname), principal(sname)
	if user == "" {
		return
	}
	c, s := d.wire.Ends[client], d.wire.Ends[client.Other()]
	domain := wire.Printable(string(realm))
	key := strings.Join([]string{c.Addr.String(), what, user, domain, service, status}, "\x00")
	if what != "TGS-REP" && d.p.said[key] {
		return
	}
	if len(d.p.said) >= maxSaid {
		d.p.said = map[string]bool{}
	}
	d.p.said[key] = true
	a := &wire.Access{Conn: d.wire}
	a.ID = wire.ID("a", channel, d.wire, client, uint32(at.Time/1e3), 0, []byte(key)...)
	a.Time, a.What, a.Channel = at.Time, "kerberos-ticket", channel
	a.Source, a.Destination = c.Endpoint(), s.Endpoint()
	a.User, a.Domain, a.Object, a.Detail, a.Status = user, domain, service, what, status
	a.Seen.Add(at)
	d.p.env.Access(a)
}

// errorName names the refusals that logins meet (RFC 4120 7.5.9).
func errorName(code int) string {
	switch code {
	case 6:
		return "KDC_ERR_C_PRINCIPAL_UNKNOWN"
	case 18:
		return "KDC_ERR_CLIENT_REVOKED"
	case 24:
		return "KDC_ERR_PREAUTH_FAILED"
	case 25:
		return "KDC_ERR_PREAUTH_REQUIRED"
	}
	return fmt.Sprintf("error %d", code)
}
