package report

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"waybill/internal/model"
)

// dot writes the trees of a trace as a graph for Graphviz: a cluster an artifact, a box
// a host, filled where the file was started; dashed and dotted edges are less sure.
func dot(w io.Writer, t Traced) error {
	out := bufio.NewWriter(w)
	fmt.Fprint(out, "digraph spread {\n  rankdir=LR;\n  node [shape=box, style=\"rounded,filled\", fillcolor=white, fontname=\"Helvetica\", fontsize=11];\n"+
		"  edge [fontname=\"Helvetica\", fontsize=9];\n")
	find := t.find()
	for i, a := range t.Artifacts {
		d := newDrawing(a, find)
		fmt.Fprintf(out, "  subgraph cluster_%d {\n    label=%s;\n    fontname=\"Helvetica\";\n    color=gray;\n", i,
			quoted(clip(Plain(strings.Join(a.Names, ", ")), 80), strings.Join(nonempty(a.SHA256, bytesOf(a.Size), a.ID), "  ")))
		names, started := d.onHost()
		number := map[string]int{}
		for n, host := range d.nodes() {
			number[host] = n
			attributes := "label=" + quoted(d.nodeText(host, names[host], started[host])...)
			switch {
			case host == model.UnknownParent:
				attributes = `label="?", shape=circle, style=dashed`
			case started[host] != 0:
				attributes += `, fillcolor="#f4b6b0"`
			}
			fmt.Fprintf(out, "    h%d_%d [%s];\n", i, n, attributes)
		}
		for _, e := range d.a.Spread.Edges {
			fmt.Fprintf(out, "    h%d_%d -> h%d_%d [label=%s%s];\n", i, number[e.Parent], i, number[e.Child], quoted(d.label(e)...), lineStyles[e.Confidence])
		}
		fmt.Fprint(out, "  }\n")
	}
	fmt.Fprint(out, "}\n")
	return out.Flush()
}

// lineStyles of edges by confidence.
var lineStyles = map[string]string{"medium": ", style=dashed", "low": ", style=dotted"}

// quoted makes a string of Graphviz's language of lines of text. A backslash there
// begins an escape, so those of the text are doubled.
func quoted(lines ...string) string {
	for i, l := range lines {
		lines[i] = strings.ReplaceAll(strings.ReplaceAll(l, `\`, `\\`), `"`, `\"`)
	}
	return `"` + strings.Join(lines, `\n`) + `"`
}

// graphML writes the trees of a trace in the format that graph editors read
// (http://graphml.graphdrawing.org).
func graphML(w io.Writer, t Traced) error {
	g := graphMLFile{XMLNS: "http://graphml.graphdrawing.org/xmlns", Graph: graphMLGraph{ID: "spread", EdgeDefault: "directed"}}
	for _, k := range [...][2]string{{"node", "label"}, {"node", "names"}, {"node", "started"}, {"node", "artifact"}, {"edge", "label"}, {"edge", "time"}, {"edge", "transfer"},
		{"edge", "channel"}, {"edge", "path"}, {"edge", "account"}, {"edge", "confidence"}} {
		g.Keys = append(g.Keys, graphMLKey{ID: k[0] + "-" + k[1], For: k[0], Name: k[1], Type: "string"})
	}
	find := t.find()
	for i, a := range t.Artifacts {
		d := newDrawing(a, find)
		names, started := d.onHost()
		number := map[string]string{}
		for n, host := range d.nodes() {
			number[host] = fmt.Sprintf("h%d_%d", i, n)
			g.Graph.Nodes = append(g.Graph.Nodes, graphMLNode{ID: number[host], Data: data("node", "label", Plain(host), "names", Plain(strings.Join(names[host], ", ")),
				"started", stamp(started[host]), "artifact", a.ID)})
		}
		for _, e := range a.Spread.Edges {
			x := graphMLEdge{Source: number[e.Parent], Target: number[e.Child]}
			channel, path, account := "", "", ""
			if t := find(e.Transfer); t != nil {
				channel, path, account = t.Channel, where(t), Plain(t.Account())
			}
			x.Data = data("edge", "label", strings.Join(d.label(e), ", "), "time", stamp(e.Time), "transfer", e.Transfer, "channel", channel,
				"path", path, "account", account, "confidence", e.Confidence)
			g.Graph.Edges = append(g.Graph.Edges, x)
		}
	}
	fmt.Fprint(w, xml.Header)
	out := xml.NewEncoder(w)
	out.Indent("", "  ")
	if err := out.Encode(g); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w)
	return err
}

// data makes the values of a node or edge, without those that are empty.
func data(of string, pairs ...string) []graphMLData {
	var out []graphMLData
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			out = append(out, graphMLData{Key: of + "-" + pairs[i], Value: pairs[i+1]})
		}
	}
	return out
}

type graphMLFile struct {
	XMLName xml.Name     `xml:"graphml"`
	XMLNS   string       `xml:"xmlns,attr"`
	Keys    []graphMLKey `xml:"key"`
	Graph   graphMLGraph `xml:"graph"`
}

type graphMLKey struct {
	ID   string `xml:"id,attr"`
	For  string `xml:"for,attr"`
	Name string `xml:"attr.name,attr"`
	Type string `xml:"attr.type,attr"`
}

type graphMLGraph struct {
	ID          string        `xml:"id,attr"`
	EdgeDefault string        `xml:"edgedefault,attr"`
	Nodes       []graphMLNode `xml:"node"`
	Edges       []graphMLEdge `xml:"edge"`
}

type graphMLNode struct {
	ID   string        `xml:"id,attr"`
	Data []graphMLData `xml:"data"`
}

type graphMLEdge struct {
	Source string        `xml:"source,attr"`
	Target string        `xml:"target,attr"`
	Data   []graphMLData `xml:"data"`
}

type graphMLData struct {
	Key   string `xml:"key,attr"`
	Value string `xml:",chardata"`
}
