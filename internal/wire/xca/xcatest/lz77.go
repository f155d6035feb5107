package xcatest

import (
	"encoding/binary"
	"math/bits"
)

// LZ77 compresses as MS-XCA 2.3.4 does: groups of 32 flags, matches of at most
// 8,192 bytes back.
func LZ77(src []byte) []byte {
	e := lz77Encoder{out: make([]byte, 4)}
	i := 0
	for _, s := range steps(src, limits{distance: 8192, least: 3, most: 1 << 30}) {
		if s.distance == 0 {
			e.out = append(e.out, src[i])
			e.flag(0)
		} else {
			e.match(s)
			e.flag(1)
		}
		i += s.n
	}
	free := 32 - e.count
	binary.LittleEndian.PutUint32(e.out[e.flagsAt:], uint32((e.flags+1)<<free-1))
	return e.out
}

type lz77Encoder struct {
	out     []byte
	flags   uint64
	count   int
	flagsAt int
	half    int // where the high nibble of a length byte is free; 0: nowhere
}

func (e *lz77Encoder) flag(bit uint64) {
	e.flags = e.flags<<1 | bit
	if e.count++; e.count < 32 {
		return
	}
	binary.LittleEndian.PutUint32(e.out[e.flagsAt:], uint32(e.flags))
	e.flags, e.count, e.flagsAt = 0, 0, len(e.out)
	e.out = append(e.out, 0, 0, 0, 0)
}

func (e *lz77Encoder) match(s step) {
	n := s.n - 3
	word := uint16(s.distance-1)<<3 | uint16(min(n, 7))
	e.out = binary.LittleEndian.AppendUint16(e.out, word)
	if n < 7 {
		return
	}
	e.nibble(byte(min(n-7, 15)))
	if n >= 7+15 {
		e.out = appendLength(e.out, n-7-15, n)
	}
}

func (e *lz77Encoder) nibble(v byte) {
	if e.half > 0 {
		e.out[e.half] |= v << 4
		e.half = 0
		return
	}
	e.half = len(e.out)
	e.out = append(e.out, v)
}

// appendLength writes what is left of a length in a byte, else all of it in two
// or, after zeros, four.
func appendLength(b []byte, left, all int) []byte {
	if left < 255 {
		return append(b, byte(left))
	}
	b = append(b, 255)
	if all < 1<<16 {
		return binary.LittleEndian.AppendUint16(b, uint16(all))
	}
	return binary.LittleEndian.AppendUint32(append(b, 0, 0), uint32(all))
}

// LZNT1 compresses as MS-XCA 2.5 does: chunks of 4,096 bytes; one that does not
// shrink is stored.
func LZNT1(src []byte) []byte {
	var out []byte
	for len(src) > 0 {
		n := min(len(src), 4096)
		body, kind := lznt1Chunk(src[:n]), uint16(0xb000)
		if len(body) >= n {
			body, kind = src[:n], 0x3000
		}
		out = binary.LittleEndian.AppendUint16(out, kind|uint16(len(body)-1))
		out = append(out, body...)
		src = src[n:]
	}
	return out
}

func lznt1Chunk(src []byte) []byte {
	var out []byte
	flagsAt, count := 0, 8
	put := func(flag byte, b ...byte) {
		if count == 8 {
			flagsAt, count = len(out), 0
			out = append(out, 0)
		}
		out[flagsAt] |= flag << count
		count++
		out = append(out, b...)
	}
	i := 0
	for _, s := range steps(src, limits{distance: 4096, least: 3, most: 4096}) {
		for n := s.n; n > 0; {
			width := min(max(bits.Len(uint(max(i, 1)-1)), 4), 12) // of the distance
			run := min(n, 1<<(16-width)+2)
			if s.distance == 0 || run < 3 {
				put(0, src[i])
				run = 1
			} else {
				word := uint16(s.distance-1)<<(16-width) | uint16(run-3)
				put(1, byte(word), byte(word>>8))
			}
			i, n = i+run, n-run
		}
	}
	return out
}
