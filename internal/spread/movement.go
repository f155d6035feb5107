package spread

import (
	"encoding/binary"
	"hash/maphash"
	"strings"

	"waybill/internal/hashed"
	"waybill/internal/model"
)

// movement is one transfer of a content, or one file that a listing shows.
type movement struct {
	id          uint64 // of the transfer; the place in odd or in listed where kind says so
	start, end  model.Time
	from, to    uint32 // places; 0 where no record names one
	next        uint32 // of the same content
	sensor      uint32 // whose clock it was dated by
	kind        kind
	tie         tie
	rank        rank // of the record, the content apart
	interrupted bool
}

// kind is what a movement's id is.
type kind uint8

const (
	plain kind = iota // 16 digits
	oddID
	listing
)

// tie is how a movement is known to be of its content.
type tie uint8

const (
	tieHash      tie = iota
	tieHead          // 64 KiB or more, and the size
	tieShortHead     // 4 KiB and the size
	tieName          // name and size
	tieCall          // the name of a program that its source had
	tiePadded        // the longer of two with one beginning
	tieCut           // the shorter
)

// rank is how sure something is.
type rank uint8

const (
	low rank = iota
	medium
	high
)

func (r rank) String() string { return [...]string{"low", "medium", "high"}[r] }

// rank is how sure a tie is.
func (t tie) rank() rank {
	switch t {
	case tieHash, tieHead:
		return high
	case tieName, tieCall:
		return low
	}
	return medium
}

// doubt is the confidence of what no hash ties, "" of all else.
func (t tie) doubt() string {
	if t == tieHash {
		return ""
	}
	return t.rank().String()
}

// words of ties, as sightings have them.
func (t tie) String() string {
	return [...]string{"", "prefix", "prefix", "name", "name-only", "padded", "partial"}[t]
}

// certainty is how sure the record of a transfer is that the file went that way.
func certainty(t *model.Transfer) rank {
	r := high
	switch {
	case t.Completeness == model.Inferred && t.Operation != model.Copy || t.Confidence == "low":
		r = low
	case t.Confidence == "medium" || t.Status == model.Interrupted:
		r = medium
	}
	return r
}

// move puts a transfer down for its content.
func (b *Book) move(c uint32, t *model.Transfer, how tie, from, to uint32) {
	m := movement{start: begin(t), end: max(t.End, begin(t)), tie: how, rank: certainty(t), interrupted: t.Status == model.Interrupted,
		from: from, to: to, sensor: b.places.sensor(t.Evidence)}
	var ok bool
	if m.id, ok = numberOf("t-", t.ID); !ok {
		m.id, m.kind = uint64(len(b.odd)), oddID
		b.odd = append(b.odd, t.ID)
	}
	b.put(c, m)
}

// List takes a file that a listing shows on a host, and gives its key as Add does.
func (b *Book) List(l model.Listed) string {
	b.room()
	m := b.marks(l.Of)
	c, how, ok := b.find(&m, l.Of)
	if !ok {
		return ""
	}
	b.listed = append(b.listed, l)
	b.put(c, movement{id: uint64(len(b.listed) - 1), kind: listing, start: l.Time, end: l.Time, tie: how, rank: high,
		to: b.places.of(&l.Host), sensor: b.places.sensor(l.Evidence)})
	return b.key(c)
}

func (b *Book) put(c uint32, m movement) {
	x := &b.contents[c]
	x.seen = max(x.seen, m.end)
	if b.needless(c, &m) {
		b.forgotten.Movements++
		return
	}
	n := uint32(len(b.movements))
	b.movements = append(fitted(b.movements, b.set.Movements), m)
	if x.tail == 0 {
		x.head = n
	} else {
		b.movements[x.tail].next = n
	}
	x.tail = n
	x.count++
	if m.from == 0 && m.to != 0 && m.end != 0 {
		b.pending = append(b.pending, n)
	}
}

// transferID is the id of a movement's transfer.
func (b *Book) transferID(m *movement) string {
	switch m.kind {
	case oddID:
		return b.odd[m.id]
	case listing:
		return ""
	}
	return idOf("t-", m.id)
}

// places are the endpoints that files were seen at, by number.
type places struct {
	at      []place
	number  hashed.Index // by the digest of an endpoint
	hosts   map[string]uint32
	sensors map[string]uint32
	latest  clock // that was asked for
	seed    maphash.Seed
}

// clock is who dated records, and its number.
type clock struct {
	name   string
	number uint32
}

// place is one address of a host.
type place struct {
	endpoint
	key    string // of the host
	same   uint32 // the first place of the host, which stands for it
	digest uint64 // of the key
}

func (p *place) of() Host { return Host{p.key, p.digest} }

type endpoint struct {
	host string
	ip   model.Addr
}

func newPlaces(seed maphash.Seed) places {
	return places{seed: seed, at: make([]place, 1), hosts: map[string]uint32{}, sensors: map[string]uint32{}}
}

// hostKey is what a host is known by: its name where one is known, else its address.
func hostKey(e model.Endpoint) string {
	if e.Host != "" {
		return strings.ToLower(e.Host)
	}
	return e.IP.String()
}

// digest tells endpoints apart: a seed makes it useless to look for two with the same.
func (p *places) digest(e *model.Endpoint) uint64 {
	h := maphash.String(p.seed, e.Host)
	h = (h ^ binary.LittleEndian.Uint64(e.IP[:8])) * 0x9e3779b97f4a7c15
	return mixed(h ^ h>>32 ^ binary.LittleEndian.Uint64(e.IP[8:]))
}

// mixed has every bit of a number depend on all of them; no two numbers become one.
func mixed(n uint64) uint64 {
	n = (n ^ n>>32) * 0xd6e8feb86659fd93
	return n ^ n>>32
}

// of gives the number of an endpoint, 0 for one of which nothing is known.
func (p *places) of(e *model.Endpoint) uint32 {
	if e.Host == "" && !e.IP.Known() {
		return 0
	}
	k := p.digest(e)
	if n := p.number.Get(k); n != 0 {
		return n
	}
	n := uint32(len(p.at))
	key := hostKey(*e)
	host, ok := p.hosts[key]
	if !ok {
		host = n
		p.hosts[key] = n
	}
	if ok {
		key = p.at[host].key // one text for all places of the host
	}
	p.at = append(p.at, place{endpoint{e.Host, e.IP}, key, host, p.sum(key)})
	p.number.Set(k, n)
	return n
}

// sum stands for the key of a host; it is never 0.
func (p *places) sum(key string) uint64 { return maphash.String(p.seed, key) | 1 }

// name is how people call a host.
func (p *places) name(n uint32) string {
	e := p.at[n].endpoint
	return model.Endpoint{Host: e.host, IP: e.ip}.Name()
}

// mostSensors bounds the clocks that are told apart.
const mostSensors = 1 << 17

// sensor gives the number of who dated a record: the host or input of its first
// evidence; 0 where it is not known.
func (p *places) sensor(all []model.Evidence) uint32 {
	if len(all) == 0 {
		return 0
	}
	k := all[0].Input
	if c := all[0].Computer; c != "" {
		k = c
	}
	if k == p.latest.name && p.latest.number != 0 {
		return p.latest.number
	}
	n, ok := p.sensors[k]
	if !ok && len(p.sensors) < mostSensors {
		n = uint32(len(p.sensors) + 1)
		p.sensors[k] = n
	}
	p.latest = clock{k, n}
	return n
}
