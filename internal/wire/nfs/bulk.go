package nfs

import (
	"encoding/binary"

	"waybill/internal/wire/framed"
)

// stretch is the part of a file that an answer carries.
type stretch struct {
	handle    string
	off, size int64
}

// bulk finds the data of a READ's answer: they go to their file as they come.
func (d *conn) bulk(m *framed.Message, b []byte) (x framed.Bulk, more bool) {
	if len(b) < markLen+replyLen {
		return x, true
	}
	last := binary.BigEndian.Uint32(b)&lastMark != 0
	c := d.calls[binary.BigEndian.Uint32(b[markLen:])]
	if !last || len(d.parts[m.From].Data) > 0 || c == nil || c.m.From == m.From || !isReply(b[markLen:]) || c.program != progNFS {
		return x, false
	}
	e := exchange{mounted: d.mounted(c), conn: d, call: c, args: c.args, reply: m, res: xdr{b: b[markLen:], at: 8}}
	ok := e.res.accepted(c)
	var at stretch
	if ok {
		at, ok = e.reading()
	}
	switch {
	case e.res.bad:
		return x, true
	case !ok || at.handle == "":
		return x, false
	}
	f := e.flow(at.handle, false)
	f.calls++
	return framed.Bulk{At: markLen + e.res.at, Size: int(at.size), File: f.file, Off: at.off}, false
}

// reading reads an answer up to the content that it carries, and gives where in
// which file that lies; false where it carries none.
func (e *exchange) reading() (s stretch, ok bool) {
	c, a, r := e.call, &e.args, &e.res
	switch {
	case c.version == 2 && c.proc == v2Read:
		s.handle, s.off = string(a.fixed(v2Handle)), int64(a.u32())
		ok = r.u32() == 0
		r.attr2()
	case c.version == 3 && c.proc == v3Read:
		s.handle, s.off = string(a.opaque(v3Handle)), int64(a.u64())
		ok = r.u32() == 0
		r.postAttr()
		r.skip(2)
	case c.version == 4 && c.proc == 1:
		s, ok = e.reading4()
	}
	s.size = int64(r.u32())
	return s, ok && !a.bad
}

// reading4 goes through a compound that reads from a handle that it names itself.
func (e *exchange) reading4() (s stretch, ok bool) {
	a, r := &e.args, &e.res
	a.opaque(1024) // tag
	a.skip(2)      // minor version, operations
	r.u32()
	r.opaque(1024)
	r.u32()
	for !a.bad && !r.bad {
		o, known := a.operation()
		if op, status := r.u32(), r.u32(); !known || op != o.op || status != 0 {
			break
		}
		switch o.op {
		case opSequence:
			r.skip(9)
		case opPutFH:
			s.handle = e.p.layouts.file(o.handle)
		case opRead:
			s.off = o.off
			r.u32() // end of file
			return s, true
		case opReadPlus:
			s.off = o.off
			return s, e.firstData(o.off)
		default:
			return s, false
		}
	}
	return s, false
}

// firstData passes the head of READ_PLUS: its first part has to be data (RFC 7862
// 15.10).
func (e *exchange) firstData(off int64) bool {
	e.res.skip(2)
	return e.res.u32() == 0 && int64(e.res.u64()) == off
}
