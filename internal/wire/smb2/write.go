package smb2

import (
	"waybill/internal/content"
	"waybill/internal/wire"
	"waybill/internal/wire/fileshare"
)

const (
	writeRequestLen  = 48
	writeResponseLen = 16
)

// appendOffset is the offset of a WRITE that appends (MS-FSA 2.1.5.4).
const appendOffset = -1

// maxOffset bounds offsets: no file system holds more.
const maxOffset = 1 << 60

// writeAnswer is an answer that came before all of the request's data.
type writeAnswer struct {
	status uint32
	count  int64
	at     place
}

// askedWrite begins a WRITE request whose n bytes of data follow.
func (c *conn) askedWrite(h *header, m fields, at place, n int) *request {
	if !c.fromClient(h, at.from) {
		return nil
	}
	c.asked++
	var link compound
	r := c.ask(h, m, at, &link)
	if r == nil {
		return nil
	}
	r.flows = true
	c.await(r)
	return r
}

func (c *conn) writeRequest(r *request, m fields) bool {
	if !m.has(headerLen + writeRequestLen) {
		return false
	}
	r.length, r.offset = int64(m.u32(headerLen+4)), m.i64(headerLen+8)
	if m.u32(headerLen+32) != 0 {
		r.remote, r.length = true, int64(m.u32(headerLen+36))
	}
	if r.open.done || r.offset > maxOffset {
		return false
	}
	r.seen.Add(r.at.first)
	r.open.waiting.add(r)
	return true
}

// written says that all data of a WRITE request came or are lost.
func (c *conn) written(r *request) {
	o := r.open
	if o.pipe == nil && len(r.pieces) > 0 && r.pieces[0].off == 0 && !o.done {
		o.isPipe(r.pieces[0].bytes())
	}
	if o.pipe != nil {
		for i := range r.pieces {
			o.pipe.written(r.pieces[i].bytes(), r)
		}
	}
	switch {
	case r.answer != nil:
		c.writeAnswered(r, r.answer.status, r.answer.count, r.answer.at)
	case c.silent() && !o.done:
		// No answer will come: what waits would only fill the memory.
		o.unanswered = true
		o.accept(r, r.length)
		r.drain()
	}
}

// drain gives the held data back.
func (r *request) drain() {
	for i := range r.pieces {
		r.c.p.release(&r.pieces[i])
	}
	r.pieces = r.pieces[:0]
}

func (c *conn) writeResponse(r *request, h *header, m fields, at place) {
	count := int64(m.u32(headerLen + 4))
	if !m.has(headerLen+8) || isError(h.status) {
		count = 0
	}
	if r.flows {
		r.answer = &writeAnswer{h.status, count, at}
		return
	}
	c.writeAnswered(r, h.status, count, at)
}

// writeAnswered counts what the server says it wrote.
func (c *conn) writeAnswered(r *request, status uint32, count int64, at place) {
	o := r.open
	o.waiting.remove(r)
	switch {
	case o.done || o.pipe != nil:
	case isError(status):
		o.writeRefused(r, status, at)
	default:
		r.seen.Add(at.last)
		o.accept(r, min(count, r.length))
	}
	c.p.recycle(r)
}

// unansweredWrite leaves a WRITE whose answer will not come to its open.
func (c *conn) unansweredWrite(r *request) {
	if r.open.done && !r.flows {
		r.open.waiting.remove(r)
		c.p.recycle(r)
	}
}

// accept takes the first n bytes of a WRITE's data into the content.
func (o *open) accept(r *request, n int64) {
	if n == 0 || o.directory {
		return
	}
	off := o.place(r.offset)
	f := o.write
	if f == nil {
		f = o.beginWrites(off)
	}
	f.calls++
	if off == 0 {
		f.atZero++
	}
	f.seen.Merge(r.seen)
	f.carried(r.c)
	wire.Stretch(&f.start, &f.end, r.start)
	wire.Stretch(&f.start, &f.end, r.end)
	o.changes++
	f.high = max(f.high, off+n)
	if o.size >= 0 {
		o.size = max(o.size, off+n)
	}
	if off < f.base {
		f.flaw = "rewritten below the appended part"
		return
	}
	o.grow(off, off+n)
	switch {
	case r.remote:
		f.flaw = "moved by RDMA"
		o.p.env.Blind("rdma", n)
	case r.damaged:
		f.flaw = "bytes of a write were not seen"
	}
	for i := range r.pieces {
		x := &r.pieces[i]
		if x.off >= n {
			break
		}
		b := x.bytes()
		b = b[:min(int64(len(b)), n-x.off)]
		f.file.Write(off-f.base+x.off, b, x.buf)
		o.p.zeros += int64(len(b))
	}
	if r.c.conflict() {
		f.conflicts(r.c, off)
	}
}

// place is where in the file a WRITE goes.
func (o *open) place(offset int64) int64 {
	switch {
	case offset != appendOffset:
		return offset
	case o.size >= 0:
		return o.size
	case o.write != nil:
		return o.write.high
	}
	return 0
}

// beginWrites makes the open's flow of writes, the first at off. One that goes
// on where the content that was there before ends appends.
func (o *open) beginWrites(off int64) *flow {
	o.write = &flow{file: o.p.env.File(content.Write), conns: []*wire.Conn{o.conn.wire}}
	if !o.fresh && o.oldSize > 0 && o.end < 0 && off >= o.oldSize {
		o.write.base = o.oldSize
		o.write.notes = append(o.write.notes, note("appended at", o.oldSize))
	}
	return o.write
}

// writeRefused keeps why a WRITE failed.
func (o *open) writeRefused(r *request, status uint32, at place) {
	if o.write == nil {
		o.beginWrites(0)
	}
	f := o.write
	if f.calls > 0 {
		f.notes = append(f.notes[:min(len(f.notes), 8)], "a write failed: "+fileshare.StatusName(status))
		return
	}
	f.refusal, f.refused = status, at
	f.seen.Merge(r.seen)
	f.seen.Add(at.last)
	f.carried(r.c)
	wire.Stretch(&f.start, &f.end, at.last.Time)
}

// cut is a new end of the file, set by the open itself: what lies above is gone.
func (o *open) cut(end int64) {
	o.end = end
	o.changes++
	o.size = end
	f := o.write
	if end == 0 {
		o.fresh = true
		o.stale = span{}
		if f != nil && f.calls > 0 {
			f.file.Abandon()
			*f = flow{file: o.p.env.File(content.Write), seen: f.seen, conns: f.conns, notes: f.notes}
		}
		return
	}
	if f == nil || end >= f.high {
		o.grow(end, end)
		return
	}
	if o.stale.from == o.stale.to {
		o.stale = span{end, f.high}
	}
	o.stale.from = min(o.stale.from, end)
	f.high = end
}

// grow keeps track of bytes that were cut off and not written again: they read
// as zeros, but the content still holds what was there.
func (o *open) grow(from, to int64) {
	if from <= o.stale.from && to > o.stale.from {
		o.stale.from = min(to, o.stale.to)
	}
}
