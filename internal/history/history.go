// Package history remembers what is normal here. In come uses: two hosts exchanged
// files this way, an account did so on that host, a source gave out this kind of file.
// Out comes how often and on how many days each was seen before a time. What is
// remembered fades with a half-life, so that what ended long ago is new again. It
// judges nothing, and never asks the clock: time is the events'.
package history

import (
	"cmp"
	"math"
	"slices"

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
	Family    Kind = 7  // actor, way, kind of file: what it hands out
	FamilyTo  Kind = 8  // actor, kind of file, other end: who got it
	NewFamily Kind = 9  // actor, way: it handed out a kind of file that it never did before
	Content   Kind = 10 // content: a program moved
	ContentAt Kind = 11 // content, "", host: it was there
	Utility   Kind = 12 // account, tool, host
)

// Use is how often something happened before, and when.
type Use struct {
	First, Last model.Time
	Count       float32 // faded
	Days        uint16  // distinct days, not faded
}

// Known says whether it ever happened.
func (u Use) Known() bool { return u.Days > 0 }

// key of a use: three names as their numbers.
type key struct {
	a, b, c uint32
	kind    Kind
}

// HalfLife is how long it takes until a use counts half, when it is not set.
const HalfLife model.Time = 30 * day

const day model.Time = 24 * 3600e9

// Normal is what is remembered. It is not safe for use by several goroutines.
type Normal struct {
	HalfLife model.Time
	names    map[string]uint32
	texts    []string // by number
	uses     map[key]Use
	peers    map[key]uint32 // how many different last names were seen with the others
	first    model.Time
	last     model.Time
	days     int
}

// New gives an empty memory.
func New() *Normal {
	return &Normal{HalfLife: HalfLife, names: map[string]uint32{}, uses: map[key]Use{}, peers: map[key]uint32{}}
}

// Span is the time of the first and of the last use, and on how many days there were any.
func (n *Normal) Span() (first, last model.Time, days int) { return n.first, n.last, n.days }

// Len is how many uses are remembered.
func (n *Normal) Len() int { return len(n.uses) }

// Learn notes that something happened. Times should come in order; one that comes late
// counts and moves nothing back.
func (n *Normal) Learn(k Kind, a, b, c string, at model.Time) {
	if at == 0 {
		return
	}
	n.note(at)
	id := key{n.number(a), n.number(b), n.number(c), k}
	u, known := n.uses[id]
	if !known {
		n.peer(id)
		u.First = at
	}
	if !known || dayOf(at) > dayOf(u.Last) {
		u.Days = min(u.Days, math.MaxUint16-1) + 1
	}
	u.Count = n.faded(u, at) + 1
	u.First, u.Last = min(u.First, at), max(u.Last, at)
	n.uses[id] = u
}

// note keeps the span of all uses.
func (n *Normal) note(at model.Time) {
	if n.first == 0 || at < n.first {
		n.first = at
	}
	if n.days == 0 || dayOf(at) > dayOf(n.last) {
		n.days++
	}
	n.last = max(n.last, at)
}

// Use gives how often something happened before a time; zero for never.
func (n *Normal) Use(k Kind, a, b, c string, at model.Time) Use {
	x, y, z := n.names[a], n.names[b], n.names[c]
	if x == 0 || y == 0 || z == 0 {
		return Use{}
	}
	u := n.uses[key{x, y, z, k}]
	u.Count = n.faded(u, at)
	return u
}

// peer counts a last name that is new with the two others, for kinds where it is a host.
func (n *Normal) peer(id key) {
	if id.kind == Pair || id.kind == FamilyTo || id.kind == ContentAt {
		n.peers[key{id.a, id.b, 0, id.kind}]++
	}
}

// Peers is how many different hosts were seen as the last name with the two others, of
// Pair, FamilyTo and ContentAt.
func (n *Normal) Peers(k Kind, a, b string) int {
	return int(n.peers[key{n.names[a], n.names[b], 0, k}])
}

func (n *Normal) number(name string) uint32 {
	id, ok := n.names[name]
	if !ok {
		id = uint32(len(n.texts)) + 1
		n.texts = append(n.texts, name)
		n.names[name] = id
	}
	return id
}

// faded is a count as it is worth at a time.
func (n *Normal) faded(u Use, at model.Time) float32 {
	if at-u.Last < day || u.Count == 0 {
		return u.Count
	}
	return u.Count * float32(math.Exp2(-float64(at-u.Last)/float64(n.HalfLife)))
}

func dayOf(t model.Time) int64 { return int64(t / day) }

// Entry is one use with its names, for those who print and keep them.
type Entry struct {
	Kind    Kind
	A, B, C string
	Use
}

// Entries gives all uses in the order of kind and names.
func (n *Normal) Entries() []Entry {
	out := make([]Entry, 0, len(n.uses))
	for k, u := range n.uses {
		out = append(out, Entry{k.kind, n.texts[k.a-1], n.texts[k.b-1], n.texts[k.c-1], u})
	}
	slices.SortFunc(out, func(x, y Entry) int {
		return cmp.Or(cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.A, y.A), cmp.Compare(x.B, y.B), cmp.Compare(x.C, y.C))
	})
	return out
}

// Restore puts an entry back; two of one name are added.
func (n *Normal) Restore(e Entry) {
	if e.Days == 0 || e.Last < e.First {
		return
	}
	id := key{n.number(e.A), n.number(e.B), n.number(e.C), e.Kind}
	u, known := n.uses[id]
	if !known {
		n.peer(id)
		n.uses[id] = e.Use
	} else {
		at := max(u.Last, e.Last)
		sum := n.faded(u, at) + n.faded(e.Use, at)
		n.uses[id] = Use{First: min(u.First, e.First), Last: at, Count: sum, Days: uint16(min(int(u.Days)+int(e.Days), math.MaxUint16))}
	}
	if n.first == 0 || e.First < n.first {
		n.first = e.First
	}
	n.last = max(n.last, e.Last)
	n.days = max(n.days, int(e.Days))
}
