package history

import (
	"cmp"
	"maps"
	"slices"

	"waybill/internal/identity"
	"waybill/internal/model"
)

// Merge adds what another one remembers. Counts are added, days that both saw count
// once; of two marks of one thing the later end counts, of equals the malicious one.
// The order makes no difference, but for rounding. It gives how many inputs both had
// learned from: their counts are twice in the sum.
func (m *Memory) Merge(o *Memory) (twice int, err error) {
	for _, e := range o.Normal.Entries() {
		m.Normal.Restore(e)
	}
	m.Normal.all = merged(m.Normal.all, o.Normal.all, m.Normal.HalfLife)
	m.Normal.last = max(m.Normal.last, o.Normal.last)
	for host, seen := range o.Roles.Kept() {
		if err := m.Roles.Restore(host, seen); err != nil {
			return 0, err
		}
	}
	for digest, in := range o.Inputs {
		if _, both := m.Inputs[digest]; both {
			twice++
		}
		m.Inputs[digest] = laterInput(m.Inputs[digest], in)
	}
	for _, mark := range o.Marks {
		m.mergeMark(mark)
	}
	m.Locate(o.Homes.Sorted())
	m.Hold(o.Held...)
	for _, mark := range m.Marks {
		m.Mark(mark) // it may be of what the other one held back
	}
	return twice, nil
}

func laterInput(a, b Input) Input {
	if c := cmp.Or(cmp.Compare(a.Last, b.Last), cmp.Compare(a.Name, b.Name)); c < 0 {
		return b
	}
	return a
}

// mergeMark takes a mark of another one: what either covers, it covers.
func (m *Memory) mergeMark(mark Mark) {
	works := mark.Covers
	if old, known := m.MarkOf(mark.ID); known {
		works = append(slices.Clone(works), old.Covers...)
		if cmp.Or(cmp.Compare(old.Until, mark.Until), cmp.Compare(old.Verdict, mark.Verdict), cmp.Compare(old.Reason, mark.Reason)) >= 0 {
			mark = old
		}
	}
	mark.Covers = covering(slices.Clone(works))
	m.setMark(mark)
}

// Forgotten is how much was forgotten.
type Forgotten struct{ Uses, Hosts, Held, Inputs, Marks, Homes int }

// Forget drops what it is said of: uses by their entries, hosts and addresses by their keys, what is held
// back by its uses, and marks by what they cover.
func (m *Memory) Forget(use func(e *Entry) bool, host func(key string, last model.Time) bool) Forgotten {
	out := Forgotten{Uses: m.Normal.Forget(func(e *Entry, _ Use) bool { return use(e) }), Hosts: m.Roles.Forget(host)}
	before := len(m.Homes)
	maps.DeleteFunc(m.Homes, func(_ model.Addr, x identity.Home) bool { return host(x.Host, x.Last) || host(x.Addr.String(), x.Last) })
	out.Homes = before - len(m.Homes)
	before = len(m.Held)
	m.Held = slices.DeleteFunc(m.Held, func(h Held) bool {
		return slices.ContainsFunc(h.Uses, func(e Entry) bool { return use(&e) })
	})
	out.Held = before - len(m.Held)
	before = len(m.Marks)
	kept := m.Marks[:0:0]
	for _, mark := range m.Marks {
		if !mark.forget(use) {
			kept = append(kept, mark)
		}
	}
	m.Marks, out.Marks = kept, before-len(kept)
	return out
}

// Unmark forgets the mark of an id, and says whether there was one.
func (m *Memory) Unmark(id string) bool {
	before := len(m.Marks)
	m.Marks = slices.DeleteFunc(m.Marks, func(x Mark) bool { return x.ID == id })
	return len(m.Marks) < before
}

// Names are the names of an entry that are hosts, an account and a file: those that are
// none are "".
func (e *Entry) Names() (hosts [2]string, account, file string) {
	switch e.Kind {
	case Host, Sender, Gives:
		hosts[0] = e.A
	case Pair, AnyPair, GivesTo, Meets:
		hosts = [2]string{e.A, e.C}
	case Account:
		account = e.A
	case AccountOn, ToldOn:
		account, hosts[0] = e.A, e.C
	case Utility:
		account, hosts[0] = e.A, e.C
	case Family:
		hosts[0], file = e.A, e.C
	case GivenBy:
		file, hosts[0] = e.A, e.C
	case Chore, ChoreTo:
		file, hosts[0] = e.B, e.C
	case Called, CalledTo:
		hosts[0] = e.C
	case FamilyTo:
		hosts, file = [2]string{e.A, e.C}, e.B
	case Content, Told:
		file = e.A
	case ContentAt:
		file, hosts[0] = e.A, e.C
	}
	return hosts, account, file
}
