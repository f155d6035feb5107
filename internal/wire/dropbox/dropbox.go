// Package dropbox reads how hosts of one network announce to each other that they
// hold folders of Dropbox (LAN sync discovery: broadcasts of JSON to UDP port 17500).
// In come the datagrams; out goes one access a host and set of folders, with the port
// at which it serves them, from the first to the last time it was announced. The
// files themselves go over TLS, which others decode. It answers nothing.
package dropbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"waybill/internal/model"
	"waybill/internal/wire"
)

const channel = "dropbox-lan"

// Port is the one of discovery, and the one of the transfers unless another is
// announced (IANA: db-lsp-disc, db-lsp).
const Port = 17500

// Bounds of what is remembered and shown.
const (
	maxHosts      = 1 << 14
	maxNamespaces = 64
)

type protocol struct {
	env     wire.Env
	current map[string]*wire.Access
	order   []*wire.Access
}

// New makes the decoder of announcements.
func New(env wire.Env) wire.Protocol {
	return &protocol{env: env, current: map[string]*wire.Access{}}
}

func (p *protocol) Name() string { return channel }

// Probe asks for the port and a JSON object that names a host.
func (p *protocol) Probe(c *wire.Conn, head [2][]byte) wire.Verdict {
	if !c.UDP || c.Ends[0].Port != Port && c.Ends[1].Port != Port {
		return wire.No
	}
	for _, b := range head {
		if len(b) > 0 && b[0] == '{' && bytes.Contains(b, []byte(`"host_int"`)) {
			return wire.Yes
		}
	}
	return wire.No
}

// Open makes the decoder of one flow.
func (p *protocol) Open(c *wire.Conn) wire.Decoder { return &flow{p, c} }

// Flush gives out all announcements, in the order in which they began.
func (p *protocol) Flush(wire.At) {
	for _, a := range p.order {
		p.env.Access(a)
	}
	p.order = nil
	clear(p.current)
}

type flow struct {
	p *protocol
	c *wire.Conn
}

// announcement is the object of a datagram. Numbers may be larger than any integer.
type announcement struct {
	Host       json.Number   `json:"host_int"`
	Version    []json.Number `json:"version"`
	Name       any           `json:"displayname"`
	Port       uint16        `json:"port"`
	Namespaces []json.Number `json:"namespaces"`
}

func (f *flow) Data(from wire.Side, c wire.Chunk) {
	var a announcement
	d := json.NewDecoder(bytes.NewReader(c.Data))
	d.UseNumber()
	if c.Cut > 0 || d.Decode(&a) != nil || a.Host == "" {
		return
	}
	f.p.note(f.c, from, &a, c.At)
}

func (f *flow) Gap(wire.Side, int64, wire.At)       {}
func (f *flow) End(wire.Side, wire.Ending, wire.At) {}

// note keeps an announcement. The same one again makes it last longer.
func (p *protocol) note(c *wire.Conn, from wire.Side, x *announcement, at wire.At) {
	who, detail := c.Ends[from].Addr, x.detail()
	key := who.String() + " " + detail
	if a := p.current[key]; a != nil {
		a.Until = max(a.Until, at.Time)
		a.Seen.Add(at)
		return
	}
	if len(p.order) >= maxHosts {
		p.Flush(at)
	}
	a := &wire.Access{Conn: c}
	a.ID = wire.ID("a", channel, c, from, 0, 0, []byte("sync-announce\x00"+key)...)
	a.Time, a.Until, a.What, a.Channel = at.Time, at.Time, "sync-announce", channel
	a.Source, a.Destination = model.Endpoint{IP: who, Port: x.Port}, c.Ends[from.Other()].Endpoint()
	a.Object, a.Detail = "Dropbox LAN sync", detail
	a.Seen.Add(at)
	p.current[key] = a
	p.order = append(p.order, a)
}

// detail is what the announcement says, in one line.
func (x *announcement) detail() string {
	parts := []string{"host " + x.Host.String()}
	if len(x.Version) > 0 {
		parts = append(parts, "version "+join(x.Version, "."))
	}
	if name, ok := x.Name.(string); ok && name != "" && name != x.Host.String() {
		parts = append(parts, "name "+name)
	}
	n := len(x.Namespaces)
	parts = append(parts, fmt.Sprintf("port %d", x.Port), fmt.Sprintf("%d namespaces: %s", n, join(x.Namespaces, ", ")))
	return wire.Printable(strings.Join(parts, ", "))
}

func join(all []json.Number, between string) string {
	var s []string
	for _, n := range all[:min(len(all), maxNamespaces)] {
		s = append(s, n.String())
	}
	return strings.Join(s, between)
}
