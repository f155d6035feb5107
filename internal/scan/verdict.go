package scan

import (
	"slices"

	"waybill/internal/incident"
	"waybill/internal/model"
	"waybill/internal/triage"
)

// chain hides what the site suppresses, and makes incidents of the other findings.
func (r *Records) chain(o *Options, startsLogged map[string]bool) {
	hidden := triage.Suppress(r.Findings, r.Transfers, o.Suppress, newest(r.Transfers, r.Accesses))
	for why, n := range hidden.Counts {
		r.Summary.LeftOut[why] += n
	}
	r.Summary.Notes = append(r.Summary.Notes, hidden.Notes...)
	open := slices.DeleteFunc(slices.Clone(r.Findings), func(f *model.Finding) bool { return f.Suppressed != nil })
	r.Incidents = incident.Chain(incident.Input{Findings: open, Transfers: r.Transfers, Accesses: r.Accesses,
		Artifacts: r.Artifacts, StartsLogged: startsLogged, Window: o.Settings.Window})
	if !o.ShowSuppressed {
		r.Findings = open
	}
}

// newest is the time of the newest event that says something.
func newest(transfers []*model.Transfer, accesses []*model.Access) (t model.Time) {
	for _, x := range transfers {
		t = max(t, x.Start, x.End)
	}
	for _, a := range accesses {
		t = max(t, a.Time)
	}
	return t
}
