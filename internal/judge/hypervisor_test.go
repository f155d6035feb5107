package judge

import (
	"testing"

	"waybill/internal/model"
)

// TestHypervisorPush: a program of no known name that several hypervisors get is worth a look.
func TestHypervisorPush(t *testing.T) {
	for name, c := range map[string]struct {
		file, role string
		hosts      int
		score      float64
	}{
		"to three hypervisors":     {"/tmp/encrypt", "hypervisor", 3, 11},
		"to one":                   {"/tmp/encrypt", "hypervisor", 1, 8},
		"a script":                 {"/tmp/enc.sh", "hypervisor", 3, 11},
		"to three hosts":           {"/tmp/encrypt", "", 3, 8},
		"a bundle of the maker":    {"/tmp/lsu.vib", "hypervisor", 3, 9},
		"an image":                 {"/vmfs/volumes/ds1/debian.iso", "hypervisor", 3, 7},
		"what names its installer": {"/tmp/install-agent", "hypervisor", 3, 8},
	} {
		var moved []*model.Transfer
		for i := range c.hosts {
			at := begin + model.Time(i)*120e9
			moved = append(moved, &model.Transfer{ID: "t-" + string(rune('0'+i)), Channel: "ssh", Name: c.file[5:], Path: c.file, Tool: "pscp", User: "root", Source: model.Endpoint{Host: "jump1"},
				Destination: model.Endpoint{Host: "esx" + string(rune('1'+i)), Role: c.role}, Operation: model.Push, Initiator: model.BySource, Status: model.Done,
				Completeness: model.Opaque, Scope: model.ScopeInternal, Start: at, End: at, Evidence: []model.Evidence{{Input: "a"}}})
		}
		got := Look(moved, nil, nil, Settings{}).Findings
		if len(got) != 1 || got[0].Score != c.score {
			for _, f := range got {
				t.Logf("%v %v %s", f.Score, f.Reasons, f.Title)
			}
			t.Errorf("%s: %d findings, not one of %v", name, len(got), c.score)
		}
	}
}
