package history

import (
	"cmp"
	"slices"
)

// Work is what somebody did with a file: a mark of a finding is about more of the same.
type Work struct {
	Giver   string // host that handed it out
	Account string // who did; "" of what was fetched, and where none is known
	Way     string // channel, direction and kind of share
	File    string // kind of file: place and form of name
	Start   string // how it was started; "" where that was not seen
	Content string // "" where it is unknown
}

// compareWorks orders works.
func compareWorks(a, b Work) int {
	return cmp.Or(cmp.Compare(a.Giver, b.Giver), cmp.Compare(a.Account, b.Account), cmp.Compare(a.Way, b.Way),
		cmp.Compare(a.File, b.File), cmp.Compare(a.Start, b.Start), cmp.Compare(a.Content, b.Content))
}

// mostCovers bounds the works of one mark.
const mostCovers = 256

// covering gives works in order, each once.
func covering(works []Work) []Work {
	works = slices.DeleteFunc(works, func(w Work) bool { return w == Work{} })
	for i := range works {
		works[i] = works[i].kept()
	}
	slices.SortFunc(works, compareWorks)
	works = slices.Compact(works)
	return works[:min(len(works), mostCovers)]
}

// columns are the values of a work, in the order of the tables.
func (w *Work) columns() []any {
	return []any{&w.Giver, &w.Account, &w.Way, &w.File, &w.Start, &w.Content}
}

// kept is a work as it is kept: long names are cut.
func (w Work) kept() Work {
	return Work{shortName(w.Giver), shortName(w.Account), shortName(w.Way), shortName(w.File), shortName(w.Start), shortName(w.Content)}
}

// entries are a work as uses, for those who ask by names.
func (m *Mark) entries(w Work) []Entry {
	use := Use{First: m.Until, Last: m.Until, Days: 1}
	return []Entry{{Kind: Family, A: w.Giver, B: w.Way, C: w.File, Use: use}, {Kind: AccountOn, A: w.Account, C: w.Giver, Use: use},
		{Kind: ContentAt, A: w.Content, C: w.Giver, Use: use}}
}

// forget drops of a mark what it is said of, and says whether nothing is left of it.
func (m *Mark) forget(use func(e *Entry) bool) bool {
	gone := func(all []Entry) bool { return slices.ContainsFunc(all, func(e Entry) bool { return use(&e) }) }
	if len(m.Covers) == 0 {
		return gone([]Entry{{Kind: Content, A: m.ID, Use: Use{First: m.Until, Last: m.Until, Days: 1}}})
	}
	m.Covers = slices.DeleteFunc(slices.Clone(m.Covers), func(w Work) bool { return gone(m.entries(w)) })
	return len(m.Covers) == 0
}
