package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"waybill/internal/model"
)

// Bounds of what the table shows of an incident.
const (
	maxIncidents = 10
	maxNarrative = 10 // lines
	maxTargets   = 6
	maxWanted    = 4
	maxTitle     = 120
)

// headline says in the first line whether to get up.
func (p *page) headline(r model.Records) {
	all := byWeight(r.Incidents)
	p.begun = true
	if len(all) == 0 {
		p.f("%s\n", Plain(nothing(r)))
		return
	}
	top := all[0]
	p.f("%s: %s", howMany(all), Plain(top.Title))
	if n := len(top.Hosts); !strings.HasSuffix(top.Title, "in all") {
		p.f(", %s in all", count(n, "host"))
	}
	if len(top.ActFirst) > 0 {
		p.f("; act on %s first", Plain(top.ActFirst[0].Host))
	}
	p.f("\n")
	if len(all) > 1 {
		p.overview(all)
	}
}

// overview is a line for each incident, so that what is below the first screen shows too.
func (p *page) overview(all []*model.Incident) {
	p.f("\n")
	for n, i := range all[:min(len(all), maxIncidents)] {
		act := ""
		if len(i.ActFirst) > 0 {
			act = "; act on " + Plain(i.ActFirst[0].Host)
		}
		p.f("  %2d. %-8s %4.1f  %s  %s%s\n", n+1, severity(i.Severity), i.Score, minutes(i.Start), Plain(clip(i.Title, maxTitle)), act)
	}
	if n := len(all) - maxIncidents; n > 0 {
		p.f("      ... and %d more\n", n)
	}
}

// minutes is a time as an overview has it.
func minutes(t model.Time) string { return utc(t).Format("2006-01-02 15:04") }

// howMany counts incidents by severity; of several the first one is named the worst.
func howMany(all []*model.Incident) string {
	if len(all) == 1 {
		return "1 incident, " + severity(all[0].Severity)
	}
	by := map[model.Severity]int{}
	for _, i := range all {
		by[i.Severity]++
	}
	var parts []string
	for s := model.Critical; s >= model.Info; s-- {
		if by[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", by[s], severity(s)))
		}
	}
	return fmt.Sprintf("%s (%s), first of all", count(len(all), "incident"), strings.Join(parts, ", "))
}

// nothing is the headline where there is no incident.
func nothing(r model.Records) string {
	by := map[model.Severity]int{}
	for _, f := range r.Findings {
		if f.Suppressed == nil {
			by[f.Severity]++
		}
	}
	var parts []string
	for s := model.Critical; s >= model.Info; s-- {
		if by[s] > 0 {
			parts = append(parts, fmt.Sprintf("%s of %s", count(by[s], "finding"), s))
		}
	}
	text := "Nothing to act on in what these inputs show: "
	if n := r.Summary.Transfers; len(n) > 0 {
		text += count(int(sum(n)), "transfer") + ", "
	}
	text += cmp.Or(strings.Join(parts, ", "), "no findings")
	if out := cutAway(r.Summary); out != "" {
		text += "; not shown: " + out
	}
	return text
}

// cutAway names the incidents and findings that flags and the configuration keep from
// the page, so that an empty one is not taken for a quiet day.
func cutAway(sum model.Summary) string {
	var out []string
	hidden := int64(0)
	for _, why := range sorted(sum.LeftOut) {
		switch n := sum.LeftOut[why]; {
		case strings.HasPrefix(why, "findings suppressed"):
			hidden += n
		case strings.HasPrefix(why, "incidents "), strings.HasPrefix(why, "findings "):
			out = append(out, fmt.Sprintf("%d %s", n, why))
		}
	}
	if hidden > 0 {
		out = append(out, fmt.Sprintf("%d that waybill.yaml suppresses", hidden))
	}
	return strings.Join(out, ", ")
}

// byWeight gives incidents, the most important first.
func byWeight(all []*model.Incident) []*model.Incident {
	out := slices.Clone(all)
	slices.SortStableFunc(out, func(a, b *model.Incident) int {
		return cmp.Or(first(a.Known, b.Known), cmp.Compare(b.Severity, a.Severity), cmp.Compare(b.Score, a.Score))
	})
	return out
}

// incidents prints those that matter most, with trees of what all records hold.
func (p *page) incidents(all []*model.Incident, of model.Records) {
	shown := byWeight(all)
	shown = shown[:min(len(shown), maxIncidents)]
	f := newForest(of, shown)
	for _, i := range shown {
		p.incident(i, f)
	}
	if n := len(all) - len(shown); n > 0 {
		p.f("\n... and %s (--only incident --format ndjson shows all)\n", count(n, "more incident"))
	}
}

func (p *page) incident(i *model.Incident, f *forest) {
	p.f("\n%s %.1f  %s\n", severity(i.Severity), i.Score, Plain(i.Title))
	p.f("  %s  %s\n", span(i.Start, i.End), strings.Join(i.Techniques, " "))
	if len(i.Users) > 0 {
		p.f("  account %s\n", Plain(clip(strings.Join(i.Users, ", "), 120)))
	}
	p.f("\n  What happened\n")
	p.narrative(i.Narrative)
	p.trees(i, f)
	p.targets(i)
	if len(i.CollectNext) > 0 {
		p.f("\n  Collect next\n")
		for _, w := range i.CollectNext[:min(len(i.CollectNext), maxWanted)] {
			p.f("    %s\n", Plain(w))
		}
	}
}

// narrative prints the steps; of many those of the beginning and of the end.
func (p *page) narrative(all []model.Happening) {
	begin, end := len(all), 0
	if len(all) > maxNarrative {
		begin, end = maxNarrative-4, 3
	}
	dated := len(all) > 0 && utc(all[0].Time).Format(time.DateOnly) != utc(all[len(all)-1].Time).Format(time.DateOnly)
	line := func(h model.Happening) {
		at := clock(h.Time)
		if dated {
			at = second(h.Time)
		}
		p.f("    %s  %s\n", at, Plain(h.Text))
	}
	for _, h := range all[:begin] {
		line(h)
	}
	if begin < len(all) {
		p.f("    ... %s (--only incident --format ndjson has them)\n", count(len(all)-begin-end, "further step"))
	}
	for _, h := range all[len(all)-end:] {
		line(h)
	}
}

// targets prints where to act, and where to look for the origin.
func (p *page) targets(i *model.Incident) {
	if len(i.ActFirst) > 0 {
		p.f("\n  Act first on\n")
	}
	for n, t := range i.ActFirst {
		if n == maxTargets {
			p.f("    ... and %s\n", count(len(i.ActFirst)-n, "more host"))
			break
		}
		p.f("    %d. %s: %s\n", n+1, Plain(hostAndRole(t)), Plain(t.Why))
	}
	if i.EarliestVisible != "" {
		p.f("  Lead to the origin: %s is the first that these inputs show with it\n", Plain(i.EarliestVisible))
	}
}

// span is from when to when something went on.
func span(start, end model.Time) string {
	if start == 0 || second(start) == second(end) {
		return second(cmp.Or(start, end))
	}
	if utc(start).Format(time.DateOnly) == utc(end).Format(time.DateOnly) {
		return second(start) + " to " + clock(end)
	}
	return second(start) + " to " + second(end)
}
