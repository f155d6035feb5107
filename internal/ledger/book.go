package ledger

import (
	"hash/maphash"
	"slices"
	"strconv"
	"strings"

	"waybill/internal/identity"
	"waybill/internal/model"
)

// book finds transfers by what they may have in common at about the same time: a
// name, a hash, a connection. What has none of it in common is never compared, so
// the work grows with the transfers and not with their pairs.
type book struct {
	hosts *identity.Table
	seed  maphash.Seed
	first map[key]int32 // the last link of a key, 1 + its index
	links []link
}

// entry is one movement of the book.
type entry struct {
	t     *model.Transfer
	order int // in which they came: the best witness first
}

// key is one thing in common in one span of time.
type key struct {
	what uint64
	span int64
}

type link struct {
	e    *entry
	next int32
}

const (
	// maxSpans is how many spans a movement is put down in; a longer one goes into span
	// always.
	maxSpans = 64
	always   = -1 << 62
	// crowd bounds what is looked at of one key in one span.
	crowd = 1024
)

func newBook(hosts *identity.Table) *book {
	return &book{hosts: hosts, seed: maphash.MakeSeed(), first: map[key]int32{}}
}

// spans are those that a movement lies in, widened by some on either side.
func spans(t *model.Transfer, wider int64) (from, to int64) {
	return int64(begin(t)/Slack) - wider, int64(max(begin(t), t.End)/Slack) + wider
}

func (b *book) add(e *entry, t *model.Transfer) {
	from, to := spans(t, 0)
	if to-from >= maxSpans {
		from, to = always, always
	}
	for _, w := range b.keys(t) {
		for span := from; span <= to; span++ {
			b.put(key{w.sum, span}, e)
		}
	}
}

func (b *book) put(k key, e *entry) {
	last := b.first[k]
	if last != 0 && b.links[last-1].e == e {
		return
	}
	b.links = append(b.links, link{e, last})
	b.first[k] = int32(len(b.links))
}

// each visits what is in the book under a key at about the time of t.
func (b *book) each(what uint64, t *model.Transfer, visit func(*entry)) {
	from, to := spans(t, 1)
	if to-from > 2*maxSpans { // only its ends
		b.span(key{what, to - 1}, visit)
		b.span(key{what, to}, visit)
		to = from + maxSpans
	}
	for span := from; span <= to; span++ {
		b.span(key{what, span}, visit)
	}
	b.span(key{what, always}, visit)
}

func (b *book) span(k key, visit func(*entry)) {
	n := 0
	for i := b.first[k]; i != 0 && n < crowd; i = b.links[i-1].next {
		visit(b.links[i-1].e)
		n++
	}
}

// thing is what transfers may have in common.
type thing struct {
	sum        uint64
	connection bool // by which alone names are not told
}

// keys of a transfer in the book.
func (b *book) keys(t *model.Transfer) []thing {
	var out []thing
	for _, n := range names(t) {
		out = append(out, thing{sum: maphash.String(b.seed, "name:"+strings.ToLower(n))})
	}
	for _, n := range garbledNames(t) {
		out = append(out, thing{sum: maphash.String(b.seed, "name:"+n)})
	}
	for _, s := range sums(t) {
		out = append(out, thing{sum: maphash.String(b.seed, s)})
	}
	if c := connection(t); c != "" {
		out = append(out, thing{sum: maphash.String(b.seed, c), connection: true})
	}
	return out
}

// names that a transfer goes by.
func names(t *model.Transfer) []string {
	var out []string
	for _, n := range [...]string{t.Name, t.DispositionName} {
		if n != "" {
			out = append(out, n)
		}
	}
	return append(out, t.EarlierNames...)
}

// connection names the connection of a transfer and its direction, "" where a port is
// not known.
func connection(t *model.Transfer) string {
	s, d := &t.Source, &t.Destination
	if s.Port == 0 || d.Port == 0 || !s.IP.Known() || !d.IP.Known() {
		return ""
	}
	return s.IP.String() + " " + strconv.Itoa(int(s.Port)) + " " + d.IP.String() + " " + strconv.Itoa(int(d.Port))
}

// sums are the hashes of the content, by whoever's word.
func sums(t *model.Transfer) []string {
	var out []string
	if t.SHA256 != "" {
		out = append(out, "sha256:"+t.SHA256)
	}
	for _, h := range t.Hashes {
		if s := h.Alg + ":" + h.Value; !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// find gives the movement that t is an observation of: the nearest in time that has a
// name or hash in common, else the nearest of its connection.
func (b *book) find(t *model.Transfer) *entry {
	if rank(t) == 0 {
		return nil // a packet decoder has joined what is one
	}
	var named, connected nearest
	for _, k := range b.keys(t) {
		b.each(k.sum, t, func(e *entry) {
			switch {
			case !b.same(e.t, t):
			case !k.connection:
				named.offer(e, t)
			case sameContent(e.t, t):
				connected.offer(e, t)
			}
		})
	}
	if named.e != nil {
		return named.e
	}
	if connected.e != nil && (connected.others == 0 || sized(connected.e.t, t)) {
		return connected.e
	}
	return b.onlyOne(t)
}

// nearest is the best of what was offered.
type nearest struct {
	e      *entry
	others int
}

func (n *nearest) offer(e *entry, t *model.Transfer) {
	if n.e == e {
		return
	}
	if n.e != nil {
		n.others++
		if d, best := apart(e.t, t), apart(n.e.t, t); d > best || d == best && e.order > n.e.order {
			return
		}
	}
	n.e = e
}

// alike says whether two records agree in all but their ends.
func (b *book) alike(o, t *model.Transfer) bool {
	if apart(o, t) > Slack || !sameChannel(o, t) || otherConnection(o, t) || conflict(o, t) || toldApart(o, t) {
		return false
	}
	return o.Operation == "" || t.Operation == "" || o.Operation == t.Operation || o.Operation != model.Copy && t.Operation != model.Copy
}

func (b *book) same(o, t *model.Transfer) bool {
	if !b.alike(o, t) {
		return false
	}
	at := begin(t)
	src, srcKnown := b.hosts.Same(o.Source, t.Source, at)
	dst, dstKnown := b.hosts.Same(o.Destination, t.Destination, at)
	return src && dst && (srcKnown || dstKnown)
}

// otherConnection says whether two are of different connections. FTP and TFTP have one
// for what is asked and others for the data; what went over several is of all of them.
func otherConnection(o, t *model.Transfer) bool {
	a, c := connection(o), connection(t)
	if a == "" || c == "" || a == c || len(o.CommunityID) > 1 || len(t.CommunityID) > 1 {
		return false
	}
	return family(o.Channel) == "smb" || family(o.Channel) == "http" || o.Channel == "nfs"
}

// toldApart says whether the logs of one host or sensor gave both: they were told apart
// there, unless one is what a command asked for and the other what came of it.
func toldApart(o, t *model.Transfer) bool {
	if (o.Tool == "") != (t.Tool == "") {
		return false
	}
	for _, a := range o.Evidence {
		for _, c := range t.Evidence {
			if who := witness(a); who != "" && who == witness(c) {
				return true
			}
		}
	}
	return false
}

// witness is whose log a piece of evidence is from: the host's, or the sensor's, which
// has no name in many logs and is told by the folder that they lie in.
func witness(e model.Evidence) string {
	maker := sensorOf(e)
	switch {
	case maker == "":
		return e.Computer
	case e.Computer != "":
		return maker + " of " + e.Computer
	}
	return maker + " in " + e.Input[:strings.LastIndexAny(e.Input, "/\\!")+1]
}

// sensorOf is whose network sensor a piece of evidence is from, "" for hosts and packets.
func sensorOf(e model.Evidence) string {
	maker, _, _ := strings.Cut(e.Channel, "/")
	if maker == "zeek" || maker == "suricata" {
		return maker
	}
	return ""
}

// passedBy says whether a network sensor saw t pass.
func passedBy(t *model.Transfer) bool {
	return slices.ContainsFunc(t.Evidence, func(e model.Evidence) bool { return sensorOf(e) != "" })
}

// sameContent says whether two that one connection carried may be the same: sizes
// that are known are equal, and so are names, if both can be believed. A sensor may
// garble one that is not ASCII.
func sameContent(o, t *model.Transfer) bool {
	if sized(o, t) && *o.Size != *t.Size && (o.WireSize == nil || *o.WireSize != *t.Size) {
		return false
	}
	a, c := names(o), names(t)
	if len(a) == 0 || len(c) == 0 {
		return true
	}
	return sized(o, t) && (!slices.ContainsFunc(a, ascii) || !slices.ContainsFunc(c, ascii))
}

// sized says whether the size of both is known and that of all of it.
func sized(o, t *model.Transfer) bool {
	whole := func(x *model.Transfer) bool {
		return x.Size != nil && x.Completeness != model.Partial && (x.SensorComplete == nil || *x.SensorComplete)
	}
	return whole(o) && whole(t)
}

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 })
}
