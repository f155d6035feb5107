package tls

import (
	"encoding/binary"

	"waybill/internal/wire"
)

// Records, handshakes and extensions (RFC 8446 4, 5.1, IANA).
const (
	recordHandshake = 22
	recordData      = 23
	clientHello     = 1
	serverHello     = 2
	certificates    = 11

	extServerName = 0
	extSignatures = 13
	extALPN       = 16
	extVersions   = 43
)

// hello is a client's hello.
type hello struct {
	version    uint16
	named      bool // it has the extension that names a server
	server     string
	alpn       string
	ciphers    []uint16
	extensions []uint16
	signatures []uint16
	cut        bool // its end was not seen
}

// cursor reads a message; past its end it gives zeros and bad is true.
type cursor struct {
	b   []byte
	bad bool
}

func (c *cursor) take(n int) []byte {
	if n < 0 || n > len(c.b) {
		c.bad = true
		return nil
	}
	out := c.b[:n]
	c.b = c.b[n:]
	return out
}

func (c *cursor) u8() int {
	if b := c.take(1); b != nil {
		return int(b[0])
	}
	return 0
}

func (c *cursor) u16() uint16 {
	if b := c.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (c *cursor) u24() int {
	if b := c.take(3); b != nil {
		return size24(b)
	}
	return 0
}

// parseHello reads a client's hello (RFC 8446 4.1.2), that of DTLS with its cookie
// (RFC 6347 4.2.1). One whose end is missing gives what is there.
func parseHello(b []byte, cookie bool) (*hello, bool) {
	c := cursor{b: b}
	if c.u8() != clientHello {
		return nil, false
	}
	h := &hello{cut: !whole(b)}
	c.take(3)
	h.version = c.u16()
	c.take(32)
	c.take(c.u8())
	if cookie {
		c.take(c.u8())
	}
	for suites := (cursor{b: c.take(int(c.u16()))}); len(suites.b) >= 2; {
		h.ciphers = append(h.ciphers, suites.u16())
	}
	c.take(c.u8())
	if c.bad {
		return nil, false
	}
	all := cursor{b: c.take(min(int(c.u16()), len(c.b)))}
	for len(all.b) >= 4 {
		kind := all.u16()
		body := all.take(int(all.u16()))
		if all.bad {
			break
		}
		h.extensions = append(h.extensions, kind)
		h.extension(kind, cursor{b: body})
	}
	return h, true
}

func (h *hello) extension(kind uint16, c cursor) {
	switch kind {
	case extServerName: // RFC 6066 3
		h.named = true
		c.u16()
		if c.u8() == 0 {
			h.server = wire.Printable(string(c.take(int(c.u16()))))
		}
	case extALPN: // RFC 7301 3.1
		c.u16()
		h.alpn = string(c.take(c.u8()))
	case extVersions:
		h.versions(cursor{b: c.take(c.u8())})
	case extSignatures:
		for list := (cursor{b: c.take(int(c.u16()))}); len(list.b) >= 2; {
			h.signatures = append(h.signatures, list.u16())
		}
	}
}

// versions takes the newest of those offered, whatever the hello itself says. Those
// of DTLS count down (RFC 9147 5.3).
func (h *hello) versions(list cursor) {
	best := uint16(0)
	for len(list.b) >= 2 {
		v := list.u16()
		if grease(v) {
			continue
		}
		if best == 0 || v > best != (v >= dtlsFirst) {
			best = v
		}
	}
	if best != 0 {
		h.version = best
	}
}

// grease says whether a value only tests that others are ignored (RFC 8701).
func grease(v uint16) bool { return v&0x0f0f == 0x0a0a && v>>8 == v&0xff }
