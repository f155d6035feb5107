package spread

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"waybill/internal/model"
)

// algorithms are the hashes that tell a content, the weakest first. An import hash is
// none: many programs share one.
var algorithms = [...]string{"md5", "sha1", "sha256"}

const sha256At = len(algorithms) - 1

// ladder is the lengths of which prefix hashes are kept (content, prefixes).
var ladder = [...]struct {
	name string
	size int64
}{{"4096", 4 << 10}, {"65536", 64 << 10}, {"1048576", 1 << 20}, {"16777216", 16 << 20}}

// marks are what tells the content of a transfer.
type marks struct {
	sums     [len(algorithms)]string
	prints   [len(algorithms)]uint64 // their fingerprints, 0 where there is none
	rungs    [len(ladder)]string
	size     int64 // -1 where it is not known
	rung     int8  // the longest, -1 for none
	runs     bool
	document bool
	program  bool   // by its name, its content, or since it was started where it came
	name     string // lower case; "" for one that tells nothing, or is of no use
	host     uint64 // digest of the source; 0 where no record names it
	source   *model.Endpoint
}

// called says whether nothing but its name tells a program, and who had it.
func (m *marks) called() bool {
	return m.host != 0 && m.size < 0 && !m.summed() && m.program
}

// none says whether nothing tells the content: no bytes, no hash, head or name.
func (m *marks) none() bool {
	return m.size == 0 || !m.summed() && !m.called() && (m.size < 0 || m.rung < 0 && m.name == "")
}

func (m *marks) summed() bool { return m.sums != [len(algorithms)]string{} }

// empty is the SHA-256 of no bytes.
const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// marks gathers what a transfer says. What waybill computed counts before others' word.
func (b *Book) marks(t *model.Transfer) marks {
	m := marks{sums: [...]string{t.MD5, t.SHA1, t.SHA256}, size: -1, rung: -1, runs: runs(t.Type), document: document(t.Type)}
	for i := range t.Hashes {
		h := &t.Hashes[i]
		if at := slices.Index(algorithms[:], h.Alg); at >= 0 && m.sums[at] == "" {
			m.sums[at] = h.Value
		}
	}
	for i, s := range m.sums {
		if s != "" {
			m.prints[i] = b.fingerprint(uint64(i), s, 0)
		}
	}
	if t.Size != nil {
		m.size = *t.Size
	}
	if m.sums[sha256At] == empty {
		m.size = 0
	}
	if !b.settled(&m) {
		m.name = telling(t.Name)
		m.program = m.name != "" && (program(m.name) || m.runs || len(t.Executed) > 0)
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

// own is how a transfer that is the first of its content is known.
func (m *marks) own() tie {
	switch {
	case m.summed():
		return tieHash
	case m.rung > 0:
		return tieHead
	case m.rung == 0:
		return tieShortHead
	case m.size > 0:
		return tieName
	}
	return tieCall
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
	case m.size > 0:
		return byName
	}
	return byCall
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
	case byCall:
		key = append(append(key, "called:"...), m.name...)
		key = append(append(key, ':'), hostKey(*m.source)...)
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
