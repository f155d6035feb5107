package smb2

import (
	"fmt"
	"slices"

	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/dcerpc"
	"waybill/internal/wire/ntlm"
)

// sessionCost is what a session takes of the budget.
const sessionCost = 4 << 10

// maxSessions bounds the sessions that are known at a time.
const maxSessions = 1 << 14

// session is one authenticated session between a client and a server, over all
// connections that joined it.
type session struct {
	p      *protocol
	id     uint64
	seen   bool // its SESSION_SETUP was seen
	neg    negotiation
	client wire.AddrPort // of the first connection
	server wire.AddrPort

	user, domain, workstation, auth string
	service                         string // that a Kerberos ticket is for
	nobody                          bool   // anonymous, as the server says
	named                           bool   // an NTLM message said who logs on, perhaps nobody
	signed, sealed, compressed      bool

	channels      []*conn // that are open
	carried       int     // connections that ever joined
	unknownWrites int     // answers to changes whose requests were not seen
	losses        int     // messages of which nothing is known were lost this often
	asksLost      int     // of them, by the client

	trees map[uint32]*tree
	opens map[fileID]*open

	services   dcerpc.Services
	resumeKeys map[resumeKey]*open
	keys       sessionKeys
	opaque     *opaque
	ended      bool
}

// sessionTable holds all sessions. One id may stand for several: servers count
// alike, and a forwarded session is seen on both hops.
type sessionTable struct {
	byID  map[uint64][]*session
	queue []*session // oldest first, ended ones included until they are swept
	live  int
}

// session gives the session that a message names. One whose set-up was not seen
// is adopted: the one that the same two addresses have, else a new one.
func (c *conn) session(id uint64) *session {
	if s, ok := c.sessions[id]; ok {
		return s
	}
	s := c.p.sessions.between(id, c)
	if s == nil {
		s = c.p.newSession(c, id)
	}
	c.join(s)
	return s
}

// between finds a session whose set-up this connection did not show, by the two
// addresses.
func (t *sessionTable) between(id uint64, c *conn) *session {
	client, server := c.ends()
	for _, s := range slices.Backward(t.byID[id]) {
		if s.client.Addr == client.Addr && s.server.Addr == server.Addr {
			return s
		}
	}
	return nil
}

// bound finds the session that a binding SESSION_SETUP names: of the same client
// and server by their GUIDs, and by address only where the session's own
// NEGOTIATE was not seen.
func (t *sessionTable) bound(id uint64, c *conn) *session {
	client, server := c.ends()
	var found *session
	for _, s := range slices.Backward(t.byID[id]) {
		near := s.client.Addr == client.Addr || s.server.Addr == server.Addr
		switch {
		case s.neg.known() && !s.neg.sameEnds(&c.negotiated):
		case near:
			return s
		case found == nil && s.neg.known():
			found = s
		}
	}
	return found
}

// shown says whether a session that is set up on c is open already between the
// same two addresses, client and server: a forward on one of the hosts, of which
// both sides were captured. Servers give no id twice at a time.
func (t *sessionTable) shown(id uint64, c *conn) bool {
	s := t.between(id, c)
	return s != nil && s.seen && len(s.channels) > 0 && s.neg.sameEnds(&c.negotiated)
}

func (c *conn) ends() (client, server wire.AddrPort) {
	return c.wire.Ends[c.clientSide()], c.wire.Ends[c.server()]
}

// newSession registers a session that begins on c.
func (p *protocol) newSession(c *conn, id uint64) *session {
	t := &p.sessions
	for t.live >= maxSessions || t.live > 0 && p.env.Budget().Used+sessionCost > p.env.Budget().Limit {
		p.evictSession()
	}
	p.env.Budget().Used += sessionCost // the only session there is may go over the budget
	s := &session{p: p, id: id, neg: c.negotiated, trees: make(map[uint32]*tree), opens: make(map[fileID]*open)}
	s.client, s.server = c.ends()
	if t.byID == nil {
		t.byID = make(map[uint64][]*session)
	}
	t.byID[id] = append(t.byID[id], s)
	t.queue = append(t.queue, s)
	t.live++
	return s
}

// evictSession ends the oldest session, to stay within the budget.
func (p *protocol) evictSession() {
	t := &p.sessions
	for len(t.queue) > 0 {
		s := t.queue[0]
		t.queue[0] = nil
		t.queue = t.queue[1:]
		if !s.ended {
			p.env.Blind("over-budget", 0)
			s.end(wire.Dropped, wire.At{Time: p.env.Now()})
			return
		}
	}
}

// join makes c a channel of the session.
func (c *conn) join(s *session) {
	if old, ok := c.sessions[s.id]; ok && old != s {
		old.leave(c, wire.At{Time: c.p.env.Now()})
		c.joined = slices.DeleteFunc(c.joined, func(x *session) bool { return x == old })
	}
	c.sessions[s.id] = s
	if slices.Contains(c.joined, s) {
		return
	}
	c.joined = append(c.joined, s)
	s.channels = append(s.channels, c)
	s.carried++
	if !s.neg.known() {
		s.neg = c.negotiated
	}
}

// leave takes a connection that ended out of the session; the session ends with
// the last one.
func (s *session) leave(c *conn, at wire.At) {
	s.channels = slices.DeleteFunc(s.channels, func(x *conn) bool { return x == c })
	if len(s.channels) == 0 && !s.ended {
		for _, o := range s.inOrder(nil) {
			if o.durable {
				s.p.durable.keep(o, c.ending, at)
			}
		}
		s.end(c.ending, at)
	}
}

// end ends all opens of the session in the order in which they were made, and
// forgets it.
func (s *session) end(how wire.Ending, at wire.At) {
	s.ended = true
	for _, o := range s.inOrder(nil) {
		o.finish(how, at)
	}
	if s.opaque != nil {
		s.opaque.emit(s)
	}
	t := &s.p.sessions
	if rest := slices.DeleteFunc(t.byID[s.id], func(x *session) bool { return x == s }); len(rest) > 0 {
		t.byID[s.id] = rest
	} else {
		delete(t.byID, s.id)
	}
	t.live--
	if len(t.queue) > 2*t.live+64 {
		t.queue = slices.DeleteFunc(t.queue, func(x *session) bool { return x.ended })
	}
	s.p.env.Budget().Give(sessionCost)
	for _, c := range s.channels {
		delete(c.sessions, s.id)
		c.joined = slices.DeleteFunc(c.joined, func(x *session) bool { return x == s })
	}
	s.channels = nil
}

// inOrder gives the opens of a tree, or all, in the order in which they were made.
func (s *session) inOrder(t *tree) []*open {
	var list []*open
	for _, o := range s.opens {
		if t == nil || o.tree == t {
			list = append(list, o)
		}
	}
	slices.SortFunc(list, func(a, b *open) int { return int(int64(a.serial - b.serial)) })
	return list
}

// unheard says that answers of the session may be missing from the capture.
func (s *session) unheard() bool {
	return slices.ContainsFunc(s.channels, (*conn).unheard)
}

// note keeps what any message of the session shows.
func (s *session) note(h *header) {
	if h.flags&flagSigned != 0 {
		s.signed = true
	}
}

// record is the session as transfers carry it.
func (s *session) record() *model.Session {
	r := &model.Session{
		ID:          fmt.Sprintf("%016x", s.id),
		Dialect:     s.neg.dialectName(),
		Encrypted:   s.sealed,
		Signed:      s.signed,
		Compressed:  s.compressed,
		Channels:    s.carried,
		Workstation: s.workstation,
	}
	return r
}

// identify keeps whom a security token names.
func (s *session) identify(t *ntlm.Token) {
	if t.Mechanism != "" {
		s.auth = t.Mechanism
	}
	switch {
	case t.MessageType == ntlm.Authenticate:
		s.user, s.domain, s.workstation, s.named = t.User, t.Domain, t.Workstation, true
	case t.Mechanism == ntlm.Kerberos && t.User != "":
		s.user, s.domain = t.User, t.Domain
	}
	s.service = t.TicketFor()
}

// access starts an access record of the session.
func (s *session) access(c *conn, what string, at place, ordinal int) *wire.Access {
	a := &wire.Access{Conn: c.wire}
	a.ID = wire.ID("a", "smb2", c.wire, at.from, at.seq, ordinal, []byte(what)...)
	a.Time = at.first.Time
	a.What = what
	client, server := c.ends()
	a.Source, a.Destination = client.Endpoint(), server.Endpoint()
	a.User, a.Domain = s.user, s.domain
	a.Channel = channel
	a.Seen.Add(at.first)
	a.Seen.Add(at.last)
	return a
}
