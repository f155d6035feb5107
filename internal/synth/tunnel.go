package synth

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// tunnel puts an Ethernet frame into something else.
type tunnel struct {
	link uint16
	wrap func(frame []byte) []byte
	only uint8 // IP version that fits in; 0 is both
}

// The ends of tunnels over IP.
var (
	outerA = netip.MustParseAddr("203.0.113.1")
	outerB = netip.MustParseAddr("203.0.113.2")
)

var tunnels = map[string]tunnel{
	"vlan":    {LinkEthernet, func(f []byte) []byte { return insert(f, 12, 0x81, 0, 0, 7) }, 0},
	"qinq":    {LinkEthernet, func(f []byte) []byte { return insert(f, 12, 0x88, 0xA8, 0, 9, 0x81, 0, 0, 7) }, 0},
	"mpls":    {LinkEthernet, func(f []byte) []byte { return ether(f, 0x8847, []byte{0, 1, 0, 64, 0, 2, 1, 64}, f[14:]) }, 0},
	"pppoe":   {LinkEthernet, pppoe, 0},
	"gre":     {LinkEthernet, func(f []byte) []byte { return overIP(f, 47, be16(nil, 0, etherType(f)), f[14:]) }, 0},
	"erspan1": {LinkEthernet, func(f []byte) []byte { return overIP(f, 47, be16(nil, 0, 0x88BE), f) }, 0},
	"erspan2": {LinkEthernet, func(f []byte) []byte {
		return overIP(f, 47, be32(be16(nil, 0x1000, 0x88BE), 1, 0x10010001, 0), f)
	}, 0},
	"erspan3": {LinkEthernet, func(f []byte) []byte {
		return overIP(f, 47, be32(be16(nil, 0x1000, 0x22EB), 1, 0x20010001, 5, 0), f)
	}, 0},
	"vxlan":  {LinkEthernet, func(f []byte) []byte { return overUDP(f, 4789, be32(nil, 0x08000000, 42<<8), f) }, 0},
	"geneve": {LinkEthernet, func(f []byte) []byte { return overUDP(f, 6081, be32(nil, 0x01006558, 42<<8, 0, 0)[:12], f) }, 0},
	"teredo": {LinkEthernet, func(f []byte) []byte { return overUDP(f, 3544, nil, f[14:]) }, 6},
	"ipip":   {LinkEthernet, func(f []byte) []byte { return overIP(f, 4, nil, f[14:]) }, 4},
	"6in4":   {LinkEthernet, func(f []byte) []byte { return overIP(f, 41, nil, f[14:]) }, 6},
	"raw":    {LinkRaw, func(f []byte) []byte { return f[14:] }, 0},
	"null":   {LinkNull, func(f []byte) []byte { return join(binary.LittleEndian.AppendUint32(nil, family(f)), f[14:]) }, 0},
	"sll":    {LinkSLL, func(f []byte) []byte { return join(be16(sllHead(f), etherType(f)), f[14:]) }, 0},
	"sll2":   {LinkSLL2, sll2, 0},
	"ppp":    {LinkPPP, func(f []byte) []byte { return join([]byte{0xFF, 3}, be16(nil, pppProtocol(f)), f[14:]) }, 0},
	"chdlc":  {LinkCHDLC, func(f []byte) []byte { return join([]byte{0x0F, 0}, be16(nil, etherType(f)), f[14:]) }, 0},
}

// Tunnels are the names that Wrap knows, in order; v6 says whether the captures
// to be wrapped are of IPv6.
func Tunnels(v6 bool) []string {
	var out []string
	for name, t := range tunnels {
		if t.only == 0 || (t.only == 6) == v6 {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// Wrap puts each frame into a tunnel or another link layer. It panics on a name
// that Tunnels does not give.
func (c Capture) Wrap(name string) Capture {
	t, ok := tunnels[name]
	if !ok {
		panic(fmt.Sprintf("no tunnel %q", name))
	}
	out := slices.Clone(c)
	for i, f := range out {
		if t.only == 6 && etherType(f.Data) != etherIPv6 || t.only == 4 && etherType(f.Data) != etherIPv4 {
			panic(strings.Join([]string{name, "does not carry this version of IP"}, " "))
		}
		out[i].Data, out[i].Link = t.wrap(f.Data), t.link
		if f.Len > 0 {
			out[i].Len = f.Len + len(out[i].Data) - len(f.Data)
		}
	}
	return out
}

func etherType(frame []byte) uint16 { return binary.BigEndian.Uint16(frame[12:]) }

// pppProtocol is the number of IPv4 or IPv6 in PPP.
func pppProtocol(frame []byte) uint16 {
	if etherType(frame) == etherIPv6 {
		return 0x57
	}
	return 0x21
}

// family is the address family as FreeBSD writes it.
func family(frame []byte) uint32 {
	if etherType(frame) == etherIPv6 {
		return 28
	}
	return 2
}

func join(parts ...[]byte) []byte { return slices.Concat(parts...) }

// insert adds bytes to a frame at an offset.
func insert(frame []byte, at int, b ...byte) []byte {
	return join(frame[:at], b, frame[at:])
}

// ether is a frame with the addresses of f, another type and another payload.
func ether(f []byte, kind uint16, parts ...[]byte) []byte {
	return join(append([][]byte{f[:12], be16(nil, kind)}, parts...)...)
}

func pppoe(f []byte) []byte {
	head := be16([]byte{0x11, 0}, 1, uint16(len(f)-14+2), pppProtocol(f))
	return ether(f, 0x8864, head, f[14:])
}

// overIP is an IPv4 packet with a protocol's header and payload.
func overIP(f []byte, proto uint8, head, payload []byte) []byte {
	ip := appendIPv4(nil, outerA, outerB, 1, 0, proto, len(head)+len(payload))
	return ether(f, etherIPv4, ip, head, payload)
}

// overUDP is a UDP datagram to a port, without a checksum as tunnels send it.
func overUDP(f []byte, port uint16, head, payload []byte) []byte {
	udp := be16(nil, 50505, port, uint16(8+len(head)+len(payload)), 0)
	return overIP(f, protoUDP, udp, join(head, payload))
}

// sllHead is the header of LINKTYPE_LINUX_SLL but for its protocol.
func sllHead(f []byte) []byte {
	b := be16(nil, 4, 1, 6)
	return append(append(b, f[6:12]...), 0, 0)
}

// sll2 is the header of LINKTYPE_LINUX_SLL2, then the packet.
func sll2(f []byte) []byte {
	b := be16(nil, etherType(f), 0)
	b = be32(b, 2)
	b = be16(b, 1)
	b = append(append(append(b, 4, 6), f[6:12]...), 0, 0)
	return join(b, f[14:])
}
