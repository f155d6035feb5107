package neighbors

import (
	"net/netip"

	"waybill/internal/model"
	"waybill/internal/wire"
)

// Messages and options of neighbour discovery (RFC 4861 4).
const (
	routerSolicitation    = 133
	routerAdvertisement   = 134
	neighborSolicitation  = 135
	neighborAdvertisement = 136

	optionSource = 1
	optionTarget = 2
)

// firstOption is where the options of a message start.
var firstOption = map[byte]int{routerSolicitation: 8, routerAdvertisement: 16, neighborSolicitation: 24, neighborAdvertisement: 24}

// ICMPv6 takes a message from an address. What it says of its sender is a binding;
// so is the target of an advertisement. Solicitations without a sender are probes
// (RFC 4862 5.4.2). It reports whether the message is one of neighbour discovery.
func (t *Table) ICMPv6(from model.Addr, b []byte, at wire.At) bool {
	if len(b) < 8 || b[1] != 0 || firstOption[b[0]] == 0 || len(b) < firstOption[b[0]] {
		return false
	}
	who, option := from, byte(optionSource)
	if b[0] == neighborAdvertisement {
		target, _ := netip.AddrFromSlice(b[8:24])
		who, option = model.AddrOf(target), optionTarget
	}
	if mac, ok := linkAddress(b[firstOption[b[0]]:], option); ok {
		t.Seen(who, mac, at)
	}
	return true
}

// linkAddress is the Ethernet address in an option (RFC 4861 4.6.1): its length counts
// units of 8 bytes.
func linkAddress(b []byte, option byte) (mac [6]byte, ok bool) {
	for len(b) >= 8 {
		n := int(b[1]) * 8
		if n == 0 || n > len(b) {
			return mac, false
		}
		if b[0] == option && n == 8 {
			copy(mac[:], b[2:8])
			return mac, true
		}
		b = b[n:]
	}
	return mac, false
}
