// Package krb5 reads who asks for Kerberos tickets (RFC 4120). In come the
// exchanges of hosts with a key distribution centre, over UDP and TCP; out go
// accesses that say which principal got or was refused a ticket for which
// service, from which address, and which name a client of Windows gives itself. It opens no ticket and keeps no key.
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
	tagOctets        = 0x04
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
	asker  account // who asked last, by name or by the ticket-granting ticket shown
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
		d.named(from, body, at)
		d.asker = client(body, 2, 1)
		d.report(from, "AS-REQ", d.asker, principal(body.Field(context(3), tagSequence)), "", at)
	case asReply, tgsReply:
		what := "AS-REP"
		if v.Tag == tgsReply {
			what = "TGS-REP"
		}
		d.reply(from.Other(), what, fields, at)
	case tgsRequest:
		d.asker = d.holder(fields)
	case krbError:
		code := fields.Field(context(6), tagInteger)
		n := 0
		for _, c := range code {
			n = n<<8 | int(c)
		}
		who := client(fields, 7, 8)
		if who.user == "" { // as of Windows
			who = d.asker
		}
		d.report(from.Other(), "KRB-ERROR", who, principal(fields.Field(context(10), tagSequence)), errorName(n), at)
	}
}

// account is a principal with its realm.
type account struct{ user, domain string }

// client reads a principal out of two fields: its realm and its name.
func client(fields der.Run, realm, name byte) account {
	return account{principal(fields.Field(context(name), tagSequence)), wire.Printable(string(fields.Field(context(realm), tagGeneralString)))}
}

// hidden is the name in replies whose client is told only in their encrypted part
// (RFC 6113 5.4.2, RFC 8062).
const hidden = "WELLKNOWN/ANONYMOUS"

// reply takes a ticket that a client gets (RFC 4120 5.4.2). Where the reply hides who
// that is, it is whose ticket-granting ticket was shown for it.
func (d *conn) reply(to wire.Side, what string, fields der.Run, at wire.At) {
	who := client(fields, 3, 4)
	if who.user == hidden && d.asker.user != "" {
		who = d.asker
	}
	brought := fields.Field(context(5), tagTicket)
	ticket, _ := brought.Child(tagSequence)
	d.report(to, what, who, principal(ticket.Field(context(2), tagSequence)), "", at)
	if who.user != "" && who.user != hidden {
		d.p.env.Issued(brought, who.user, who.domain)
	}
}

// paTGSReq is the data of a request that hold an AP-REQ with the ticket-granting
// ticket (RFC 4120 5.2.7.1).
const paTGSReq = 1

// holder is whose ticket-granting ticket a request shows.
func (d *conn) holder(request der.Run) account {
	rest := request.Field(context(3), tagSequence)
	for range 16 {
		v, more, ok := rest.Next()
		if !ok {
			break
		}
		if kind := v.Body.Field(context(1), tagInteger); len(kind) == 1 && kind[0] == paTGSReq {
			t := d.p.env.Ticket(v.Body.Field(context(2), tagOctets))
			return account{t.User, t.Domain}
		}
		rest = more
	}
	return account{}
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
func (d *conn) report(client wire.Side, what string, who account, service, status string, at wire.At) {
	if who.user == "" {
		return
	}
	c, s := d.wire.Ends[client], d.wire.Ends[client.Other()]
	key := strings.Join([]string{c.Addr.String(), what, who.user, who.domain, service, status}, "\x00")
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
	a.User, a.Domain, a.Object, a.Detail, a.Status = who.user, who.domain, service, what, status
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
