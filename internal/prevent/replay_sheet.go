package prevent

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"waybill/internal/model"
)

// sheet counts what a policy does to the moves of a day, or of all days.
type sheet struct {
	record model.Replay
	broken [2]map[crossing]*breach // blocked, candidates
	vital  [2]map[string]*alarm    // what nobody wants blocked: blocked, candidates
	hosts  [3]map[string]bool      // of findings: all, reached, reached with --strict
}

// crossing is who exchanges what, by groups.
type crossing struct{ from, to, service string }

// breach is legitimate transfers of a crossing that would not pass.
type breach struct {
	model.Broken
	pairs map[[2]string]bool
}

// maxSamples is how many transfers are shown of a crossing, the first ones.
const maxSamples = 3

func newSheet() *sheet {
	t := &sheet{record: model.Replay{Kind: "replay", NotJudged: map[string]int{}, Fates: map[string]int{}}}
	for i := range t.broken {
		t.broken[i], t.vital[i] = map[crossing]*breach{}, map[string]*alarm{}
	}
	for i := range t.hosts {
		t.hosts[i] = map[string]bool{}
	}
	return t
}

// learnedOnly counts what came before anything was learned.
func (t *sheet) learnedOnly(m *Move) {
	if m.Transfer != nil {
		t.record.LearnedOnly++
	}
}

// take counts a move.
func (t *sheet) take(m *Move, d Decision) {
	v := &t.record.Legitimate
	switch {
	case m.Access != nil && m.Bad():
		return // counted with its finding
	case m.Access != nil:
		v = &t.record.Calls
	case m.Bad():
		v = &t.record.Hostile
	}
	switch d.Outcome {
	case Allowed:
		v.Passed++
		return
	case Unjudged:
		v.NotJudged++
		if m.Transfer != nil {
			t.record.NotJudged[cmp.Or(d.Why, "no rule can tell")]++
		}
		return
	case Denied:
		v.Blocked++
	case Unseen:
		v.Candidates++
	}
	if d.ByRole && m.Transfer != nil {
		t.record.ByRole++
	}
	if !m.Bad() {
		t.breaks(m, d)
	}
}

// breaks notes a legitimate move that would not pass.
func (t *sheet) breaks(m *Move, d Decision) {
	kind := 0
	if d.Outcome == Unseen {
		kind = 1
	}
	t.alarmed(t.vital[kind], m)
	if m.Transfer == nil {
		return
	}
	k := crossingOf(m, d)
	b := t.broken[kind][k]
	if b == nil {
		b = &breach{Broken: model.Broken{From: k.from, To: k.to, Service: k.service, Why: d.why()}, pairs: map[[2]string]bool{}}
		t.broken[kind][k] = b
	}
	b.Transfers++
	b.pairs[[2]string{m.Client.Name(), m.Server.Name()}] = true
	if len(b.Examples) < maxSamples {
		b.Examples = append(b.Examples, sample(m))
	}
}

// why is the reason of a decision.
func (d Decision) why() string {
	if d.Rule != nil {
		return cmp.Or(d.Rule.Why, d.Why)
	}
	return d.Why
}

// crossingOf names a move by the groups of its ends.
func crossingOf(m *Move, d Decision) crossing {
	return crossing{cmp.Or(d.Client, "no group"), cmp.Or(d.Server, "no group"), m.Service}
}

// sample is a move as an example: who, what, when.
func sample(m *Move) model.Sample {
	s := model.Sample{Time: m.Time, Client: m.Client.Name(), Server: m.Server.Name()}
	if t := m.Transfer; t != nil {
		s.User, s.What, s.Transfer = cmp.Or(t.Account(), t.InitiatorUser), what(t), t.ID
	}
	return s
}

// what names the file of a transfer with its share.
func what(t *model.Transfer) string {
	name := cmp.Or(t.Path, t.Name)
	if share := lastElement(t.Share); share != "" && name != "" {
		return share + `\` + strings.TrimPrefix(name, `\`)
	}
	return cmp.Or(name, t.Type)
}

// lastElement is the share of a tree path.
func lastElement(share string) string { return share[strings.LastIndexAny(share, `\/`)+1:] }

// add takes the counts of a day into the total.
func (t *sheet) add(day *sheet) {
	a, b := &t.record, &day.record
	sum(&a.Legitimate, b.Legitimate)
	sum(&a.Calls, b.Calls)
	sum(&a.Hostile, b.Hostile)
	a.LearnedOnly += b.LearnedOnly
	a.ByRole += b.ByRole
	a.LearnedDays, a.Rules = max(a.LearnedDays, b.LearnedDays), max(a.Rules, b.Rules)
	a.Alerts.Hostile += b.Alerts.Hostile
	a.Alerts.Legitimate += b.Alerts.Legitimate
	a.Alerts.Sealed += b.Alerts.Sealed
	count(a.NotJudged, b.NotJudged)
	count(a.Fates, b.Fates)
	for i := range t.hosts {
		maps.Copy(t.hosts[i], day.hosts[i])
	}
	for kind := range t.broken {
		for k, b := range day.broken[kind] {
			t.broken[kind][k] = t.broken[kind][k].join(b)
		}
		for k, a := range day.vital[kind] {
			t.vital[kind][k] = t.vital[kind][k].join(a)
		}
	}
}

func sum(a *model.Verdicts, b model.Verdicts) {
	a.Passed += b.Passed
	a.Blocked += b.Blocked
	a.Candidates += b.Candidates
	a.NotJudged += b.NotJudged
}

func count(a, b map[string]int) {
	for k, n := range b {
		a[k] += n
	}
}

// join adds a later breach of the same crossing.
func (b *breach) join(later *breach) *breach {
	if b == nil {
		return &breach{later.Broken, maps.Clone(later.pairs)}
	}
	b.Transfers += later.Transfers
	maps.Copy(b.pairs, later.pairs)
	room := min(maxSamples-len(b.Examples), len(later.Examples))
	b.Examples = append(slices.Clip(b.Examples), later.Examples[:room]...)
	return b
}

// close makes the record.
func (t *sheet) close() *model.Replay {
	r := &t.record
	r.Blocked, r.Candidates = listed(t.broken[0]), listed(t.broken[1])
	r.Warnings, r.StrictWarnings = told(t.vital[0]), told(t.vital[1])
	r.Hosts, r.Reached, r.ReachedStrict = len(t.hosts[0]), len(t.hosts[1]), len(t.hosts[2])
	return r
}

// listed are the crossings with the most transfers first.
func listed(all map[crossing]*breach) []model.Broken {
	var out []model.Broken
	for _, b := range all {
		b.Pairs = len(b.pairs)
		out = append(out, b.Broken)
	}
	slices.SortFunc(out, func(a, b model.Broken) int {
		return cmp.Or(cmp.Compare(b.Transfers, a.Transfers), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), cmp.Compare(a.Service, b.Service))
	})
	return out
}
