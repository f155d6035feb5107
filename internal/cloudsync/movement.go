package cloudsync

import (
	"cmp"
	"slices"

	"waybill/internal/model"
)

// Movement is what one host sent to a service, or got from it, without a long pause,
// over all its connections.
type Movement struct {
	ID         string   // of the transfer that the connection is by itself
	Part       int      // which of its bursts
	Flows      []string // Community IDs
	Host       model.Endpoint
	Service    string
	Server     string // its name, as the host asked for it
	Known      string // how the name is known, where it is not the hello's
	Start, End model.Time
	Up, Down   int64 // content by sizes
	Evidence   []model.Evidence
}

// Bounds of what is taken for a file.
const (
	least = 64 << 10 // what clients tell each other all day is smaller
	// oneWay is how much heavier an upload is than what comes back, and a download
	// than what it asks with.
	oneWay               = 4
	parallel  model.Time = 5e9 // parts of one file are sent over several connections, and one after the other
	maxPieces            = 16  // of evidence
)

func (m *Movement) uploads() bool   { return m.Up >= oneWay*m.Down }
func (m *Movement) downloads() bool { return m.Down >= oneWay*m.Up }

// volume is what it carried in its heavier direction.
func (m *Movement) volume() int64 { return max(m.Up, m.Down) }

// gathered joins what one host sent to one service at the same time over several
// connections, each direction by itself, and leaves out what is too small.
func gathered(all []Movement) (ups, downs []*Movement) {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b Movement) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End), cmp.Compare(a.Host.IP.String(), b.Host.IP.String()))
	})
	type key struct {
		host    model.Addr
		service string
		up      bool
	}
	open := map[key]*Movement{}
	var list []*Movement
	for i := range all {
		m := &all[i]
		if !m.uploads() && !m.downloads() {
			continue
		}
		k := key{m.Host.IP, m.Service, m.uploads()}
		if old := open[k]; old != nil && m.Start-old.End <= parallel {
			old.join(m)
			continue
		}
		m.Evidence = slices.Clone(m.Evidence)
		open[k] = m
		list = append(list, m)
	}
	for _, m := range list {
		switch {
		case m.volume() < least:
		case m.uploads():
			ups = append(ups, m)
		default:
			downs = append(downs, m)
		}
	}
	return ups, downs
}

func (m *Movement) join(o *Movement) {
	m.End = max(m.End, o.End)
	m.Up += o.Up
	m.Down += o.Down
	if len(m.Evidence) < maxPieces {
		m.Evidence = append(m.Evidence, o.Evidence...)
		m.Flows = append(slices.Clip(m.Flows), o.Flows...)
	}
}
