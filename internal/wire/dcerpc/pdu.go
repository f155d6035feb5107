package dcerpc

import (
	"encoding/binary"
	"fmt"
)

// The kinds of messages (C706 12.6.4) that matter here.
const (
	kindRequest          = 0
	kindResponse         = 2
	kindFault            = 3
	kindBind             = 11
	kindBindAck          = 12
	kindBindNak          = 13
	kindAlterContext     = 14
	kindAlterContextResp = 15
	kindAuth3            = 16 // MS-RPCE 2.2.2.5
	kindOrphaned         = 19
	kindLast             = 20 // RTS, MS-RPCH
)

// Flags of a message (C706 12.6.3.1).
const (
	flagFirst  = 0x01
	flagLast   = 0x02
	flagObject = 0x80
)

const (
	headerSize   = 16
	requestSize  = 24 // header, allocation hint, context, operation
	responseSize = 24 // header, allocation hint, context, cancel count
	trailerSize  = 8  // of authentication, before its value
	uuidSize     = 16
	levelPrivacy = 6 // MS-RPCE 2.2.1.1.8
)

// header is the common header of all messages.
type header struct {
	kind   byte
	flags  byte
	big    bool
	length int // of the message, header and authentication included
	auth   int // bytes of the authentication value
	callID uint32
}

// parseHeader reads a header; it is strict, since it also tells where a message
// starts after damage.
func parseHeader(b []byte) (header, bool) {
	if b[0] != 5 || b[1] > 1 || b[2] > kindLast {
		return header{}, false
	}
	// Integers in either byte order, characters in ASCII, one of four formats of
	// floating point, and two bytes of nothing (C706 14.1).
	if b[4]&^0x10 != 0 || b[5] > 3 || b[6] != 0 || b[7] != 0 {
		return header{}, false
	}
	order := byteOrder(b[4] == 0)
	h := header{
		kind:   b[2],
		flags:  b[3],
		big:    b[4] == 0,
		length: int(order.Uint16(b[8:])),
		auth:   int(order.Uint16(b[10:])),
		callID: order.Uint32(b[12:]),
	}
	least := headerSize
	if h.auth > 0 {
		least += trailerSize + h.auth
	}
	return h, h.length >= least
}

func byteOrder(big bool) binary.ByteOrder {
	if big {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// pdu is one whole message. Numbers past its end are zero.
type pdu struct {
	header
	b []byte
}

func (p pdu) u8(at int) byte {
	if at >= len(p.b) {
		return 0
	}
	return p.b[at]
}

func (p pdu) u16(at int) uint16 {
	if at+2 > len(p.b) {
		return 0
	}
	return byteOrder(p.big).Uint16(p.b[at:])
}

func (p pdu) u32(at int) uint32 {
	if at+4 > len(p.b) {
		return 0
	}
	return byteOrder(p.big).Uint32(p.b[at:])
}

// uuid is the UUID at at, as text; empty past the end.
func (p pdu) uuid(at int) string {
	if at+uuidSize > len(p.b) {
		return ""
	}
	return fmt.Sprintf("%08x-%04x-%04x-%x-%x", p.u32(at), p.u16(at+4), p.u16(at+6), p.b[at+8:at+10], p.b[at+10:at+16])
}

// stub is the body from start on without padding and authentication (C706
// 13.2.6), and whether it is encrypted.
func (p pdu) stub(start int) (b []byte, sealed bool) {
	end := len(p.b)
	if p.auth > 0 {
		end -= p.auth + trailerSize
		sealed = p.b[end+1] == levelPrivacy
		end -= int(p.b[end+2])
	}
	if start >= end {
		return nil, sealed
	}
	return p.b[start:end], sealed
}

// token is the authentication value of messages that set up security.
func (p pdu) token() []byte {
	switch p.kind {
	case kindBind, kindBindAck, kindAlterContext, kindAlterContextResp, kindAuth3:
		if p.auth > 0 && p.auth <= len(p.b)-headerSize {
			return p.b[len(p.b)-p.auth:]
		}
	}
	return nil
}

// Starts says whether b begins as a message does (C706 12.6.3.1), with at least
// its common header.
func Starts(b []byte) bool {
	if len(b) < headerSize {
		return false
	}
	h, ok := parseHeader(b)
	return ok && h.length >= headerSize+4 && h.length <= 16<<10 && b[3]&flagFirst != 0
}
