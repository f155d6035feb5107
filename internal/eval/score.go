package eval

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"waybill/internal/model"
)

// Budgets are the alerts a day at which recall is told.
var Budgets = []int{1, 5, 10}

// Result is how a world went.
type Result struct {
	World     *World
	Tier      Tier
	Moves     int // movements that happened
	Transfers int // and those that the sensors saw
	Kinds     []*Kind
	Baselines []Baseline
	Days      int // that were judged
	// Benign counts findings of no campaign by severity, without the irreducible class
	// and the rows that may show; those are counted apart.
	Benign, Boundary, Irreducible [5]int
	Hostile                       [5]int
	Bins                          []Bin
	Without                       []Ablation
	Loudest                       []Loud // benign rows by what they raised
	Missed                        []*Running
	Incidents                     Incidents
	Weights                       Weights
	Prevented                     *Prevented // nil unless asked for
	alerts                        [][]alert  // by day
	labels                        map[uint64]uint16
	seen                          []int // hostile movements that the sensors saw, by campaign
	base                          *baselines
}

// Kind is how the campaigns of a kind went.
type Kind struct {
	Name        string
	HeldOut     bool
	Irreducible bool
	Campaigns   int
	Blind       int         // of which no sensor saw a movement
	Found       map[int]int // by budget
	Reached     []float64   // hosts before the first alert at five a day
	Parents     [2]int      // right, all
	Ranks       []float64   // of the best alert; 1000 for none
	Primed      [2]int      // days on which hosts exchanged harmless files before, of so many that the scenario wants
}

// Recall is the share of campaigns that were found.
func (k *Kind) Recall(budget int) float64 { return ratio(k.Found[budget], k.Campaigns) }

// Bin is the findings of a range of scores.
type Bin struct {
	From            float64
	Hostile, Benign int
	Score           float64 // mean
	Nats            float64 // that the findings of the bin turned out to be worth
}

// Ablation is recall without a family of reasons.
type Ablation struct {
	Family string
	Recall float64 // at five a day
}

// Loud is a benign row that raised findings of medium or above.
type Loud struct {
	Row    string
	Medium int
	High   int
}

// Baseline is a simple way to rank, and what it finds.
type Baseline struct {
	Name   string
	Recall map[int]float64
	PerDay float64 // alerts of no campaign
}

func ratio(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// alert is a finding as it is ranked.
type alert struct {
	score    float64
	id       string
	time     model.Time
	label    *Label // of the campaign that is in it, else of its first transfer
	campaign *Running
	reasons  []model.Reason
	title    string
}

func newResult(w *World, t Tier) *Result {
	from := Epoch + model.Time(min(w.Learn, w.Days-1))*day
	return &Result{World: w, Tier: t, Weights: Weights{from: from}, labels: map[uint64]uint16{}, alerts: make([][]alert, w.Days+1), seen: make([]int, len(w.Running)), base: newBaselines(w)}
}

// day takes what the ledger made of a day.
func (r *Result) day(transfers []*model.Transfer, accesses []*model.Access) {
	r.Transfers += len(transfers)
	for _, t := range transfers {
		l := labelOf(t.Evidence, r.World.labels)
		if l == nil {
			continue
		}
		r.labels[idKey(t.ID)] = uint16(l.Index)
		if l.Campaign != nil {
			r.seen[l.Campaign.ID]++
		}
	}
	r.base.day(r.World, transfers, accesses)
}

func (r *Result) label(id string) *Label {
	if n, ok := r.labels[idKey(id)]; ok {
		return r.World.labels[n]
	}
	return nil
}

// leastScore is that of findings of severity low: what is less is no alert.
const leastScore = 5

// judged scores the findings.
func (r *Result) judged(findings []*model.Finding, artifacts []*model.Artifact) {
	w := r.World
	first := min(w.Learn, w.Days-1)
	r.Days = w.Days - first
	for _, f := range findings {
		d := dayOf(f.Time)
		if d < first || d > w.Days || f.Score < leastScore {
			continue
		}
		a := r.alert(f)
		r.alerts[d] = append(r.alerts[d], a)
		r.count(a, f.Severity)
	}
	r.rank()
	r.parents(artifacts)
	r.calibrate()
	r.ablate()
	r.loudest()
	r.Baselines = r.base.recall(w, first)
}

// alert finds out whose a finding is: a campaign's if one of its transfers is.
func (r *Result) alert(f *model.Finding) alert {
	a := alert{score: f.Score, id: f.ID, time: f.Time, reasons: f.Reasons, title: f.Title}
	for _, id := range f.Transfers {
		l := r.label(id)
		if l == nil {
			continue
		}
		if a.label == nil {
			a.label = l
		}
		if l.Campaign != nil {
			a.label, a.campaign = l, l.Campaign
			break
		}
	}
	return a
}

func (r *Result) count(a alert, s model.Severity) {
	switch {
	case a.campaign != nil && !a.campaign.Irreducible:
		r.Hostile[s]++
	case a.campaign != nil:
	case a.label != nil && a.label.Irreducible:
		r.Irreducible[s]++
	case a.label != nil && a.label.Boundary:
		r.Boundary[s]++
	default:
		r.Benign[s]++
	}
}

// rank gives each campaign the rank of its best alert: among those of no campaign of
// the same day, as if it was the only campaign.
func (r *Result) rank() {
	kinds := map[string]*Kind{}
	for _, c := range r.World.Running {
		if len(c.Moves) == 0 {
			continue
		}
		k := kinds[c.Name]
		if k == nil {
			k = &Kind{Name: c.Name, HeldOut: c.HeldOut, Irreducible: c.Irreducible, Found: map[int]int{}, Primed: [2]int{c.Primed, c.Prime}}
			kinds[c.Name] = k
			r.Kinds = append(r.Kinds, k)
		}
		k.Campaigns++
		k.Primed[0] = min(k.Primed[0], c.Primed)
		if r.seen[c.ID] == 0 {
			k.Blind++
		}
		best, first := r.best(c, total)
		k.Ranks = append(k.Ranks, float64(best))
		for _, b := range Budgets {
			if best <= b {
				k.Found[b]++
			}
		}
		if best <= 5 {
			k.Reached = append(k.Reached, float64(c.reached(first)))
		} else {
			r.Missed = append(r.Missed, c)
		}
	}
}

// best is the best rank of a campaign's alerts, and the time of the first within five
// a day. score may see less than all.
func (r *Result) best(c *Running, score func(*alert) float64) (rank int, first model.Time) {
	rank = 1000
	for _, alerts := range r.alerts {
		own, at := math.Inf(-1), model.Time(0)
		for i := range alerts {
			a := &alerts[i]
			if a.campaign == c && score(a) > own {
				own, at = score(a), a.time
			}
		}
		if own < leastScore {
			continue
		}
		n := 1
		for i := range alerts {
			if a := &alerts[i]; a.campaign == nil && score(a) >= own {
				n++
			}
		}
		if n <= 5 && (first == 0 || at < first) {
			first = at
		}
		rank = min(rank, n)
	}
	return rank, first
}

func total(a *alert) float64 { return a.score }

// reached is how many hosts a campaign had its file on by a time.
func (c *Running) reached(at model.Time) int {
	hosts := map[*Host]bool{}
	for _, m := range c.Moves {
		if m.End <= at {
			hosts[m.Destination] = true
		}
	}
	return len(hosts)
}

// parents compares the trees with what happened: for each host that a campaign reached
// with its own file, whether an edge into it comes from where it had the file.
func (r *Result) parents(artifacts []*model.Artifact) {
	kinds := map[string]*Kind{}
	for _, k := range r.Kinds {
		kinds[k.Name] = k
	}
	told := map[*Running]map[string]bool{} // by host, whether the parent is right
	for _, a := range artifacts {
		c := r.campaignOf(a)
		if c == nil || a.Spread == nil {
			continue
		}
		if told[c] == nil {
			told[c] = map[string]bool{}
		}
		for _, e := range a.Spread.Edges {
			if child := c.host(e.Child); child != "" {
				told[c][child] = told[c][child] || c.sources(e.Child)[bare(e.Parent)]
			}
		}
	}
	for c, hosts := range told {
		k := kinds[c.Name]
		reached := map[string]bool{}
		for _, m := range c.Moves {
			reached[bare(m.Destination.Name)] = true
		}
		k.Parents[1] += len(reached)
		for _, right := range hosts {
			if right {
				k.Parents[0]++
			}
		}
	}
}

// host is the name of a host that a campaign reached, "" for others.
func (c *Running) host(name string) string {
	for _, m := range c.Moves {
		if b := bare(name); bare(m.Destination.Name) == b || m.Destination.IP.String() == b {
			return bare(m.Destination.Name)
		}
	}
	return ""
}

func (r *Result) campaignOf(a *model.Artifact) *Running {
	for _, s := range a.Sightings {
		if l := r.label(s.Transfer); l != nil && l.Campaign != nil {
			return l.Campaign
		}
	}
	return nil
}

// sources are the hosts from which a host truly had the file, by name and address.
func (c *Running) sources(child string) map[string]bool {
	out := map[string]bool{}
	for _, m := range c.Moves {
		if child = bare(child); bare(m.Destination.Name) == child || m.Destination.IP.String() == child {
			out[bare(m.Source.Name)], out[m.Source.IP.String()] = true, true
		}
	}
	return out
}

// bare is a host's name without domain; addresses stay.
func bare(name string) string {
	name = strings.ToLower(name)
	if i := strings.IndexByte(name, '.'); i > 0 && strings.ContainsAny(name[:i], "abcdefghijklmnopqrstuvwxyz") {
		return name[:i]
	}
	return name
}

// calibrate says what scores turned out to be worth: how much more often a hostile
// movement gives a finding of the bin than a benign one does.
func (r *Result) calibrate() {
	for _, from := range []float64{5, 10, 15, 18} {
		r.Bins = append(r.Bins, Bin{From: from})
	}
	hostile := 0
	for _, n := range r.seen {
		hostile += n
	}
	for _, alerts := range r.alerts {
		for _, a := range alerts {
			if a.label != nil && a.label.Irreducible {
				continue
			}
			b := &r.Bins[0]
			for i := range r.Bins {
				if a.score >= r.Bins[i].From {
					b = &r.Bins[i]
				}
			}
			b.Score += a.score
			if a.campaign != nil {
				b.Hostile++
			} else {
				b.Benign++
			}
		}
	}
	benign := max(1, r.Transfers*r.Days/max(1, r.World.Days)-hostile)
	for i := range r.Bins {
		b := &r.Bins[i]
		b.Score /= float64(max(1, b.Hostile+b.Benign))
		b.Nats = math.Log((float64(b.Hostile) + 0.5) / float64(hostile+1) / ((float64(b.Benign) + 0.5) / float64(benign+1)))
	}
}

// ablate takes each family out in turn.
func (r *Result) ablate() {
	families := map[string]bool{}
	for _, alerts := range r.alerts {
		for _, a := range alerts {
			for _, x := range a.reasons {
				families[x.Family] = true
			}
		}
	}
	for _, family := range append([]string{""}, sorted(families)...) {
		without := func(a *alert) float64 {
			sum := 0.0
			for _, x := range a.reasons {
				if x.Family != family {
					sum += x.Nats
				}
			}
			return sum
		}
		found, all := 0, 0
		for _, c := range r.World.Running {
			if len(c.Moves) == 0 || c.Irreducible {
				continue
			}
			all++
			if best, _ := r.best(c, without); best <= 5 {
				found++
			}
		}
		r.Without = append(r.Without, Ablation{cmp.Or(family, "(none)"), ratio(found, all)})
	}
}

// loudest are the benign rows with the most findings of medium or above.
func (r *Result) loudest() {
	rows := map[string]*Loud{}
	for _, alerts := range r.alerts {
		for _, a := range alerts {
			if a.campaign != nil || a.score < 10 {
				continue
			}
			row := "(unknown)"
			if a.label != nil {
				row = a.label.Row
			}
			if rows[row] == nil {
				rows[row] = &Loud{Row: row}
			}
			rows[row].Medium++
			if a.score >= 15 {
				rows[row].High++
			}
		}
	}
	for _, name := range sorted(rows) {
		r.Loudest = append(r.Loudest, *rows[name])
	}
	slices.SortStableFunc(r.Loudest, func(a, b Loud) int { return cmp.Or(cmp.Compare(b.High, a.High), cmp.Compare(b.Medium, a.Medium)) })
}

func sorted[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// All is recall and parent accuracy over all kinds, without the irreducible class.
func (r *Result) All(heldOut bool) *Kind {
	all := &Kind{Name: "all", Found: map[int]int{}}
	for _, k := range r.Kinds {
		if k.Irreducible || k.HeldOut != heldOut {
			continue
		}
		all.Campaigns += k.Campaigns
		all.Blind += k.Blind
		for _, b := range Budgets {
			all.Found[b] += k.Found[b]
		}
		all.Reached = append(all.Reached, k.Reached...)
		all.Ranks = append(all.Ranks, k.Ranks...)
		all.Parents[0] += k.Parents[0]
		all.Parents[1] += k.Parents[1]
	}
	return all
}

// Precision is the share of findings of medium or above that are a campaign's.
func (r *Result) Precision() float64 {
	hostile, benign := 0, 0
	for s := model.Medium; s <= model.Critical; s++ {
		hostile += r.Hostile[s]
		benign += r.Benign[s] + r.Boundary[s]
	}
	return ratio(hostile, hostile+benign)
}

// PerDay is how many findings of no campaign there were a day, of a severity and above.
func (r *Result) PerDay(counts [5]int, s model.Severity) float64 {
	n := 0
	for ; s <= model.Critical; s++ {
		n += counts[s]
	}
	return ratio(n, r.Days)
}

// TooEasy names the baseline that finds half of the campaigns at five alerts a day, "" for none.
func (r *Result) TooEasy() string {
	for _, b := range r.Baselines {
		if b.Recall[5] > 0.5 {
			return b.Name
		}
	}
	return ""
}
