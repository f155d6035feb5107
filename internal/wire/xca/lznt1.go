package xca

import (
	"encoding/binary"
	"math/bits"
)

// chunkSize is how many plain bytes a chunk holds at most (MS-XCA 2.5.3).
const chunkSize = 4096

const badSignature fault = "this is no chunk header"

// lznt1 reads chunks, each on its own, up to an empty header or the end of src
// (MS-XCA 2.5.1.2).
func (w *window) lznt1(src []byte) (int, fault) {
	at := 0
	for !w.full() && len(src)-at >= 2 {
		header := binary.LittleEndian.Uint16(src[at:])
		if header == 0 {
			break
		}
		if header>>12&7 != 3 {
			return at, badSignature
		}
		end := at + int(header&0xfff) + 3
		if end > len(src) {
			return at, cut
		}
		body := src[at+2 : end]
		if header&0x8000 == 0 {
			w.literals(body)
		} else if f := w.lznt1Chunk(body); f != "" {
			return at, f
		}
		at = end
	}
	return at, ""
}

// lznt1Chunk reads flag groups (MS-XCA 2.5.1.3). The output of a chunk is a
// window of its own: matches do not leave it.
func (w *window) lznt1Chunk(src []byte) fault {
	c := window{buf: w.buf, base: len(w.buf), max: min(w.room(), chunkSize)}
	defer func() { w.buf = c.buf }()
	for len(src) > 0 {
		flags := src[0]
		src = src[1:]
		for i := 0; i < 8 && len(src) > 0 && !c.full(); i++ {
			if flags>>i&1 == 0 {
				c.literal(src[0])
				src = src[1:]
				continue
			}
			if len(src) < 2 {
				return cut
			}
			distance, n := lznt1Word(binary.LittleEndian.Uint16(src), len(c.buf)-c.base)
			if f := c.match(distance, n); f != "" {
				return f
			}
			src = src[2:]
		}
		if c.full() {
			return ""
		}
	}
	return ""
}

// lznt1Word splits a compressed word (MS-XCA 2.5.1.4). The more of the chunk is
// there, the more bits the distance has: the least number from 4 to 12 that
// reaches back to its start.
func lznt1Word(word uint16, have int) (distance int, n int64) {
	d := min(max(bits.Len(uint(max(have, 1)-1)), 4), 12)
	return int(word>>(16-d)) + 1, int64(word&(1<<(16-d)-1)) + 3
}
