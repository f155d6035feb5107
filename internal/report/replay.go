package report

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"waybill/internal/model"
)

// Bounds of what the table of a replay shows.
const (
	maxDays    = 14
	maxFates   = 10
	maxBroken  = 6
	maxReasons = 6
	maxSpared  = 4
)

// Replay writes what a policy would have done, for people: what it must not do first, then a
// line a day, findings, and what would stop working. The total is the last of the records.
func Replay(w io.Writer, all []*model.Replay) error {
	p := page{w: bufio.NewWriterSize(w, 1<<16)}
	if len(all) > 0 {
		total := all[len(all)-1]
		p.replayWarnings(total)
		p.replayDays(all)
		p.fates(all)
		p.broken(total)
		p.notJudged(total)
	}
	return p.w.Flush()
}

// ReplayWarnings writes only what a policy must not do, for what has more to say before the rest.
func ReplayWarnings(w io.Writer, total *model.Replay) error {
	p := page{w: bufio.NewWriterSize(w, 1<<16)}
	p.replayWarnings(total)
	return p.w.Flush()
}

// ReplayNDJSON writes the records, one a line.
func ReplayNDJSON(w io.Writer, all []*model.Replay) error { return Lines(w, all) }

// Lines writes records of any kind, one JSON object a line.
func Lines[T any](w io.Writer, records []T) error {
	out := lines{w: bufio.NewWriterSize(w, 1<<16)}
	out.json = json.NewEncoder(&out.buf)
	out.json.SetEscapeHTML(false)
	each(&out, records)
	if out.err == nil {
		out.err = out.w.Flush()
	}
	return out.err
}

// replayWarnings come before anything else: they are why not to use the rules.
func (p *page) replayWarnings(total *model.Replay) {
	if len(total.Warnings) > 0 {
		p.f("WARNING: these rules block %s\n", Plain(strings.Join(total.Warnings, "; ")))
	}
	if len(total.StrictWarnings) > 0 {
		p.f("warning: with --strict they block %s\n", Plain(strings.Join(total.StrictWarnings, "; ")))
	}
	p.begun = len(total.Warnings)+len(total.StrictWarnings) > 0
}

// replayForms say what the forms of a replay are.
var replayForms = map[string]string{
	model.Rolling: "each day by what the days before it taught",
	model.InPlace: "on what was learned from",
	model.Given:   "the policy on all inputs",
}

func (p *page) replayDays(all []*model.Replay) {
	total := all[len(all)-1]
	p.section("Replay, %s: %s", total.Form, replayForms[total.Form])
	if total.Label != "" {
		p.f("  %s\n", total.Label)
	}
	p.f("  %-10s  %7s  %-44s  %-29s  %s\n", "", "learned", "everyday transfers", "findings", "hosts of findings")
	p.f("  %-10s  %7s  %10s %8s %10s %13s  %8s %10s %9s  %s\n", "day", "days", "passed", "blocked", "candidates", "not judged", "all", "blocked", "strict", "reached (strict) of")
	if more := len(all) - 1 - maxDays; more > 0 {
		p.f("  ... %s before (--format ndjson shows all)\n", count(more, "day"))
		all = all[more:]
	}
	for _, r := range all {
		p.replayDay(r)
	}
}

func (p *page) replayDay(r *model.Replay) {
	day, learned := r.Day, fmt.Sprint(r.LearnedDays)
	if day == "" {
		day, learned = "all", ""
	}
	if r.Day != "" && r.LearnedDays == 0 && r.Form == model.Rolling {
		p.f("  %-10s  %7s  %s only learned from\n", day, "-", count(r.LearnedOnly, "transfer"))
		return
	}
	l := r.Legitimate
	findings := 0
	for _, n := range r.Fates {
		findings += n
	}
	blocked := r.Fates[model.FateBlocked] + r.Fates[model.FateNotBegun]
	p.f("  %-10s  %7s  %10d %8d %10d %13d  %8d %10d %9d  %d (%d) of %d\n", day, learned, l.Passed, l.Blocked, l.Candidates, l.NotJudged, findings, blocked,
		blocked+r.Fates[model.FateCandidate], r.Reached, r.ReachedStrict, r.Hosts)
	if r.LeftOutLater > 0 {
		p.f("  %10s  not learned, for findings that were told only later: %s\n", "", count(r.LeftOutLater, "move"))
	}
}

// fates are what becomes of each finding.
func (p *page) fates(all []*model.Replay) {
	var fates []*model.Fate
	for _, r := range all {
		for i := range r.Findings {
			fates = append(fates, &r.Findings[i])
		}
	}
	if len(fates) == 0 {
		p.section("No findings that a filter could have blocked")
		return
	}
	slices.SortStableFunc(fates, func(a, b *model.Fate) int { return cmp.Compare(b.Severity, a.Severity) })
	p.section("What would have become of %s", count(len(fates), "finding"))
	for i, f := range fates {
		if i == maxFates {
			p.f("  ... and %d more (--format ndjson shows all)\n", len(fates)-i)
			return
		}
		p.fate(f)
	}
}

// fateWords are the outcomes as the table has them.
var fateWords = map[string]string{
	model.FateBlocked: "blocked", model.FateNotBegun: "never begun", model.FateCandidate: "with --strict", model.FatePasses: "passes", model.FateNotJudged: "not judged",
}

func (p *page) fate(f *model.Fate) {
	p.f("  %-13s %s  %s\n", fateWords[f.Outcome], severity(f.Severity), clip(Plain(f.Title), 110))
	if f.At != nil {
		p.f("  %13s %s, by %s: %s\n", "", Plain(exchange(f.At)), Plain(f.By), Plain(f.Why))
	}
	for _, line := range fateDetails(f) {
		p.f("  %13s %s\n", "", Plain(line))
	}
}

// fateDetails are the hosts, and what is not so simple.
func fateDetails(f *model.Fate) (out []string) {
	hosts := fmt.Sprintf("%d of %s reached", f.Reached, count(f.Hosts, "host"))
	if f.ReachedStrict < f.Reached {
		hosts += fmt.Sprintf(", %d with --strict", f.ReachedStrict)
	}
	if len(f.Spared) > 0 {
		hosts += "; not " + strings.Join(f.Spared[:min(len(f.Spared), maxSpared)], ", ")
		if more := len(f.Spared) - maxSpared; more > 0 {
			hosts += fmt.Sprintf(" and %d more", more)
		}
	}
	out = append(out, hosts)
	if f.AnotherWay > 0 {
		out = append(out, fmt.Sprintf("%s would have had the file by another way", count(f.AnotherWay, "host")))
	}
	if f.UnknownParents > 0 {
		out = append(out, fmt.Sprintf("of %s nobody knows where the file came from: counted as reached", count(f.UnknownParents, "host")))
	}
	if f.CallsBlocked > 0 {
		out = append(out, count(f.CallsBlocked, "call")+" that went with it would have been blocked")
	}
	if d := f.Detected; d != nil {
		out = append(out, fmt.Sprintf("shown, not blocked, by %s when %s had the file: %s and %s came later", d.By, d.Host, count(d.LaterTransfers, "transfer"), count(d.LaterStarts, "start")))
	}
	if f.Sealed > 0 {
		out = append(out, count(f.Sealed, "transfer")+" of known content went encrypted: no sensor on the wire sees it")
	}
	return out
}

// exchange is a transfer as an example.
func exchange(s *model.Sample) string {
	text := fmt.Sprintf("%s  %s > %s", second(s.Time), s.Client, s.Server)
	if s.What != "" {
		text += "  " + s.What
	}
	if s.User != "" {
		text += "  by " + s.User
	}
	return text
}

// broken is everyday work that would not pass.
func (p *page) broken(total *model.Replay) {
	p.breaks(total.Blocked, "Everyday transfers that would have been blocked: %d", total.Legitimate.Blocked)
	if total.Calls.Blocked > 0 {
		p.f("  and %s and logons to shares\n", count(total.Calls.Blocked, "call"))
	}
	p.breaks(total.Candidates, "Everyday transfers that --strict would block too: %d", total.Legitimate.Candidates)
}

func (p *page) breaks(all []model.Broken, heading string, n int) {
	if len(all) == 0 {
		return
	}
	p.section(heading, n)
	for i, b := range all {
		if i == maxBroken {
			p.f("  ... and %d more groups (--format ndjson shows all)\n", len(all)-i)
			return
		}
		p.f("  %s > %s over %s: %s of %s; %s\n", Plain(b.From), Plain(b.To), Plain(b.Service), count(b.Transfers, "transfer"), count(b.Pairs, "pair"), Plain(b.Why))
		for j := range b.Examples {
			p.f("    %s\n", Plain(exchange(&b.Examples[j])))
		}
	}
}

func (p *page) notJudged(total *model.Replay) {
	if len(total.NotJudged) == 0 {
		return
	}
	n := 0
	for _, k := range total.NotJudged {
		n += k
	}
	p.section("Not judged: %s", count(n, "transfer"))
	for i, why := range sorted(total.NotJudged) {
		if i == maxReasons {
			p.f("  ... and %d more reasons\n", len(total.NotJudged)-i)
			return
		}
		p.f("  %d: %s\n", total.NotJudged[why], Plain(why))
	}
}
