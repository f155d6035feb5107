package smb2

import (
	"strconv"

	"waybill/internal/content"
	"waybill/internal/wire"
)

const (
	readRequestLen  = 48
	readResponseLen = 16
)

func note(what string, n int64) string { return what + " " + strconv.FormatInt(n, 10) }

func (c *conn) readRequest(r *request, m fields) bool {
	if !m.has(headerLen + readRequestLen) {
		return false
	}
	r.length, r.offset = int64(m.u32(headerLen+4)), m.i64(headerLen+8)
	r.remote = m.u32(headerLen+36) != 0
	if r.offset < 0 {
		return false
	}
	r.open.unread++
	if r.open.pipe == nil {
		r.open.asked.add(r.offset, r.offset+r.length)
	}
	return true
}

// readsWhole says that the n bytes of a READ response must be there in one
// piece: those of pipes, and the first of a handle of which it is not known
// whether it is one.
func (c *conn) readsWhole(h *header, n int) bool {
	r := c.pending.find(h.message)
	return r != nil && r.open != nil && (r.open.pipe != nil || r.open.unclear() && n <= largeBuffer)
}

// answeredRead begins a READ response whose data follow; nil when they are of no
// use, which without their request they are.
func (c *conn) answeredRead(h *header, m fields, at place) (r *request, asked bool) {
	if c.fromClient(h, at.from) {
		return nil, true
	}
	if r = c.answered(h); r == nil {
		return nil, false
	}
	if !r.readable() {
		r.open.unread--
		c.p.recycle(r)
		return nil, true
	}
	r.session.note(h)
	r.open.beginRead(r, at)
	r.flows = true
	return r, true
}

// readable says that the answer's data belong to an open that takes some.
func (r *request) readable() bool {
	return !r.open.done && !r.open.directory
}

// readResponse deals with a READ response that was gathered, or refuses.
func (c *conn) readResponse(r *request, h *header, m fields, at place) {
	o := r.open
	data := m.bytes(uint32(m.u8(headerLen+2)), m.u32(headerLen+4))
	switch {
	case !r.readable():
	case h.status == statusEndOfFile:
		o.ended(r, at)
	case isError(h.status):
		o.readRefused(r, h.status, at)
	case r.remote:
		c.p.env.Blind("rdma", int64(m.u32(headerLen+8)))
		o.beginRead(r, at)
		o.read.flaw = "moved by RDMA"
	case o.pipe != nil || o.isPipe(data):
		o.pipe.read(data, r, at)
	default:
		o.beginRead(r, at)
		o.readData(r, r.offset, wire.Chunk{Data: data, At: at.last})
		r.complete(int64(len(data)))
		return
	}
	o.unread--
	c.p.recycle(r)
}

func (c *conn) unansweredRead(r *request) {
	if !c.unheard() {
		r.open.unread--
	}
}

// beginRead notes that an answer to r brings data.
func (o *open) beginRead(r *request, at place) {
	f := o.read
	if f == nil {
		f = o.beginReads(r)
	}
	if f.calls > 0 && f.changes != o.changes {
		f.flaw = "changed while it was read"
	}
	f.calls++
	if r.offset == 0 {
		f.atZero++
	}
	f.size, f.changes = o.size, o.changes
	f.seen.Add(r.at.first)
	f.seen.Add(at.first)
	f.carried(r.c)
	r.run = 0
}

// beginReads makes the open's flow of reads.
func (o *open) beginReads(r *request) *flow {
	o.read = &flow{size: o.size, changes: o.changes, conns: []*wire.Conn{o.conn.wire}}
	if g := o.p.partial.resume(o, r.c.p.env.Now()); g != nil {
		o.read.joins = g
		o.read.file = g.file
	} else {
		o.read.file = o.p.env.File(content.Read)
	}
	return o.read
}

// readData takes a chunk of data at off of the file.
func (o *open) readData(r *request, off int64, c wire.Chunk) {
	if o.done || len(c.Data) == 0 {
		return
	}
	f := o.read
	f.file.Write(off, c.Data, c.Block)
	wire.Stretch(&f.start, &f.end, c.Time)
	f.seen.Add(c.At)
	if r.c.conflict() {
		f.conflicts(r.c, off)
	}
}

// covered counts the data from the last hole up to pos as read.
func (r *request) covered(pos int64) {
	if f := r.open.read; f != nil && !r.open.done {
		f.moved.add(r.offset+r.run, r.offset+pos)
	}
}

// readDone ends the data of one READ response, pos bytes long. A short one ends
// at the end of the file.
func (o *open) readDone(r *request, pos int64) {
	o.unread--
	if pos > 0 && pos < r.length {
		o.eof = max(o.eof, r.offset+pos)
	}
}

// ended is an end-of-file error: the file is no longer than the READ's offset.
func (o *open) ended(r *request, at place) {
	if o.pipe != nil {
		return
	}
	switch f := o.read; {
	case f != nil && f.moved.covers(0, r.offset):
		o.eof = max(o.eof, r.offset)
		f.seen.Add(at.last)
	case f == nil && r.offset == 0:
		// The file is empty, and the reader learned that.
		o.eof = max(o.eof, 0)
		o.beginRead(r, at)
		wire.Stretch(&o.read.start, &o.read.end, at.last.Time)
	}
}

// readRefused keeps why a READ failed.
func (o *open) readRefused(r *request, status uint32, at place) {
	if o.pipe != nil || o.read != nil && o.read.calls > 0 {
		return
	}
	if o.read == nil {
		o.beginReads(r)
	}
	o.read.refusal, o.read.refused = status, at
	o.read.seen.Add(r.at.first)
	o.read.seen.Add(at.last)
	o.read.carried(r.c)
}
