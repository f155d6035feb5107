package smb1

import (
	"strings"

	"waybill/internal/wire"
	"waybill/internal/wire/fileshare"
	"waybill/internal/wire/ntlm"
)

// The parameters of SESSION_SETUP_ANDX tell its form by their length (MS-CIFS
// 2.2.4.53, MS-SMB 2.2.4.6), in bytes.
const (
	setupLanman   = 20
	setupExtended = 24
	setupNT       = 26
)

// sessionRequest keeps the names of a NetBIOS session (RFC 1002 4.3.2).
func (c *conn) sessionRequest(b []byte) {
	c.called, b = netbiosName(b)
	c.calling, _ = netbiosName(b)
}

// netbiosName reads a name in first-level encoding (RFC 1001 14.1) and gives what follows.
func netbiosName(b []byte) (string, []byte) {
	if len(b) < 34 || b[0] != 32 {
		return "", nil
	}
	var name [16]byte
	for i := range name {
		name[i] = (b[1+2*i]-'A')<<4 | (b[2+2*i]-'A')&0xf
	}
	return strings.TrimRight(string(name[:15]), " \x00"), b[34:]
}

// negotiated takes the server's choice; the server names its domain where
// security is not extended (MS-CIFS 2.2.4.52.2).
func (c *conn) negotiated(y *block, m *message) {
	if y == nil || m.failed() || len(y.words) < 34 || y.u32(19)&0x80000000 != 0 {
		return
	}
	at := int(y.words[33])
	if at < len(y.bytes) {
		b := y.bytes[at:]
		c.domain = decode(b[:ended(b, m.unicode())], m.unicode())
	}
}

// setupRequest reads who logs on.
func setupRequest(env wire.Env, x *block) (t ntlm.Token, u user) {
	switch len(x.words) {
	case setupExtended:
		n := int(x.u16(14))
		t, _ = ntlm.Read(env, x.bytes[:min(n, len(x.bytes))])
		u = user{name: t.User, domain: t.Domain, workstation: t.Workstation, auth: t.Mechanism}
	case setupNT:
		texts := x.texts(int(x.u16(14))+int(x.u16(16)), x.m.unicode(), 2)
		u.auth = ntlm.NTLM
		if x.u16(16) == 0 {
			u.auth = "lanman or plain password"
		}
		u.name, u.domain = pairOf(texts)
	case setupLanman:
		u.auth = "lanman or plain password"
		u.name, u.domain = pairOf(x.texts(int(x.u16(14)), x.m.unicode(), 2))
	}
	return t, u
}

// setupSoftware is what the client says of its system: NativeOS, NativeLanMan.
func setupSoftware(x *block) string {
	var texts []string
	switch len(x.words) {
	case setupExtended:
		texts = x.texts(int(x.u16(14)), x.m.unicode(), 2)
	case setupNT:
		if t := x.texts(int(x.u16(14))+int(x.u16(16)), x.m.unicode(), 4); len(t) > 2 {
			texts = t[2:]
		}
	}
	return strings.TrimSpace(strings.Join(texts, " "))
}

func pairOf(texts []string) (first, second string) {
	if len(texts) > 0 {
		first = texts[0]
	}
	if len(texts) > 1 {
		second = texts[1]
	}
	return first, second
}

// setup takes the server's answer to a log-on.
func (c *conn) setup(r *request, y *block, m *message) {
	if y != nil && len(y.words) >= 6 {
		at := 0
		if len(y.words) >= 8 {
			at = int(y.u16(6))
			t, _ := ntlm.Parse(y.bytes[:min(at, len(y.bytes))])
			c.p.servers.Heard(c.env, c.wire, m.From, &t, m.Last)
		}
		if t := y.texts(at, m.unicode(), 2); len(t) > 0 {
			c.software[1] = strings.TrimSpace(strings.Join(t, " "))
		}
	}
	if m.status == statusMoreProcessing || r.token.MessageType == ntlm.Negotiate {
		c.goesOn(r, m)
		return
	}
	c.confirms(r, m)
	u := r.user
	if u.workstation == "" {
		u.workstation = c.calling
	}
	if !m.failed() && len(c.users) < maxUsers {
		c.users[m.user] = u
	}
	a := c.access("logon", &r.message, 0)
	a.User, a.Domain, a.Object = u.name, u.domain, r.token.TicketFor()
	a.Seen.Merge(m.Seen)
	a.Detail = u.auth
	if u.workstation != "" {
		a.Detail += " from " + u.workstation
	}
	switch {
	case m.failed():
		a.Status = m.statusName()
	case u.name == "" && u.auth != ntlm.Kerberos:
		a.Detail += " anonymous"
	case y != nil && y.u16(4)&1 != 0:
		a.Detail += " as guest"
	}
	c.env.Access(a)
}

// goesOn keeps whom a ticket names until the client has confirmed the choice of
// mechanism (RFC 4178 5).
func (c *conn) goesOn(r *request, m *message) {
	if r.token.TicketFor() == "" || len(c.going) >= maxUsers {
		return
	}
	if c.going == nil {
		c.going = map[uint16]*request{}
	}
	c.going[m.user] = &request{token: r.token, user: r.user}
}

// confirms gives the last request of such a logon what the first one said.
func (c *conn) confirms(r *request, m *message) {
	if first := c.going[m.user]; first != nil && r.token.MessageType == 0 && r.token.TicketFor() == "" {
		r.token, r.user = first.token, first.user
	}
	delete(c.going, m.user)
}

// treeConnect takes a share that was connected to, or refused.
func (c *conn) treeConnect(r *request, x, y *block, m *message) {
	var share, service string
	if x.command == cmdTreeConnect {
		var at int
		share, at = x.core(0)
		_, at = x.core(at)
		service, _ = x.text(at+1, false)
	} else {
		var at int
		share, at = x.text(int(x.u16(6)), x.m.unicode())
		service, _ = x.text(at, false)
	}
	a := c.access("share-connect", &r.message, 0)
	a.Seen.Merge(m.Seen)
	a.Share, a.Object = share, share
	if m.failed() {
		a.Status = m.statusName()
		c.env.Access(a)
		return
	}
	id := m.tree
	if x.command == cmdTreeConnect && y != nil {
		id = y.u16(2)
	} else if y != nil {
		if s, _ := y.text(0, false); s != "" {
			service = s
		}
	}
	if len(c.trees) < maxTrees {
		c.trees[id] = &tree{share: share, pipes: service == "IPC" || strings.EqualFold(fileshare.LastElement(share), "IPC$")}
	}
	c.env.Access(a)
}

func (c *conn) treeDisconnect(m *message) {
	if m.failed() {
		return
	}
	for _, o := range c.order {
		if o.treeID == m.tree {
			o.finish(closed, m.Last)
		}
	}
	delete(c.trees, m.tree)
}

// tree gives the tree of a message, an empty one where its connect was not seen.
func (c *conn) tree(id uint16) *tree {
	if t := c.trees[id]; t != nil {
		return t
	}
	t := &tree{}
	if len(c.trees) < maxTrees {
		c.trees[id] = t
	}
	return t
}
