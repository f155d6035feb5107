package spread

import (
	"slices"

	"waybill/internal/hashed"
	"waybill/internal/model"
)

// After crowd movements of one content, only those that bring it to another host are
// kept; after mostHolders, none: what that many have is everyday software.
const (
	crowd       = 64
	mostHolders = 4096
)

// What a content counts younger than it was last seen when room is made: documents that
// two hosts exchange are forgotten first, what findings name last.
const (
	day          model.Time = 24 * 3600e9
	forPassedOn             = day
	forProgram              = 7 * day
	forSpreading            = 21 * day
	forKept                 = 1000 * day
)

// Keep has the content of a transfer outlive others: somebody will ask for its artifact.
func (b *Book) Keep(t *model.Transfer) {
	m := b.marks(t)
	if c, _ := b.known(&m, t); c != 0 {
		b.contents[c].kept = true
	}
}

// needless says whether a movement adds nothing that the book has room for.
func (b *Book) needless(c uint32, m *movement) bool {
	x := &b.contents[c]
	if b.set.All || x.count < crowd {
		return false
	}
	if x.crowded == 0 {
		b.count(c)
	}
	to := b.places.at[m.to].same
	k := heldBy(c, to)
	if m.to == 0 || b.holders.Get(k) != 0 || x.crowded >= mostHolders {
		return true
	}
	b.holders.Set(k, c)
	x.crowded++
	return false
}

// heldBy is the key of a content and a host that has it.
func heldBy(c, host uint32) uint64 { return mixed(uint64(c)<<32 | uint64(host)) }

// count notes the holders of a content that many movements carried.
func (b *Book) count(c uint32) {
	for n := b.contents[c].head; n != 0; n = b.movements[n].next {
		m := &b.movements[n]
		for _, place := range [...]uint32{m.from, m.to} {
			b.holders.Set(heldBy(c, b.places.at[place].same), c)
		}
	}
	b.contents[c].crowded = 1
}

// room lets go of the less telling half when the book is full.
func (b *Book) room() {
	if b.set.All || len(b.contents) <= b.set.Contents && len(b.movements) <= b.set.Movements {
		return
	}
	stay := b.staying()
	moved := b.packMovements(stay)
	numbers := b.packContents(stay, moved)
	b.packLeads(moved)
	b.packPlaces()
	b.index.Renumber(func(c uint32) uint32 { return numbers[c] })
	for k, c := range b.given {
		if numbers[c] == 0 {
			delete(b.given, k)
			continue
		}
		b.given[k] = numbers[c]
	}
	b.holders = hashed.Index{}
	for c := range b.contents {
		if b.contents[c].crowded > 0 {
			crowded := b.contents[c].crowded
			b.count(uint32(c))
			b.contents[c].crowded = crowded
		}
	}
}

// fitted gives a list whose room is used up no more than most and one take, where append
// would give it a quarter more than it has.
func fitted[T any](all []T, most int) []T {
	if n := len(all); n < cap(all) || n > most || n+n/4 <= most {
		return all
	}
	return append(make([]T, 0, most+1), all...)
}

// worth is when a content was last seen, as if what matters more were younger.
func (x *content) worth() model.Time {
	w := x.seen
	switch {
	case x.kept:
		w += forKept
	case x.document && x.count > 1:
		w += forPassedOn
	case x.document:
	case x.count > 1 && x.crowded < mostHolders/4:
		w += forSpreading
	default:
		w += forProgram
	}
	return w
}

// staying says which contents stay, those of a group together: the ones worth most, up
// to half of each bound.
func (b *Book) staying() []bool {
	type group struct {
		root  uint32
		worth model.Time
	}
	worth, contents, movements := make([]model.Time, len(b.contents)), make([]uint32, len(b.contents)), make([]uint32, len(b.contents))
	for c := 1; c < len(b.contents); c++ {
		g := b.group(uint32(c))
		worth[g] = max(worth[g], b.contents[c].worth())
		contents[g]++
		movements[g] += b.contents[c].count
	}
	var groups []group
	for c := range b.contents {
		if contents[c] > 0 {
			groups = append(groups, group{uint32(c), worth[c]})
		}
	}
	slices.SortFunc(groups, func(x, y group) int {
		if x.worth != y.worth {
			return int(min(max(y.worth-x.worth, -1), 1))
		}
		return int(y.root) - int(x.root)
	})
	stay := make([]bool, len(b.contents))
	left, leftOfMoves := b.set.Contents/2, b.set.Movements/2
	for _, g := range groups {
		left, leftOfMoves = left-int(contents[g.root]), leftOfMoves-int(movements[g.root])
		if left < 0 || leftOfMoves < 0 {
			break
		}
		stay[g.root] = true
	}
	for c := range stay {
		stay[c] = c > 0 && stay[b.group(uint32(c))]
	}
	return stay
}

// packMovements closes the gaps between the movements that stay, and gives their new
// numbers.
func (b *Book) packMovements(stay []bool) []uint32 {
	moved := make([]uint32, len(b.movements))
	for c := range b.contents {
		for n := b.contents[c].head; stay[c] && n != 0; n = b.movements[n].next {
			moved[n] = 1
		}
	}
	next := uint32(1)
	for n := range moved {
		if moved[n] != 0 {
			moved[n] = next
			b.movements[next] = b.movements[n]
			next++
		}
	}
	b.movements = b.movements[:next]
	for n := range b.movements {
		b.movements[n].next = moved[b.movements[n].next]
	}
	return moved
}

// packContents does so for contents.
func (b *Book) packContents(stay []bool, moved []uint32) []uint32 {
	numbers := make([]uint32, len(b.contents))
	next := uint32(1)
	for c := range stay {
		if stay[c] {
			numbers[c] = next
			next++
		}
	}
	for c := range stay {
		if !stay[c] {
			continue
		}
		x := b.contents[c]
		x.head, x.tail, x.same, x.like = moved[x.head], moved[x.tail], numbers[x.same], numbers[x.like]
		b.contents[numbers[c]] = x
	}
	b.forgotten.Contents += int64(len(b.contents)) - int64(next)
	b.contents = b.contents[:next]
	return numbers
}

// packLeads keeps what is known of movements that stay.
func (b *Book) packLeads(moved []uint32) {
	b.leads = slices.DeleteFunc(b.leads, func(l lead) bool { return moved[l.movement] == 0 })
	for i := range b.leads {
		b.leads[i].movement = moved[b.leads[i].movement]
	}
	b.pending = slices.DeleteFunc(slices.Clone(b.pending), func(n uint32) bool { return moved[n] == 0 })
	for i := range b.pending {
		b.pending[i] = moved[b.pending[i]]
	}
}

// packPlaces forgets endpoints that nothing names any more, once there are more than
// movements could name.
func (b *Book) packPlaces() {
	p := &b.places
	if len(p.at) <= b.set.Movements {
		return
	}
	used := make([]uint32, len(p.at))
	use := func(n uint32) { used[n], used[p.at[n].same] = 1, 1 }
	for i := range b.movements {
		use(b.movements[i].from)
		use(b.movements[i].to)
	}
	for i := range b.contacts.ring {
		use(b.contacts.ring[i].ends[0])
		use(b.contacts.ring[i].ends[1])
	}
	for i := range b.leads {
		use(b.leads[i].host)
	}
	fresh := newPlaces(p.seed)
	fresh.sensors = p.sensors
	for n := 1; n < len(p.at); n++ {
		if used[n] != 0 {
			used[n] = fresh.of(&model.Endpoint{Host: p.at[n].host, IP: p.at[n].ip})
		}
	}
	used[0] = 0
	b.places, b.latest.t = fresh, nil
	b.rename(used)
}

// rename gives places their new numbers everywhere.
func (b *Book) rename(numbers []uint32) {
	for i := range b.movements {
		m := &b.movements[i]
		m.from, m.to = numbers[m.from], numbers[m.to]
	}
	for i := range b.leads {
		b.leads[i].host = numbers[b.leads[i].host]
	}
	c := &b.contacts
	for i := range c.ring {
		for side, n := range c.ring[i].ends {
			c.ring[i].ends[side] = numbers[n]
		}
	}
	last := make([]uint64, len(b.places.at))
	for host, n := range c.last {
		if numbers[host] != 0 {
			last[numbers[host]] = n
		}
	}
	c.last = last
}
