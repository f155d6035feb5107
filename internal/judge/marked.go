package judge

import (
	"fmt"

	"waybill/internal/history"
	"waybill/internal/model"
)

// What analysts said before (waybill history mark) of findings, artifacts and transfers.
// A benign mark lowers what it is about by so much that it is no finding of medium by
// everyday reasons, and says so; what else is wrong still shows. It is about more of the
// same as well: this kind of file, from this giver, by this account, started so, to any
// hosts. A malicious one is what the user knows: what it is about is shown first, its
// content is held against whoever moves it, and its giver is less trusted.

// verdicts are what analysts said, by what it is about.
type verdicts struct {
	ids      map[string]history.Mark       // findings, artifacts and transfers
	works    map[history.Work]history.Mark // benign; without content
	contents map[string]history.Mark       // malicious
	givers   map[string]history.Mark       // malicious
}

// verdictsOf sorts marks. Of two about one thing that which ends later counts.
func verdictsOf(all []history.Mark) verdicts {
	s := verdicts{map[string]history.Mark{}, map[history.Work]history.Mark{}, map[string]history.Mark{}, map[string]history.Mark{}}
	for _, m := range all {
		s.ids[m.ID] = m
		for _, w := range m.Covers {
			if m.Verdict == history.Malicious {
				later(s.contents, w.Content, m)
				later(s.givers, w.Giver, m)
				continue
			}
			if w.Content = ""; w.Giver == "" || w.File == "" {
				continue // who and what is not known
			}
			later(s.works, w, m)
			w.Start = "" // so much more if it was not started
			later(s.works, w, m)
		}
	}
	return s
}

// later keeps the mark that ends later.
func later[K comparable](marks map[K]history.Mark, key K, m history.Mark) {
	if old, ok := marks[key]; !ok || old.Until < m.Until {
		marks[key] = m
	}
}

// markOf is the mark of a transfer: of itself, else of its content.
func (s *verdicts) markOf(t *model.Transfer, content string) (history.Mark, float64, bool) {
	for _, id := range append([]string{t.ID}, t.Observations...) {
		if m, ok := s.ids[id]; ok {
			return m, markedBenign, true
		}
	}
	m, ok := s.ids[content]
	return m, markedContent, ok
}

// marked is what analysts said of a transfer, as terms of its score.
func (j *Judge) marked(e *Event) []Mark {
	if len(j.marks.ids) == 0 {
		return nil
	}
	t := e.Transfer
	says := func(family string, nats float64, text string) Mark {
		return Mark{Family: family, Analytic: "mark", Transfer: t.ID, Time: max(t.Start, t.End), Nats: nats, Text: text, Evidence: t.Evidence}
	}
	var out []Mark
	m, nats, ok := j.marks.markOf(t, e.Content)
	switch {
	case !ok:
	case m.Until < t.Start:
		out = append(out, says("mark", 0, markText(m, t.Start)))
	case m.Verdict == history.Malicious:
		out = append(out, says("known", 0, markText(m, t.Start)))
	default:
		out = append(out, says("mark", nats, markText(m, t.Start)))
	}
	if bad, ok := j.marks.contents[e.Content]; ok && e.Content != "" && bad.Until >= t.Start {
		return append(out, says("known", markedBad, "this content moved in "+markText(bad, t.Start)))
	}
	if bad, ok := j.marks.givers[e.From]; ok && bad.Until >= t.Start && programMoved(*e) != "" {
		out = append(out, says("mark", markedGiver, t.Source.Name()+" handed out what "+markText(bad, t.Start)))
	}
	return out
}

func markText(m history.Mark, at model.Time) string {
	if m.Until < at {
		return fmt.Sprintf("%s was marked %s until %s, which had passed: %s", m.ID, m.Verdict, m.Until, m.Reason)
	}
	return fmt.Sprintf("%s is marked %s until %s: %s", m.ID, m.Verdict, m.Until, m.Reason)
}

// markFinding applies what analysts said of a finding, or of others of the same work.
func (j *Judge) markFinding(f *model.Finding, c *cluster) {
	r := model.Reason{Family: "mark", Analytic: "mark", Evidence: []model.Evidence{}}
	m, ok := j.marks.ids[f.ID]
	switch {
	case !ok:
		w, ok := j.covered(c)
		if !ok || f.Severity < model.Medium {
			return
		}
		m = j.marks.works[w]
		r.Text = fmt.Sprintf("the same work (%s from %s%s) as %s", w.File, w.Giver, as(w.Account), markText(m, f.Start))
		r.Nats = min(0, settled-everyday(f.Reasons))
	case m.Until < f.Start:
		r.Text = markText(m, f.Start)
	case m.Verdict == history.Malicious:
		r.Text, f.Known = markText(m, f.Start), true
	default:
		r.Text, r.Nats = markText(m, f.Start), min(markedBenign, settled-f.Score) // it is this very event
	}
	f.Reasons = append(f.Reasons, r)
	f.Analytics = append(f.Analytics, r.Analytic)
	f.Score += r.Nats
	f.Severity, f.Worth = model.SeverityOf(f.Score), Worth(f.Score)
}

func as(account string) string {
	if account == "" {
		return ""
	}
	return " as " + account
}

// covered is the work that a mark covers, of the strongest member of a cluster. All that
// are strong have to be covered, and their content marked by nobody as malicious.
func (j *Judge) covered(c *cluster) (history.Work, bool) {
	if len(j.marks.works) == 0 {
		return history.Work{}, false
	}
	shared := Sum(c.shared)
	for _, m := range c.members {
		if model.SeverityOf(Sum(m.marks)+shared) < model.Medium {
			continue
		}
		w := m.work()
		if _, bad := j.marks.contents[w.Content]; bad && w.Content != "" {
			return w, false
		}
		w.Content = ""
		if mark, ok := j.marks.works[w]; !ok || mark.Until < m.t.Start {
			return w, false
		}
	}
	w := c.top.work()
	w.Content = ""
	_, ok := j.marks.works[w]
	return w, ok
}

// everyday is what reasons add up to that are the same each time such work is done. What
// else is wrong is none of it: that its giver received the file, or that the file is not
// what it says.
func everyday(why []model.Reason) float64 {
	sum := 0.0
	for _, r := range why {
		switch r.Family {
		case "channel", "command", "execution", "pipe", "novelty", "benign":
			sum += r.Nats
		case "spread", "file":
			if r.Analytic == "same-file-many-hosts" || r.Analytic == "rare-file" {
				sum += r.Nats
			}
		}
	}
	return sum
}

// work is what somebody did with a file, as marks are of it. Who fetched is anybody.
func (m *member) work() history.Work {
	w := history.Work{Giver: m.facts.From, Account: m.facts.User, Way: m.facts.Way, File: m.facts.Family, Start: startedHow(m.t), Content: m.facts.Content}
	if m.t.Operation == model.Pull {
		w.Account = ""
	}
	return w
}

// startedHow is by what means a file was started, as far as is seen.
func startedHow(t *model.Transfer) string {
	for _, x := range t.Executed {
		for _, how := range [...]string{x.How, x.By} {
			if techniquesOf(how) != nil {
				return how
			}
		}
	}
	if len(t.Executed) > 0 {
		return t.Executed[0].How
	}
	return ""
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
		artifact := ""
		if len(h.finding.Artifacts) > 0 {
			artifact = h.finding.Artifacts[0]
		}
		for _, m := range h.members {
			n := history.New()
			j.learnInto(n, &m.facts, m.t, m.at)
			j.set.Withheld(m.t, history.Held{Transfer: m.t.ID, Artifact: artifact, Finding: h.finding.ID, Time: max(m.t.Start, m.t.End), Uses: n.Entries(), Work: m.work()})
		}
	}
}
