package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"waybill/internal/model"
)

// Find gives the record of a transfer by its id, nil where there is none.
type Find func(id string) *model.Transfer

// maxChildren bounds the hosts that are drawn under one: a deployment has thousands.
const maxChildren = 50

// Tree draws the spread of an artifact as lines of text: each root, and under it the
// hosts that had the file from it, with time, channel, path, account and starts. Lines
// are cut at width; 0 is no bound.
func Tree(a *model.Artifact, find Find, width int) []string {
	d := newDrawing(a, find)
	d.width = width
	return d.draw()
}

// drawing is a tree on its way to text.
type drawing struct {
	a        *model.Artifact
	find     Find
	children map[string][]model.Edge
	first    map[string]model.Sighting // of each host
	dated    bool
	detailed bool // with account, completeness and evidence, on lines of their own
	width    int
	lines    []string
}

func newDrawing(a *model.Artifact, find Find) *drawing {
	d := &drawing{a: a, find: find, children: map[string][]model.Edge{}, first: map[string]model.Sighting{}}
	for _, s := range a.Sightings {
		host := model.Endpoint{Host: s.Host, IP: s.IP}.Name()
		if _, ok := d.first[host]; !ok {
			d.first[host] = s
		}
	}
	if a.Spread != nil {
		d.dated = a.Spread.First != 0 && utc(a.Spread.First).Format("2006-01-02") != utc(a.Spread.Last).Format("2006-01-02")
		for _, e := range a.Spread.Edges {
			d.children[e.Parent] = append(d.children[e.Parent], e)
		}
	}
	return d
}

func (d *drawing) draw() []string {
	if d.a.Spread == nil {
		return nil
	}
	for _, root := range d.a.Spread.Roots {
		d.root(root)
		d.under(root, "")
	}
	return d.lines
}

// root says of a host that nobody is seen to have given the file to since when it is
// known to have it.
func (d *drawing) root(host string) {
	if host == model.UnknownParent {
		d.line("", "(from hosts that no input shows)")
		return
	}
	s := d.first[host]
	text := Plain(host)
	if s.Time != 0 {
		text += "  had it by " + d.at(s.Time)
	}
	if host == d.a.Spread.EarliestVisible && len(d.a.Spread.Roots) > 1 {
		text += ", the first that is visible"
	}
	d.line("", text)
}

// under draws the hosts that had the file from one.
func (d *drawing) under(host, indent string) {
	all := d.children[host]
	for i, e := range all {
		branch, deeper := "├─ ", "│  "
		if i == len(all)-1 {
			branch, deeper = "└─ ", "   "
		}
		if i == maxChildren {
			d.line(indent+"└─ ", fmt.Sprintf("... and %d more (--format ndjson shows all)", len(all)-i))
			return
		}
		d.node(e, indent+branch, indent+deeper, len(d.children[e.Child]) > 0)
		d.under(e.Child, indent+deeper)
	}
}

// node draws one host: how the file came, and what became of it there.
func (d *drawing) node(e model.Edge, branch, indent string, parent bool) {
	t := d.find(e.Transfer)
	words := []string{cmp.Or(d.at(e.Time), "time unknown"), Plain(e.Child)}
	if t == nil {
		words = append(words, d.listedAt(e.Child))
	} else {
		words = append(words, strings.TrimSpace(t.Channel+" "+t.Operation), clip(where(t), 100))
		if !d.detailed {
			words = append(words, d.who(t), d.starts(t))
		}
	}
	d.line(branch, strings.Join(append(nonempty(words...), d.doubts(e, t)...), "  "))
	if !d.detailed || t == nil {
		return
	}
	if parent {
		indent += "│  "
	} else {
		indent += "   "
	}
	for _, text := range nonempty(d.who(t), d.content(t), d.starts(t), Plain(someplaces(t.Evidence))) {
		d.line(indent, text)
	}
}

// listedAt says where a listing has the file.
func (d *drawing) listedAt(host string) string {
	s := d.first[host]
	if s.How != "listed" {
		return ""
	}
	return "listed " + clip(Plain(s.Path), 100)
}

// who says whose account the exchange had.
func (d *drawing) who(t *model.Transfer) string {
	if t.User == "" {
		return ""
	}
	return "by " + Plain(t.Account())
}

// starts says when the file was started there.
func (d *drawing) starts(t *model.Transfer) string {
	var out []string
	last := ""
	for i, x := range t.Executed {
		if len(out) == 3 {
			out = append(out, fmt.Sprintf("and %d more", len(t.Executed)-i))
			break
		}
		if at := d.at(x.Time); at == last {
			out[len(out)-1] += " and " + x.How
		} else {
			out, last = append(out, at+" as "+x.How), at
		}
	}
	if len(out) == 0 {
		return ""
	}
	return "started " + strings.Join(out, ", ")
}

// content says how much of the file was seen to move, and under which name where the
// artifact has several.
func (d *drawing) content(t *model.Transfer) string {
	words := []string{t.Completeness}
	if t.Status != model.Done {
		words = append(words, t.Status)
	}
	if t.Size != nil || t.Estimate != nil {
		words = append(words, size(t))
	}
	if len(d.a.Names) > 1 && t.Name != "" && !strings.Contains(t.Path, t.Name) {
		words = append(words, "as "+Plain(t.Name))
	}
	return strings.Join(append(words, t.ID), ", ")
}

// doubts says what is less than sure of an edge.
func (d *drawing) doubts(e model.Edge, t *model.Transfer) []string {
	var out []string
	if t != nil {
		i := slices.IndexFunc(d.a.Sightings, func(s model.Sighting) bool { return s.Transfer == t.ID && s.Alike != "" })
		if i >= 0 {
			out = append(out, alikeWords[d.a.Sightings[i].Alike])
		}
		if t.Source.Name() == "" && e.Parent != model.UnknownParent {
			out = append(out, "the last holder in contact")
		}
	}
	if e.Confidence != "high" {
		out = append(out, e.Confidence+" confidence")
	}
	if e.Parent == model.UnknownParent && e.Child == d.a.Spread.EarliestVisible {
		out = append(out, "the first that is visible")
	}
	if len(out) == 0 {
		return nil
	}
	return []string{"(" + strings.Join(out, ", ") + ")"}
}

// alikeWords say what ties a sighting to its artifact.
var alikeWords = map[string]string{"prefix": "by beginning and size", "name": "by name and size", "name-only": "by name alone", "padded": "padded", "partial": "cut"}

// at is a time as the tree shows it.
func (d *drawing) at(t model.Time) string {
	if t == 0 {
		return ""
	}
	if d.dated {
		return second(t)
	}
	return clock(t)
}

func (d *drawing) line(indent, text string) {
	if room := max(d.width-len([]rune(indent)), 20); d.width > 0 {
		if r := []rune(text); len(r) > room {
			text = string(r[:room-1]) + "…"
		}
	}
	d.lines = append(d.lines, indent+text)
}
