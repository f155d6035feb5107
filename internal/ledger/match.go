package ledger

import (
	"hash/maphash"
	"strings"

	"waybill/internal/model"
)

// find gives the movement that t is an observation of: the nearest that has a name or
// hash in common, else the nearest of its connection.
func (b *book) find(t *entry, keys []thing) *entry {
	var named, conn nearest
	for _, k := range keys {
		b.each(k.sum, func(e *entry) {
			switch {
			case !b.same(e, t):
			case !k.connection:
				named.offer(e, t)
			case sameContent(e.t, t.t):
				conn.offer(e, t)
			}
		})
	}
	if named.e != nil {
		return named.e
	}
	if conn.e != nil && (conn.others == 0 || sized(conn.e.t) && sized(t.t)) {
		return conn.e
	}
	return b.onlyOne(t, keys)
}

// turned gives the movement of which t says that it went the other way: the only one of
// that connection, name and content, or size, that a better witness saw.
func (b *book) turned(t *entry) *entry {
	if !connected(t.t) || t.t.Name == "" {
		return nil
	}
	var one nearest
	b.each(b.connection(&t.t.Destination, &t.t.Source), func(e *entry) {
		if e.rank < t.rank && strings.EqualFold(e.t.Name, t.t.Name) && alikeness(e.t, t.t) > 0 && apart(e, t) <= Slack && !b.toldApart(e, t) {
			one.offer(e, t)
		}
	})
	if one.others > 0 {
		return nil
	}
	return one.e
}

// turn takes an observation for one of the other direction.
func (e *entry) turn(x *entry) {
	way := func(t *model.Transfer) string {
		return "from " + t.Source.IP.String() + " to " + t.Destination.IP.String()
	}
	e.contradicts("direction: " + called(firstEvidence(e.t)) + " says " + way(e.t) + ", " + called(firstEvidence(x.t)) + " says " + way(x.t))
	x.t.Source, x.t.Destination = x.t.Destination, x.t.Source
	x.t.Operation, x.t.Initiator = "", ""
}

// nearest is the best of what was offered: of the same content before of one that is
// not known to be the same, then near in time.
type nearest struct {
	e      *entry
	others int
	alike  int
	apart  model.Time
}

func (n *nearest) offer(e, t *entry) {
	if n.e == e {
		return
	}
	alike, d := alikeness(e.t, t.t), apart(e, t)
	if n.e != nil {
		n.others++
		if alike < n.alike || alike == n.alike && (d > n.apart || d == n.apart && n.e.before(e)) {
			return
		}
	}
	n.e, n.alike, n.apart = e, alike, d
}

// alikeness is how sure it is that two have one content: 2 by hash, 1 by size, -1 where
// sizes differ.
func alikeness(o, t *model.Transfer) int {
	switch known, equal := compareSums(o, t); {
	case known && equal:
		return 2
	case !sized(o) || !sized(t):
		return 0
	case sameSize(o, t):
		return 1
	}
	return -1
}

// apart is the time between a movement and an observation that looks for its own.
func apart(o, t *entry) model.Time { return max(0, o.from-t.reach, t.from-o.to) }

// alike says whether two records agree in all but their ends.
func (b *book) alike(o, t *entry) bool {
	return apart(o, t) <= Slack && sameChannel(o.t, t.t) && !otherConnection(o.t, t.t) && !otherContent(o.t, t.t) &&
		!b.toldApart(o, t) && sameWay(o.t.Operation, t.t.Operation)
}

func sameWay(a, c string) bool {
	return a == c || a == "" || c == "" || a != model.Copy && c != model.Copy
}

// otherEnds is a quick look at whether hosts differ, as far as their names tell all.
func (b *book) otherEnds(o, t *entry) bool {
	b.callEnds(o)
	b.callEnds(t)
	return other(o.source, t.source, &o.t.Source, &t.t.Source) || other(o.destination, t.destination, &o.t.Destination, &t.t.Destination)
}

func other(a, c uint64, x, y *model.Endpoint) bool {
	return a != 0 && c != 0 && a != c && x.IP != y.IP
}

// callEnds makes numbers of the names of the ends; 0 is of a name that does not tell.
func (b *book) callEnds(e *entry) {
	if e.called {
		return
	}
	e.called = true
	e.source, e.destination = b.number(e.t.Source.Host), b.number(e.t.Destination.Host)
}

func (b *book) number(host string) uint64 {
	if host == "" || !b.hosts.Telling(host) {
		return 0
	}
	bare, _, _ := strings.Cut(host, ".")
	b.text = appendLower(b.text[:0], bare)
	return maphash.Bytes(b.seed, b.text) | 1
}

func (b *book) same(o, t *entry) bool {
	if o == t || apart(o, t) > Slack {
		return false
	}
	policy := ofDomain(&o.t.Source, &t.t.Source) || ofDomain(&t.t.Source, &o.t.Source)
	if !policy && b.otherEnds(o, t) || !b.alike(o, t) {
		return false
	}
	at := begin(t.t)
	src, srcKnown := b.hosts.Same(o.t.Source, t.t.Source, at)
	if !src && !policy {
		return false
	}
	srcKnown = srcKnown && !policy
	dst, dstKnown := b.hosts.Same(o.t.Destination, t.t.Destination, at)
	return dst && (srcKnown || dstKnown)
}

// compareSums compares the hashes of two contents: whether both have one of a kind,
// and whether one is equal.
func compareSums(o, t *model.Transfer) (known, equal bool) {
	compare := func(alg, value string) {
		if alg == "sha256" && o.SHA256 != "" {
			known, equal = true, equal || o.SHA256 == value
		}
		for i := range o.Hashes {
			if h := &o.Hashes[i]; h.Alg == alg {
				known, equal = true, equal || h.Value == value
			}
		}
	}
	if t.SHA256 != "" {
		compare("sha256", t.SHA256)
	}
	for i := range t.Hashes {
		compare(t.Hashes[i].Alg, t.Hashes[i].Value)
	}
	return known, equal
}

// otherContent says whether two contents are known to differ. One of the same name may
// have been written anew between two movements; where both are said of one connection
// and name it is one movement, and a witness is wrong.
func otherContent(o, t *model.Transfer) bool {
	known, equal := compareSums(o, t)
	return known && !equal && !(sameConnection(o, t) && o.Name != "" && strings.EqualFold(o.Name, t.Name))
}

// sameChannel compares channels: logs seldom tell the dialect of SMB, a download by BITS
// or by WebDAV is HTTP on the wire, and some are no more than supposed.
func sameChannel(o, t *model.Transfer) bool {
	if o.Channel == t.Channel {
		return true
	}
	a, c := model.ChannelFamily(o.Channel), model.ChannelFamily(t.Channel)
	return a == c || a == "unknown" || c == "unknown" || supposed(o) || supposed(t)
}

// supposed says whether the channel of a movement is what is usual: a start on a host alone
// showed that the file came.
func supposed(t *model.Transfer) bool {
	return t.Channel == "smb" && t.Completeness == model.Inferred && t.Share == "" && t.Start == 0
}

// otherConnection says whether two are of different connections. FTP and TFTP have one
// for what is asked and others for the data; what went over several is of all of them.
func otherConnection(o, t *model.Transfer) bool {
	if !connected(o) || !connected(t) || sameConnection(o, t) || len(o.CommunityID) > 1 || len(t.CommunityID) > 1 {
		return false
	}
	f := model.ChannelFamily(o.Channel)
	return f == "smb" || f == "http" || f == "nfs"
}

// toldApart says whether the logs of one host or sensor gave both: they were told apart
// there, unless one is what a command asked for and the other what came of it.
func (b *book) toldApart(o, t *entry) bool {
	b.whose(o)
	b.whose(t)
	for _, a := range o.who {
		for _, c := range t.who {
			if a == c {
				return true
			}
		}
	}
	return false
}

// sameContent says whether two that one connection carried may be the same: sizes
// that are known are equal, and so are names, if both can be believed. A sensor may
// garble one that is not ASCII.
func sameContent(o, t *model.Transfer) bool {
	both := sized(o) && sized(t)
	if both && !sameSize(o, t) {
		return false
	}
	if !eachName(o, anyName) || !eachName(t, anyName) {
		return true
	}
	return both && (!eachName(o, ascii) || !eachName(t, ascii))
}

// sized says whether the size of a transfer is known and that of all of it.
func sized(t *model.Transfer) bool {
	return t.Size != nil && t.Completeness != model.Partial && (t.SensorComplete == nil || *t.SensorComplete)
}

// sameSize compares sizes: of what the file was, or of what was sent for it.
func sameSize(o, t *model.Transfer) bool {
	return *o.Size == *t.Size || o.WireSize != nil && *o.WireSize == *t.Size || t.WireSize != nil && *t.WireSize == *o.Size
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
