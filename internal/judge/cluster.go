package judge

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"waybill/internal/model"
)

// cluster is transfers of one content by one actor, less than an hour apart.
type cluster struct {
	ids     []openID // under which it is open
	key     string   // of the content, or of what stands for it
	content string   // that of the first member of which it is known
	actor   model.Endpoint
	last    model.Time // end of the last member
	members []*member
	shared  []Mark  // of all members: what is known of the content and its spread
	gone    int     // of the members, how many are forgotten: the first ones
	thinAt  int     // of these, how many stay whatever happens
	scored  bool    // strongest and most are up to date
	top     *member // the strongest one
	most    float64 // its score
}

// clusterGap ends a cluster.
const clusterGap model.Time = 3600e9

// hand is whose doing the transfers of a cluster are: who pushed them, or whom they
// were fetched from.
func hand(t *model.Transfer) model.Endpoint {
	if t.Operation == model.Pull {
		return t.Source
	}
	return t.Actor()
}

// join takes a transfer in.
func (c *cluster) join(m *member) {
	m.cluster = c
	c.members = append(c.members, m)
	c.content = cmp.Or(c.content, m.facts.Content)
}

// transfers are those of its members.
func (c *cluster) transfers() []*model.Transfer {
	out := make([]*model.Transfer, 0, len(c.members))
	for _, m := range c.members {
		out = append(out, m.t)
	}
	return out
}

// marks are those of all members.
func (c *cluster) marks() []Mark {
	all := slices.Clone(c.shared)
	for _, m := range c.members {
		all = append(all, m.marks...)
	}
	return all
}

// shared says whether what a mark says holds for the content, and so for all members.
func (m *Mark) shared() bool {
	return m.Family == "file" || m.Family == "spread" || m.Family == "known"
}

// score is that of the strongest member (design, Scores). What holds for all members is
// of other families than what holds for one, so the two are added.
func (c *cluster) score() float64 {
	if !c.scored {
		c.scored, c.top = true, nil
		for _, m := range c.members {
			c.offer(m)
		}
	}
	if c.top == nil {
		return 0
	}
	return c.most + Sum(c.shared)
}

// offer takes a member for the strongest, if it is.
func (c *cluster) offer(m *member) {
	own := Sum(m.marks)
	switch {
	case c.top == nil || own > c.most:
		c.top, c.most = m, own
	case c.top == m && own < c.most:
		c.scored = false // others may be stronger now
	}
}

// best gives the reasons of the strongest member.
func (c *cluster) best() []model.Reason { return reasons(c.counting()) }

// counting are the marks of the strongest member.
func (c *cluster) counting() []Mark {
	c.score()
	return append(slices.Clone(c.top.marks), c.shared...)
}

func digest(kind string, parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return kind + hex.EncodeToString(h.Sum(nil)[:8])
}

// finding scores a cluster as its strongest member. What is known of the content
// (file) and of its spread holds for all members and counts once.
func (c *cluster) finding() *model.Finding {
	all := c.marks()
	if len(all) == 0 {
		return nil
	}
	slices.SortStableFunc(c.members, byStart)
	c.scored = false // of members as strong the first counts
	best := c.best()
	if !slices.ContainsFunc(all, alone) && !worth(best) {
		return nil
	}
	return c.record(best, all)
}

// byStart orders members.
func byStart(a, b *member) int {
	return cmp.Or(cmp.Compare(a.t.Start, b.t.Start), cmp.Compare(a.t.ID, b.t.ID))
}

// worth says whether reasons are worth saying: the way alone and what is new about it
// are not, nor is what the history explains.
func worth(why []model.Reason) bool {
	score := total(why)
	if slices.ContainsFunc(why, func(r model.Reason) bool { return r.Nats < 0 }) {
		return score >= worthExplained
	}
	return score >= worthSaying || slices.ContainsFunc(why, func(r model.Reason) bool {
		return r.Nats > 0 && r.Family != "channel" && r.Family != "command" && r.Family != "novelty" && r.Family != "spread"
	})
}

// worthSaying is the score below which the way alone says nothing: programs are
// copied to shares, fetched and pasted every day. What was made sure to be rare is
// said whatever its score.
const worthSaying = 4

// worthExplained is that of what the history explains in part: deployment and backup
// start what they bring, every day.
const worthExplained = 7

// reasons turns marks into terms of a sum. An analytic counts once, as its
// strongest mark; of the analytics of a family the strongest counts in full, the
// others a quarter, since they often share one cause. What speaks for a transfer
// counts in full.
func reasons(marks []Mark) []model.Reason {
	slices.SortStableFunc(marks, heavier)
	var out []model.Reason
	for i, m := range marks {
		out = append(out, model.Reason{Family: m.Family, Analytic: m.Analytic, Nats: weight(marks, i), Text: m.Text, Evidence: m.Evidence})
	}
	slices.SortStableFunc(out, func(a, b model.Reason) int { return cmp.Compare(b.Nats, a.Nats) })
	return out
}

// heavier orders marks, the strongest first.
func heavier(a, b Mark) int {
	return cmp.Or(cmp.Compare(b.Nats, a.Nats), cmp.Compare(a.Analytic, b.Analytic))
}

// weight is what a mark counts among others that are in order.
func weight(marks []Mark, i int) float64 {
	m := &marks[i]
	if m.Nats > 0 && slices.ContainsFunc(marks[:i], func(o Mark) bool { return o.Family == m.Family }) {
		return m.Nats * Share
	}
	return m.Nats
}

// Sum is the score that marks have together, as reasons gives them.
func Sum(marks []Mark) float64 {
	total := 0.0
	for i := range marks {
		m := &marks[i]
		nats := m.Nats
		for k := range marks {
			if o := &marks[k]; nats > 0 && k != i && o.Family == m.Family && heavier(*o, *m) < 0 {
				nats *= Share
				break
			}
		}
		total += nats
	}
	return total
}

func total(reasons []model.Reason) float64 {
	sum := 0.0
	for _, r := range reasons {
		sum += r.Nats
	}
	return sum
}

// maxEvidence bounds the evidence of one reason.
const maxEvidence = 16

// record makes the finding.
func (c *cluster) record(why []model.Reason, all []Mark) *model.Finding {
	score := total(why)
	f := &model.Finding{Kind: "finding", Score: score, Worth: Worth(score), Severity: model.SeverityOf(score), Reasons: why,
		ID: digest("f-", c.key, hostKey(c.actor), c.members[0].t.ID), Start: c.members[0].t.Start,
		Transfers: []string{}, Hosts: []string{}}
	if content := c.content; content != "" {
		f.Artifacts = []string{content}
	}
	f.Known = slices.ContainsFunc(all, func(m Mark) bool { return m.Family == "known" })
	for i := range f.Reasons {
		f.Analytics = append(f.Analytics, f.Reasons[i].Analytic)
		c.elsewhere(&f.Reasons[i], all)
	}
	f.Time = c.reached(f.Severity)
	for _, m := range all {
		f.Techniques = append(f.Techniques, m.Techniques...)
		f.Hosts = append(f.Hosts, m.Hosts...)
	}
	for _, m := range c.members {
		t := m.t
		f.Transfers = append(f.Transfers, t.ID)
		for _, technique := range t.Techniques {
			if technique != "T1570" || !m.facts.Service { // what starts programs is no tool by itself
				f.Techniques = append(f.Techniques, technique)
			}
		}
		f.Techniques = append(f.Techniques, means(t)...)
		for _, e := range []model.Endpoint{t.Source, t.Destination} {
			if n := e.Name(); n != "" {
				f.Hosts = append(f.Hosts, n)
			}
		}
		if u := t.Account(); u != "" {
			f.Users = append(f.Users, u)
		}
	}
	for _, list := range []*[]string{&f.Techniques, &f.Hosts, &f.Users} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	f.Title = c.title()
	return f
}

// reached is when the evidence for a severity was there.
func (c *cluster) reached(s model.Severity) model.Time {
	marks := c.counting()
	slices.SortStableFunc(marks, func(a, b Mark) int { return cmp.Compare(a.Time, b.Time) })
	for i := range marks {
		if at := marks[i].Time; model.SeverityOf(Sum(marks[:i+1])) >= s && (i+1 == len(marks) || marks[i+1].Time > at) {
			return max(at, c.top.t.End)
		}
	}
	return max(marks[len(marks)-1].Time, c.top.t.End)
}

// elsewhere adds to a reason what says the same of other members.
func (c *cluster) elsewhere(r *model.Reason, all []Mark) {
	if r.Family == "spread" {
		return
	}
	transfers := map[string]bool{}
	for _, m := range all {
		if m.Analytic != r.Analytic {
			continue
		}
		transfers[m.Transfer] = true
		for _, e := range m.Evidence {
			if len(r.Evidence) < maxEvidence && !slices.ContainsFunc(r.Evidence, func(x model.Evidence) bool { return sameEvidence(x, e) }) {
				r.Evidence = append(slices.Clip(r.Evidence), e)
			}
		}
	}
	if n := len(transfers); n > 1 {
		r.Text += fmt.Sprintf(" (so in %d of its transfers)", n)
	}
}

func sameEvidence(a, b model.Evidence) bool {
	if a.Packets != nil && b.Packets != nil {
		return a.Input == b.Input && a.What == b.What && *a.Packets == *b.Packets
	}
	return a == b
}

// title says in one line what happened.
func (c *cluster) title() string {
	t := c.members[0].t
	targets, taken, started, pushed := map[string]bool{}, map[string]bool{}, false, false
	for _, m := range c.members {
		if !pushed && m.t.Operation != model.Pull {
			pushed, t = true, m.t
		}
	}
	for _, m := range c.members {
		started = started || ran(m.t)
		if pushed && m.t.Operation == model.Pull {
			taken[m.t.Destination.Name()] = true
		} else {
			targets[m.t.Destination.Name()] = true
		}
	}
	name := cmp.Or(t.Name, volume(t), "a file without name")
	hosts := cmp.Or(t.Destination.Name(), "an unknown host")
	if len(targets) > 1 {
		hosts = fmt.Sprintf("%d hosts", len(targets))
	}
	from := cmp.Or(t.Source.Name(), "an unknown host")
	s := fmt.Sprintf("%s copied from %s to %s", name, from, hosts)
	if !pushed {
		s = fmt.Sprintf("%s fetched from %s by %s", name, from, hosts)
	}
	if n := len(taken); pushed && n > 1 {
		s += fmt.Sprintf(", fetched there by %d others", n)
	}
	if started {
		s += " and started"
	}
	if n := c.opened(); n > 0 {
		s += fmt.Sprintf(", and opened there by %d others", n)
	}
	return s
}

// opened is how many hosts were let in to read what was put on a share.
func (c *cluster) opened() int {
	most := 0
	for i := range c.shared {
		most = max(most, len(c.shared[i].Hosts))
	}
	return most
}

// volume says how much an opaque transfer moved.
func volume(t *model.Transfer) string {
	if t.Completeness != model.Opaque || t.Estimate == nil {
		return ""
	}
	return fmt.Sprintf("about %d encrypted bytes", t.Estimate.Size)
}

// missing says what would have raised or lowered the score and was not visible.
func (c *cluster) missing(startsLogged map[string]bool) []string {
	hosts := map[string]bool{}
	for _, m := range c.members {
		t := m.t
		if len(t.Executed) == 0 && hostKey(t.Destination) != "" && !startsLogged[strings.ToLower(t.Destination.Host)] {
			hosts[t.Destination.Name()] = true
		}
	}
	var out []string
	if !slices.ContainsFunc(c.members, func(m *member) bool { return m.days >= watched }) {
		out = append(out, NoHistory)
	}
	if c.sealed() {
		out = append(out, "it is encrypted: which file moved, and whether it is a program, is not shown")
	}
	if names := sortedKeys(hosts); len(names) > 0 {
		out = append(out, "no host logs: whether the file was started on "+strings.Join(names[:min(len(names), 8)], ", ")+" is not shown")
	}
	return out
}

// sealed says whether nothing but volumes is known of what moved.
func (c *cluster) sealed() bool {
	return !slices.ContainsFunc(c.members, func(m *member) bool { return m.t.Completeness != model.Opaque || m.t.Name != "" })
}
