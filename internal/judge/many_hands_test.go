package judge

import (
	"fmt"
	"slices"
	"testing"

	"waybill/internal/model"
)

// TestManyHands: one installer that administrators bring to people, each from his own host
// and under his own account, did not spread; what one of them brings to many did, and so
// did what goes on from those who received it, or out under one account.
func TestManyHands(t *testing.T) {
	push := func(from, to, user string, minute int) *model.Transfer {
		return logged(fmt.Sprint("t-", from, to), model.Time(minute)*60e9, func(t *model.Transfer) {
			t.Source, t.Destination, t.User = model.Endpoint{Host: from}, model.Endpoint{Host: to}, user
			t.Share, t.Path, t.Name = "C$", `Temp\client.exe`, "client.exe"
			t.Hashes = []model.Hash{{Alg: "sha256", Value: "aa"}}
		})
	}
	three := []*model.Transfer{push("PAW1", "A", "ann", 0), push("PAW2", "B", "bob", 10), push("PAW3", "C", "cid", 20)}
	for name, c := range map[string]struct {
		all  []*model.Transfer
		want bool
	}{
		"three hands":                   {three, false},
		"one of them to three":          {append(slices.Clone(three), push("PAW3", "D", "cid", 30), push("PAW3", "E", "cid", 40)), true},
		"one account":                   {[]*model.Transfer{push("PAW1", "A", "ann", 0), push("PAW2", "B", "ann", 10), push("PAW3", "C", "ann", 20)}, true},
		"sent on by those who got it":   {[]*model.Transfer{push("W", "A", "ann", 0), push("A", "B", "bob", 10), push("B", "C", "cid", 20)}, true},
		"two hands":                     {[]*model.Transfer{push("PAW1", "A", "ann", 0), push("PAW2", "B", "bob", 10), push("PAW2", "C", "bob", 20)}, true},
		"three hands, and one sends on": {append(slices.Clone(three), push("C", "D", "dan", 30)), true},
	} {
		got := slices.ContainsFunc(Look(c.all, nil, nil, Settings{}).Findings, func(f *model.Finding) bool {
			return slices.Contains(f.Analytics, "same-file-many-hosts")
		})
		if got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
