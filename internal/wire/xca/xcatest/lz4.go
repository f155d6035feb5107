package xcatest

import "encoding/binary"

// LZ4 compresses into an LZ4 block: no match starts in the last 12 bytes, and
// the last 5 are literals.
func LZ4(src []byte) []byte {
	var out, literals []byte
	i := 0
	for _, s := range steps(src, limits{distance: 65535, least: 4, most: 1 << 30, tail: 12}) {
		if s.distance == 0 {
			literals = append(literals, src[i])
		} else {
			out = lz4Sequence(out, literals, s.n-4)
			out = binary.LittleEndian.AppendUint16(out, uint16(s.distance))
			out = lz4Length(out, s.n-4)
			literals = nil
		}
		i += s.n
	}
	return lz4Sequence(out, literals, 0)
}

// lz4Sequence writes a token and its literals.
func lz4Sequence(out, literals []byte, match int) []byte {
	out = append(out, byte(min(len(literals), 15)<<4|min(match, 15)))
	out = lz4Length(out, len(literals))
	return append(out, literals...)
}

func lz4Length(out []byte, n int) []byte {
	if n < 15 {
		return out
	}
	for n -= 15; n >= 255; n -= 255 {
		out = append(out, 255)
	}
	return append(out, byte(n))
}
