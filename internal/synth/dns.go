package synth

import "strings"

// Lookup is a name that a host asks for, and what it gets.
type Lookup struct {
	Name  string
	Alias string // that the name stands for; "" is none
	TTL   uint32
	TCP   bool
}

// Resolve asks a name server and gets the addresses of hosts (RFC 1035 4).
func (n *Net) Resolve(client, server *Host, l Lookup, got ...*Host) {
	id := uint16(n.random())
	kind := uint16(1)
	if got[0].Addr.Is6() {
		kind = 28
	}
	question := be16(dnsName(l.Name), kind, 1)
	records, owner := dnsAlias(l), uint16(0xC00C)
	if l.Alias != "" {
		owner = 0xC000 | uint16(12+len(question)+12)
	}
	answers := uint16(len(got))
	if l.Alias != "" {
		answers++
	}
	for _, h := range got {
		address := h.Addr.AsSlice()
		records = append(be16(be32(be16(records, owner, kind, 1), l.TTL), uint16(len(address))), address...)
	}
	ask := append(be16(nil, id, 0x0100, 1, 0, 0, 0), question...)
	tell := append(append(be16(nil, id, 0x8180, 1, answers, 0, 0), question...), records...)
	if !l.TCP {
		u := n.UDP(client, server, 53)
		u.Client(ask)
		u.Server(tell)
		return
	}
	c := n.Dial(client, server, 53)
	c.Client(be16(nil, uint16(len(ask))), ask)
	c.Server(be16(nil, uint16(len(tell))), tell)
	c.Close()
}

func dnsName(name string) []byte {
	var b []byte
	for _, label := range strings.Split(name, ".") {
		b = append(append(b, uint8(len(label))), label...)
	}
	return append(b, 0)
}

// dnsAlias is the record that says what a name stands for.
func dnsAlias(l Lookup) []byte {
	if l.Alias == "" {
		return nil
	}
	alias := dnsName(l.Alias)
	return append(be16(be32(be16(nil, 0xC00C, 5, 1), l.TTL), uint16(len(alias))), alias...)
}
