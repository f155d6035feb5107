// Package identity knows which host had which address and name when, and what hosts
// are for. In come bindings that logs and protocols show, and what moved between
// hosts; out come the host of an address at a time, the addresses of a host, and the
// role that it was seen in. It guesses no name: an address that two hosts claim for
// one time belongs to none.
package identity

import (
	"cmp"
	"slices"
	"strings"

	"waybill/internal/model"
)

// Binding says that an address was a host's over a time.
type Binding struct {
	Addr        model.Addr
	Host        string
	First, Last model.Time
	// Weak is a name that no record holds: what a host calls itself in an exchange. It
	// counts where nothing better is known. Hearsay is the word of others than the host
	// itself, a reverse lookup or a name that a client asked for; it counts last.
	Weak, Hearsay bool
	// Kept says that earlier runs found the host at the address for good (Table.Recall).
	Kept bool
	// Lease says that the address was handed out: the next host that gets it ends this
	// binding, however long it was given for.
	Lease bool
	// MAC is the hardware address, where it is known; Role what an inventory says.
	MAC, Role string
	// Inferred says that the hardware address is one that the host had once, by an
	// identifier that it made of it: it may use another card now.
	Inferred bool
}

// Table is all bindings of a run. The zero value is empty. Bindings that repeat what
// was said last of an address take no room: a busy host is said to be itself with
// every logon.
type Table struct {
	byAddr   map[model.Addr][]Binding
	byName   map[string][]Binding // lower case, with and without domain
	hardware map[model.Addr][]Binding
	leases   map[model.Addr][]Binding       // whether they name a host or not
	dynamic  map[model.Addr]bool            // subnets of which addresses were handed out
	byMAC    map[string][]Binding           // names of records by hardware address
	roles    map[string][]Binding           // those that say one, by address, hardware and name
	answered map[string]map[model.Addr]bool // IPv4 addresses that a hardware address answered for
	long     map[string]string              // bare name to the one with domain; "" where there are two
	domains  map[string]string              // of the accounts of computers, by their bare name; "" where there are two
	whole    map[string]string              // names with domain as they are written, by lower case
	memo     memo

	namings   map[string][]Naming  // by kind and key
	unsettled bool                 // of what follows
	former    map[string][]renamed // by former names without domain
	twins     map[string]bool      // names that two systems have
	renames   []model.Renamed
	recalled  []model.Addr // of which only earlier runs tell the host
}

// Add adds a binding.
func (t *Table) Add(b Binding) {
	t.make()
	t.memo.forget()
	t.unsettled = t.unsettled || len(t.namings) > 0
	t.addRole(b)
	t.addHardware(b)
	if !b.Addr.Known() || b.Host == "" || b.rank() > 0 && generic(b.Host) {
		return
	}
	t.byAddr[b.Addr] = extended(t.byAddr[b.Addr], b)
	name := strings.ToLower(b.Host)
	t.byName[name] = extended(t.byName[name], b)
	bare := Bare(name)
	if bare == name {
		return
	}
	t.byName[bare] = extended(t.byName[bare], b)
	t.lengthen(bare, b.Host)
}

// AddName adds the whole name of a host of which no address may be known: what is called
// by the first part of it alone is that host, if no other's begins so.
func (t *Table) AddName(host string) {
	t.make()
	if bare := Bare(host); len(bare) < len(host) {
		t.lengthen(bare, host)
	}
}

func (t *Table) make() {
	if t.byAddr == nil {
		*t = Table{namings: t.namings, unsettled: t.unsettled, byAddr: map[model.Addr][]Binding{}, byName: map[string][]Binding{}, hardware: map[model.Addr][]Binding{}, leases: map[model.Addr][]Binding{}, dynamic: map[model.Addr]bool{},
			byMAC: map[string][]Binding{}, roles: map[string][]Binding{}, answered: map[string]map[model.Addr]bool{}, long: map[string]string{}, whole: map[string]string{}, domains: map[string]string{}}
	}
}

func (t *Table) lengthen(bare, host string) {
	if key := strings.ToLower(host); t.whole[key] == "" {
		t.whole[key] = host
	}
	if known, ok := t.long[bare]; !ok {
		t.long[bare] = host
	} else if !strings.EqualFold(known, host) {
		t.long[bare] = ""
	}
}

// extended adds a binding to a list. One that says again what the last one says, and
// begins while that still holds or within a day, stretches it.
func extended(list []Binding, b Binding) []Binding {
	if n := len(list); n > 0 {
		x, same := &list[n-1], b
		same.First, same.Last = x.First, x.Last
		if *x == same && b.First >= x.First && b.First-slack <= x.Last {
			x.Last = max(x.Last, b.Last)
			return list
		}
	}
	return append(list, b)
}

// Bare is a host name without its domain, lower case.
func Bare(host string) string {
	bare, _, _ := strings.Cut(strings.ToLower(host), ".")
	return bare
}

// slack is how far beyond what was seen of it a binding holds, when nobody else
// claims the address.
const slack model.Time = 24 * 3600e9

// rank orders the words of bindings: a record, the host itself, others.
func (b *Binding) rank() int {
	switch {
	case b.Hearsay:
		return 2
	case b.Weak:
		return 1
	}
	return 0
}

const ranks = 3

// Host is the host that had an address at a time, "" when none or several are known.
// What records say of the hardware that the address was at counts before what is only
// said in exchanges.
func (t *Table) Host(a model.Addr, at model.Time) string { return t.spell(a, at).host }

func (t *Table) hostOf(a model.Addr, at model.Time) string {
	host := t.heldBy(a, at)
	if !t.ofSeveral(host) {
		return host
	}
	// Hosts of two domains are called so: what the address was called at any time tells.
	whole := ""
	for _, b := range t.byAddr[a] {
		if !SameName(b.Host, host) || !strings.Contains(b.Host, ".") {
			continue
		}
		if whole != "" && !strings.EqualFold(whole, b.Host) {
			return host
		}
		whole = b.Host
	}
	return cmp.Or(whole, host)
}

func (t *Table) heldBy(a model.Addr, at model.Time) string {
	for rank := range ranks {
		for _, reach := range []model.Time{0, slack} {
			if host, one := t.only(a, at, reach, rank); host != "" {
				if !one {
					return ""
				}
				return host
			}
		}
		if host := t.ofHardware(a, at); rank == 0 && host != "" {
			return host
		}
	}
	return t.always(a, at)
}

// always is the host that an address has for good, as far as all that was seen tells: no
// other had it and it was not handed out, and the host was at no other address of that family,
// and was seen there on two days or where others' addresses are handed out and those of this
// subnet are not. Servers are seldom named by what passes, and stay where they are.
func (t *Table) always(a model.Addr, at model.Time) string {
	if len(t.leases[a]) > 0 {
		return ""
	}
	host, first, last, kept := "", at, at, false
	for i := range t.byAddr[a] {
		b := &t.byAddr[a][i]
		if i == 0 {
			first, last = b.First, b.Last
		}
		first, last, kept = min(first, b.First), max(last, b.Last), kept || b.Kept
		if host != "" && !sameHost(host, b.Host) || t.elsewhere(*b, at) {
			return ""
		}
		if len(b.Host) > len(host) {
			host = b.Host
		}
	}
	moved := slices.ContainsFunc(t.byName[strings.ToLower(host)], func(b Binding) bool { return b.Addr != a && b.Addr.Netip().Is4() == a.Netip().Is4() })
	fixed := kept || len(t.dynamic) > 0 && !t.dynamic[subnet(a)]
	if host == "" || moved || cloned(host) || !fixed && last-first < slack {
		return ""
	}
	return t.full(host)
}

// subnet is what the addresses of most local networks have in common.
func subnet(a model.Addr) model.Addr {
	a[len(a)-1] = 0
	return a
}

// only is a host that had the address, and whether it is the only one. Of one
// host's names the longest counts.
func (t *Table) only(a model.Addr, at, reach model.Time, rank int) (host string, one bool) {
	one = true
	for _, b := range t.byAddr[a] {
		if b.rank() != rank || at < b.First-reach || at > b.Last+reach || b.Lease && t.reassigned(b, at) || t.elsewhere(b, at) {
			continue
		}
		one = one && (host == "" || sameHost(host, b.Host))
		if len(b.Host) > len(host) {
			host = b.Host
		}
	}
	return t.full(host), one
}

// reassigned says whether a leased address was handed to another host by a time.
func (t *Table) reassigned(b Binding, at model.Time) bool {
	return slices.ContainsFunc(t.leases[b.Addr], func(x Binding) bool {
		if x.First <= b.First || x.First > at {
			return false
		}
		if x.MAC != "" && b.MAC != "" {
			return x.MAC != b.MAC
		}
		return !SameName(x.Host, b.Host)
	})
}

// End ends the lease that a hardware address has of an address: it was given back.
func (t *Table) End(a model.Addr, mac string, at model.Time) {
	t.memo.forget()
	for _, list := range [][]Binding{t.leases[a], t.byAddr[a], t.hardware[a]} {
		for i := range list {
			if b := &list[i]; b.Lease && b.MAC == mac && b.First <= at && b.Last > at {
				b.Last = at
			}
		}
	}
}

// sameHost compares the names of one address. NetBIOS names are cut to 15 characters
// (MS-NBTE 1.8).
func sameHost(a, b string) bool {
	x, y := Bare(a), Bare(b)
	if len(x) > len(y) {
		x, y = y, x
	}
	return SameName(a, b) || len(x) == 15 && strings.HasPrefix(y, x)
}

// generic names are those that many hosts have: they tell none apart.
func generic(host string) bool {
	bare, _, _ := strings.Cut(host, ".")
	for _, g := range [...]string{"localhost", "kali", "workstation", "null", "host", "*smbserver", "desktop", "ubuntu", "debian", "raspberrypi"} {
		if len(bare) == len(g) && strings.EqualFold(bare, g) {
			return true
		}
	}
	return false
}

// cloned names come with an installation or an image: hosts are not joined by them.
func cloned(host string) bool {
	return generic(host) || begins(host, "desktop-") || begins(host, "laptop-")
}

func begins(host, with string) bool {
	return len(host) >= len(with) && strings.EqualFold(host[:len(with)], with)
}

// full is the name with domain of a host, when only one is known for its bare name.
func (t *Table) full(host string) string {
	if host == "" || strings.Contains(host, ".") {
		return host
	}
	long, known := t.long[strings.ToLower(host)]
	if domain := t.domains[strings.ToLower(host)]; !known && domain != "" {
		return host + "." + domain
	}
	return cmp.Or(long, host)
}

// ofSeveral says whether a name without domain is that of hosts of several domains.
func (t *Table) ofSeveral(host string) bool {
	long, known := t.long[strings.ToLower(host)]
	return known && long == ""
}

// Addr is the address of a host at a time, the zero value when none or several
// hosts of that name are known. A host with several addresses has its most lasting.
func (t *Table) Addr(host string, at model.Time) model.Addr {
	t.settle()
	if a, ok := t.memo.addrs[host]; ok {
		return a
	}
	a, always := t.addrOf(host, at)
	if always {
		t.memo.keep(host, a)
	}
	return a
}

// addrOf also says whether the answer is the same at all times.
func (t *Table) addrOf(host string, at model.Time) (a model.Addr, always bool) {
	all := t.byName[strings.ToLower(host)]
	if len(all) == 0 {
		all = t.byName[Bare(host)]
	}
	var best *Binding
	always = true
	for i := range all {
		b := &all[i]
		always = always && b.Addr == all[0].Addr && b.rank() == 0
		if best != nil && !SameName(best.Host, b.Host) {
			return model.Addr{}, true
		}
		if best != nil && best.rank() != b.rank() {
			if best.rank() > b.rank() {
				best = b
			}
			continue
		}
		if best == nil || near(b, at) < near(best, at) || near(b, at) == near(best, at) && b.Last-b.First > best.Last-best.First {
			best = b
		}
	}
	if best == nil || best.rank() > 0 && !sameHost(t.Host(best.Addr, at), host) {
		return model.Addr{}, always // others claim the address too, or the host has it no more
	}
	return best.Addr, always
}

func near(b *Binding, at model.Time) model.Time {
	return max(0, b.First-at, at-b.Last)
}

// Same says whether two endpoints can be one host at a time: by name, or by an
// address that is the same or belongs to it. An unknown one can be any.
func (t *Table) Same(a, b model.Endpoint, at model.Time) (same, known bool) {
	if !a.IP.Known() && a.Host == "" || !b.IP.Known() && b.Host == "" {
		return true, false
	}
	if a.IP.Known() && a.IP == b.IP {
		return true, true
	}
	x, y := t.calls(a, at), t.calls(b, at)
	if a.IP.Known() && b.IP.Known() && (cloned(x) || t.twins[Bare(x)]) || t.ambiguous(x, y) {
		return t.bound(a.IP, y) || t.bound(b.IP, x), true
	}
	if x != "" && y != "" {
		return SameName(x, y), true
	}
	return t.holds(a, b.IP) || t.holds(b, a.IP), true
}

// calls is what an end is called.
func (t *Table) calls(e model.Endpoint, at model.Time) string {
	if e.Host != "" {
		return t.Now(e.Host, at)
	}
	return t.Host(e.IP, at)
}

// MayBe says whether one end is a name of which no address is known and the other an
// address that nobody has a name for: nothing tells whether they are one host.
func (t *Table) MayBe(a, b model.Endpoint, at model.Time) bool {
	if a.IP.Known() {
		a, b = b, a
	}
	return !a.IP.Known() && a.Host != "" && b.IP.Known() && b.Host == "" && len(t.byName[strings.ToLower(a.Host)])+len(t.byName[Bare(a.Host)]) == 0 && t.Host(b.IP, at) == ""
}

// Labels are all that an end may go by at any time: two known ends that are the same at
// some time have one in common.
func (t *Table) Labels(e model.Endpoint) []string {
	t.settle()
	var all []string
	add := func(host string) {
		if bare := Bare(host); bare != "" && !slices.Contains(all, bare) {
			all = append(all, bare)
		}
	}
	add(e.Host)
	for _, b := range t.byAddr[e.IP] {
		add(b.Host)
	}
	for _, at := range t.hardware[e.IP] {
		for _, b := range t.byMAC[at.MAC] {
			add(b.Host)
		}
	}
	for i := 0; i < len(all); i++ { // and what those were called later
		for _, r := range t.former[all[i]] {
			add(r.to)
		}
	}
	if e.IP.Known() {
		all = append(all, e.IP.String())
	}
	return all
}

// holds says whether an address is one of a named host's.
func (t *Table) holds(e model.Endpoint, a model.Addr) bool {
	return e.Host != "" && a.Known() && slices.ContainsFunc(t.byAddr[a], func(b Binding) bool { return SameName(b.Host, e.Host) })
}

// bound says whether a record holds that an address is a host's.
func (t *Table) bound(a model.Addr, host string) bool {
	return host != "" && slices.ContainsFunc(t.byAddr[a], func(b Binding) bool { return b.rank() == 0 && SameName(b.Host, host) })
}

// SameName compares host names; one without domain fits any of its name.
func SameName(a, b string) bool {
	if strings.EqualFold(a, b) {
		return true
	}
	x, _, xFull := strings.Cut(a, ".")
	y, _, yFull := strings.Cut(b, ".")
	return !(xFull && yFull) && strings.EqualFold(x, y)
}

// Ends completes both ends of what moved. A name without domain that hosts of several domains
// have is that of the other end's domain: Windows adds its own suffix first.
func (t *Table) Ends(a, b *model.Endpoint, at model.Time) {
	t.Complete(a, at)
	t.Complete(b, at)
	t.inDomainOf(b, a, at)
	t.inDomainOf(a, b, at)
}

func (t *Table) inDomainOf(other, e *model.Endpoint, at model.Time) {
	_, domain, ok := strings.Cut(other.Host, ".")
	if !ok || e.IP.Known() || e.Host == "" || strings.Contains(e.Host, ".") {
		return
	}
	if whole := t.whole[strings.ToLower(e.Host+"."+domain)]; whole != "" {
		e.Host = whole
		t.Complete(e, at)
	}
}

// Complete fills in what of an endpoint the other half tells.
func (t *Table) Complete(e *model.Endpoint, at model.Time) {
	t.settle()
	if e.Host != "" && len(t.former) > 0 {
		e.Host = t.Now(e.Host, at)
	}
	switch {
	case e.Host != "" && !e.IP.Known():
		if !t.ofSeveral(e.Host) {
			e.IP = t.Addr(e.Host, at)
		}
		e.Host = t.full(e.Host)
	case e.Host != "":
		e.Host = t.full(e.Host)
	}
	if e.IP.Known() && (e.Host == "" || e.MAC == "" && len(t.hardware) > 0) {
		s := t.spell(e.IP, at)
		e.Host, e.MAC = cmp.Or(e.Host, s.host), cmp.Or(e.MAC, s.mac)
	}
	if e.Role == "" && len(t.roles) > 0 {
		e.Role = t.role(e)
	}
}
