package rdp

import (
	"encoding/binary"

	"waybill/internal/model"
)

// recordHead is the header of a TLS record, which is in clear: type, version,
// length (RFC 8446 5.1).
const (
	recordHead = 5
	maxRecord  = 16<<10 + 2048 // RFC 5246 6.2.3
)

// isRecord says whether b begins as a TLS record does.
func isRecord(b []byte) bool {
	return len(b) >= 3 && b[0] >= 20 && b[0] <= 23 && b[1] == 3 && b[2] <= 4
}

// records reads the lengths of the TLS records of one side.
type records struct {
	head   [recordHead]byte
	have   int // bytes of head that are there
	left   int // bytes of the record under way that are still to come
	astray bool
}

// take gives the length of each record that b begins to v.
func (r *records) take(b []byte, at model.Time, v *volume) {
	for len(b) > 0 {
		if r.left > 0 {
			n := min(r.left, len(b))
			r.left -= n
			b = b[n:]
			continue
		}
		n := copy(r.head[r.have:], b)
		r.have += n
		b = b[n:]
		if r.have < recordHead {
			return
		}
		r.have = 0
		r.left = int(binary.BigEndian.Uint16(r.head[3:]))
		if !isRecord(r.head[:]) || r.left > maxRecord {
			r.lose()
			return
		}
		r.astray = false
		v.record(r.left, at)
	}
}

// lose says that bytes were lost: a record is looked for at the start of the next
// segments.
func (r *records) lose() { *r = records{astray: true} }
