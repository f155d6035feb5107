package dhcp

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"

	"waybill/internal/model"
	"waybill/internal/wire"
)

// cookie starts the options (RFC 2131 3).
const cookie = "\x63\x82\x53\x63"

// Options (RFC 2132, 4702, 3396, 4361).
const (
	optPad        = 0
	optHostName   = 12
	optRequested  = 50
	optLease      = 51
	optOverload   = 52
	optType       = 53
	optParameters = 55
	optVendor     = 60
	optClientID   = 61
	optName       = 81
	optEnd        = 255
)

// Message types (RFC 2132 9.6).
const (
	messageBOOTP    = 0 // no type: RFC 951
	messageDiscover = 1
	messageOffer    = 2
	messageRequest  = 3
	messageDecline  = 4
	messageAck      = 5
	messageRelease  = 7
	messageInform   = 8
)

// message4 is one message of RFC 2131 2.
type message4 struct {
	reply        bool
	kind         byte
	client, your model.Addr // ciaddr, yiaddr
	wants        model.Addr
	lease        uint32
	mac          string
	options      map[byte][]byte
}

// parse4 reads a message; false where it is none. Options of one code are one
// (RFC 3396 5).
func parse4(b []byte) (m message4, ok bool) {
	if len(b) < 240 || b[0] != 1 && b[0] != 2 {
		return m, false
	}
	if b[2] > 16 {
		return m, false
	}
	m = message4{reply: b[0] == 2, options: map[byte][]byte{},
		client: addr(b[12:16]), your: addr(b[16:20])}
	if hardware := b[28:34]; b[1] == 1 && b[2] == 6 && string(hardware) != "\x00\x00\x00\x00\x00\x00" { // Ethernet (RFC 1700)
		m.mac = wire.MAC(hardware)
	}
	if string(b[236:240]) != cookie {
		return m, true
	}
	m.gather(b[240:])
	if over := m.options[optOverload]; len(over) == 1 { // RFC 2132 9.3: fields that hold options
		if over[0]&1 != 0 {
			m.gather(b[108:236])
		}
		if over[0]&2 != 0 {
			m.gather(b[44:108])
		}
	}
	if v := m.options[optType]; len(v) == 1 {
		m.kind = v[0]
	}
	m.wants = addr(m.options[optRequested])
	if v := m.options[optLease]; len(v) == 4 {
		m.lease = binary.BigEndian.Uint32(v)
	}
	return m, true
}

// maxOption bounds an option with all its parts: those read here fit into one.
const maxOption = 255

// gather adds options.
func (m *message4) gather(b []byte) {
	for len(b) > 0 && b[0] != optEnd {
		if b[0] == optPad {
			b = b[1:]
			continue
		}
		if len(b) < 2 || len(b) < 2+int(b[1]) {
			return
		}
		had, more := m.options[b[0]], b[2:2+int(b[1])]
		m.options[b[0]] = append(had, more[:min(len(more), maxOption-len(had))]...)
		b = b[2+int(b[1]):]
	}
}

// version4 takes one message.
func (f *flow) version4(c wire.Chunk) {
	m, ok := parse4(c.Data)
	if !ok {
		return
	}
	f.exchange = string(c.Data[4:8])
	key := m.mac
	if key == "" {
		key = "id" + string(m.options[optClientID])
	}
	who := f.p.client(key)
	who.mac = m.mac
	if m.reply {
		f.reply4(who, &m, c.At)
		return
	}
	who.options(m.options, m.kind)
	switch m.kind {
	case messageDecline:
		f.said("dhcp-decline", who, m.wants, c.At)
	case messageRelease:
		f.said("dhcp-release", who, m.client, c.At)
	case messageBOOTP, messageDiscover, messageRequest, messageInform:
		if !m.wants.Known() {
			m.wants = m.client // a renewal (RFC 2131 4.3.2), or INFORM
		}
		f.asked(who, m.wants, c.At)
	}
}

func (f *flow) reply4(who *client, m *message4, at wire.At) {
	ip := m.your
	switch {
	case m.kind == messageOffer && ip.Known():
		f.offered(who, ip, at)
	case m.kind == messageAck || m.kind == messageBOOTP:
		if !ip.Known() {
			ip = m.client // the answer to INFORM: the address was the host's before
		}
		f.leased(who, ip, m.lease, at)
	}
}

// options keeps what a host says of itself. INFORM asks for what its sender wants
// beside an address (Windows for a proxy), which is no other client.
func (c *client) options(all map[byte][]byte, kind byte) {
	if v := all[optHostName]; len(v) > 0 {
		c.host = name(v)
	}
	if v := all[optName]; len(v) > 3 && len(all[optHostName]) == 0 { // RFC 4702 2: flags and two old codes first
		c.host = name(v[3:])
		if v[0]&4 != 0 {
			c.host = domainName(v[3:])
		}
	}
	if v := all[optVendor]; len(v) > 0 {
		c.vendor = wire.Printable(string(v))
	}
	if v := all[optParameters]; len(v) > 0 && kind != messageInform {
		c.fingerprint = numbers(v)
	}
	if v := all[optClientID]; len(v) > 1 && !(v[0] == 1 && wire.MAC(v[1:]) == c.mac) { // RFC 2132 9.14: mostly the hardware address
		c.id = hex.EncodeToString(v[:min(len(v), maxID)])
	}
}

// maxID bounds the bytes of an identifier that are shown.
const maxID = 32

func name(v []byte) string { return strings.TrimRight(wire.Printable(string(v)), ". ") }

func numbers(v []byte) string {
	words := make([]string, len(v))
	for i, x := range v {
		words[i] = strconv.Itoa(int(x))
	}
	return strings.Join(words, ",")
}

// addr is an address, the zero value where there is none.
func addr(b []byte) model.Addr {
	a, ok := netip.AddrFromSlice(b)
	if !ok || a.IsUnspecified() {
		return model.Addr{}
	}
	return model.AddrOf(a)
}

// domainName reads labels (RFC 1035 3.1) without compression.
func domainName(b []byte) string {
	var labels []string
	for len(b) > 0 && b[0] != 0 && int(b[0]) < len(b) && b[0] < 64 {
		labels = append(labels, string(b[1:1+int(b[0])]))
		b = b[1+int(b[0]):]
	}
	return wire.Printable(strings.Join(labels, "."))
}
