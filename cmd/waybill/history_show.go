package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"waybill/internal/history"
	"waybill/internal/identity"
	"waybill/internal/model"
	"waybill/internal/report"
)

type historyShow struct {
	historyFile
	Format string `default:"table" placeholder:"FORMAT" help:"table, or ndjson for all of it (${default})."`
	Top    int    `default:"10" placeholder:"N" help:"How many of each to show in the table (${default})."`
	Output string `short:"o" placeholder:"FILE" help:"Write to FILE, all or nothing, instead of standard output."`
}

// Run shows the history.
func (c *historyShow) Run(p *program) error {
	print := map[string]func(*page, *history.Memory){"table": (*page).table, "ndjson": (*page).ndjson}[c.Format]
	if print == nil {
		return usagef("--format %s: give table or ndjson", c.Format)
	}
	if c.Top < 0 {
		return usagef("--top %d: give 0 or more", c.Top)
	}
	m, err := readHistory(c.History)
	if err != nil {
		return err
	}
	out, err := newOutput(p.stdout, c.Output)
	if err != nil {
		return err
	}
	defer out.discard()
	w := bufio.NewWriter(out)
	print(&page{w: w, file: c.History, top: c.Top}, m)
	if err := w.Flush(); err != nil {
		return fmt.Errorf("writing the history: %w", err)
	}
	return out.commit()
}

// page prints a history.
type page struct {
	w    io.Writer
	file string
	top  int
}

func (p *page) f(format string, args ...any) { fmt.Fprintf(p.w, format, args...) }

func dayText(t model.Time) string { return time.Unix(0, int64(t)).UTC().Format(time.DateOnly) }

// table is a page for people.
func (p *page) table(m *history.Memory) {
	first, last, days := m.Normal.Span()
	p.f("%s: ", report.Plain(p.file))
	if days == 0 {
		p.f("nothing is known yet\n")
	} else {
		p.f("%s to %s, %s with movements; a use counts half after %d days\n", dayText(first), dayText(last), plural(days, "day"), m.Normal.HalfLife/model.Time(24*time.Hour))
	}
	p.f("  %s, %s learned from, %s, %s held back\n", plural(m.Normal.Len(), "use"), plural(len(m.Inputs), "input"), plural(len(m.Marks), "mark"), plural(len(m.Held), "transfer"))
	p.roles(m.Roles.Seen())
	entries := m.Normal.Entries()
	for _, s := range []struct {
		title string
		kind  history.Kind
		row   func(e *history.Entry) []string
	}{
		{"Pairs of hosts: who asked, how, whom", history.Pair, func(e *history.Entry) []string { return []string{e.A, e.B, e.C} }},
		{"Accounts on hosts", history.AccountOn, func(e *history.Entry) []string { return []string{e.A, e.C} }},
		{"Tools of accounts on hosts", history.Utility, func(e *history.Entry) []string { return []string{e.A, e.B, e.C} }},
		{"Distributors: hosts that hand out programs", history.Gives, func(e *history.Entry) []string {
			return []string{e.A, e.B, "to " + atLeast(m.Normal.Peers(history.GivesTo, e.A, e.B))}
		}},
		{"Kinds of files that hosts hand out", history.Family, func(e *history.Entry) []string {
			return []string{e.A, e.B, e.C, "to " + atLeast(m.Normal.Peers(history.FamilyTo, e.A, e.C))}
		}},
		{"Programs", history.Content, func(e *history.Entry) []string {
			return []string{e.A, "on " + atLeast(m.Normal.Peers(history.ContentAt, e.A, ""))}
		}},
	} {
		p.section(s.title, ofKind(entries, s.kind), s.row)
	}
	p.homes(m)
	p.marks(m)
}

// atLeast says how many hosts there are; of many not all are counted.
func atLeast(hosts int) string {
	if hosts >= 64 {
		return "64 hosts or more"
	}
	return plural(hosts, "host")
}

// ofKind is the entries of a kind, those that count most first.
func ofKind(all []history.Entry, k history.Kind) []history.Entry {
	out := slices.DeleteFunc(slices.Clone(all), func(e history.Entry) bool { return e.Kind != k })
	slices.SortStableFunc(out, func(a, b history.Entry) int {
		return cmp.Or(cmp.Compare(b.Days, a.Days), cmp.Compare(b.Count, a.Count))
	})
	return out
}

// section prints the first rows of a kind.
func (p *page) section(title string, entries []history.Entry, row func(e *history.Entry) []string) {
	if len(entries) == 0 {
		return
	}
	p.f("\n%s (%d)\n", title, len(entries))
	w := tabwriter.NewWriter(p.w, 0, 0, 2, ' ', 0)
	for i := range entries[:min(p.top, len(entries))] {
		e := &entries[i]
		cells := row(e)
		for i := range cells {
			cells[i] = cell(cells[i])
		}
		fmt.Fprintf(w, "  %s\t%s\t%.1f times\t%s to %s\n", strings.Join(cells, "\t"), plural(int(e.Days), "day"), e.Count, dayText(e.First), dayText(e.Last))
	}
	w.Flush()
}

// cell is a name on one line, without what would break the columns.
func cell(s string) string {
	const widest = 60
	s = report.Plain(s)
	if r := []rune(s); len(r) > widest {
		s = string(r[:widest-3]) + "..."
	}
	return strings.ReplaceAll(s, "\t", " ")
}

// roles prints what hosts are for: the surest first.
func (p *page) roles(seen []identity.Seen) {
	if len(seen) == 0 {
		return
	}
	counts := map[string]int{}
	for _, s := range seen {
		counts[s.Role.Name]++
	}
	var words []string
	for role, n := range counts {
		words = append(words, fmt.Sprintf("%d %s", n, role))
	}
	slices.Sort(words)
	p.f("\nHosts (%d): %s\n", len(seen), strings.Join(words, ", "))
	sure := map[string]int{"high": 0, "medium": 1, "low": 2}
	rank := func(s identity.Seen) int {
		n := sure[s.Role.Confidence]
		if s.Role.Name == identity.RoleWorkstation || s.Role.Name == identity.RoleUnknown {
			n += 3
		}
		return n
	}
	slices.SortStableFunc(seen, func(a, b identity.Seen) int { return cmp.Compare(rank(a), rank(b)) })
	w := tabwriter.NewWriter(p.w, 0, 0, 2, ' ', 0)
	for _, s := range seen[:min(p.top, len(seen))] {
		fmt.Fprintf(w, "  %s\t%s (%s)\t%s\t\n", cell(s.Key), s.Role.Name, s.Role.Confidence, s.Role.Why())
	}
	w.Flush()
}

// marks prints what analysts said, and what is held back.
func (p *page) marks(m *history.Memory) {
	if len(m.Marks) > 0 {
		p.f("\nMarks (%d)\n", len(m.Marks))
	}
	_, last, _ := m.Normal.Span()
	for _, x := range m.Marks[:min(p.top, len(m.Marks))] {
		ended := ""
		if x.Until < last {
			ended = ", which has passed"
		}
		p.f("  %s  %s until %s%s: %s\n", report.Plain(x.ID), x.Verdict, dayText(x.Until), ended, report.Plain(x.Reason))
		for _, line := range coverLines(&x) {
			p.f("  %s", line)
		}
	}
	if len(m.Held) > 0 {
		p.f("\nHeld back (%d): not learned until marked benign\n", len(m.Held))
	}
	for _, h := range m.Held[max(0, len(m.Held)-p.top):] {
		p.f("  %s  %s  %s  %s\n", dayText(h.Time), report.Plain(h.Finding), report.Plain(h.Artifact), report.Plain(h.Transfer))
	}
}

// coverLines says what a mark covers: of a malicious one contents and their givers, of
// others each kind of work once.
func coverLines(x *history.Mark) []string {
	var lines []string
	for _, w := range x.Covers {
		line := "  what " + report.Plain(w.Giver) + " hands out, and " + cmp.Or(report.Plain(w.Content), "no content that is known")
		if x.Verdict == history.Benign {
			line = fmt.Sprintf("  %s from %s%s, %s%s", report.Plain(w.File), report.Plain(w.Giver), after(" as ", w.Account), report.Plain(w.Way), after(", started by ", w.Start))
		}
		if line += "\n"; !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return lines
}

// after puts a word before a text that is there.
func after(word, s string) string {
	if s == "" {
		return ""
	}
	return word + report.Plain(s)
}

// cover is what a mark covers, as it is printed.
type cover struct {
	Giver   string `json:"giver"`
	Account string `json:"account,omitempty"`
	Way     string `json:"way"`
	File    string `json:"file"`
	Start   string `json:"start,omitempty"`
	Content string `json:"content,omitempty"`
}

func coversOf(x *history.Mark) []cover {
	var out []cover
	for _, w := range x.Covers {
		out = append(out, cover(w))
	}
	return out
}

// ndjson is all of it, one object a line.
func (p *page) ndjson(m *history.Memory) {
	enc := json.NewEncoder(p.w)
	enc.SetEscapeHTML(false)
	first, last, days := m.Normal.Span()
	enc.Encode(struct {
		Kind     string     `json:"kind"`
		First    model.Time `json:"first,omitzero"`
		Last     model.Time `json:"last,omitzero"`
		Days     int        `json:"days"`
		HalfLife int64      `json:"half_life_days"`
		Uses     int        `json:"uses"`
		Inputs   int        `json:"inputs"`
	}{"history", first, last, days, int64(m.Normal.HalfLife / model.Time(24*time.Hour)), m.Normal.Len(), len(m.Inputs)})
	for _, s := range m.Roles.Seen() {
		enc.Encode(struct {
			Kind       string     `json:"kind"`
			Host       string     `json:"host"`
			Role       string     `json:"role"`
			Confidence string     `json:"confidence"`
			Why        string     `json:"why"`
			First      model.Time `json:"first,omitzero"`
			Last       model.Time `json:"last,omitzero"`
		}{"host", s.Key, s.Role.Name, s.Role.Confidence, s.Role.Why(), s.First, s.Last})
	}
	for _, e := range m.Normal.Entries() {
		enc.Encode(struct {
			Kind  string     `json:"kind"`
			Of    string     `json:"of"`
			Names []string   `json:"names"`
			First model.Time `json:"first"`
			Last  model.Time `json:"last"`
			Days  uint16     `json:"days"`
			Count float32    `json:"count"`
		}{"use", e.Kind.String(), []string{e.A, e.B, e.C}, e.First, e.Last, e.Days, e.Count})
	}
	p.rest(enc, m)
}

// rest is addresses, inputs, marks and what is held back.
func (p *page) rest(enc *json.Encoder, m *history.Memory) {
	p.addresses(enc, m)
	for _, digest := range sortedDigests(m.Inputs) {
		enc.Encode(struct {
			Kind   string     `json:"kind"`
			Digest string     `json:"digest"`
			Input  string     `json:"input"`
			Last   model.Time `json:"last,omitzero"`
		}{"input", digest, m.Inputs[digest].Name, m.Inputs[digest].Last})
	}
	for _, x := range m.Marks {
		enc.Encode(struct {
			Kind    string     `json:"kind"`
			ID      string     `json:"id"`
			Verdict string     `json:"verdict"`
			Reason  string     `json:"reason"`
			Until   model.Time `json:"until"`
			Covers  []cover    `json:"covers,omitempty"`
		}{"mark", x.ID, x.Verdict, x.Reason, x.Until, coversOf(&x)})
	}
	for _, h := range m.Held {
		enc.Encode(struct {
			Kind     string     `json:"kind"`
			Transfer string     `json:"transfer"`
			Artifact string     `json:"artifact,omitempty"`
			Finding  string     `json:"finding"`
			Time     model.Time `json:"time"`
		}{"held", h.Transfer, h.Artifact, h.Finding, h.Time})
	}
}

func sortedDigests(inputs history.Inputs) []string {
	var out []string
	for digest := range inputs {
		out = append(out, digest)
	}
	slices.Sort(out)
	return out
}
