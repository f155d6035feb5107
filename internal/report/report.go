// Package report writes records for people and programs. In come the records of
// a run and a writer; out comes a table, NDJSON or CSV. It judges nothing, leaves
// nothing out but what it is told to, and never writes a byte from the wire that
// a terminal or a spreadsheet would act on.
package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"waybill/internal/model"
)

// Kinds are the kinds of records, in the order in which they are written.
var Kinds = []string{"transfer", "access", "artifact", "finding", "incident", "coverage", "summary"}

// Selection says which records are written.
type Selection struct {
	Kinds       []string // empty is all but accesses, which have to be asked for
	MinSeverity model.Severity
	Budget      int // findings a day, by their rank; 0 is all
}

// ParseKinds reads a comma-separated list of kinds.
func ParseKinds(list string) ([]string, error) {
	if list == "" {
		return nil, nil
	}
	var out []string
	for _, k := range strings.Split(list, ",") {
		k = strings.TrimSpace(k)
		if !slices.Contains(Kinds, k) {
			return nil, fmt.Errorf("unknown kind of record %q: use %s", k, strings.Join(Kinds, ", "))
		}
		out = append(out, k)
	}
	return out, nil
}

// Select gives the records that are to be written. The summary keeps count of
// the findings and incidents that are left out.
func (s Selection) Select(r model.Records) model.Records {
	out := model.Records{Summary: r.Summary}
	out.Findings, out.Incidents = s.worthPrinting(r, &out.Summary)
	if !s.wants("finding") {
		out.Findings = nil
	}
	if !s.wants("incident") {
		out.Incidents = nil
	}
	if s.wants("transfer") {
		out.Transfers = r.Transfers
	}
	if s.wants("access") {
		out.Accesses = r.Accesses
	}
	if s.wants("artifact") {
		out.Artifacts = r.Artifacts
	}
	if s.wants("coverage") {
		out.Coverage = r.Coverage
	}
	return out
}

// worthPrinting leaves out what is below the severity that was asked for or over the
// budget of its day. An incident whose findings are all over the budget goes with them.
func (s Selection) worthPrinting(r model.Records, sum *model.Summary) (findings []*model.Finding, incidents []*model.Incident) {
	weak, over, highest, cut := 0, 0, model.Info, map[string]bool{}
	for _, f := range r.Findings {
		switch {
		case f.Severity < s.MinSeverity:
			weak++
		case s.Budget > 0 && f.Rank > s.Budget:
			over, highest, cut[f.ID] = over+1, max(highest, f.Severity), true
		default:
			findings = append(findings, f)
		}
	}
	weakIncidents, overIncidents := 0, 0
	for _, i := range r.Incidents {
		switch {
		case i.Severity < s.MinSeverity:
			weakIncidents++
		case !slices.ContainsFunc(i.Findings, func(id string) bool { return !cut[id] }):
			overIncidents++
		default:
			incidents = append(incidents, i)
		}
	}
	budget := fmt.Sprintf("over the budget of %d findings a day", s.Budget)
	leaveOut(sum, "findings below "+s.MinSeverity.String(), weak)
	leaveOut(sum, "incidents below "+s.MinSeverity.String(), weakIncidents)
	leaveOut(sum, fmt.Sprintf("findings %s, the strongest of them %s", budget, highest), over)
	leaveOut(sum, "incidents all "+budget, overIncidents)
	return findings, incidents
}

func (s Selection) wants(kind string) bool {
	if len(s.Kinds) == 0 {
		return kind != "access"
	}
	return slices.Contains(s.Kinds, kind)
}

// leaveOut counts what is left out.
func leaveOut(sum *model.Summary, why string, n int) {
	if n == 0 {
		return
	}
	out := map[string]int64{why: int64(n)}
	for k, v := range sum.LeftOut {
		out[k] = v
	}
	sum.LeftOut = out
}

// Writer writes the records of a run in one format.
type Writer func(w io.Writer, r model.Records, s Selection) error

// Formats are the formats by name.
var Formats = map[string]Writer{"table": Table, "ndjson": NDJSON, "csv": CSV}
