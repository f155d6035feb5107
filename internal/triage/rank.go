package triage

import (
	"cmp"
	"slices"
	"time"

	"waybill/internal/model"
)

// Rank gives each finding its place among those of its day (UTC, by the time of the
// finding): first what the user knows (--known), then the strongest of each incident,
// then all others, each by score. So one incident cannot take all places of a day. What
// is suppressed has no place.
func Rank(findings []*model.Finding, incidents []*model.Incident) {
	byDay := map[string][]*model.Finding{}
	for _, f := range findings {
		if f.Rank = 0; f.Suppressed == nil {
			d := day(f)
			byDay[d] = append(byDay[d], f)
		}
	}
	first := leaders(findings, incidents)
	for _, all := range byDay {
		slices.SortFunc(all, func(a, b *model.Finding) int {
			return cmp.Or(before(a.Known, b.Known), before(first[a], first[b]), stronger(a, b))
		})
		for i, f := range all {
			f.Rank = i + 1
		}
	}
}

// leaders are the strongest findings of each incident on each day.
func leaders(findings []*model.Finding, incidents []*model.Incident) map[*model.Finding]bool {
	of := map[string]string{}
	for _, i := range incidents {
		for _, id := range i.Findings {
			of[id] = i.ID
		}
	}
	type share struct{ incident, day string }
	best := map[share]*model.Finding{}
	for _, f := range findings {
		s := share{of[f.ID], day(f)}
		if s.incident != "" && (best[s] == nil || stronger(f, best[s]) < 0) {
			best[s] = f
		}
	}
	out := map[*model.Finding]bool{}
	for _, f := range best {
		out[f] = true
	}
	return out
}

func stronger(a, b *model.Finding) int {
	return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Start, b.Start), cmp.Compare(a.ID, b.ID))
}

func before(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

func day(f *model.Finding) string {
	return time.Unix(0, int64(cmp.Or(f.Time, f.Start))).UTC().Format(time.DateOnly)
}
