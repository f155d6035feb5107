package judge

import (
	"fmt"
	"slices"
	"testing"

	"waybill/internal/model"
)

// TestEndless has a host hand out one program around the clock for weeks: what is kept of
// it is bounded, and the finding is of its first and its strongest transfer.
func TestEndless(t *testing.T) {
	const all = 5 * goneMost
	size := int64(100_000)
	var transfers []*model.Transfer
	for i := range all {
		at := begin + model.Time(i)*1200e9
		x := &model.Transfer{ID: fmt.Sprintf("t-%05d", i), Start: at, End: at + 1e9, Channel: "smb2", Operation: model.Push, Initiator: model.BySource,
			Status: model.Done, Completeness: model.Whole, Scope: model.ScopeInternal, Source: model.Endpoint{Host: "pc"}, Destination: model.Endpoint{Host: fmt.Sprint("ws", i%40)},
			Share: `\\ws\ADMIN$`, Path: `Temp\a.exe`, Name: "a.exe", Type: "pe", Size: &size, SHA256: "aa"}
		if i == 7 {
			x.Executed = []model.Execution{{Time: at, How: "service", Process: "a", Command: `C:\Windows\Temp\a.exe`}}
		}
		transfers = append(transfers, x)
	}
	j, most := New(Settings{}), 0
	for _, x := range transfers {
		j.Step(Event{Time: x.End, Transfer: x})
		most = max(most, len(j.age[0].cluster.members))
	}
	if most > 2*goneMost+200 || most < goneMost {
		t.Errorf("%d members were kept", most)
	}
	found := j.Close()
	if len(found) != 1 {
		t.Fatalf("%d findings", len(found))
	}
	f := found[0]
	if f.Start != begin || f.Transfers[0] != "t-00000" || f.Transfers[1] != "t-00007" || f.Transfers[len(f.Transfers)-1] != transfers[all-1].ID {
		t.Errorf("begins at %s with %s, ends with %s", f.Start, f.Transfers[:2], f.Transfers[len(f.Transfers)-1])
	}
	if !slices.Contains(f.Analytics, "remote-start") || len(f.Hosts) != 41 {
		t.Errorf("%d hosts, %+v", len(f.Hosts), f.Reasons)
	}
}
