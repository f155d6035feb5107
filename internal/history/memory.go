package history

import (
	"cmp"
	"slices"

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
}

// NewMemory gives an empty one.
func NewMemory() *Memory {
	return &Memory{Normal: New(), Roles: &identity.Roles{}, Inputs: Inputs{}}
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
}

// Mark notes what an analyst says. What was held back of it is learned when it is
// benign. It gives how many transfers that were.
func (m *Memory) Mark(mark Mark) (learned int) {
	m.setMark(mark)
	if mark.Verdict != Benign {
		return 0
	}
	var kept []Held
	for _, h := range m.Held {
		if h.Time > mark.Until || h.Transfer != mark.ID && h.Artifact != mark.ID && h.Finding != mark.ID {
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
