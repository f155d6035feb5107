package synth

import (
	"encoding/binary"
	"unicode/utf16"
)

// pack is a message being put together, little-endian as SMB and DCE-RPC are.
type pack []byte

func (p *pack) u8(vs ...uint8) { *p = append(*p, vs...) }

func (p *pack) u16(vs ...uint16) {
	for _, v := range vs {
		*p = binary.LittleEndian.AppendUint16(*p, v)
	}
}

func (p *pack) u32(vs ...uint32) {
	for _, v := range vs {
		*p = binary.LittleEndian.AppendUint32(*p, v)
	}
}

func (p *pack) u64(vs ...uint64) {
	for _, v := range vs {
		*p = binary.LittleEndian.AppendUint64(*p, v)
	}
}

func (p *pack) bytes(bs ...[]byte) {
	for _, b := range bs {
		*p = append(*p, b...)
	}
}

func (p *pack) zero(n int)  { *p = append(*p, make([]byte, n)...) }
func (p *pack) align(n int) { *p = pad(*p, n) }

// pad adds zeros until the length is a multiple of n.
func pad(b []byte, n int) []byte {
	for len(b)%n != 0 {
		b = append(b, 0)
	}
	return b
}

// utf16le is s as Windows protocols carry it.
func utf16le(s string) []byte {
	var p pack
	p.u16(utf16.Encode([]rune(s))...)
	return p
}

// big-endian counterparts for network headers.
func be16(b []byte, vs ...uint16) []byte {
	for _, v := range vs {
		b = binary.BigEndian.AppendUint16(b, v)
	}
	return b
}

func be32(b []byte, vs ...uint32) []byte {
	for _, v := range vs {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}
