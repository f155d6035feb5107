package identity

import (
	"slices"
	"strings"

	"waybill/internal/model"
)

// proxied is from how many IPv4 addresses on a hardware address is taken for a
// router's that answers for others (proxy ARP, RFC 1027), which tells no host.
const proxied = 16

// addHardware keeps which hardware an address was at, who it was leased to, and what
// records call the hardware.
func (t *Table) addHardware(b Binding) {
	if b.MAC != "" && b.Host != "" && b.rank() == 0 {
		t.byMAC[b.MAC] = extended(t.byMAC[b.MAC], b)
	}
	if !b.Addr.Known() {
		return
	}
	if b.Lease {
		t.leases[b.Addr] = extended(t.leases[b.Addr], b)
		t.dynamic[subnet(b.Addr)] = true
	}
	if b.MAC == "" {
		return
	}
	t.hardware[b.Addr] = extended(t.hardware[b.Addr], b)
	if b.Lease || !b.Addr.Netip().Is4() {
		return
	}
	if t.answered[b.MAC] == nil {
		t.answered[b.MAC] = map[model.Addr]bool{}
	}
	if len(t.answered[b.MAC]) <= proxied {
		t.answered[b.MAC][b.Addr] = true
	}
}

// grace is how long after it was seen last an address is still counted as claimed by
// its hardware, where others claim it too.
const grace = model.Time(300e9)

// Hardware is the hardware address that an address was at, "" when none is known, or
// when two answered for it at the time. The last word before counts, seen or leased;
// then the first after; then the inventory's.
func (t *Table) Hardware(a model.Addr, at model.Time) string { return t.spell(a, at).mac }

func (t *Table) hardwareOf(a model.Addr, at model.Time) string {
	mac, _ := t.claimed(a, at)
	return mac
}

// claimed is the hardware that an address was at, and whether two claimed it.
func (t *Table) claimed(a model.Addr, at model.Time) (mac string, byTwo bool) {
	var best *Binding
	for i := range t.hardware[a] {
		if b := &t.hardware[a][i]; at >= b.First-slack && at <= b.Last+slack && (best == nil || closer(b, best, at)) {
			best = b
		}
	}
	switch {
	case best == nil || len(t.answered[best.MAC]) > proxied:
		return "", false
	case t.contested(best, at):
		return "", true
	}
	return best.MAC, false
}

// contested says whether another hardware address answered for the address of a
// binding while that did.
func (t *Table) contested(b *Binding, at model.Time) bool {
	if b.Lease || always(b) || Virtual(b.MAC) {
		return false
	}
	return slices.ContainsFunc(t.hardware[b.Addr], func(x Binding) bool {
		return x.MAC != b.MAC && !x.Lease && !always(&x) && !Virtual(x.MAC) &&
			x.First <= b.Last && b.First <= x.Last && at >= x.First && at <= x.Last+grace
	})
}

// always says that a binding is an inventory's: it holds as long as nobody is seen
// elsewhere.
func always(b *Binding) bool { return b.Last-b.First > 1<<62 }

// closer says whether a binding tells more about a time than another.
func closer(b, than *Binding, when model.Time) bool {
	if b.class() != than.class() {
		return b.class() < than.class()
	}
	if begun, other := b.First <= when, than.First <= when; begun != other {
		return begun
	} else if !begun {
		return b.First < than.First
	}
	if w, other := b.word(when), than.word(when); w != other {
		return w > other
	}
	return b.First > than.First
}

// class orders what tells of hardware: what was seen or leased, what a host made of
// an address that it had, an inventory.
func (b *Binding) class() int {
	switch {
	case always(b):
		return 2
	case b.Inferred:
		return 1
	}
	return 0
}

// word is when a binding was confirmed last before a time: a lease when it was given,
// anything else as long as it was seen.
func (b *Binding) word(when model.Time) model.Time {
	if b.Lease {
		return b.First
	}
	return min(b.Last, when)
}

// ofHardware is what records call the hardware that an address was at.
func (t *Table) ofHardware(a model.Addr, at model.Time) string {
	mac := t.hardwareOf(a, at)
	if mac == "" {
		return ""
	}
	host := ""
	for _, b := range t.byMAC[mac] {
		if at < b.First-slack || at > b.Last+slack && !b.Lease {
			continue
		}
		if host != "" && !SameName(host, b.Host) {
			return "" // it had several names: two systems on one machine
		}
		if len(b.Host) > len(host) {
			host = b.Host
		}
	}
	return t.full(host)
}

// elsewhere says whether the address of a binding was at other hardware at a time
// than the binding says, or two claimed it. Routers that stand in for each other answer with a common one.
func (t *Table) elsewhere(b Binding, at model.Time) bool {
	if b.MAC == "" || b.Inferred {
		return false
	}
	mac, byTwo := t.claimed(b.Addr, at)
	return byTwo || mac != "" && mac != b.MAC && !Virtual(mac)
}

// Virtual says whether a hardware address is a common one of routers that stand in
// for each other: VRRP and CARP (RFC 9568 7.3, also IPv6), HSRP and GLBP (Cisco).
func Virtual(mac string) bool {
	for _, p := range [...]string{"00:00:5e:00:01:", "00:00:5e:00:02:", "00:00:0c:07:ac:", "00:00:0c:9f:f", "00:05:73:a0:0", "00:07:b4:00:"} {
		if strings.HasPrefix(mac, p) {
			return true
		}
	}
	return false
}

// addRole keeps what an inventory says of a host, by all that tells it.
func (t *Table) addRole(b Binding) {
	if b.Role == "" {
		return
	}
	for _, key := range roleKeys(b.Addr, b.MAC, b.Host) {
		t.roles[key] = append(t.roles[key], b)
	}
}

func roleKeys(a model.Addr, mac, host string) (keys []string) {
	if mac != "" {
		keys = append(keys, "mac "+mac)
	}
	if host != "" {
		keys = append(keys, "host "+Bare(host))
	}
	if a.Known() {
		keys = append(keys, "ip "+a.String())
	}
	return keys
}

// role is what an inventory says of a host, by its hardware, name or address: the
// first of them that it knows, and that nothing else of its line speaks against.
func (t *Table) role(e *model.Endpoint) string {
	for _, key := range roleKeys(e.IP, e.MAC, e.Host) {
		for _, b := range t.roles[key] {
			if fits(b.MAC, e.MAC, strings.EqualFold) && fits(b.Host, e.Host, SameName) {
				return b.Role
			}
		}
	}
	return ""
}

func fits(a, b string, same func(a, b string) bool) bool { return a == "" || b == "" || same(a, b) }
