package eval

import (
	"slices"
	"strings"

	"waybill/internal/model"
)

// baselines rank what the same sensors saw by simple rules, each alert once a day for
// its subject. Equals come in an order by chance.
type baselines struct {
	rules []*simple
	pairs map[string]bool
}

// simple is one rule's alerts.
type simple struct {
	name string
	days []map[string]*hit // by day and subject
}

type hit struct {
	hosts     []string          // as many as it takes
	campaigns map[*Running]bool // of few: there is a hit for each file of each host
	benign    bool
	alarm     bool
}

const (
	adminShare = iota
	firstPair
	threeHosts
	bzar
	chance
)

func newBaselines(w *World) *baselines {
	b := &baselines{pairs: map[string]bool{}}
	for _, name := range []string{"program on an administrative share", "first-seen pair", "same name on three hosts", "BZAR's rule", "chance"} {
		s := &simple{name: name, days: make([]map[string]*hit, w.Days+1)}
		for i := range s.days {
			s.days[i] = map[string]*hit{}
		}
		b.rules = append(b.rules, s)
	}
	return b
}

// day takes the transfers of a day.
func (b *baselines) day(w *World, transfers []*model.Transfer, accesses []*model.Access) {
	called := map[string]model.Time{}
	for _, a := range accesses {
		switch a.What {
		case "service-create", "service-start", "wmi-exec", "task-create", "task-run":
			called[a.Source.Name()+">"+a.Destination.Name()] = a.Time
		case "rpc-call":
			if a.Status == "sealed" {
				called[a.Source.Name()+">"+a.Destination.Name()] = a.Time
			}
		}
	}
	for _, t := range transfers {
		l := labelOf(t.Evidence, w.labels)
		d := dayOf(t.End)
		if l == nil || d < 0 || d > w.Days || t.Completeness == model.Opaque && t.Channel == "tcp" {
			continue
		}
		b.transfer(t, l, d, called)
	}
}

func (b *baselines) transfer(t *model.Transfer, l *Label, d int, called map[string]model.Time) {
	src, dst := t.Source.Name(), t.Destination.Name()
	actor := src
	if t.Initiator == model.ByDestination {
		actor = dst
	}
	pair := src + ">" + dst
	admin, program := adminTarget(t), program(t)
	if admin && program && t.Operation == model.Push {
		b.note(adminShare, d, actor+" "+t.Name, dst, l, 1)
	}
	if src != "" && dst != "" && !b.pairs[pair] {
		b.pairs[pair] = true
		b.note(firstPair, d, pair, dst, l, 1)
	}
	if program && t.Name != "" {
		b.note(threeHosts, d, strings.ToLower(t.Name), dst, l, 3)
	}
	at, ok := called[pair]
	if ok = ok && max(at-t.End, t.End-at) < 10*minute || len(t.Executed) > 0; admin && ok && t.Operation == model.Push {
		b.note(bzar, d, actor, dst, l, 1)
	}
	b.note(chance, d, actor+" "+t.Name, dst, l, 1)
}

// note adds a host to a subject; with enough hosts it is an alert.
func (b *baselines) note(rule, d int, subject, host string, l *Label, enough int) {
	day := b.rules[rule].days[d]
	h := day[subject]
	if h == nil {
		h = &hit{}
		day[subject] = h
	}
	if len(h.hosts) < enough && !slices.Contains(h.hosts, host) {
		h.hosts = append(h.hosts, host)
	}
	h.alarm = len(h.hosts) >= enough
	if l.Campaign != nil {
		if h.campaigns == nil {
			h.campaigns = map[*Running]bool{}
		}
		h.campaigns[l.Campaign] = true
	} else {
		h.benign = true
	}
}

func adminTarget(t *model.Transfer) bool {
	share := strings.ToLower(t.Share[strings.LastIndexByte(t.Share, '\\')+1:])
	if share == "" {
		return len(t.Path) > 2 && t.Path[1] == ':' && strings.HasPrefix(t.Channel, "smb")
	}
	return share == "admin$" || len(share) == 2 && share[1] == '$'
}

func program(t *model.Transfer) bool {
	return runs(t.Type) || t.Type == "" && carries(t.Name) || t.Type == "text" && carries(t.Name)
}

// recall is what each rule finds: the best rank by chance among a day's alerts.
func (b *baselines) recall(w *World, first int) []Baseline {
	var out []Baseline
	for i, s := range b.rules {
		x := Baseline{Name: s.name, Recall: map[int]float64{}}
		all, benign := 0, 0
		best := map[*Running]int{}
		for d := first; d < w.Days; d++ {
			benign += s.rank(w.Seed+uint64(i), d, best)
		}
		for _, c := range w.Running {
			if len(c.Moves) == 0 || c.Irreducible {
				continue
			}
			all++
			for _, n := range Budgets {
				if r := best[c]; r > 0 && r <= n {
					x.Recall[n]++
				}
			}
		}
		for _, n := range Budgets {
			x.Recall[n] /= float64(max(1, all))
		}
		x.PerDay = ratio(benign, w.Days-first)
		out = append(out, x)
	}
	return out
}

// rank notes the best rank of each campaign's alerts of a day, and gives the number of
// alerts of no campaign.
func (s *simple) rank(seed uint64, d int, best map[*Running]int) (benign int) {
	order := func(subject string) uint64 { return mix(seed, uint64(d), text(subject)) }
	var others []uint64
	for subject, h := range s.days[d] {
		if h.alarm && len(h.campaigns) == 0 {
			others = append(others, order(subject))
		}
	}
	slices.Sort(others)
	for subject, h := range s.days[d] {
		if !h.alarm || len(h.campaigns) == 0 {
			continue
		}
		before, _ := slices.BinarySearch(others, order(subject))
		for c := range h.campaigns {
			if best[c] == 0 || before+1 < best[c] {
				best[c] = before + 1
			}
		}
	}
	return len(others)
}
