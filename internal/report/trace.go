package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"waybill/internal/model"
)

// Traced is what a trace found: artifacts, all transfers that carried them, and
// transfers of what was asked for that are of none: refused, claimed, or of a content that
// nothing tells.
type Traced struct {
	model.Records
	Nameless []*model.Transfer
}

// find gives the records of the transfers by id.
func (t *Traced) find() Find {
	all := make(map[string]*model.Transfer, len(t.Transfers))
	for _, x := range t.Transfers {
		all[x.ID] = x
	}
	return func(id string) *model.Transfer { return all[id] }
}

// TraceWriter writes a trace in one format.
type TraceWriter func(w io.Writer, t Traced, s Selection) error

// TraceFormats are the formats of a trace by name.
var TraceFormats = map[string]TraceWriter{
	"table":   traceText,
	"dot":     func(w io.Writer, t Traced, _ Selection) error { return dot(w, t) },
	"graphml": func(w io.Writer, t Traced, _ Selection) error { return graphML(w, t) },
	"ndjson":  func(w io.Writer, t Traced, s Selection) error { return NDJSON(w, t.all(), s) },
	"csv":     func(w io.Writer, t Traced, s Selection) error { return CSV(w, t.all(), s) },
}

// all is the records of a trace with those of the nameless.
func (t *Traced) all() model.Records {
	r := t.Records
	r.Transfers = append(slices.Clip(r.Transfers), t.Nameless...)
	return r
}

// maxAgain bounds the transfers that are named beside a tree.
const maxAgain = 20

// traceText writes each artifact with its tree, for a person.
func traceText(w io.Writer, t Traced, s Selection) error {
	p := page{w: bufio.NewWriterSize(w, 1<<16)}
	if len(t.Artifacts) > 1 {
		p.section("%s", count(len(t.Artifacts), "artifact"))
		for _, a := range t.Artifacts {
			p.f("  %-18s %9s  %-8s %s\n", a.ID, bytesOf(a.Size), cmp.Or(a.Type, "-"), clip(Plain(strings.Join(a.Names, ", ")), 80))
		}
	}
	find := t.find()
	for _, a := range t.Artifacts {
		p.artifact(a, t.Findings, find)
	}
	if len(t.Nameless) > 0 {
		p.dated = days(t.Nameless) > 1
		p.section("%s more: asked for, refused, or of a content that nothing tells", count(len(t.Nameless), "transfer"))
		p.plainly(t.Nameless)
	}
	return p.w.Flush()
}

// artifact writes one artifact: what it is, its tree, and what is no part of the tree.
func (p *page) artifact(a *model.Artifact, findings []*model.Finding, find Find) {
	p.section("%s  %s  %s  %s", cmp.Or(clip(Plain(strings.Join(a.Names, ", ")), 100), "(no name)"), bytesOf(a.Size), cmp.Or(a.Type, "type unknown"), a.ID)
	if a.SHA256 != "" {
		p.f("  sha256 %s\n", a.SHA256)
	} else {
		p.f("  no SHA-256: %s\n", toldBy(a))
	}
	d := newDrawing(a, find)
	d.detailed = true
	if s := a.Spread; s != nil {
		p.f("  %s, %s deep, %s to %s\n", count(s.Hosts, "host"), count(s.Depth, "step"), second(s.First), second(s.Last))
	}
	for _, f := range findings {
		if slices.Contains(f.Artifacts, a.ID) {
			p.f("  %s %.1f  %s\n", severityColours[f.Severity].Sprint(strings.ToUpper(f.Severity.String())), f.Score, Plain(f.Title))
		}
	}
	p.f("\n")
	for _, line := range d.draw() {
		p.f("  %s\n", line)
	}
	if again := d.again(); len(again) > 0 {
		p.dated = d.dated
		p.f("\n  came again to hosts that had it\n")
		p.plainly(again)
	}
}

// toldBy says what tells the content of an artifact that has no SHA-256.
func toldBy(a *model.Artifact) string {
	name := len(a.Sightings) > 0
	for _, s := range a.Sightings {
		name = name && s.Alike == "name"
	}
	if name {
		return "only name and size tell that these are one content"
	}
	return "none was seen whole, and no log has it"
}

// again are the transfers that are no edge of the tree.
func (d *drawing) again() []*model.Transfer {
	edges, seen := map[string]bool{}, map[string]bool{}
	for _, e := range d.a.Spread.Edges {
		edges[e.Transfer] = true
	}
	var out []*model.Transfer
	for _, s := range d.a.Sightings {
		if s.Transfer == "" || edges[s.Transfer] || seen[s.Transfer] {
			continue
		}
		seen[s.Transfer] = true
		if t := d.find(s.Transfer); t != nil {
			out = append(out, t)
		}
	}
	return out
}

// plainly lists transfers, one a line.
func (p *page) plainly(all []*model.Transfer) {
	for i, t := range all {
		if i == maxAgain {
			p.f("    ... and %d more (--format ndjson shows all)\n", len(all)-i)
			return
		}
		p.f("    %s  %s > %s  %s\n", p.when(t), Plain(name(t.Source)), Plain(name(t.Destination)),
			strings.Join(nonempty(strings.TrimSpace(t.Channel+" "+t.Operation), where(t), state(t), t.ID), "  "))
	}
}

// label is how a transfer is called on an edge that is drawn: time, channel, place, account.
func (d *drawing) label(e model.Edge) []string {
	words := []string{d.at(e.Time)}
	if t := d.find(e.Transfer); t != nil {
		words = append(words, strings.TrimSpace(t.Channel+" "+t.Operation), clip(where(t), 60), Plain(t.Account()))
	}
	if e.Confidence != "high" {
		words = append(words, e.Confidence+" confidence")
	}
	return nonempty(words...)
}

// nodes are the hosts of a tree, roots first.
func (d *drawing) nodes() []string {
	if d.a.Spread == nil {
		return nil
	}
	out := slices.Clone(d.a.Spread.Roots)
	for _, e := range d.a.Spread.Edges {
		out = append(out, e.Child)
	}
	return out
}

// onHost gives the names that the file had on each host and whether it was started there.
func (d *drawing) onHost() (names map[string][]string, started map[string]model.Time) {
	names, started = map[string][]string{}, map[string]model.Time{}
	for _, s := range d.a.Sightings {
		host := model.Endpoint{Host: s.Host, IP: s.IP}.Name()
		t := d.find(s.Transfer)
		if t == nil {
			continue
		}
		if t.Name != "" && !slices.Contains(names[host], t.Name) {
			names[host] = append(names[host], t.Name)
		}
		if s.How == "received" && len(t.Executed) > 0 && (started[host] == 0 || t.Executed[0].Time < started[host]) {
			started[host] = t.Executed[0].Time
		}
	}
	return names, started
}

// shownNames bounds the names on one node.
const shownNames = 3

// node text: host, names, and when it was started.
func (d *drawing) nodeText(host string, names []string, started model.Time) []string {
	out := []string{Plain(host)}
	for i, n := range names {
		if i == shownNames {
			out = append(out, fmt.Sprintf("and %d more names", len(names)-i))
			break
		}
		out = append(out, clip(Plain(n), 60))
	}
	if started != 0 {
		out = append(out, "started "+d.at(started))
	}
	return out
}
