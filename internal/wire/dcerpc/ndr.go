package dcerpc

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxText bounds a string in characters; SC_MAX_PATH_LENGTH of MS-SCMR 2.2 is
// the longest that is legal here.
const maxText = 32 << 10

// ndr reads a stub in network data representation (C706 14, MS-RPCE 2.2.5). A
// read past the end gives zeros and makes bad true.
type ndr struct {
	b     []byte
	at    int
	order binary.ByteOrder
	wide  bool // NDR64: counts and pointers have 8 bytes
	bad   bool
}

func newNDR(stub []byte, big, wide bool) *ndr {
	return &ndr{b: stub, order: byteOrder(big), wide: wide}
}

// take gives the next n bytes, after padding to a multiple of align.
func (r *ndr) take(n uint64, align int) []byte {
	start := (r.at + align - 1) / align * align
	if r.bad || start > len(r.b) || n > uint64(len(r.b)-start) {
		r.bad = true
		return nil
	}
	r.at = start + int(n)
	return r.b[start:r.at]
}

func (r *ndr) u32() uint32 {
	if b := r.take(4, 4); b != nil {
		return r.order.Uint32(b)
	}
	return 0
}

// size is a count or a pointer: 4 bytes, or 8 in NDR64.
func (r *ndr) size() uint64 {
	if !r.wide {
		return uint64(r.u32())
	}
	if b := r.take(8, 8); b != nil {
		return r.order.Uint64(b)
	}
	return 0
}

// structure passes the padding before a structure with a pointer in it (C706
// 14.2.2, MS-RPCE 2.2.5.3.4).
func (r *ndr) structure() {
	if r.wide {
		r.take(0, 8)
	}
}

// handle is a context handle in a form that is the same in both byte orders
// (C706 14.2.16.6): attributes and a UUID.
type handle [20]byte

func (r *ndr) handle() (h handle) {
	b := r.take(20, 4)
	if b == nil {
		return h
	}
	binary.BigEndian.PutUint32(h[0:], r.order.Uint32(b[0:]))
	binary.BigEndian.PutUint32(h[4:], r.order.Uint32(b[4:]))
	binary.BigEndian.PutUint16(h[8:], r.order.Uint16(b[8:]))
	binary.BigEndian.PutUint16(h[10:], r.order.Uint16(b[10:]))
	copy(h[12:], b[12:])
	return h
}

// text is a conformant and varying string (C706 14.3.4.2) up to its NUL, of
// UTF-16 where unicode, else of bytes in a code page of which ASCII is sure.
func (r *ndr) text(unicode bool) string {
	r.size() // of the memory that the reader needs
	offset, count := r.size(), r.size()
	width := 1
	if unicode {
		width = 2
	}
	if offset != 0 || count > maxText {
		r.bad = true
	}
	b := r.take(count*uint64(width), width)
	if unicode {
		return r.utf16(b)
	}
	return octets(b)
}

func (r *ndr) utf16(b []byte) string {
	units := make([]uint16, 0, len(b)/2)
	for ; len(b) >= 2; b = b[2:] {
		u := r.order.Uint16(b)
		if u == 0 {
			break
		}
		units = append(units, u)
	}
	return string(utf16.Decode(units))
}

// octets reads UTF-8 where the bytes are that, else each as the character of
// its number.
func octets(b []byte) string {
	s, _, _ := strings.Cut(string(b), "\x00")
	if utf8.ValidString(s) {
		return s
	}
	runes := make([]rune, len(s))
	for i := range len(s) {
		runes[i] = rune(s[i])
	}
	return string(runes)
}

// optional is a string behind a unique pointer; empty where the pointer is null.
func (r *ndr) optional(unicode bool) string {
	if r.size() == 0 {
		return ""
	}
	return r.text(unicode)
}

// skipBytes passes a conformant array of bytes behind a unique pointer, and the
// parameter that repeats its size.
func (r *ndr) skipBytes() {
	if r.size() != 0 {
		r.take(r.size(), 1)
	}
	r.u32()
}
