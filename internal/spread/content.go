package spread

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash/maphash"
	"math"
	"slices"
	"strconv"
	"strings"

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

// algorithms are the hashes that tell a content, the weakest first. An import hash is
// none: many programs share one.
var algorithms = [...]string{"md5", "sha1", "sha256"}

const sha256At = len(algorithms) - 1

// ladder is the lengths of which prefix hashes are kept (content, prefixes).
var ladder = [...]struct {
	name string
	size int64
}{{"4096", 4 << 10}, {"65536", 64 << 10}, {"1048576", 1 << 20}, {"16777216", 16 << 20}}

// strength orders the keys of a content; the strongest gives the artifact its id.
type strength int8

const (
	byName strength = iota
	byShortHead
	byMD5
	bySHA1
	byHead   // and one more for each further rung
	bySHA256 = byHead + strength(len(ladder))
)

// marks are what tells the content of a transfer.
type marks struct {
	sums     [len(algorithms)]string
	rungs    [len(ladder)]string
	size     int64 // -1 where it is not known
	rung     int8  // the longest, -1 for none
	runs     bool
	document bool
	name     string // lower case; "" for one that tells nothing
}

// none says whether nothing tells the content: no bytes, no hash, head or name.
func (m *marks) none() bool {
	return m.size == 0 || !m.summed() && (m.size < 0 || m.rung < 0 && m.name == "")
}

func (m *marks) summed() bool { return m.sums != [len(algorithms)]string{} }

// empty is the SHA-256 of no bytes.
const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// marks gathers what a transfer says. What waybill computed counts before others' word.
func (b *Book) marks(t *model.Transfer) marks {
	m := marks{sums: [...]string{t.MD5, t.SHA1, t.SHA256}, size: -1, rung: -1, runs: runs(t.Type), document: document(t.Type), name: telling(t.Name)}
	for i := range t.Hashes {
		h := &t.Hashes[i]
		if at := slices.Index(algorithms[:], h.Alg); at >= 0 && m.sums[at] == "" {
			m.sums[at] = h.Value
		}
	}
	if t.Size != nil {
		m.size = *t.Size
	}
	if m.sums[sha256At] == empty {
		m.size = 0
	}
	if len(t.Prefix) == 0 {
		return m
	}
	for i, r := range ladder {
		if m.rungs[i] = t.Prefix[r.name]; m.rungs[i] != "" {
			m.rung = int8(i)
		}
	}
	return m
}

// runs says whether a type of content is a program, of which padded and cut copies are
// worth to be known.
func runs(kind string) bool {
	switch kind {
	case "pe", "elf", "macho", "java", "script":
		return true
	}
	return false
}

// document says whether a type of content is a document, picture or text.
func document(kind string) bool {
	switch kind {
	case "office", "pdf", "image", "text", "audio", "video", "media":
		return true
	}
	return false
}

// Hash is the SHA-256 of the content: computed, else by a log's word, which proves the
// content at that time.
func Hash(t *model.Transfer) string {
	if t.SHA256 != "" {
		return t.SHA256
	}
	for i := range t.Hashes {
		if t.Hashes[i].Alg == "sha256" {
			return t.Hashes[i].Value
		}
	}
	return ""
}

// Kinds of keys in the index, beside the algorithms.
const (
	headKey = uint64(len(algorithms)) + iota // a short prefix and the size
	nameKey                                  // name and size
	rungKey                                  // a prefix alone, of programs
)

// fingerprint is what a key is known by in the index. The seed makes it useless to look
// for two contents with the same.
func (b *Book) fingerprint(kind uint64, text string, size int64) uint64 {
	h := maphash.String(b.seed, text) ^ (uint64(size)<<8|kind)*0x9e3779b97f4a7c15
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	return h ^ h>>32
}

// headRung is the longest rung that a head is told by: 64 KiB, or 4 KiB of what is shorter.
func (m *marks) headRung() int8 { return min(m.rung, 1) }

func (b *Book) headOf(m *marks, r int8) uint64 {
	return b.fingerprint(headKey+uint64(r)<<4, m.rungs[r], m.size)
}

func (b *Book) nameOf(m *marks) uint64 { return b.fingerprint(nameKey, m.name, m.size) }

// known is the content that the book has of these marks, and how it is known: 0 for none.
func (b *Book) known(m *marks, t *model.Transfer) (uint32, tie) {
	for i := len(m.sums) - 1; i >= 0; i-- {
		if m.sums[i] == "" {
			continue
		}
		if c := b.index[b.fingerprint(uint64(i), m.sums[i], 0)]; c != 0 && !b.differ(c, m) {
			return b.real(c), tieHash
		}
	}
	if m.size <= 0 {
		return 0, 0
	}
	for r := m.headRung(); r >= 0; r-- {
		c := b.real(b.index[b.headOf(m, r)])
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
	c := b.real(b.index[b.nameOf(m)])
	if c == 0 || m.summed() && b.summed(c) || m.rung >= 0 && b.contents[c].rung >= 0 {
		return 0, 0
	}
	if weak := !m.summed() && m.rung < 0 && b.contents[c].strength == byName; !weak && begin(t)-b.contents[c].seen > b.set.Window {
		return 0, 0
	}
	return c, tieName
}

// differ says whether a content is known to be another one: a hash of one kind that is
// not equal.
func (b *Book) differ(c uint32, m *marks) bool {
	has := &b.contents[b.real(c)].sums
	for i, s := range m.sums {
		if s != "" && has[i] != 0 && has[i] != b.fingerprint(uint64(i), s, 0) {
			return true
		}
	}
	return false
}

func (b *Book) summed(c uint32) bool {
	return b.contents[b.real(c)].sums != [len(algorithms)]uint64{}
}

// find gives the content of a transfer, a new one where none is known.
func (b *Book) find(t *model.Transfer) (uint32, tie, bool) {
	m := b.marks(t)
	if m.none() {
		return 0, 0, false
	}
	b.members = nil
	c, how := b.known(&m, t)
	if c == 0 {
		c, how = b.open(&m), m.own()
	}
	if m.summed() || b.contents[c].strength == byName {
		how = m.own() // the content is called by what this transfer says
	}
	b.learn(c, &m)
	return b.real(c), how, true
}

// own is how a transfer that is the first of its content is known.
func (m *marks) own() tie {
	switch {
	case m.summed():
		return tieHash
	case m.rung > 0:
		return tieHead
	case m.rung == 0:
		return tieShortHead
	}
	return tieName
}

// open begins a content.
func (b *Book) open(m *marks) uint32 {
	n := uint32(len(b.contents))
	id := m.id()
	b.contents = append(b.contents, content{id: id, first: id, size: m.size, same: n, like: n, strength: m.power(), rung: -1, document: true})
	return n
}

// learn puts down all keys of a transfer for its content. A hash that leads to another
// content makes one of the two.
func (b *Book) learn(c uint32, m *marks) {
	for i, s := range m.sums {
		if s != "" {
			b.contents[c].sums[i] = b.fingerprint(uint64(i), s, 0)
		}
	}
	for i, s := range m.sums {
		if s == "" {
			continue
		}
		f := b.fingerprint(uint64(i), s, 0)
		if o := b.real(b.index[f]); o != 0 && o != b.real(c) && !b.conflict(o, b.real(c)) {
			b.unite(o, c)
		}
		b.index[f] = b.real(c)
	}
	c = b.real(c)
	x := &b.contents[c]
	if p := m.power(); p > x.strength {
		b.given[x.id] = c
		x.strength, x.id = p, m.id()
	}
	if x.size < 0 {
		x.size = m.size
	}
	x.rung, x.runs, x.document = max(x.rung, m.rung), x.runs || m.runs, x.document && m.document
	if m.size <= 0 {
		return
	}
	for r := m.headRung(); r >= 0; r-- {
		b.index[b.headOf(m, r)] = c
		if x.document {
			break // a document of which less was seen is not worth an entry
		}
	}
	b.climb(c, m)
	if m.name != "" {
		b.index[b.nameOf(m)] = c
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
		o := b.real(b.index[f])
		b.index[f] = c
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

// power is the strength of the key that a content with these marks is called by.
func (m *marks) power() strength {
	switch {
	case m.sums[sha256At] != "":
		return bySHA256
	case m.size > 0 && m.rung > 0:
		return byHead + strength(m.rung)
	case m.sums[1] != "":
		return bySHA1
	case m.sums[0] != "":
		return byMD5
	case m.rung == 0:
		return byShortHead
	}
	return byName
}

// id is the number in the id of the artifact with these marks: a digest of that key.
func (m *marks) id() uint64 {
	var buf [160]byte
	key := buf[:0]
	switch p := m.power(); p {
	case bySHA256:
		key = append(append(key, "sha256:"...), m.sums[sha256At]...)
	case bySHA1:
		key = append(append(key, "sha1:"...), m.sums[1]...)
	case byMD5:
		key = append(append(key, "md5:"...), m.sums[0]...)
	case byName:
		key = append(append(key, "name:"...), m.name...)
		key = strconv.AppendInt(append(key, ':'), m.size, 10)
	default:
		key = append(append(key, "prefix:"...), ladder[m.rung].name...)
		key = append(append(key, ':'), m.rungs[m.rung]...)
		key = strconv.AppendInt(append(key, ':'), m.size, 10)
	}
	return digest(key)
}

// digest is the number in the id of the artifact with a key.
func digest(key []byte) uint64 {
	sum := sha256.Sum256(append(key, 0))
	return binary.BigEndian.Uint64(sum[:])
}

// hexID is the id of an artifact with a number.
func hexID(n uint64) string { return idOf("a-", n) }

func idOf(kind string, n uint64) string {
	var digits [8]byte
	binary.BigEndian.PutUint64(digits[:], n)
	var out [18]byte
	copy(out[:], kind)
	hex.Encode(out[2:], digits[:])
	return string(out[:])
}

// numberOf reads an id of a kind.
func numberOf(kind, id string) (uint64, bool) {
	digits, ok := strings.CutPrefix(id, kind)
	if !ok || len(digits) != 16 || strings.ToLower(digits) != digits {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 16, 64)
	return n, err == nil
}

func begin(t *model.Transfer) model.Time {
	if t.Start != 0 {
		return t.Start
	}
	return t.End
}

// never is later than everything.
const never model.Time = math.MaxInt64
