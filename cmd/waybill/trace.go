package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"waybill/internal/judge"
	"waybill/internal/model"
	"waybill/internal/report"
	"waybill/internal/scan"
)

// traceCommand shows along which hosts one file went.
type traceCommand struct {
	What string `arg:"" help:"A hash (SHA-256, SHA-1 or MD5, 8 hex digits or more of one), the id of an artifact or transfer, or a file name, also with * and ?."`
	scanCommand
}

// Run scans, and prints the trees of what was asked for.
func (c *traceCommand) Run(p *program) error {
	format := c.Format
	write := report.TraceFormats[format]
	if write == nil {
		return usagef("--format %s: give table, ndjson, csv, dot or graphml", format)
	}
	if c.Format != "csv" {
		c.Format = "table" // what scan need not know
	}
	return c.run(p, func(out io.Writer, found *scan.Records, s report.Selection, scanErr error) error {
		traced := trace(c.What, found.Records)
		if len(traced.Artifacts)+len(traced.Nameless) == 0 {
			return errors.Join(scanErr, c.notFound(found.Records))
		}
		if err := write(out, traced, s); err != nil {
			return fmt.Errorf("writing the trace: %w", err)
		}
		return nil
	})
}

// trace takes from the records what was asked for: artifacts, their transfers and the
// findings of them, and the transfers that no artifact has.
func trace(what string, r model.Records) report.Traced {
	w := newWanted(what)
	wanted := map[string]bool{}
	var loose []*model.Transfer
	for _, t := range r.Transfers {
		if w.transfer(t) {
			wanted[t.ID] = true
			loose = append(loose, t)
		}
	}
	out := report.Traced{Records: model.Records{Summary: r.Summary}}
	carried := map[string]bool{}
	for _, a := range r.Artifacts {
		if !w.artifact(a) && !slices.ContainsFunc(a.Sightings, func(s model.Sighting) bool { return wanted[s.Transfer] }) {
			continue
		}
		out.Artifacts = append(out.Artifacts, a)
		for _, s := range a.Sightings {
			carried[s.Transfer] = true
		}
	}
	for _, t := range r.Transfers {
		if carried[t.ID] {
			out.Transfers = append(out.Transfers, t)
		}
	}
	out.Nameless = slices.DeleteFunc(loose, func(t *model.Transfer) bool { return carried[t.ID] })
	for _, f := range r.Findings {
		if slices.ContainsFunc(out.Artifacts, func(a *model.Artifact) bool { return slices.Contains(f.Artifacts, a.ID) }) {
			out.Findings = append(out.Findings, f)
		}
	}
	return out
}

// wanted is what a trace was asked for.
type wanted struct {
	id, hash string // hash is the beginning of one, lower case
	name     string // a glob
}

// leastHex is how many digits of a hash are enough.
const leastHex = 8

func newWanted(what string) wanted {
	lower := strings.ToLower(what)
	w := wanted{name: what}
	if isHex(lower) && len(lower) >= leastHex {
		w.hash = lower
	}
	for _, kind := range [...]string{"a-", "t-"} {
		if digits, ok := strings.CutPrefix(lower, kind); ok && isHex(digits) && len(digits) == 16 {
			w.id = lower
		}
	}
	return w
}

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" && s != "" }

func (w *wanted) artifact(a *model.Artifact) bool {
	return w.id != "" && a.ID == w.id || w.hashed(a.SHA256)
}

func (w *wanted) hashed(value string) bool {
	return w.hash != "" && strings.HasPrefix(value, w.hash)
}

// transfer says whether a transfer has the id, one of the hashes or one of the names.
func (w *wanted) transfer(t *model.Transfer) bool {
	if w.id != "" {
		return t.ID == w.id || slices.Contains(t.Observations, w.id)
	}
	if w.hashed(t.SHA256) || w.hashed(t.MD5) || w.hashed(t.SHA1) {
		return true
	}
	for _, h := range t.Hashes {
		if h.Alg != "imphash" && w.hashed(h.Value) {
			return true
		}
	}
	for _, n := range append([]string{t.Name, t.OriginalName, t.DispositionName, t.Path}, t.EarlierNames...) {
		if n != "" && judge.Glob(w.name, n) {
			return true
		}
	}
	return false
}

// notFound says what these inputs have that is near to what was asked for.
func (c *traceCommand) notFound(r model.Records) error {
	text := fmt.Sprintf("trace %s: no file of these inputs has this name, hash or id", report.Plain(c.What))
	if _, err := os.Stat(c.What); err == nil {
		text += fmt.Sprintf("; %s is a file here: what to trace comes first, then where to look", report.Plain(c.What))
	}
	if near := nearest(c.What, r); len(near) > 0 {
		text += "; near are " + strings.Join(near, ", ")
	} else if len(r.Artifacts) == 0 {
		text += "; none has a content that is known (waybill scan shows what moved)"
	}
	return errors.New(text)
}

// suggestions is how many names or hashes are suggested.
const suggestions = 5

// nearest gives the names and hashes that are most like one.
func nearest(what string, r model.Records) []string {
	likeness := map[string]float64{}
	for _, t := range r.Transfers {
		likeness[t.Name] = alike(what, t.Name)
	}
	if hash := strings.ToLower(what); isHex(hash) {
		for _, a := range r.Artifacts {
			if n := common(hash, a.SHA256); n >= 3 {
				likeness[a.SHA256] = float64(n)
			}
		}
	}
	var out []string
	for s, n := range likeness {
		if s != "" && n >= 0.4 {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(x, y string) int { return cmp.Or(cmp.Compare(likeness[y], likeness[x]), cmp.Compare(x, y)) })
	out = out[:min(len(out), suggestions)]
	for i, s := range out {
		out[i] = report.Plain(s)
	}
	return out
}

// common is how many characters two texts begin with.
func common(a, b string) (n int) {
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// alike is the share of pairs of characters that two names have in common (Dice).
func alike(a, b string) float64 {
	pairs := func(s string) map[string]int {
		out := map[string]int{}
		s = strings.ToLower(s)
		for i := range len(s) - 1 {
			out[s[i:i+2]]++
		}
		return out
	}
	x, y := pairs(a), pairs(b)
	both := 0
	for p, n := range x {
		both += min(n, y[p])
	}
	if len(a)+len(b) < 4 {
		return 0
	}
	return 2 * float64(both) / float64(len(a)+len(b)-2)
}
