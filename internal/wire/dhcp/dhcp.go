// Package dhcp reads DHCP for IPv4 (RFC 2131, 2132, 4702) and IPv6 (RFC 8415,
// 4704). In come datagrams; out go accesses: what a host asks for with its name
// and fingerprint, and each lease with its time. It assigns nothing and keeps a
// bounded number of requests until their answers.
package dhcp

import (
	"crypto/sha256"
	"strings"

	"waybill/internal/model"
	"waybill/internal/wire"
)

const channel = "dhcp"

// ByDUID is the detail of a lease whose hardware address is the one in the client's
// DUID: one that the host had when it made that, perhaps not of the card it uses.
const ByDUID = "hardware by its DUID"

type protocol struct {
	env     wire.Env
	clients map[string]*client // by hardware address or DUID
	order   []string
	told    map[[sha256.Size]byte]bool // digests of what was said
}

// client is what a host said of itself.
type client struct {
	mac, host, vendor, fingerprint, id string
	inferred                           bool // the hardware address is by the id
}

const maxClients = 1 << 15

// New makes the decoder of DHCP.
func New(env wire.Env) wire.Protocol {
	return &protocol{env: env, clients: map[string]*client{}, told: map[[sha256.Size]byte]bool{}}
}

func (p *protocol) Name() string { return channel }

// Probe tells version 4 by its cookie or its ports, version 6 by its ports.
func (p *protocol) Probe(c *wire.Conn, head [2][]byte) wire.Verdict {
	if !c.UDP {
		return wire.No
	}
	for _, b := range head {
		if len(b) >= 240 && (b[0] == 1 || b[0] == 2) && (string(b[236:240]) == cookie || ports(c, 67, 68)) {
			return wire.Yes
		}
		if len(b) >= 4 && b[0] >= 1 && b[0] <= 13 && ports(c, 546, 547) {
			return wire.Yes
		}
	}
	return wire.No
}

func ports(c *wire.Conn, a, b uint16) bool {
	x, y := c.Ends[0].Port, c.Ends[1].Port
	return (x == a || x == b) && (y == a || y == b)
}

// Open makes the decoder of one flow.
func (p *protocol) Open(c *wire.Conn) wire.Decoder { return &flow{p: p, c: c} }

// Flush has nothing to end.
func (p *protocol) Flush(wire.At) {}

type flow struct {
	p *protocol
	c *wire.Conn
	// exchange is the transaction id: a relay shows the messages of a link again.
	exchange string
}

func (f *flow) Data(from wire.Side, c wire.Chunk) {
	if c.Cut > 0 {
		f.p.env.Blind(wire.AroundLoss, int64(len(c.Data)))
		return
	}
	if ports(f.c, 546, 547) {
		f.version6(from, c)
		return
	}
	f.version4(c)
}

func (f *flow) Gap(wire.Side, int64, wire.At)       {}
func (f *flow) End(wire.Side, wire.Ending, wire.At) {}

// client gives what is known of a host.
func (p *protocol) client(key string) *client {
	c := p.clients[key]
	if c != nil {
		return c
	}
	if len(p.order) >= maxClients {
		delete(p.clients, p.order[0])
		p.order = p.order[1:]
	}
	c = &client{}
	p.clients[key] = c
	p.order = append(p.order, key)
	return c
}

// first says whether something is said for the first time.
func (p *protocol) first(key string) bool {
	sum := sha256.Sum256([]byte(key))
	if p.told[sum] {
		return false
	}
	if len(p.told) >= maxClients {
		clear(p.told)
	}
	p.told[sum] = true
	return true
}

// asked reports what a host asks for, once for each way in which it does.
func (f *flow) asked(c *client, wants model.Addr, at wire.At) {
	key := strings.Join([]string{c.mac, c.host, c.vendor, c.fingerprint, c.id, wants.String()}, "\x00")
	if !f.p.first(key) {
		return
	}
	a := wire.Binding(channel, f.c, at, model.Addr{}, c.mac, c.host, "request")
	a.ID = wire.ID("a", channel, f.c, 0, 0, 0, []byte(key)...)
	a.What, a.Until = "dhcp-request", 0
	a.Detail = c.describe()
	if wants.Known() {
		a.Detail = joined(a.Detail, "asks for "+wants.String())
	}
	f.p.env.Access(a)
}

// describe is what tells a kind of host: vendor class and parameter list; and its
// identifier, where that is not the hardware address.
func (c *client) describe() string {
	s := ""
	for _, x := range [...]struct{ what, value string }{{"vendor ", c.vendor}, {"fingerprint ", c.fingerprint}, {"client id ", c.id}} {
		if x.value != "" {
			s = joined(s, x.what+x.value)
		}
	}
	if c.inferred {
		s = joined(s, ByDUID)
	}
	return s
}

func joined(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}

// leased reports a lease. A relay and the client's link show the same one.
func (f *flow) leased(c *client, ip model.Addr, seconds uint32, at wire.At) {
	if !ip.Known() || !f.once("lease", c, ip) {
		return
	}
	a := wire.Binding(channel, f.c, at, ip, c.mac, c.host, "lease")
	a.ID = wire.ID("a", channel, f.c, 0, uint32(at.Time/1e9), 0, []byte("lease\x00"+ip.String()+"\x00"+c.mac)...)
	a.Until = at.Time + model.Time(seconds)*1e9
	a.Detail = c.describe()
	f.p.env.Access(a)
}

// once says whether something of this exchange is said for the first time.
func (f *flow) once(what string, c *client, ip model.Addr) bool {
	return f.p.first(strings.Join([]string{what, f.exchange, c.mac, c.id, ip.String()}, "\x00"))
}

// offered reports an address that a server offers, which is no lease yet.
func (f *flow) offered(c *client, ip model.Addr, at wire.At) {
	f.event("dhcp-offer", c, ip, at)
}

// said reports that a host gives an address back, or that it found it taken.
func (f *flow) said(what string, c *client, ip model.Addr, at wire.At) {
	if ip.Known() {
		f.event(what, c, ip, at)
	}
}

func (f *flow) event(what string, c *client, ip model.Addr, at wire.At) {
	if !f.once(what, c, ip) {
		return
	}
	a := wire.Binding(channel, f.c, at, ip, c.mac, c.host, strings.TrimPrefix(what, "dhcp-"))
	a.ID = wire.ID("a", channel, f.c, 0, uint32(at.Time/1e9), 0, []byte(what+"\x00"+ip.String()+"\x00"+c.mac)...)
	a.What, a.Until = what, 0
	f.p.env.Access(a)
}
