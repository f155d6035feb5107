package dhcp

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"

	"waybill/internal/model"
	"waybill/internal/wire"
)

// cookie starts the options (RFC 2131 3).
const cookie = "\x63\x82\x53\x63"

// Options (RFC 2132, 4702) and message types (RFC 2132 9.6).
const (
	optHostName    = 12
	optRequested   = 50
	optLease       = 51
	optType        = 53
	optParameters  = 55
	optVendor      = 60
	optName        = 81
	messageOffer   = 2
	messageAck     = 5
	messageRequest = 3
)

// version4 takes one message (RFC 2131 2).
func (f *flow) version4(c wire.Chunk) {
	b := c.Data
	if len(b) < 240 {
		return
	}
	size := int(b[2])
	if size == 0 || size > 16 {
		return
	}
	mac := wire.MAC(b[28 : 28+size])
	who := f.p.client(mac)
	who.mac = mac
	var kind byte
	var wants model.Addr
	lease := uint32(0)
	if string(b[236:240]) == cookie {
		options(b[240:], func(code byte, v []byte) {
			switch {
			case code == optType && len(v) == 1:
				kind = v[0]
			case code == optRequested && len(v) == 4:
				wants = addr(v)
			case code == optLease && len(v) == 4:
				lease = binary.BigEndian.Uint32(v)
			case b[0] == 1:
				who.option(code, v)
			}
		})
	}
	switch {
	case b[0] == 1:
		if ip := addr(b[12:16]); kind != messageRequest && ip != addr(make([]byte, 4)) {
			wants = ip
		}
		f.asked(who, wants, c.At)
	case kind == messageOffer:
		f.offered(who, addr(b[16:20]), c.At)
	case kind == messageAck:
		ip := addr(b[16:20])
		if ip == addr(make([]byte, 4)) {
			ip = addr(b[12:16]) // the answer to INFORM: the address was the host's before
		}
		if ip != addr(make([]byte, 4)) {
			f.leased(who, ip, lease, c.At)
		}
	}
}

// option keeps what a host says of itself.
func (c *client) option(code byte, v []byte) {
	switch code {
	case optHostName:
		c.host = wire.Printable(string(v))
	case optName: // RFC 4702 2: flags and two old codes first
		if len(v) > 3 && c.host == "" {
			if v[0]&4 != 0 {
				c.host = domainName(v[3:])
			} else {
				c.host = wire.Printable(string(v[3:]))
			}
		}
	case optVendor:
		c.vendor = wire.Printable(string(v))
	case optParameters:
		words := make([]string, len(v))
		for i, x := range v {
			words[i] = strconv.Itoa(int(x))
		}
		c.fingerprint = strings.Join(words, ",")
	}
}

// options visits the options of version 4.
func options(b []byte, visit func(code byte, v []byte)) {
	for len(b) > 0 && b[0] != 255 {
		if b[0] == 0 {
			b = b[1:]
			continue
		}
		if len(b) < 2 || len(b) < 2+int(b[1]) {
			return
		}
		visit(b[0], b[2:2+int(b[1])])
		b = b[2+int(b[1]):]
	}
}

func addr(b []byte) model.Addr {
	a, _ := netip.AddrFromSlice(b)
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
