// Package xcatest compresses, so that tests and synthetic captures can hold
// what package xca undoes. In comes plain data, out goes a payload of one
// algorithm (MS-XCA, LZ4, Pattern_V1) or a whole compressed SMB2 message. It
// aims at every form of the formats, not at a good ratio, and only tests and
// makers of test data import it.
package xcatest

import (
	"encoding/binary"

	"waybill/internal/wire/xca"
)

// Compress gives src as a payload of the algorithm. PatternV1 takes a src of one
// repeated byte; an unknown algorithm, or no algorithm, gives src as it is.
func Compress(alg uint16, src []byte) []byte {
	switch alg {
	case xca.LZNT1:
		return LZNT1(src)
	case xca.LZ77:
		return LZ77(src)
	case xca.LZ77Huffman:
		return LZ77Huffman(src)
	case xca.PatternV1:
		return Pattern(src)
	case xca.LZ4:
		return LZ4(src)
	}
	return append([]byte(nil), src...)
}

// Pattern is the Pattern_V1 payload of a src that is one byte, repeated.
func Pattern(src []byte) []byte {
	b := make([]byte, 4, 8)
	if len(src) > 0 {
		b[0] = src[0]
	}
	return binary.LittleEndian.AppendUint32(b, uint32(len(src)))
}

// Unchained is the compressed form of a message whose first plain bytes stay as
// they are (MS-SMB2 2.2.42.1).
func Unchained(alg uint16, message []byte, plain int) []byte {
	b := header(len(message) - plain)
	b = binary.LittleEndian.AppendUint16(b, alg)
	b = binary.LittleEndian.AppendUint16(b, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(plain))
	b = append(b, message[:plain]...)
	return append(b, Compress(alg, message[plain:])...)
}

// Part is a run of a message's bytes and the algorithm that they go under.
type Part struct {
	Alg   uint16
	Bytes []byte
}

// Chained is the compressed form of the message that the parts make (MS-SMB2
// 2.2.42.2).
func Chained(parts ...Part) []byte {
	size := 0
	for _, p := range parts {
		size += len(p.Bytes)
	}
	b := header(size)
	for i, p := range parts {
		payload := Compress(p.Alg, p.Bytes)
		if p.Alg != xca.None && p.Alg != xca.PatternV1 {
			payload = append(binary.LittleEndian.AppendUint32(nil, uint32(len(p.Bytes))), payload...)
		}
		flags := uint16(0)
		if i == 0 {
			flags = 1
		}
		b = binary.LittleEndian.AppendUint16(b, p.Alg)
		b = binary.LittleEndian.AppendUint16(b, flags)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(payload)))
		b = append(b, payload...)
	}
	return b
}

func header(size int) []byte {
	return binary.LittleEndian.AppendUint32([]byte(xca.ProtocolID), uint32(size))
}
