package rdp

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf16"

	"waybill/internal/wire"
)

// Negotiation of security (MS-RDPBCGR 2.2.1.1.1, 2.2.1.2.1, 2.2.1.2.2).
const (
	negotiationRequest  = 1
	negotiationResponse = 2
	negotiationFailure  = 3
	negotiationLen      = 8

	restrictedAdmin = 1 // flag of a request: the server gets no password to use further
)

// protocols are the kinds of security, by their bits. None is standard security.
var protocols = []struct {
	bit  uint32
	name string
}{{1, "TLS"}, {2, "CredSSP"}, {4, "RDSTLS"}, {8, "CredSSP with early user authorization"}, {16, "RDS AAD"}}

const standardSecurity = "standard RDP security"

func protocolNames(bits uint32) string {
	var names []string
	for _, p := range protocols {
		if bits&p.bit != 0 {
			names = append(names, p.name)
		}
	}
	if len(names) == 0 {
		return standardSecurity
	}
	return strings.Join(names, " or ")
}

// failures are why a server refuses (MS-RDPBCGR 2.2.1.2.2).
var failures = map[uint32]string{1: "it requires TLS", 2: "it does not allow TLS", 3: "it has no certificate",
	4: "inconsistent flags", 5: "it requires CredSSP", 6: "it requires TLS and a client certificate"}

// request reads the client's wish: a cookie or a routing token that ends with a
// line, then the kinds of security.
func (d *conn) request(b []byte) {
	rest := b[min(7, len(b)):]
	if line, after, ok := bytes.Cut(rest, []byte("\r\n")); ok {
		if name, found := bytes.CutPrefix(line, []byte("Cookie: mstshash=")); found {
			d.cookie = wire.Printable(string(name[:min(len(name), 256)]))
		}
		rest = after
	}
	if len(rest) < negotiationLen || rest[0] != negotiationRequest {
		return
	}
	d.asked = protocolNames(binary.LittleEndian.Uint32(rest[4:]))
	if rest[1]&restrictedAdmin != 0 {
		d.asked += ", restricted admin"
	}
}

func (d *conn) confirm(b []byte) {
	d.security = standardSecurity
	rest := b[min(7, len(b)):]
	if len(rest) < negotiationLen {
		return
	}
	value := binary.LittleEndian.Uint32(rest[4:])
	switch rest[0] {
	case negotiationResponse:
		d.security = protocolNames(value)
		d.sealed = value != 0
	case negotiationFailure:
		d.security = "refused by the server"
		if why := failures[value]; why != "" {
			d.security += ": " + why
		}
	}
}

// MCS Connect-Initial and Connect-Response, as BER tags them (T.125 7, 11.1).
var (
	connectInitial  = []byte{0x7f, 0x65}
	connectResponse = []byte{0x7f, 0x66}
)

// Blocks of user data in the GCC conference (MS-RDPBCGR 2.2.1.3, 2.2.1.4).
const (
	clientCore     = 0xc001
	clientNetwork  = 0xc003
	serverCore     = 0x0c01
	serverSecurity = 0x0c02
	serverNetwork  = 0x0c03

	maxChannels = 31 // MS-RDPBCGR 2.2.1.3.4
)

// blocks visits the user data blocks of MCS Connect: a type and a length each,
// from the first of a type on that all of the rest follows.
func blocks(b []byte, first uint16, visit func(kind uint16, body []byte)) {
	le := binary.LittleEndian
	start := 0
	for ; !chained(b[start:], first); start++ {
		if start+4 > len(b) {
			return
		}
	}
	for at := start; at+4 <= len(b); at += int(le.Uint16(b[at+2:])) {
		if !chained(b[at:], le.Uint16(b[at:])) {
			return
		}
		visit(le.Uint16(b[at:]), b[at+4:at+int(le.Uint16(b[at+2:]))])
	}
}

// chained says whether b begins with a block of a type whose length fits.
func chained(b []byte, kind uint16) bool {
	if len(b) < 4 || binary.LittleEndian.Uint16(b) != kind {
		return false
	}
	n := int(binary.LittleEndian.Uint16(b[2:]))
	return n >= 8 && n <= len(b)
}

// clientData reads the client's core and network data.
func (d *conn) clientData(b []byte) {
	le := binary.LittleEndian
	blocks(b, clientCore, func(kind uint16, body []byte) {
		switch {
		case kind == clientCore && len(body) >= 52:
			d.build = le.Uint32(body[16:])
			d.name = wire.Printable(utf16String(body[20:52]))
		case kind == clientNetwork && len(body) >= 4 && len(d.channels) == 0:
			for n := min(int(le.Uint32(body)), maxChannels, (len(body)-4)/12); n > 0; n-- {
				name, _, _ := bytes.Cut(body[4+12*len(d.channels):][:8], []byte{0})
				d.channels = append(d.channels, strings.ToLower(wire.Printable(string(name))))
			}
		}
	})
}

// methods are the ways of standard security to encrypt (MS-RDPBCGR 2.2.1.4.3).
var methods = map[uint32]string{1: "40 bits", 2: "128 bits", 8: "56 bits", 16: "FIPS"}

// serverData reads the server's choice of encryption and the ids of channels.
func (d *conn) serverData(b []byte) {
	le := binary.LittleEndian
	d.channelIDs = []uint16{}
	blocks(b, serverCore, func(kind uint16, body []byte) {
		switch {
		case kind == serverSecurity && len(body) >= 4:
			d.method = le.Uint32(body)
		case kind == serverNetwork && len(body) >= 4 && len(d.channelIDs) == 0:
			d.screen = le.Uint16(body)
			for n := min(int(le.Uint16(body[2:])), maxChannels, (len(body)-4)/2); n > 0; n-- {
				d.channelIDs = append(d.channelIDs, le.Uint16(body[4+2*len(d.channelIDs):]))
			}
		}
	})
	if d.method != 0 {
		d.security += ", encrypted"
		if bits := methods[d.method]; bits != "" {
			d.security += fmt.Sprintf(" (%s)", bits)
		}
	}
}

func utf16String(b []byte) string {
	units := make([]uint16, 0, len(b)/2)
	for ; len(b) >= 2; b = b[2:] {
		u := binary.LittleEndian.Uint16(b)
		if u == 0 {
			break
		}
		units = append(units, u)
	}
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return -1
		}
		return r
	}, string(utf16.Decode(units)))
}
