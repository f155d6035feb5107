package spread

import (
	"cmp"
	"slices"

	"waybill/internal/model"
)

// holder is one host that had an artifact.
type holder struct {
	host     uint32
	held     model.Time // by when it had it; 0 is not known
	clock    uint32     // of held
	gave     model.Time // when it first gave it away; 0 for never
	clockOf  uint32     // of gave
	arrivals []arrival
	parent   *holder
	edge     *arrival // the arrival that made it a holder; nil for a root
	sure     rank
}

// arrival is a movement that brought the artifact to a host.
type arrival struct {
	m    *movement
	n    uint32 // its number
	from *holder
	sure rank // of the record and of the content
}

func (a *arrival) at() model.Time { return a.m.end }

// tree draws the spread of one artifact.
type tree struct {
	b     *Book
	hosts map[uint32]*holder
	order []*holder // by when they held it
}

// spread says along which hosts contents went that are one artifact.
func (b *Book) spread(main uint32, members []uint32) *model.Spread {
	t := &tree{b: b, hosts: map[uint32]*holder{}}
	for _, c := range members {
		for n := b.contents[c].head; n != 0; n = b.movements[n].next {
			t.take(n, b.alike(main, c, &b.movements[n]))
		}
	}
	t.sort()
	all := t.arrivals()
	for _, x := range all {
		t.named(x.h, x.a)
	}
	for _, x := range all {
		t.guessed(x.h, x.a)
	}
	return t.record()
}

// take puts both ends of a movement down.
func (t *tree) take(n uint32, how tie) {
	m := &t.b.movements[n]
	from, to := t.holder(m.from), t.holder(m.to)
	if from != nil {
		from.has(m.start, m.sensor)
		from.gives(m.start, m.sensor)
	}
	if to == nil || to == from {
		return
	}
	to.has(m.end, m.sensor)
	to.arrivals = append(to.arrivals, arrival{m, n, from, min(m.rank, how.rank())})
}

// holder gives the host of a place; nil for no place.
func (t *tree) holder(place uint32) *holder {
	if place == 0 {
		return nil
	}
	host := t.b.places.at[place].same
	h := t.hosts[host]
	if h == nil {
		h = &holder{host: host}
		t.hosts[host] = h
	}
	return h
}

func (h *holder) has(at model.Time, clock uint32) {
	if at != 0 && (h.held == 0 || at < h.held) {
		h.held, h.clock = at, clock
	}
}

func (h *holder) gives(at model.Time, clock uint32) {
	if at != 0 && (h.gave == 0 || at < h.gave) {
		h.gave, h.clockOf = at, clock
	}
}

// sort brings everything into an order that does not depend on that of the inputs.
func (t *tree) sort() {
	for _, h := range t.hosts {
		slices.SortFunc(h.arrivals, func(x, y arrival) int {
			return cmp.Or(cmp.Compare(when(x.at()), when(y.at())), cmp.Compare(y.sure, x.sure), cmp.Compare(t.b.transferID(x.m), t.b.transferID(y.m)))
		})
		t.order = append(t.order, h)
	}
	slices.SortFunc(t.order, func(x, y *holder) int {
		return cmp.Or(cmp.Compare(when(x.held), when(y.held)), cmp.Compare(t.name(x), t.name(y)))
	})
}

// when puts what has no time last.
func when(at model.Time) model.Time {
	if at == 0 {
		return never
	}
	return at
}

// apart is by how much the clocks of two sensors may differ.
func (t *tree) apart(one, other uint32) model.Time {
	if one == other && one != 0 {
		return 0
	}
	return t.b.set.Slack
}

// coming is a host and the arrival that made it a holder.
type coming struct {
	h *holder
	a *arrival
}

// arrivals gives the hosts that got the file, in the order of time.
func (t *tree) arrivals() []coming {
	var out []coming
	for _, h := range t.order {
		if a := t.first(h); a != nil {
			out = append(out, coming{h, a})
		}
	}
	slices.SortStableFunc(out, func(x, y coming) int {
		return cmp.Or(cmp.Compare(when(x.a.at()), when(y.a.at())), cmp.Compare(x.a.m.start, y.a.m.start), cmp.Compare(t.b.transferID(x.a.m), t.b.transferID(y.a.m)))
	})
	return out
}

// named gives a host the parent that a record names: the source of its first arrival.
func (t *tree) named(h *holder, a *arrival) {
	if a.from == nil || t.under(a.from, h) {
		return
	}
	h.parent, h.edge, h.sure = a.from, a, a.sure
	if t.disputed(h, a) {
		h.sure = min(h.sure, medium)
	}
}

// first is the arrival that made a host a holder: the first whole one before it gave the
// file away. A later one of another sensor that names its source says the same better.
func (t *tree) first(h *holder) *arrival {
	var best *arrival
	for i := range h.arrivals {
		a := &h.arrivals[i]
		if h.gave != 0 && h.gave < a.m.start-t.apart(h.clockOf, a.m.sensor) {
			break
		}
		switch {
		case best == nil:
			best = a
		case best.from == nil && a.from != nil && a.at()-best.at() <= t.apart(best.m.sensor, a.m.sensor):
			best = a
		case best.m.interrupted && !a.m.interrupted && best.from != nil:
			best = a
		}
	}
	return best
}

// disputed says whether the clocks leave open by which arrival a host got the file, or
// whether it had it before.
func (t *tree) disputed(h *holder, a *arrival) bool {
	if h.gave != 0 && (h.gave < a.at() || h.gave-a.at() < t.apart(h.clockOf, a.m.sensor)) {
		return true
	}
	for i := range h.arrivals {
		o := &h.arrivals[i]
		if o.from != nil && o.from != a.from && o.at()-a.at() < t.apart(o.m.sensor, a.m.sensor) {
			return true
		}
	}
	return false
}

// under says whether a host has the file by way of another.
func (t *tree) under(h, top *holder) bool {
	for ; h != nil; h = h.parent {
		if h == top {
			return true
		}
	}
	return false
}

// guessed gives a host that no record names a parent for the holder that was last in
// contact with it.
func (t *tree) guessed(h *holder, a *arrival) {
	if a.from != nil {
		return
	}
	h.edge, h.sure = a, a.sure
	var best *lead
	fits := 0
	for i := t.leads(a.n); i < len(t.b.leads) && t.b.leads[i].movement == a.n; i++ {
		l := &t.b.leads[i]
		p := t.hosts[l.host]
		if p == nil || p == h || p.held == 0 || p.held > a.at()+t.apart(p.clock, a.m.sensor) || t.under(p, h) {
			continue
		}
		fits++
		if best == nil || l.at > best.at || l.at == best.at && t.name(p) < t.name(t.hosts[best.host]) {
			best = l
		}
	}
	if best == nil {
		return
	}
	h.parent, h.sure = t.hosts[best.host], low
	if fits == 1 && best.carries && max(a.at()-best.at, best.at-a.at()) <= t.b.set.Slack {
		h.sure = min(a.sure, medium)
	}
}

// leads is where those of a movement begin.
func (t *tree) leads(movement uint32) int {
	i, _ := slices.BinarySearchFunc(t.b.leads, movement, func(l lead, n uint32) int { return cmp.Compare(l.movement, n) })
	return i
}

func (t *tree) name(h *holder) string { return t.b.places.name(h.host) }

// record writes the tree down.
func (t *tree) record() *model.Spread {
	s := &model.Spread{Roots: []string{}, Edges: []model.Edge{}, Hosts: len(t.order)}
	depth, unknown := map[*holder]int{}, false
	for _, h := range t.order {
		s.Last = max(s.Last, t.last(h))
		s.Depth = max(s.Depth, t.depth(h, depth))
		if s.EarliestVisible == "" {
			s.EarliestVisible, s.First = t.name(h), h.held
		}
		if h.edge == nil {
			s.Roots = append(s.Roots, t.name(h))
			continue
		}
		e := model.Edge{Parent: model.UnknownParent, Child: t.name(h), Transfer: t.b.transferID(h.edge.m), Time: h.edge.at(), Confidence: h.sure.String()}
		if h.parent != nil {
			e.Parent = t.name(h.parent)
		}
		unknown = unknown || h.parent == nil
		s.Edges = append(s.Edges, e)
	}
	if unknown {
		s.Roots = append(s.Roots, model.UnknownParent)
	}
	slices.SortStableFunc(s.Edges, func(x, y model.Edge) int { return cmp.Compare(when(x.Time), when(y.Time)) })
	return s
}

// last is when a host was last seen with the artifact.
func (t *tree) last(h *holder) model.Time {
	last := h.held
	for i := range h.arrivals {
		last = max(last, h.arrivals[i].at())
	}
	return last
}

// depth is how many edges lead from a root to a host.
func (t *tree) depth(h *holder, known map[*holder]int) int {
	if h == nil || h.edge == nil {
		return 0
	}
	if known[h] == 0 {
		known[h] = 1 + t.depth(h.parent, known)
	}
	return known[h]
}
