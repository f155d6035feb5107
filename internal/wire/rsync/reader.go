package rsync

import (
	"bytes"
	"encoding/binary"
)

// reader reads the numbers of the protocol (io.c). A read past the end gives zeros
// and makes short true: more bytes have to come. What cannot be makes bad true.
type reader struct {
	b     []byte
	at    int
	old   bool // protocol below 30: plain numbers
	short bool
	bad   bool
}

func (r *reader) take(n int) []byte {
	if r.short || n < 0 || n > len(r.b)-r.at {
		r.bad = r.bad || n < 0
		r.short = true
		return nil
	}
	r.at += n
	return r.b[r.at-n : r.at]
}

// until takes what comes before a byte, and the byte.
func (r *reader) until(end byte) []byte {
	i := bytes.IndexByte(r.b[r.at:], end)
	if i < 0 {
		r.short = true
		return nil
	}
	return r.take(i + 1)[:i]
}

func (r *reader) u8() int {
	if b := r.take(1); b != nil {
		return int(b[0])
	}
	return 0
}

func (r *reader) u16() int {
	if b := r.take(2); b != nil {
		return int(binary.LittleEndian.Uint16(b))
	}
	return 0
}

func (r *reader) i32() int32 {
	if b := r.take(4); b != nil {
		return int32(binary.LittleEndian.Uint32(b))
	}
	return 0
}

// extra is how many bytes follow the first one of a number of variable length, and
// which bits of it count.
func extra(first byte) (n int, bits byte) {
	for n < 6 && first&(0x80>>n) != 0 {
		n++
	}
	return n, 0xff >> n
}

// varint is read_varint.
func (r *reader) varint() int32 {
	first := byte(r.u8())
	n, bits := extra(first)
	if n > 4 {
		r.bad = true
		return 0
	}
	var u [8]byte
	copy(u[:], r.take(n))
	u[n] = first
	if n > 0 {
		u[n] = first & bits
	}
	return int32(binary.LittleEndian.Uint32(u[:]))
}

// varlong is read_varlong with at least so many bytes.
func (r *reader) varlong(least int) int64 {
	head := r.take(least)
	if head == nil {
		return 0
	}
	n, bits := extra(head[0])
	if least+n > 9 {
		r.bad = true
		return 0
	}
	var u [16]byte
	copy(u[:], head[1:])
	copy(u[least-1:], r.take(n))
	u[least+n-1] = head[0]
	if n > 0 {
		u[least+n-1] = head[0] & bits
	}
	return int64(binary.LittleEndian.Uint64(u[:]))
}

// varint30 is read_varint30: plain below protocol 30.
func (r *reader) varint30() int32 {
	if r.old {
		return r.i32()
	}
	return r.varint()
}

// long is read_longint: four bytes, or eight behind -1.
func (r *reader) long() int64 {
	n := r.i32()
	if n != -1 {
		return int64(n)
	}
	if b := r.take(8); b != nil {
		return int64(binary.LittleEndian.Uint64(b))
	}
	return 0
}

// size is the length of a file: read_varlong30 with at least three bytes.
func (r *reader) size() int64 {
	n := int64(0)
	if r.old {
		n = r.long()
	} else {
		n = r.varlong(3)
	}
	r.bad = r.bad || n < 0
	return n
}

// vstring is read_vstring: a length of one or two bytes.
func (r *reader) vstring() string {
	n := r.u8()
	if n&0x80 != 0 {
		n = (n&^0x80)<<8 | r.u8()
	}
	return string(r.take(n))
}

// index is what the numbers of files are relative to (read_ndx).
type index struct{ positive, negative int32 }

var firstIndex = index{-1, 1}

func (x *index) read(r *reader) int32 {
	if r.old {
		return r.i32()
	}
	prev, first := &x.positive, r.u8()
	switch first {
	case 0:
		return noMore
	case 0xff:
		prev, first = &x.negative, r.u8()
	}
	n := int64(*prev) + int64(first)
	if first == 0xfe {
		n = x.long(r, *prev)
	}
	if n > 1<<31-1 {
		r.bad = true
		return noMore
	}
	negative := prev == &x.negative
	if *prev = int32(n); negative {
		return -int32(n)
	}
	return int32(n)
}

// long reads a step of 15 bits, or a number of 31 whose highest byte comes first.
func (x *index) long(r *reader, prev int32) int64 {
	high, low := r.u8(), r.u8()
	if high&0x80 == 0 {
		return int64(prev) + int64(high<<8|low)
	}
	return int64(high&^0x80)<<24 | int64(low) | int64(r.u16())<<8
}
