// Package history remembers what is normal here. In come uses: two hosts exchanged
// files this way, an account did so on that host, a source gave out this kind of file.
// Out comes how often and on how many days each was seen before a time. What is
// remembered fades with a half-life, so that what ended long ago is new again; it is
// bounded, and kept in one SQLite file with what hosts were seen doing, what inputs it
// was learned from and what analysts say of findings. It judges nothing, and never
// asks the clock: time is the events'.
package history

import (
	"cmp"
	"hash/maphash"
	"slices"

	"waybill/internal/hashed"
	"waybill/internal/model"
)

// Kind is what a use is of. The numbers are kept in files: they never change.
type Kind uint8

// The kinds, with what their three names are. A way is channel, direction and whether it
// was a program; the actor of a movement is the host that opened the exchange.
const (
	Host      Kind = 1  // host: it took part in a movement
	Pair      Kind = 2  // actor, way, other end
	AnyPair   Kind = 3  // actor, "", other end: in any way
	Sender    Kind = 4  // actor, way: with anybody
	Account   Kind = 5  // account, way
	AccountOn Kind = 6  // account, "", actor
	Family    Kind = 7  // giver, way, kind of file: what it hands out
	FamilyTo  Kind = 8  // giver, kind of file, taker: who got it
	Content   Kind = 9  // content: a program moved
	ContentAt Kind = 10 // content, "", host: it was there
	Utility   Kind = 11 // account, tool, host
	Gives     Kind = 12 // giver, way: it handed out programs
	GivesTo   Kind = 13 // giver, way, taker
	Meets     Kind = 14 // other end, way, actor: who exchanges programs with it
	GivenBy   Kind = 15 // kind of file, way, giver: who hands it out; "" is all together
	Called    Kind = 16 // first letters of names, "", host: which hosts are called so
	CalledTo  Kind = 17 // first letters of names, way, giver: which of them hand out programs; "" is all together
	Chore     Kind = 18 // people, kind of script, giver: who repairs hosts by scripts; "" is all together
	ChoreTo   Kind = 19 // people, kind of script, taker
	Told      Kind = 20 // content that took part in a finding of medium or above, and is not learned
	ToldOn    Kind = 21 // account, "", actor: which did
)

// lastKind is the highest of them.
const lastKind = ToldOn

var kindNames = [...]string{"", "host", "pair", "any-pair", "sender", "account", "account-on", "family", "family-to", "content", "content-at", "utility", "gives", "gives-to", "meets", "given-by", "called", "called-to", "chore", "chore-to", "told", "told-on"}

func (k Kind) String() string { return kindNames[k] }

// HalfLife is how long it takes until a use counts half, when it is not set.
const HalfLife model.Time = 30 * day

// MostUses is how many uses are remembered, when it is not set: some 400 MiB.
const MostUses = 4 << 20

const day model.Time = 24 * 3600e9

// key of a use: three names as their numbers.
type key struct {
	a, b, c uint32
	kind    Kind
}

// Normal is what is remembered. It is not safe for use by several goroutines.
type Normal struct {
	HalfLife model.Time
	Most     int // uses that are remembered; of more, those that count least go first

	seed  maphash.Seed
	names hashed.Index // numbers by hashes of names
	texts []string     // by number
	uses  map[key]tally
	peers map[key]uint32 // how many different last names were seen with the others
	all   tally          // of all uses
	last  model.Time

	// What a file has of it: the first names, and uses that are not changed.
	saved   int
	gone    []key // uses that it has, and that are no more
	rewrite bool  // it has nothing of this
}

// New gives an empty memory.
func New() *Normal {
	return &Normal{HalfLife: HalfLife, Most: MostUses, seed: maphash.MakeSeed(), uses: map[key]tally{}, peers: map[key]uint32{}, rewrite: true}
}

// Span is the time of the first and of the last use, and on how many days there were any.
func (n *Normal) Span() (first, last model.Time, days int) {
	return n.all.firstTime(), n.all.lastTime(), int(n.all.days())
}

// Len is how many uses are remembered.
func (n *Normal) Len() int { return len(n.uses) }

// Learn notes that something happened. Times should come in order; one that comes late
// counts, and its day too, once.
func (n *Normal) Learn(k Kind, a, b, c string, at model.Time) {
	if at <= 0 {
		return
	}
	if at-n.last >= 1e9 || n.last > at { // once a second is enough
		n.all.add(at, n.HalfLife)
		n.last = max(n.last, at)
	}
	id := key{n.number(a), n.number(b), n.number(c), k}
	u, known := n.uses[id]
	if !known && n.full() {
		n.shrink(n.Most - n.Most/8)
		id = key{n.number(a), n.number(b), n.number(c), k} // names may have new numbers
	}
	if !known && !n.admit(id) {
		return
	}
	u.add(at, n.HalfLife)
	n.uses[id] = u
}

// Use gives how often something happened before a time; zero for never.
func (n *Normal) Use(k Kind, a, b, c string, at model.Time) Use {
	return n.UseOf(k, n.Name(a), n.Name(b), n.Name(c), at)
}

// Name is the number of a name, for who asks for one again and again; 0 for one that is
// not known. It is good until something is learned or forgotten.
type Name uint32

// Name gives the number of a name.
func (n *Normal) Name(name string) Name { return Name(n.known(name)) }

// UseOf is Use by the numbers of the names.
func (n *Normal) UseOf(k Kind, a, b, c Name, at model.Time) Use {
	if a == 0 || b == 0 || c == 0 {
		return Use{}
	}
	t, known := n.uses[key{uint32(a), uint32(b), uint32(c), k}]
	if !known || t.firstTime() >= at {
		return Use{}
	}
	t = t.before(at)
	u := t.use()
	u.Count = t.faded(at, n.HalfLife)
	return u
}

// peersMost is how many takers of a kind of file or of a content are remembered: more
// are many.
const peersMost = 64

// full says whether there is room for one more use.
func (n *Normal) full() bool { return n.Most > 0 && len(n.uses) >= n.Most }

// admit takes a use that is new. It counts the last name with the two others, for kinds
// where it is a host, and says whether to remember it.
func (n *Normal) admit(id key) bool {
	switch id.kind {
	case Pair:
	case FamilyTo, ContentAt, GivesTo, Meets, GivenBy, Called, CalledTo, Chore, ChoreTo:
		if n.peers[key{id.a, id.b, 0, id.kind}] >= peersMost {
			return false
		}
	default:
		return true
	}
	n.peers[key{id.a, id.b, 0, id.kind}]++
	return true
}

// Peers is how many different hosts were seen as the last name with the two others, of
// Pair, and up to 64 of FamilyTo, GivesTo, Meets, GivenBy, Called, CalledTo, Chore, ChoreTo and
// ContentAt.
func (n *Normal) Peers(k Kind, a, b string) int { return n.PeersOf(k, n.Name(a), n.Name(b)) }

// PeersOf is Peers by the numbers of the names.
func (n *Normal) PeersOf(k Kind, a, b Name) int {
	return int(n.peers[key{uint32(a), uint32(b), 0, k}])
}

// known is the number of a name, 0 for none.
func (n *Normal) known(name string) uint32 {
	id := n.names.Get(maphash.String(n.seed, name))
	if id == 0 && !text(name) {
		return n.names.Get(maphash.String(n.seed, shortName(name)))
	}
	return id
}

func (n *Normal) number(name string) uint32 {
	id := n.known(name)
	if id == 0 {
		id = n.name(shortName(name))
	}
	return id
}

// name gives a name that is not known the next number.
func (n *Normal) name(text string) uint32 {
	n.texts = append(n.texts, text)
	id := uint32(len(n.texts))
	n.names.Set(maphash.String(n.seed, text), id)
	return id
}

// Entry is one use with its names, for those who print and keep them.
type Entry struct {
	Kind    Kind
	A, B, C string
	Use
	Recent uint64 // the days among the 64 up to Last's: bit 0 is Last's
}

// Entries gives all uses in the order of kind and names.
func (n *Normal) Entries() []Entry {
	out := make([]Entry, 0, len(n.uses))
	for k, u := range n.uses {
		out = append(out, n.entry(k, u))
	}
	slices.SortFunc(out, func(x, y Entry) int {
		return cmp.Or(cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.A, y.A), cmp.Compare(x.B, y.B), cmp.Compare(x.C, y.C))
	})
	return out
}

func (n *Normal) entry(k key, u tally) Entry {
	return Entry{k.kind, n.texts[k.a-1], n.texts[k.b-1], n.texts[k.c-1], u.use(), u.recent}
}

// Restore puts an entry back; two of one name are put together: counts are added, days
// that both have count once.
func (n *Normal) Restore(e Entry) {
	u, ok := tallyOf(&e)
	if !ok || e.Kind == 0 || e.Kind > lastKind {
		return
	}
	id := key{n.number(e.A), n.number(e.B), n.number(e.C), e.Kind}
	old, known := n.uses[id]
	if !known && n.full() {
		n.shrink(n.Most - n.Most/8)
		id = key{n.number(e.A), n.number(e.B), n.number(e.C), e.Kind} // names may have new numbers
	}
	if !known && !n.admit(id) {
		return
	}
	if known {
		u = merged(old, u, n.HalfLife)
	}
	u.changed = true
	n.uses[id] = u
	n.all = merged(n.all, u, n.HalfLife)
	n.last = max(n.last, u.lastTime())
}
