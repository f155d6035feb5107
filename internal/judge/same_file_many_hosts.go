package judge

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"waybill/internal/model"
)

// sameFileManyHosts marks one content that reaches three or more hosts in the
// window. Documents, pictures and texts that many read are everyday life: what
// counts is content that runs, that can hold what runs, or of which nothing is known.
func sameFileManyHosts() Analytic {
	return &rule[reach]{name: "same-file-many-hosts", key: contentOf, look: lookReach, able: needsFiles}
}

// reach is the hosts that one content reached in the window.
type reach struct {
	Latest map[string]model.Time `json:"latest"` // last arrival by host
	Queue  []arrival             `json:"queue"`  // in the order of time; those that are not a host's latest are stale
	Last   string                `json:"last"`   // transfer of it
}

type arrival struct {
	Host     string           `json:"host"`
	Name     string           `json:"name"` // as people call it
	Time     model.Time       `json:"time"`
	Evidence []model.Evidence `json:"evidence"`
}

// manyHosts is how many hosts are many, reachedMost how many are remembered.
const (
	manyHosts   = 3
	reachedMost = 4096
)

func contentOf(e Event) string {
	if l := e.Listed; l != nil {
		if !mayRun(l.Of) || hostKey(l.Host) == "" {
			return ""
		}
		return e.Content
	}
	if !e.moved() || hostKey(e.Transfer.Destination) == "" || !mayRun(e.Transfer) {
		return ""
	}
	return e.Content
}

func lookReach(s reach, e Event) (reach, []Mark) {
	if l := e.Listed; l != nil {
		s = s.add(arrival{hostKey(l.Host), l.Host.Name(), l.Time, l.Evidence}, e.window())
	} else {
		t := e.Transfer
		s = s.add(arrival{hostKey(t.Destination), t.Destination.Name(), t.End, t.Evidence}, e.window())
		s.Last = t.ID
	}
	if len(s.Latest) < manyHosts || s.Last == "" {
		return s, nil
	}
	return s, []Mark{s.mark(e.Time)}
}

// add takes an arrival in and drops what left the window. The state passed in is
// given up.
func (s reach) add(a arrival, window model.Time) reach {
	if s.Latest == nil {
		s.Latest = map[string]model.Time{}
	}
	for len(s.Queue) > 0 && (s.stale(s.Queue[0]) || a.Time-s.Queue[0].Time > window) {
		if !s.stale(s.Queue[0]) {
			delete(s.Latest, s.Queue[0].Host)
		}
		s.Queue = s.Queue[1:]
	}
	if _, known := s.Latest[a.Host]; !known && len(s.Latest) == reachedMost {
		return s
	}
	s.Latest[a.Host] = a.Time
	s.Queue = append(s.Queue, a)
	if len(s.Queue) > 2*len(s.Latest)+8 {
		s.Queue = slices.DeleteFunc(s.Queue, s.stale)
	}
	return s
}

func (s reach) stale(a arrival) bool { return s.Latest[a.Host] != a.Time }

// mark names the first hosts in the order of arrival.
func (s reach) mark(at model.Time) Mark {
	m := Mark{Family: "spread", Analytic: "same-file-many-hosts", Transfer: s.Last, Time: at, Nats: 4}
	var names []string
	for _, a := range s.Queue {
		if len(names) == 8 {
			break
		}
		if s.stale(a) || slices.Contains(names, a.Name) {
			continue
		}
		names = append(names, a.Name)
		m.Evidence = append(m.Evidence, a.Evidence...)
	}
	m.Text = fmt.Sprintf("the same content reached %d hosts within a day: %s", len(s.Latest), strings.Join(names, ", "))
	if len(s.Latest) > len(names) {
		m.Text += ", ..."
	}
	return m
}

// needsFiles says whether any file could be read.
func needsFiles(c *model.Coverage) model.Ableness {
	if len(c.Decoded) == 0 && len(c.Events) > 0 {
		return model.Ableness{Able: "partly", Why: "logs tell names and the hashes of what was started, seldom content"}
	}
	if len(c.Decoded) == 0 {
		return model.Ableness{Able: "unable", Why: "no file-carrying protocol was read"}
	}
	if most := blindest(c.Blind); len(most) > 0 {
		return model.Ableness{Able: "partly", Why: "some traffic could not be read: " + strings.Join(most, ", ")}
	}
	return model.Ableness{Able: "able"}
}

// blindest are the reasons for which most bytes could not be read.
func blindest(blind map[string]int64) []string {
	most := sortedKeys(blind)
	slices.SortStableFunc(most, func(a, b string) int { return cmp.Compare(blind[b], blind[a]) })
	most = slices.DeleteFunc(most, func(reason string) bool { return blind[reason] == 0 })
	return most[:min(len(most), 3)]
}
