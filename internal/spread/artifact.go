package spread

import (
	"cmp"
	"slices"

	"waybill/internal/model"
)

// Artifacts gives all that the book holds, in the order of time. The transfers' records,
// where find has them, give names, type and hashes.
func (b *Book) Artifacts(find func(id string) *model.Transfer) []*model.Artifact {
	for _, n := range b.pending {
		b.follow(n)
	}
	b.pending = nil
	groups := b.groups()
	var out []*model.Artifact
	for c := range b.contents {
		if members := groups[uint32(c)]; len(members) > 0 && !b.lone(members) {
			out = append(out, b.artifact(members, find))
		}
	}
	slices.SortFunc(out, func(x, y *model.Artifact) int {
		return cmp.Or(cmp.Compare(x.Sightings[0].Time, y.Sightings[0].Time), cmp.Compare(x.ID, y.ID))
	})
	return out
}

// groups are the contents that moved, by the oldest of those alike.
func (b *Book) groups() map[uint32][]uint32 {
	out := map[uint32][]uint32{}
	for c := range b.contents {
		if b.contents[c].count > 0 {
			g := b.group(uint32(c))
			out[g] = append(out[g], uint32(c))
		}
	}
	return out
}

// lone says whether all that is known is one movement of a program by its name.
func (b *Book) lone(members []uint32) bool {
	x := &b.contents[members[0]]
	return len(members) == 1 && x.strength == byCall && x.count == 1
}

// main is the content of a group that the others are copies of: the one with the
// strongest key, of these the shortest, of these the first.
func (b *Book) main(members []uint32) uint32 {
	return slices.MinFunc(members, func(x, y uint32) int {
		p, q := &b.contents[x], &b.contents[y]
		return cmp.Or(cmp.Compare(q.strength, p.strength), cmp.Compare(p.size, q.size), cmp.Compare(x, y))
	})
}

// artifact makes the record of contents that are alike.
func (b *Book) artifact(members []uint32, find func(id string) *model.Transfer) *model.Artifact {
	main := b.main(members)
	x := &b.contents[main]
	a := &model.Artifact{Kind: "artifact", ID: hexID(x.id), Names: []string{}}
	if x.size >= 0 {
		a.Size = &x.size
	}
	for _, c := range members {
		for n := b.contents[c].head; n != 0; n = b.movements[n].next {
			b.sight(a, &b.movements[n], b.alike(main, c, &b.movements[n]), find)
		}
	}
	slices.Sort(a.Names)
	a.Spread = b.spread(main, members)
	slices.SortStableFunc(a.Sightings, func(x, y model.Sighting) int {
		return cmp.Or(cmp.Compare(since(x), since(y)), cmp.Compare(x.Transfer, y.Transfer), cmp.Compare(y.How, x.How), cmp.Compare(x.Host, y.Host), cmp.Compare(x.Path, y.Path))
	})
	return a
}

// since is when a sighting counts in the order of time: one without a time comes last.
func since(s model.Sighting) model.Time {
	if s.Time == 0 {
		return never
	}
	return s.Time
}

// alike is how a movement of one content of a group is tied to the main one.
func (b *Book) alike(main, c uint32, m *movement) tie {
	if c == main {
		return m.tie
	}
	if b.contents[c].size > b.contents[main].size {
		return tiePadded
	}
	return tieCut
}

// sight adds both ends of a movement to an artifact.
func (b *Book) sight(a *model.Artifact, m *movement, how tie, find func(id string) *model.Transfer) {
	if m.kind == listing {
		l := &b.listed[m.id]
		a.Sightings = append(a.Sightings, model.Sighting{Host: l.Host.Host, IP: l.Host.IP, Time: l.Time, How: "listed", Path: l.Path,
			Alike: how.String(), Confidence: how.doubt(), Evidence: l.Evidence})
		return
	}
	id := b.transferID(m)
	t := find(id)
	if t != nil {
		describe(a, t, how)
	}
	s := model.Sighting{Transfer: id, Alike: how.String(), Confidence: how.doubt()}
	if from := b.places.at[m.from]; m.from != 0 {
		s.Host, s.IP, s.Time, s.How = from.host, from.ip, m.start, "sent"
		a.Sightings = append(a.Sightings, s)
	}
	to := b.places.at[m.to]
	s.Host, s.IP, s.Time, s.How = to.host, to.ip, m.end, "received"
	a.Sightings = append(a.Sightings, s)
	if t == nil {
		return
	}
	for _, x := range t.Executed {
		s.Time, s.How, s.Evidence = x.Time, "started", x.Evidence
		a.Sightings = append(a.Sightings, s)
	}
}

// describe takes from a transfer's record what it tells of the content.
func describe(a *model.Artifact, t *model.Transfer, how tie) {
	if t.Name != "" && !slices.Contains(a.Names, t.Name) {
		a.Names = append(a.Names, t.Name)
	}
	a.Type = cmp.Or(a.Type, t.Type)
	if how == tiePadded || how == tieCut {
		return
	}
	a.SHA256 = cmp.Or(a.SHA256, Hash(t))
	if len(t.Prefix) > len(a.Prefix) {
		a.Prefix = t.Prefix
	}
}
