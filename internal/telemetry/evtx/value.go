package evtx

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"waybill/internal/model"
)

// The types of values (MS-EVEN6 2.2.12, BinXml value types).
const (
	typeNull     = 0x00
	typeString   = 0x01
	typeAnsi     = 0x02
	typeInt8     = 0x03
	typeUint8    = 0x04
	typeInt16    = 0x05
	typeUint16   = 0x06
	typeInt32    = 0x07
	typeUint32   = 0x08
	typeInt64    = 0x09
	typeUint64   = 0x0a
	typeFloat    = 0x0b
	typeDouble   = 0x0c
	typeBool     = 0x0d
	typeBinary   = 0x0e
	typeGUID     = 0x0f
	typeSize     = 0x10
	typeFileTime = 0x11
	typeSysTime  = 0x12
	typeSID      = 0x13
	typeHex32    = 0x14
	typeHex64    = 0x15
	typeBinXML   = 0x21
	typeArray    = 0x80
)

// value is one substitution of a template instance.
type value struct {
	kind byte
	at   int // in the chunk
	size int
}

// appendValue adds a value as text.
func appendValue(out, b []byte, kind byte) []byte {
	if kind&typeArray != 0 {
		return appendArray(out, b, kind&^typeArray)
	}
	if n := fixedSize(kind); n > 0 && len(b) < n {
		return out
	}
	le := binary.LittleEndian
	switch kind {
	case typeString:
		return appendUTF16(out, b)
	case typeAnsi:
		return append(out, strings.TrimRight(string(b), "\x00")...)
	case typeInt8:
		return strconv.AppendInt(out, int64(int8(b[0])), 10)
	case typeUint8:
		return strconv.AppendUint(out, uint64(b[0]), 10)
	case typeInt16:
		return strconv.AppendInt(out, int64(int16(le.Uint16(b))), 10)
	case typeUint16:
		return strconv.AppendUint(out, uint64(le.Uint16(b)), 10)
	case typeInt32:
		return strconv.AppendInt(out, int64(int32(le.Uint32(b))), 10)
	case typeUint32:
		return strconv.AppendUint(out, uint64(le.Uint32(b)), 10)
	case typeInt64:
		return strconv.AppendInt(out, int64(le.Uint64(b)), 10)
	case typeUint64:
		return strconv.AppendUint(out, le.Uint64(b), 10)
	case typeFloat:
		return strconv.AppendFloat(out, float64(math.Float32frombits(le.Uint32(b))), 'g', -1, 32)
	case typeDouble:
		return strconv.AppendFloat(out, math.Float64frombits(le.Uint64(b)), 'g', -1, 64)
	case typeBool:
		return strconv.AppendBool(out, le.Uint32(b) != 0)
	case typeBinary:
		return append(out, strings.ToUpper(hex.EncodeToString(b))...)
	case typeGUID:
		return appendGUID(out, b)
	case typeSize, typeHex32, typeHex64:
		return appendHex(out, b)
	case typeFileTime:
		return appendTime(out, fileTime(le.Uint64(b)))
	case typeSysTime:
		t := time.Date(int(le.Uint16(b)), time.Month(le.Uint16(b[2:])), int(le.Uint16(b[6:])), int(le.Uint16(b[8:])),
			int(le.Uint16(b[10:])), int(le.Uint16(b[12:])), int(le.Uint16(b[14:]))*1e6, time.UTC)
		return t.AppendFormat(out, "2006-01-02T15:04:05.000Z")
	case typeSID:
		return appendSID(out, b)
	}
	return out
}

// fixedSize is the size of an element of a type, 0 for those without one.
func fixedSize(kind byte) int {
	switch kind {
	case typeInt8, typeUint8:
		return 1
	case typeInt16, typeUint16:
		return 2
	case typeInt32, typeUint32, typeFloat, typeBool, typeHex32, typeSize:
		return 4
	case typeInt64, typeUint64, typeDouble, typeFileTime, typeHex64, typeSID:
		return 8
	case typeGUID, typeSysTime:
		return 16
	}
	return 0
}

// appendArray parts the elements by blanks.
func appendArray(out, b []byte, kind byte) []byte {
	if kind == typeString {
		for i, s := range strings.Split(strings.TrimRight(string(appendUTF16(nil, b)), "\x00"), "\x00") {
			if i > 0 {
				out = append(out, ' ')
			}
			out = append(out, s...)
		}
		return out
	}
	n := fixedSize(kind)
	if n == 0 || kind == typeSID {
		return append(out, strings.ToUpper(hex.EncodeToString(b))...)
	}
	for i := 0; i+n <= len(b); i += n {
		if i > 0 {
			out = append(out, ' ')
		}
		out = appendValue(out, b[i:i+n], kind)
	}
	return out
}

// appendUTF16 adds little-endian UTF-16 as UTF-8, without a terminator.
func appendUTF16(out, b []byte) []byte {
	for len(b) >= 2 && b[len(b)-1] == 0 && b[len(b)-2] == 0 && len(b)%2 == 0 {
		b = b[:len(b)-2]
	}
	for i := 0; i+1 < len(b); i += 2 {
		u := rune(b[i]) | rune(b[i+1])<<8
		if u < 0x80 {
			out = append(out, byte(u))
			continue
		}
		if utf16.IsSurrogate(u) && i+3 < len(b) {
			if r := utf16.DecodeRune(u, rune(b[i+2])|rune(b[i+3])<<8); r != utf8.RuneError {
				out = utf8.AppendRune(out, r)
				i += 2
				continue
			}
		}
		out = utf8.AppendRune(out, u)
	}
	return out
}

const upperHex = "0123456789ABCDEF"

func appendGUID(out, b []byte) []byte {
	out = append(out, '{')
	for i, at := range [16]int{3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15} {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			out = append(out, '-')
		}
		out = append(out, upperHex[b[at]>>4], upperHex[b[at]&15])
	}
	return append(out, '}')
}

func appendHex(out, b []byte) []byte {
	var n uint64
	for i := min(len(b), 8) - 1; i >= 0; i-- {
		n = n<<8 | uint64(b[i])
	}
	return strconv.AppendUint(append(out, "0x"...), n, 16)
}

// appendSID writes a security identifier (MS-DTYP 2.4.2).
func appendSID(out, b []byte) []byte {
	var authority uint64
	for _, x := range b[2:8] {
		authority = authority<<8 | uint64(x)
	}
	out = strconv.AppendUint(append(out, "S-"...), uint64(b[0]), 10)
	out = strconv.AppendUint(append(out, '-'), authority, 10)
	for i := 8; i+4 <= len(b) && i < 8+4*int(b[1]); i += 4 {
		out = strconv.AppendUint(append(out, '-'), uint64(binary.LittleEndian.Uint32(b[i:])), 10)
	}
	return out
}

// fileTime is a FILETIME: 100 ns since 1601.
func fileTime(n uint64) model.Time {
	const epoch = 116444736000000000
	if n < epoch || n > epoch+72e16 {
		return 0
	}
	return model.Time(n-epoch) * 100
}

func appendTime(out []byte, t model.Time) []byte {
	return time.Unix(0, int64(t)).UTC().AppendFormat(out, "2006-01-02T15:04:05.0000000Z")
}
