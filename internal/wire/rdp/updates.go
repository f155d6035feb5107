package rdp

import (
	"encoding/binary"

	"waybill/internal/wire"
)

// plain undoes bulk compression. All packets of a side have to come here, since
// they share one history.
func (d *conn) plain(from wire.Side, flags byte, b []byte) ([]byte, bool) {
	m := &d.halves[from].bulk
	if flags&mppcCompressed != 0 && m.history == nil && d.p.env.Budget().Take(historyLen) {
		m.history = make([]byte, historyLen)
	}
	if flags&mppcCompressed != 0 && m.history == nil {
		d.blind("over-budget", int64(len(b)))
		m.spoilt = true
		return nil, false
	}
	data, ok := m.take(flags, b)
	if !ok {
		d.blind("compressed-unknown", int64(len(b)))
	}
	return data, ok
}

// Data packets of the share (MS-RDPBCGR 2.2.8.1.1.1.1, 2.2.8.1.1.1.2).
const (
	shareDataHead = 18
	shareData     = 7
)

// shared takes the packets of the share for what they add to the history.
func (d *conn) shared(from wire.Side, b []byte) {
	for len(b) >= shareDataHead {
		n := int(binary.LittleEndian.Uint16(b))
		if n < shareDataHead || n > len(b) {
			return
		}
		if flags := b[15]; b[2]&0x0f == shareData && flags&^mppcType != 0 {
			d.plain(from, flags, b[shareDataHead:n])
		}
		b = b[n:]
	}
}

// Updates of the fast path (MS-RDPBCGR 2.2.9.1.2, 2.2.9.1.2.1).
const (
	fastPathSecured   = 0xc0
	updateCompression = 0x80
)

// updates takes one packet of the fast path for what it adds to the history.
func (d *conn) updates(from wire.Side, b []byte) {
	if b[0]&fastPathSecured != 0 || d.method != 0 {
		return
	}
	head := 2
	if b[1]&0x80 != 0 {
		head = 3
	}
	for b = b[head:]; len(b) >= 4; {
		flags, at := byte(0), 1
		if b[0]&fastPathSecured == updateCompression {
			flags, at = b[1], 2
		}
		n := int(binary.LittleEndian.Uint16(b[at:]))
		if b = b[at+2:]; n > len(b) {
			return
		}
		if flags&^mppcType != 0 {
			d.plain(from, flags, b[:n])
		}
		b = b[n:]
	}
}
