package judge

import (
	"fmt"
	"slices"
	"testing"

	"waybill/internal/model"
)

// session is an encrypted one that moved what has the size of a file.
type session struct {
	from, to string
	at       model.Time // in seconds, after days that others were watched
	size     int64
}

// TestOpaqueRelay: what goes from host to host by its volume alone is one finding; what backup,
// configuration management, mirrors and tunnels move is none.
func TestOpaqueRelay(t *testing.T) {
	const day, size = 86400, 2_000_000
	daily := func(from, to string, at model.Time, size int64) (all []session) {
		for d := model.Time(-5); d < 0; d++ {
			all = append(all, session{from, to, d*day + at, size + int64(d)*300_000})
		}
		return all
	}
	fan := func(from string, at model.Time, size int64) (all []session) {
		for i := range 24 {
			all = append(all, session{from, fmt.Sprintf("10.0.1.%d", i+1), at + model.Time(i)*20, size})
		}
		return all
	}
	for name, c := range map[string]struct {
		sessions []session
		nats     float64
		hosts    int
	}{
		"passed on once":                      {[]session{{"A", "B", 0, size}, {"B", "C", 600, size + 5000}}, 3, 3},
		"twice":                               {[]session{{"A", "B", 0, size}, {"B", "C", 600, size}, {"C", "D", 1200, size}}, 5, 4},
		"four times":                          {[]session{{"A", "B", 0, size}, {"B", "C", 600, size}, {"C", "D", 1200, size}, {"D", "E", 1800, size}, {"E", "F", 2400, size}}, 7, 6},
		"to a host that it sends to each day": {append(daily("B", "C", 0, 9*size), session{"A", "B", 0, size}, session{"B", "C", 600, size}), 1.5, 3},
		"another volume":                      {[]session{{"A", "B", 0, size}, {"B", "C", 600, size + 15_000}}, 0, 0},
		"to where it came from":               {[]session{{"A", "B", 0, size}, {"B", "A", 600, size}}, 0, 0},
		"a day later":                         {[]session{{"A", "B", 0, size}, {"B", "C", day, size}}, 0, 0},
		"through a tunnel":                    {[]session{{"A", "B", 0, size}, {"B", "C", 0, size}}, 0, 0},
		"from one host to many":               {fan("A", 0, size), 0, 0},
		"by what hands out to many each day": {slices.Concat(fan("B", -5*day, 40_000), fan("B", -4*day, 40_000), fan("B", -3*day, 40_000), fan("B", -2*day, 40_000),
			[]session{{"A", "B", 0, size}}, []session{{"B", "10.0.2.1", 700, size}}), 0, 0},
		"a mirror of a mirror": {slices.Concat(daily("A", "B", 0, 9*size), daily("B", "C", 3600, 9*size), []session{{"A", "B", 0, size}, {"B", "C", 3600, size}}), 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var moved []*model.Transfer
			for d := model.Time(-5); d < 0; d++ {
				for _, from := range []string{"A", "B", "C", "D", "E", "F"} {
					n := int64(1000)
					moved = append(moved, &model.Transfer{ID: fmt.Sprint("doc-", from, d), Channel: "smb2", Share: `\\fs\Team`, Name: "a.txt", Path: "a.txt", Type: "text", Size: &n, Source: model.Endpoint{Host: from}, Destination: model.Endpoint{Host: "fs"},
						Operation: model.Push, Initiator: model.BySource, Status: model.Done, Completeness: model.Whole, Scope: model.ScopeInternal, Start: begin + d*Window, End: begin + d*Window})
				}
			}
			for i, s := range c.sessions {
				start := begin + s.at*1e9
				moved = append(moved, &model.Transfer{ID: fmt.Sprint("t-", i), Channel: "ssh", Source: model.Endpoint{Host: s.from}, Destination: model.Endpoint{Host: s.to}, Operation: model.Push, Initiator: model.BySource,
					Status: model.Done, Completeness: model.Opaque, Confidence: "medium", Scope: model.ScopeInternal, Start: start, End: start + 2e9,
					Estimate: &model.Estimate{Size: s.size, Low: s.size * 97 / 100, High: s.size * 101 / 100}, Evidence: []model.Evidence{{Input: "conn.log", Line: i + 1}}})
			}
			nats, hosts := 0.0, 0
			for _, f := range Look(moved, nil, nil, Settings{}).Findings {
				for _, r := range f.Reasons {
					if r.Analytic == "opaque-relay" && r.Nats > 0 {
						nats, hosts = r.Nats, len(f.Hosts)
					}
				}
			}
			if nats != c.nats || hosts != c.hosts {
				t.Errorf("%v nats of %d hosts instead of %v of %d", nats, hosts, c.nats, c.hosts)
			}
		})
	}
}
