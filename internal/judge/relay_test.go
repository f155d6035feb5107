package judge

import (
	"fmt"
	"testing"

	"waybill/internal/model"
)

// TestRelayOfServer: what a stranger puts on a server that hands out programs every day, and
// several fetch from there, counts more than what who fills it puts there.
func TestRelayOfServer(t *testing.T) {
	for name, c := range map[string]struct {
		by      string
		hours   model.Time // after it was put there
		fetched int
		nats    float64
	}{
		"a stranger":        {"PC9", 1, 4, 6},
		"who fills it":      {"SITE", 1, 4, 0},
		"fetched by one":    {"PC9", 1, 1, 2},
		"after three weeks": {"PC9", 21 * 24, 4, 0},
	} {
		var moved []*model.Transfer
		add := func(at model.Time, from, to, channel, file string, pull bool) {
			n, op, by := int64(len(file)*1000), model.Push, model.BySource
			if pull {
				op, by = model.Pull, model.ByDestination
			}
			x := &model.Transfer{ID: fmt.Sprint("t-", len(moved)), Channel: channel, Name: file, Path: `packages\` + file, Type: "pe", Size: &n, SHA256: fmt.Sprintf("%064x", file), Source: model.Endpoint{Host: from}, Destination: model.Endpoint{Host: to},
				Operation: op, Initiator: by, Status: model.Done, Completeness: model.Whole, Scope: model.ScopeInternal, Start: begin + at, End: begin + at, Evidence: []model.Evidence{{Input: "a", Line: len(moved)}}}
			if channel == "smb2" {
				x.Share = `\\dp\D$`
			}
			moved = append(moved, x)
		}
		for d := range model.Time(6) {
			file := fmt.Sprintf("agent-%d.exe", d)
			add(d*Window, "SITE", "DP", "smb2", file, false)
			for i := range 12 {
				add(d*Window+model.Time(i+1)*600e9, "DP", fmt.Sprint("WS", i), "http", file, true)
			}
		}
		add(6*Window, c.by, "DP", "smb2", "PatchAgent.exe", false)
		for i := range c.fetched {
			add(6*Window+c.hours*3600e9+model.Time(i)*60e9, "DP", fmt.Sprint("WS", i), "http", "PatchAgent.exe", true)
		}
		nats := 0.0
		for _, f := range Look(moved, nil, nil, Settings{}).Findings {
			for _, r := range f.Reasons {
				if r.Analytic == "relay" && f.Start >= begin+6*Window {
					nats = max(nats, r.Nats)
				}
			}
		}
		if nats != c.nats {
			t.Errorf("%s: %v nats instead of %v", name, nats, c.nats)
		}
	}
}
