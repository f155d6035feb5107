// Package identity knows which host had which address and name when. In come
// bindings that logs and protocols show; out come the host of an address at a
// time, and the addresses of a host. It guesses nothing: an address that two hosts
// claim for one time belongs to none.
package identity

import (
	"slices"
	"strings"

	"waybill/internal/model"
)

// Binding says that an address was a host's over a time.
type Binding struct {
	Addr        model.Addr
	Host        string
	First, Last model.Time
	// Weak is the word of others than the host itself: a reverse lookup, a name that
	// a client gave. It counts where nothing better is known.
	Weak bool
}

// Table is all bindings of a run. The zero value is empty.
type Table struct {
	byAddr map[model.Addr][]Binding
	byName map[string][]Binding // lower case, with and without domain
}

// Add adds a binding.
func (t *Table) Add(b Binding) {
	if !b.Addr.Known() || b.Host == "" {
		return
	}
	if t.byAddr == nil {
		t.byAddr, t.byName = map[model.Addr][]Binding{}, map[string][]Binding{}
	}
	t.byAddr[b.Addr] = append(t.byAddr[b.Addr], b)
	name := strings.ToLower(b.Host)
	t.byName[name] = append(t.byName[name], b)
	if bare := Bare(name); bare != name {
		t.byName[bare] = append(t.byName[bare], b)
	}
}

// Bare is a host name without its domain, lower case.
func Bare(host string) string {
	bare, _, _ := strings.Cut(strings.ToLower(host), ".")
	return bare
}

// slack is how far beyond what was seen of it a binding holds, when nobody else
// claims the address.
const slack model.Time = 24 * 3600e9

// Host is the host that had an address at a time, "" when none or several are known.
func (t *Table) Host(a model.Addr, at model.Time) string {
	for _, weak := range []bool{false, true} {
		for _, reach := range []model.Time{0, slack} {
			if host, one := t.only(a, at, reach, weak); host != "" {
				if !one {
					return ""
				}
				return host
			}
		}
	}
	return ""
}

// only is a host that had the address, and whether it is the only one. Of one
// host's names the longest counts.
func (t *Table) only(a model.Addr, at, reach model.Time, weak bool) (host string, one bool) {
	one = true
	for _, b := range t.byAddr[a] {
		if b.Weak != weak || at < b.First-reach || at > b.Last+reach {
			continue
		}
		one = one && (host == "" || SameName(host, b.Host))
		if len(b.Host) > len(host) {
			host = b.Host
		}
	}
	return t.full(host), one
}

// full is the name with domain of a host, when only one is known for its bare name.
func (t *Table) full(host string) string {
	if host == "" || strings.Contains(host, ".") {
		return host
	}
	long := ""
	for _, b := range t.byName[strings.ToLower(host)] {
		if !strings.Contains(b.Host, ".") || strings.EqualFold(b.Host, long) {
			continue
		}
		if long != "" {
			return host // two domains have one
		}
		long = b.Host
	}
	if long == "" {
		return host
	}
	return long
}

// Addr is the address of a host at a time, the zero value when none or several
// hosts of that name are known. A host with several addresses has its most lasting.
func (t *Table) Addr(host string, at model.Time) model.Addr {
	all := t.byName[strings.ToLower(host)]
	if len(all) == 0 {
		all = t.byName[Bare(host)]
	}
	var best *Binding
	for i := range all {
		b := &all[i]
		if best != nil && !SameName(best.Host, b.Host) {
			return model.Addr{}
		}
		if best != nil && best.Weak != b.Weak {
			if best.Weak {
				best = b
			}
			continue
		}
		if best == nil || near(b, at) < near(best, at) || near(b, at) == near(best, at) && b.Last-b.First > best.Last-best.First {
			best = b
		}
	}
	if best == nil {
		return model.Addr{}
	}
	return best.Addr
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
	names := func(e model.Endpoint) string {
		if e.Host != "" {
			return e.Host
		}
		return t.Host(e.IP, at)
	}
	x, y := names(a), names(b)
	if x != "" && y != "" {
		return SameName(x, y), true
	}
	return t.holds(a, b.IP) || t.holds(b, a.IP), true
}

// holds says whether an address is one of a named host's.
func (t *Table) holds(e model.Endpoint, a model.Addr) bool {
	return e.Host != "" && a.Known() && slices.ContainsFunc(t.byAddr[a], func(b Binding) bool { return SameName(b.Host, e.Host) })
}

// SameName compares host names; one without domain fits any of its name.
func SameName(a, b string) bool {
	if strings.EqualFold(a, b) {
		return true
	}
	return Bare(a) == Bare(b) && (!strings.Contains(a, ".") || !strings.Contains(b, "."))
}

// Complete fills in what of an endpoint the other half tells.
func (t *Table) Complete(e *model.Endpoint, at model.Time) {
	switch {
	case e.Host == "" && e.IP.Known():
		e.Host = t.Host(e.IP, at)
	case e.Host != "" && !e.IP.Known():
		e.IP = t.Addr(e.Host, at)
		e.Host = t.full(e.Host)
	case e.Host != "":
		e.Host = t.full(e.Host)
	}
}
