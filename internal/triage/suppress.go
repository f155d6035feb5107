// Package triage says which findings come first and which a site hides. In come
// findings, the transfers and incidents that they are part of, and a site's
// suppressions; out come ranks within each day, and what was hidden and why. It removes
// no record, knows no format and never asks the clock.
package triage

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"waybill/internal/judge"
	"waybill/internal/model"
)

// Suppression hides findings that a site has looked at and does not want to see. Each
// list is of globs (judge.Glob), of which one has to fit; an empty one asks for nothing.
type Suppression struct {
	Artifact, SHA256, Name, Path       []string
	Host, Source, Destination, Account []string
	Analytic                           []string
	Reason                             string
	Until                              time.Time // the last day
	Where                              string    // file and line
}

// Hidden is what suppressions did.
type Hidden struct {
	Counts map[string]int64 // findings, by what the summary calls the suppression
	Notes  []string         // suppressions that are over
}

// Suppress marks the findings that are hidden. A suppression is over when the newest
// event of the inputs is later than its last day: there is no other clock, and the same
// inputs give the same output. What the user knows (--known) is never hidden.
func Suppress(findings []*model.Finding, transfers []*model.Transfer, all []Suppression, newest model.Time) Hidden {
	h := Hidden{Counts: map[string]int64{}}
	if len(all) == 0 {
		return h
	}
	moves := movesOf(findings, transfers)
	for i := range all {
		s := &all[i]
		fits := 0
		for _, f := range findings {
			if f.Suppressed != nil || f.Known || !s.fits(f, moves) {
				continue
			}
			fits++
			if !s.over(newest) {
				f.Suppressed = &model.Suppressed{Reason: s.Reason, Until: s.end()}
			}
		}
		h.note(s, fits, s.over(newest))
	}
	return h
}

func (h *Hidden) note(s *Suppression, fits int, over bool) {
	day := s.Until.Format(time.DateOnly)
	if over {
		h.Notes = append(h.Notes, fmt.Sprintf("%s: this suppression ended with %s and hides nothing, it would hide %d: %s", s.Where, day, fits, s.Reason))
		return
	}
	if fits > 0 {
		h.Counts[fmt.Sprintf("findings suppressed by %s until %s: %s", s.Where, day, s.Reason)] += int64(fits)
	}
}

// end is the first moment at which the suppression is over.
func (s *Suppression) end() model.Time { return model.Time(s.Until.AddDate(0, 0, 1).UnixNano()) }

func (s *Suppression) over(newest model.Time) bool { return newest >= s.end() }

// movesOf gives the transfers of findings by id.
func movesOf(findings []*model.Finding, transfers []*model.Transfer) map[string]*model.Transfer {
	wanted := map[string]*model.Transfer{}
	for _, f := range findings {
		for _, id := range f.Transfers {
			wanted[id] = nil
		}
	}
	for _, t := range transfers {
		if _, ok := wanted[t.ID]; ok {
			wanted[t.ID] = t
		}
	}
	return wanted
}

// fits says whether a suppression hides a finding: only when it fits all of it, each
// transfer and each analytic that speaks against it, so that nothing new hides behind
// what is known.
func (s *Suppression) fits(f *model.Finding, moves map[string]*model.Transfer) bool {
	for _, r := range f.Reasons {
		if r.Nats > 0 && !one(s.Analytic, r.Analytic) {
			return false
		}
	}
	if len(s.Artifact) > 0 && len(f.Artifacts) == 0 {
		return false
	}
	for _, a := range f.Artifacts {
		if !one(s.Artifact, a) {
			return false
		}
	}
	for _, id := range f.Transfers {
		if t := moves[id]; t == nil || !s.fitsMove(t) {
			return false
		}
	}
	return len(f.Transfers) > 0
}

func (s *Suppression) fitsMove(t *model.Transfer) bool {
	share := t.Share[strings.LastIndexAny(t.Share, `\/`)+1:]
	initiator := t.InitiatorUser
	return one(s.SHA256, hashes(t)...) &&
		one(s.Name, append([]string{t.Name, t.OriginalName}, t.EarlierNames...)...) &&
		one(s.Path, t.Path, share+`\`+strings.TrimLeft(t.Path, `\/`)) &&
		one(s.Host, words(t.Source, t.Destination)...) &&
		one(s.Source, words(t.Source)...) &&
		one(s.Destination, words(t.Destination)...) &&
		one(s.Account, t.User, t.Account(), initiator, initiator[strings.LastIndexByte(initiator, '\\')+1:])
}

// one says whether one of some words fits one of some globs; no glob asks for nothing.
func one(globs []string, words ...string) bool {
	return len(globs) == 0 || slices.ContainsFunc(globs, func(g string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return w != "" && judge.Glob(g, w) })
	})
}

// words are what endpoints may be called.
func words(ends ...model.Endpoint) []string {
	var out []string
	for _, e := range ends {
		bare, _, _ := strings.Cut(e.Host, ".")
		out = append(out, e.Host, bare, e.IP.String())
	}
	return out
}

func hashes(t *model.Transfer) []string {
	out := []string{t.SHA256}
	for _, h := range t.Hashes {
		if h.Alg == "sha256" {
			out = append(out, h.Value)
		}
	}
	return out
}
