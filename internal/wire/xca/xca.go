// Package xca undoes the compression of SMB 3.1.1 messages. In comes a message
// with a compression transform header (MS-SMB2 2.2.42), or one compressed
// payload with its algorithm (MS-XCA; LZ4 and Pattern_V1 as MS-SMB2 names
// them); out goes the plain message. It never gives more bytes than it is
// allowed to, keeps nothing between calls, and allocates nothing if the
// caller's buffer is large enough.
package xca

import (
	"encoding/binary"
	"fmt"
)

// The compression algorithms of MS-SMB2 2.2.3.1.3.
const (
	None        = 0
	LZNT1       = 1
	LZ77        = 2 // Plain LZ77
	LZ77Huffman = 3
	PatternV1   = 4
	LZ4         = 5
)

var names = [...]string{"uncompressed payload", "LZNT1", "LZ77", "LZ77+Huffman", "Pattern_V1", "LZ4"}

// Decompress appends what src holds, compressed with the algorithm alg, to dst.
//
// max is the original size as the message says it: decoding ends there,
// whatever follows in src, and a match that reaches beyond it is an error. For
// all algorithms but LZ77+Huffman, which does not mark its end in a way that
// can be told from data, the output may be shorter. After an error dst is given
// back as it was; the error names the byte of src.
func Decompress(dst []byte, alg uint16, src []byte, max int) ([]byte, error) {
	if int(alg) >= len(names) {
		return dst, fmt.Errorf("compression algorithm %d is unknown; none above %d is defined", alg, LZ4)
	}
	w := window{buf: dst, base: len(dst), max: max}
	at, fault := w.decode(alg, src)
	if fault != "" {
		return dst, fmt.Errorf("%s: byte %d of %d: %s", names[alg], at, len(src), fault)
	}
	return w.buf, nil
}

// fault is why a payload cannot be decoded; empty if it can.
type fault string

const (
	cut      fault = "the data is cut short"
	tooLong  fault = "a match reaches past the original size"
	tooFar   fault = "a match reaches back before the start"
	badTable fault = "the Huffman code lengths do not make a code"
)

func (w *window) decode(alg uint16, src []byte) (at int, f fault) {
	switch alg {
	case LZNT1:
		return w.lznt1(src)
	case LZ77:
		return w.lz77(src)
	case LZ77Huffman:
		return w.lz77huffman(src)
	case PatternV1:
		return w.pattern(src)
	case LZ4:
		return w.lz4(src)
	}
	w.literals(src)
	return 0, ""
}

// pattern is a byte that repeats (MS-SMB2 2.2.42.2.2): the byte, three reserved
// ones, and how often it comes.
func (w *window) pattern(src []byte) (int, fault) {
	if len(src) < 8 {
		return len(src), cut
	}
	n := int64(binary.LittleEndian.Uint32(src[4:]))
	if n > int64(w.room()) {
		return 4, tooLong
	}
	if n == 0 {
		return 0, ""
	}
	w.literal(src[0])
	return 0, w.match(1, n-1)
}
