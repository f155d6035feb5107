package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/fatih/color"

	"waybill/internal/model"
)

// Bounds of what the table shows: it is read by a person.
const (
	maxPairs    = 40 // pairs of hosts
	maxOfAPair  = 12 // transfers of one pair
	maxAccesses = 100
	maxShort    = 20 // findings that incidents tell of
)

// Table writes what a person reads: whether to get up, incidents, findings, then
// transfers by pair of hosts, then what could not be seen.
func Table(w io.Writer, r model.Records, s Selection) error {
	all := r
	r = s.Select(r)
	p := page{w: bufio.NewWriterSize(w, 1<<16), dated: days(r.Transfers) > 1}
	if s.wants("incident") {
		p.headline(r)
		p.incidents(r.Incidents, all)
	}
	if s.wants("finding") {
		p.findings(r, s.wants("incident"))
	}
	if s.wants("transfer") {
		p.transfers(r.Transfers)
	}
	if len(r.Accesses) > 0 {
		p.accesses(r.Accesses)
	}
	if s.wants("artifact") && len(s.Kinds) > 0 {
		p.artifacts(r.Artifacts)
	}
	if s.wants("coverage") {
		if len(s.Kinds) > 0 { // asked for by name
			p.read(r.Coverage)
		}
		p.notSeen(r.Coverage)
	}
	if s.wants("summary") {
		p.summary(r.Summary)
	}
	return p.w.Flush()
}

// page is the output; its writer keeps the first error until Flush.
type page struct {
	w     *bufio.Writer
	begun bool
	dated bool // transfers of several days: their times need the day
}

// days is how many days transfers began on, as far as it matters: 0, 1 or more.
func days(all []*model.Transfer) int {
	seen := map[string]bool{}
	for _, t := range all {
		if at := cmp.Or(t.Start, t.End); at != 0 && len(seen) < 2 {
			seen[utc(at).Format(time.DateOnly)] = true
		}
	}
	return len(seen)
}

// when is the time of a transfer.
func (p *page) when(t *model.Transfer) string {
	at := cmp.Or(t.Start, t.End)
	if p.dated && at != 0 {
		return second(at)
	}
	return clock(at)
}

func (p *page) f(format string, args ...any) { fmt.Fprintf(p.w, format, args...) }

// section starts a part of the page with its heading.
func (p *page) section(format string, args ...any) {
	if p.begun {
		p.f("\n")
	}
	p.begun = true
	p.f("%s\n", color.New(color.Bold).Sprintf(format, args...))
}

var severityColours = [...]*color.Color{
	color.New(color.Faint), color.New(color.FgCyan), color.New(color.FgYellow), color.New(color.FgRed), color.New(color.FgRed, color.Bold),
}

// findings are printed in full where no incident tells what happened in them.
func (p *page) findings(r model.Records, incidents bool) {
	inside, outside, hidden := sorted3(r, incidents)
	if len(r.Findings) == 0 {
		if !incidents {
			p.section("No findings")
		}
		return
	}
	if len(inside) > 0 {
		p.section("%s of incidents, in short (--only finding prints their evidence)", count(len(inside), "finding"))
		p.short(inside)
	}
	if len(outside) > 0 {
		what := "finding"
		if len(inside) > 0 {
			what = "other finding"
		}
		p.section("%s, most important first", count(len(outside), what))
		for _, f := range outside {
			p.finding(f)
		}
	}
	if len(hidden) > 0 {
		p.section("%s that waybill.yaml suppresses", count(len(hidden), "finding"))
		for _, f := range hidden {
			p.finding(f)
		}
	}
}

// sorted3 gives the findings of incidents, the others, and the suppressed ones, each
// with the most important first.
func sorted3(r model.Records, incidents bool) (inside, outside, hidden []*model.Finding) {
	of := map[string]bool{}
	for _, i := range r.Incidents {
		for _, id := range i.Findings {
			of[id] = incidents
		}
	}
	all := slices.Clone(r.Findings)
	slices.SortStableFunc(all, func(a, b *model.Finding) int {
		return cmp.Or(first(a.Known, b.Known), cmp.Compare(b.Score, a.Score))
	})
	for _, f := range all {
		switch {
		case f.Suppressed != nil:
			hidden = append(hidden, f)
		case of[f.ID]:
			inside = append(inside, f)
		default:
			outside = append(outside, f)
		}
	}
	return inside, outside, hidden
}

// first orders what is known before what is not.
func first(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// short prints a finding on two lines: what, and what speaks against it.
func (p *page) short(all []*model.Finding) {
	for i, f := range all {
		if i == maxShort {
			p.f("  ... and %d more (--only finding shows all)\n", len(all)-i)
			return
		}
		var why []string
		for _, r := range f.Reasons {
			why = append(why, fmt.Sprintf("%s %+.1f", r.Analytic, r.Nats))
		}
		p.f("  %s %.1f  %s\n      %s\n", severity(f.Severity), f.Score, clip(Plain(f.Title), 120), strings.Join(why, ", "))
	}
}

func severity(s model.Severity) string {
	return severityColours[s].Sprint(strings.ToUpper(s.String()))
}

func (p *page) finding(f *model.Finding) {
	p.f("\n%s %.1f  %s\n", severity(f.Severity), f.Score, Plain(f.Title))
	if f.Suppressed != nil {
		p.f("  suppressed until %s: %s\n", second(f.Suppressed.Until), Plain(f.Suppressed.Reason))
	}
	p.f("  %s  %s\n", second(f.Time), strings.Join(f.Techniques, " "))
	if len(f.Users) > 0 {
		p.f("  account %s\n", Plain(strings.Join(f.Users, ", ")))
	}
	for _, reason := range f.Reasons {
		p.f("  %+5.1f  %-20s %s\n", reason.Nats, reason.Analytic, Plain(reason.Text))
		p.f("%30s%s\n", "", Plain(someplaces(reason.Evidence)))
	}
	p.f("  =%4.1f  as they add up; such scores turned out to be worth %.0f in simulated networks\n", f.Score, f.Worth)
	for _, m := range f.Missing {
		p.f("      ?  %s\n", Plain(m))
	}
}

// someplaces names the first places of evidence.
func someplaces(all []model.Evidence) string {
	const most = 4
	if len(all) <= most {
		return places(all)
	}
	return fmt.Sprintf("%s and %d more", places(all[:most]), len(all)-most)
}

// ends is a pair of hosts, by the direction of the bytes.
type ends struct{ source, destination string }

func (p *page) transfers(all []*model.Transfer) {
	byEnds := map[ends][]*model.Transfer{}
	var order []ends
	for _, t := range all {
		e := ends{name(t.Source), name(t.Destination)}
		if byEnds[e] == nil {
			order = append(order, e)
		}
		byEnds[e] = append(byEnds[e], t)
	}
	if len(all) == 0 {
		p.section("No transfers")
		return
	}
	p.section("%s between %s", count(len(all), "transfer"), count(len(order), "pair")+" of hosts")
	for i, e := range order {
		if i == maxPairs {
			p.f("\n... and %s more (--format ndjson shows all)\n", count(len(order)-i, "pair"))
			break
		}
		p.f("\n%s > %s\n", Plain(e.source), Plain(e.destination))
		p.pair(byEnds[e])
	}
}

func (p *page) pair(ts []*model.Transfer) {
	for i, t := range ts {
		if i == maxOfAPair {
			p.f("  ... and %d more (--format ndjson shows all)\n", len(ts)-i)
			return
		}
		p.f("  %s  %-4s %-6s %9s  %-8s %-8s  %s\n", p.when(t), t.Operation, t.Channel, size(t), cmp.Or(t.Type, "-"),
			state(t), where(t))
		p.detail(t)
	}
}

// detail is the second line of a transfer.
func (p *page) detail(t *model.Transfer) {
	var parts []string
	if t.SHA256 != "" {
		parts = append(parts, "sha256 "+t.SHA256[:16])
	}
	if t.User != "" {
		parts = append(parts, "by "+Plain(t.Account()))
	}
	if t.Process != "" {
		parts = append(parts, "process "+Plain(t.Process))
	}
	for _, x := range t.Executed {
		parts = append(parts, color.New(color.FgRed).Sprintf("started %s as %s", clock(x.Time), x.How))
	}
	if t.Deleted != nil {
		parts = append(parts, "deleted "+clock(t.Deleted.Time))
	}
	if r := reason(t); r != "" {
		parts = append(parts, Plain(r))
	}
	for _, n := range t.Notes {
		parts = append(parts, Plain(n))
	}
	if len(parts) > 0 {
		p.f("            %s\n", color.New(color.Faint).Sprint(strings.Join(parts, ", ")))
	}
}

// reason leaves out what the column of a logged transfer says.
func reason(t *model.Transfer) string {
	if t.Completeness == model.Logged && t.Status == model.Done {
		_, more, _ := strings.Cut(t.Reason, "; ")
		return more
	}
	return t.Reason
}

// state is the completeness of what was done, else the status.
func state(t *model.Transfer) string {
	if t.Status == model.Done {
		return t.Completeness
	}
	return t.Status
}

// where is the place of a file as a person would name it.
func where(t *model.Transfer) string {
	path := cmp.Or(t.Path, t.Name, server(t), "(no name)")
	share := strings.TrimRight(t.Share, `\`)
	if i := strings.LastIndexByte(share, '\\'); i >= 0 {
		share = share[i+1:]
	}
	switch {
	case share == "":
	case strings.HasPrefix(t.Channel, "smb"):
		path = share + `\` + strings.TrimPrefix(path, `\`)
	case strings.HasPrefix(path, "/"):
		path = share + path
	default:
		path = strings.TrimSuffix(share, "/") + "/" + path
	}
	if t.Cwd != "" {
		path += " in " + t.Cwd
	}
	return clip(Plain(path), 120)
}

// server is the name of the server that an encrypted exchange was with, else its
// protocol.
func server(t *model.Transfer) string {
	if t.Session == nil || t.Completeness != model.Opaque {
		return ""
	}
	if name := cmp.Or(t.Session.SNI, t.Session.Certificate); name != "" || t.Session.Dialect == "" {
		return name
	}
	return "(" + t.Session.Dialect + ")"
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n/2]) + "…" + string(r[len(r)-n/2:])
	}
	return s
}

func name(e model.Endpoint) string { return cmp.Or(e.Name(), "unknown") }

func (p *page) accesses(all []*model.Access) {
	p.section("%s", count(len(all), "access"))
	for i, a := range all {
		if i == maxAccesses {
			p.f("  ... and %d more (--format ndjson shows all)\n", len(all)-i)
			return
		}
		p.f("  %s  %-15s %s > %s  %s\n", clock(a.Time), a.What, name(a.Source), name(a.Destination),
			clip(Plain(strings.Join(nonempty(a.Share, a.Object, a.Command, a.Detail, a.Status), "  ")), 120))
	}
}

func (p *page) artifacts(all []*model.Artifact) {
	p.section("%s", count(len(all), "artifact"))
	for _, a := range all {
		p.f("  %-64s  %9s  %-8s %s, %s\n", cmp.Or(a.SHA256, "(not whole)"), bytesOf(a.Size), cmp.Or(a.Type, "-"),
			count(len(a.Sightings), "sighting"), clip(Plain(strings.Join(a.Names, ", ")), 80))
	}
}

func (p *page) summary(s model.Summary) {
	p.section("Summary")
	p.f("  %s, %s packets", count(s.Inputs, "input"), humanize.Comma(s.Packets))
	if s.Events > 0 {
		p.f(", %s events", humanize.Comma(s.Events))
	}
	p.f(", %s", humanize.IBytes(uint64(max(s.Bytes, 0))))
	for _, c := range sorted(s.Transfers) {
		p.f(", %d %s", s.Transfers[c], c)
	}
	p.f("\n")
	if n := s.Expected["medium"]; n >= 0.1 {
		p.f("  everyday traffic of this volume alone would give about %.1f findings of medium and above\n", n)
	}
	for _, why := range sorted(s.LeftOut) {
		p.f("  left out: %s %s\n", humanize.Comma(s.LeftOut[why]), Plain(why))
	}
	for _, n := range s.Notes {
		p.f("  %s\n", Plain(n))
	}
}

func count(n int, what string) string {
	switch {
	case n == 1:
		return "1 " + what
	case strings.HasSuffix(what, "s"):
		return humanize.Comma(int64(n)) + " " + what + "es"
	}
	return humanize.Comma(int64(n)) + " " + what + "s"
}

func size(t *model.Transfer) string {
	if t.Size == nil && t.Estimate != nil {
		return "~" + humanize.IBytes(uint64(max(t.Estimate.Size, 0)))
	}
	return bytesOf(t.Size)
}

func bytesOf(n *int64) string {
	if n == nil {
		return "-"
	}
	return humanize.IBytes(uint64(max(*n, 0)))
}

func second(t model.Time) string { return utc(t).Format("2006-01-02 15:04:05") }

func clock(t model.Time) string {
	if t == 0 {
		return "--:--:--"
	}
	return utc(t).Format("15:04:05")
}

func utc(t model.Time) time.Time { return time.Unix(0, int64(t)).UTC() }

func nonempty(all ...string) []string {
	return slices.DeleteFunc(all, func(s string) bool { return s == "" })
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func bySize(m map[string]int64) []string {
	keys := sorted(m)
	slices.SortStableFunc(keys, func(a, b string) int { return cmp.Compare(m[b], m[a]) })
	return keys
}
