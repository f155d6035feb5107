package report

import (
	"slices"

	"waybill/internal/model"
)

// Bounds of the trees in the table: waybill trace draws all of one.
const (
	maxTrees     = 2
	maxTreeLines = 15
)

// forest finds what the trees of incidents are drawn of.
type forest struct {
	findings  map[string]*model.Finding
	artifacts map[string]*model.Artifact
	transfers map[string]*model.Transfer
}

// newForest looks up what some incidents need.
func newForest(r model.Records, incidents []*model.Incident) *forest {
	f := &forest{map[string]*model.Finding{}, map[string]*model.Artifact{}, map[string]*model.Transfer{}}
	for _, i := range incidents {
		for _, s := range i.Reasons {
			f.findings[s.Finding] = nil
		}
	}
	fill(f.findings, r.Findings, func(x *model.Finding) string { return x.ID })
	for _, x := range f.findings {
		if x != nil {
			wish(f.artifacts, x.Artifacts)
		}
	}
	fill(f.artifacts, r.Artifacts, func(x *model.Artifact) string { return x.ID })
	for _, a := range f.artifacts {
		if a == nil || a.Spread == nil {
			continue
		}
		for _, e := range a.Spread.Edges {
			f.transfers[e.Transfer] = nil
		}
	}
	fill(f.transfers, r.Transfers, func(x *model.Transfer) string { return x.ID })
	return f
}

func wish[T any](m map[string]*T, ids []string) {
	for _, id := range ids {
		m[id] = nil
	}
}

// fill gives each id that is wished for its record.
func fill[T any](m map[string]*T, records []*T, id func(*T) string) {
	for _, r := range records {
		if _, wished := m[id(r)]; wished {
			m[id(r)] = r
		}
	}
}

// of are the artifacts of an incident's strongest findings that went over more than one
// edge: of one edge the narrative says all.
func (f *forest) of(i *model.Incident) []*model.Artifact {
	var out []*model.Artifact
	for _, s := range i.Reasons {
		x := f.findings[s.Finding]
		if x == nil {
			continue
		}
		for _, id := range x.Artifacts {
			if a := f.artifacts[id]; a != nil && a.Spread != nil && len(a.Spread.Edges) > 1 && !slices.Contains(out, a) {
				out = append(out, a)
			}
		}
	}
	return out
}

// trees draws how the files of an incident went from host to host.
func (p *page) trees(i *model.Incident, f *forest) {
	for n, a := range f.of(i) {
		if n == maxTrees {
			return
		}
		lines := Tree(a, func(id string) *model.Transfer { return f.transfers[id] }, 0)
		p.f("\n  How %s went from host to host\n", clip(Plain(calledOf(a)), 80))
		for at, line := range lines {
			if at == maxTreeLines {
				p.f("    ... and %s (waybill trace %s draws all)\n", count(len(lines)-at, "more line"), traceWord(a))
				break
			}
			p.f("    %s\n", line)
		}
	}
}

// calledOf is a name of an artifact.
func calledOf(a *model.Artifact) string {
	switch len(a.Names) {
	case 0:
		return "it"
	case 1:
		return a.Names[0]
	}
	return a.Names[0] + " (also " + a.Names[1] + ")"
}

// traceWord is what trace finds an artifact by.
func traceWord(a *model.Artifact) string {
	if len(a.SHA256) > 16 {
		return a.SHA256[:16]
	}
	if len(a.Names) > 0 {
		return Plain(a.Names[0])
	}
	return "WHAT"
}
