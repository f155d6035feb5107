package identity

import (
	"bytes"
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"

	"waybill/internal/model"
)

// Home is an address and who was known at it last, from run to run.
type Home struct {
	Addr        model.Addr
	Host        string // "" where the address was handed out, or several hosts had it in turn
	First, Last model.Time
	Moved       bool // another had it before
	hearsay     bool // only others than the host said so
}

// Homes are those of a network, by address. IPv4 alone: a host makes IPv6 addresses anew
// each day (RFC 8981).
type Homes map[model.Addr]Home

const (
	// shown is how long a home is remembered in which nobody was seen, as what hosts were
	// seen doing is.
	shown = 60 * slack
	// leased is how long Windows' DHCP server gives an address for if nobody says otherwise:
	// who was there for longer, and no lease was seen, has it for good.
	leased = 8 * slack
	// watched is for how long a subnet must be known in which nothing is handed out.
	watched = 2 * slack
	// settled is how long a host must be where another was before.
	settled = 30 * slack
)

// Add adds what was seen of an address.
func (h Homes) Add(x Home) {
	old, known := h[x.Addr]
	switch {
	case known && x.hearsay && (old.Host == "" || !sameHost(old.Host, x.Host)):
	case known:
		h[x.Addr] = joined(old, x)
	default:
		x.hearsay = false
		h[x.Addr] = x
	}
}

// joined is what two homes of one address tell together, in whichever order.
func joined(a, b Home) Home {
	if cmp.Or(cmp.Compare(a.Last, b.Last), cmp.Compare(a.First, b.First), strings.Compare(a.Host, b.Host)) > 0 {
		a, b = b, a
	}
	out := Home{Addr: b.Addr, Host: b.Host, First: min(a.First, b.First), Last: b.Last}
	switch {
	case b.Host == "" && a.Host != "":
		return b
	case a.Host == "" && b.Host != "":
		return a
	case b.Host == "":
	case !sameHost(a.Host, b.Host):
		out.First, out.Moved = min(max(a.Last, b.First), b.Last), true
	default:
		if len(a.Host) > len(b.Host) {
			out.Host = a.Host
		}
		out.First, out.Moved = since(a, b), a.Moved || b.Moved
	}
	return out
}

// since is when a host came to an address, of two that tell of it.
func since(a, b Home) model.Time {
	switch {
	case a.Moved && b.Moved:
		return max(a.First, b.First)
	case a.Moved:
		return a.First
	case b.Moved:
		return b.First
	}
	return min(a.First, b.First)
}

// Fade forgets homes that nobody was seen in for long, and of more than so many those that
// were seen least lately.
func (h Homes) Fade(now model.Time, most int) {
	maps.DeleteFunc(h, func(_ model.Addr, x Home) bool { return x.Last < now-shown })
	if len(h) <= most {
		return
	}
	all := slices.SortedFunc(maps.Values(h), func(a, b Home) int {
		return cmp.Or(cmp.Compare(a.Last, b.Last), bytes.Compare(a.Addr[:], b.Addr[:]))
	})
	for _, x := range all[:len(all)-most] {
		delete(h, x.Addr)
	}
}

// Sorted gives all in the order of their addresses.
func (h Homes) Sorted() []Home {
	return slices.SortedFunc(maps.Values(h), func(a, b Home) int { return bytes.Compare(a.Addr[:], b.Addr[:]) })
}

// Lasting gives the homes that hosts have for good, as far as all that was seen tells: the
// host was at no other address, none is called so in another domain, and it was there for
// longer than a lease lasts, or its subnet is quiet: addresses are handed out or change hosts
// in others, and not in this one while it was watched.
func (h Homes) Lasting() []Home {
	nets, homes, restless := map[model.Addr]net{}, map[string]int{}, false
	for a, x := range h {
		homes[Bare(x.Host)]++
		n := nets[subnet(a)].with(x)
		nets[subnet(a)] = n
		restless = restless || n.restless
	}
	return slices.DeleteFunc(h.Sorted(), func(x Home) bool {
		need := leased
		switch n := nets[subnet(x.Addr)]; {
		case x.Moved:
			need = settled
		case restless && !n.restless && n.last-n.first >= watched:
			need = 0
		}
		return x.Host == "" || cloned(x.Host) || homes[Bare(x.Host)] > 1 || x.Last-x.First < need
	})
}

// net is what the homes of a subnet tell of it.
type net struct {
	first, last model.Time
	restless    bool // addresses are handed out, or change hosts
}

func (n net) with(x Home) net {
	if n.last == 0 {
		n.first = x.First
	}
	return net{min(n.first, x.First), max(n.last, x.Last), n.restless || x.Host == "" || x.Moved}
}

// Homes gives what this run showed of addresses: not what was recalled, nor what an
// inventory says.
func (t *Table) Homes() []Home {
	t.settle()
	var out []Home
	for a, all := range t.byAddr {
		if x, ok := t.home(a, all); ok && len(t.leases[a]) == 0 {
			out = append(out, x)
		}
	}
	for a, all := range t.leases {
		if ip := a.Netip(); len(all) > 0 && ip.Is4() {
			out = append(out, Home{Addr: a, First: all[0].First, Last: all[len(all)-1].First})
		}
	}
	return slices.DeleteFunc(out, func(x Home) bool { return x.First <= 0 || x.Last < x.First })
}

// home is whose an address was by the best word that there is.
func (t *Table) home(a model.Addr, all []Binding) (Home, bool) {
	best := bestWord(all)
	if ip := a.Netip(); best == ranks || !ip.Is4() || !ip.IsGlobalUnicast() {
		return Home{}, false
	}
	out, several := Home{Addr: a, First: math.MaxInt64, hearsay: best == ranks-1}, false
	for i := range all {
		b := &all[i]
		if b.Kept || b.rank() != best {
			continue
		}
		host := t.full(b.Host)
		several = several || out.Host != "" && !sameHost(out.Host, host)
		out.First, out.Last = min(out.First, b.First), max(out.Last, b.Last)
		if len(host) > len(out.Host) {
			out.Host = host
		}
	}
	telling := !t.twins[Bare(out.Host)]
	if several {
		out.Host = ""
	}
	return out, telling && !(several && out.hearsay)
}

// bestWord is the rank of the best word of this run for an address; ranks where there is
// none, or an inventory's.
func bestWord(all []Binding) int {
	best := ranks
	for i := range all {
		if always(&all[i]) {
			return ranks
		}
		if !all[i].Kept {
			best = min(best, all[i].rank())
		}
	}
	return best
}

// Recall takes homes that earlier runs found lasting, for a run that ends at a time, after
// all that the run shows was added: what speaks against one in any way leaves it out.
func (t *Table) Recall(lasting []Home, end model.Time) {
	t.settle()
	for _, x := range lasting {
		if end > x.Last+shown || t.contradicts(x) {
			continue
		}
		fresh := len(t.byAddr[x.Addr]) == 0
		t.Add(Binding{Addr: x.Addr, Host: x.Host, First: x.First, Last: x.Last, Weak: true, Hearsay: true, Kept: true})
		if fresh {
			t.recalled = append(t.recalled, x.Addr)
		}
	}
}

// contradicts says whether this run speaks against a home: another host is there or is called
// so, the host is elsewhere or was renamed, or the address was handed out, or may have been.
func (t *Table) contradicts(x Home) bool {
	bare := Bare(x.Host)
	long, known := t.long[bare]
	if known && (long == "" || !SameName(long, x.Host)) || t.twins[bare] || len(t.former[bare]) > 0 || len(t.leases[x.Addr]) > 0 ||
		t.dynamic[subnet(x.Addr)] && x.Last-x.First < leased {
		return true
	}
	return slices.ContainsFunc(t.byAddr[x.Addr], func(b Binding) bool { return !sameHost(b.Host, x.Host) }) ||
		slices.ContainsFunc(t.byName[bare], func(b Binding) bool { return b.Addr != x.Addr && b.Addr.Netip().Is4() })
}

// Recalled are the addresses of which nothing but what was recalled tells the host.
func (t *Table) Recalled() []model.Addr { return t.recalled }
