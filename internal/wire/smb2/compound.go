package smb2

import "waybill/internal/wire"

// maxChain bounds the messages of one compound.
const maxChain = 256

// compound is what a chain of requests hands on to its related ones (MS-SMB2
// 3.3.5.2.7.2).
type compound struct {
	session *session
	tree    *tree
	open    *open
}

// chain walks the messages of a compound; a single message is one of length 1.
func (c *conn) chain(m []byte, at place) {
	var link compound
	for range maxChain {
		h, ok := parseHeader(m)
		if !ok {
			return
		}
		one := m
		if h.next >= headerLen && int(h.next) < len(m) {
			one = m[:h.next:h.next]
		}
		if h.response() {
			c.response(&h, one, at)
		} else {
			c.request(&h, one, at, &link)
		}
		if len(one) == len(m) {
			return
		}
		m = m[h.next:]
		at.seq += h.next
	}
}

// fileIDAt is where the requests of each command carry a file id; 0: nowhere.
var fileIDAt = [...]int{
	cmdClose: 72, cmdFlush: 72, cmdRead: 80, cmdWrite: 80, cmdLock: 72, cmdIoctl: 72,
	cmdQueryDirectory: 72, cmdChangeNotify: 72, cmdQueryInfo: 88, cmdSetInfo: 80, cmdOplockBreak: 0,
}

// request deals with one request.
func (c *conn) request(h *header, m fields, at place, link *compound) {
	if !c.fromClient(h, at.from) || int(h.command) >= len(bodySizes) {
		return
	}
	c.asked++
	r := c.ask(h, m, at, link)
	if r == nil {
		return
	}
	link.session, link.tree = r.session, r.tree
	if r.open != nil {
		link.open = r.open
	}
	c.await(r)
	switch r.command {
	case cmdWrite:
		data := m.bytes(uint32(m.u16(headerLen+2)), uint32(r.length))
		r.damaged = !r.remote && int64(len(data)) < r.length
		r.hold(0, data)
		r.touch(at.last)
		c.written(r)
	case cmdClose, cmdSetInfo:
		if c.silent() {
			c.giveUp(r)
		}
	}
}

// ask makes the request that waits for its response; nil when none is of interest.
func (c *conn) ask(h *header, m fields, at place, link *compound) *request {
	switch h.command {
	case cmdCancel, cmdEcho, cmdOplockBreak:
		return nil
	}
	r := c.p.request(c, h, at)
	switch h.command {
	case cmdNegotiate:
		c.negotiateRequest(r, m)
		return r
	case cmdSessionSetup:
		c.setupRequest(r, h, m)
		return r
	}
	c.locate(r, h, m, link)
	if r.session == nil || !c.detail(r, m) {
		c.p.recycle(r)
		return nil
	}
	return r
}

// locate finds the session, tree and open that a request is about. Related
// requests take those of the one before them.
func (c *conn) locate(r *request, h *header, m fields, link *compound) {
	if h.related() && link.session != nil {
		r.session, r.tree = link.session, link.tree
	} else {
		r.session = c.session(h.session)
	}
	if r.tree == nil && h.command != cmdTreeConnect && h.command != cmdLogoff {
		r.tree = c.tree(r.session, h.tree)
	}
	r.session.note(h)
	k := fileIDAt[h.command]
	if k == 0 {
		return
	}
	id := m.fileID(k)
	if id == sameFile && link.open != nil {
		r.open = link.open
	} else if id != sameFile {
		r.open = c.open(r, id)
	}
	if r.open != nil {
		c.p.opens.touch(r.open)
	}
}

// detail reads what the response will need; false when the request is of no
// interest or does not parse.
func (c *conn) detail(r *request, m fields) bool {
	switch r.command {
	case cmdTreeConnect:
		return c.treeConnectRequest(r, m)
	case cmdCreate:
		return c.createRequest(r, m)
	case cmdRead:
		return r.open != nil && c.readRequest(r, m)
	case cmdWrite:
		return r.open != nil && c.writeRequest(r, m)
	case cmdClose:
		return r.open != nil
	case cmdIoctl:
		return r.open != nil && c.ioctlRequest(r, m)
	case cmdQueryInfo:
		return r.open != nil && c.queryInfoRequest(r, m)
	case cmdSetInfo:
		return r.open != nil && c.setInfoRequest(r, m)
	case cmdTreeDisconnect, cmdLogoff:
		return true
	}
	return false
}

// response deals with one response.
func (c *conn) response(h *header, m fields, at place) {
	if c.fromClient(h, at.from) || h.message == noMessage || h.interim() {
		return
	}
	r := c.answered(h)
	if r == nil {
		c.unasked(h, m, at)
		return
	}
	if r.session != nil {
		r.session.note(h)
	}
	switch r.command {
	case cmdNegotiate:
		c.negotiateResponse(h, m)
	case cmdSessionSetup:
		c.setupResponse(r, h, m, at)
	case cmdTreeConnect:
		c.treeConnectResponse(r, h, m, at)
	case cmdCreate:
		c.createResponse(r, h, m, at)
	case cmdRead:
		c.readResponse(r, h, m, at)
		return
	case cmdWrite:
		c.writeResponse(r, h, m, at)
		return
	case cmdClose:
		c.closeResponse(r, h, m, at)
	case cmdIoctl:
		c.ioctlResponse(r, h, m, at)
	case cmdQueryInfo:
		c.queryInfoResponse(r, h, m)
	case cmdSetInfo:
		c.setInfoResponse(r, h, at)
	case cmdTreeDisconnect:
		c.treeDisconnectResponse(r, h, at)
	case cmdLogoff:
		c.logoffResponse(r, h, at)
	}
	c.p.recycle(r)
}

// unasked is a response whose request was not seen: what it says of a file id
// or tree id is kept.
func (c *conn) unasked(h *header, m fields, at place) {
	switch {
	case isError(h.status):
	case h.command == cmdNegotiate:
		c.negotiateResponse(h, m)
	case h.command == cmdTreeConnect && m.has(headerLen+treeConnectResponseLen):
		c.session(h.session).tree(h.tree).kind = shareKind(m.u8(headerLen + 2))
	case h.command == cmdCreate:
		c.unaskedCreate(h, m, at)
	case h.command == cmdWrite || h.command == cmdSetInfo:
		c.session(h.session).unknownWrites++
	case h.command == cmdRead && !c.unpacked: // else there were fewer bytes on the wire
		c.p.env.Blind(wire.AroundLoss, int64(len(m))-headerLen-readResponseLen)
	}
}
