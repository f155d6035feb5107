// Package arp keeps which hardware addresses ARP (RFC 826) shows for IPv4
// addresses. In come the senders of requests and replies; out comes one access a
// run in which an address stayed at one hardware address. It believes every
// sender: who lies shows as an address that changes.
package arp

import (
	"net/netip"

	"waybill/internal/model"
	"waybill/internal/wire"
)

var unspecified = netip.IPv4Unspecified()

// maxBindings bounds the addresses that are known at a time.
const maxBindings = 1 << 16

// Table keeps the current binding of each address.
type Table struct {
	emit    func(*wire.Access)
	current map[model.Addr]*wire.Access
	order   []*wire.Access
}

// New makes a table that gives finished runs to emit.
func New(emit func(*wire.Access)) *Table {
	return &Table{emit: emit, current: map[model.Addr]*wire.Access{}}
}

// Packet takes one request or reply. Probes (RFC 5227), whose sender has no
// address yet, say nothing.
func (t *Table) Packet(ip model.Addr, mac [6]byte, at wire.At) {
	if ip == model.AddrOf(unspecified) || mac == [6]byte{} || mac[0]&1 != 0 {
		return
	}
	name := wire.MAC(mac[:])
	a := t.current[ip]
	if a != nil && a.Source.MAC == name {
		a.Until = max(a.Until, at.Time)
		return
	}
	if a == nil && len(t.current) >= maxBindings {
		return
	}
	if a != nil {
		a = wire.Binding("arp", nil, at, ip, name, "", "was "+a.Source.MAC)
	} else {
		a = wire.Binding("arp", nil, at, ip, name, "", "")
	}
	t.current[ip] = a
	t.order = append(t.order, a)
	if len(t.order) > 4*maxBindings {
		t.Flush()
	}
}

// Flush gives out all runs, in the order in which they began.
func (t *Table) Flush() {
	for _, a := range t.order {
		t.emit(a)
	}
	t.order = nil
	t.current = map[model.Addr]*wire.Access{}
}
