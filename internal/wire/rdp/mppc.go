package rdp

import "encoding/binary"

// Flags of bulk compression (MS-RDPBCGR 2.2.8.1.1.1.2, 3.1.8.2.1).
const (
	mppcType       = 0x0f
	mppcCompressed = 0x20
	mppcAtFront    = 0x40
	mppcFlushed    = 0x80

	mppc8K  = 0 // RFC 2118
	mppc64K = 1 // MS-RDPBCGR 3.1.8.4.2
)

// mppc undoes the bulk compression of one side. All that a side compresses, screens
// and channels alike, shares one history. In come packets in order with their flags;
// out come their data, valid until the next. A packet that was lost spoils the
// history until the side flushes it.
type mppc struct {
	history []byte // of historyLen; the first size bytes are used
	size    int
	at      int
	spoilt  bool
}

const historyLen = 64 << 10

// take gives the data of a packet; false when they cannot be had. The history is there
// before the first packet that is compressed.
func (m *mppc) take(flags byte, b []byte) ([]byte, bool) {
	if flags&mppcFlushed != 0 {
		clear(m.history)
		m.at, m.spoilt = 0, false
	}
	if flags&mppcAtFront != 0 {
		m.at = 0
	}
	if flags&mppcCompressed == 0 {
		return b, true
	}
	size := 0
	switch flags & mppcType {
	case mppc8K:
		size = historyLen / 8
	case mppc64K:
		size = historyLen
	default: // NCRUSH, XCRUSH (MS-RDPEGDI 3.1.8.1, 3.1.8.2)
		m.spoilt = true
	}
	if m.spoilt || m.at > size {
		return nil, false
	}
	m.size = size
	from := m.at
	if !m.expand(bits{b: b}) {
		m.spoilt = true
		return nil, false
	}
	return m.history[from:m.at], true
}

// expand decodes literals and copies into the history.
func (m *mppc) expand(b bits) bool {
	for b.left() >= 8 { // fewer are padding
		if b.peek(1) == 0 || b.peek(2) == 2 {
			if m.at == m.size {
				return false
			}
			m.history[m.at] = b.literal()
			m.at++
			continue
		}
		off, n := b.offset(m.size == historyLen), b.length()
		if b.short || n == 0 || n > m.size-m.at {
			return false
		}
		for range n {
			m.history[m.at] = m.history[(m.at-off)&(m.size-1)]
			m.at++
		}
	}
	return true
}

// bits reads from the highest bit of each byte on.
type bits struct {
	b     []byte
	at    int
	short bool
}

func (r *bits) left() int { return 8*len(r.b) - r.at }

// peek is the next n bits, 25 at most; those beyond the end are zero.
func (r *bits) peek(n int) int {
	var w [4]byte
	copy(w[:], r.b[min(r.at/8, len(r.b)):])
	return int(binary.BigEndian.Uint32(w[:]) << (r.at % 8) >> (32 - n))
}

func (r *bits) next(n int) int {
	v := r.peek(n)
	if r.at += n; r.at > 8*len(r.b) {
		r.short = true
	}
	return v
}

// literal is 0 and seven bits, or 10 and seven bits of a byte above 0x7f.
func (r *bits) literal() byte {
	if r.peek(1) == 0 {
		return byte(r.next(8))
	}
	return 0x80 | byte(r.next(9))
}

// An offset is a prefix and a number of bits, added to what shorter ones reach.
type offsetForm struct{ prefix, prefixLen, bits, base int }

var (
	smallOffsets = []offsetForm{{0xf, 4, 6, 0}, {0xe, 4, 8, 64}, {0x6, 3, 13, 320}}
	largeOffsets = []offsetForm{{0x1f, 5, 6, 0}, {0x1e, 5, 8, 64}, {0xe, 4, 11, 320}, {0x6, 3, 16, 2368}}
)

// offset is how far back a copy begins (RFC 2118 4.1; MS-RDPBCGR 3.1.8.4.2.2.1).
func (r *bits) offset(large bool) int {
	forms := smallOffsets
	if large {
		forms = largeOffsets
	}
	for _, f := range forms {
		if r.peek(f.prefixLen) == f.prefix {
			r.next(f.prefixLen)
			return f.base + r.next(f.bits)
		}
	}
	r.short = true
	return 0
}

// maxLengthBits is the longest run of ones before a length (MS-RDPBCGR 3.1.8.4.2.2.2).
const maxLengthBits = 14

// length is how much a copy takes: 3 for a zero, else n ones, a zero, and n+1 bits
// below 2 to the n+1.
func (r *bits) length() int {
	ones := 0
	for r.next(1) == 1 {
		if ones++; ones > maxLengthBits {
			r.short = true
			return 0
		}
	}
	if ones == 0 {
		return 3
	}
	return 1<<(ones+1) + r.next(ones+1)
}
