package ledger

import (
	"testing"

	"waybill/internal/identity"
	"waybill/internal/model"
)

// TestSupposed: a host's log shows only that a program was started; the command on the
// other host says how it came there. A movement that was seen on a channel of its own
// is another one.
func TestSupposed(t *testing.T) {
	ends := func(tr *model.Transfer) *model.Transfer {
		tr.Source, tr.Destination = model.Endpoint{Host: "ws1"}, model.Endpoint{Host: "srv1"}
		tr.Operation, tr.Initiator, tr.Name, tr.End = model.Push, model.BySource, "a.exe", 1e18+8e9
		return tr
	}
	ordered := func(channel string) *model.Transfer {
		return ends(&model.Transfer{ID: "ordered", Start: 1e18, Channel: channel, Completeness: model.Logged, Status: model.Claimed, Tool: "copy-item",
			Evidence: []model.Evidence{{Computer: "ws1", Channel: "Security"}}})
	}
	started := func() *model.Transfer {
		return ends(&model.Transfer{ID: "started", Channel: "smb", Completeness: model.Inferred, Status: model.Done, Confidence: "low",
			Evidence: []model.Evidence{{Computer: "srv1", Channel: "Security"}}})
	}
	shared := func() *model.Transfer {
		x := started()
		x.Start, x.Share, x.Completeness = 1e18, "C$", model.Logged
		return x
	}
	for _, c := range []struct {
		name    string
		all     []*model.Transfer
		want    int
		channel string
	}{
		{"ordered and started", []*model.Transfer{ordered("winrm"), started()}, 1, "winrm"},
		{"started and ordered", []*model.Transfer{started(), ordered("http")}, 1, "http"},
		{"seen on a share", []*model.Transfer{ordered("winrm"), shared()}, 2, ""},
	} {
		got := Join(c.all, &identity.Table{})
		if len(got) != c.want || c.want == 1 && (got[0].Channel != c.channel || got[0].Status != model.Done) {
			t.Errorf("%s: %d, %+v", c.name, len(got), got[0])
		}
	}
}
