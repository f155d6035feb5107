package synth

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"waybill/internal/model"
)

// What hosts of one network tell of themselves: addresses, hardware, names.

const etherARP = 0x0806

// broadcast is everybody on the wire.
var broadcast = &Host{Addr: netip.MustParseAddr("255.255.255.255"), MAC: [6]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}

// group is a multicast address with its hardware address (RFC 1112 6.4, RFC 2464 7).
func group(addr string) *Host {
	a := netip.MustParseAddr(addr)
	b := a.As16()
	h := &Host{Addr: a, MAC: [6]byte{0x01, 0x00, 0x5e, b[13] & 0x7f, b[14], b[15]}}
	if a.Is6() {
		h.MAC = [6]byte{0x33, 0x33, b[12], b[13], b[14], b[15]}
	}
	return h
}

// datagram is one datagram between ports of hosts, whoever they are.
func (n *Net) datagram(from *Host, source uint16, to *Host, port uint16, payload []byte) {
	u := &UDP{net: n, hosts: [2]*Host{from, to}, ports: [2]uint16{source, port}, flow: n.nextFlow()}
	u.Client(payload)
}

// bound adds to the truth that an address was shown to be a host's.
func (n *Net) bound(channel string, h *Host, mac bool, name, object string) {
	s := Seen{What: "address-binding", Channel: channel, Source: h.Model(), Host: name, Object: object}
	if mac {
		s.MAC = h.mac()
	}
	n.Truth.Seen = append(n.Truth.Seen, s)
}

// mac is the hardware address as people write it.
func (h *Host) mac() string {
	const digits = "0123456789abcdef"
	var b []byte
	for _, x := range h.MAC {
		b = append(b, digits[x>>4], digits[x&15], ':')
	}
	return string(b[:17])
}

// ARP asks everybody for the hardware address of a host, which answers (RFC 826).
func (n *Net) ARP(asking, asked *Host) {
	n.arp(asking, broadcast, 1, asked.Addr, [6]byte{})
	n.Sleep(n.Delay)
	n.arp(asked, asking, 2, asking.Addr, asking.MAC)
	n.bound("arp", asking, true, "", "")
	n.bound("arp", asked, true, "", "")
}

func (n *Net) arp(from, to *Host, op uint16, target netip.Addr, hardware [6]byte) {
	b := append(append([]byte{}, to.MAC[:]...), from.MAC[:]...)
	b = be16(b, etherARP, 1, etherIPv4, 0x0604, op)
	b = append(append(b, from.MAC[:]...), from.Addr.AsSlice()...)
	b = append(append(b, hardware[:]...), target.AsSlice()...)
	n.frame(b, 0, Client)
}

// Lease gives an address to a card, which is the host's from now on: a discovery
// and a request of everybody (RFC 2131 3.1). An address that was another's is
// taken from it.
func (n *Net) Lease(server *Host, name, addr string, mac [6]byte, seconds uint32) *Host {
	h := &Host{Name: name, Addr: netip.MustParseAddr(addr), MAC: mac, port: 49152 + uint16(n.Intn(8000))}
	nobody := &Host{Addr: netip.IPv4Unspecified(), MAC: mac}
	id := uint32(n.random())
	ask := func(kind uint8, more ...byte) {
		n.datagram(nobody, 68, broadcast, 67, dhcpMessage(1, id, mac, netip.IPv4Unspecified(), kind, append(more, dhcpClient(name)...)))
	}
	answer := func(kind uint8) {
		n.datagram(server, 67, broadcast, 68, dhcpMessage(2, id, mac, h.Addr, kind, dhcpTerms(server, seconds)))
	}
	ask(1)
	answer(2)
	ask(3, append([]byte{50, 4}, h.Addr.AsSlice()...)...)
	n.hosts[h.Addr] = h
	n.seenLease(h, seconds, n.Now+n.Delay)
	answer(5)
	return h
}

func (n *Net) seenLease(h *Host, seconds uint32, at model.Time) {
	n.bound("dhcp", h, true, h.Name, "lease")
	n.Truth.Leases = append(n.Truth.Leases, Leased{h.Model(), h.mac(), h.Name, at, at + model.Time(seconds)*1e9})
}

// dhcpMessage is a message (RFC 2131 2) with its options.
func dhcpMessage(op uint8, id uint32, mac [6]byte, given netip.Addr, kind uint8, options []byte) []byte {
	b := be32([]byte{op, 1, 6, 0}, id, 0, 0)
	b = append(b, given.AsSlice()...)
	b = append(b, make([]byte, 8)...)
	b = append(append(b, mac[:]...), make([]byte, 10+64+128)...)
	b = append(b, 0x63, 0x82, 0x53, 0x63, 53, 1, kind)
	b = append(append(b, options...), 255)
	for len(b) < 300 {
		b = append(b, 0)
	}
	return b
}

// dhcpClient is what Windows 10 says of itself (RFC 2132 3.14, 9.8, 9.13; RFC 4702).
func dhcpClient(name string) []byte {
	b := append([]byte{12, uint8(len(name))}, name...)
	b = append(append(b, 81, uint8(3+len(name)), 0, 0, 0), name...)
	b = append(append(b, 60, 8), "MSFT 5.0"...)
	return append(b, 55, 14, 1, 3, 6, 15, 31, 33, 43, 44, 46, 47, 119, 121, 249, 252)
}

func dhcpTerms(server *Host, seconds uint32) []byte {
	b := append([]byte{54, 4}, server.Addr.AsSlice()...)
	b = be32(append(b, 51, 4), seconds)
	return append(b, 1, 4, 255, 255, 0, 0)
}

// Lease6 gives an address by DHCPv6 (RFC 8415 18): SOLICIT, ADVERTISE, REQUEST, REPLY.
func (n *Net) Lease6(server *Host, name, addr string, mac [6]byte, seconds uint32) *Host {
	h := &Host{Name: name, Addr: netip.MustParseAddr(addr), MAC: mac, port: 49152 + uint16(n.Intn(8000))}
	local, all := linkLocal(mac), group("ff02::1:2")
	router := linkLocal(server.MAC)
	id := be32(nil, uint32(n.random()))
	duid := append([]byte{0, 1, 0, 1, 0x2d, 0x11, 0x22, 0x33}, mac[:]...)
	client := option6(1, duid)
	giver := option6(2, append([]byte{0, 3, 0, 1}, server.MAC[:]...))
	asked := append(option6(3, be32(nil, 7, 0, 0)), dhcp6Client(name)...)
	terms := be32(append([]byte{}, h.Addr.AsSlice()...), seconds/2, seconds)
	granted := option6(3, append(be32(nil, 7, seconds/4, seconds/2), option6(5, terms)...))
	say := func(kind uint8, options ...[]byte) {
		id[0] = kind
		b := append([]byte{}, id...)
		for _, o := range options {
			b = append(b, o...)
		}
		if kind == 2 || kind == 7 {
			n.datagram(router, 547, local, 546, b)
			return
		}
		n.datagram(local, 546, all, 547, b)
	}
	say(1, client, asked)
	say(2, client, giver, granted)
	say(3, client, giver, asked)
	n.hosts[h.Addr] = h
	n.seenLease(h, seconds, n.Now+n.Delay)
	say(7, client, giver, granted)
	return h
}

// dhcp6Client is what a client says of itself: vendor class, names that it wants to
// know, and its own (RFC 8415 21.7, 21.16; RFC 4704 4).
func dhcp6Client(name string) []byte {
	b := option6(16, append(be32(nil, 311), append([]byte{0, 8}, "MSFT 5.0"...)...))
	b = append(b, option6(6, be16(nil, 17, 23, 24, 39))...)
	return append(b, option6(39, append([]byte{0, uint8(len(name))}, name...))...)
}

func option6(code uint16, value []byte) []byte {
	return append(be16(nil, code, uint16(len(value))), value...)
}

// linkLocal is the address that a card gives itself (RFC 4291 2.5.1, appendix A).
func linkLocal(mac [6]byte) *Host {
	a := netip.AddrFrom16([16]byte{0: 0xfe, 1: 0x80, 8: mac[0] ^ 2, 9: mac[1], 10: mac[2], 11: 0xff, 12: 0xfe, 13: mac[3], 14: mac[4], 15: mac[5]})
	return &Host{Addr: a, MAC: mac}
}

// The types of the NetBIOS name service (RFC 1002 4.2.1.3).
const (
	typeNB     = 0x20
	typeNBSTAT = 0x21
)

// NBNSRegister claims a host's name before everybody (RFC 1002 4.2.2).
func (n *Net) NBNSRegister(h *Host) {
	b := append(be16(nil, uint16(n.random()), 0x2910, 1, 0, 0, 1), netbiosName(h.Name, 0)...)
	b = be32(be16(b, typeNB, 1, 0xC00C, typeNB, 1), 300_000)
	b = append(be16(b, 6, 0), h.Addr.AsSlice()...)
	n.datagram(h, 137, n.everybody(h), 137, b)
	n.bound("nbns", h, false, h.Name, h.Name+"<00>")
}

// NBNS asks everybody for a name, which its host answers (RFC 1002 4.2.12, 4.2.13).
func (n *Net) NBNS(asking, asked *Host) {
	id := uint16(n.random())
	question := be16(netbiosName(asked.Name, 0x20), typeNB, 1)
	n.datagram(asking, 137, n.everybody(asking), 137, append(be16(nil, id, 0x0110, 1, 0, 0, 0), question...))
	b := append(be16(nil, id, 0x8500, 0, 1, 0, 0), netbiosName(asked.Name, 0x20)...)
	b = be32(be16(b, typeNB, 1), 300_000)
	b = append(be16(b, 6, 0), asked.Addr.AsSlice()...)
	n.datagram(asked, 137, asking, 137, b)
	n.bound("nbns", asked, false, asked.Name, asked.Name+"<20>")
}

// NBSTAT asks a host for all its names (RFC 1002 4.2.17, 4.2.18), the domain among
// them, which is a group's.
func (n *Net) NBSTAT(asking, asked *Host, domain string) {
	u := n.UDP(asking, asked, 137)
	id := uint16(n.random())
	u.Client(append(be16(nil, id, 0, 1, 0, 0, 0), be16(slices.Clone(netbiosAny), typeNBSTAT, 1)...))
	b := append(be16(nil, id, 0x8400, 0, 1, 0, 0), netbiosAny...)
	b = be32(be16(b, typeNBSTAT, 1), 0)
	list := []byte{3}
	for _, x := range []struct {
		name   string
		suffix byte
		flags  uint16
	}{{asked.Name, 0, 0x0400}, {domain, 0, 0x8400}, {asked.Name, 0x20, 0x0400}} {
		list = be16(fmt.Appendf(list, "%-15s%c", x.name, x.suffix), x.flags)
	}
	list = append(append(list, asked.MAC[:]...), make([]byte, 40)...)
	u.Server(append(be16(b, uint16(len(list))), list...))
	n.bound("nbns", asked, true, asked.Name, asked.Name+"<20>")
}

// everybody is the broadcast address of a host's network of 24 bits.
func (n *Net) everybody(h *Host) *Host {
	b := h.Addr.As4()
	b[3] = 255
	return &Host{Addr: netip.AddrFrom4(b), MAC: broadcast.MAC}
}

// netbiosAny is the name * with zeros behind it, which all nodes have (RFC 1002 4.2.12).
var netbiosAny = []byte("\x20CK" + strings.Repeat("A", 30) + "\x00")

// LLMNR asks the group for a name, which its host answers (RFC 4795 2).
func (n *Net) LLMNR(asking, asked *Host) {
	id := uint16(n.random())
	question := be16(dnsName(asked.Name), 1, 1)
	port := asking.ephemeral()
	to := group("224.0.0.252")
	n.datagram(asking, port, to, 5355, append(be16(nil, id, 0, 1, 0, 0, 0), question...))
	b := append(be16(nil, id, 0x8000, 1, 1, 0, 0), question...)
	b = append(b, dnsAddress(dnsName(asked.Name), 1, 30, asked.Addr)...)
	n.datagram(asked, 5355, &Host{Addr: asking.Addr, MAC: asking.MAC}, port, b)
	n.bound("llmnr", asked, false, asked.Name, asked.Name)
}

// MDNS announces a host with a service (RFC 6762 8.3, RFC 6763 4).
func (n *Net) MDNS(h *Host, service string) {
	name, instance := h.Name+".local", h.Name+"."+service
	b := be16(nil, 0, 0x8400, 0, 3, 0, 1)
	b = append(b, dnsRecord(dnsName(service), 12, 1, 4500, dnsName(instance))...)
	b = append(b, dnsRecord(dnsName(instance), 33, 0x8001, 120, append(be16(nil, 0, 0, 445), dnsName(name)...))...)
	b = append(b, dnsAddress(dnsName(name), 0x8001, 120, h.Addr)...)
	b = append(b, dnsRecord(dnsName(instance), 16, 0x8001, 4500, []byte{0})...)
	n.datagram(h, 5353, group("224.0.0.251"), 5353, b)
	n.bound("mdns", h, false, h.Name, name)
}

func dnsRecord(name []byte, kind, class uint16, ttl uint32, data []byte) []byte {
	b := be32(be16(append([]byte{}, name...), kind, class), ttl)
	return append(be16(b, uint16(len(data))), data...)
}

func dnsAddress(name []byte, class uint16, ttl uint32, a netip.Addr) []byte {
	kind := uint16(1)
	if a.Is6() {
		kind = 28
	}
	return dnsRecord(name, kind, class, ttl, a.AsSlice())
}
