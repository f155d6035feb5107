package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"waybill/internal/model"
)

// CSV writes one table: the transfers, or the one kind that was selected.
func CSV(w io.Writer, r model.Records, s Selection) error {
	kind := "transfer"
	if len(s.Kinds) > 0 {
		kind = s.Kinds[0]
	}
	if len(s.Kinds) > 1 {
		return fmt.Errorf("csv holds one kind of record: name one with --only, not %d", len(s.Kinds))
	}
	r = s.Select(r)
	out := csv.NewWriter(w)
	switch kind {
	case "transfer":
		table(out, transferColumns, r.Transfers)
	case "access":
		table(out, accessColumns, r.Accesses)
	case "artifact":
		table(out, artifactColumns, r.Artifacts)
	case "finding":
		table(out, findingColumns, r.Findings)
	case "incident":
		table(out, incidentColumns, r.Incidents)
	default:
		return fmt.Errorf("csv cannot hold %s records: use --format ndjson", kind)
	}
	out.Flush()
	return out.Error()
}

// column is one column of a table of T.
type column[T any] struct {
	name string
	cell func(T) string
}

func table[T any](out *csv.Writer, columns []column[T], records []T) {
	row := make([]string, len(columns))
	for i, c := range columns {
		row[i] = c.name
	}
	out.Write(row) // the writer keeps its first error
	for _, r := range records {
		for i, c := range columns {
			row[i] = cell(c.cell(r))
		}
		out.Write(row)
	}
}

// cell makes text inert in a spreadsheet: what could be a formula starts with an
// apostrophe (OWASP, CSV injection), control characters are escaped.
func cell(s string) string {
	s = Plain(s)
	if s != "" && strings.ContainsRune("=+-@'", rune(s[0])) {
		return "'" + s
	}
	return s
}

var transferColumns = []column[*model.Transfer]{
	{"id", func(t *model.Transfer) string { return t.ID }},
	{"start", func(t *model.Transfer) string { return stamp(t.Start) }},
	{"end", func(t *model.Transfer) string { return stamp(t.End) }},
	{"source_ip", func(t *model.Transfer) string { return t.Source.IP.String() }},
	{"source_port", func(t *model.Transfer) string { return port(t.Source.Port) }},
	{"destination_ip", func(t *model.Transfer) string { return t.Destination.IP.String() }},
	{"destination_port", func(t *model.Transfer) string { return port(t.Destination.Port) }},
	{"initiator", func(t *model.Transfer) string { return t.Initiator }},
	{"operation", func(t *model.Transfer) string { return t.Operation }},
	{"channel", func(t *model.Transfer) string { return t.Channel }},
	{"share", func(t *model.Transfer) string { return t.Share }},
	{"path", func(t *model.Transfer) string { return t.Path }},
	{"name", func(t *model.Transfer) string { return t.Name }},
	{"size", func(t *model.Transfer) string { return number(t.Size) }},
	{"bytes_seen", func(t *model.Transfer) string { return number(t.BytesSeen) }},
	{"sha256", func(t *model.Transfer) string { return t.SHA256 }},
	{"type", func(t *model.Transfer) string { return t.Type }},
	{"completeness", func(t *model.Transfer) string { return t.Completeness }},
	{"status", func(t *model.Transfer) string { return t.Status }},
	{"reason", func(t *model.Transfer) string { return t.Reason }},
	{"scope", func(t *model.Transfer) string { return t.Scope }},
	{"domain", func(t *model.Transfer) string { return t.Domain }},
	{"user", func(t *model.Transfer) string { return t.User }},
	{"executed", func(t *model.Transfer) string { return executed(t) }},
	{"notes", func(t *model.Transfer) string { return strings.Join(t.Notes, "; ") }},
	{"techniques", func(t *model.Transfer) string { return strings.Join(t.Techniques, " ") }},
	{"community_id", func(t *model.Transfer) string { return strings.Join(t.CommunityID, " ") }},
	{"evidence", func(t *model.Transfer) string { return places(t.Evidence) }},
}

var accessColumns = []column[*model.Access]{
	{"id", func(a *model.Access) string { return a.ID }},
	{"time", func(a *model.Access) string { return stamp(a.Time) }},
	{"what", func(a *model.Access) string { return a.What }},
	{"source_ip", func(a *model.Access) string { return a.Source.IP.String() }},
	{"destination_ip", func(a *model.Access) string { return a.Destination.IP.String() }},
	{"domain", func(a *model.Access) string { return a.Domain }},
	{"user", func(a *model.Access) string { return a.User }},
	{"share", func(a *model.Access) string { return a.Share }},
	{"object", func(a *model.Access) string { return a.Object }},
	{"command", func(a *model.Access) string { return a.Command }},
	{"status", func(a *model.Access) string { return a.Status }},
	{"detail", func(a *model.Access) string { return a.Detail }},
	{"evidence", func(a *model.Access) string { return places(a.Evidence) }},
}

var artifactColumns = []column[*model.Artifact]{
	{"id", func(a *model.Artifact) string { return a.ID }},
	{"sha256", func(a *model.Artifact) string { return a.SHA256 }},
	{"size", func(a *model.Artifact) string { return number(a.Size) }},
	{"type", func(a *model.Artifact) string { return a.Type }},
	{"names", func(a *model.Artifact) string { return strings.Join(a.Names, " | ") }},
	{"sightings", func(a *model.Artifact) string { return strconv.Itoa(len(a.Sightings)) }},
}

var findingColumns = []column[*model.Finding]{
	{"id", func(f *model.Finding) string { return f.ID }},
	{"time", func(f *model.Finding) string { return stamp(f.Time) }},
	{"severity", func(f *model.Finding) string { return f.Severity.String() }},
	{"score", func(f *model.Finding) string { return strconv.FormatFloat(f.Score, 'f', -1, 64) }},
	{"title", func(f *model.Finding) string { return f.Title }},
	{"analytics", func(f *model.Finding) string { return strings.Join(f.Analytics, " ") }},
	{"techniques", func(f *model.Finding) string { return strings.Join(f.Techniques, " ") }},
	{"hosts", func(f *model.Finding) string { return strings.Join(f.Hosts, " ") }},
	{"users", func(f *model.Finding) string { return strings.Join(f.Users, " | ") }},
	{"transfers", func(f *model.Finding) string { return strings.Join(f.Transfers, " ") }},
	{"reasons", func(f *model.Finding) string { return reasonCell(f.Reasons) }},
	{"rank", func(f *model.Finding) string { return rank(f.Rank) }},
	{"suppressed", func(f *model.Finding) string { return suppressed(f) }},
}

var incidentColumns = []column[*model.Incident]{
	{"id", func(i *model.Incident) string { return i.ID }},
	{"start", func(i *model.Incident) string { return stamp(i.Start) }},
	{"end", func(i *model.Incident) string { return stamp(i.End) }},
	{"severity", func(i *model.Incident) string { return i.Severity.String() }},
	{"score", func(i *model.Incident) string { return strconv.FormatFloat(i.Score, 'f', -1, 64) }},
	{"title", func(i *model.Incident) string { return i.Title }},
	{"techniques", func(i *model.Incident) string { return strings.Join(i.Techniques, " ") }},
	{"findings", func(i *model.Incident) string { return strings.Join(i.Findings, " ") }},
	{"hosts", func(i *model.Incident) string { return strings.Join(i.Hosts, " ") }},
	{"users", func(i *model.Incident) string { return strings.Join(i.Users, " | ") }},
	{"artifacts", func(i *model.Incident) string { return strings.Join(i.Artifacts, " ") }},
	{"narrative", func(i *model.Incident) string { return narrativeCell(i.Narrative) }},
	{"act_first", func(i *model.Incident) string { return targetCell(i.ActFirst) }},
	{"earliest_visible", func(i *model.Incident) string { return i.EarliestVisible }},
	{"collect_next", func(i *model.Incident) string { return strings.Join(i.CollectNext, "; ") }},
}

func narrativeCell(all []model.Happening) string {
	var out []string
	for _, h := range all {
		out = append(out, stamp(h.Time)+" "+h.Text)
	}
	return strings.Join(out, "; ")
}

func targetCell(all []model.Target) string {
	var out []string
	for _, t := range all {
		out = append(out, hostAndRole(t)+": "+t.Why)
	}
	return strings.Join(out, "; ")
}

// hostAndRole names a host to act on.
func hostAndRole(t model.Target) string {
	if t.Role == "" {
		return t.Host
	}
	return t.Host + " (" + t.Role + ")"
}

func rank(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func suppressed(f *model.Finding) string {
	if f.Suppressed == nil {
		return ""
	}
	return f.Suppressed.Reason
}

func reasonCell(rs []model.Reason) string {
	var out []string
	for _, r := range rs {
		out = append(out, fmt.Sprintf("%.4g %s: %s", r.Nats, r.Analytic, r.Text))
	}
	return strings.Join(out, "; ")
}

func executed(t *model.Transfer) string {
	var out []string
	for _, x := range t.Executed {
		out = append(out, stamp(x.Time)+" "+x.How+" "+x.Command)
	}
	return strings.Join(out, "; ")
}

// places names evidence as a reader finds it again: packets by their input.
func places(all []model.Evidence) string {
	var inputs []string
	by := map[string][]string{}
	for _, e := range all {
		if by[e.Input] == nil {
			inputs = append(inputs, e.Input)
		}
		by[e.Input] = append(by[e.Input], placeOf(e))
	}
	var out []string
	for _, in := range inputs {
		out = append(out, strings.TrimSpace(in+" "+strings.Join(by[in], ", ")))
	}
	return strings.Join(out, ", ")
}

// placeOf is where in its input evidence stands: packets, or a record of a log.
func placeOf(e model.Evidence) string {
	switch {
	case e.Packets == nil && e.Record != 0:
		host, _, _ := strings.Cut(e.Computer, ".")
		return strings.TrimSpace(fmt.Sprintf("%s record %d (%s)", host, e.Record, e.What))
	case e.Packets == nil && e.Line != 0:
		return fmt.Sprintf("line %d (%s)", e.Line, e.What)
	case e.Packets == nil:
		return e.What
	case e.Packets[0] == e.Packets[1]:
		return fmt.Sprintf("#%d", e.Packets[0])
	}
	return fmt.Sprintf("#%d-%d", e.Packets[0], e.Packets[1])
}

func stamp(t model.Time) string {
	if t == 0 {
		return ""
	}
	return t.String()
}

func port(p uint16) string {
	if p == 0 {
		return ""
	}
	return strconv.Itoa(int(p))
}

func number(n *int64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(*n, 10)
}

// Plain is text without anything that a terminal acts on: such characters, and
// bytes that are no UTF-8, are shown as in Go strings.
func Plain(s string) string {
	clean := true
	for _, r := range s {
		clean = clean && r >= 0x20 && !acts(r) && r != 0xfffd
	}
	if clean {
		return s
	}
	q := strconv.QuoteToGraphic(s)
	q = strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
	return strings.ReplaceAll(q, `\\`, `\`)
}
