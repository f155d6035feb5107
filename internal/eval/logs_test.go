package eval

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"waybill/internal/model"
	"waybill/internal/scan"
)

// TestPlainLogs: a world that is written as plain logs of Windows and Zeek and scanned
// gives the findings of campaigns that the evaluation itself sees. Scores may differ by
// what a scan, which has all days at once, knows of the roles of hosts.
func TestPlainLogs(t *testing.T) {
	for _, tier := range []Tier{Tiers[2], ZeekTiers[1]} {
		c := small("service", "copy-wmi", "staging", "psexec", "http")
		dir := t.TempDir()
		if err := Write(t.Context(), c, tier, dir); err != nil {
			t.Fatal(err)
		}
		r, err := scan.Run(context.Background(), scan.Options{Paths: []string{dir + "/windows.json", dir + "/zeek"}})
		if err != nil {
			t.Fatal(err)
		}
		direct, want := run(c, tier)
		got := ofCampaigns(direct.World, r.Findings, r.Transfers)
		if len(want) == 0 {
			t.Fatalf("%s: no finding of a campaign", tier.Name)
		}
		for name, score := range want {
			if s, ok := got[name]; !ok || math.Abs(s-score) > 3 {
				t.Errorf("%s: %s: %.1f from logs, %.1f directly", tier.Name, name, s, score)
			}
		}
		for name, s := range got {
			if _, ok := want[name]; !ok {
				t.Errorf("%s: %s: %.1f from logs, not directly", tier.Name, name, s)
			}
		}
	}
}

// run gives a result, and the highest score of a finding by what moved where.
func run(c Config, tier Tier) (*Result, map[string]float64) {
	var findings []*model.Finding
	var transfers []*model.Transfer
	r := observed(context.Background(), c, tier, func(t []*model.Transfer, f []*model.Finding) {
		transfers, findings = append(transfers, t...), append(findings, f...)
	})
	return r, ofCampaigns(r.World, findings, transfers)
}

// ofCampaigns are the findings of a campaign's own movements.
func ofCampaigns(w *World, findings []*model.Finding, transfers []*model.Transfer) map[string]float64 {
	byID := map[string]*model.Transfer{}
	for _, t := range transfers {
		byID[t.ID] = t
	}
	out := map[string]float64{}
	for _, f := range findings {
		for _, id := range f.Transfers {
			t := byID[id]
			if t == nil {
				continue
			}
			for _, c := range w.Running {
				if slices.ContainsFunc(c.Moves, func(m *Move) bool { return m.Name == t.Name && bare(m.Destination.Name) == bare(t.Destination.Name()) }) {
					name := fmt.Sprintf("%s: %s on %s", c.Name, t.Name, bare(t.Destination.Name()))
					out[name] = max(out[name], f.Score)
				}
			}
		}
	}
	return out
}
