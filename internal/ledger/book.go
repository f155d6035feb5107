package ledger

import (
	"hash/maphash"
	"strings"

	"waybill/internal/hashed"
	"waybill/internal/identity"
	"waybill/internal/model"
)

// book finds movements by what they may have in common: a name, a hash, a connection.
// What has none of it in common is never compared, so the work grows with the
// transfers and not with their pairs. It holds the movements of the window only.
type book struct {
	hosts  *identity.Table
	seed   maphash.Seed
	oldest hashed.Index // link of a key
	links  []link       // the first stands for none
	unused uint32       // a chain of links
	spare  []*entry
	makers map[maker]uint32

	text   []byte  // of a key
	things []thing // of a transfer
}

// link is a movement under a key, in a ring of those of the key, the newest before
// the oldest.
type link struct {
	e            *entry
	key          uint64
	newer, older uint32
}

// entry is one movement of the book, or an observation that waits for its place.
type entry struct {
	t                   *model.Transfer
	from, to            model.Time // by the clock of all
	reach               model.Time // what of it is looked at
	rank                int
	gone                bool     // it became part of another
	told                bool     // who is known
	called              bool     // source and destination are known
	*sources                     // what the fields of t are taken from, where others were joined
	source, destination uint64   // by their names
	who                 []uint32 // whose logs vouch for it
	links               []uint32
	few                 struct {
		who   [3]uint32
		links [5]uint32
	}
}

// before orders movements: the better witness, then what began first.
func (e *entry) before(o *entry) bool {
	if e.rank != o.rank {
		return e.rank < o.rank
	}
	if e.from != o.from {
		return e.from < o.from
	}
	return e.t.ID < o.t.ID
}

// crowd bounds what is looked at of one key.
const crowd = 1024

func newBook(hosts *identity.Table) *book {
	return &book{hosts: hosts, seed: maphash.MakeSeed(), links: make([]link, 1), makers: map[maker]uint32{}}
}

// entry makes one of an observation.
func (b *book) entry(d due) *entry {
	if len(b.spare) == 0 {
		slab := make([]entry, 64)
		for i := range slab {
			b.spare = append(b.spare, &slab[i])
		}
	}
	e := popped(&b.spare)
	t := d.t
	at := begin(t)
	b.hosts.Ends(&t.Source, &t.Destination, at)
	e.t, e.from, e.rank = t, d.from, rank(t)
	e.to = d.from + max(0, t.End-at)
	e.reach = min(e.to, e.from+Reach)
	e.links, e.who = e.few.links[:0], e.few.who[:0]
	return e
}

// free gives an entry back that is in no list any more.
func (b *book) free(e *entry) {
	*e = entry{}
	b.spare = append(b.spare, e)
}

// put puts a movement down under all that t, which vouches for it, is known by.
func (b *book) put(e *entry, t *model.Transfer, keys []thing) {
	for _, k := range keys {
		b.link(k.sum, e)
	}
	if passedNameless(t) || mayBeNoted(t) || sealedNameless(t) {
		b.link(b.pairKey(t), e)
	}
}

func (b *book) link(key uint64, e *entry) {
	oldest := b.oldest.Get(key)
	if oldest != 0 && b.links[b.links[oldest].older].e == e {
		return
	}
	i := b.unused
	if i == 0 {
		i = uint32(len(b.links))
		b.links = append(b.links, link{})
	} else {
		b.unused = b.links[i].newer
	}
	e.links = append(e.links, i)
	if oldest == 0 {
		b.links[i] = link{e, key, i, i}
		b.oldest.Set(key, i)
		return
	}
	newest := b.links[oldest].older
	b.links[i] = link{e, key, oldest, newest}
	b.links[newest].newer, b.links[oldest].older = i, i
}

// drop forgets a movement.
func (b *book) drop(e *entry) {
	for _, i := range e.links {
		k := &b.links[i]
		if k.newer == i {
			b.oldest.Delete(k.key)
		} else if b.oldest.Get(k.key) == i {
			b.oldest.Set(k.key, k.newer)
		}
		b.links[k.newer].older, b.links[k.older].newer = k.older, k.newer
		*k = link{newer: b.unused}
		b.unused = i
	}
	e.links = nil
}

// each visits the movements under a key, the newest first.
func (b *book) each(key uint64, visit func(*entry)) {
	oldest := b.oldest.Get(key)
	if oldest == 0 {
		return
	}
	i := oldest
	for range crowd {
		i = b.links[i].older
		visit(b.links[i].e)
		if i == oldest {
			return
		}
	}
}

// thing is what transfers may have in common.
type thing struct {
	sum        uint64
	connection bool // by which alone names are not told
}

// keys of a transfer in the book, good until the next call.
func (b *book) keys(t *model.Transfer) []thing {
	b.things = b.things[:0]
	for _, n := range [...]string{t.Name, t.DispositionName} {
		b.named(t, n)
	}
	for _, n := range t.EarlierNames {
		b.named(t, n)
	}
	if t.SHA256 != "" {
		b.known("sha256", t.SHA256)
	}
	for i := range t.Hashes {
		b.known(t.Hashes[i].Alg, t.Hashes[i].Value)
	}
	if connected(t) {
		b.things = append(b.things, thing{b.connection(&t.Source, &t.Destination), true})
	}
	return b.things
}

// connection is the key of a connection and its direction.
func (b *book) connection(from, to *model.Endpoint) uint64 {
	b.text = append(b.text[:0], 'c', byte(from.Port), byte(from.Port>>8), byte(to.Port), byte(to.Port>>8))
	b.text = append(append(b.text, from.IP[:]...), to.IP[:]...)
	return maphash.Bytes(b.seed, b.text)
}

// key adds the key that the text is.
func (b *book) key() { b.things = append(b.things, thing{sum: maphash.Bytes(b.seed, b.text)}) }

func (b *book) known(alg, value string) {
	b.text = append(append(append(append(b.text[:0], 'h'), alg...), ':'), value...)
	b.key()
}

func (b *book) named(t *model.Transfer, name string) {
	if name == "" {
		return
	}
	b.text = appendLower(append(b.text[:0], 'n'), name)
	b.key()
	if t.Channel != "ftp" {
		return
	}
	if g := model.GarbledFTP(name); g != strings.ToLower(name) {
		b.text = append(append(b.text[:0], 'n'), g...)
		b.key()
	}
}

// appendLower appends the lower case of a text.
func appendLower(to []byte, text string) []byte {
	at := len(to)
	for i := range len(text) {
		c := text[i]
		if c >= 0x80 {
			return append(to[:at], strings.ToLower(text)...)
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		to = append(to, c)
	}
	return to
}

// eachName visits the names that a transfer goes by, until one is what is looked for.
func eachName(t *model.Transfer, found func(string) bool) bool {
	if t.Name != "" && found(t.Name) || t.DispositionName != "" && found(t.DispositionName) {
		return true
	}
	for _, n := range t.EarlierNames {
		if found(n) {
			return true
		}
	}
	return false
}

func anyName(string) bool { return true }

// connected says whether the connection of a transfer is known, and its direction.
func connected(t *model.Transfer) bool {
	return t.Source.Port != 0 && t.Destination.Port != 0 && t.Source.IP.Known() && t.Destination.IP.Known()
}

func sameConnection(o, t *model.Transfer) bool {
	return connected(o) && o.Source.Port == t.Source.Port && o.Destination.Port == t.Destination.Port &&
		o.Source.IP == t.Source.IP && o.Destination.IP == t.Destination.IP
}

// maker is whose log a piece of evidence is from: the host's, or the sensor's, which
// has no name in many logs and is told by the folder that they lie in.
type maker struct{ sensor, name string }

func makerOf(e *model.Evidence) maker {
	sensor := sensorOf(e)
	if sensor == "" || e.Computer != "" {
		return maker{sensor, e.Computer}
	}
	return maker{sensor, e.Input[:strings.LastIndexAny(e.Input, `/\!`)+1]}
}

// whose notes whose logs vouch for a movement, if it is not known yet.
func (b *book) whose(e *entry) {
	if e.told {
		return
	}
	e.told = true
	for i := range e.t.Evidence {
		m := makerOf(&e.t.Evidence[i])
		if m == (maker{}) {
			continue
		}
		id, ok := b.makers[m]
		if !ok {
			id = uint32(len(b.makers)) << 1
			b.makers[m] = id
		}
		if e.t.Tool != "" {
			id |= 1 // what commands asked for
		}
		e.vouches(id)
	}
}

func (e *entry) vouches(id uint32) {
	for _, w := range e.who {
		if w == id {
			return
		}
	}
	e.who = append(e.who, id)
}

// sensorOf is whose network sensor a piece of evidence is from, "" for hosts and packets.
func sensorOf(e *model.Evidence) string {
	switch {
	case strings.HasPrefix(e.Channel, "zeek/"):
		return "zeek"
	case strings.HasPrefix(e.Channel, "suricata/"):
		return "suricata"
	}
	return ""
}

// passedBy says whether a network sensor saw t pass.
func passedBy(t *model.Transfer) bool {
	for i := range t.Evidence {
		if sensorOf(&t.Evidence[i]) != "" {
			return true
		}
	}
	return false
}
