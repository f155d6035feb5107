package ldap

import (
	"bytes"
	"fmt"
	"strings"

	"waybill/internal/wire"
	"waybill/internal/wire/der"
	"waybill/internal/wire/framed"
	"waybill/internal/wire/ntlm"
)

// The choices of authentication in a bind (RFC 4511 4.2, MS-ADTS 5.1.1.1.3).
const (
	authSimple          = 0x80
	authSASL            = 0xa3
	authSicilyNegotiate = 0x8a
	authSicilyResponse  = 0x8b
)

// resultInProgress asks for the next message of a logon (RFC 4511 4.1.9).
const resultInProgress = 14

// bind is a logon: one request, or several while the server asks for more.
type bind struct {
	id           int  // of the last request
	who          bool // it says who logs on
	going        bool // the server asked for more
	sicily       bool // its first message, which the server answers with success
	user, domain string
	detail       string
	object       string
	from         wire.Side
	seq          uint32
	first        wire.At
	seen         wire.Packets
}

// request takes a BindRequest (RFC 4511 4.2).
func (d *conn) request(id int, body der.Run, m *framed.Message) {
	_, rest, _ := body.Next() // version
	name, rest, _ := rest.Next()
	auth, _, ok := rest.Next()
	if !ok || name.Tag != tagOctets {
		return
	}
	b := &bind{id: id, from: m.From, seq: m.Seq, first: m.First, seen: m.Seen}
	switch auth.Tag {
	case authSimple:
		b.simple(string(name.Body), len(auth.Body) == 0)
	case authSASL:
		d.sasl(b, auth.Body)
	case authSicilyNegotiate, authSicilyResponse:
		b.sicily = auth.Tag == authSicilyNegotiate
		b.detail = "sicily"
		d.token(b, auth.Body)
	default:
		return
	}
	d.layer = d.layer || auth.Tag != authSimple
	d.next(b)
}

// next goes on with the logon under way, or begins one: a connection has one at a
// time (RFC 4511 4.2.1).
func (d *conn) next(b *bind) {
	old := d.bind
	d.bind = b
	switch {
	case old == nil || !old.who:
	case !old.going:
		d.report(old, "no answer seen")
	case !b.who:
		old.seen.Merge(b.seen)
		old.id, old.going = b.id, false
		d.bind = old
	}
}

// simple takes the name of a simple bind. Without a name it is anonymous, without a
// password unauthenticated, whatever the name (RFC 4513 5.1).
func (b *bind) simple(name string, noPassword bool) {
	b.who, b.detail = true, "simple"
	b.named(name)
	switch {
	case name == "":
		b.detail += " anonymous"
	case noPassword:
		b.detail += " without a password"
	}
}

// named takes a name as directories of Windows do (MS-ADTS 5.1.1.1.1): a
// distinguished name, user@domain or DOMAIN\user.
func (b *bind) named(name string) {
	name = wire.Printable(name)
	b.user = name
	if strings.Contains(name, "=") {
		return
	}
	if domain, user, ok := strings.Cut(name, `\`); ok {
		b.domain, b.user = domain, user
	} else if user, domain, ok := strings.Cut(name, "@"); ok {
		b.user, b.domain = user, domain
	}
}

// sasl takes the mechanism and its message (RFC 4513 5.2).
func (d *conn) sasl(b *bind, body der.Run) {
	mechanism, rest, _ := body.Next()
	credentials, _, _ := rest.Next()
	b.detail = "sasl " + wire.Printable(string(mechanism.Body[:min(len(mechanism.Body), 20)]))
	switch name := strings.ToUpper(string(mechanism.Body)); name {
	case "GSSAPI", "GSS-SPNEGO", "NTLM":
		d.token(b, credentials.Body)
	case "PLAIN":
		// authorization, account, password (RFC 4616 2)
		if parts := bytes.Split(credentials.Body, []byte{0}); len(parts) == 3 {
			b.who = true
			b.named(string(parts[1]))
		}
	case "DIGEST-MD5":
		if user, ok := quoted(string(credentials.Body), `username="`); ok {
			b.who = true
			b.named(user)
		}
	case "EXTERNAL":
		b.who = true // who it is, the certificate of TLS says
		b.named(strings.TrimPrefix(string(credentials.Body), "u:"))
	}
}

// quoted is the value that follows start, to its closing quote (RFC 2831 2.1.2).
func quoted(text, start string) (string, bool) {
	_, rest, ok := strings.Cut(text, start)
	if !ok {
		return "", false
	}
	value, _, ok := strings.Cut(rest, `"`)
	return value, ok
}

// token takes a security token.
func (d *conn) token(b *bind, token []byte) {
	t, ok := ntlm.Read(d.p.env, token)
	if !ok || t.MessageType != ntlm.Authenticate && t.TicketFor() == "" {
		return
	}
	b.who = true
	b.user, b.domain, b.object = wire.Printable(t.User), wire.Printable(t.Domain), t.TicketFor()
	b.detail = wire.Printable(t.LogonDetail())
}

// response takes a BindResponse (RFC 4511 4.2.2).
func (d *conn) response(id int, body der.Run, m *framed.Message) {
	result, rest, _ := body.Next()
	b := d.bind
	if b == nil || b.id != id || result.Tag != tagEnumerated {
		return
	}
	b.seen.Merge(m.Seen)
	if code := integer(result.Body); code != resultInProgress && (code != 0 || !b.sicily) {
		d.bind = nil
		d.report(b, outcome(code, rest))
		return
	}
	b.going = true
}

// report says who logged on and how that ended.
func (d *conn) report(b *bind, status string) {
	a := &wire.Access{Conn: d.wire, Seen: b.seen}
	a.ID = wire.ID("a", channel, d.wire, b.from, b.seq, 0, []byte("logon")...)
	a.Time, a.What, a.Channel = b.first.Time, "logon", channel
	a.Source, a.Destination = d.wire.Ends[b.from].Endpoint(), d.wire.Ends[b.from.Other()].Endpoint()
	a.User, a.Domain, a.Detail, a.Object, a.Status = b.user, b.domain, b.detail, b.object, status
	d.p.env.Access(a)
}

// outcomes are the results that logons meet (RFC 4511 4.1.9).
var outcomes = map[int]string{
	0: "success", 1: "operationsError", 2: "protocolError", 7: "authMethodNotSupported", 8: "strongerAuthRequired",
	13: "confidentialityRequired", 32: "noSuchObject", 34: "invalidDNSyntax", 48: "inappropriateAuthentication",
	49: "invalidCredentials", 50: "insufficientAccessRights", 51: "busy", 52: "unavailable", 53: "unwillingToPerform", 80: "other",
}

// outcome names a result. Servers of Windows say in the diagnostic message why they
// refused, as "data 52e" (MS-ADTS 3.1.1.3.1.9).
func outcome(code int, rest der.Run) string {
	name := outcomes[code]
	if name == "" {
		name = fmt.Sprintf("result %d", code)
	}
	_, rest, _ = rest.Next() // matched name
	diagnostic, _, _ := rest.Next()
	if _, why, ok := strings.Cut(string(diagnostic.Body), ", data "); ok && code != 0 {
		why, _, _ = strings.Cut(why, ",")
		name += ", data " + wire.Printable(why[:min(len(why), 8)])
	}
	return name
}

// startTLS asks for TLS on the same connection (RFC 4511 4.14.1).
const startTLS = "1.3.6.1.4.1.1466.20037"

// startsTLS says whether an ExtendedRequest does.
func startsTLS(body der.Run) bool {
	name, _, _ := body.Next()
	return string(name.Body) == startTLS
}
