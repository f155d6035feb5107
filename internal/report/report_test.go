package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"waybill/internal/model"
)

func sized(n int64) *int64 { return &n }

// records has one of each kind, with names that somebody hostile chose.
func records() model.Records {
	nasty := "\x1b[31mred\u202egnp.exe\u0085\x7f"
	return model.Records{
		Transfers: []*model.Transfer{
			{Kind: "transfer", ID: "t-1", Start: 1e18, Channel: "smb2", Operation: "push", Share: `\\fs\C$`, Path: nasty, Name: nasty, Size: sized(18432),
				Completeness: "whole", Status: "done", SHA256: strings.Repeat("ab", 32), User: "=HYPERLINK(1)",
				Evidence: []model.Evidence{{Input: "a.pcap", Kind: "packets", Packets: &[2]uint64{3, 9}}, {Input: "a.pcap", Packets: &[2]uint64{4, 4}}}},
			{Kind: "transfer", ID: "t-2", Channel: "ftp", Operation: "pull", Name: "-1+1", Completeness: "partial", Status: "denied", Reason: "refused: 550"},
		},
		Accesses:  []*model.Access{{Kind: "access", ID: "a-1", What: "logon", Object: "x"}},
		Artifacts: []*model.Artifact{{Kind: "artifact", ID: "a-2", Names: []string{"x"}, Size: sized(5)}},
		Findings: []*model.Finding{
			{Kind: "finding", ID: "f-1", Score: 6, Worth: 3.9, Severity: model.Low, Title: "low", Reasons: []model.Reason{{Analytic: "disguise", Nats: 6, Text: nasty}}},
			{Kind: "finding", ID: "f-2", Score: 19, Severity: model.Critical, Title: "critical"},
		},
		Incidents: []*model.Incident{{Kind: "incident", ID: "i-1", Start: 1e18, End: 1e18 + 90e9, Score: 19, Severity: model.Critical, Title: "critical", Findings: []string{"f-2"},
			Hosts: []string{"A", "B"}, Users: []string{nasty}, Narrative: []model.Happening{{Time: 1e18, Text: "A copied " + nasty + " to B"}},
			ActFirst: []model.Target{{Host: "B", Role: nasty, Why: "relay"}, {Host: "=A", Why: "ran"}}, EarliestVisible: nasty, CollectNext: []string{nasty}}},
		Coverage: []*model.Coverage{{Kind: "coverage", Packets: 9, Blind: map[string]int64{"snaplen": 7, "encrypted-tls": 2000}, Unverified: []string{"smb1/raw", "zeek/ntlm"}}},
		Summary:  model.Summary{Kind: "summary", Inputs: 1, Transfers: map[string]int64{"whole": 1}},
	}
}

func write(t *testing.T, w Writer, s Selection) string {
	t.Helper()
	var b bytes.Buffer
	if err := w(&b, records(), s); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// inertText fails on anything that a terminal acts on.
func inertText(t *testing.T, what, out string) {
	t.Helper()
	for _, r := range out {
		if r != '\n' && r < 0x20 || acts(r) {
			t.Errorf("%s has the character %U", what, r)
		}
	}
}

func TestNDJSON(t *testing.T) {
	out := write(t, NDJSON, Selection{})
	inertText(t, "NDJSON", out)
	var kinds []string
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		var rec struct{ Kind, Name string }
		if err := json.Unmarshal([]byte(line), &rec); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		kinds = append(kinds, rec.Kind)
		if rec.Kind == "transfer" && rec.Name != "-1+1" && rec.Name != records().Transfers[0].Name {
			t.Errorf("the name changed: %q", rec.Name)
		}
	}
	if want := []string{"transfer", "transfer", "artifact", "finding", "finding", "incident", "coverage", "summary"}; !slices.Equal(kinds, want) {
		t.Errorf("%v", kinds)
	}
}

func TestSelection(t *testing.T) {
	out := write(t, NDJSON, Selection{Kinds: []string{"access", "finding", "summary"}, MinSeverity: model.Medium})
	if strings.Contains(out, `"f-1"`) || !strings.Contains(out, `"f-2"`) || !strings.Contains(out, `"logon"`) || strings.Contains(out, `"t-1"`) {
		t.Errorf("%s", out)
	}
	if !strings.Contains(out, `"findings below medium":1`) {
		t.Errorf("what was left out is not counted: %s", out)
	}
	if _, err := ParseKinds("transfer,match"); err == nil {
		t.Error("match is no kind yet")
	}
	if k, err := ParseKinds("transfer, finding"); err != nil || len(k) != 2 {
		t.Errorf("%v, %v", k, err)
	}
}

func TestCSV(t *testing.T) {
	out := write(t, CSV, Selection{})
	inertText(t, "CSV", out)
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil || len(rows) != 3 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, row := range rows[1:] {
		for i, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
				t.Errorf("column %s is a formula: %q", rows[0][i], cell)
			}
		}
	}
	if got := rows[1][slices.Index(rows[0], "evidence")]; got != "a.pcap #3-9, #4" {
		t.Errorf("evidence %q", got)
	}
	for _, kind := range []string{"finding", "incident", "access", "artifact"} {
		if out := write(t, CSV, Selection{Kinds: []string{kind}}); strings.Count(out, "\n") < 2 {
			t.Errorf("%s: %q", kind, out)
		}
	}
	var b bytes.Buffer
	for _, kinds := range [][]string{{"summary"}, {"transfer", "finding"}} {
		if err := CSV(&b, records(), Selection{Kinds: kinds}); err == nil {
			t.Errorf("%v in one table", kinds)
		}
	}
}

func TestTable(t *testing.T) {
	out := write(t, Table, Selection{})
	inertText(t, "the table", out)
	if first, _, _ := strings.Cut(out, "\n"); first != "1 incident, CRITICAL: critical, 2 hosts in all; act on B first" {
		t.Errorf("the first line is %q", first)
	}
	last := 0
	for _, part := range []string{"What happened", "Act first on", "1. B (", "Lead to the origin", "Collect next", "1 finding of incidents", "1 other finding", "2 transfers", "What could not be seen", "Summary"} {
		at := strings.Index(out, part)
		if at < last {
			t.Errorf("%q is not where it belongs", part)
		}
		last = max(at, last)
	}
	for _, want := range []string{"denied", "refused: 550", "18 KiB", "2.0 KiB  encrypted-tls", "checked against no real sample: smb1/raw, zeek/ntlm\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if out := write(t, Table, Selection{Kinds: []string{"access", "artifact"}}); !strings.Contains(out, "1 access") || !strings.Contains(out, "1 artifact") || strings.Contains(out, "transfers") || strings.Contains(out, "incident") {
		t.Errorf("%s", out)
	}
	out = write(t, Table, Selection{Kinds: []string{"finding"}})
	if critical, low := strings.Index(out, "CRITICAL"), strings.Index(out, "LOW"); critical < 0 || low < critical || strings.Contains(out, "incident") {
		t.Errorf("the most important finding does not come first:\n%s", out)
	}
}

// TestNothing: without an incident the first line says so, and what there is.
func TestNothing(t *testing.T) {
	r := records()
	r.Incidents = nil
	r.Findings[1].Severity = model.Low
	hidden := *r.Findings[1]
	hidden.Suppressed = &model.Suppressed{Reason: "an exercise", Until: 2e18}
	r.Findings = append(r.Findings, &hidden)
	var b bytes.Buffer
	if err := Table(&b, r, Selection{}); err != nil {
		t.Fatal(err)
	}
	first, rest, _ := strings.Cut(b.String(), "\n")
	if first != "Nothing to act on in what these inputs show: 1 transfer, 2 findings of low" {
		t.Errorf("%q", first)
	}
	for _, want := range []string{"\n2 findings, most important first", "1 finding that waybill.yaml suppresses", "suppressed until 2033-05-18 03:33:20: an exercise"} {
		if !strings.Contains(rest, want) {
			t.Errorf("no %q in\n%s", want, rest)
		}
	}
}

// TestOverview: of several incidents each has a line on the first screen, the worst first.
func TestOverview(t *testing.T) {
	r := records()
	for range maxIncidents {
		r.Incidents = append(r.Incidents, &model.Incident{Start: 1e18, Score: 11, Severity: model.Medium, Title: "further", Findings: []string{"f-1"}, Hosts: []string{"W9"}, ActFirst: []model.Target{{Host: "W9"}}})
	}
	var b bytes.Buffer
	if err := Table(&b, r, Selection{}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	if !strings.HasPrefix(lines[0], "11 incidents (1 CRITICAL, 10 MEDIUM), first of all: critical") || lines[1] != "" || !strings.HasPrefix(lines[2], "   1. CRITICAL 19.0  2001-09-09 01:46  critical") ||
		lines[11] != "  10. MEDIUM   11.0  2001-09-09 01:46  further; act on W9" || lines[12] != "      ... and 1 more" {
		t.Errorf("%s", strings.Join(lines[:14], "\n"))
	}
}

// TestCutAway: what flags and suppressions keep away is not taken for a quiet day.
func TestCutAway(t *testing.T) {
	r := records()
	r.Findings, r.Incidents[0].Severity = r.Findings[:1], model.High
	r.Summary.LeftOut = map[string]int64{"findings suppressed by waybill.yaml:3 until 2027-01-31: x": 2, "page parts": 7}
	var b bytes.Buffer
	if err := Table(&b, r, Selection{MinSeverity: model.Critical}); err != nil {
		t.Fatal(err)
	}
	want := "Nothing to act on in what these inputs show: 1 transfer, no findings; not shown: 1 findings below critical, 1 incidents below critical, 2 that waybill.yaml suppresses\n"
	if !strings.HasPrefix(b.String(), want) {
		t.Errorf("%q", strings.SplitN(b.String(), "\n", 2)[0])
	}
}

// TestBudget: what is over a day's budget is left out and counted, and so is an incident
// of which nothing is left.
func TestBudget(t *testing.T) {
	r := records()
	r.Findings[0].Rank, r.Findings[1].Rank = 2, 1
	r.Incidents = append(r.Incidents, &model.Incident{ID: "i-2", Severity: model.Low, Findings: []string{"f-1"}})
	got := Selection{Budget: 1}.Select(r)
	if len(got.Findings) != 1 || got.Findings[0].ID != "f-2" || len(got.Incidents) != 1 || got.Incidents[0].ID != "i-1" {
		t.Errorf("%v, %v", got.Findings, got.Incidents)
	}
	if got.Summary.LeftOut["findings over the budget of 1 findings a day, the strongest of them low"] != 1 || got.Summary.LeftOut["incidents all over the budget of 1 findings a day"] != 1 {
		t.Errorf("%v", got.Summary.LeftOut)
	}
	if got := (Selection{MinSeverity: model.High}).Select(r); len(got.Incidents) != 1 || got.Summary.LeftOut["incidents below high"] != 1 {
		t.Errorf("%v", got.Summary.LeftOut)
	}
	if got := (Selection{}).Select(r); len(got.Findings) != 2 || len(got.Incidents) != 2 || len(got.Summary.LeftOut) > 0 {
		t.Errorf("%+v", got)
	}
}

// TestIncidentTree: the file of an incident's finding is drawn as it went from host to
// host, also where artifacts and transfers are not asked for; a single edge is not.
func TestIncidentTree(t *testing.T) {
	r := records()
	r.Incidents[0].Reasons = []model.Share{{Finding: "f-2", Nats: 19}}
	r.Findings[1].Artifacts = []string{"a-2"}
	a := r.Artifacts[0]
	a.SHA256 = strings.Repeat("cd", 32)
	a.Spread = &model.Spread{Roots: []string{"A"}, Edges: []model.Edge{{Parent: "A", Child: "B", Transfer: "t-1", Confidence: "high"}}}
	table := func() string {
		var b bytes.Buffer
		if err := Table(&b, r, Selection{Kinds: []string{"incident"}}); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	if out := table(); strings.Contains(out, "from host to host") {
		t.Errorf("one edge is drawn:\n%s", out)
	}
	for i := range 30 {
		a.Spread.Edges = append(a.Spread.Edges, model.Edge{Parent: "B", Child: fmt.Sprintf("C%d", i), Confidence: "high"})
	}
	out := table()
	inertText(t, "the tree", out)
	for _, want := range []string{"  How x went from host to host\n    A\n    └─ time unknown  B  smb2 push  C$", "├─ time unknown  C12\n    ... and 17 more lines (waybill trace cdcdcdcdcdcdcdcd draws all)"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

// TestManySteps: of a long story a person gets the beginning and the end.
func TestManySteps(t *testing.T) {
	r := records()
	r.Incidents[0].Narrative = nil
	for i := range 30 {
		r.Incidents[0].Narrative = append(r.Incidents[0].Narrative, model.Happening{Time: 1e18 + model.Time(i)*3600e9, Text: fmt.Sprintf("step %d.", i)})
		r.Incidents[0].ActFirst = append(r.Incidents[0].ActFirst, model.Target{Host: fmt.Sprintf("H%d", i), Why: "holder"})
	}
	var b bytes.Buffer
	if err := Table(&b, r, Selection{Kinds: []string{"incident"}}); err != nil {
		t.Fatal(err)
	}
	out := b.String()
	if n := strings.Count(out, "step "); n != 9 || !strings.Contains(out, "2001-09-09 06:46:40  step 5.\n    ... 21 further steps") || !strings.Contains(out, "step 29.") {
		t.Errorf("%d steps in\n%s", n, out)
	}
	if !strings.Contains(out, "... and 26 more hosts") {
		t.Errorf("%s", out)
	}
}

// TestLong: a person gets the beginning of long lists, and their length.
func TestLong(t *testing.T) {
	var r model.Records
	for range 500 {
		r.Transfers = append(r.Transfers, records().Transfers[1])
	}
	var b bytes.Buffer
	if err := Table(&b, r, Selection{}); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(b.String(), "\n"); n > 60 || !strings.Contains(b.String(), "and 488 more") {
		t.Errorf("%d lines", n)
	}
}

func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		"plain":         "plain",
		`C:\a "b"`:      `C:\a "b"`,
		"Zürich":        "Zürich",
		"a\nb":          `a\nb`,
		"\x1b]0;x\x07":  `\x1b]0;x\a`,
		"a\u202eb":      `a\u202eb`,
		"\xff":          `\xff`,
		"C:\\new\x00x":  `C:\new\x00x`,
		"\u2028":        `\u2028`,
		"tab\there \\t": `tab\there \t`,
	} {
		if got := Plain(in); got != want {
			t.Errorf("%q is shown as %q instead of %q", in, got, want)
		}
	}
}
