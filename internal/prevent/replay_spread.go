package prevent

import (
	"cmp"
	"slices"
	"strings"

	"waybill/internal/model"
)

// path is the movements of one content in the order of time: those of an artifact, or one of
// which nobody knows the content.
type path struct {
	arrivals []*model.Transfer
	roots    map[string]bool // had it before anybody gave it to them
	unknown  map[string]bool // got it from nobody knows where
	// With the filter, and with the strict one:
	holders [2]map[string]bool
	arrived [2]map[string]bool // transfers that would have happened
	detour  map[string]bool    // hosts that a later way reaches
}

// hostKey is how a host is told in the spread of a file.
func hostKey(e model.Endpoint) string { return strings.ToLower(e.Name()) }

// replay lets the content go from host to host again. A movement happens when it passes and
// its source holds the content by then. Whoever gives it away without having been seen
// getting it had it before, and where the source is not known the movement happens:
// what no input shows is never claimed to be stopped. All ways that were recorded count,
// not only that of the tree.
func (p *path) replay(fate map[string]ruled) {
	p.roots, p.unknown, p.detour = map[string]bool{}, map[string]bool{}, map[string]bool{}
	real := map[string]bool{}
	for strict := range p.holders {
		p.holders[strict], p.arrived[strict] = map[string]bool{}, map[string]bool{}
	}
	for _, t := range p.arrivals {
		from, to := hostKey(t.Source), hostKey(t.Destination)
		if from != "" && !real[from] {
			p.root(from)
			real[from] = true
		}
		if from == "" && !real[to] {
			p.unknown[to] = true
		}
		for strict := range p.holders {
			if d, ok := fate[t.ID]; ok && !d.Passes(strict == 1) || from != "" && !p.holders[strict][from] {
				continue
			}
			p.arrived[strict][t.ID] = true
			if strict == 0 && real[to] && !p.holders[0][to] {
				p.detour[to] = true
			}
			p.holders[strict][to] = true
		}
		real[to] = true
	}
}

// root puts down a host that had the content before.
func (p *path) root(host string) {
	p.roots[host] = true
	for strict := range p.holders {
		p.holders[strict][host] = true
	}
}

// sorted brings arrivals into the order of time.
func (p *path) sort() {
	slices.SortFunc(p.arrivals, func(a, b *model.Transfer) int {
		return cmp.Or(cmp.Compare(ended(a), ended(b)), cmp.Compare(a.ID, b.ID))
	})
}

func ended(t *model.Transfer) model.Time { return max(t.Start, t.End) }

// paths are the movements of what findings hold, by transfer.
func paths(r *model.Records, wanted map[string]bool) map[string]*path {
	out := map[string]*path{}
	arrives := arrivals(r.Transfers)
	for _, a := range r.Artifacts {
		if !slices.ContainsFunc(a.Sightings, func(s model.Sighting) bool { return wanted[s.Transfer] }) {
			continue
		}
		p := &path{}
		for _, s := range a.Sightings {
			if t := arrives[s.Transfer]; t != nil && out[t.ID] == nil {
				out[t.ID] = p
				p.arrivals = append(p.arrivals, t)
			}
		}
		p.sort()
	}
	for id := range wanted {
		if t := arrives[id]; t != nil && out[id] == nil {
			out[id] = &path{arrivals: []*model.Transfer{t}}
		}
	}
	return out
}

// arrivals are the transfers that brought something from one host to another, by id.
func arrivals(all []*model.Transfer) map[string]*model.Transfer {
	out := make(map[string]*model.Transfer, len(all))
	for _, t := range all {
		if t.Status != model.Denied && t.Status != model.Failed && hostKey(t.Source) != hostKey(t.Destination) {
			out[t.ID] = t
		}
	}
	return out
}
