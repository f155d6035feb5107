package report

import (
	"encoding/xml"
	"strings"
	"testing"

	"waybill/internal/model"
)

// spreadOut is a program that went from A to B and C, from B on to D under another
// name, and came to be on E from nowhere.
func spreadOut() (*model.Artifact, map[string]*model.Transfer) {
	at := func(s int64) model.Time { return model.Time(1773738000e9 + s*1e9) }
	all := map[string]*model.Transfer{}
	move := func(id, from, to string, s int64, path string) {
		all[id] = &model.Transfer{ID: id, Start: at(s), End: at(s), Source: model.Endpoint{Host: from}, Destination: model.Endpoint{Host: to}, Channel: "smb2", Operation: "push",
			Share: `\\x\ADMIN$`, Path: path, Name: path, Size: sized(18432), Completeness: model.Whole, Status: model.Done, Domain: "CORP", User: "adm",
			Evidence: []model.Evidence{{Input: "a.pcap", Packets: &[2]uint64{3, 9}}}}
	}
	move("t-1", "A", "B", 0, "run.exe")
	move("t-2", "A", "C", 60, "run.exe")
	move("t-3", "B", "D", 120, "\x1b[31mother.exe")
	move("t-4", "", "E", 180, "run.exe")
	all["t-2"].Executed = []model.Execution{{Time: at(61), How: "service"}, {Time: at(61), How: "process"}, {Time: at(65), How: "task"}}
	a := &model.Artifact{ID: "a-1", SHA256: strings.Repeat("ab", 32), Size: sized(18432), Type: "pe", Names: []string{"other.exe", "run.exe"}, Spread: &model.Spread{
		Roots: []string{"A", "unknown"}, Depth: 2, Hosts: 5, First: at(0), Last: at(180), EarliestVisible: "A", Edges: []model.Edge{
			{Parent: "A", Child: "B", Transfer: "t-1", Time: at(0), Confidence: "high"},
			{Parent: "A", Child: "C", Transfer: "t-2", Time: at(60), Confidence: "high"},
			{Parent: "B", Child: "D", Transfer: "t-3", Time: at(120), Confidence: "medium"},
			{Parent: "unknown", Child: "E", Transfer: "t-4", Time: at(180), Confidence: "high"}}}}
	for _, t := range []string{"t-1", "t-2", "t-3", "t-4"} {
		if s := all[t].Source.Host; s != "" {
			a.Sightings = append(a.Sightings, model.Sighting{Host: s, Time: all[t].Start, How: "sent", Transfer: t})
		}
		a.Sightings = append(a.Sightings, model.Sighting{Host: all[t].Destination.Host, Time: all[t].End, How: "received", Transfer: t})
	}
	a.Sightings[4].Alike, a.Sightings[5].Alike = "padded", "padded"
	return a, all
}

const drawn = `A  had it by 09:00:00, the first that is visible
├─ 09:00:00  B  smb2 push  ADMIN$\run.exe  by CORP\adm
│  └─ 09:02:00  D  smb2 push  ADMIN$\\x1b[31mother.exe  by CORP\adm  (padded, medium confidence)
└─ 09:01:00  C  smb2 push  ADMIN$\run.exe  by CORP\adm  started 09:01:01 as service and process, 09:01:05 as task
(from hosts that no input shows)
└─ 09:03:00  E  smb2 push  ADMIN$\run.exe  by CORP\adm
`

// traced is a trace of it.
func traced() Traced {
	a, all := spreadOut()
	t := Traced{Records: model.Records{Artifacts: []*model.Artifact{a}, Findings: []*model.Finding{{Severity: model.High, Score: 15.5, Title: "it ran", Artifacts: []string{"a-1"}}},
		Summary: model.Summary{Kind: "summary"}}}
	for _, id := range sorted(all) {
		t.Transfers = append(t.Transfers, all[id])
	}
	again := *all["t-1"]
	again.ID, again.Start, again.End = "t-5", again.Start+300e9, again.End+300e9
	t.Transfers = append(t.Transfers, &again)
	a.Sightings = append(a.Sightings, model.Sighting{Host: "B", How: "received", Transfer: "t-5"})
	t.Nameless = []*model.Transfer{{ID: "t-6", Status: model.Denied, Name: "run.exe", Channel: "smb2", Operation: "push"}}
	return t
}

const told = `other.exe, run.exe  18 KiB  pe  a-1
  sha256 abababababababababababababababababababababababababababababababab
  5 hosts, 2 steps deep, 2026-03-17 09:00:00 to 2026-03-17 09:03:00
  HIGH 15.5  it ran

  A  had it by 09:00:00, the first that is visible
  ├─ 09:00:00  B  smb2 push  ADMIN$\run.exe
  │  │  by CORP\adm
  │  │  whole, 18 KiB, t-1
  │  │  a.pcap #3-9
  │  └─ 09:02:00  D  smb2 push  ADMIN$\\x1b[31mother.exe  (padded, medium confidence)
  │        by CORP\adm
  │        whole, 18 KiB, t-3
  │        a.pcap #3-9
  └─ 09:01:00  C  smb2 push  ADMIN$\run.exe
        by CORP\adm
        whole, 18 KiB, t-2
        started 09:01:01 as service and process, 09:01:05 as task
        a.pcap #3-9
  (from hosts that no input shows)
  └─ 09:03:00  E  smb2 push  ADMIN$\run.exe
        by CORP\adm
        whole, 18 KiB, t-4
        a.pcap #3-9

  came again to hosts that had it
    09:05:00  A > B  smb2 push  ADMIN$\run.exe  whole  t-5

1 transfer more: asked for, refused, or of a content that nothing tells
    --:--:--  unknown > unknown  smb2 push  run.exe  denied  t-6
`

func TestTraceText(t *testing.T) {
	var b strings.Builder
	if err := TraceFormats["table"](&b, traced(), Selection{}); err != nil || b.String() != told {
		t.Errorf("%v\n%s", err, b.String())
	}
}

const graph = `digraph spread {
  rankdir=LR;
  node [shape=box, style="rounded,filled", fillcolor=white, fontname="Helvetica", fontsize=11];
  edge [fontname="Helvetica", fontsize=9];
  subgraph cluster_0 {
    label="other.exe, run.exe\nabababababababababababababababababababababababababababababababab  18 KiB  a-1";
    fontname="Helvetica";
    color=gray;
    h0_0 [label="A\nrun.exe"];
    h0_1 [label="?", shape=circle, style=dashed];
    h0_2 [label="B\nrun.exe\n\\x1b[31mother.exe"];
    h0_3 [label="C\nrun.exe\nstarted 09:01:01", fillcolor="#f4b6b0"];
    h0_4 [label="D\n\\x1b[31mother.exe"];
    h0_5 [label="E\nrun.exe"];
    h0_0 -> h0_2 [label="09:00:00\nsmb2 push\nADMIN$\\run.exe\nCORP\\adm"];
    h0_0 -> h0_3 [label="09:01:00\nsmb2 push\nADMIN$\\run.exe\nCORP\\adm"];
    h0_2 -> h0_4 [label="09:02:00\nsmb2 push\nADMIN$\\\\x1b[31mother.exe\nCORP\\adm\nmedium confidence", style=dashed];
    h0_1 -> h0_5 [label="09:03:00\nsmb2 push\nADMIN$\\run.exe\nCORP\\adm"];
  }
}
`

func TestDot(t *testing.T) {
	var b strings.Builder
	if err := TraceFormats["dot"](&b, traced(), Selection{}); err != nil || b.String() != graph {
		t.Errorf("%v\n%s", err, b.String())
	}
	if got := quoted("a\"b", `c\`); got != `"a\"b\nc\\"` {
		t.Errorf("quoted: %s", got)
	}
}

// TestGraphML reads back what was written.
func TestGraphML(t *testing.T) {
	x := traced()
	x.Transfers[0].User = "a<b>&\"c"
	var b strings.Builder
	if err := TraceFormats["graphml"](&b, x, Selection{}); err != nil {
		t.Fatal(err)
	}
	var g graphMLFile
	if err := xml.Unmarshal([]byte(b.String()), &g); err != nil {
		t.Fatalf("%v\n%s", err, b.String())
	}
	if len(g.Graph.Nodes) != 6 || len(g.Graph.Edges) != 4 || len(g.Keys) != 11 {
		t.Fatalf("%+v", g)
	}
	known := map[string]bool{}
	for _, k := range g.Keys {
		known[k.ID] = true
	}
	for _, n := range g.Graph.Nodes {
		known[n.ID] = true
	}
	account := ""
	for _, e := range g.Graph.Edges {
		if !known[e.Source] || !known[e.Target] {
			t.Errorf("an edge to nowhere: %+v", e)
		}
		for _, d := range e.Data {
			if !known[d.Key] {
				t.Errorf("no key %s", d.Key)
			}
			if d.Key == "edge-account" && account == "" {
				account = d.Value
			}
		}
	}
	if account != `CORP\a<b>&"c` {
		t.Errorf("account %q", account)
	}
}

// TestTraceRecords writes the records themselves, also of what no artifact has.
func TestTraceRecords(t *testing.T) {
	var b strings.Builder
	if err := TraceFormats["ndjson"](&b, traced(), Selection{}); err != nil {
		t.Fatal(err)
	}
	for what, n := range map[string]int{`"id":"t-`: 6, `"id":"a-1"`: 1, `"spread":{"roots":["A","unknown"]`: 1, `{"kind":"summary"`: 1} {
		if got := strings.Count(b.String(), what); got != n {
			t.Errorf("%d of %s instead of %d", got, what, n)
		}
	}
	if x := traced(); len(x.all().Transfers) != 6 || len(x.Transfers) != 5 {
		t.Error("all gives the transfers of artifacts and the others")
	}
}

func TestTree(t *testing.T) {
	a, all := spreadOut()
	find := func(id string) *model.Transfer { return all[id] }
	if got := strings.Join(Tree(a, find, 0), "\n") + "\n"; got != drawn {
		t.Errorf("drawn:\n%s", got)
	}
	for _, line := range Tree(a, find, 40) {
		if n := len([]rune(line)); n > 40 {
			t.Errorf("%d characters: %s", n, line)
		}
	}
	if got := Tree(&model.Artifact{}, find, 0); got != nil {
		t.Errorf("drawn of nothing: %q", got)
	}
}
