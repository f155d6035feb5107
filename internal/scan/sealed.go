package scan

import (
	"slices"
	"strings"

	"waybill/internal/model"
	"waybill/internal/packet"
	"waybill/internal/wire"
	"waybill/internal/wire/sealed"
	"waybill/internal/wire/tls"
)

// maxSealed bounds the flows that nobody knows and that are kept for the end.
const maxSealed = 1 << 16

// watch begins to look at a flow between hosts inside that no decoder knows, with
// what was kept of it.
func (u *unclaimed) watch() {
	if u.look != nil || u.settled || u.gone || !u.d.p.betweenInside(&u.flow.Conn) || strings.HasPrefix(u.d.tags[u.flow.Tag], otherTag) || !u.d.p.budget.Take(sealed.Cost) {
		return
	}
	u.look = sealed.New(&u.flow.Conn, u.d.p.o.Entropy)
	for _, e := range u.events {
		if e.gap > 0 {
			u.look.Gap(e.side, e.gap)
			continue
		}
		u.look.Data(e.side, e.c)
	}
}

// unwatch looks no longer.
func (u *unclaimed) unwatch() {
	if u.look != nil && !u.settled {
		u.d.p.budget.Give(sealed.Cost)
		u.look = nil
	}
}

// betweenInside says whether both ends are single hosts inside.
func (p *pipeline) betweenInside(c *wire.Conn) bool {
	return c.Ends[0].Addr != c.Ends[1].Addr && p.host(c.Ends[0].Addr) && p.host(c.Ends[1].Addr)
}

// host says whether an address is one of a host inside.
func (p *pipeline) host(a model.Addr) bool {
	return single(a) && p.o.inside(model.Endpoint{IP: a}, nil)
}

// settle decides about a flow that ended and that no decoder knows. It is reported
// at the very end: it may still be announced.
func (u *unclaimed) settle() {
	u.watch()
	if u.look == nil || !u.look.Sealed() || len(u.d.sealed) == maxSealed {
		u.unwatch()
		u.settled = true
		return
	}
	u.settled = true
	if u.look.Protocol() != "" {
		u.flow.Tag = u.d.tag(blindTag + "encrypted-vpn")
	}
	u.d.sealed = append(u.d.sealed, u)
}

// reportSealed gives out the flows that nobody claimed.
func (d *detector) reportSealed() {
	for _, u := range d.sealed {
		d.p.budget.Give(sealed.Cost)
		if !u.gone {
			d.p.transfers = append(d.p.transfers, u.look.Transfer())
		}
	}
	d.sealed = nil
}

// espPacket takes a packet of IPsec that lies in IP directly.
func (p *pipeline) espPacket(k *packet.Packet) {
	if p.host(k.Src) && p.host(k.Dst) {
		p.esp.Packet(k.Src, k.Dst, k.Len, p.at)
	}
}

// startTLS gives a flow to the decoder of TLS from where a client's hello begins: other
// protocols greet each other in clear before. more is what comes next and was not kept.
func (u *unclaimed) startTLS(more ...event) bool {
	if u.flow.Conn.UDP || u.gone || u.full {
		return false
	}
	at := slices.IndexFunc(u.events, func(e event) bool { return e.gap == 0 && tls.IsHello(e.c.Data) })
	if at < 0 {
		return false
	}
	i := slices.IndexFunc(u.d.protocols, func(p wire.Protocol) bool { return p.Name() == "tls" })
	dec := u.take(u.d.protocols[i])
	clear := 0
	for _, e := range u.events[:at] {
		clear += len(e.c.Data)
	}
	(&env{p: u.d.p, name: "tls"}).Blind("unknown-protocol", int64(clear))
	u.events = append(u.events[at:], more...)
	u.replay(dec)
	return true
}
