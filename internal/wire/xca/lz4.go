package xca

import "encoding/binary"

// lz4 reads an LZ4 block: sequences of literals and a match, the last one
// without a match (LZ4 Block Format, github.com/lz4/lz4).
func (w *window) lz4(src []byte) (int, fault) {
	at := 0
	for !w.full() && at < len(src) {
		token := src[at]
		n, next := lz4Length(src, at+1, int(token>>4))
		if next < 0 || n > len(src)-next {
			return at, cut
		}
		w.literals(src[next : next+n])
		next += n
		if next == len(src) || w.full() {
			return next, ""
		}
		if len(src)-next < 2 {
			return next, cut
		}
		distance := int(binary.LittleEndian.Uint16(src[next:]))
		n, next = lz4Length(src, next+2, int(token&15))
		if next < 0 {
			return at, cut
		}
		if f := w.match(distance, int64(n)+4); f != "" {
			return at, f
		}
		at = next
	}
	return at, ""
}

// lz4Length is a length whose token holds n: 15 means that bytes follow that are
// added, up to the first below 255. next is negative where src ends before that.
func lz4Length(src []byte, at, n int) (length, next int) {
	if n < 15 {
		return n, at
	}
	for ; at < len(src); at++ {
		n += int(src[at])
		if src[at] < 255 {
			return n, at + 1
		}
	}
	return 0, -1
}
