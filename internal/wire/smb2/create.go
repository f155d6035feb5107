package smb2

import (
	"waybill/internal/wire"
	"waybill/internal/wire/fileshare"
)

const (
	createRequestLen  = 56
	createResponseLen = 88
)

// The bits of an access mask that ask for a file's data (MS-SMB2 2.2.13.1.1).
const (
	accessRead  = 0x1 | 0x20 | 0x8000_0000 | 0x2000_0000 // read, execute, generic ones
	accessWrite = 0x2 | 0x4 | 0x4000_0000                // write, append, generic write
	accessAll   = 0x1000_0000                            // generic all
)

const (
	optionDirectory     = 0x1
	optionDeleteOnClose = 0x1000

	attributeDirectory = 0x10
)

// The create actions of a CREATE response (MS-SMB2 2.2.14).
const (
	actionOpened = 1
)

// maxContexts bounds the create contexts that are looked at.
const maxContexts = 32

// createContexts is what the contexts of a CREATE say of reconnecting.
type createContexts struct {
	asked     bool // a durable or persistent handle is asked for, or granted
	guid      guid
	reconnect bool
	old       fileID
}

type guid [16]byte

// readContexts walks the create contexts of a request or response.
func readContexts(b fields) createContexts {
	var x createContexts
	for range maxContexts {
		name := b.bytes(uint32(b.u16(4)), uint32(b.u16(6)))
		data := fields(b.bytes(uint32(b.u16(10)), b.u32(12)))
		switch string(name) {
		case "DHnQ":
			x.asked = true
		case "DH2Q":
			x.asked = true
			if data.has(32) {
				x.guid = guid(data[16:32])
			}
		case "DHnC":
			x.reconnect, x.old = data.has(16), data.fileID(0)
		case "DH2C":
			x.reconnect, x.old = data.has(32), data.fileID(0)
			if data.has(32) {
				x.guid = guid(data[16:32])
			}
		}
		next := b.u32(0)
		if next < 16 || int64(next) >= int64(len(b)) {
			break
		}
		b = b[next:]
	}
	return x
}

// createRequest makes the open that the response grants or refuses; related
// requests refer to it before that.
func (c *conn) createRequest(r *request, m fields) bool {
	if !m.has(headerLen + createRequestLen) {
		return false
	}
	x := readContexts(m.bytes(m.u32(headerLen+48), m.u32(headerLen+52)))
	if x.reconnect {
		if o := c.p.durable.find(c, &x); o != nil {
			r.open = o
			r.detail = x
			return true
		}
	}
	o := c.p.newOpen(r)
	o.known = true
	o.access = m.u32(headerLen + 24)
	o.options = m.u32(headerLen + 40)
	o.path = text(m.bytes(uint32(m.u16(headerLen+44)), uint32(m.u16(headerLen+46))))
	o.directory = o.options&optionDirectory != 0
	o.guid = x.guid
	o.seen.Add(r.at.first)
	r.open = o
	r.detail = x
	c.creating = r
	return true
}

func (c *conn) createResponse(r *request, h *header, m fields, at place) {
	o := r.open
	if c.creating == r {
		c.creating = nil
	}
	x := r.detail.(createContexts)
	if isError(h.status) {
		if !x.reconnect || !o.granted {
			o.done = true
			c.p.forget(o) // where it was taken for another by the order of requests
			o.discard()
			c.refused(r, h.status, at)
		}
		return
	}
	if o.done || o.granted && !x.reconnect || !m.has(headerLen+createResponseLen) {
		return // told by the order of requests before, or it does not parse
	}
	if o.granted {
		o.resume(r.session, r.tree)
	} else {
		granted := readContexts(m.bytes(m.u32(headerLen+80), m.u32(headerLen+84)))
		o.durable = x.asked && granted.asked || x.reconnect
		o.opened(m)
	}
	o.id = m.fileID(headerLen + 64)
	o.seen.Add(at.last)
	c.p.register(o)
	if o.pipe != nil {
		o.pipe.opened(o, at)
	}
}

// opened keeps what a CREATE response says of the file.
func (o *open) opened(m fields) {
	o.granted = true
	o.oldSize = m.i64(headerLen + 48)
	o.stated(o.oldSize)
	o.modified = m.u64(headerLen + 24)
	if m.u32(headerLen+56)&attributeDirectory != 0 {
		o.directory = true
	}
	o.made = m.u32(headerLen+4) != actionOpened
	o.fresh = o.made || o.oldSize == 0
	if o.tree.pipes() {
		o.pipe = newPipe(o)
	}
}

// unaskedCreate adopts an open whose CREATE request was not seen.
func (c *conn) unaskedCreate(h *header, m fields, at place) {
	if !m.has(headerLen + createResponseLen) {
		return
	}
	r := c.p.request(c, h, at)
	r.session = c.session(h.session)
	r.tree = r.session.tree(h.tree)
	o := c.p.newOpen(r)
	o.opened(m)
	o.id = m.fileID(headerLen + 64)
	c.p.register(o)
	c.p.recycle(r)
}

// open gives the open that a request names. One whose CREATE was not seen is
// adopted: without name, unless only the answers are missing and the last CREATE
// can be told to be the one.
func (c *conn) open(r *request, id fileID) *open {
	if o, ok := r.session.opens[id]; ok {
		return o
	}
	if q := c.creating; q != nil && q.session == r.session && c.unheard() && !q.open.granted && !q.open.done {
		o := q.open
		c.creating = nil
		o.granted, o.guessed, o.id = true, true, id
		c.p.register(o)
		return o
	}
	o := c.p.newOpen(r)
	o.granted = true
	o.id = id
	if o.tree.pipes() {
		o.pipe = newPipe(o)
	}
	c.p.register(o)
	return o
}

// unansweredCreate forgets a CREATE without an answer.
func (c *conn) unansweredCreate(r *request) {
	if c.creating == r {
		c.creating = nil
	}
	if !r.open.granted {
		r.open.done = true
	}
}

// refused reports an open that the server refused: a denied transfer when a
// file's data were asked for, else an access.
func (c *conn) refused(r *request, status uint32, at place) {
	o := r.open
	wants := o.access & (accessRead | accessWrite | accessAll)
	if status == statusAccessDenied && wants != 0 && !o.directory && o.path != "" && !o.tree.pipes() {
		d := reading
		if o.access&(accessWrite|accessAll) != 0 {
			d = writing
		}
		o.emitRefused(d, status, at)
		return
	}
	a := o.session.access(c, "refused-open", r.at, 0)
	a.Share, a.Object, a.Status = o.tree.share, o.path, fileshare.StatusName(status)
	a.Seen.Add(at.last)
	c.p.env.Access(a)
}

const closeResponseLen = 60

// closeResponse ends an open, with the size that the server gives.
func (c *conn) closeResponse(r *request, h *header, m fields, at place) {
	o := r.open
	if isError(h.status) || o.done {
		return
	}
	o.seen.Add(r.at.first)
	o.seen.Add(at.last)
	if m.has(headerLen+closeResponseLen) && m.u16(headerLen+2)&1 != 0 && m.u64(headerLen+24) != 0 {
		o.closedAt(m.i64(headerLen + 48))
	}
	o.finish(closed, at.last)
}

// closed is how an open ends that its client closed.
const closed = wire.FIN
