package tls

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"waybill/internal/wire"
)

// Records, handshakes and extensions (RFC 8446 4, 5.1, IANA).
const (
	recordHandshake = 22
	clientHello     = 1
	serverHello     = 2

	extServerName = 0
	extSignatures = 13
	extALPN       = 16
	extVersions   = 43
)

// hello is a client's hello.
type hello struct {
	version    uint16
	server     string
	alpn       string
	ciphers    []uint16
	extensions []uint16
	signatures []uint16
}

// handshakeOf gives the handshake message in the records of b, and whether all of
// it is there.
func handshakeOf(b []byte) (body []byte, whole bool) {
	for len(b) >= 5 && b[0] == recordHandshake {
		n := int(binary.BigEndian.Uint16(b[3:]))
		body = append(body, b[5:min(len(b), 5+n)]...)
		b = b[min(len(b), 5+n):]
	}
	return body, len(body) >= 4 && len(body) >= 4+int(body[1])<<16|int(body[2])<<8|int(body[3])
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

// parseHello reads a client's hello (RFC 8446 4.1.2).
func parseHello(b []byte) (*hello, bool) {
	c := cursor{b: b}
	if c.u8() != clientHello {
		return nil, false
	}
	c.take(3)
	h := &hello{version: c.u16()}
	c.take(32)
	c.take(c.u8())
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
		c.u16()
		if c.u8() == 0 {
			h.server = wire.Printable(string(c.take(int(c.u16()))))
		}
	case extALPN: // RFC 7301 3.1
		c.u16()
		h.alpn = string(c.take(c.u8()))
	case extVersions:
		for list := (cursor{b: c.take(c.u8())}); len(list.b) >= 2; {
			if v := list.u16(); !grease(v) {
				h.version = max(h.version, v)
			}
		}
	case extSignatures:
		for list := (cursor{b: c.take(int(c.u16()))}); len(list.b) >= 2; {
			h.signatures = append(h.signatures, list.u16())
		}
	}
}

// grease says whether a value only tests that others are ignored (RFC 8701).
func grease(v uint16) bool { return v&0x0f0f == 0x0a0a && v>>8 == v&0xff }

func plain(all []uint16) []uint16 { return slices.DeleteFunc(slices.Clone(all), grease) }

// ja4 is the fingerprint of the hello (JA4: TLS client fingerprinting, FoxIO, BSD licence).
func (h *hello) ja4(quic bool) string {
	transport := "t"
	if quic {
		transport = "q"
	}
	version := map[uint16]string{0x0304: "13", 0x0303: "12", 0x0302: "11", 0x0301: "10", 0x0300: "s3"}[h.version]
	if version == "" {
		version = "00"
	}
	name := "i"
	if h.server != "" {
		name = "d"
	}
	ciphers, extensions := plain(h.ciphers), plain(h.extensions)
	first := fmt.Sprintf("%s%s%s%02d%02d%s", transport, version, name, min(len(ciphers), 99), min(len(extensions), 99), ends(h.alpn))
	slices.Sort(ciphers)
	rest := slices.DeleteFunc(extensions, func(e uint16) bool { return e == extServerName || e == extALPN })
	slices.Sort(rest)
	list := words(rest)
	if s := plain(h.signatures); len(s) > 0 {
		list += "_" + words(s)
	}
	return first + "_" + short(words(ciphers)) + "_" + short(list)
}

// ends is the first and last character of the first protocol offered.
func ends(alpn string) string {
	if alpn == "" {
		return "00"
	}
	a, z := alpn[0], alpn[len(alpn)-1]
	if !alphanumeric(a) || !alphanumeric(z) {
		s := hex.EncodeToString([]byte(alpn))
		return s[:1] + s[len(s)-1:]
	}
	return string([]byte{a, z})
}

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func words(all []uint16) string {
	s := make([]string, len(all))
	for i, v := range all {
		s[i] = fmt.Sprintf("%04x", v)
	}
	return strings.Join(s, ",")
}

// short is the start of a digest, zeros for nothing.
func short(s string) string {
	if s == "" {
		return "000000000000"
	}
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:6])
}
