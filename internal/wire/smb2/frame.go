package smb2

import (
	"encoding/binary"

	"waybill/internal/wire"
)

// maxMessage bounds what is gathered of one message: the largest transfer that
// servers negotiate is 8 MiB, and some room for headers, signatures and the
// growth of a bad compression.
const maxMessage = 8<<20 + 64<<10

// keepBuffer is the size up to which a connection keeps its buffer.
const keepBuffer = 16 << 10

// frameLen is the length field before each message (MS-SMB2 2.1, RFC 1002 4.3.1).
const frameLen = 4

// frameState is where in a message a side of a connection is.
type frameState uint8

const (
	gathering frameState = iota // a message's first bytes, or all of it
	flowing                     // the data of a READ response or WRITE request
	skipping                    // the rest of a message that nobody wants
	seeking                     // framing is lost: looking for the next header
)

// half is one side of a connection: it cuts the bytes into messages. Only
// messages without bulk data are gathered; file data flow through in the chunks
// in which they came.
type half struct {
	c     *conn
	side  wire.Side
	state frameState

	buf   []byte // gathered of the message, from its length field on
	other []byte // the buffer that seek swaps with
	need  int    // how much of the message to gather next
	taken int64  // of the budget, for buf

	seq   uint32  // of the message's first byte, its length field
	first wire.At // packet of that byte

	left int      // bytes of the message still to come, while flowing or skipping
	dark int      // how many of these, from the next one on, nobody can read, when they come
	why  string   // they cannot be read
	sink *request // whose data flow
	want int      // bytes of data still to come
	pos  int64    // bytes of data that came or were lost
}

// place is where a message was seen: what ids and evidence are made of.
type place struct {
	from  wire.Side
	seq   uint32 // of the SMB2 header
	first wire.At
	last  wire.At
}

// data takes the next bytes of the side.
func (h *half) data(c wire.Chunk) {
	for len(c.Data) > 0 && !h.c.twin {
		switch h.state {
		case flowing:
			c = h.flow(c)
		case skipping:
			c = h.skip(c)
		case seeking:
			c = h.seek(c)
		default:
			c = h.gather(c)
		}
	}
}

// step is what parse found out.
type step uint8

const (
	more step = iota // n bytes of the message are needed
	done             // n bytes were dealt with
	lost             // this is no message: framing is lost
)

// gather takes what it needs of the chunk and gives the rest back. A message
// that lies in one chunk is parsed where it lies.
func (h *half) gather(c wire.Chunk) wire.Chunk {
	if len(h.buf) == 0 {
		h.seq, h.first = c.Seq, c.At
		n, s := h.parse(c.Data, c.At)
		switch s {
		case done:
			return c.After(n)
		case lost:
			h.lose()
			return c
		}
		h.need = n
	}
	n := min(h.need-len(h.buf), len(c.Data))
	if !h.keep(c.Data[:n]) {
		return c.After(n)
	}
	if len(h.buf) < h.need {
		return c.After(n)
	}
	switch n, s := h.parse(h.buf, c.At); s {
	case more:
		h.need = n
	case done:
		h.drop()
	case lost:
		h.lose()
	}
	return c.After(n)
}

// keep appends b to the buffer, within the budget. Where that is used up, the
// message is given up.
func (h *half) keep(b []byte) bool {
	if size := len(h.buf) + len(b); size > cap(h.buf) {
		size = max(size, min(2*cap(h.buf), h.need), 512)
		if !h.c.p.env.Budget().Take(int64(size - cap(h.buf))) {
			h.c.p.env.Blind("over-budget", int64(len(h.buf)+len(b)))
			h.giveUp(len(b))
			h.dark, h.why = h.left, "over-budget"
			return false
		}
		h.taken += int64(size - cap(h.buf))
		grown := make([]byte, len(h.buf), size)
		copy(grown, h.buf)
		h.buf = grown
	}
	h.buf = append(h.buf, b...)
	return true
}

// giveUp skips the message that is being gathered, of which n bytes more than
// the gathered ones are there.
func (h *half) giveUp(n int) {
	h.left, h.dark = max(h.total()-len(h.buf)-n, 0), 0
	h.state = skipping
	if h.left == 0 {
		h.state = gathering
	}
	h.c.lostMessages(h.side)
	h.drop()
}

// total is the length of the message being gathered with its length field; what
// is gathered when that field is not all there.
func (h *half) total() int {
	if len(h.buf) < frameLen {
		return len(h.buf)
	}
	return frameLen + messageLen(h.buf)
}

// drop empties the buffer and returns what it took beyond a small one.
func (h *half) drop() {
	h.buf = h.buf[:0]
	if cap(h.buf) > keepBuffer {
		h.c.p.env.Budget().Give(h.taken)
		h.buf, h.taken = nil, 0
	}
}

// lose says that framing is lost. Gathered bytes stay: a header may start in them.
func (h *half) lose() {
	h.state = seeking
	h.c.lostMessages(h.side)
}

// flow hands file data to the request that they belong to.
func (h *half) flow(c wire.Chunk) wire.Chunk {
	n := min(len(c.Data), h.want)
	h.sink.data(h, c.First(n))
	h.advance(n)
	return c.After(n)
}

// advance counts n bytes of data as dealt with.
func (h *half) advance(n int) {
	h.pos += int64(n)
	h.want -= n
	h.left -= n
	if h.want > 0 {
		return
	}
	r := h.sink
	h.sink = nil
	h.state = skipping
	if h.left == 0 {
		h.state = gathering
	}
	r.complete(h.pos)
}

func (h *half) skip(c wire.Chunk) wire.Chunk {
	n := min(len(c.Data), h.left)
	if h.dark > 0 {
		h.c.p.env.Blind(h.why, int64(min(n, h.dark)))
	}
	h.skipped(n)
	return c.After(n)
}

func (h *half) skipped(n int) {
	h.left -= n
	h.dark = max(h.dark-n, 0)
	if h.left == 0 {
		h.state = gathering
	}
}

// gap says that n bytes were not seen. Where the message that they lie in has a
// known length, framing goes on; else the next header is looked for.
func (h *half) gap(n int64) {
	if h.state == flowing {
		k := int(min(n, int64(h.want)))
		h.sink.hole(h, k)
		h.advance(k)
		n -= int64(k)
	}
	if h.state == gathering && len(h.buf) >= frameLen {
		h.giveUp(0)
	}
	if h.state == skipping {
		k := int(min(n, int64(h.left)))
		h.skipped(k)
		n -= int64(k)
	}
	if n == 0 {
		return
	}
	h.drop()
	h.lose()
}

// end gives everything back.
func (h *half) end() {
	if h.sink != nil {
		h.hole(h.want)
		r := h.sink
		h.sink = nil
		r.complete(h.pos)
	}
	h.c.p.env.Budget().Give(h.taken)
	h.buf, h.other, h.taken = nil, nil, 0
	h.state, h.left = seeking, 0
}

func (h *half) hole(n int) {
	if n > 0 {
		h.sink.hole(h, n)
	}
}

// messageLen is the length that the field before a message states.
func messageLen(v []byte) int {
	return int(binary.BigEndian.Uint32(v) & 0xFF_FFFF)
}

// parse looks at a message's first bytes, its length field first, of which v
// holds all that came in one piece. It says how many are needed to go on, or
// how many are dealt with: then the message is done, or its rest flows or is
// skipped. Each step asks for exactly what it deals with.
func (h *half) parse(v []byte, at wire.At) (int, step) {
	if len(v) < frameLen {
		return frameLen, more
	}
	size := messageLen(v)
	if v[0] != 0 {
		return h.service(v, size)
	}
	head := frameLen + min(size, headerLen)
	if len(v) < head {
		return head, more
	}
	if size < 4 {
		return head, done
	}
	switch string(v[4:8]) {
	case "\xfeSMB":
		return h.plain(v, size, at)
	case "\xfdSMB":
		return h.sealed(v, size, at)
	case "\xfcSMB", "\xffSMB":
		return h.whole(v, size, at)
	}
	return 0, lost
}

// service is a message of the NetBIOS session service (RFC 1002 4.3): a session
// request or its answer on port 139, or a keep-alive. Their length has 17 bits.
func (h *half) service(v []byte, size int) (int, step) {
	if v[0] < 0x81 || v[0] > 0x85 || size > 0x1FFFF {
		return 0, lost
	}
	return h.rest(frameLen, size)
}

// rest skips the left bytes of a message after the n that are dealt with.
func (h *half) rest(n, left int) (int, step) {
	h.left, h.dark = left, 0
	if left > 0 {
		h.state = skipping
	}
	return n, done
}

// pass skips a message of size bytes.
func (h *half) pass(v []byte, size int) (int, step) {
	used := min(len(v), frameLen+size)
	return h.rest(used, frameLen+size-used)
}

// whole gathers the message and deals with it.
func (h *half) whole(v []byte, size int, at wire.At) (int, step) {
	if size > maxMessage {
		h.c.lostMessages(h.side)
		return h.pass(v, size)
	}
	if len(v) < frameLen+size {
		return frameLen + size, more
	}
	h.c.message(v[frameLen:frameLen+size], h.place(at))
	return frameLen + size, done
}

// place is where the message under way was seen.
func (h *half) place(at wire.At) place {
	return place{from: h.side, seq: h.seq + frameLen, first: h.first, last: at}
}

// plain is a message that is neither encrypted nor compressed.
func (h *half) plain(v []byte, size int, at wire.At) (int, step) {
	hdr, ok := parseHeader(v[frameLen:])
	if !ok {
		return h.pass(v, size)
	}
	if hdr.next != 0 {
		return h.whole(v, size, at)
	}
	switch {
	case hdr.command == cmdRead && hdr.response() && !isError(hdr.status) && !hdr.interim():
		return h.readResponse(&hdr, v, size, at)
	case hdr.command == cmdWrite && !hdr.response():
		return h.writeRequest(&hdr, v, size, at)
	}
	return h.whole(v, size, at)
}

// readResponse lets the data of a READ response flow to the open it is for.
func (h *half) readResponse(hdr *header, v []byte, size int, at wire.At) (int, step) {
	if size < headerLen+readResponseLen {
		return h.whole(v, size, at)
	}
	if len(v) < frameLen+headerLen+readResponseLen {
		return frameLen + headerLen + readResponseLen, more
	}
	m := fields(v[frameLen:])
	off, n := int(m.u8(headerLen+2)), int(m.u32(headerLen+4))
	if off < headerLen+readResponseLen || n > size || off+n > size || h.c.readsWhole(hdr, n) {
		return h.whole(v, size, at)
	}
	if len(v) < frameLen+off {
		return frameLen + off, more
	}
	r, asked := h.c.answeredRead(hdr, m[:off], h.place(at))
	if r == nil {
		used, s := h.rest(frameLen+off, size-off)
		if !asked {
			h.dark, h.why = n, wire.AroundLoss
		}
		return used, s
	}
	return h.stream(r, frameLen+off, n, size-off)
}

// writeRequest lets the data of a WRITE request flow into what waits for the
// response.
func (h *half) writeRequest(hdr *header, v []byte, size int, at wire.At) (int, step) {
	if size < headerLen+writeRequestLen {
		return h.whole(v, size, at)
	}
	if len(v) < frameLen+headerLen+writeRequestLen {
		return frameLen + headerLen + writeRequestLen, more
	}
	m := fields(v[frameLen:])
	off, n := int(m.u16(headerLen+2)), int(m.u32(headerLen+4))
	if off < headerLen+writeRequestLen || off > headerLen+writeRequestLen+256 || n > size || off+n > size || m.u32(headerLen+32) != 0 {
		return h.whole(v, size, at)
	}
	if len(v) < frameLen+off {
		return frameLen + off, more
	}
	r := h.c.askedWrite(hdr, m[:off], h.place(at), n)
	if r == nil {
		return h.rest(frameLen+off, size-off)
	}
	return h.stream(r, frameLen+off, n, size-off)
}

// stream hands the next n bytes to r as they come.
func (h *half) stream(r *request, used, n, left int) (int, step) {
	h.sink, h.want, h.left, h.pos = r, n, left, 0
	h.state = flowing
	if n == 0 {
		h.advance(0)
	}
	return used, done
}
