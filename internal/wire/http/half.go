package http

import (
	"bytes"
	"strconv"

	"waybill/internal/wire"
)

// state is what the next bytes of a side are.
type state uint8

const (
	inHeader    state = iota // the lines of a header block
	inBody                   // a body of known length, or until the connection closes
	inChunkSize              // the line with a chunk's size (RFC 9112, 7.1)
	inChunk                  // a chunk's data
	inChunkEnd               // the end of line after a chunk's data
	inTrailer                // the fields after the last chunk
)

const (
	maxLine = 8 << 10 // bytes of a line kept while a start line is looked for
	maxBody = 1 << 62
)

// half cuts the bytes of one side of a connection into messages.
type half struct {
	c     *conn
	side  wire.Side
	kind  kind // what this side sends, once sure
	state state

	// text gathers the header block, or the line, that is not over yet.
	text      []byte
	taken     int64 // budget that text holds
	lineStart int   // of the last line in text
	started   bool  // text begins with a good start line
	lost      bool  // looking for a start line
	gapped    bool  // lost because of a gap
	found     bool  // the start line was found after a loss: fields must look like fields
	first     wire.At

	sink  sink  // takes the body; nil when nobody wants it
	left  int64 // of the body or the chunk; untilClose
	pos   int64 // in the body
	sized bool  // the length was stated in the header
	x     *exchange
}

// data takes the next bytes of the side.
func (h *half) data(c wire.Chunk) {
	for len(c.Data) > 0 && !h.c.stopped {
		c = c.After(h.take(c))
	}
	if h.c.stopped {
		h.c.p.env.Blind("unknown-protocol", int64(len(c.Data)))
	}
}

// take takes some bytes, at least one, and says how many.
func (h *half) take(c wire.Chunk) int {
	switch h.state {
	case inBody, inChunk:
		return h.bodyBytes(c)
	case inHeader:
		return h.headerBytes(c)
	}
	return h.chunkLine(c)
}

// line adds bytes up to an end of line to text.
func (h *half) line(c wire.Chunk) (n int, over bool) {
	n = bytes.IndexByte(c.Data, '\n') + 1
	over = n > 0
	if !over {
		n = len(c.Data)
	}
	if len(h.text) == 0 {
		h.first = c.At
	}
	h.text = append(h.text, c.Data[:n]...)
	return n, over
}

// headerBytes takes bytes of a header block, or of what precedes one.
func (h *half) headerBytes(c wire.Chunk) int {
	n, over := h.line(c)
	next := c.Seq + uint32(n)
	line := h.text[h.lineStart:]
	switch {
	case !h.started && !h.lost && blank(line):
		if over {
			h.drop() // empty lines before a message (RFC 9112, 2.2)
		}
	case h.lost:
		h.seek(over, next, c.At)
	case !h.started:
		h.begin(line, over, next, c.At)
	case len(h.text) > maxHeader || over && h.found && !blank(line) && !fieldLine(line):
		h.lose()
		h.seek(over, next, c.At)
	case over && blank(line):
		h.message(next, c.At)
	case over:
		h.lineStart = len(h.text)
	}
	h.charge()
	return n
}

// begin looks at the first line of a message.
func (h *half) begin(line []byte, over bool, next uint32, at wire.At) {
	k, v := startLine(line, over)
	if v == wire.No || len(line) > maxHeader || v == wire.Yes && h.kind != unknown && h.kind != k {
		if !h.gapped && len(h.c.queue) > 0 && bytes.HasPrefix(line, []byte("SSH-")) {
			h.c.otherProtocol(h.side, string(line), next, at)
		}
		h.lose()
		h.c.strange()
		h.seek(over, next, at)
		return
	}
	if over {
		h.kind = k
		h.start()
	}
}

// start says that text is a good start line.
func (h *half) start() { h.started, h.gapped, h.lineStart = true, false, len(h.text) }

// lose gives up the message that text begins; its last line may start another.
func (h *half) lose() {
	h.skip(h.lineStart)
	h.started, h.found, h.lost = false, false, true
}

// skip drops the first n bytes of text, which belong to no message.
func (h *half) skip(n int) {
	if why := "unknown-protocol"; n > 0 {
		if h.gapped {
			why = wire.AroundLoss
		}
		h.c.p.env.Blind(why, int64(n))
	}
	h.text = append(h.text[:0], h.text[n:]...)
	h.lineStart = 0
}

// seek looks for a start line at the end of a line that may begin with the
// rest of something else.
func (h *half) seek(over bool, next uint32, at wire.At) {
	if !over {
		if len(h.text) > 4*maxLine {
			h.skip(len(h.text) - maxLine)
		}
		return
	}
	if len(h.text) > maxLine {
		h.skip(len(h.text) - maxLine)
	}
	i, ok := findStart(h.text, h.wanted())
	if !ok {
		h.skip(len(h.text))
		return
	}
	h.skip(i)
	h.lost, h.found, h.first = false, true, at
	h.start()
}

// wanted is the kind of message that may start on this side.
func (h *half) wanted() kind {
	other := h.c.half[h.side.Other()].kind
	switch {
	case h.kind != unknown:
		return h.kind
	case other == requests:
		return responses
	case other == responses:
		return requests
	}
	return unknown
}

// message ends a header block.
func (h *half) message(next uint32, at wire.At) {
	hd, ok := parseHeader(h.text)
	if !ok {
		h.lineStart = len(h.text)
		h.lose()
		return
	}
	hd.seq, hd.first, hd.last = next-uint32(len(h.text)), h.first, at
	h.drop()
	h.c.message(h, &hd)
}

// drop empties text, and returns a large buffer.
func (h *half) drop() {
	h.text, h.lineStart, h.started, h.found, h.lost = h.text[:0], 0, false, false, false
	if cap(h.text) > 4<<10 {
		h.text = nil
	}
}

// charge keeps the budget's account of text; without room the header is lost.
func (h *half) charge() {
	budget, size := h.c.p.env.Budget(), int64(cap(h.text))
	if size > h.taken && !budget.Take(size-h.taken) {
		h.c.p.env.Blind("over-budget", int64(len(h.text)))
		h.text, h.lineStart, size = nil, 0, 0
		h.started, h.found, h.lost = false, false, true
	}
	if size < h.taken {
		budget.Give(h.taken - size)
	}
	h.taken = size
}

// body says what comes after a header.
func (h *half) body(f framing, s sink, x *exchange) {
	h.sink, h.x, h.pos, h.left, h.sized = s, x, 0, f.length, !f.chunked && f.length >= 0
	switch {
	case f.chunked:
		h.state = inChunkSize
	case f.length == 0:
		h.over()
	default:
		h.state = inBody
	}
}

// bodyBytes takes bytes of a body or a chunk.
func (h *half) bodyBytes(c wire.Chunk) int {
	n := len(c.Data)
	if h.left != untilClose {
		n = int(min(int64(n), h.left))
	}
	if h.sink != nil {
		h.sink.write(c.First(n))
	}
	h.advance(int64(n))
	return n
}

// advance moves on by n bytes of the body, which are no more than are left.
func (h *half) advance(n int64) {
	h.pos += n
	if h.left == untilClose {
		return
	}
	h.left -= n
	if h.left > 0 {
		return
	}
	if h.state == inChunk {
		h.state = inChunkEnd
		return
	}
	h.over()
}

// chunkLine takes bytes of the lines between chunks.
func (h *half) chunkLine(c wire.Chunk) int {
	n, over := h.line(c)
	if !over {
		if len(h.text) > maxHeader {
			h.broken("a line of the chunked coding has no end")
		}
		h.charge()
		return n
	}
	line := h.text
	switch h.state {
	case inChunkEnd:
		if !blank(line) {
			h.broken("a chunk is not as long as its size says")
			return n
		}
		h.state = inChunkSize
	case inTrailer:
		if blank(line) {
			h.over()
		}
	default:
		h.chunkSize(line)
	}
	if h.state != inHeader || !h.lost {
		h.drop()
	}
	h.charge()
	return n
}

// chunkSize reads a line "size in hex[;extensions]".
func (h *half) chunkSize(line []byte) {
	digits, _, _ := bytes.Cut(line, []byte(";"))
	size, err := strconv.ParseUint(string(bytes.TrimSpace(digits)), 16, 62)
	if err != nil || int64(size) > maxBody-h.pos {
		h.broken("a chunk has no readable size")
		return
	}
	h.left, h.state = int64(size), inChunk
	if size == 0 {
		h.state = inTrailer
	}
}

// broken ends a body whose framing cannot be followed any more.
func (h *half) broken(why string) {
	h.state, h.lost, h.lineStart, h.started = inHeader, true, 0, false
	h.text = h.text[:0]
	h.finish(closing{size: -1, why: why})
}

// over ends a body at its proper end.
func (h *half) over() {
	h.state = inHeader
	h.finish(closing{size: h.pos})
}

// finish hands the end of the body on.
func (h *half) finish(e closing) {
	s, x := h.sink, h.x
	h.sink, h.x = nil, nil
	if s != nil {
		s.close(e)
	}
	if x != nil {
		x.bodyOver = true
		h.c.settle(x)
	}
}

// gap takes note of n bytes that were not seen.
func (h *half) gap(n int64) {
	switch h.state {
	case inBody:
		n -= h.hole(n)
		if n == 0 {
			return
		}
	case inChunk:
		if n <= h.left {
			h.hole(n)
			return
		}
		h.hole(h.left)
		h.broken("the size of a chunk is missing")
	case inChunkSize, inChunkEnd:
		h.broken("the size of a chunk is missing")
	case inTrailer:
		h.drop()
		h.over()
	}
	h.gapped, h.lineStart = true, len(h.text)
	h.lose()
	h.charge()
	h.c.lostHeader(h)
}

// hole passes up to n missing bytes of a body on and says how many.
func (h *half) hole(n int64) int64 {
	if h.left != untilClose {
		n = min(n, h.left)
	}
	if h.sink != nil && n > 0 {
		h.sink.lose(n)
	}
	h.advance(n)
	return n
}

// end takes note of the last byte.
func (h *half) end(how wire.Ending) {
	switch {
	case h.state == inHeader:
	case h.state == inTrailer || h.state == inBody && h.left == untilClose && how == wire.FIN:
		h.over()
	default:
		h.finish(h.cutOff(how))
		h.state = inHeader
	}
	h.text = nil
	h.charge()
}

// cutOff is the end of a body that the end of the connection cut.
func (h *half) cutOff(how wire.Ending) closing {
	e := closing{size: -1, cut: true, why: "connection ended before the body did (" + how.String() + ")"}
	if h.sized {
		e.size = h.pos + h.left
	}
	return e
}
