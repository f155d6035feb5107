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
var Kinds = []string{"transfer", "access", "artifact", "finding", "coverage", "summary"}

// Selection says which records are written.
type Selection struct {
	Kinds       []string // empty is all but accesses, which have to be asked for
	MinSeverity model.Severity
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
// the findings that are left out.
func (s Selection) Select(r model.Records) model.Records {
	out := model.Records{Summary: r.Summary}
	for _, f := range r.Findings {
		if f.Severity >= s.MinSeverity {
			out.Findings = append(out.Findings, f)
		}
	}
	if n := len(r.Findings) - len(out.Findings); n > 0 {
		out.Summary.LeftOut = withCount(r.Summary.LeftOut, "findings below "+s.MinSeverity.String(), int64(n))
	}
	if !s.wants("finding") {
		out.Findings = nil
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

func (s Selection) wants(kind string) bool {
	if len(s.Kinds) == 0 {
		return kind != "access"
	}
	return slices.Contains(s.Kinds, kind)
}

func withCount(m map[string]int64, key string, n int64) map[string]int64 {
	out := map[string]int64{key: n}
	for k, v := range m {
		out[k] = v
	}
	return out
}

// Writer writes the records of a run in one format.
type Writer func(w io.Writer, r model.Records, s Selection) error

// Formats are the formats by name.
var Formats = map[string]Writer{"table": Table, "ndjson": NDJSON, "csv": CSV}
