package eval

import (
	"reflect"
	"testing"

	"waybill/internal/model"
)

// TestRank: a campaign's best alert is ranked among those of no campaign of its day.
func TestRank(t *testing.T) {
	mine, other := &Running{Campaign: &Campaign{Name: "mine"}}, &Running{Campaign: &Campaign{Name: "other"}}
	a := func(score float64, c *Running, at model.Time) alert {
		return alert{score: score, campaign: c, time: at}
	}
	r := &Result{alerts: [][]alert{
		{a(9, mine, 1), a(17, nil, 2), a(16, nil, 3), a(15, nil, 4), a(14, nil, 5), a(13, nil, 6), a(20, other, 6)},
		{a(16, mine, day+2), a(12, mine, day+1), a(17, nil, day+3), a(16, nil, day+4), a(19, other, day+5)},
		{a(4, mine, 2*day), a(1, nil, 2*day)},
	}}
	rank, first := r.best(mine, total)
	if rank != 3 || first != day+2 {
		t.Errorf("rank %d, first at %d: want 3, %d", rank, first, day+2)
	}
	if rank, _ := r.best(&Running{}, total); rank != 1000 {
		t.Errorf("a campaign without alerts has rank %d", rank)
	}
}

// TestPadded: what is padded begins alike and is another content.
func TestPadded(t *testing.T) {
	a := Content{Key: 7, Size: 100_000}
	b := Content{Key: 7, Size: 100_000, Pad: 3, Padding: 2_000_000}
	if a.SHA256() == b.SHA256() || a.Prefix()["65536"] != b.Prefix()["65536"] {
		t.Error("padding changes the hash and not the beginning")
	}
	if b.Prefix()["1048576"] == "" || a.Prefix()["1048576"] != "" {
		t.Error("the ladder goes as far as the content")
	}
}

// TestVariation: parameters vary by up to the factor, chances stay chances.
func TestVariation(t *testing.T) {
	p := DefaultParameters()
	for seed := range uint64(200) {
		v := p.varied(&Variation{Seed: seed, Most: Most})
		for name, x := range v.Network {
			if f := x.Value / p.Network[name].Value; f > Most+1e-9 || f < 1.0/Most-1e-9 {
				t.Fatalf("%s varies by %g", name, f)
			}
			if chances[name] && x.Value >= 1 {
				t.Fatalf("%s is %g", name, x.Value)
			}
		}
	}
	if a, b := p.varied(&Variation{Seed: 1, Most: Most}), p.varied(&Variation{Seed: 2, Most: Most}); a.Network["server"] == b.Network["server"] {
		t.Error("two draws are equal")
	}
	if p.Network["server"] != DefaultParameters().Network["server"] {
		t.Error("a draw changes what it is drawn from")
	}
	before, changed := DefaultCampaigns(), 0
	for i, c := range DefaultCampaigns() {
		got := c.varied(&Variation{Seed: 7, Most: Most})
		if got.Pace != c.Pace && got.Steps[0].Content.Size != c.Steps[0].Content.Size {
			changed++
		}
		if got.Relay > 1 || got.Steps[0].Start != nil && got.Steps[0].Start.Chance > 1 {
			t.Errorf("%s: chances of %g and %+v", c.Name, got.Relay, got.Steps[0].Start)
		}
		if c.Name == "staging" && got.Steps[0].Content.Size != got.Steps[1].Content.Size {
			t.Error("what is put on a share is not what is fetched from it")
		}
		if !reflect.DeepEqual(c, before[i]) {
			t.Errorf("%s: a draw changes what it is drawn from", c.Name)
		}
		if c.Basis == "" {
			t.Errorf("%s: no basis", c.Name)
		}
	}
	if changed != len(before) {
		t.Errorf("%d of %d campaigns vary", changed, len(before))
	}
	for i, r := range p.varied(&Variation{Seed: 7, Most: Most}).Benign {
		if o := p.Benign[i]; o.Over > 0 && r.Over == o.Over || o.Then != nil && r.Then.After == o.Then.After || o.Start != nil && o.Start.Chance > 0 && r.Start.Chance == o.Start.Chance {
			t.Errorf("%s (%s) does not vary", r.Row, r.What)
		}
	}
}

// TestPrimed: the hosts of the primed campaign exchange harmless files on so many days
// before as its scenario says, where the world is long enough, and the table says where not.
func TestPrimed(t *testing.T) {
	for days, want := range map[int]int{21: 14, 10: 8} {
		c := small("primed")
		c.Days, c.Learn = days, 7
		w := NewWorld(c)
		r := w.Running[0]
		on := map[model.Time]bool{}
		for _, m := range w.pending {
			if m.Label == r.prime {
				on[(m.Time-Epoch)/day] = true
			}
		}
		if r.Primed != want || len(on) < want || r.Start < Epoch+model.Time(want)*day {
			t.Errorf("%d days: primed on %d, files on %d, begins %s", days, r.Primed, len(on), r.Start)
		}
	}
}

// TestOwnScenario: a campaign of one's own does what its file says.
func TestOwnScenario(t *testing.T) {
	own, err := ParseCampaigns([]byte(`
- {name: drop, from: client, to: server, hosts: 4, pace: [1m, 2m], account: admin, relay: 1, names: random, renamed: true,
   content: {type: pe, size: [40k, 60k]}, steps: [
   {push: true, channel: smb, share: ADMIN$, path: '{name}.exe', start: {how: service, service: '{name}', command: '%SystemRoot%\{name}.exe'}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	c := small()
	c.Campaigns = own
	moves := NewWorld(c).Running[0].Moves
	if len(moves) != 4 {
		t.Fatalf("%d movements", len(moves))
	}
	has := map[*Host]bool{moves[0].Source: true}
	for i, m := range moves {
		if !has[m.Source] || has[m.Destination] || m.Destination.Role != "server" {
			t.Errorf("from %s to %s", m.Source.Name, m.Destination.Name)
		}
		has[m.Destination] = true
		if m.Content != moves[0].Content || i > 0 && m.Name == moves[0].Name || m.Share != "ADMIN$" || m.Local != `C:\Windows\`+m.Name || m.Start == nil || m.Start.Time < m.End {
			t.Errorf("%+v", m)
		}
	}
}
