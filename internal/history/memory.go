package history

import (
	"cmp"
	"slices"
	"strings"

	"waybill/internal/identity"
	"waybill/internal/model"
)

// Memory is all that a history file holds.
type Memory struct {
	Normal *Normal
	Roles  *identity.Roles // what hosts were seen doing
	Inputs Inputs          // that were learned from
	Marks  []Mark          // of analysts, in the order of their ids
	Held   []Held          // what was not learned, in the order of time
	Homes  identity.Homes  // who was known at which address
}

// NewMemory gives an empty one.
func NewMemory() *Memory {
	return &Memory{Normal: New(), Roles: &identity.Roles{}, Inputs: Inputs{}, Homes: identity.Homes{}}
}

// Input is an input that was learned from.
type Input struct {
	Name string
	Last model.Time // its last event; 0 where it has none
}

// Inputs are those that were learned from, by their digest: what is in them counts once,
// however often they are read.
type Inputs map[string]Input

// Held is a transfer that took part in a finding of medium or above: it is not learned
// until it, its artifact or its finding is marked benign.
type Held struct {
	Transfer, Artifact, Finding string // ids
	Time                        model.Time
	Uses                        []Entry
	Work                        Work
}

// The verdicts of a mark.
const (
	Benign    = "benign"
	Malicious = "malicious"
)

// Mark is what an analyst says of a finding, an artifact or a transfer.
type Mark struct {
	ID      string
	Verdict string // Benign or Malicious
	Reason  string
	Until   model.Time // of events: later ones are none of its business
	Covers  []Work     // what else it is about: more of the same as the transfers it was put on
}

// Mark notes what an analyst says. It is about more of the same as what was held back of
// it, which is learned when it is benign. It gives how many transfers that were.
func (m *Memory) Mark(mark Mark) (learned int) {
	m.setMark(m.widened(mark))
	if mark.Verdict != Benign {
		return 0
	}
	var kept []Held
	for _, h := range m.Held {
		if !mark.of(&h) {
			kept = append(kept, h)
			continue
		}
		for _, e := range h.Uses {
			m.Normal.Restore(e)
		}
		learned++
	}
	m.Held = kept
	return learned
}

// of says whether a mark is of a transfer that was held back.
func (m *Mark) of(h *Held) bool {
	return h.Time <= m.Until && (h.Transfer == m.ID || h.Artifact == m.ID || h.Finding == m.ID)
}

// widened is a mark with what it covers: of an artifact no more than that, else the works
// of what is held back, and what it covered before.
func (m *Memory) widened(mark Mark) Mark {
	if strings.HasPrefix(mark.ID, "a-") {
		return mark
	}
	works := slices.Clone(mark.Covers)
	if old, known := m.MarkOf(mark.ID); known {
		works = append(works, old.Covers...)
	}
	for i := range m.Held {
		if mark.of(&m.Held[i]) {
			works = append(works, m.Held[i].Work)
		}
	}
	mark.Covers = covering(works)
	return mark
}

// MarkOf is the mark of an id.
func (m *Memory) MarkOf(id string) (Mark, bool) {
	at, found := slices.BinarySearchFunc(m.Marks, Mark{ID: id}, func(x, y Mark) int { return cmp.Compare(x.ID, y.ID) })
	if !found {
		return Mark{}, false
	}
	return m.Marks[at], true
}

// setMark puts a mark in its place.
func (m *Memory) setMark(mark Mark) {
	at, found := slices.BinarySearchFunc(m.Marks, mark, func(x, y Mark) int { return cmp.Compare(x.ID, y.ID) })
	if found {
		m.Marks[at] = mark
		return
	}
	m.Marks = slices.Insert(m.Marks, at, mark)
}

// Hold keeps what is not to be learned. The same transfer is held once.
func (m *Memory) Hold(all ...Held) {
	known := map[string]int{}
	for i, h := range m.Held {
		known[h.Transfer] = i
	}
	for _, h := range all {
		h.Work = h.Work.kept()
		if i, ok := known[h.Transfer]; ok {
			if cmp.Or(cmp.Compare(m.Held[i].Time, h.Time), cmp.Compare(m.Held[i].Finding, h.Finding), cmp.Compare(len(m.Held[i].Uses), len(h.Uses))) < 0 {
				m.Held[i] = h
			}
			continue
		}
		known[h.Transfer] = len(m.Held)
		m.Held = append(m.Held, h)
	}
	m.bound()
}
