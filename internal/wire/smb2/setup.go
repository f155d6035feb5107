package smb2

import (
	"waybill/internal/wire"
	"waybill/internal/wire/fileshare"
	"waybill/internal/wire/ntlm"
	"waybill/internal/wire/smbcrypt"
)

// maxSetups bounds the sessions being set up on one connection.
const maxSetups = 256

// The flags of SESSION_SETUP (MS-SMB2 2.2.5, 2.2.6).
const (
	setupBinding = 1

	sessionGuest   = 1
	sessionNull    = 2
	sessionEncrypt = 4
)

const (
	setupRequestLen  = 24
	setupResponseLen = 8
)

// setup is one SESSION_SETUP request, with what those before it showed.
type setup struct {
	binding bool
	hash    smbcrypt.Preauth
	token   ntlm.Token
}

func (c *conn) setupRequest(r *request, h *header, m fields) {
	u := &setup{hash: c.preauth}
	if before, ok := c.setups[h.session]; ok {
		*u = before
	}
	u.hash.Update(m)
	r.detail = u
	if !m.has(headerLen + setupRequestLen) {
		return
	}
	u.binding = m.u8(headerLen+2)&setupBinding != 0
	if token := m.bytes(uint32(m.u16(headerLen+12)), uint32(m.u16(headerLen+14))); token != nil {
		u.asked(c.p.env, token)
	}
}

// asked takes the client's token. One that goes on with a Kerberos logon, to
// confirm the choice of mechanism (RFC 4178 5), leaves the ticket as it was.
func (u *setup) asked(env wire.Env, token []byte) {
	t, _ := ntlm.Read(env, token)
	if u.token.Mechanism != ntlm.Kerberos || t.MessageType != 0 || t.Service != "" {
		u.token = t
	}
}

// answered takes the server's token, which may hold its part of the key.
func (u *setup) answered(m fields) ntlm.Token {
	t, _ := ntlm.Parse(m.bytes(uint32(m.u16(headerLen+4)), uint32(m.u16(headerLen+6))))
	if t.APRep != nil {
		u.token.APRep = t.APRep
	}
	return t
}

func (c *conn) setupResponse(r *request, h *header, m fields, at place) {
	u := r.detail.(*setup)
	t := u.answered(m)
	c.p.servers.Heard(c.p.env, c.wire, at.from, &t, at.last)
	if h.status == statusMoreProcessing {
		if c.setups == nil || len(c.setups) >= maxSetups {
			c.setups = make(map[uint64]setup)
		}
		u.hash.Update(m)
		c.setups[h.session] = *u
		return
	}
	delete(c.setups, h.session)
	if isError(h.status) {
		c.refusedLogon(h, u, r.at, at)
		return
	}
	c.established(h.session, u, m, r.at, at)
}

// established takes a session that was set up, bound or authenticated again.
func (c *conn) established(id uint64, u *setup, m fields, asked, at place) {
	s, again := c.sessions[id]
	switch {
	case again && s.seen:
	case u.binding:
		if s = c.p.sessions.bound(id, c); s == nil {
			s = c.p.newSession(c, id)
		}
		c.join(s)
		return
	case !again:
		if c.twin = c.p.sessions.shown(id, c); c.twin {
			return
		}
		s = c.p.newSession(c, id)
		c.join(s)
	}
	s.identify(&u.token)
	if !s.seen {
		s.seen = true
		s.keys.hash, s.keys.hashed = u.hash, true
		s.keys.session = u.token.Ticket.SessionKey(u.token.APRep)
	}
	flags := m.u16(headerLen + 2)
	s.nobody = flags&sessionNull != 0
	s.logon(c, asked, at, flags)
}

// logon reports that the session was set up.
func (s *session) logon(c *conn, asked, at place, flags uint16) {
	a := s.access(c, "logon", asked, 0)
	a.Seen.Add(at.last)
	a.Object = s.service
	t := ntlm.Token{Mechanism: s.auth, User: s.user, Workstation: s.workstation}
	if s.auth == ntlm.NTLM && s.named {
		t.MessageType = ntlm.Authenticate
	}
	a.Detail = t.LogonDetail()
	switch {
	case flags&sessionGuest != 0:
		a.Detail += " as guest"
	case s.nobody && t.MessageType != ntlm.Authenticate:
		a.Detail += " anonymous"
	}
	s.p.env.Access(a)
}

// refusedLogon reports a log-on that the server refused.
func (c *conn) refusedLogon(h *header, u *setup, asked, at place) {
	if u.token.MessageType != ntlm.Authenticate && u.token.Mechanism != ntlm.Kerberos {
		return
	}
	s := &session{p: c.p, id: h.session, client: c.wire.Ends[c.clientSide()], server: c.wire.Ends[c.server()]}
	a := s.access(c, "logon", asked, 0)
	a.Seen.Add(at.last)
	a.User, a.Domain, a.Detail, a.Object = u.token.User, u.token.Domain, u.token.LogonDetail(), u.token.TicketFor()
	a.Status = fileshare.StatusName(h.status)
	c.p.env.Access(a)
}

func (c *conn) logoffResponse(r *request, h *header, at place) {
	if !isError(h.status) {
		r.session.end(closed, at.last)
	}
}
