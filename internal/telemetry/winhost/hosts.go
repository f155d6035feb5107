// Package winhost follows Windows hosts through their event logs. In come events
// of all logs and hosts, about in the order of time; out come the movements of
// files that they show, each with its evidence, the starts of programs that moved,
// and what the logs covered. It knows one host at a time: what two hosts or a
// capture say of one movement is joined elsewhere. It opens no file, and what it
// keeps of a host is bounded in time and number.
//
// A movement is said only when an event of this host shows it: a 5145 with data
// rights is a claim, a file that System created is a write from the network, an
// image on another host's share was read from there. Loopback, and the host's own
// names and addresses, are no movement.
package winhost

import (
	"cmp"
	"hash/maphash"
	"slices"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/winevent"
)

// Hosts is all hosts of a run.
type Hosts struct {
	o     telemetry.FollowerOptions
	hosts map[string]*host // by the name, lower case
	short map[string]*host // by the name without domain
	seen  [2]map[uint64]model.Time
	seed  maphash.Seed
	out   telemetry.Result
	texts winevent.Texts               // paths of programs and the like, that come again and again
	low   map[string]string            // their lower case
	pages int                          // of record numbers, of all logs
	heard map[heard]*telemetry.Binding // what hosts say of others

	makers bool // starts name who made the program

	namings     map[naming]*telemetry.Naming
	lastAccount *telemetry.Naming
	lastJoined  *telemetry.Naming

	// Files that went into, and came out of, synced folders and media.
	syncedIn, syncedOut, mediaIn, mediaOut []placed

	shared map[string][]sharedRead // reads of shares, by the name of the file
}

// New makes a state without hosts.
func New(o telemetry.FollowerOptions) *Hosts {
	return &Hosts{o: o, out: telemetry.Result{Room: o.Room}, hosts: map[string]*host{}, short: map[string]*host{}, seed: maphash.MakeSeed(),
		seen: [2]map[uint64]model.Time{{}, {}}}
}

// Event takes the next event. It reports whether the event is new: the same one
// from another collector, a shadow copy or an archived log counts once.
func (s *Hosts) Event(e *winevent.Event) bool {
	if e.Record == 0 && e.Wanted() && s.twin(e) {
		return false
	}
	h := s.host(e.Computer)
	if !h.cover(e) {
		return false
	}
	h.ticketsIssued(e)
	if e.Wanted() {
		h.event(e)
	}
	return true
}

// maxSeen bounds the events remembered to tell twins; there are two generations.
const maxSeen = 1 << 18

// twinGap is how far apart the stamps of two collectors may be.
const twinGap model.Time = 1e9

// twin says whether an event without record number was there before.
func (s *Hosts) twin(e *winevent.Event) bool {
	var h maphash.Hash
	h.SetSeed(s.seed)
	h.WriteString(e.Computer)
	h.WriteString(e.Channel)
	h.WriteByte(byte(e.ID))
	h.WriteByte(byte(e.ID >> 8))
	for _, f := range e.Fields {
		h.WriteString(f.Name)
		h.WriteString(f.Value)
	}
	key := h.Sum64()
	for _, generation := range s.seen {
		if t, ok := generation[key]; ok && max(t-e.Time, e.Time-t) < twinGap {
			return true
		}
	}
	if len(s.seen[0]) >= maxSeen {
		s.seen[1], s.seen[0] = s.seen[0], s.seen[1]
		clear(s.seen[0])
	}
	s.seen[0][key] = e.Time
	return false
}

// host finds the state of a host. A name without domain is the one host of that
// name; names that many hosts have never join.
func (s *Hosts) host(computer string) *host {
	if h := s.hosts[computer]; h != nil {
		return h
	}
	key := strings.ToLower(computer)
	bare, domain, _ := strings.Cut(key, ".")
	h := s.hosts[key]
	if other := s.short[bare]; h == nil && other != nil && !everyones(bare) {
		_, otherDomain, _ := strings.Cut(strings.ToLower(other.name), ".")
		if domain == "" || otherDomain == "" {
			h = other
			if domain != "" {
				h.name = strings.Clone(computer)
			}
		}
	}
	if h == nil && len(s.hosts) >= maxHosts {
		return s.rest()
	}
	if h == nil {
		h = newHost(s, strings.Clone(computer), strings.Clone(bare))
		s.short[h.bare] = h
	}
	s.hosts[strings.Clone(computer)], s.hosts[strings.Clone(key)] = h, h
	return h
}

// maxHosts bounds the names of hosts; a log that names more is made up, or damaged.
const maxHosts = 1 << 16

// rest is one host for all beyond the bound.
func (s *Hosts) rest() *host {
	const name = "(more hosts)"
	h := s.hosts[name]
	if h == nil {
		h = newHost(s, name, name)
		s.hosts[name] = h
	}
	return h
}

// everyones says whether many hosts have this name.
func everyones(name string) bool {
	return name == "" || name == "localhost" || name == "kali" || strings.HasPrefix(name, "desktop-") || strings.HasPrefix(name, "win-")
}

// Close settles what is open and gives what was found.
func (s *Hosts) Close() *telemetry.Result {
	for _, h := range s.all() {
		h.settle(lastTime)
	}
	s.carried()
	for _, h := range s.all() {
		h.complete()
	}
	for _, b := range s.heard {
		s.out.Bindings = append(s.out.Bindings, *b)
	}
	slices.SortFunc(s.out.Bindings, func(a, b telemetry.Binding) int {
		return cmp.Or(strings.Compare(string(a.Addr[:]), string(b.Addr[:])), strings.Compare(a.Host, b.Host), cmp.Compare(a.First, b.First))
	})
	s.out.Namings = s.allNamings()
	for _, h := range s.all() {
		s.out.Hosts = append(s.out.Hosts, h.name)
	}
	s.coverage()
	return &s.out
}

// all hosts in the order of their names.
func (s *Hosts) all() []*host {
	var out []*host
	taken := map[*host]bool{}
	for _, h := range s.hosts {
		if !taken[h] {
			taken[h] = true
			out = append(out, h)
		}
	}
	slices.SortFunc(out, func(a, b *host) int { return strings.Compare(a.name, b.name) })
	return out
}

// heard is another host's name and address, as one host's logs have them.
type heard struct {
	addr model.Addr
	name string
}

// hear notes another host's name by its address.
func (s *Hosts) hear(a model.Addr, name string, t model.Time) {
	if !a.Known() || loopback(a) || name == "" || name == "-" || everyones(strings.ToLower(name)) || telemetry.Address(name).Known() || len(s.heard) >= maxFacts {
		return
	}
	key := heard{a, strings.ToLower(name)}
	b := s.heard[key]
	if b == nil {
		if s.heard == nil {
			s.heard = map[heard]*telemetry.Binding{}
		}
		b = &telemetry.Binding{Addr: a, Host: strings.Clone(name), First: t, Last: t, Weak: true}
		key.name = strings.Clone(key.name)
		s.heard[key] = b
	}
	b.First, b.Last = min(b.First, t), max(b.Last, t)
}

// lower is the lower case of a text that comes again and again.
func (s *Hosts) lower(text string) string {
	if l, ok := s.low[text]; ok {
		return l
	}
	own := s.texts.Shared(text)
	l := strings.ToLower(own)
	if s.low == nil {
		s.low = map[string]string{}
	}
	if len(s.low) < maxFacts {
		s.low[own] = l
	}
	return l
}

const lastTime = model.Time(1<<63 - 1)

func loopback(a model.Addr) bool { return a.Known() && a.Netip().IsLoopback() }
