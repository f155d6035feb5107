package eval

import (
	"bytes"
	"strings"
	"testing"
)

// small is a world that takes a second.
func small(names ...string) Config {
	c := Config{Hosts: 80, Days: 3, Learn: 1, Seed: 3, Bulk: 0.02, Parameters: DefaultParameters()}
	for _, x := range DefaultCampaigns() {
		for _, n := range names {
			if x.Name == n {
				c.Campaigns = append(c.Campaigns, x)
			}
		}
	}
	return c
}

// TestSameSeed: equal seeds give equal worlds, other seeds others.
func TestSameSeed(t *testing.T) {
	text := func(seed uint64) string {
		c := small("service", "staging")
		c.Seed = seed
		var out bytes.Buffer
		if err := Table(&out, []*Result{Run(t.Context(), c, Tiers[1])}, 1); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	first := text(3)
	if again := text(3); again != first {
		t.Errorf("two runs of one seed differ:\n%s\n%s", first, again)
	}
	if text(4) == first {
		t.Error("another seed gives the same world")
	}
}

// TestFound guards a small version of the tables: what the sensors of each tier see of
// some campaigns, and that the judge speaks of them.
func TestFound(t *testing.T) {
	for _, tt := range []struct {
		tier  int
		found []string
	}{{0, []string{"service"}}, {4, []string{"service", "copy-wmi"}}} {
		r := Run(t.Context(), small("service", "copy-wmi"), Tiers[tt.tier])
		if r.Moves == 0 || len(r.Kinds) != 2 {
			t.Fatalf("%s: %d movements, %d kinds", r.Tier.Name, r.Moves, len(r.Kinds))
		}
		if x := &r.Incidents; x.Tuned.Told != len(tt.found) || x.Tuned.Whole != x.Tuned.Told || x.Foreign > 0 || x.First[0] != x.First[1] {
			t.Errorf("%s: %+v: each campaign that is found is one incident, of nothing else", r.Tier.Name, x)
		}
		for _, k := range r.Kinds {
			want := strings.Contains(strings.Join(tt.found, " "), k.Name)
			if got := spoken(r, k.Name); got != want {
				t.Errorf("%s: a finding of %s: %v, want %v", r.Tier.Name, k.Name, got, want)
			}
		}
	}
}

func spoken(r *Result, kind string) bool {
	for _, day := range r.alerts {
		for _, a := range day {
			if a.campaign != nil && a.campaign.Name == kind && a.score >= 10 {
				return true
			}
		}
	}
	return false
}

// TestScenarios: what is wrong in a file of scenarios is named.
func TestScenarios(t *testing.T) {
	for text, want := range map[string]string{
		"- {name: x, from: client, to: client, hosts: [1, 2]}":                                                   "steps",
		"- {name: x, from: nowhere, to: client, hosts: [1, 2], steps: [{channel: smb}]}":                         `"nowhere"`,
		"- {name: x, from: client, to: client, hosts: [1, 2], steps: [{channel: pigeon}]}":                       `"pigeon"`,
		"- {name: x, from: client, to: client, hosts: [3, 2], steps: [{channel: smb}]}":                          "more than",
		"- {name: x, from: client, to: client, hosts: [1, 2], steps: [{channel: smb, ends: [via, target]}]}":     "ends",
		"- {name: x, from: client, to: client, hosts: [1, 2], colour: red, steps: [{channel: smb}]}":             "colour",
		"- {name: x, from: client, to: client, hosts: [1, 2], steps: [{channel: smb, start: {how: telepathy}}]}": `"telepathy"`,
	} {
		if _, err := ParseCampaigns([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	if _, err := ParseParameters([]byte("network: {dc: {value: 2}}")); err == nil || !strings.Contains(err.Error(), "source") {
		t.Errorf("a number without source: %v", err)
	}
}
