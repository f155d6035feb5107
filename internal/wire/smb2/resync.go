package smb2

import (
	"bytes"
	"encoding/binary"

	"waybill/internal/wire"
)

// After a gap that hides a length field, and in a connection that was captured
// from its middle on, the next message is found by its framing: a length field
// before one of the three protocol ids, and a header that can be one. File
// content may hold such bytes too, so that a header must also fit what is known
// of the connection: an answer its request, a request its session.

// judged is how much of a message a look at its framing needs: the length field,
// the header and the first field of the body.
const judged = frameLen + headerLen + 2

// seek looks for the next message. It gives back the chunk from there on.
func (h *half) seek(c wire.Chunk) wire.Chunk {
	if len(h.buf) == 0 {
		return h.seekIn(c)
	}
	// A header may span the chunks: look at both together, in h.other.
	size := len(h.buf) + len(c.Data)
	if !h.c.p.env.Budget().Take(int64(size)) {
		h.drop()
		return h.seekIn(c)
	}
	defer h.c.p.env.Budget().Give(int64(size))
	h.other = append(append(h.other[:0], h.buf...), c.Data...)
	h.drop()
	both := wire.Chunk{Data: h.other, Seq: c.Seq - uint32(size-len(c.Data)), At: c.At}
	if cap(h.other) > keepBuffer {
		h.other = nil
	}
	return h.seekIn(both)
}

// seekIn looks in one chunk, and keeps what may be the start of a header.
func (h *half) seekIn(c wire.Chunk) wire.Chunk {
	at, found := h.c.find(h.side, c.Data)
	if at > 0 {
		h.c.p.env.Blind(wire.AroundLoss, int64(at))
	}
	c = c.After(at)
	if found {
		h.state = gathering
		return c
	}
	h.need = len(c.Data)
	if !h.keep(c.Data) {
		h.state, h.left = seeking, 0
	}
	return c.After(len(c.Data))
}

// find gives the first place in b where a message starts, or, not found, from
// where on b may hold the start of one.
func (c *conn) find(from wire.Side, b []byte) (int, bool) {
	for i := frameLen; ; {
		n := bytes.Index(b[min(i, len(b)):], []byte("SMB"))
		if n < 0 {
			return max(0, len(b)-frameLen-3), false
		}
		i += n
		start := i - 1 - frameLen
		if start >= 0 && framed(b[start:]) {
			if len(b)-start < judged && !shortMessage(b[start:]) {
				return start, false
			}
			if c.plausible(from, b[start:]) {
				return start, true
			}
		}
		i += 3
	}
}

// framed says that b starts with a length field and a protocol id.
func framed(b []byte) bool {
	size := messageLen(b)
	switch {
	case b[0] != 0 || size < headerLen-12 || size > 16<<20:
		return false
	case b[4] == 0xFE:
		return size >= headerLen+2
	case b[4] == 0xFD:
		return size > sealHeaderLen
	}
	return b[4] == 0xFC
}

// shortMessage says that all of a message shorter than a header is there.
func shortMessage(b []byte) bool {
	return len(b) >= frameLen+messageLen(b)
}

// plausible says that a framed message can be the next one of the side.
func (c *conn) plausible(from wire.Side, b []byte) bool {
	size, m := messageLen(b), fields(b[frameLen:])
	switch b[4] {
	case 0xFD:
		return m.u16(42) == 1 && int(m.u32(36))+sealHeaderLen == size
	case 0xFC:
		return m.u32(4) <= maxMessage && m.u16(8) <= 5
	}
	h, ok := parseHeader(m)
	if !ok || int(h.command) >= len(bodySizes) || h.flags&^knownFlags != 0 {
		return false
	}
	if h.next != 0 && (h.next < headerLen || h.next%8 != 0 || int(h.next) >= size) {
		return false
	}
	return plausibleBody(&h, binary.LittleEndian.Uint16(m[headerLen:])) && c.expects(from, &h)
}

func plausibleBody(h *header, size uint16) bool {
	if !h.response() {
		return size == bodySizes[h.command][0] || h.command == cmdOplockBreak && size == 36
	}
	return size == bodySizes[h.command][1] || size == errorBody && h.status != statusSuccess ||
		h.command == cmdOplockBreak && size == 44
}

// expects says that the header fits what is known of the connection.
func (c *conn) expects(from wire.Side, h *header) bool {
	if c.client >= 0 && h.response() == (int(from) == c.client) {
		return false
	}
	if h.response() && h.message != noMessage && c.pending.len() > 0 {
		r := c.pending.find(h.message)
		return r != nil && r.command == h.command
	}
	if h.response() || h.session == 0 || len(c.sessions) == 0 {
		return true
	}
	if _, known := c.sessions[h.session]; known || h.command == cmdSessionSetup {
		return true
	}
	// Its session setup may be what was lost: the second sight is believed.
	again := c.stranger == h.session
	c.stranger = h.session
	return again
}
