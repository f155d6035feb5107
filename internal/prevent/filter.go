package prevent

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"waybill/internal/model"
)

// Filter decides what a policy lets pass. It can be used by several goroutines.
type Filter struct {
	p        *Policy
	ix       *index
	nets     networks
	roles    map[string]int32 // group by role
	services map[string]int32
	spans    []Span
	wide     [][]int // by service: it and those that hold its ports
	rules    map[ruleKey]int32
	words    [][]int32 // by group and host: the number that rules call it by, -1 for none
	managers map[place]bool
	manNets  networks
	manGroup []bool
	except   []exception
}

// ruleKey is what rules are found by: numbers of groups, hosts and any, and of the service.
type ruleKey struct{ from, to, service int32 }

// anyWord is the number of AnyGroup.
const anyWord int32 = -2

// exception is an Exception with what stands behind its words.
type exception struct {
	from, to side
	service  string
	until    model.Time
	of       *Exception
}

// side is one side of an exception.
type side struct {
	any   bool
	group int32 // -1 for none
	host  place
	net   netip.Prefix
}

// party is an end of a move as a policy knows it.
type party struct {
	at     place // host -1: known by its group only
	ip     netip.Addr
	byRole bool
}

// network is one of a group.
type network struct {
	net       netip.Prefix
	group, at int
}

// networks are sorted by address, shorter ones first; none overlaps another.
type networks []network

// owned are the networks of all groups.
func (p *Policy) owned() networks {
	var out networks
	for i := range p.Groups {
		for j, n := range p.Groups[i].Networks {
			out = append(out, network{n, i, j})
		}
	}
	out.sort()
	return out
}

func (n networks) sort() {
	slices.SortStableFunc(n, func(a, b network) int {
		return cmp.Or(a.net.Addr().Compare(b.net.Addr()), cmp.Compare(a.net.Bits(), b.net.Bits()))
	})
}

// find gives the network that holds an address, nil for none.
func (n networks) find(a netip.Addr) *network {
	lo, hi := 0, len(n)
	for lo < hi {
		if mid := (lo + hi) / 2; n[mid].net.Addr().Compare(a) <= 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo > 0 && n[lo-1].net.Contains(a) {
		return &n[lo-1]
	}
	return nil
}

// Compile prepares a policy for decisions. It refuses what Check does, but for a policy
// without management sources.
func (p *Policy) Compile() (*Filter, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	f := &Filter{p: p, ix: p.index(), nets: p.owned(), roles: map[string]int32{}, services: map[string]int32{}, rules: map[ruleKey]int32{}, managers: map[place]bool{}}
	for i := range p.Groups {
		g := &p.Groups[i]
		if _, twice := f.roles[strings.ToLower(g.Role)]; !twice && g.Role != "" {
			f.roles[strings.ToLower(g.Role)] = int32(i)
		}
		words := make([]int32, len(g.Hosts))
		for j := range words {
			words[j] = -1
		}
		f.words = append(f.words, words)
	}
	for i, s := range p.Services {
		f.services[s.Name] = int32(i)
	}
	f.spans, f.wide = p.Spans(), p.wider()
	f.addRules()
	f.addManagement()
	f.addExceptions()
	return f, nil
}

func (f *Filter) addRules() {
	next := int32(len(f.p.Groups))
	for i := range f.p.Rules {
		r := &f.p.Rules[i]
		var k ruleKey
		k.from, next = f.word(r.From, next)
		k.to, next = f.word(r.To, next)
		k.service = f.services[r.Service]
		if _, first := f.rules[k]; !first {
			f.rules[k] = int32(i)
		}
	}
}

// word is the number of an end of a rule; next is the one for a host that has none yet.
func (f *Filter) word(s string, next int32) (n, after int32) {
	if s == AnyGroup {
		return anyWord, next
	}
	if i, ok := f.ix.groups[s]; ok {
		return int32(i), next
	}
	at, _ := f.ix.host(s)
	w := &f.words[at.group][at.host]
	if *w < 0 {
		*w = next
		next++
	}
	return *w, next
}

func (f *Filter) addManagement() {
	f.manGroup = make([]bool, len(f.p.Groups))
	for _, s := range f.p.Management {
		if i, ok := f.ix.groups[s]; ok {
			f.manGroup[i] = true
		} else if at, ok := f.ix.host(s); ok {
			f.managers[at] = true
		} else if n, ok := networkOf(s); ok {
			f.manNets = append(f.manNets, network{net: n})
		}
	}
}

func (f *Filter) addExceptions() {
	for i := range f.p.Exceptions {
		x := &f.p.Exceptions[i]
		until, _ := x.end()
		f.except = append(f.except, exception{f.side(x.From), f.side(x.To), x.Service, until, x})
	}
}

func (f *Filter) side(word string) side {
	s := side{group: -1, host: nowhere}
	if word == AnyGroup {
		s.any = true
	} else if i, ok := f.ix.groups[word]; ok {
		s.group = int32(i)
	} else if at, ok := f.ix.host(word); ok {
		s.host = at
	} else if n, ok := networkOf(word); ok {
		s.net = n
	}
	return s
}

func (s *side) fits(p *party) bool {
	return s.any || s.group >= 0 && p.at.group == s.group || s.host.host >= 0 && p.at == s.host || s.net.IsValid() && p.ip.IsValid() && s.net.Contains(p.ip)
}

// Decide says what becomes of a move. It does not allocate.
func (f *Filter) Decide(m *Move) (d Decision) {
	if m.Service == "" {
		return Decision{Outcome: Unjudged, Why: "no filter between hosts sees this channel"}
	}
	client, server := f.party(&m.Client), f.party(&m.Server)
	d.Client, d.Server, d.ByRole = f.groupName(&client), f.groupName(&server), client.byRole || server.byRole
	if f.manages(&client) {
		d.Why = "from a management source"
		return d
	}
	services := f.asked(m)
	for i := range f.except {
		if x := &f.except[i]; m.Time < x.until && slices.Contains(services, int(f.services[x.service])) && x.from.fits(&client) && x.to.fits(&server) {
			d.Exception = x.of
			return d
		}
	}
	for _, s := range services {
		if i := f.rule(&client, &server, int32(s)); i >= 0 {
			d.Rule = &f.p.Rules[i]
			d.Outcome = outcomeOf(d.Rule.Action)
			return d
		}
	}
	switch {
	case len(services) == 0:
		d.Outcome, d.Why = Unjudged, "the policy has no service with this port, so that no filter made of it looks at it"
	case client.at.group < 0:
		d.Outcome, d.Why = Unjudged, "the client is in no group"
	case server.at.group < 0:
		d.Outcome, d.Why = Unjudged, "the server is in no group"
	default:
		d.Outcome, d.Why = Unseen, "no rule: it never happened in what was learned from"
	}
	return d
}

func outcomeOf(action string) Outcome {
	switch action {
	case Allow:
		return Allowed
	case Deny:
		return Denied
	}
	return Unseen
}

func (f *Filter) groupName(p *party) string {
	if p.at.group < 0 {
		return ""
	}
	return f.p.Groups[p.at.group].Name
}

// party finds an end of a move: by its name, its address, the network, at last its role.
func (f *Filter) party(e *model.Endpoint) party {
	p := party{at: nowhere}
	if e.IP.Known() {
		p.ip = e.IP.Netip()
	}
	if at, ok := f.named(e.Host); ok {
		p.at = at
	} else if at, ok := f.ix.addresses[p.ip]; ok {
		p.at = at
	} else if n := f.nets.find(p.ip); n != nil && p.ip.IsValid() {
		p.at.group = int32(n.group)
	} else if g, ok := f.roles[strings.ToLower(e.Role)]; ok {
		p.at.group, p.byRole = g, true
	}
	return p
}

// named finds a host by name; one without domain fits any of its name, as for identity.
func (f *Filter) named(host string) (place, bool) {
	var lower [maxName]byte
	if host == "" || len(host) > len(lower) {
		return nowhere, false
	}
	dot := -1
	for i := range len(host) {
		c := host[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c == '.' && dot < 0 {
			dot = i
		}
		lower[i] = c
	}
	if at, ok := f.ix.names[string(lower[:len(host)])]; ok {
		return at, true
	}
	if dot >= 0 {
		at, ok := f.ix.names[string(lower[:dot])]
		return at, ok
	}
	at, ok := f.ix.bare[string(lower[:len(host)])]
	return at, ok && at != nowhere
}

func (f *Filter) manages(p *party) bool {
	if p.at.group >= 0 && f.manGroup[p.at.group] || p.at.host >= 0 && f.managers[p.at] {
		return true
	}
	for i := range f.manNets {
		if p.ip.IsValid() && f.manNets[i].net.Contains(p.ip) {
			return true
		}
	}
	return false
}

// rule gives the number of the first rule of a service that fits, -1 for none.
func (f *Filter) rule(client, server *party, service int32) int32 {
	best := int32(-1)
	for _, from := range f.wordsOf(client) {
		for _, to := range f.wordsOf(server) {
			if from == -1 || to == -1 {
				continue
			}
			if i, ok := f.rules[ruleKey{from, to, service}]; ok && (best < 0 || i < best) {
				best = i
			}
		}
	}
	return best
}

// wordsOf are the numbers that rules may call a party by: its own, that of its group, that
// of any; -1 for none.
func (f *Filter) wordsOf(p *party) [3]int32 {
	out := [3]int32{-1, p.at.group, anyWord}
	if p.at.host >= 0 {
		out[0] = f.words[p.at.group][p.at.host]
	}
	return out
}
