package scan

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"maps"
	"slices"
	"strconv"

	"waybill/internal/wire"
)

// filePorts are the ports of protocols that carry files between hosts: what is
// spoken there is decoded or blind, never of no interest.
var filePorts = map[uint16]bool{20: true, 21: true, 22: true, 69: true, 80: true, 111: true, 135: true, 137: true, 138: true, 139: true,
	443: true, 445: true, 873: true, 990: true, 2049: true, 3389: true, 5985: true, 5986: true, 7680: true, 8000: true, 8080: true, 8443: true, 17500: true}

// unread names a flow that nobody decodes, for coverage: a protocol that carries no
// files, where port and first bytes agree, else a reason of blindness.
func unread(c *wire.Conn, head []byte) string {
	for _, end := range c.Ends {
		if filePorts[end.Port] {
			return blindTag + "unknown-protocol"
		}
	}
	for _, o := range others {
		if (c.Ends[0].Port == o.port || c.Ends[1].Port == o.port) && o.fits(c, head) {
			return otherTag + o.name
		}
	}
	return blindTag + "unknown-protocol"
}

// others are protocols without files that every network is full of.
var others = []struct {
	name string
	port uint16
	fits func(c *wire.Conn, head []byte) bool
}{
	{"dns", 53, func(c *wire.Conn, b []byte) bool {
		if !c.UDP && len(b) > 2 {
			b = b[2:] // RFC 1035 4.2.2
		}
		return dnsHeader(b)
	}},
	{"ldap", 389, ldapMessage},
	{"ldap", 3268, ldapMessage},
	{"ntp", 123, func(c *wire.Conn, b []byte) bool { // RFC 5905 7.3: version 1 to 4, a mode
		return c.UDP && len(b) >= 12 && b[0]>>3&7 >= 1 && b[0]>>3&7 <= 4 && b[0]&7 != 0
	}},
	{"snmp", 161, snmp},
	{"snmp", 162, snmp},
	{"syslog", 514, func(c *wire.Conn, b []byte) bool { // RFC 5424 6.2.1
		end := bytes.IndexByte(b[:min(len(b), 5)], '>')
		if !c.UDP || end < 2 || b[0] != '<' {
			return false
		}
		_, err := strconv.Atoi(string(b[1:end]))
		return err == nil
	}},
	{"ssdp", 1900, func(c *wire.Conn, b []byte) bool {
		return c.UDP && (bytes.HasPrefix(b, []byte("M-SEARCH ")) || bytes.HasPrefix(b, []byte("NOTIFY ")) || bytes.HasPrefix(b, []byte("HTTP/1.1 200")))
	}},
	{"ws-discovery", 3702, func(c *wire.Conn, b []byte) bool {
		return c.UDP && bytes.Contains(b, []byte("schemas.xmlsoap.org/ws/2005/04/discovery"))
	}},
	{"stun", 3478, func(c *wire.Conn, b []byte) bool { // RFC 8489 5
		return c.UDP && len(b) >= 20 && b[0]&0xc0 == 0 && binary.BigEndian.Uint32(b[4:]) == 0x2112a442
	}},
}

// dnsHeader says whether bytes start as a message of RFC 1035 4.1.1: a query, an
// update or a notification with few questions, and the reserved bit 0.
func dnsHeader(b []byte) bool {
	return len(b) >= 12 && b[2]>>3&15 <= 5 && b[3]&0x40 == 0 && binary.BigEndian.Uint16(b[4:]) <= 16
}

// ldapMessage: a SEQUENCE that starts with a message number (RFC 4511 4.1.1),
// also within the length of a security layer (RFC 4422 3.7).
func ldapMessage(c *wire.Conn, b []byte) bool {
	if len(b) > 4 && b[0] == 0 {
		return true
	}
	return len(b) > 8 && b[0] == 0x30 && bytes.Contains(b[:min(len(b), 8)], []byte{2})
}

// snmp messages are a SEQUENCE that starts with the version (RFC 3416, RFC 3412 6).
func snmp(c *wire.Conn, b []byte) bool {
	return c.UDP && len(b) > 8 && b[0] == 0x30 && bytes.Contains(b[:8], []byte{2, 1})
}

// maxUnknown bounds the ports that are counted, shownUnknown those that are named.
const (
	maxUnknown   = 4096
	shownUnknown = 12
)

// unknown counts bytes of a flow that nobody knows by the port that was connected to.
func (p *pipeline) unknown(c *wire.Conn, n int64) {
	port := c.Ends[1].Port
	if !c.Opened && c.Ends[0].Port < port {
		port = c.Ends[0].Port
	}
	proto := "tcp/"
	if c.UDP {
		proto = "udp/"
	}
	key := proto + strconv.Itoa(int(port))
	if _, ok := p.unknownPorts[key]; ok || len(p.unknownPorts) < maxUnknown {
		p.unknownPorts[key] += n
	}
}

// mostUnknown gives the ports with the most bytes.
func mostUnknown(all map[string]int64) map[string]int64 {
	names := slices.SortedFunc(maps.Keys(all), func(a, b string) int { return cmp.Or(cmp.Compare(all[b], all[a]), cmp.Compare(a, b)) })
	out := map[string]int64{}
	for _, n := range names[:min(len(names), shownUnknown)] {
		out[n] = all[n]
	}
	return out
}
