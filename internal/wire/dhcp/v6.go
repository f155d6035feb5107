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

// Options of version 6 (RFC 8415 21, RFC 4704 4, RFC 6939).
const (
	opt6Client    = 1
	opt6IANA      = 3
	opt6IATA      = 4
	opt6Address   = 5
	opt6List      = 6
	opt6Relayed   = 9
	opt6Vendor    = 16
	opt6Name      = 39
	opt6LinkLayer = 79
)

// Messages of version 6 (RFC 8415 7.3).
const (
	message6Advertise    = 2
	message6Reply        = 7
	message6Release      = 8
	message6Decline      = 9
	message6Reconfigure  = 10
	message6RelayForward = 12
	message6RelayReply   = 13
)

// maxRelays bounds the relays that a message went over (RFC 8415 7.6: HOP_COUNT_LIMIT).
const maxRelays = 8

// version6 takes one message, also in those of relays (RFC 8415 9). link is the
// client's hardware address, where a relay or the client's own address shows it.
func (f *flow) version6(from wire.Side, c wire.Chunk) {
	b, link, peer := c.Data, "", f.c.Ends[from].Addr.Netip()
	if f.c.Ends[from].Port == 547 && f.c.Ends[from.Other()].Port == 546 {
		peer = f.c.Ends[from.Other()].Addr.Netip()
	}
	for range maxRelays {
		if len(b) < 34 || b[0] != message6RelayForward && b[0] != message6RelayReply {
			break
		}
		peer = netip.AddrFrom16([16]byte(b[18:34]))
		rest := b[34:]
		b = nil
		options6(rest, func(code uint16, v []byte) {
			switch {
			case code == opt6Relayed:
				b = v
			case code == opt6LinkLayer && len(v) == 8 && binary.BigEndian.Uint16(v) == 1:
				link = wire.MAC(v[2:])
			}
		})
	}
	if len(b) < 4 || b[0] == 0 || b[0] > message6RelayReply || b[0] >= message6RelayForward {
		return
	}
	if link == "" {
		link = eui64(peer)
	}
	f.message6(b, link, c.At)
}

// message6 takes a message between client and server.
func (f *flow) message6(b []byte, link string, at wire.At) {
	var id []byte
	f.exchange = string(b[1:4])
	options6(b[4:], func(code uint16, v []byte) {
		if code == opt6Client {
			id = v
		}
	})
	if len(id) < 4 || len(id) > 130 {
		return
	}
	who := f.p.client("6" + string(id))
	who.duid(id, link)
	kind := b[0]
	answer := kind == message6Reply || kind == message6Advertise || kind == message6Reconfigure
	if !answer {
		options6(b[4:], who.option6)
	}
	wants := model.Addr{}
	addresses6(b[4:], func(ip model.Addr, valid uint32) {
		switch kind {
		case message6Reply:
			if valid > 0 {
				f.leased(who, ip, valid, at)
			}
		case message6Advertise:
			f.offered(who, ip, at)
		case message6Release:
			f.said("dhcp-release", who, ip, at)
		case message6Decline:
			f.said("dhcp-decline", who, ip, at)
		default:
			wants = ip
		}
	})
	if !answer && kind != message6Release && kind != message6Decline {
		f.asked(who, wants, at)
	}
}

// option6 keeps what a host says of itself.
func (c *client) option6(code uint16, v []byte) {
	switch {
	case code == opt6Name && len(v) > 1:
		c.host = domainName(v[1:])
	case code == opt6Vendor && len(v) > 6: // number, then length and text
		c.vendor = wire.Printable(string(v[6:]))
	case code == opt6List:
		var words []string
		for ; len(v) >= 2 && len(words) < 64; v = v[2:] {
			words = append(words, strconv.Itoa(int(binary.BigEndian.Uint16(v))))
		}
		c.fingerprint = strings.Join(words, ",")
	}
}

// addresses6 visits the addresses with their valid lifetime (RFC 8415 21.4 to 21.6).
func addresses6(b []byte, visit func(ip model.Addr, valid uint32)) {
	options6(b, func(code uint16, v []byte) {
		head := map[uint16]int{opt6IANA: 12, opt6IATA: 4}[code]
		if head == 0 || len(v) <= head {
			return
		}
		options6(v[head:], func(code uint16, v []byte) {
			if code == opt6Address && len(v) >= 24 {
				if ip := addr(v[:16]); ip.Known() {
					visit(ip, binary.BigEndian.Uint32(v[20:]))
				}
			}
		})
	})
}

// duid takes a client's id (RFC 8415 11). The hardware address in it is one that the
// host had when it made the id, not that of the card it uses now: it is shown, and
// stands for the card only where nothing else tells.
func (c *client) duid(b []byte, link string) {
	c.id = hex.EncodeToString(b[:min(len(b), maxID)])
	if link != "" {
		c.mac, c.inferred = link, false
		return
	}
	if c.mac != "" {
		return
	}
	c.inferred = true
	switch kind := binary.BigEndian.Uint16(b); {
	case kind == 1 && len(b) == 14:
		c.mac = wire.MAC(b[8:14])
	case kind == 3 && len(b) == 10:
		c.mac = wire.MAC(b[4:10])
	default:
		c.inferred = false
	}
}

// eui64 is the hardware address in an interface identifier that was made of it
// (RFC 4291 appendix A).
func eui64(a netip.Addr) string {
	b := a.As16()
	if !a.Is6() || b[11] != 0xff || b[12] != 0xfe {
		return ""
	}
	return wire.MAC([]byte{b[8] ^ 2, b[9], b[10], b[13], b[14], b[15]})
}

func options6(b []byte, visit func(code uint16, v []byte)) {
	for len(b) >= 4 {
		n := int(binary.BigEndian.Uint16(b[2:]))
		if len(b) < 4+n {
			return
		}
		visit(binary.BigEndian.Uint16(b), b[4:4+n])
		b = b[4+n:]
	}
}
