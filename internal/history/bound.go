package history

import (
	"cmp"
	"slices"

	"waybill/internal/hashed"
	"waybill/internal/model"
)

// faint is what a use counts that is forgotten: once seen, and six half-lives ago.
const faint = 1.0 / 64

// fade forgets what counts next to nothing by the time of the last use.
func (n *Normal) fade() {
	n.Forget(func(_ *Entry, u Use) bool { return u.Count < faint })
}

// Forget drops the uses of which it is said, with their counts as they are worth at the
// time of the last use. It gives how many there were.
func (n *Normal) Forget(which func(e *Entry, faded Use) bool) int {
	var drop []key
	for k, u := range n.uses {
		e := n.entry(k, u)
		worth := u.use()
		worth.Count = u.faded(n.last, n.HalfLife)
		if which(&e, worth) {
			drop = append(drop, k)
		}
	}
	n.drop(drop)
	return len(drop)
}

func compareKeys(x, y key) int {
	return cmp.Or(cmp.Compare(x.kind, y.kind), cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b), cmp.Compare(x.c, y.c))
}

// shrink keeps so many uses: those that count least go first, of equals the oldest.
func (n *Normal) shrink(most int) {
	if most <= 0 || len(n.uses) <= most {
		return
	}
	type weighed struct {
		key
		worth float32
		last  uint32
	}
	all := make([]weighed, 0, len(n.uses))
	for k, u := range n.uses {
		all = append(all, weighed{k, u.faded(n.last, n.HalfLife), u.last})
	}
	slices.SortFunc(all, func(x, y weighed) int {
		return cmp.Or(cmp.Compare(x.worth, y.worth), cmp.Compare(x.last, y.last), compareKeys(x.key, y.key))
	})
	drop := make([]key, 0, len(all)-most)
	for _, w := range all[:len(all)-most] {
		drop = append(drop, w.key)
	}
	n.drop(drop)
}

// drop forgets uses, and names that are none any more when they are more than half.
func (n *Normal) drop(keys []key) {
	for _, k := range keys {
		delete(n.uses, k)
		n.unpeer(k)
		if !n.rewrite {
			n.gone = append(n.gone, k)
		}
	}
	if len(keys) > 0 {
		n.compact()
	}
}

func (n *Normal) unpeer(id key) {
	k := key{id.a, id.b, 0, id.kind}
	switch n.peers[k] {
	case 0:
	case 1:
		delete(n.peers, k)
	default:
		n.peers[k]--
	}
}

// compact numbers the names anew when most of them are of no use. All has to be
// written then.
func (n *Normal) compact() {
	used := make([]bool, len(n.texts)+1)
	live := 0
	for k := range n.uses {
		for _, id := range [...]uint32{k.a, k.b, k.c} {
			if !used[id] {
				used[id] = true
				live++
			}
		}
	}
	if len(n.texts) < 2*live+16 {
		return
	}
	renamed := make([]uint32, len(n.texts)+1)
	texts := make([]string, 0, live)
	for i, text := range n.texts {
		if used[i+1] {
			texts = append(texts, text)
			renamed[i+1] = uint32(len(texts))
		}
	}
	uses, old := make(map[key]tally, len(n.uses)), n.uses
	n.texts, n.names, n.uses, n.peers = make([]string, 0, live), hashed.Index{}, uses, map[key]uint32{}
	for _, text := range texts {
		n.name(text)
	}
	for k, u := range old {
		id := key{renamed[k.a], renamed[k.b], renamed[k.c], k.kind}
		uses[id] = u
		n.countPeer(id)
	}
	n.saved, n.gone, n.rewrite = 0, nil, true
}

func (n *Normal) countPeer(id key) {
	switch id.kind {
	case Pair, FamilyTo, ContentAt, GivesTo, Meets, GivenBy, Called, CalledTo, Chore, ChoreTo:
		n.peers[key{id.a, id.b, 0, id.kind}]++
	}
}

// Bounds of what is kept beside the uses.
const (
	mostInputs = 100_000
	mostHeld   = 10_000
	mostMarks  = 10_000
)

// bound forgets what is beyond the bounds: the oldest first, of marks those that end first.
func (m *Memory) bound() {
	m.Homes.Fade(m.newest(), mostHomes)
	if len(m.Marks) > mostMarks {
		var ends []model.Time
		for _, x := range m.Marks {
			ends = append(ends, x.Until)
		}
		limit := cutoff(ends, mostMarks)
		m.Marks = slices.DeleteFunc(m.Marks, func(x Mark) bool { return x.Until < limit })
	}
	slices.SortStableFunc(m.Held, func(a, b Held) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Transfer, b.Transfer))
	})
	m.Held = m.Held[max(0, len(m.Held)-mostHeld):]
	if len(m.Inputs) > mostInputs {
		var ages []model.Time
		for _, in := range m.Inputs {
			ages = append(ages, in.Last)
		}
		limit := cutoff(ages, mostInputs)
		for digest, in := range m.Inputs {
			if in.Last < limit {
				delete(m.Inputs, digest)
			}
		}
	}
}

// cutoff is the time of the oldest of so many latest ones. The times are given up.
func cutoff(times []model.Time, most int) model.Time {
	slices.Sort(times)
	return times[len(times)-most]
}
