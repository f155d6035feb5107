package dhcp

import (
	"encoding/binary"
	"encoding/hex"

	"waybill/internal/wire"
)

// Options of version 6 (RFC 8415 21, RFC 4704 4) and its messages (RFC 8415 7.3).
const (
	opt6Client  = 1
	opt6Address = 5
	opt6List    = 6
	opt6IANA    = 3
	opt6Vendor  = 16
	opt6Name    = 39

	message6Reply = 7
	message6Relay = 12
)

// version6 takes one message between client and server. Relayed ones (RFC 8415 9)
// carry the same again and are left out.
func (f *flow) version6(c wire.Chunk) {
	b := c.Data
	if len(b) < 4 || b[0] >= message6Relay {
		return
	}
	var id []byte
	options6(b[4:], func(code uint16, v []byte) {
		if code == opt6Client {
			id = v
		}
	})
	if len(id) < 4 || len(id) > 130 {
		return
	}
	who := f.p.client("6" + string(id))
	who.mac = duid(id)
	answer := b[0] == message6Reply || b[0] == 2
	options6(b[4:], func(code uint16, v []byte) {
		switch {
		case code == opt6IANA && b[0] == message6Reply && len(v) > 12:
			options6(v[12:], func(code uint16, v []byte) {
				if code == opt6Address && len(v) >= 24 {
					f.leased(who, addr(v[:16]), binary.BigEndian.Uint32(v[20:]), c.At)
				}
			})
		case answer:
		case code == opt6Name && len(v) > 1:
			who.host = domainName(v[1:])
		case code == opt6Vendor && len(v) > 6:
			who.vendor = wire.Printable(string(v[6:]))
		case code == opt6List:
			who.fingerprint = hex.EncodeToString(v[:min(len(v), 64)])
		}
	})
	if !answer {
		f.asked(who, addr(make([]byte, 0)), c.At)
	}
}

// duid is the hardware address in a client's id (RFC 8415 11.2, 11.4), else the id.
func duid(b []byte) string {
	switch kind := binary.BigEndian.Uint16(b); {
	case kind == 1 && len(b) >= 14:
		return wire.MAC(b[8:14])
	case kind == 3 && len(b) >= 10:
		return wire.MAC(b[4:10])
	}
	return "duid " + hex.EncodeToString(b)
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
