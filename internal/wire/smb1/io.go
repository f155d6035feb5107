package smb1

import (
	"waybill/internal/content"
	"waybill/internal/wire"
	"waybill/internal/wire/framed"
)

// transferOf is where a read or write of data lies.
type transferOf struct {
	off    int64
	data   []byte
	at     int // of data, from the header; -1 where it is not in a message
	length int64
	put    bool // it went to the file as it came
}

// reading reads what a request asks for: offset and count.
func (x *block) reading() (off, count int64) {
	switch x.command {
	case cmdReadAndX: // MS-CIFS 2.2.4.42.1, MS-SMB 2.2.4.2.1
		off = int64(x.u32(6))
		if len(x.words) >= 24 {
			off |= int64(x.u32(20)) << 32
		}
		count = int64(x.u16(10))
		if high := x.u32(14); high != 0xffffffff && high < 0x100 {
			count |= int64(high) << 16
		}
	case cmdReadRaw: // MS-CIFS 2.2.4.22.1
		off, count = int64(x.u32(2)), int64(x.u16(6))
		if len(x.words) >= 20 {
			off |= int64(x.u32(16)) << 32
		}
	default:
		off, count = int64(x.u32(4)), int64(x.u16(2))
	}
	return off, count
}

// readData is the data of a read's answer.
func (y *block) readData() transferOf {
	if y.command == cmdReadAndX { // MS-CIFS 2.2.4.42.2
		n := int(y.u16(10)) | int(y.u16(14))<<16
		at := int(y.u16(12))
		if bulk := y.m.Bulk; bulk.Size > 0 {
			return transferOf{at: at, length: int64(bulk.Size), put: true}
		}
		return transferOf{data: y.span(at, n), at: at, length: int64(n)}
	}
	n := int(y.u16(0))
	if len(y.bytes) < 3 {
		return transferOf{length: int64(n)}
	}
	b := y.bytes[3:]
	return transferOf{data: b[:min(n, len(b))], at: y.at + 3, length: int64(n)}
}

// read takes the answer to a read.
func (c *conn) read(r *request, x, y *block, m *message) {
	o := c.find(r, x)
	if m.failed() {
		if o.pipe == nil && o.read == nil && m.status != 0xC0000011 {
			o.readFlow().refusal = m.status
		}
		return
	}
	if y == nil {
		return
	}
	off, count := x.reading()
	t := y.readData()
	t.off = off
	c.took(r, o, t, count, m)
}

// took adds what was read.
func (c *conn) took(r *request, o *open, t transferOf, count int64, m *message) {
	if !t.put && o.isPipe(t.data) {
		o.pipe.feed(false, t.data, m)
		return
	}
	f := o.readFlow()
	f.touch(m, m.First.Time)
	f.seen.Merge(r.Seen)
	if !t.put {
		put(f.file, m, t)
	}
	c.conflicts(f, t.off)
	if t.length > 0 {
		f.high = max(f.high, t.off+t.length)
	}
	if t.length < count && (t.length > 0 || f.file.Covers(0, t.off)) { // what begins behind the end does not show it
		o.eof = max(o.eof, t.off+t.length)
	}
}

// readHead is the length of a READ_ANDX answer up to its data, with the length
// field of the frame.
const readHead = 4 + headerLen + 1 + 24 + 2

// bulk finds the data of a READ_ANDX answer whose file is known: they go there as
// they come.
func (c *conn) bulk(f *framed.Message, b []byte) (x framed.Bulk, more bool) {
	if len(b) < readHead {
		return x, true
	}
	h := framed.Message{Data: b[4:], From: f.From}
	m, ok := parse(&h)
	if !ok || m.command != cmdReadAndX || !m.reply() || m.failed() || c.client == int(f.From) {
		return x, false
	}
	r := c.waiting(m.id)
	if r == nil || len(r.blocks) != 1 || r.command != cmdReadAndX || m.b[headerLen] != 12 || m.b[headerLen+1] != cmdNone {
		return x, false
	}
	y := block{m: &m, command: m.command, words: m.b[headerLen+1 : headerLen+25]}
	o := c.opens[r.blocks[0].u16(4)]
	at := 4 + int(y.u16(12))
	if o == nil || !o.known || o.pipe != nil || o.folder || at < readHead {
		return x, false
	}
	flow := o.readFlow()
	flow.touch(&m, f.First.Time)
	off, _ := r.blocks[0].reading()
	return framed.Bulk{At: at, Size: int(y.u16(10)) | int(y.u16(14))<<16, File: flow.file, Off: off}, false
}

// put gives a file the data, without the holes of the message.
func put(f *content.File, m *message, t transferOf) {
	block := m.Block
	if t.at < 0 {
		block = nil
	}
	m.Around(t.at, t.data, func(off int, part []byte) { f.Write(t.off+int64(off), part, block) })
}

func (o *open) readFlow() *flow {
	if o.read == nil {
		o.read = o.c.joins(o)
	}
	if o.read == nil {
		o.read = &flow{file: o.c.env.File(content.Read), first: o}
	}
	return o.read
}

func (o *open) writeFlow() *flow {
	if o.write == nil {
		o.write = &flow{file: o.c.env.File(content.Write), first: o}
	}
	return o.write
}

// writing reads what a request wants written.
func (x *block) writing() transferOf {
	switch x.command {
	case cmdWriteAndX: // MS-CIFS 2.2.4.43.1
		n := int(x.u16(20)) | int(x.u16(18))<<16
		at := int(x.u16(22))
		off := int64(x.u32(6))
		if len(x.words) >= 28 {
			off |= int64(x.u32(24)) << 32
		}
		return transferOf{off: off, data: x.span(at, n), at: at, length: int64(n)}
	case cmdWriteRaw: // MS-CIFS 2.2.4.25.1
		at, n := int(x.u16(22)), int(x.u16(20))
		off := int64(x.u32(6))
		if len(x.words) >= 28 {
			off |= int64(x.u32(24)) << 32
		}
		return transferOf{off: off, data: x.span(at, n), at: at, length: int64(n)}
	case cmdWriteAndClose: // MS-CIFS 2.2.4.40.1
		n := int(x.u16(2))
		b := x.bytes[min(1, len(x.bytes)):]
		return transferOf{off: int64(x.u32(4)), data: b[:min(n, len(b))], at: x.at + 1, length: int64(n)}
	}
	n := int(x.u16(2))
	t := transferOf{off: int64(x.u32(4)), at: x.at + 3, length: int64(n)}
	if len(x.bytes) >= 3 {
		b := x.bytes[3:]
		t.data = b[:min(n, len(b))]
	}
	return t
}

// written takes the answer to a write.
func (c *conn) written(r *request, x, y *block, m *message) {
	o := c.find(r, x)
	if m.failed() {
		if o.pipe == nil && (o.write == nil || o.write.calls == 0) {
			f := o.writeFlow()
			f.refusal = m.status
			f.seen.Merge(r.Seen)
			f.seen.Merge(m.Seen)
			f.start, f.end = r.First.Time, m.Last.Time
		}
		return
	}
	count := int64(-1)
	switch {
	case y == nil:
	case y.command == cmdWriteAndX:
		count = int64(y.u16(4)) | int64(y.u16(8))<<16
	case y.command == cmdWrite || y.command == cmdWriteAndUnlock || y.command == cmdWriteAndClose:
		count = int64(y.u16(0))
	}
	if o.write == nil || o.write.calls == 0 {
		o.seen.Merge(m.Seen)
	}
	c.accept(r, x, o, count)
	if o.write != nil {
		o.write.seen.Merge(m.Seen)
	}
}

// accept adds what the server says it wrote: count bytes, all where it is below 0.
func (c *conn) accept(r *request, x *block, o *open, count int64) {
	t := x.writing()
	if o.isPipe(t.data) {
		if x.command == cmdWriteAndX && x.u16(14)&0xc == 0xc && len(t.data) > 2 {
			t.data = t.data[2:] // raw mode, start of a message: its length comes first (MS-CIFS 2.2.4.43.1)
		}
		o.pipe.feed(true, t.data, &r.message)
		return
	}
	if count >= 0 && count < t.length {
		t.length = count
		t.data = t.data[:min(int64(len(t.data)), count)]
	}
	f := o.writeFlow()
	if x.command == cmdWrite && t.length == 0 { // MS-CIFS 2.2.4.12: cuts the file here
		f.file.Truncate(t.off)
		o.end = t.off
		f.high = min(f.high, t.off)
		return
	}
	f.touch(&r.message, r.First.Time)
	f.holed = f.holed || len(r.Holes) > 0
	f.high = max(f.high, t.off+t.length)
	f.file.Begin()
	put(f.file, &r.message, t)
	c.conflicts(f, t.off)
	if x.command == cmdWriteRaw {
		put(f.file, &r.message, transferOf{off: t.off + t.length, data: r.data, at: -1})
		f.high = max(f.high, t.off+t.length+int64(len(r.data)))
	}
}

// maxRaw bounds the data of a raw read or write.
const maxRaw = 64 << 10

// rawData takes a message without a header: the data of a raw read or write
// (MS-CIFS 2.2.4.22, 2.2.4.25).
func (c *conn) rawData(m *message) {
	r := c.raw
	if r == nil || len(m.b) > maxRaw {
		return
	}
	c.env.Unverified("smb1/raw")
	x := &r.blocks[0]
	switch {
	case r.command == cmdReadRaw && m.From != r.From:
		off, count := x.reading()
		c.took(r, c.find(r, x), transferOf{off: off, data: m.b, length: int64(len(m.b))}, count, m)
		c.forget(r)
	case r.command == cmdWriteRaw && m.From == r.From:
		if len(m.Holes) > 0 {
			c.find(r, x).writeFlow().flaw = "bytes missing"
		}
		r.data = append([]byte(nil), m.b...)
		r.Seen.Merge(m.Seen)
		if x.u16(14)&1 == 0 { // written behind: no answer follows
			c.written(r, x, nil, m)
			c.forget(r)
		}
	}
}

// closed takes a close.
func (c *conn) closed(r *request, x *block, m *message) {
	if m.failed() {
		return
	}
	o := c.find(r, x)
	if x.command == cmdWriteAndClose {
		c.accept(r, x, o, -1)
	}
	o.seen.Merge(m.Seen)
	o.finish(closed, m.Last)
}

// interrupted is how a connection's end reads in a reason.
func interrupted(how wire.Ending) string { return "interrupted: " + how.String() }
