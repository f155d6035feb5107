package behaviour

import (
	"fmt"
	"slices"
	"strings"

	"waybill/internal/model"
	"waybill/internal/scan"
)

// judge compares what was found with what the row wants.
func (s *Scenario) judge(o *Outcome, b *stage, found *scan.Records) {
	switch s.Expect {
	case Detect:
		s.mustFind(o, b, found)
	case Context, Negative:
		o.quiet(found, model.Low, true)
	case Benign:
		o.quiet(found, s.allow, false)
		if o.Severity < s.must {
			o.Problems = append(o.Problems, fmt.Sprintf("must be %v or more", s.must))
		}
	}
}

// judgeTwin does so for the twin.
func (s *Scenario) judgeTwin(o *Outcome, b *stage, found *scan.Records) {
	if s.Expect == Detect {
		o.quiet(found, model.Low, false)
		return
	}
	o.note(strongest(found.Findings))
	if o.Severity < model.Medium {
		o.Problems = append(o.Problems, "does not rise")
	}
}

// note takes a finding as the outcome.
func (o *Outcome) note(f *model.Finding) {
	if f == nil {
		return
	}
	o.Severity, o.Score, o.Title, o.Analytics = f.Severity, f.Score, f.Title, f.Analytics
}

func strongest(all []*model.Finding) *model.Finding {
	if len(all) == 0 {
		return nil
	}
	return slices.MaxFunc(all, func(a, b *model.Finding) int {
		switch {
		case a.Score < b.Score:
			return -1
		case a.Score > b.Score:
			return 1
		}
		return strings.Compare(b.ID, a.ID)
	})
}

// quiet wants nothing above a severity; only those that speak of T1570 when asked.
func (o *Outcome) quiet(found *scan.Records, most model.Severity, ofT1570 bool) {
	all := slices.DeleteFunc(slices.Clone(found.Findings), func(f *model.Finding) bool {
		return ofT1570 && !slices.Contains(f.Techniques, "T1570")
	})
	o.note(strongest(all))
	for _, f := range all {
		if f.Severity > most {
			o.Problems = append(o.Problems, fmt.Sprintf("%v %.1f: %s", f.Severity, f.Score, f.Title))
		}
	}
}

// mustFind wants every movement of a tool in a finding that says what the row asks for.
func (s *Scenario) mustFind(o *Outcome, b *stage, found *scan.Records) {
	var within []*model.Finding // those that name every movement
	first := true
	for _, m := range b.moved {
		if m.context {
			continue
		}
		findings := o.named(b, m, found)
		if first {
			within, first = findings, false
		}
		within = slices.DeleteFunc(slices.Clone(within), func(f *model.Finding) bool { return !slices.Contains(findings, f) })
		o.note(strongest(append(findings, kept(o, found)...)))
	}
	if s.single && len(within) == 0 && o.Held() {
		o.Problems = append(o.Problems, "more than one finding")
	}
	s.lacking(o, found)
}

// kept gives the finding that is the outcome until now.
func kept(o *Outcome, found *scan.Records) (out []*model.Finding) {
	for _, f := range found.Findings {
		if f.Title == o.Title && f.Score == o.Score {
			out = append(out, f)
		}
	}
	return out[:min(len(out), 1)]
}

// lacking notes the techniques that no finding of medium or above carries.
func (s *Scenario) lacking(o *Outcome, found *scan.Records) {
	carried := map[string]bool{}
	for _, f := range found.Findings {
		for _, t := range f.Techniques {
			whole, _, _ := strings.Cut(t, ".")
			carried[t], carried[whole] = carried[t] || f.Severity >= model.Medium, carried[whole] || f.Severity >= model.Medium
		}
	}
	for _, t := range s.related {
		if !carried[t] {
			o.Lacks = append(o.Lacks, t)
		}
	}
}

// named gives the findings of medium or above of a movement, and says what is wrong with it.
func (o *Outcome) named(b *stage, m *movement, found *scan.Records) []*model.Finding {
	var shown []*model.Transfer
	for _, t := range found.Transfers {
		if b.is(m, t) {
			shown = append(shown, t)
		}
	}
	if len(shown) == 0 {
		o.Problems = append(o.Problems, fmt.Sprintf("not shown: %s from %s to %s over %s; shown: %s", m.name, b.nameOf(m.from), b.nameOf(m.to), m.channel, list(found.Transfers)))
		return nil
	}
	var enough, any []*model.Finding
	for _, f := range found.Findings {
		if !slices.ContainsFunc(shown, func(t *model.Transfer) bool { return slices.Contains(f.Transfers, t.ID) }) {
			continue
		}
		any = append(any, f)
		if f.Severity >= model.Medium && slices.Contains(f.Techniques, "T1570") {
			enough = append(enough, f)
		}
	}
	o.Problems = append(o.Problems, b.wrong(m, shown)...)
	switch {
	case len(enough) > 0:
	case len(any) == 0:
		o.Problems = append(o.Problems, "no finding of "+m.name+" to "+b.nameOf(m.to))
	default:
		f := strongest(any)
		o.Problems = append(o.Problems, fmt.Sprintf("%v %.1f for %s to %s (%s)", f.Severity, f.Score, m.name, b.nameOf(m.to), strings.Join(f.Techniques, " ")))
	}
	return any
}

// is says whether a transfer is a movement.
func (b *stage) is(m *movement, t *model.Transfer) bool {
	return (m.sourceless || b.end(m.from, t.Source)) && b.end(m.to, t.Destination) && strings.HasPrefix(t.Channel, m.channel) &&
		(strings.EqualFold(t.Name, m.name) || m.name == "" || slices.ContainsFunc(t.EarlierNames, func(n string) bool { return strings.EqualFold(n, m.name) }))
}

func (b *stage) end(role string, e model.Endpoint) bool {
	h := b.host(role)
	return strings.EqualFold(e.Host, h.FQDN()) || strings.EqualFold(e.Host, h.Name) || e.IP == h.Model()
}

func (b *stage) nameOf(role string) string {
	if role == "" {
		return "an unknown host"
	}
	return b.host(role).Name
}

// wrong says what the records of a movement do not tell that the logs or packets have. One
// of them that tells all is enough.
func (b *stage) wrong(m *movement, shown []*model.Transfer) (best []string) {
	for i, t := range shown {
		var out []string
		if m.user != "" && !strings.EqualFold(t.User, m.user) && !strings.EqualFold(t.InitiatorUser, m.user) && !strings.HasSuffix(strings.ToLower(t.InitiatorUser), `\`+strings.ToLower(m.user)) {
			out = append(out, fmt.Sprintf("%s: account %q, not %q", m.name, t.User+t.InitiatorUser, m.user))
		}
		if m.share != "" && !strings.EqualFold(lastElement(t.Share), m.share) {
			out = append(out, fmt.Sprintf("%s: share %q", m.name, t.Share))
		}
		if m.started && len(t.Executed) == 0 {
			out = append(out, m.name+": start not linked")
		}
		if m.hash != "" && t.SHA256 != m.hash && !slices.ContainsFunc(t.Hashes, func(h model.Hash) bool { return h.Value == m.hash }) {
			out = append(out, m.name+": hash not told")
		}
		if i == 0 || len(out) < len(best) {
			best = out
		}
	}
	return best
}

func list(all []*model.Transfer) string {
	if len(all) == 0 {
		return "nothing"
	}
	var out []string
	for _, t := range all[:min(len(all), 6)] {
		out = append(out, fmt.Sprintf("%s %s %s>%s", t.Channel, t.Name, t.Source.Name(), t.Destination.Name()))
	}
	return strings.Join(out, "; ")
}
