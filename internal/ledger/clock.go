package ledger

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"waybill/internal/identity"
	"waybill/internal/model"
)

// The clocks of two witnesses are compared by what both surely saw: content, or a
// connection, or a name, that each of them has once between these hosts. What comes
// again, as a job's files each hour do, tells no clock.

const (
	// fewest is how many such pairs it takes; manyNames how many where nothing but names
	// agrees and the offset is more than near, since names come again more easily.
	fewest    = 5
	manyNames = 8
	near      = 10 * 60e9
	// farthest is the largest error that is believed: half a day of zones and some.
	farthest = 15 * 3600e9
	// agreed is how near its median a pair must be to agree, and most of them must.
	agreed = 30e9
	// usual is what lies between the ways to see a movement by right clocks.
	usual = 5e9
	// sampled bounds what is looked at of one run.
	sampled = 1 << 19
)

// Clocks are the errors of the clocks of hosts and sensors.
type Clocks struct {
	off    map[maker]model.Time // ahead of the clock of all
	Errors []model.ClockError
}

// packetClock is the sensor of makers whose clock stamped packets, by their folder.
const packetClock = "packets"

// clockOf is whose clock dated an observation.
func clockOf(evidence []model.Evidence) maker {
	if len(evidence) == 0 {
		return maker{}
	}
	e := &evidence[0]
	if e.Kind == "packets" {
		return maker{packetClock, e.Input[:strings.LastIndexAny(e.Input, `/\!`)+1]}
	}
	m := makerOf(e)
	m.name = strings.ToLower(m.name)
	return m
}

func (m maker) String() string { return strings.TrimSpace(m.sensor + " " + m.name) }

// shift is what is added to the times of what the evidence shows.
func (c *Clocks) shift(evidence []model.Evidence) model.Time {
	if c == nil || len(c.off) == 0 {
		return 0
	}
	return -c.off[clockOf(evidence)]
}

// Ahead is how far the clock of a host's logs is known to be ahead.
func (c *Clocks) Ahead() map[string]model.Time {
	out := map[string]model.Time{}
	for m, off := range c.off {
		if m.sensor == "" && off != 0 {
			out[m.name] = off
		}
	}
	return out
}

// dated is a movement and the clock that dated it, by its number.
type dated struct {
	clock int32
	t     *model.Transfer
}

// thingSeen is a key and what kind of thing it is.
type thingSeen struct {
	key  uint64
	name bool // nothing but a name
}

// Measure estimates the errors of the clocks of observations, all of them, in any order.
// Ends are completed.
func Measure(all []*model.Transfer, hosts *identity.Table) *Clocks {
	numbers := map[maker]int32{}
	for _, t := range all {
		numbers[clockOf(t.Evidence)] = 0
	}
	delete(numbers, maker{})
	if len(numbers) < 2 {
		return &Clocks{}
	}
	clocks := slices.SortedFunc(maps.Keys(numbers), func(a, b maker) int {
		return cmp.Or(strings.Compare(a.sensor, b.sensor), strings.Compare(a.name, b.name))
	})
	for i, m := range clocks {
		numbers[m] = int32(i)
	}
	seen := map[thingSeen][]dated{}
	every := uint64(1 + len(all)/sampled)
	for _, t := range all {
		clock, known := numbers[clockOf(t.Evidence)]
		if !known || rank(t) == ranks-1 || t.Tool != "" {
			continue // an effect, or a command, is dated as itself
		}
		hosts.Ends(&t.Source, &t.Destination, begin(t))
		for _, k := range sureKeys(t) {
			if k.key%every == 0 {
				seen[k] = append(seen[k], dated{clock, t})
			}
		}
	}
	return solve(compare(seen), clocks)
}

// sureKeys are the things by which a movement is told from all others of its hosts.
func sureKeys(t *model.Transfer) []thingSeen {
	keys := make([]thingSeen, 0, 4)
	from, to := endKey(t.Source), endKey(t.Destination)
	if from == "" && to == "" {
		return nil
	}
	if t.SHA256 != "" {
		keys = append(keys, thingSeen{digest("h", "sha256", t.SHA256, from, to), false})
	}
	for i := range t.Hashes {
		h := &t.Hashes[i]
		keys = union(keys, thingSeen{digest("h", h.Alg, h.Value, from, to), false})
	}
	if t.Name == "" {
		return keys
	}
	name := strings.ToLower(t.Name)
	if port := clientPort(t); port != "" {
		keys = append(keys, thingSeen{digest("c", port, name, from, to), false})
	}
	return append(keys, thingSeen{digest("n", name, from, to), true})
}

// clientPort is the port of the end that opened the exchange: the other one is the
// service's.
func clientPort(t *model.Transfer) string {
	e := t.Source
	if t.Initiator == model.ByDestination {
		e = t.Destination
	}
	if e.Port < 1024 {
		return ""
	}
	return string([]byte{byte(e.Port), byte(e.Port >> 8)})
}

func endKey(e model.Endpoint) string {
	if e.Host != "" {
		return identity.Bare(e.Host)
	}
	return e.IP.String()
}

// digest is the same in every run: samples are drawn by it (FNV-1a).
func digest(parts ...string) uint64 {
	h := uint64(14695981039346656037)
	for _, p := range parts {
		for i := range len(p) {
			h = (h ^ uint64(p[i])) * 1099511628211
		}
		h = (h ^ 0xff) * 1099511628211
	}
	return h
}

// two are two clocks, in the order of their names.
type two struct{ a, b int32 }

// offsets are how much later the second clock dated one movement than the first.
type offsets struct{ sure, named []model.Time }

// compare pairs what two clocks have once each.
func compare(seen map[thingSeen][]dated) map[two]*offsets {
	out := map[two]*offsets{}
	counted := map[[2]*model.Transfer]bool{}
	for k, list := range seen {
		once := only(list)
		for i, x := range once {
			for _, y := range once[i+1:] {
				d := begin(y.t) - begin(x.t)
				if max(d, -d) > farthest || !sameChannel(x.t, y.t) || lasting(x.t) || lasting(y.t) {
					continue
				}
				p := out[two{x.clock, y.clock}]
				if p == nil {
					p = &offsets{}
					out[two{x.clock, y.clock}] = p
				}
				if k.name {
					p.named = append(p.named, d)
				} else if pair := [2]*model.Transfer{x.t, y.t}; !counted[pair] {
					counted[pair] = true
					p.sure = append(p.sure, d)
				}
			}
		}
	}
	return out
}

// only gives what clocks dated once, in the order of the clocks.
func only(list []dated) []dated {
	slices.SortFunc(list, func(a, b dated) int {
		if a.clock != b.clock {
			return cmp.Compare(a.clock, b.clock)
		}
		return cmp.Or(strings.Compare(a.t.ID, b.t.ID), cmp.Compare(begin(a.t), begin(b.t)))
	})
	list = slices.CompactFunc(list, func(a, b dated) bool { return again(a.t, b.t) })
	var out []dated
	for i, x := range list {
		if (i == 0 || list[i-1].clock != x.clock) && (i+1 == len(list) || list[i+1].clock != x.clock) {
			out = append(out, x)
		}
	}
	return out
}

// lasting says whether a movement took so long that it depends what of it was dated.
func lasting(t *model.Transfer) bool { return t.End-begin(t) > agreed }

// estimate gives the offset of two clocks, its spread, and of how many pairs; ok is
// false where they are too few, or agree too little.
func (p *offsets) estimate() (offset, spread model.Time, pairs int, ok bool) {
	if len(p.sure) >= fewest {
		if offset, spread, ok = middle(p.sure); ok {
			return offset, spread, len(p.sure), true
		}
	}
	offset, spread, ok = middle(p.named)
	return offset, spread, len(p.named), ok && (len(p.named) >= manyNames || len(p.named) >= fewest && max(offset, -offset) <= near)
}

// middle is the median, and the median of the distances to it.
func middle(all []model.Time) (median, spread model.Time, ok bool) {
	if len(all) == 0 {
		return 0, 0, false
	}
	slices.Sort(all)
	median = all[len(all)/2]
	away := make([]model.Time, len(all))
	agree := 0
	for i, d := range all {
		away[i] = max(d-median, median-d)
		if away[i] <= agreed {
			agree++
		}
	}
	slices.Sort(away)
	return median, away[len(away)/2], 3*agree >= 2*len(all)
}

// edge is what is known of two clocks: the second is ahead of the first.
type edge struct {
	two
	offset model.Time
	pairs  int
}

// solve sets all clocks against one: that of packets where there are any, else the one
// that most pairs are of. The surest offsets count first.
func solve(found map[two]*offsets, clocks []maker) *Clocks {
	c := &Clocks{off: map[maker]model.Time{}}
	var edges []edge
	weight := make([]int, len(clocks))
	for w, p := range found {
		offset, spread, n, ok := p.estimate()
		if !ok {
			continue
		}
		c.Errors = append(c.Errors, model.ClockError{A: clocks[w.a].String(), B: clocks[w.b].String(), Offset: seconds(offset), Spread: seconds(spread), Pairs: n})
		if max(offset, -offset) <= usual {
			offset = 0
		}
		edges = append(edges, edge{w, offset, n})
		weight[w.a] += n
		weight[w.b] += n
	}
	slices.SortFunc(c.Errors, func(x, y model.ClockError) int { return cmp.Or(strings.Compare(x.A, y.A), strings.Compare(x.B, y.B)) })
	slices.SortFunc(edges, func(x, y edge) int { return cmp.Or(y.pairs-x.pairs, cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b)) })
	groups := newGroups(len(clocks))
	for _, e := range edges {
		groups.join(e)
	}
	by := map[int32]int32{} // the clock that those of a group are set by
	for i := range clocks {
		root, _ := groups.root(int32(i))
		best, known := by[root]
		if !known || better(clocks[i], clocks[best], weight[i], weight[best]) {
			by[root] = int32(i)
		}
	}
	for i, m := range clocks {
		root, off := groups.root(int32(i))
		if _, its := groups.root(by[root]); off != its {
			c.off[m] = off - its
		}
	}
	return c
}

// groups are clocks that were compared, each with how far it is ahead of the next one
// on the way to the first of its group.
type groups struct {
	next  []int32
	ahead []model.Time
}

func newGroups(n int) *groups {
	g := &groups{make([]int32, n), make([]model.Time, n)}
	for i := range g.next {
		g.next[i] = int32(i)
	}
	return g
}

// root is the first clock of the group, and how far a clock is ahead of it.
func (g *groups) root(i int32) (first int32, ahead model.Time) {
	if g.next[i] == i {
		return i, 0
	}
	first, ahead = g.root(g.next[i])
	g.next[i], g.ahead[i] = first, g.ahead[i]+ahead
	return first, g.ahead[i]
}

// join puts the groups of two clocks together, if they are two.
func (g *groups) join(e edge) {
	a, aheadA := g.root(e.a)
	b, aheadB := g.root(e.b)
	if a != b {
		g.next[b], g.ahead[b] = a, aheadA+e.offset-aheadB
	}
}

// better says whether a clock is a better one to set others by.
func better(m, than maker, n, thanN int) bool {
	if p, q := m.sensor == packetClock, than.sensor == packetClock; p != q {
		return p
	}
	if n != thanN {
		return n > thanN
	}
	return m.String() < than.String()
}

func seconds(t model.Time) float64 { return float64(t/1e6) / 1e3 }
