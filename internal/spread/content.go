package spread

import (
	"hash/maphash"
	"math"

	"waybill/internal/model"
)

// content is what one set of hashes, one head and size, or one name and size tells.
type content struct {
	id, first uint64 // of the strongest key; as it was first given out
	sums      [len(algorithms)]uint64
	size      int64
	seen      model.Time // last
	same      uint32     // the content that it turned out to be, else itself
	like      uint32     // an older one that it is alike, else itself
	head      uint32     // first of its movements
	tail      uint32
	count     uint32 // of its movements
	strength  strength
	rung      int8 // the longest of the ladder that is known, -1 for none
	runs      bool
	document  bool   // a document, picture or text: nothing that could run
	kept      bool   // somebody will ask for it
	crowded   uint32 // 1 and the hosts that it reached since crowd movements carried it; 0 before
}

// strength orders the keys of a content; the strongest gives the artifact its id.
type strength int8

const (
	byCall strength = iota // a program's name, at its holders
	byName
	byShortHead
	byMD5
	bySHA1
	byHead   // and one more for each further rung
	bySHA256 = byHead + strength(len(ladder))
)

// Kinds of keys in the index, beside the algorithms.
const (
	headKey = uint64(len(algorithms)) + iota // a short prefix and the size
	nameKey                                  // name and size
	rungKey                                  // a prefix alone, of programs
	callKey                                  // a program's name and a host that had it
)

// fingerprint is what a key is known by in the index. The seed makes it useless to look
// for two contents with the same.
func (b *Book) fingerprint(kind uint64, text string, size int64) uint64 {
	return mixed(maphash.String(b.seed, text) ^ (uint64(size)<<8|kind)*0x9e3779b97f4a7c15)
}

// headRung is the longest rung that a head is told by: 64 KiB, or 4 KiB of what is shorter.
func (m *marks) headRung() int8 { return min(m.rung, 1) }

func (b *Book) headOf(m *marks, r int8) uint64 {
	return b.fingerprint(headKey+uint64(r)<<4, m.rungs[r], m.size)
}

func (b *Book) nameOf(m *marks) uint64 { return b.fingerprint(nameKey, m.name, m.size) }

func (b *Book) callOf(m *marks, host uint64) uint64 {
	return b.fingerprint(callKey, m.name, int64(host))
}

// known is the content that the book has of these marks, and how it is known: 0 for none.
func (b *Book) known(m *marks, t *model.Transfer) (uint32, tie) {
	for i := len(m.sums) - 1; i >= 0; i-- {
		if m.sums[i] == "" {
			continue
		}
		if c := b.index.Get(m.prints[i]); c != 0 && !b.differ(c, m) {
			return b.real(c), tieHash
		}
	}
	if b.settled(m) {
		return 0, 0
	}
	if m.size <= 0 {
		return b.knownByCall(m, t)
	}
	for r := m.headRung(); r >= 0; r-- {
		c := b.real(b.index.Get(b.headOf(m, r)))
		if c == 0 || min(b.contents[c].rung, m.rung, 1) != r || b.differ(c, m) || m.summed() && b.summed(c) {
			continue
		}
		if r == 0 {
			return c, tieShortHead
		}
		return c, tieHead
	}
	if m.name == "" {
		return 0, 0
	}
	c := b.real(b.index.Get(b.nameOf(m)))
	if c == 0 || m.summed() && b.summed(c) || m.rung >= 0 && b.contents[c].rung >= 0 {
		return b.knownByCall(m, t)
	}
	if weak := !m.summed() && m.rung < 0 && b.contents[c].strength == byName; !weak && begin(t)-b.contents[c].seen > b.set.Window {
		return 0, 0
	}
	return c, tieName
}

// settled says whether a hash is all that a content is known by: a document in a stream,
// where one entry of the index has to do.
func (b *Book) settled(m *marks) bool { return m.document && m.summed() && !b.set.All }

// callReach is for how many windows a host gives on a program that only its name tells.
const callReach = 7

// knownByCall is the content that a host had under the name of a program: of logs that
// say neither size nor hash, or of a content that until now nothing else told.
func (b *Book) knownByCall(m *marks, t *model.Transfer) (uint32, tie) {
	if m.host == 0 || !m.program {
		return 0, 0
	}
	c := b.real(b.index.Get(b.callOf(m, m.host)))
	if c == 0 || !m.called() && b.contents[c].strength != byCall || begin(t)-b.contents[c].seen > callReach*b.set.Window {
		return 0, 0
	}
	return c, tieCall
}

// call puts down under which name both ends of a movement had a program.
func (b *Book) call(c uint32, m *marks, from, to uint32) {
	if m.document || !m.program {
		return
	}
	for _, place := range [...]uint32{from, to} {
		if place != 0 {
			b.index.Set(b.callOf(m, b.places.at[place].digest), c)
		}
	}
}

// differ says whether a content is known to be another one: a hash of one kind that is
// not equal.
func (b *Book) differ(c uint32, m *marks) bool {
	has := &b.contents[b.real(c)].sums
	for i, f := range m.prints {
		if f != 0 && has[i] != 0 && has[i] != f {
			return true
		}
	}
	return false
}

func (b *Book) summed(c uint32) bool {
	return b.contents[b.real(c)].sums != [len(algorithms)]uint64{}
}

// find gives the content of a transfer, a new one where none is known.
func (b *Book) find(m *marks, t *model.Transfer) (uint32, tie, bool) {
	if m.none() {
		return 0, 0, false
	}
	b.members = nil
	c, how := b.known(m, t)
	if c == 0 {
		c, how = b.open(m), m.own()
	}
	if m.summed() || b.contents[c].strength <= byName {
		how = m.own() // the content is called by what this transfer says
	}
	b.learn(c, m)
	return b.real(c), how, true
}

// open begins a content.
func (b *Book) open(m *marks) uint32 {
	n := uint32(len(b.contents))
	id := m.id()
	b.contents = append(fitted(b.contents, b.set.Contents), content{id: id, first: id, size: m.size, same: n, like: n, strength: m.power(), rung: -1, document: true})
	return n
}

// learn puts down all keys of a transfer for its content. A hash that leads to another
// content makes one of the two.
func (b *Book) learn(c uint32, m *marks) {
	for i, f := range m.prints {
		if f != 0 {
			b.contents[c].sums[i] = f
		}
	}
	for _, f := range m.prints {
		if f == 0 {
			continue
		}
		if o := b.real(b.index.Get(f)); o != 0 && o != b.real(c) && !b.conflict(o, b.real(c)) {
			b.unite(o, c)
		}
		b.index.Set(f, b.real(c))
	}
	c = b.real(c)
	x := &b.contents[c]
	if p := m.power(); p > x.strength {
		b.given[x.id] = c
		if x.strength <= byName { // no key that lasts: the next run may not see the name first
			b.given[x.first], x.first = c, m.id()
		}
		x.strength, x.id = p, m.id()
	}
	if x.size < 0 {
		x.size = m.size
	}
	x.rung, x.runs, x.document = max(x.rung, m.rung), x.runs || m.runs, x.document && m.document
	if m.size <= 0 || b.settled(m) {
		return
	}
	for r := m.headRung(); r >= 0; r-- {
		b.index.Set(b.headOf(m, r), c)
		if x.document {
			break // a document of which less was seen is not worth an entry
		}
	}
	b.climb(c, m)
	if m.name != "" {
		b.index.Set(b.nameOf(m), c)
	}
}

// climb looks for copies of a program that are padded or cut: those that share the
// longest prefix that both know, and differ in size. The first few KiB of other files
// say little of the rest: templates, growing logs.
func (b *Book) climb(c uint32, m *marks) {
	if !b.contents[c].runs {
		return
	}
	for i := m.rung; i >= 0; i-- {
		f := b.fingerprint(rungKey+uint64(i)<<4, m.rungs[i], 0)
		o := b.real(b.index.Get(f))
		b.index.Set(f, c)
		if o == 0 || o == c || min(b.contents[o].rung, m.rung) != i {
			continue
		}
		if b.contents[o].size != b.contents[c].size {
			b.liken(o, c)
		}
	}
}

// conflict says whether two contents have different hashes of one kind.
func (b *Book) conflict(o, c uint32) bool {
	x, y := &b.contents[o].sums, &b.contents[c].sums
	for i := range x {
		if x[i] != 0 && y[i] != 0 && x[i] != y[i] {
			return true
		}
	}
	return false
}

// real is the content that a number stands for.
func (b *Book) real(c uint32) uint32 {
	for b.contents[c].same != c {
		b.contents[c].same = b.contents[b.contents[c].same].same
		c = b.contents[c].same
	}
	return c
}

// group is the oldest of the contents that one is alike.
func (b *Book) group(c uint32) uint32 {
	c = b.real(c)
	for b.contents[c].like != c {
		b.contents[c].like = b.contents[b.contents[c].like].like
		c = b.contents[c].like
	}
	return b.real(c)
}

// liken puts two contents into one group, under the older.
func (b *Book) liken(o, c uint32) {
	o, c = b.group(o), b.group(c)
	if o == c {
		return
	}
	o, c = min(o, c), max(o, c)
	b.contents[c].like = o
	b.given[b.contents[c].first], b.given[b.contents[o].first] = o, o
}

// unite makes one content of two, the older one.
func (b *Book) unite(o, c uint32) {
	b.liken(o, c)
	o, c = b.real(o), b.real(c)
	o, c = min(o, c), max(o, c)
	x, y := &b.contents[o], &b.contents[c]
	if y.strength > x.strength {
		x.strength, x.id = y.strength, y.id
	}
	for i, s := range y.sums {
		x.sums[i] |= s // one of the two, or both the same
	}
	if x.size < 0 {
		x.size = y.size
	}
	x.rung, x.seen, x.count, x.crowded = max(x.rung, y.rung), max(x.seen, y.seen), x.count+y.count, max(x.crowded, y.crowded)
	x.runs, x.document, x.kept = x.runs || y.runs, x.document && y.document, x.kept || y.kept
	switch {
	case x.tail == 0:
		x.head, x.tail = y.head, y.tail
	case y.head != 0:
		b.movements[x.tail].next, x.tail = y.head, y.tail
	}
	y.same, y.head, y.tail, y.count = o, 0, 0, 0
	b.given[x.first] = o
}

func begin(t *model.Transfer) model.Time {
	if t.Start != 0 {
		return t.Start
	}
	return t.End
}

// never is later than everything.
const never model.Time = math.MaxInt64
