package identity

import (
	"math"

	"waybill/internal/model"
)

// memo keeps answers that are asked for again and again. The table is for one
// goroutine.
type memo struct {
	spells map[model.Addr]spell
	addrs  map[string]model.Addr // of names whose address is always the same
}

// spell is whose an address was, over the time between two moments at which that may
// have changed.
type spell struct {
	after, before model.Time
	host, mac     string
}

// remembered bounds the memo: a busy network has fewer hosts at a time.
const remembered = 1 << 17

func (m *memo) forget() {
	if len(m.spells) > 0 || len(m.addrs) > 0 {
		*m = memo{}
	}
}

func (m *memo) keep(host string, a model.Addr) {
	if m.addrs == nil || len(m.addrs) >= remembered {
		m.addrs = map[string]model.Addr{}
	}
	m.addrs[host] = a
}

func (t *Table) spell(a model.Addr, at model.Time) spell {
	t.settle()
	if s, ok := t.memo.spells[a]; ok && s.after < at && at < s.before {
		return s
	}
	s := spell{math.MinInt64, math.MaxInt64, t.hostOf(a, at), t.hardwareOf(a, at)}
	for _, list := range [][]Binding{t.byAddr[a], t.leases[a], t.hardware[a]} {
		s.cut(list, at)
	}
	for i := range t.hardware[a] {
		s.cut(t.byMAC[t.hardware[a][i].MAC], at)
	}
	if t.memo.spells == nil || len(t.memo.spells) >= remembered {
		t.memo.spells = map[model.Addr]spell{}
	}
	t.memo.spells[a] = s
	return s
}

// cut shortens a spell to the time in which no binding of a list begins or ends to
// count.
func (s *spell) cut(list []Binding, at model.Time) {
	for i := range list {
		first, last := list[i].First, list[i].Last
		for _, edge := range [...]model.Time{first - slack, first, last, last + grace, last + slack} {
			if edge <= at {
				s.after = max(s.after, edge)
			}
			if edge >= at {
				s.before = min(s.before, edge)
			}
		}
	}
}
