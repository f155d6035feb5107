package xca

import "encoding/binary"

const badLength fault = "a match length is written in more bytes than it needs"

// lz77Reader reads Plain LZ77 (MS-XCA 2.4.4).
type lz77Reader struct {
	src  []byte
	at   int
	half int // where the high nibble of a length byte is still unused; 0: nowhere
}

// lz77 reads groups of 32 flags, from the highest bit on, each with its literals
// and matches.
func (w *window) lz77(src []byte) (int, fault) {
	r := lz77Reader{src: src}
	for !w.full() && r.at < len(src) {
		if len(src)-r.at < 4 {
			return r.at, cut
		}
		flags := binary.LittleEndian.Uint32(src[r.at:])
		r.at += 4
		if f := r.group(w, flags); f != "" {
			return r.at, f
		}
	}
	return r.at, ""
}

func (r *lz77Reader) group(w *window, flags uint32) fault {
	for i := 31; i >= 0 && !w.full(); i-- {
		if flags>>i&1 == 0 {
			if r.at == len(r.src) {
				return cut
			}
			w.literal(r.src[r.at])
			r.at++
			continue
		}
		if r.at == len(r.src) {
			return "" // unused flags are ones: the end
		}
		word, ok := r.read(2)
		if !ok {
			return cut
		}
		n, f := r.length(int64(word & 7))
		if f != "" {
			return f
		}
		if f := w.match(int(word>>3)+1, n); f != "" {
			return f
		}
	}
	return ""
}

// length is the length of a match whose word holds n: 7 means that it goes on in
// half a byte, which two matches share; 15 there, in a byte; 255 there, in two
// bytes; 0 there, in four.
func (r *lz77Reader) length(n int64) (int64, fault) {
	if n < 7 {
		return n + 3, ""
	}
	nibble, ok := r.nibble()
	if !ok {
		return 0, cut
	}
	if nibble < 15 {
		return nibble + 7 + 3, ""
	}
	more, ok := r.read(1)
	if !ok {
		return 0, cut
	}
	if more < 255 {
		return int64(more) + 15 + 7 + 3, ""
	}
	long, ok := r.read(2)
	if ok && long == 0 {
		long, ok = r.read(4)
	}
	if !ok {
		return 0, cut
	}
	if long < 15+7 {
		return 0, badLength
	}
	return int64(long) + 3, ""
}

// nibble is the low half of a new byte, or the high half of the last such byte.
func (r *lz77Reader) nibble() (int64, bool) {
	if r.half > 0 {
		high := r.src[r.half] >> 4
		r.half = 0
		return int64(high), true
	}
	at := r.at
	low, ok := r.read(1)
	r.half = at
	return int64(low & 15), ok
}

// read takes n bytes, at most 4, as a number.
func (r *lz77Reader) read(n int) (v uint32, ok bool) {
	if len(r.src)-r.at < n {
		return 0, false
	}
	for i := range n {
		v |= uint32(r.src[r.at+i]) << (8 * i)
	}
	r.at += n
	return v, true
}
