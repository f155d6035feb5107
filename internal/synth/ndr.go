package synth

import (
	"encoding/binary"
	"unicode/utf16"
)

// stub is the parameters of a remote procedure call in network data representation
// (C706 14, MS-RPCE 2.2.5): each number is aligned to its own size.
type stub struct {
	b    []byte
	big  bool   // integers are big-endian
	wide bool   // NDR64: counts and pointers have 8 bytes
	refs uint64 // pointers so far
}

func (s *stub) order() binary.AppendByteOrder {
	if s.big {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

func (s *stub) align(n int)      { s.b = pad(s.b, n) }
func (s *stub) raw(bs ...[]byte) { (*pack)(&s.b).bytes(bs...) }

func (s *stub) u8(vs ...uint8) { s.b = append(s.b, vs...) }

func (s *stub) u16(vs ...uint16) {
	s.align(2)
	for _, v := range vs {
		s.b = s.order().AppendUint16(s.b, v)
	}
}

func (s *stub) u32(vs ...uint32) {
	s.align(4)
	for _, v := range vs {
		s.b = s.order().AppendUint32(s.b, v)
	}
}

// size is a count or a pointer.
func (s *stub) size(vs ...uint64) {
	for _, v := range vs {
		if !s.wide {
			s.u32(uint32(v))
			continue
		}
		s.align(8)
		s.b = s.order().AppendUint64(s.b, v)
	}
}

// uuid is a UUID whose three numbers are written in the order of the stub.
func (s *stub) uuid(id uuid) {
	s.align(4)
	s.u32(id.a)
	s.u16(id.b, id.c)
	s.raw(id.d[:])
}

// handle is a context handle (C706 14.2.16.6).
func (s *stub) handle(id uuid) {
	s.u32(0)
	s.uuid(id)
}

// noHandle is the answer to closing one.
func (s *stub) noHandle() { s.handle(uuid{}) }

// text is a conformant and varying string with its final zero (C706 14.3.4.2).
func (s *stub) text(t string) {
	u := append(utf16.Encode([]rune(t)), 0)
	s.size(uint64(len(u)), 0, uint64(len(u)))
	s.u16(u...)
}

// pointer is one that is not null: a number of its own, for full pointers of one
// number point to the same (C706 14.3.10).
func (s *stub) pointer() {
	s.size(0x00020000 + 4*s.refs)
	s.refs++
}

// null is a null pointer.
func (s *stub) null() { s.size(0) }

// optional is a unique pointer to a string, null when it is empty.
func (s *stub) optional(t string) {
	if t == "" {
		s.null()
		return
	}
	s.pointer()
	s.text(t)
}

// uuid is a UUID by its numbers (C706 appendix A).
type uuid struct {
	a    uint32
	b, c uint16
	d    [8]byte
}

// wire is the UUID as little-endian ends send it.
func (u uuid) wire() []byte {
	s := stub{}
	s.uuid(u)
	return s.b
}

// uuidOf is the UUID of 16 bytes as little-endian ends send it.
func uuidOf(b []byte) uuid {
	le := binary.LittleEndian
	return uuid{le.Uint32(b), le.Uint16(b[4:]), le.Uint16(b[6:]), [8]byte(b[8:16])}
}

// handle is a context handle that a server gave.
func (n *Net) handle() uuid { return uuidOf(n.guid()) }
