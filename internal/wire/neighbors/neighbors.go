// Package neighbors keeps which hardware addresses hosts of a link show for their
// addresses: ARP (RFC 826) for IPv4, neighbour discovery (RFC 4861) for IPv6. In
// come the senders of messages; out comes one access a run in which an address
// stayed at one hardware address, and one each time that two claim one address. It
// believes every sender, and never says which of two is right.
package neighbors

import (
	"slices"

	"waybill/internal/model"
	"waybill/internal/wire"
)

const (
	// maxAddresses bounds the addresses that are known at a time.
	maxAddresses = 1 << 16
	// maxRuns bounds the runs that wait to be given out.
	maxRuns = 4 * maxAddresses
	// maxClaims bounds the hardware addresses that are known of an address.
	maxClaims = 8
)

// contest is how soon after it was taken over an address must be claimed again by the
// earlier holder, that two hosts have it and not one after the other: caches ask
// again within minutes (RFC 1122 2.3.2.1).
const contest = model.Time(300e9)

// Table keeps the holders of each address.
type Table struct {
	channel string
	emit    func(*wire.Access)
	claims  map[model.Addr][]*claim // the last sighted last
	order   []*wire.Access
}

// claim is one hardware address that was seen for an address.
type claim struct {
	mac       [6]byte
	run       *wire.Access
	contested bool // said already
}

// New makes a table that gives finished runs to emit, under the name of a protocol.
func New(channel string, emit func(*wire.Access)) *Table {
	return &Table{channel: channel, emit: emit, claims: map[model.Addr][]*claim{}}
}

// Seen takes an address and the hardware address that its host gives. Probes of
// addresses that nobody has yet (RFC 5227 2.1.1) say nothing.
func (t *Table) Seen(ip model.Addr, mac [6]byte, at wire.At) {
	if ip.Netip().IsUnspecified() || mac == [6]byte{} || mac[0]&1 != 0 {
		return
	}
	all := t.claims[ip]
	i := slices.IndexFunc(all, func(c *claim) bool { return c.mac == mac })
	holds := i >= 0 && i == len(all)-1
	if holds {
		all[i].run.Until = max(all[i].run.Until, at.Time)
		all[i].run.Seen.Add(at)
		return
	}
	if all == nil && len(t.claims) >= maxAddresses {
		return
	}
	c := &claim{mac: mac}
	if i >= 0 {
		c = all[i]
		all = slices.Delete(all, i, i+1)
	}
	var holder *claim
	if len(all) > 0 {
		holder = all[len(all)-1]
	}
	if c.run != nil && at.Time-c.run.Until <= contest {
		c.run.Until = max(c.run.Until, at.Time)
		t.conflict(ip, c, holder, at)
	} else {
		t.begin(ip, c, holder, at)
	}
	if len(all) >= maxClaims {
		all = slices.Delete(all, 0, 1)
	}
	t.claims[ip] = append(all, c)
}

// begin starts a run: the address is seen at new hardware.
func (t *Table) begin(ip model.Addr, c, holder *claim, at wire.At) {
	name, was := wire.MAC(c.mac[:]), ""
	if holder != nil {
		was = "was " + holder.run.Source.MAC
	}
	a := wire.Binding(t.channel, nil, at, ip, name, "", was)
	if c.run != nil { // again, long after: another access
		a.ID = wire.ID("a", t.channel, &wire.Conn{Ends: [2]wire.AddrPort{{Addr: ip}}}, 0, uint32(at.Time/1e9), 1, c.mac[:]...)
	}
	c.run = a
	t.add(a)
}

// conflict says that two hardware addresses claim an address, once for each.
func (t *Table) conflict(ip model.Addr, c, holder *claim, at wire.At) {
	if c.contested {
		return
	}
	c.contested = true
	a := wire.Binding(t.channel, nil, at, ip, wire.MAC(c.mac[:]), "", "also at "+holder.run.Source.MAC)
	a.ID = wire.ID("a", t.channel, &wire.Conn{Ends: [2]wire.AddrPort{{Addr: ip}}}, 0, 0, 2, c.mac[:]...)
	a.What, a.Until = "address-conflict", 0
	a.Seen.Merge(holder.run.Seen)
	t.add(a)
}

func (t *Table) add(a *wire.Access) {
	t.order = append(t.order, a)
	if len(t.order) > maxRuns {
		t.Flush()
	}
}

// Flush gives out all runs, in the order in which they began.
func (t *Table) Flush() {
	for _, a := range t.order {
		t.emit(a)
	}
	t.order = nil
	t.claims = map[model.Addr][]*claim{}
}
