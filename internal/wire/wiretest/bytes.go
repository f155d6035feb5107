package wiretest

import "encoding/binary"

// LE writes numbers by their type in little-endian order, and bytes and strings as
// they are.
func LE(values ...any) []byte {
	var b []byte
	for _, v := range values {
		switch v := v.(type) {
		case byte:
			b = append(b, v)
		case uint16:
			b = binary.LittleEndian.AppendUint16(b, v)
		case uint32:
			b = binary.LittleEndian.AppendUint32(b, v)
		case uint64:
			b = binary.LittleEndian.AppendUint64(b, v)
		case []byte:
			b = append(b, v...)
		case string:
			b = append(b, v...)
		default:
			panic("LE: bytes, strings and unsigned numbers of a fixed size")
		}
	}
	return b
}
