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

// The kinds, with what their two names are.
const (
	Host       Kind = 1  // host, "": it took part in a movement
	Pair       Kind = 2  // source>destination, way: files went between the two that way
	AnyPair    Kind = 3  // source>destination, "": in any way
	Sender     Kind = 4  // host that opened the exchange, way: it did so to anybody
	Account    Kind = 5  // account, way
	AccountOn  Kind = 6  // account, host that opened the exchange
	Family     Kind = 7  // host that opened the exchange, way and kind of file: what it hands out
	Content    Kind = 8  // content key, "": a program that moved
	Utility    Kind = 9  // account on host, tool
	Writer     Kind = 10 // share, host: it wrote programs there
	FamilyHost Kind = 11 // kind of file of a host, destination: how many got it
)

// Use is how often something happened before, and when.
type Use struct {
	First, Last model.Time
	Count       float32 // faded
	Days        uint16  // distinct days, not faded
}

// Known says whether it ever happened.
func (u Use) Known() bool { return u.Days > 0 }

// key of a use: two names as their numbers.
type key struct {
	kind Kind
	a, b uint32
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
	peers    map[key]uint16 // Peers: how many different second names a first one has
	first    model.Time
	last     model.Time
	days     int
}

// New gives an empty memory.
func New() *Normal {
	return &Normal{HalfLife: HalfLife, names: map[string]uint32{}, uses: map[key]Use{}, peers: map[key]uint16{}}
}

// Span is the time of the first and of the last use, and on how many days there were any.
func (n *Normal) Span() (first, last model.Time, days int) { return n.first, n.last, n.days }

// Len is how many uses are remembered.
func (n *Normal) Len() int { return len(n.uses) }

// Learn notes that something happened. Times should come in order; one that comes late
// counts and moves nothing back.
func (n *Normal) Learn(k Kind, a, b string, at model.Time) {
	if at == 0 {
		return
	}
	n.note(at)
	id := key{k, n.number(a), n.number(b)}
	u, known := n.uses[id]
	if !known {
		n.peers[key{k, id.a, 0}]++
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
func (n *Normal) Use(k Kind, a, b string, at model.Time) Use {
	x, ok := n.names[a]
	if !ok {
		return Use{}
	}
	y, ok := n.names[b]
	if !ok {
		return Use{}
	}
	u := n.uses[key{k, x, y}]
	u.Count = n.faded(u, at)
	return u
}

// Peers is how many different second names were seen with a first one.
func (n *Normal) Peers(k Kind, a string) int {
	return int(n.peers[key{k, n.names[a], 0}])
}

// Watched is for how many days before a time something of the first kind is
// remembered: of a host, how long it could have been seen with others.
func (n *Normal) Watched(k Kind, a, b string, at model.Time) float64 {
	u := n.Use(k, a, b, at)
	if !u.Known() || at <= u.First {
		return 0
	}
	return float64(at-u.First) / float64(day)
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
	Kind Kind
	A, B string
	Use
}

// Entries gives all uses in the order of kind and names.
func (n *Normal) Entries() []Entry {
	out := make([]Entry, 0, len(n.uses))
	for k, u := range n.uses {
		out = append(out, Entry{k.kind, n.texts[k.a-1], n.texts[k.b-1], u})
	}
	slices.SortFunc(out, func(x, y Entry) int {
		return cmp.Or(cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.A, y.A), cmp.Compare(x.B, y.B))
	})
	return out
}

// Restore puts an entry back; two of one name are added.
func (n *Normal) Restore(e Entry) {
	if e.Days == 0 || e.Last < e.First {
		return
	}
	id := key{e.Kind, n.number(e.A), n.number(e.B)}
	u, known := n.uses[id]
	if !known {
		n.peers[key{e.Kind, id.a, 0}]++
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
