package eval

import (
	"cmp"
	"fmt"
	"slices"
)

// explain prints the highest findings of each benign row, and the best of each campaign
// that was missed: what to look at when figures fall short.
func (w *printer) explain(r *Result, most int) {
	if most == 0 {
		return
	}
	rows := map[string][]alert{}
	for _, day := range r.alerts {
		for _, a := range day {
			if a.campaign == nil && a.label != nil {
				rows[a.label.Row] = append(rows[a.label.Row], a)
			}
		}
	}
	w.line("\n%s: highest findings of benign rows", r.Tier.Name)
	for _, row := range sorted(rows) {
		w.alerts(row, rows[row], most)
	}
	w.line("\n%s: campaigns that were missed at five a day", r.Tier.Name)
	for _, c := range r.Missed {
		var own []alert
		for _, day := range r.alerts {
			for _, a := range day {
				if a.campaign == c {
					own = append(own, a)
				}
			}
		}
		w.alerts(fmt.Sprintf("%s: %d movements, %d seen", c.Name, len(c.Moves), r.seen[c.ID]), own, most)
	}
	w.line("\n%s: campaigns in several incidents", r.Tier.Name)
	for _, line := range r.Incidents.Split {
		w.line("%s", line)
	}
}

func (w *printer) alerts(of string, all []alert, most int) {
	w.line("%s, %d findings", of, len(all))
	slices.SortStableFunc(all, func(a, b alert) int { return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.id, b.id)) })
	for _, a := range all[:min(most, len(all))] {
		w.line("  %.1f %s %s", a.score, a.time, a.title)
		for _, x := range a.reasons {
			w.line("    %+.1f %s %s: %s", x.Nats, x.Family, x.Analytic, x.Text)
		}
	}
}
