package prevent

import (
	"testing"

	"waybill/internal/model"
)

func TestDecide(t *testing.T) {
	p, err := Read("p.yaml", []byte(small))
	if err != nil {
		t.Fatal(err)
	}
	p.Services = append(p.Services, Service{"ssh", []string{"tcp/22"}})
	p.Groups[0].Role = "workstation"
	p.Groups[1].Hosts = append(p.Groups[1].Hosts, Host{Name: "FS-2.corp.example"})
	p.Rules = append(p.Rules, Rule{From: AnyGroup, To: "ws", Service: "smb", Action: Deny, Why: "peers"}, Rule{From: "WS-1", To: "ws", Service: "smb", Action: Candidate})
	f := mustCompile(t, p)
	ws, fs := at("10.0.1.1", "ws-1", 50000), at("10.0.2.1", "FS-1", 445)
	stranger := at("10.7.7.7", "X", 445)
	newcomer := at("10.0.1.99", "WS-99", 445)
	newcomer.Role = "Workstation"
	nextYear := model.Time(1830000000e9) // 2027-12
	for _, c := range []struct {
		what           string
		client, server model.Endpoint
		service        string
		at             model.Time
		want           Outcome
		rule           int
	}{
		{"by name", ws, fs, "smb", 1, Allowed, 0},
		{"by address", at("10.0.1.1", "", 1), at("10.0.2.1", "", 445), "smb", 1, Allowed, 0},
		{"by network", at("10.0.1.1", "", 1), at("10.0.2.77", "NEW", 445), "smb", 1, Allowed, 0},
		{"name without domain", ws, at("10.0.9.9", "fs-2", 445), "smb", 1, Allowed, 0},
		{"name with domain", at("10.0.8.8", "WS-1.corp.example", 1), fs, "smb", 1, Allowed, 0},
		{"by role", newcomer, fs, "smb", 1, Allowed, 0},
		{"other service", ws, fs, "ssh", 1, Unseen, -1},
		{"back", fs, ws, "smb", 1, Denied, 1},
		{"a stranger to all", stranger, ws, "smb", 1, Denied, 1},
		{"a stranger's server", ws, stranger, "smb", 1, Unjudged, -1},
		{"management", at("10.9.0.5", "ADM", 1), ws, "rdp", 1, Allowed, -1},
		{"exception", ws, at("10.0.3.7", "", 445), "smb", 1, Allowed, -1},
		{"exception that is over", ws, at("10.0.3.7", "", 445), "smb", nextYear, Unjudged, -1},
		{"removable medium", ws, fs, "", 1, Unjudged, -1},
	} {
		d := f.Decide(&Move{Time: c.at, Client: c.client, Server: c.server, Service: c.service})
		rule := -1
		for i := range p.Rules {
			if d.Rule == &p.Rules[i] {
				rule = i
			}
		}
		if d.Outcome != c.want || rule != c.rule {
			t.Errorf("%s: %v by rule %d, want %v by %d (%s)", c.what, d.Outcome, rule, c.want, c.rule, d.Why)
		}
		if d.Rule == nil && d.Exception == nil && d.Why == "" {
			t.Errorf("%s: no reason", c.what)
		}
		if d.ByRole != (c.what == "by role") {
			t.Errorf("%s: by role is %v", c.what, d.ByRole)
		}
	}
}

func TestDecideDoesNotAllocate(t *testing.T) {
	moves := office(3)
	f := mustCompile(t, Learn(moves, LearnOptions{}))
	if n := testing.AllocsPerRun(10, func() {
		for i := range moves {
			f.Decide(&moves[i])
		}
	}); n != 0 {
		t.Errorf("%v allocations for %d moves", n, len(moves))
	}
}

func BenchmarkDecide(b *testing.B) {
	moves := office(3)
	f := mustCompile(b, Learn(moves, LearnOptions{}))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		f.Decide(&moves[i%len(moves)])
	}
}

func BenchmarkLearn(b *testing.B) {
	moves := office(30)
	b.ReportAllocs()
	for b.Loop() {
		l := NewLearner(LearnOptions{})
		for i := range moves {
			l.Add(&moves[i])
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(moves)), "ns/move")
}
