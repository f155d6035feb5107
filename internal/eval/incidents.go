package eval

import (
	"fmt"
	"slices"

	"waybill/internal/model"
)

// Incidents is how the findings were put together: what an analyst gets first.
//
// An incident counts for a campaign when of its findings of medium or above that are of
// no other campaign at least half are this one's. It is an alert on each day on which a
// finding of medium or above of it falls, with the score of the strongest of these and what
// further findings add to the incident.
type Incidents struct {
	Tuned, HeldOut Together
	Benign         [5]int   // incidents of no campaign by severity, with rows that may show
	Own            int      // findings of medium or above in incidents that count for a campaign
	Foreign        int      // of these, everyday ones
	Others         int      // of these, those of another campaign than most
	Targets        [2]int   // hosts to act on that the campaign used or reached, all
	First          [2]int   // the same of the first host
	Leads          [2]int   // earliest holders that the campaign came from, all
	Split          []string // what is not as it should be, for who looks into it
}

// Together is how campaigns were put together.
type Together struct {
	Campaigns int         // that happened
	Found     map[int]int // by budget
	Told      int         // campaigns of which a finding of medium or above is in an incident
	Whole     int         // of these, those of which all such findings are in one
	Pieces    []float64   // incidents that each of these is spread over
}

// Recall is the share of campaigns of which an incident was found.
func (t *Together) Recall(budget int) float64 { return ratio(t.Found[budget], t.Campaigns) }

// chained is an incident with whose its findings of worth are.
type chained struct {
	*model.Incident
	own   map[*Running]int // by campaign
	other int              // of everyday life
	days  map[int]scores
}

// scores are what an incident is worth on a day, by whose its findings of the day are; those
// of everyday life stand under nil.
type scores map[*Running]float64

// chained scores the incidents.
func (r *Result) chained(all []*model.Incident) {
	byID := map[string]*alert{}
	for _, day := range r.alerts {
		for i := range day {
			byID[day[i].id] = &day[i]
		}
	}
	var told []*chained
	for _, i := range all {
		if c := chainedOf(i, byID); len(c.days) > 0 {
			told = append(told, c)
		}
	}
	for _, c := range r.World.Running {
		if len(c.Moves) == 0 || c.Irreducible {
			continue
		}
		group := &r.Incidents.Tuned
		if c.HeldOut {
			group = &r.Incidents.HeldOut
		}
		group.add(c, told)
	}
	for _, c := range told {
		r.Incidents.add(c)
	}
	for _, c := range r.World.Running {
		r.Incidents.split(c, told)
	}
}

// split notes a campaign that is spread over several incidents.
func (x *Incidents) split(r *Running, all []*chained) {
	var in []string
	for _, c := range all {
		if c.own[r] > 0 {
			in = append(in, fmt.Sprintf("  %.1f %s, %d findings of it and %d of everyday life: %s", c.Score, c.Start, c.own[r], c.other, c.Title))
		}
	}
	if len(in) > 1 {
		x.Split = append(append(x.Split, fmt.Sprintf("%s, in %d incidents", r.Name, len(in))), in...)
	}
}

// chainedOf says whose the findings of an incident are.
func chainedOf(i *model.Incident, byID map[string]*alert) *chained {
	c := &chained{Incident: i, own: map[*Running]int{}, days: map[int]scores{}}
	further := 0.0
	for n, s := range i.Reasons {
		if n > 0 {
			further += s.Nats
		}
	}
	for _, id := range i.Findings {
		a := byID[id]
		if a == nil || model.SeverityOf(a.score) < model.Medium {
			continue
		}
		if a.campaign != nil {
			c.own[a.campaign]++
		} else {
			c.other++
		}
		d := dayOf(a.time)
		if c.days[d] == nil {
			c.days[d] = scores{}
		}
		c.days[d][a.campaign] = max(c.days[d][a.campaign], a.score+further)
	}
	return c
}

// of says whether the incident counts for a campaign.
func (c *chained) of(r *Running) bool { return c.own[r] > 0 && c.own[r] >= c.other }

// everyday says whether no campaign has a part in the incident.
func (c *chained) everyday() bool { return len(c.own) == 0 }

// add notes where the findings of a campaign are.
func (t *Together) add(r *Running, all []*chained) {
	t.Campaigns++
	pieces := 0
	for _, c := range all {
		if c.own[r] > 0 {
			pieces++
		}
	}
	if pieces == 0 {
		return
	}
	t.Told++
	t.Pieces = append(t.Pieces, float64(pieces))
	if pieces == 1 {
		t.Whole++
	}
	rank := rankIncidents(r, all)
	for _, b := range Budgets {
		if rank <= b {
			if t.Found == nil {
				t.Found = map[int]int{}
			}
			t.Found[b]++
		}
	}
}

// rankIncidents is the best rank of a campaign's incidents: among those of no campaign of
// the same day, as if it was the only campaign. 1000 for none.
func rankIncidents(r *Running, all []*chained) int {
	best := 1000
	for _, c := range all {
		if !c.of(r) {
			continue
		}
		for d, day := range c.days {
			if day[r] == 0 {
				continue
			}
			rank := 1
			for _, o := range all {
				if o.everyday() && o.days[d][nil] >= max(day[r], day[nil]) {
					rank++
				}
			}
			best = min(best, rank)
		}
	}
	return best
}

// add counts what is together in an incident, and what it says of hosts.
func (x *Incidents) add(c *chained) {
	if c.everyday() {
		x.Benign[c.Severity]++
		return
	}
	most := c.most()
	if !c.of(most) {
		return
	}
	for r, n := range c.own {
		x.Own += n
		if r != most {
			x.Others += n
		}
	}
	x.Own, x.Foreign = x.Own+c.other, x.Foreign+c.other
	hosts := map[string]bool{}
	for r := range c.own {
		for _, m := range r.Moves {
			for _, h := range [...]*Host{m.Source, m.Destination} {
				hosts[bare(h.Name)], hosts[h.IP.String()] = true, true
			}
		}
	}
	for n, t := range c.ActFirst {
		count(&x.Targets, hosts[bare(t.Host)])
		if n == 0 {
			count(&x.First, hosts[bare(t.Host)])
		}
	}
	if c.EarliestVisible != "" {
		count(&x.Leads, c.began(bare(c.EarliestVisible)))
	}
}

// began says whether one of the campaigns was first done from a host.
func (c *chained) began(host string) bool {
	for r := range c.own {
		if first := r.Moves[0].Source; bare(first.Name) == host || first.IP.String() == host {
			return true
		}
	}
	return false
}

// most is the campaign with the most findings; of several the first.
func (c *chained) most() *Running {
	var all []*Running
	for r := range c.own {
		all = append(all, r)
	}
	return slices.MinFunc(all, func(a, b *Running) int {
		if c.own[a] != c.own[b] {
			return c.own[b] - c.own[a]
		}
		return a.ID - b.ID
	})
}

func count(right *[2]int, holds bool) {
	right[1]++
	if holds {
		right[0]++
	}
}

// figures are those of a record.
func (x *Incidents) figures(r *Result) map[string]any {
	return map[string]any{"tuned": x.Tuned.figures(), "held_out": x.HeldOut.figures(), "findings": x.Own, "everyday_findings": x.Foreign, "of_other_campaigns": x.Others,
		"targets_right": ratio(x.Targets[0], x.Targets[1]), "first_target_right": ratio(x.First[0], x.First[1]), "earliest_holder_right": ratio(x.Leads[0], x.Leads[1]),
		"medium_a_day": r.PerDay(x.Benign, model.Medium), "high_a_day": r.PerDay(x.Benign, model.High)}
}

func (t *Together) figures() map[string]any {
	return map[string]any{"campaigns": t.Campaigns, "recall_1": t.Recall(1), "recall_5": t.Recall(5), "recall_10": t.Recall(10), "told": t.Told, "in_one": t.Whole}
}
