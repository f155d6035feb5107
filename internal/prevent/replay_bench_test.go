package prevent

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"waybill/internal/identity"
	"waybill/internal/model"
)

// BenchmarkReplay learns from and replays a million transfers of 10,000 hosts, rolling over ten
// days: nine of ten go between workstations and their file server, the rest from two
// distributors, to printers and between workstations; each hundredth host has a finding.
func BenchmarkReplay(b *testing.B) {
	for _, days := range []int{2, 10, 30} {
		b.Run(fmt.Sprintf("days=%d", days), func(b *testing.B) {
			r := company(1_000_000, 10_000, days)
			moves := Moves(r)
			b.ReportAllocs()
			for b.Loop() {
				all, err := Replay(moves, r, LearnOptions{})
				if err != nil || len(all) != days+1 {
					b.Fatalf("%d records, %v", len(all), err)
				}
			}
			b.ReportMetric(float64(len(moves))*float64(b.N)/b.Elapsed().Seconds(), "moves/s")
		})
	}
}

// company makes so many transfers of so many hosts, evenly over some days.
func company(transfers, hosts, days int) *model.Records {
	rng := rand.New(rand.NewPCG(7, uint64(days)))
	clients := endpoints("ws", identity.RoleWorkstation, hosts, 1<<16)
	servers := endpoints("fs", identity.RoleFileServer, max(1, hosts/100), 1<<24)
	dist := endpoints("sccm", identity.RoleDeployment, 2, 1<<25)
	r := &model.Records{}
	step := model.Time(days) * oneDay / model.Time(transfers)
	for i := range transfers {
		k := rng.IntN(hosts)
		at := monday + model.Time(i)*step
		t := &model.Transfer{ID: fmt.Sprintf("t-%07d", i), Start: at, End: at + 1e6, Channel: "smb2", Status: model.Done, Scope: model.ScopeInternal,
			Initiator: model.BySource, Source: clients[k], Destination: servers[k%len(servers)], Share: `\\fs\home`, Name: "report.docx", User: "anna"}
		switch n := rng.IntN(1000); {
		case n < 50:
			t.Source, t.Destination, t.Share = dist[k%2], clients[k], `\\ws\ADMIN$`
		case n < 60:
			t.Destination = clients[rng.IntN(hosts)]
		case n < 500:
			t.Source, t.Destination, t.Initiator = t.Destination, t.Source, model.ByDestination
		}
		if i%(transfers/100) == 0 {
			t.Destination = clients[(k+1)%hosts]
			r.Findings = append(r.Findings, &model.Finding{ID: "f-" + t.ID, Time: at, Severity: model.Medium, Score: 12, Transfers: []string{t.ID}})
		}
		r.Transfers = append(r.Transfers, t)
	}
	return r
}

func endpoints(name, role string, n, from int) (out []model.Endpoint) {
	for i := range n {
		a := from + i
		out = append(out, model.Endpoint{Host: fmt.Sprintf("%s%05d.corp.example", name, i), Role: role, IP: model.Addr{10: 0xff, 11: 0xff, 12: 10, 13: byte(a >> 16), 14: byte(a >> 8), 15: byte(a)}})
	}
	return out
}
