package http

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"strings"

	"waybill/internal/wire"
	"waybill/internal/wire/ntlm"
)

// account is who a connection was logged on as, and how.
type account struct {
	auth, user, domain string
	service            string // that a Kerberos ticket is for
}

// loggedOn takes who an NTLM or Kerberos token names, for a server or a proxy: it
// holds for the connection (RFC 4559, MS-NTHT).
func (c *conn) loggedOn(x *exchange, hd *header) {
	for _, field := range [...]string{"Authorization", "Proxy-Authorization"} {
		if t, ok := c.token(hd.get(field)); ok {
			c.logon(x, &t)
		}
	}
	if x.user == "" && c.who.auth != "" {
		x.auth, x.user, x.domain = c.who.auth, c.who.user, c.who.domain
	}
}

// token reads a token that says who logs on.
func (c *conn) token(value string) (t ntlm.Token, ok bool) {
	scheme, rest, _ := strings.Cut(value, " ")
	if !strings.EqualFold(scheme, "NTLM") && !strings.EqualFold(scheme, "Negotiate") && !strings.EqualFold(scheme, "Kerberos") {
		return t, false
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(rest))
	if err != nil {
		return t, false
	}
	t, ok = ntlm.Read(c.p.env, raw)
	return t, ok && (t.MessageType == ntlm.Authenticate || t.TicketFor() != "")
}

// challenged takes what a server that asks for NTLM calls itself.
func (c *conn) challenged(h *half, hd *header) {
	scheme, rest, _ := strings.Cut(hd.get("WWW-Authenticate"), " ")
	if hd.status != 401 || !strings.EqualFold(scheme, "NTLM") && !strings.EqualFold(scheme, "Negotiate") {
		return
	}
	if raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(rest)); err == nil {
		t, _ := ntlm.Parse(raw)
		c.p.servers.Heard(c.p.env, c.wire, h.side, &t, hd.last)
	}
}

// logon begins the access of a logon. Clients that send a ticket with every request
// (IIS asks for that) log on once.
func (c *conn) logon(x *exchange, t *ntlm.Token) {
	who := account{t.Mechanism, t.User, t.Domain, t.TicketFor()}
	if who == c.who && who.service != "" {
		return
	}
	c.who = who
	a := &wire.Access{Conn: c.wire}
	a.ID = wire.ID("a", "http", c.wire, x.side, x.seq, 0, []byte("logon")...)
	a.Time, a.What, a.Channel, a.Object = x.first.Time, "logon", "http", cmp.Or(who.service, x.host)
	a.Source, a.Destination = c.wire.Ends[x.side].Endpoint(), c.wire.Ends[x.side.Other()].Endpoint()
	a.User, a.Domain, a.Detail = t.User, t.Domain, t.LogonDetail()
	a.Seen.Add(x.first)
	x.logon = a
}

// outcome hands out the logon of a request with what its answer said (RFC 9110
// 15.5.2, 15.5.8). A refused one does not count for the connection.
func (c *conn) outcome(x *exchange) {
	a := x.logon
	if a == nil {
		return
	}
	x.logon = nil
	switch x.status {
	case 0:
		a.Status = "no answer seen"
	case 401, 407:
		a.Status = fmt.Sprint(x.status)
		if a.User == c.who.user && a.Domain == c.who.domain {
			c.who = account{}
		}
	}
	if x.status != 0 {
		a.Seen.Add(x.answer)
	}
	c.p.env.Access(a)
}
