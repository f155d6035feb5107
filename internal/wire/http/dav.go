package http

import (
	"strings"

	"waybill/internal/model"
	"waybill/internal/wire"
)

// davMethods are those that WebDAV adds (RFC 4918, RFC 3253, RFC 5323).
var davMethods = map[string]bool{"PROPFIND": true, "PROPPATCH": true, "MKCOL": true, "COPY": true, "MOVE": true,
	"LOCK": true, "UNLOCK": true, "REPORT": true, "SEARCH": true}

// davClient says whether a request comes from a WebDAV client.
func davClient(hd *header) bool {
	agent := strings.ToLower(hd.get("User-Agent"))
	return strings.Contains(agent, "webdav") || strings.Contains(agent, "davclnt") || strings.Contains(agent, "davfs")
}

// resource is a file on a server as one client names it.
type resource struct {
	client, server model.Addr
	port           uint16
	path           string
}

// stored is an upload that may still be renamed, deleted or written again.
type stored struct {
	t     *wire.Transfer
	empty bool // it made a file without content
}

// resourceOf is the file that a target of x names.
func (c *conn) resourceOf(x *exchange, target string) resource {
	client, server := c.wire.Ends[x.side], c.wire.Ends[x.side.Other()]
	path := unescape(pathOf(target))
	return resource{client.Addr, server.Addr, server.Port, strings.TrimRight(path, "/")}
}

// keepUpload keeps a stored file until nothing will rename it. An empty one is
// forgotten when the same client stores its content next: WebDAV clients make
// the file first.
func (c *conn) keepUpload(x *exchange, s *stored) {
	key := c.resourceOf(x, x.target)
	if old, ok := c.p.uploads.take(key); ok && (!old.empty || s.empty) {
		c.p.env.Transfer(old.t)
	}
	c.p.uploads.put(key, s, c.p.env.Now())
}

// changed follows what a request did to files that were uploaded before.
func (c *conn) changed(x *exchange) {
	switch x.method {
	case "MOVE":
		c.moved(x)
	case "DELETE":
		if s, ok := c.p.uploads.get(c.resourceOf(x, x.target), c.p.env.Now()); ok {
			s.t.Deleted = &model.Deleted{Time: x.answer.Time}
			seen(s.t, x)
		}
	case "COPY":
		if x.status != 207 && x.destination != "" {
			c.p.env.Transfer(c.copied(x))
		}
	}
}

// moved gives an upload its new name (RFC 4918, 9.9).
func (c *conn) moved(x *exchange) {
	if x.status == 207 || x.destination == "" { // 207 says that some of it failed
		return
	}
	s, ok := c.p.uploads.take(c.resourceOf(x, x.target))
	if !ok {
		return
	}
	t := s.t
	t.EarlierNames = append(t.EarlierNames, t.Name)
	t.Path, t.Name = pathOf(x.destination), nameOf(x.destination)
	seen(t, x)
	c.p.uploads.put(c.resourceOf(x, x.destination), s, c.p.env.Now())
}

// seen adds the packets of an exchange to a transfer.
func seen(t *wire.Transfer, x *exchange) {
	t.Seen.Add(x.first)
	t.Seen.Add(x.last)
	t.Seen.Add(x.answer)
}

// copied is the transfer of a copy that the server made (RFC 4918, 9.8).
func (c *conn) copied(x *exchange) *wire.Transfer {
	t := &wire.Transfer{Conns: []*wire.Conn{c.wire}, What: "HTTP COPY"}
	client := c.wire.Ends[x.side].Endpoint()
	server := c.wire.Ends[x.side.Other()].Endpoint()
	t.Source, t.Destination, t.Client = server, server, &client
	t.ID = wire.ID("t", "http", c.wire, x.side, x.seq, 0)
	t.Operation, t.Initiator, t.Channel = model.Copy, model.ByOther, c.channel()
	t.Completeness, t.Status = model.Inferred, model.Done
	t.Reason = "copied by the server: its bytes were not on the wire"
	t.Share, t.Path, t.Name = x.host, pathOf(x.destination), nameOf(x.destination)
	t.Notes = []string{"copied from " + x.target}
	t.User, t.Domain, t.Auth = x.user, x.domain, x.auth
	if x.agent != "" || x.server != "" {
		t.Session = &model.Session{ClientSoftware: x.agent, ServerSoftware: x.server}
	}
	t.Start, t.End = x.first.Time, x.answer.Time
	seen(t, x)
	return t
}
