package identity

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"waybill/internal/model"
)

// Naming says that a host had a name over a time, by what tells it whatever it is called:
// the id of its system or agent, its machine SID, the SID of its account in the domain.
type Naming struct {
	Kind, Key   string // "host", "agent", "machine", "account", "renamed"
	Host        string
	First, Last model.Time
}

// renamed is a name that a host had until it got the one that it has now.
type renamed struct {
	until model.Time
	to    string
}

// netBIOS is the most letters of a computer account's name: of a longer one the rest is
// not known.
const netBIOS = 15

// AddDomain says of which domain the account of a computer is. Where no record has the
// computer's whole name, it is the account's and the domain's.
func (t *Table) AddDomain(computer, domain string) {
	bare := Bare(computer)
	if bare == "" || len(bare) >= netBIOS || !strings.Contains(domain, ".") {
		return
	}
	t.make()
	t.memo.forget()
	domain = strings.ToLower(domain)
	if known, ok := t.domains[bare]; ok && known != domain {
		domain = ""
	}
	t.domains[bare] = domain
}

// AddNaming adds a naming.
func (t *Table) AddNaming(n Naming) {
	if n.Key == "" || n.Host == "" || generic(n.Host) {
		return
	}
	if t.namings == nil {
		t.namings = map[string][]Naming{}
	}
	key := n.Kind + " " + n.Key
	for i := range t.namings[key] {
		if x := &t.namings[key][i]; Bare(x.Host) == Bare(n.Host) {
			x.First, x.Last = min(x.First, n.First), max(x.Last, n.Last)
			if len(n.Host) > len(x.Host) {
				x.Host = n.Host
			}
			t.unsettled = true
			return
		}
	}
	t.namings[key] = append(t.namings[key], n)
	t.unsettled = true
}

// another is how long two names of one host may overlap, and how long after it was
// renamed its old name may be written: until it starts anew, and by who remembers it.
const another = model.Time(3600e9)

// mostNames is more than a host is called one after the other.
const mostNames = 8

// settle finds out which hosts were renamed, and calls them by their last name.
func (t *Table) settle() {
	if !t.unsettled {
		return
	}
	t.unsettled = false
	t.memo.forget()
	t.former, t.twins, t.renames = map[string][]renamed{}, map[string]bool{}, nil
	var systems []Naming
	for _, key := range slices.Sorted(maps.Keys(t.namings)) {
		names := t.namings[key]
		if names[0].Kind == "host" {
			systems = append(systems, names...)
		}
		slices.SortFunc(names, func(a, b Naming) int { return cmp.Or(cmp.Compare(a.First, b.First), strings.Compare(a.Host, b.Host)) })
		if len(names) > 1 && len(names) <= mostNames && inTurn(names) {
			t.rename(names)
		}
	}
	t.findTwins(systems)
	t.callAnew()
}

// inTurn says whether names were one host's one after the other. An id that is seen
// under several names at a time is a collector's, or came with an image; so may be one
// that nobody had for long in between. An account is the domain's word.
func inTurn(names []Naming) bool {
	for i := 1; i < len(names); i++ {
		gap := names[i].First - names[i-1].Last
		if gap < -another || gap > slack && names[i].Kind != "account" {
			return false
		}
	}
	return true
}

func (t *Table) rename(names []Naming) {
	last := names[len(names)-1].Host
	r := model.Renamed{Host: last, By: names[0].Kind}
	for i, n := range names {
		r.Names = append(r.Names, model.NamedAs{Name: n.Host, First: n.First, Last: n.Last})
		if i+1 < len(names) {
			old := Bare(n.Host)
			t.former[old] = append(t.former[old], renamed{names[i+1].First, last})
		}
	}
	if !slices.ContainsFunc(t.renames, func(x model.Renamed) bool { return sameTurns(x, r) }) {
		t.renames = append(t.renames, r)
	}
}

// sameTurns says whether two keys show the same change.
func sameTurns(a, b model.Renamed) bool {
	return slices.EqualFunc(a.Names, b.Names, func(x, y model.NamedAs) bool { return Bare(x.Name) == Bare(y.Name) })
}

// findTwins finds names that two systems have at one time.
func (t *Table) findTwins(systems []Naming) {
	byName := map[string][]Naming{}
	for _, n := range systems {
		name := Bare(n.Host)
		for _, o := range byName[name] {
			if o.Key != n.Key && n.First < o.Last-another && o.First < n.Last-another && SameName(o.Host, n.Host) {
				t.twins[name] = true
			}
		}
		byName[name] = append(byName[name], n)
	}
}

// callAnew calls hosts by their last name in all bindings of the time before.
func (t *Table) callAnew() {
	if len(t.former) == 0 {
		return
	}
	for _, all := range []map[model.Addr][]Binding{t.byAddr, t.leases} {
		for _, list := range all {
			for i := range list {
				list[i].Host = t.Now(list[i].Host, list[i].Last)
			}
		}
	}
	for _, list := range t.byMAC {
		for i := range list {
			list[i].Host = t.Now(list[i].Host, list[i].Last)
		}
	}
	byName := map[string][]Binding{}
	for name, list := range t.byName {
		for _, b := range list {
			as := name
			if now := t.Now(b.Host, b.Last); now != b.Host {
				as, b.Host = Bare(now), now
			}
			byName[as] = append(byName[as], b)
		}
	}
	for _, list := range byName {
		slices.SortFunc(list, func(a, b Binding) int {
			return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(a.Last, b.Last), strings.Compare(a.Host, b.Host), strings.Compare(string(a.Addr[:]), string(b.Addr[:])))
		})
	}
	t.byName = byName
}

// Now is what the host that had a name at a time is called since.
func (t *Table) Now(host string, at model.Time) string {
	t.settle()
	for range mostNames {
		next, found := renamed{}, false
		for _, r := range t.former[Bare(host)] {
			if at <= r.until+another && (!found || r.until < next.until) {
				next, found = r, true
			}
		}
		if !found || SameName(next.to, host) {
			return host
		}
		host = next.to
	}
	return host
}

// Renamed is the hosts that were renamed, with their names and times.
func (t *Table) Renamed() []model.Renamed {
	t.settle()
	return t.renames
}

// Telling says whether a name tells a host from all others of other names: neither comes
// with an installation, nor do two systems have it.
func (t *Table) Telling(host string) bool {
	t.settle()
	return !cloned(host) && (len(t.twins) == 0 || !t.twins[Bare(host)])
}

// ambiguous says whether a name without domain is that of hosts of two domains.
func (t *Table) ambiguous(a, b string) bool {
	if strings.Contains(a, ".") == strings.Contains(b, ".") {
		return false
	}
	long, known := t.long[Bare(a)]
	return known && long == "" && Bare(a) == Bare(b)
}
