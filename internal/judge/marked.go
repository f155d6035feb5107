package judge

import (
	"fmt"

	"waybill/internal/history"
	"waybill/internal/model"
)

// What analysts said before (waybill history mark) of findings, artifacts and transfers,
// by their ids. A benign mark lowers what it is about by so much that it is no finding of
// medium by everyday reasons, and says so; what else is wrong still shows. A malicious
// one is what the user knows: it is shown first and adds nothing.

// byMark are marks by what they are of.
func byMark(all []history.Mark) map[string]history.Mark {
	out := make(map[string]history.Mark, len(all))
	for _, m := range all {
		out[m.ID] = m
	}
	return out
}

// markOf is the mark of a transfer: of itself, else of its content.
func (j *Judge) markOf(t *model.Transfer, content string) (history.Mark, float64, bool) {
	if len(j.marks) == 0 {
		return history.Mark{}, 0, false
	}
	for _, id := range append([]string{t.ID}, t.Observations...) {
		if m, ok := j.marks[id]; ok {
			return m, markedBenign, true
		}
	}
	m, ok := j.marks[content]
	return m, markedContent, ok
}

// marked is what analysts said of a transfer, as a term of its score.
func (j *Judge) marked(t *model.Transfer, content string) []Mark {
	m, nats, ok := j.markOf(t, content)
	if !ok {
		return nil
	}
	out := Mark{Family: "mark", Analytic: "mark", Transfer: t.ID, Time: max(t.Start, t.End), Text: markText(m, t.Start), Evidence: t.Evidence}
	switch {
	case m.Until < t.Start:
	case m.Verdict == history.Malicious:
		out.Family = "known"
	default:
		out.Nats = nats
	}
	return []Mark{out}
}

func markText(m history.Mark, at model.Time) string {
	if m.Until < at {
		return fmt.Sprintf("%s was marked %s until %s, which had passed: %s", m.ID, m.Verdict, m.Until, m.Reason)
	}
	return fmt.Sprintf("%s is marked %s until %s: %s", m.ID, m.Verdict, m.Until, m.Reason)
}

// markFinding applies what analysts said of a finding.
func (j *Judge) markFinding(f *model.Finding) {
	m, ok := j.marks[f.ID]
	if !ok {
		return
	}
	r := model.Reason{Family: "mark", Analytic: "mark", Text: markText(m, f.Start), Evidence: []model.Evidence{}}
	switch {
	case m.Until < f.Start:
	case m.Verdict == history.Malicious:
		f.Known = true
	default:
		r.Nats = min(markedBenign, settled-f.Score) // it is this very event
	}
	f.Reasons = append(f.Reasons, r)
	f.Analytics = append(f.Analytics, r.Analytic)
	f.Score += r.Nats
	f.Severity = model.SeverityOf(f.Score)
}

// withheld is a finding, and of what took part in it what was not learned.
type withheld struct {
	finding *model.Finding
	members []*member
}

// settle learns from what was not learned before, unless it is part of a finding of
// medium or above: that is held back.
func (j *Judge) settle(c *cluster, f *model.Finding) {
	var left []*member
	for _, m := range c.members {
		if !m.taught {
			left = append(left, m)
		}
	}
	switch {
	case len(left) == 0:
	case f != nil && f.Severity >= model.Medium:
		if j.set.Withheld != nil {
			j.held = append(j.held, withheld{f, left})
		}
	default:
		for _, m := range left {
			j.learn(&m.facts, m.t, m.at)
		}
	}
}

// tellHeld says what was held back, and what would be learned from it.
func (j *Judge) tellHeld() {
	for _, h := range j.held {
		for _, m := range h.members {
			n := history.New()
			j.learnInto(n, &m.facts, m.t, m.at)
			j.set.Withheld(h.finding, m.t, n.Entries())
		}
	}
}
