package smb1

import (
	"bytes"

	"waybill/internal/wire"
)

// maxMessage bounds a message that is gathered: the largest that UNIX
// extensions negotiate is 16 MiB, in practice 128 KiB.
const maxMessage = 17 << 20

// keepHunting is how many bytes are looked through for the start of a message.
const huntingKept = 8

// half is one direction of a connection.
type half struct {
	c       *conn
	side    wire.Side
	hunting bool // where the next message starts is not known
	buf     []byte
	holes   []hole
	seq     uint32 // of buf[0]
	seen    wire.Packets
	first   wire.At
	last    wire.At
	charged int64
}

// hole is bytes of a message that were not seen.
type hole struct{ from, to int }

// frameLength is the length that an RFC 1002 header states: 17 bits there, 24
// over TCP without NetBIOS (MS-SMB 2.1).
func frameLength(b []byte) int { return int(b[1])<<16 | int(b[2])<<8 | int(b[3]) }

func (h *half) data(c wire.Chunk) {
	for len(c.Data) > 0 {
		if len(h.buf) == 0 {
			h.first, h.seq, h.seen = c.At, c.Seq, wire.Packets{}
		}
		h.last = c.At
		h.seen.Add(c.At)
		n := h.take(c.Data)
		if n == 0 {
			return
		}
		c = c.After(n)
	}
}

// take adds what belongs to the message under way and hands it on when whole. It
// gives the number of bytes taken; 0 when all were thrown away.
func (h *half) take(b []byte) int {
	if h.hunting {
		return h.hunt(b)
	}
	if len(h.buf) < 4 {
		n := min(4-len(h.buf), len(b))
		h.buf = append(h.buf, b[:n]...)
		if len(h.buf) == 4 {
			h.begin()
		}
		return n
	}
	n := min(4+frameLength(h.buf)-len(h.buf), len(b))
	if !h.charge(int64(n)) {
		h.c.env.Blind("over-budget", int64(n))
		h.lose(len(h.buf), n)
	} else {
		h.buf = append(h.buf, b[:n]...)
	}
	h.complete()
	return n
}

// begin looks at a length field.
func (h *half) begin() {
	switch kind := h.buf[0]; {
	case kind == 0 && frameLength(h.buf) <= maxMessage, kind >= 0x81 && kind <= 0x85 && frameLength(h.buf) <= 0x1FFFF:
		h.complete()
	default:
		h.lost()
	}
}

// complete hands the message on once it is there.
func (h *half) complete() {
	if len(h.buf) < 4 || len(h.buf) < 4+frameLength(h.buf) {
		return
	}
	if h.buf[0] == 0 && len(h.buf) > 4 {
		h.c.message(h, h.buf[4:])
	} else if h.buf[0] == 0x81 {
		h.c.sessionRequest(h.buf[4:])
	}
	h.reset()
}

// reset begins a new message. The buffer may have been kept by a request.
func (h *half) reset() {
	h.c.env.Budget().Give(h.charged)
	h.charged = 0
	if h.c.kept {
		h.c.kept = false
		h.buf = nil
	}
	if cap(h.buf) > 256<<10 {
		h.buf = nil
	}
	h.buf, h.holes = h.buf[:0], nil
}

// charge takes memory for what is gathered; small messages are free.
func (h *half) charge(n int64) bool {
	if int64(len(h.buf))+n <= 64<<10 {
		return true
	}
	n = max(n, 64<<10)
	if h.charged >= int64(len(h.buf))+n {
		return true
	}
	if !h.c.env.Budget().Take(n) {
		return false
	}
	h.charged += n
	return true
}

// lose notes a hole of n bytes at the end of what is gathered.
func (h *half) lose(at, n int) {
	h.holes = append(h.holes, hole{at, at + n})
	h.buf = append(h.buf, make([]byte, n)...)
}

// gap says that n bytes were not seen. One inside a message whose head is there
// costs its bytes; any other the place of the next message.
func (h *half) gap(n int64) {
	if !h.hunting && len(h.buf) >= 4+headerLen+1 {
		left := int64(4 + frameLength(h.buf) - len(h.buf))
		inside := min(n, left)
		if inside <= 1<<20 && len(h.holes) < 64 {
			h.lose(len(h.buf), int(inside))
			h.complete()
			n -= inside
		}
	}
	if n > 0 || len(h.buf) > 0 && len(h.buf) < 4+headerLen+1 {
		h.lost()
		h.c.lostMessages(h.side)
	}
}

func (h *half) lost() {
	h.reset()
	h.hunting = true
}

// hunt looks for a length field before a message.
func (h *half) hunt(b []byte) int {
	h.buf = append(h.buf, b...)
	from := 0
	for {
		i := bytes.Index(h.buf[from:], []byte(magic))
		if i < 0 {
			break
		}
		at := from + i
		if at >= 4 && h.buf[at-4] == 0 && plausible(h.buf[at-4:]) {
			rest := bytes.Clone(h.buf[at-4:])
			h.buf, h.hunting = h.buf[:0], false
			h.feed(rest)
			return len(b)
		}
		from = at + 1
	}
	if len(h.buf) > huntingKept {
		h.buf = append(h.buf[:0], h.buf[len(h.buf)-huntingKept:]...)
	}
	return len(b)
}

// feed takes bytes whose start of a message was found.
func (h *half) feed(b []byte) {
	for len(b) > 0 && !h.hunting {
		b = b[h.take(b):]
	}
}

// plausible says whether a length field and message header fit each other.
func plausible(b []byte) bool {
	n := frameLength(b)
	return n >= headerLen+3 && n <= maxMessage && (len(b) < 9 || b[8] != 0xff)
}
