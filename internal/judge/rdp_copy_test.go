package judge

import (
	"testing"

	"waybill/internal/model"
)

// TestRDPCopy: an encrypted session counts when some of its bytes must be a file.
func TestRDPCopy(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*model.Transfer)
		want   bool
	}{
		"a file on a drive": {func(*model.Transfer) {}, true},
		"refused":           {func(t *model.Transfer) { t.Status = model.Denied }, false},
		"screens": {func(t *model.Transfer) {
			t.Completeness, t.Estimate = model.Opaque, &model.Estimate{Size: 9e6, High: 9e6}
		}, false},
		"a copy to the client": {func(t *model.Transfer) {
			t.Completeness, t.Estimate = model.Opaque, &model.Estimate{Size: 9e6, Low: 8e6, High: 1e7}
		}, true},
		"another channel": {func(t *model.Transfer) { t.Channel = "smb2" }, false},
	} {
		x := &model.Transfer{Channel: "rdp", Operation: model.Pull, Status: model.Done, Completeness: model.Whole, Path: "a.exe",
			Destination: model.Endpoint{Host: "pc"}}
		c.change(x)
		key := overRDP(known(x))
		if (key != "") != c.want {
			t.Errorf("%s: key %q", name, key)
			continue
		}
		if _, marks := lookRDP(struct{}{}, known(x)); c.want && (len(marks) != 1 || marks[0].Nats != 2) {
			t.Errorf("%s: %+v", name, marks)
		}
	}
}
