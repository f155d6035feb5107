// Package names reads the protocols by which hosts of one network tell each other
// their names: the NetBIOS name and datagram services (RFC 1002) with the
// announcements to browsers (MS-BRWS), LLMNR (RFC 4795) and multicast DNS (RFC
// 6762). In come datagrams; out go accesses: which address a name was claimed for,
// and which names a host looked for. It answers nothing.
package names

import (
	"crypto/sha256"

	"waybill/internal/model"
	"waybill/internal/wire"
)

type protocol struct {
	env  wire.Env
	said map[[sha256.Size]byte]bool // digests of what was said
}

const maxSaid = 1 << 16

// New makes the decoder of names.
func New(env wire.Env) wire.Protocol { return &protocol{env: env, said: map[[sha256.Size]byte]bool{}} }

func (p *protocol) Name() string { return "names" }

// The ports of the protocols (RFC 1002 4.2.1.1, RFC 4795 2, RFC 6762 3). Their
// messages are those of DNS, which only the port tells them from.
const (
	portNetBIOS  = 137
	portDatagram = 138
	portLLMNR    = 5355
	portMDNS     = 5353
)

// Probe goes by the port and a header that makes sense.
func (p *protocol) Probe(c *wire.Conn, head [2][]byte) wire.Verdict {
	if c.UDP && at(c, portDatagram) {
		return datagramVerdict(head)
	}
	if !c.UDP || !at(c, portNetBIOS) && !at(c, portLLMNR) && !at(c, portMDNS) {
		return wire.No
	}
	for _, b := range head {
		if len(b) >= headerLen && int(b[4])|int(b[6])|int(b[8])|int(b[10]) == 0 {
			return wire.Yes
		}
	}
	return wire.No
}

func datagramVerdict(head [2][]byte) wire.Verdict {
	for _, b := range head {
		if len(b) > datagramHeader+34 && b[0] >= datagramUnique && b[0] <= datagramBroadcast && b[datagramHeader] == 32 {
			return wire.Yes
		}
	}
	return wire.No
}

func at(c *wire.Conn, port uint16) bool { return c.Ends[0].Port == port || c.Ends[1].Port == port }

// Open makes the decoder of one flow.
func (p *protocol) Open(c *wire.Conn) wire.Decoder { return &flow{p, c} }

// Flush has nothing to end.
func (p *protocol) Flush(wire.At) {}

type flow struct {
	p *protocol
	c *wire.Conn
}

func (f *flow) Data(from wire.Side, c wire.Chunk) {
	if c.Cut > 0 || len(c.Data) < headerLen {
		f.p.env.Blind(wire.AroundLoss, int64(len(c.Data)))
		return
	}
	switch {
	case at(f.c, portDatagram):
		f.datagram(c.Data, f.c.Ends[from].Addr, c.At)
	case at(f.c, portNetBIOS):
		f.netbios(from, c)
	case at(f.c, portLLMNR):
		f.dns("llmnr", from, c)
	default:
		f.dns("mdns", from, c)
	}
}

func (f *flow) Gap(wire.Side, int64, wire.At)       {}
func (f *flow) End(wire.Side, wire.Ending, wire.At) {}

// bind reports that an address has a name, and who says so where that is another.
func (f *flow) bind(channel, host, object, mac string, ip, who model.Addr, at wire.At) {
	if single := ip.Netip(); !ip.Known() || single.IsUnspecified() || single.IsMulticast() || !f.p.first(channel+ip.String()+object+mac+who.String()) {
		return
	}
	a := wire.Binding(channel, f.c, at, ip, mac, host, object)
	if who != ip && !sameLink(who, ip) {
		a.Detail = "by " + who.String()
	}
	f.p.env.Access(a)
}

// sameLink says that one of two addresses is a link's own and the other not: a host
// tells its others from there.
func sameLink(a, b model.Addr) bool {
	return a.Netip().IsLinkLocalUnicast() != b.Netip().IsLinkLocalUnicast() || a.Netip().Is4() != b.Netip().Is4()
}

// first says whether something is said for the first time.
func (p *protocol) first(key string) bool {
	sum := sha256.Sum256([]byte(key))
	if p.said[sum] {
		return false
	}
	if len(p.said) >= maxSaid {
		clear(p.said)
	}
	p.said[sum] = true
	return true
}
