package eval

import (
	"fmt"
	"strings"
)

// prevented is how learned filters did: a line for each tier, then by kind of campaign.
func (w *printer) prevented(results []*Result) {
	if len(results) == 0 || results[0].Prevented == nil {
		return
	}
	w.line("\npolicies (strict)\tdays\tcampaigns stopped earlier\thosts they reach\tstarts\teveryday files a day\tblocked a day\tof rows that may show\tone in\tseen a day\tblocked a day\tof rows that may show\tone in")
	for _, r := range results {
		p := r.Prevented
		if p.Err != nil {
			w.line("%s: %v", r.Tier.Name, p.Err)
			continue
		}
		s := p.sum()
		w.line("%s\t%d\t%s of %d\t%s of %d\t%s of %d\t%s\t%s", r.Tier.Name, p.Days, pair(s.stopped[1], s.stopped[2]), s.campaigns, pair(s.hosts[1], s.hosts[2]), s.hosts[0],
			pair(s.starts[1], s.starts[2]), s.starts[0], p.Legitimate.line(p.Days), p.Seen.line(p.Days))
	}
	for _, r := range results {
		w.preventedKinds(r)
	}
}

// line is how many a day, how many of them are blocked, and how rare that is.
func (t *Tried) line(days int) string {
	return fmt.Sprintf("%.0f\t%.1f (%.0f)\t%.1f\t%s (%s)", ratio(t.All, days), ratio(t.Blocked, days), ratio(t.Strict, days), ratio(t.MayShow, days), oneIn(t.All, t.Blocked), oneIn(t.All, t.Strict))
}

func oneIn(all, n int) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprint(all / n)
}

func pair(a, b int) string { return fmt.Sprintf("%d (%d)", a, b) }

// stops is campaigns together, by what was in force.
type stops struct {
	campaigns              int
	stopped, hosts, starts [3]int
}

// sum counts the campaigns but for the irreducible.
func (p *Prevented) sum() (s stops) {
	for i := range p.Campaigns {
		if c := &p.Campaigns[i]; !c.Irreducible {
			s.add(c)
		}
	}
	return s
}

func (s *stops) add(c *Stopped) {
	s.campaigns++
	for force := range s.hosts {
		s.hosts[force] += c.Hosts[force]
		s.starts[force] += c.Starts[force]
		if c.Hosts[force] < c.Hosts[0] {
			s.stopped[force]++
		}
	}
}

func (w *printer) preventedKinds(r *Result) {
	w.line("\n%s: policies (strict)\tstopped earlier\thosts\tstarts", r.Tier.Name)
	for _, k := range r.Kinds {
		var s stops
		for i := range r.Prevented.Campaigns {
			if c := &r.Prevented.Campaigns[i]; c.Name == k.Name {
				s.add(c)
			}
		}
		w.line("%s\t%s of %d\t%s of %d\t%s of %d", k.Name, pair(s.stopped[1], s.stopped[2]), s.campaigns, pair(s.hosts[1], s.hosts[2]), s.hosts[0], pair(s.starts[1], s.starts[2]), s.starts[0])
	}
	var rows []string
	for _, l := range r.Prevented.Rows[:min(len(r.Prevented.Rows), 12)] {
		rows = append(rows, fmt.Sprintf("%s %d (%d)", l.Row, l.High, l.Medium))
	}
	w.line("everyday rows blocked (with strict): %s", strings.Join(rows, ", "))
}
