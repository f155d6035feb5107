package judge

import (
	"cmp"
	"slices"
	"strings"

	"waybill/internal/history"
	"waybill/internal/model"
	"waybill/internal/spread"
)

// Judge takes events in the order of time and gives findings. What it keeps of a
// transfer is gone once nothing that comes later can speak against it.
type Judge struct {
	set      Settings
	all      []Analytic
	wide     []Analytic // of all, those that look at everything
	usual    *history.Normal
	facts    *factory
	none     Usual // of events that nothing is asked about
	asked    Usual // of the others, one after the other
	today    today
	book     *spread.Book
	clusters map[openID]*cluster // open ones
	members  map[string]*member  // by the transfer's id
	fresh    *member             // of this event: it is weighed against others of its cluster once, when all is said of it
	age      []*member           // in the order of time; the first ones are forgotten first
	taught   int                 // of age, how many were learned from or passed over
	findings []*model.Finding
	marks    verdicts
	held     []withheld
	knew     bool // of earlier days, from the start
}

// member is a transfer that something speaks against, or may yet.
type member struct {
	t       *model.Transfer
	facts   Facts
	days    float64 // its ends were watched
	at      model.Time
	marks   []Mark
	cluster *cluster
	taught  bool // it was learned from
	fresh   bool
}

// New gives a judge that has seen nothing but what Settings.Usual remembers.
func New(set Settings) *Judge {
	usual := set.Usual
	if usual == nil {
		usual = history.New()
	}
	_, _, days := usual.Span()
	set.Spread.Window = cmp.Or(set.Spread.Window, set.Window)
	book := spread.New(set.Spread)
	j := &Judge{set: set, all: analytics(set), usual: usual, facts: newFactory(book), book: book, clusters: map[openID]*cluster{}, members: map[string]*member{}, marks: verdictsOf(set.Marks), knew: days >= watched}
	j.wide = slices.DeleteFunc(slices.Clone(j.all), func(a Analytic) bool { return !a.Wide() })
	return j
}

// Step takes the next event.
func (j *Judge) Step(e Event) {
	e.Window = j.set.Window
	e.Usual = &j.none
	switch {
	case e.Transfer != nil:
		j.transfer(&e)
	case e.Listed != nil:
		e.Content = j.book.List(*e.Listed)
		j.look(&e, j.all)
	case e.Access != nil:
		j.book.Contact(e.Access)
		j.opens(&e)
		j.look(&e, j.all)
	}
	if m := j.fresh; m != nil {
		j.fresh, m.fresh = nil, false
		m.cluster.offer(m)
	}
	j.advance(e.Time)
}

// transfer takes a transfer, and keeps it when it matters or may yet.
func (j *Judge) transfer(e *Event) {
	content := j.book.Add(e.Transfer)
	if j.set.trusts(e.Transfer) {
		return
	}
	e.Facts = j.facts.of(e.Transfer, content)
	known := append(knownMarks(j.set.Known, e.Transfer), j.marked(e)...)
	if len(known) == 0 && !mayMatter(e) {
		j.look(e, j.wide)
		j.learn(&e.Facts, e.Transfer, e.Time)
		return
	}
	if smbPush(*e) {
		e.put = newLanding(e.Transfer)
	}
	j.asked = j.lookup(e)
	e.Usual = &j.asked
	m := j.keep(e)
	for _, mark := range known {
		m.add(mark)
	}
	j.look(e, j.all)
	if !mayBeStarted(e) && !m.cluster.telling() && m.idle() {
		j.letGo(m)
		j.count(&e.Facts, e.Transfer, e.Time)
		j.learn(&e.Facts, e.Transfer, e.Time)
	}
}

// idle says whether nothing speaks against a transfer, or what does is explained by the
// history.
func (m *member) idle() bool {
	explains := func(x Mark) bool { return x.Nats < 0 }
	return len(m.marks) == 0 || (slices.ContainsFunc(m.marks, explains) || slices.ContainsFunc(m.cluster.shared, explains)) &&
		Sum(m.marks)+Sum(m.cluster.shared) < worthSaying
}

// telling says whether what is known of the content speaks against it.
func (c *cluster) telling() bool {
	return slices.ContainsFunc(c.shared, func(m Mark) bool {
		return m.Family == "known" || m.Nats >= sameFile || m.Family == "file" && m.Nats > rare
	})
}

// letGo takes back the youngest transfer: nothing speaks against it, and nothing will.
func (j *Judge) letGo(m *member) {
	j.age = j.age[:len(j.age)-1]
	delete(j.members, m.t.ID)
	c := m.cluster
	c.members = c.members[:len(c.members)-1]
	j.fresh = nil
	if len(c.members) == 0 {
		j.close(c)
	}
}

// mayBeStarted says whether a later event can speak against a transfer: what was put
// on a host may be started there. What a host fetched shows its start with it.
func mayBeStarted(e *Event) bool {
	return e.Transfer.Operation != model.Pull || e.Transfer.Completeness == model.Opaque
}

// look has analytics look at an event, and notes what they mark.
func (j *Judge) look(e *Event, analytics []Analytic) {
	for _, a := range analytics {
		for _, mark := range a.Step(*e) {
			m := j.members[mark.Transfer]
			if m == nil && e.Transfer != nil && e.Transfer.ID == mark.Transfer {
				m = j.keep(e)
			}
			if m != nil {
				m.add(mark)
			}
		}
	}
}

// add notes a mark, and a start that it shows in the transfer, once.
func (m *member) add(mark Mark) {
	if mark.shared() {
		m.cluster.shared = stronger(m.cluster.shared, mark)
	} else {
		m.marks = stronger(m.marks, mark)
		if !m.fresh {
			m.cluster.offer(m)
		}
	}
	x := mark.Execution
	if x == nil || slices.ContainsFunc(m.t.Executed, func(o model.Execution) bool { return sameStart(&o, x) }) {
		return
	}
	m.t.Executed = append(m.t.Executed, *x)
}

// stronger takes a mark into a list that has one of each analytic, the strongest. Of two
// as strong the later says more, and counts from the time of the earlier.
func stronger(list []Mark, m Mark) []Mark {
	for i := range list {
		old := &list[i]
		if old.Analytic != m.Analytic {
			continue
		}
		if m.Nats == old.Nats && m.Time >= old.Time {
			m.Time = old.Time
			*old = m
		} else if m.Nats > old.Nats {
			*old = m
		}
		return list
	}
	all := make([]Mark, 0, len(list)+1) // no more room than it takes: thousands are kept for a day
	return append(append(all, list...), m)
}

// mayMatter says whether something that comes later can speak against a transfer: what
// runs, what may hold what runs, what lies where programs are started.
func mayMatter(e *Event) bool {
	if !e.landed() {
		return false
	}
	t := e.Transfer
	if e.Program || t.Completeness == model.Opaque || len(t.Executed) > 0 {
		return true
	}
	_, admin := adminRoot(lastElement(t.Share))
	return t.Operation == model.Push && (admin || t.Type == "" && !plain(t.Name))
}

// keep puts a transfer into its cluster.
func (j *Judge) keep(e *Event) *member {
	if m := j.members[e.Transfer.ID]; m != nil {
		return m
	}
	m := &member{t: e.Transfer, facts: e.Facts, days: e.Usual.Days, at: e.Time, fresh: true}
	j.clusterOf(m, e).join(m)
	j.members[e.Transfer.ID] = m
	j.age = append(j.age, m)
	j.fresh = m
	return m
}

// clusterOf gives the cluster of a transfer: that of its content and actor, while the
// last member is less than an hour old. One of unknown content stands alone.
func (j *Judge) clusterOf(m *member, e *Event) *cluster {
	alike := cmp.Or(m.facts.Alike, m.facts.Sealed)
	if alike == "" {
		return &cluster{key: m.t.ID, actor: hand(m.t)}
	}
	by := m.facts.Actor
	if m.t.Operation == model.Pull {
		by = m.facts.From
	}
	id, named := openID{alike, by}, namesake(m)
	c := j.clusters[id]
	if twin := j.clusters[named]; m.follows(twin) && m.mayBe(twin) && (m.facts.Content == "" || !m.follows(c)) {
		if c = twin; m.facts.Content != "" {
			j.open(c, id)
		}
	}
	if !m.follows(c) {
		c = &cluster{key: alike, actor: hand(m.t)}
		j.open(c, id)
	}
	if named.content != "" && j.clusters[named] != c && (len(c.members) == 0 || strings.EqualFold(c.members[0].t.Name, m.t.Name)) {
		j.open(c, named)
	}
	if came := (openID{alike, m.facts.To}); mayPassOn(e) && j.clusters[came] == nil {
		j.open(c, came)
	}
	c.last = max(c.last, m.t.End)
	return c
}

// namesake stands for what one host pushes of one kind under one name: logs of some hosts
// tell its hash, and of others do not.
func namesake(m *member) openID {
	kin := m.facts.kin()
	if m.t.Operation != model.Push || m.t.Name == "" || kin == "" {
		return openID{}
	}
	return openID{kin + "|" + strings.ToLower(m.t.Name), m.facts.Actor}
}

// follows says whether a cluster is open when the transfer begins: for a day to those who
// fetch what it began with from where that was put.
func (m *member) follows(c *cluster) bool {
	if c == nil || len(c.members) == 0 {
		return c != nil && m.t.Start-c.last <= clusterGap
	}
	first := c.members[0]
	put := m.t.Operation == model.Pull && first.t.Operation == model.Push && first.facts.To == m.facts.From
	return m.t.Start-c.last <= clusterGap || put && m.t.Start-first.t.End <= Window
}

// mayBe says whether nothing tells the content from that of the cluster.
func (m *member) mayBe(c *cluster) bool {
	return c.content == "" || m.facts.Content == "" || c.content == m.facts.Content
}

// openID is a content and a host that has a hand in where it goes.
type openID struct{ content, host string }

// open puts what a host does with a content from now on into a cluster.
func (j *Judge) open(c *cluster, id openID) {
	j.clusters[id] = c
	c.ids = append(c.ids, id)
}

// mayPassOn says whether who fetched a file may be about to hand it on: not what many
// fetch every day.
func mayPassOn(e *Event) bool {
	u := e.Usual
	return e.Transfer.Operation == model.Push && !u.habit() || u.GivesTo < manyReached || u.Days >= watched && !u.Content.Known()
}

// close ends a cluster.
func (j *Judge) close(c *cluster) {
	for _, id := range c.ids {
		if j.clusters[id] == c {
			delete(j.clusters, id)
		}
	}
}

// advance forgets what the time of events has left behind.
func (j *Judge) advance(now model.Time) {
	for j.taught < len(j.age) && now-j.age[j.taught].at > learnAfter {
		j.teach(j.age[j.taught])
		j.taught++
	}
	out := 0
	for out < j.taught && now-j.age[out].at > j.forgetAfter() {
		j.forget(j.age[out])
		out++
	}
	clear(j.age[:out]) // or the list would hold them
	j.age, j.taught = j.age[out:], j.taught-out
}

// learnAfter is how long after a transfer it is learned as usual, unless it is part of
// a finding by then: a cluster has ended.
const learnAfter = 2 * clusterGap

// forgetAfter is how long after a transfer nothing can speak against it any more.
func (j *Judge) forgetAfter() model.Time { return cmp.Or(j.set.Window, Window) + clusterGap }

// teach learns from a transfer, unless what it is part of is held against somebody.
func (j *Judge) teach(m *member) {
	j.count(&m.facts, m.t, m.at)
	if model.SeverityOf(m.cluster.score()) < model.Medium {
		m.taught = true
		j.learn(&m.facts, m.t, m.at)
		return
	}
	j.told(&m.facts, m.t, m.at)
	j.book.Keep(m.t)
}

// forget lets go of a transfer; with the last one of a cluster goes the cluster, as a
// finding if it is one.
func (j *Judge) forget(m *member) {
	delete(j.members, m.t.ID)
	slices.SortStableFunc(m.t.Executed, func(a, b model.Execution) int { return cmp.Compare(a.Time, b.Time) })
	c := m.cluster
	c.gone++
	if c.gone < len(c.members) {
		c.thin()
		return
	}
	j.close(c)
	f := c.finding()
	if f != nil {
		f.Missing = c.missing(j.set.StartsLogged)
		j.markFinding(f, c)
		j.findings = append(j.findings, f)
	}
	if j.set.Closed != nil {
		j.set.Closed(f, c.counting(), c.transfers())
	}
	j.settle(c, f)
}

// Take gives the findings that nothing can be added to any more.
func (j *Judge) Take() []*model.Finding {
	out := j.findings
	j.findings = nil
	return out
}

// Close gives all other findings, by their start. The judge cannot be used any more.
func (j *Judge) Close() []*model.Finding {
	for _, m := range j.age[j.taught:] {
		j.teach(m)
	}
	for _, m := range j.age {
		j.forget(m)
	}
	j.age = nil
	for _, f := range j.findings {
		for i, key := range f.Artifacts {
			f.Artifacts[i] = j.book.Artifact(key)
		}
	}
	j.tellHeld()
	slices.SortFunc(j.findings, func(a, b *model.Finding) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.ID, b.ID))
	})
	return j.findings
}

// Artifacts gives the contents that moved, with what find has of their transfers: the judge
// keeps none of them.
func (j *Judge) Artifacts(find func(id string) *model.Transfer) []*model.Artifact {
	return j.book.Artifacts(find)
}

// Able says of each analytic whether it could see anything in these inputs.
func (j *Judge) Able(c *model.Coverage) map[string]model.Ableness {
	out := map[string]model.Ableness{}
	for _, a := range j.all {
		out[a.Name()] = a.Able(c)
		if j.knew && out[a.Name()].Why == withoutHistory {
			out[a.Name()] = model.Ableness{Able: "able"}
		}
	}
	return out
}

// Verdict is what was judged.
type Verdict struct {
	Findings  []*model.Finding
	Artifacts []*model.Artifact
	judge     *Judge
}

// Able says of each analytic whether it could see anything in these inputs.
func (v Verdict) Able(c *model.Coverage) map[string]model.Ableness { return v.judge.Able(c) }

// Look judges a run. It notes in the transfers which of their files were started.
// Listed are files on hosts whose content is that of a transfer.
func Look(transfers []*model.Transfer, accesses []*model.Access, listed []model.Listed, set Settings) Verdict {
	set.Spread.All = true // they are in memory anyway
	v := Verdict{judge: New(set)}
	for _, e := range events(transfers, accesses, listed) {
		v.judge.Step(e)
	}
	for _, l := range listed {
		if l.Time == 0 {
			v.judge.book.List(l)
		}
	}
	v.Findings = v.judge.Close()
	v.Artifacts = v.judge.Artifacts(byID(transfers))
	return v
}

// byID finds a transfer by its id.
func byID(transfers []*model.Transfer) func(string) *model.Transfer {
	all := make(map[string]*model.Transfer, len(transfers))
	for _, t := range transfers {
		all[t.ID] = t
	}
	return func(id string) *model.Transfer { return all[id] }
}
