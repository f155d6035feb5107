package judge

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"waybill/internal/model"
)

// cluster is transfers of one content by one actor, less than an hour apart.
type cluster struct {
	key     string // of the content
	actor   model.Endpoint
	members []*model.Transfer
}

// clusterGap ends a cluster.
const clusterGap model.Time = 3600e9

// actor is the host that opened the exchange.
func actor(t *model.Transfer) model.Endpoint {
	switch {
	case t.Initiator == model.BySource:
		return t.Source
	case t.Initiator == model.ByOther && t.Client != nil:
		return *t.Client
	}
	return t.Destination
}

// clusters groups transfers; those of unknown content stand alone. Transfers
// come in the order of their starts.
func clusters(transfers []*model.Transfer) []*cluster {
	var out []*cluster
	open := map[string]*cluster{}
	for _, t := range transfers {
		who, key := actor(t), contentKey(t)
		if key == "" {
			out = append(out, &cluster{key: t.ID, actor: who, members: []*model.Transfer{t}})
			continue
		}
		id := key + "|" + hostKey(who)
		c := open[id]
		if c == nil || t.Start-c.members[len(c.members)-1].End > clusterGap {
			c = &cluster{key: key, actor: who}
			open[id] = c
			out = append(out, c)
		}
		c.members = append(c.members, t)
	}
	return out
}

// findings makes one finding of each cluster that something speaks against.
func findings(transfers []*model.Transfer, marks map[string][]Mark, startsLogged map[string]bool) []*model.Finding {
	var out []*model.Finding
	for _, c := range clusters(transfers) {
		if f := c.finding(marks); f != nil {
			f.Missing = c.missing(startsLogged)
			out = append(out, f)
		}
	}
	slices.SortFunc(out, func(a, b *model.Finding) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// finding scores a cluster as its strongest member. What is known of the content
// (file) and of its spread holds for all members and counts once (design, Scores).
func (c *cluster) finding(marks map[string][]Mark) *model.Finding {
	var all, shared []Mark
	for _, t := range c.members {
		all = append(all, marks[t.ID]...)
	}
	if len(all) == 0 {
		return nil
	}
	for _, m := range all {
		if m.Family == "file" || m.Family == "spread" || m.Family == "known" {
			shared = append(shared, m)
		}
	}
	var best []model.Reason
	for _, t := range c.members {
		if r := reasons(append(slices.Clone(marks[t.ID]), shared...)); best == nil || total(r) > total(best) {
			best = r
		}
	}
	if total(best) < worthSaying && !slices.ContainsFunc(best, func(r model.Reason) bool { return r.Family != "channel" && r.Family != "command" }) &&
		!slices.ContainsFunc(all, func(m Mark) bool { return m.Alone }) {
		return nil
	}
	return c.record(best, all)
}

// worthSaying is the score below which the way alone says nothing: programs are
// copied to shares, fetched and pasted every day. What was made sure to be rare is
// said whatever its score.
const worthSaying = 4

// reasons turns marks into terms of a sum. An analytic counts once, as its
// strongest mark; of the analytics of a family the strongest counts in full, the
// others a quarter, since they often share one cause.
func reasons(marks []Mark) []model.Reason {
	strongest := map[string]Mark{}
	for _, m := range marks {
		if old, ok := strongest[m.Analytic]; !ok || m.Nats > old.Nats || m.Nats == old.Nats && m.Time > old.Time {
			strongest[m.Analytic] = m
		}
	}
	ordered := make([]Mark, 0, len(strongest))
	for _, name := range sortedKeys(strongest) {
		ordered = append(ordered, strongest[name])
	}
	slices.SortStableFunc(ordered, func(a, b Mark) int { return cmp.Compare(b.Nats, a.Nats) })
	families := map[string]bool{}
	var out []model.Reason
	for _, m := range ordered {
		nats := m.Nats
		if families[m.Family] {
			nats /= 4
		}
		families[m.Family] = true
		out = append(out, model.Reason{Family: m.Family, Analytic: m.Analytic, Nats: nats, Text: m.Text, Evidence: m.Evidence})
	}
	slices.SortStableFunc(out, func(a, b model.Reason) int { return cmp.Compare(b.Nats, a.Nats) })
	return out
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
	f := &model.Finding{Kind: "finding", Score: score, Severity: model.SeverityOf(score), Reasons: why,
		ID: digest("f-", c.key, hostKey(c.actor), c.members[0].ID), Start: c.members[0].Start,
		Transfers: []string{}, Hosts: []string{}}
	if strings.Contains(c.key, ":") {
		f.Artifacts = []string{artifactID(c.key)}
	}
	f.Known = slices.ContainsFunc(all, func(m Mark) bool { return m.Family == "known" })
	for i := range f.Reasons {
		f.Analytics = append(f.Analytics, f.Reasons[i].Analytic)
		c.elsewhere(&f.Reasons[i], all)
	}
	for _, m := range all {
		f.Time = max(f.Time, m.Time)
		f.Techniques = append(f.Techniques, m.Techniques...)
	}
	for _, t := range c.members {
		f.Transfers = append(f.Transfers, t.ID)
		f.Techniques = append(f.Techniques, t.Techniques...)
		for _, e := range []model.Endpoint{t.Source, t.Destination} {
			if n := e.Name(); n != "" {
				f.Hosts = append(f.Hosts, n)
			}
		}
		if u := account(t.Domain, t.User); u != "" {
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
	t := c.members[0]
	targets, started, pushed := map[string]bool{}, false, false
	for _, m := range c.members {
		if m.Operation != model.Pull {
			pushed, t = true, m
		}
	}
	for _, m := range c.members {
		started = started || len(m.Executed) > 0
		if !pushed || m.Operation != model.Pull {
			targets[m.Destination.Name()] = true
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
	if started {
		s += " and started"
	}
	return s
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
	for _, t := range c.members {
		if len(t.Executed) == 0 && hostKey(t.Destination) != "" && !startsLogged[strings.ToLower(t.Destination.Host)] {
			hosts[t.Destination.Name()] = true
		}
	}
	out := []string{"no history: whether these hosts and this account usually exchange files is unknown and counts nothing"}
	if names := sortedKeys(hosts); len(names) > 0 {
		out = append(out, "no host logs: whether the file was started on "+strings.Join(names[:min(len(names), 8)], ", ")+" is not shown")
	}
	return out
}
