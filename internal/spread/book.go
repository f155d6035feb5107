// Package spread follows one content over hosts. In come transfers, accesses and
// files that listings show, in the order of time; out come the content of each
// transfer at once, and at the end the artifacts with every host that each was seen on
// and the tree along which it went. It keeps numbers and no records: what a stream of
// months costs is bounded, and what had to be forgotten is counted. It judges nothing,
// and names no parent that nothing shows.
package spread

import (
	"cmp"
	"hash/maphash"

	"waybill/internal/hashed"
	"waybill/internal/model"
)

// Settings bound a book and say how far clocks may be apart. What is 0 is the default.
type Settings struct {
	All       bool       // keep everything: whoever holds all transfers in memory anyway
	Contents  int        // most contents kept
	Movements int        // most movements kept
	Window    model.Time // in which name and size, or a contact, tie one movement to another
	Slack     model.Time // error of the clocks of two sensors
}

// The defaults, for streams without end: about 50 MB when full.
const (
	DefaultContents             = 1 << 17
	DefaultMovements            = 1 << 18
	DefaultWindow    model.Time = 24 * 3600e9
	DefaultSlack     model.Time = 2 * 60e9
)

// Book knows which transfers carried the same content. Each content has a number, and
// each of its keys (hashes, head, name and size) leads to it.
//
// A key that Add gave stays good: two contents that a later transfer shows to be one
// both keep the key that they were given under, Add gives that of the older one from then
// on, and Artifact leads from either to the artifact.
type Book struct {
	set       Settings
	seed      maphash.Seed
	contents  []content
	movements []movement
	index     hashed.Index      // keys to contents
	given     map[uint64]uint32 // ids given out, where another key of the content leads to it now
	holders   hashed.Index      // content and host, of contents that many movements carried
	places    places
	odd       []string // ids of transfers that are no 16 digits
	listed    []model.Listed
	contacts  contacts
	pending   []uint32 // movements from nowhere, whose contacts are not all known yet
	leads     []lead   // in the order of movements
	now       model.Time
	latest    struct { // that was added: its hosts are asked for next
		t        *model.Transfer
		from, to uint32
	}
	forgotten Forgotten
	members   map[uint32][]uint32 // what groups gave, until something changes
}

// Forgotten counts what a full book let go.
type Forgotten struct {
	Contents  int64 // with all movements of them
	Movements int64 // of contents that are kept: more of what many hosts have
}

// New makes an empty book.
func New(set Settings) *Book {
	set.Contents = cmp.Or(set.Contents, DefaultContents)
	set.Movements = cmp.Or(set.Movements, DefaultMovements)
	set.Window = cmp.Or(set.Window, DefaultWindow)
	set.Slack = cmp.Or(set.Slack, DefaultSlack)
	seed := maphash.MakeSeed()
	return &Book{set: set, seed: seed, contacts: contacts{most: uint64(max(set.Movements/contactsKept, 1))}, contents: make([]content, 1), movements: make([]movement, 1),
		given: map[uint64]uint32{}, places: newPlaces(seed)}
}

// Forgotten says what had to be let go until now.
func (b *Book) Forgotten() Forgotten { return b.forgotten }

// Add takes the next transfer, and gives the key of its content: the id of the artifact
// as far as it is known by now, "" where nothing tells the content. What only a program's
// name tells is put into trees, but gets no key: a name is no content to judge by.
func (b *Book) Add(t *model.Transfer) string {
	b.room()
	b.pass(t.End)
	from, to := b.places.of(&t.Source), b.places.of(&t.Destination)
	b.latest.t, b.latest.from, b.latest.to = t, from, to
	b.meet(from, to, max(t.End, t.Start), true)
	m := b.marks(t)
	if from != 0 {
		m.host, m.source = b.places.at[from].digest, &t.Source
	}
	c, how, ok := b.find(&m, t)
	if !ok {
		return ""
	}
	if t.Status == model.Done || t.Status == model.Interrupted {
		b.move(c, t, how, from, to)
		b.call(c, &m, from, to)
	}
	if how == tieCall {
		return ""
	}
	return b.key(c)
}

// Host is a host as it is kept: its key, and a number that stands for the key in this book,
// whatever the book forgets; 0 and "" where nothing is known of it.
type Host struct {
	Key string
	Sum uint64
}

// Host tells whose an endpoint is.
func (b *Book) Host(e *model.Endpoint) Host {
	p := &b.places
	switch l := &b.latest; {
	case e.Host == "" && !e.IP.Known():
		return Host{}
	case l.t != nil && e == &l.t.Source:
		return p.at[l.from].of()
	case l.t != nil && e == &l.t.Destination:
		return p.at[l.to].of()
	}
	if n := p.number.Get(p.digest(e)); n != 0 {
		return p.at[n].of()
	}
	key := hostKey(*e)
	return Host{key, p.sum(key)}
}

// key of a content: what the oldest of its group was first called.
func (b *Book) key(c uint32) string { return hexID(b.contents[b.group(c)].first) }

// Artifact is the id of the artifact that a key of Add belongs to.
func (b *Book) Artifact(key string) string {
	id, ok := numberOf("a-", key)
	if !ok {
		return key
	}
	c, ok := b.given[id]
	if !ok {
		return key
	}
	if b.members == nil {
		b.members = b.groups()
	}
	if members := b.members[b.group(c)]; len(members) > 0 {
		c = b.main(members)
	}
	return hexID(b.contents[b.real(c)].id)
}
