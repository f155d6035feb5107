// Package names reads the protocols by which hosts of one network tell each other
// their names: the NetBIOS name service (RFC 1002), LLMNR (RFC 4795) and
// multicast DNS (RFC 6762). In come datagrams; out go accesses: which address a
// name was claimed for, and which names a host looked for. It answers nothing.
package names

import (
	"waybill/internal/wire"
)

type protocol struct {
	env  wire.Env
	said map[string]bool
}

const maxSaid = 1 << 16

// New makes the decoder of names.
func New(env wire.Env) wire.Protocol { return &protocol{env: env, said: map[string]bool{}} }

func (p *protocol) Name() string { return "names" }

// The ports of the protocols (RFC 1002 4.2.1.1, RFC 4795 2, RFC 6762 3). Their
// messages are those of DNS, which only the port tells them from.
const (
	portNetBIOS = 137
	portLLMNR   = 5355
	portMDNS    = 5353
)

// Probe goes by the port and a header that makes sense.
func (p *protocol) Probe(c *wire.Conn, head [2][]byte) wire.Verdict {
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

// first says whether something is said for the first time.
func (p *protocol) first(key string) bool {
	if p.said[key] {
		return false
	}
	if len(p.said) >= maxSaid {
		p.said = map[string]bool{}
	}
	p.said[key] = true
	return true
}
