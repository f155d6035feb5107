package triage

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"waybill/internal/model"
)

const noon = model.Time(1_773_748_800e9) // 2026-03-17 12:00:00 UTC
const aDay = model.Time(24 * 3600e9)

func finding(id string, score float64, at model.Time) *model.Finding {
	return &model.Finding{ID: id, Score: score, Severity: model.SeverityOf(score), Time: at, Start: at}
}

// order names the findings of a day by rank.
func order(all []*model.Finding, of model.Time) string {
	var out []*model.Finding
	for _, f := range all {
		if f.Rank > 0 && f.Time/aDay == of/aDay {
			out = append(out, f)
		}
	}
	slices.SortFunc(out, func(a, b *model.Finding) int { return a.Rank - b.Rank })
	var ids []string
	for i, f := range out {
		if f.Rank != i+1 {
			return fmt.Sprintf("rank %d at place %d", f.Rank, i+1)
		}
		ids = append(ids, f.ID)
	}
	return strings.Join(ids, " ")
}

func TestRank(t *testing.T) {
	known, hidden := finding("known", 2, noon), finding("hidden", 20, noon)
	known.Known, hidden.Suppressed = true, &model.Suppressed{}
	all := []*model.Finding{finding("low", 7, noon), finding("b1", 12, noon), finding("a3", 16, noon), finding("a1", 19, noon), finding("a2", 18, noon),
		known, hidden, finding("b2", 11, noon+aDay), finding("a4", 15, noon+aDay), finding("a5", 14, noon+aDay), finding("late", 8, noon+aDay)}
	incidents := []*model.Incident{{ID: "i-a", Findings: []string{"a1", "a2", "a3", "a4", "a5"}}, {ID: "i-b", Findings: []string{"b1", "b2"}}}
	Rank(all, incidents)
	if got, want := order(all, noon), "known a1 b1 a2 a3 low"; got != want {
		t.Errorf("%s instead of %s: the strongest of each incident comes before further ones", got, want)
	}
	if got, want := order(all, noon+aDay), "a4 b2 a5 late"; got != want {
		t.Errorf("%s instead of %s", got, want)
	}
	if hidden.Rank != 0 {
		t.Error("what is suppressed has a place")
	}
}

// TestRankOrder: ranks do not depend on the order of what comes in.
func TestRankOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var all []*model.Finding
	i := &model.Incident{ID: "i"}
	for n := range 200 {
		all = append(all, finding(fmt.Sprint(n), float64(r.IntN(20)), noon+model.Time(r.IntN(5))*aDay))
		if n%3 == 0 {
			i.Findings = append(i.Findings, fmt.Sprint(n))
		}
	}
	Rank(all, []*model.Incident{i})
	want := map[string]int{}
	for _, f := range all {
		want[f.ID] = f.Rank
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	Rank(all, []*model.Incident{i})
	for _, f := range all {
		if f.Rank != want[f.ID] {
			t.Errorf("%s has rank %d and %d", f.ID, want[f.ID], f.Rank)
		}
	}
}

func until(day string) time.Time {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		panic(err)
	}
	return t
}

// sample is one finding of two transfers.
func sample() (*model.Finding, []*model.Transfer) {
	f := finding("f", 11, noon)
	f.Artifacts, f.Transfers = []string{"a-1"}, []string{"t-1", "t-2"}
	f.Reasons = []model.Reason{{Analytic: "admin-share-write", Nats: 5}, {Analytic: "remote-start", Nats: 6}, {Analytic: "distributor", Nats: -2}}
	t := model.Transfer{ID: "t-1", SHA256: "abcd", Name: "agent.exe", Share: `\\W1\ADMIN$`, Path: `ccmsetup\agent.exe`, Domain: "CORP", User: "svc",
		Source: model.Endpoint{Host: "DEPLOY.corp.example"}, Destination: model.Endpoint{Host: "W1.corp.example", IP: model.AddrOf(netip.MustParseAddr("10.0.0.1"))}}
	other := t
	other.ID, other.Name, other.EarlierNames, other.SHA256 = "t-2", "a.tmp", []string{"Agent.exe"}, ""
	other.Hashes = []model.Hash{{Alg: "sha256", Value: "abcd"}}
	return f, []*model.Transfer{&t, &other}
}

func TestSuppress(t *testing.T) {
	cases := []struct {
		about string
		s     Suppression
		hides bool
	}{
		{"name, also an earlier one", Suppression{Name: []string{"agent.*"}}, true},
		{"a name that only one of the transfers has", Suppression{Name: []string{"a.tmp"}}, false},
		{"one name of a list", Suppression{Name: []string{"x", "AGENT.EXE"}}, true},
		{"hash, computed or a log's word", Suppression{SHA256: []string{"abcd"}}, true},
		{"another hash", Suppression{SHA256: []string{"abce"}}, false},
		{"artifact", Suppression{Artifact: []string{"a-1"}}, true},
		{"another artifact", Suppression{Artifact: []string{"a-2"}}, false},
		{"path with its share", Suppression{Path: []string{`admin$\ccmsetup\*`}}, true},
		{"host by bare name", Suppression{Host: []string{"deploy"}}, true},
		{"host by address", Suppression{Host: []string{"10.0.0.*"}}, true},
		{"source", Suppression{Source: []string{"deploy.*"}}, true},
		{"the destination is no source", Suppression{Source: []string{"w1"}}, false},
		{"destination", Suppression{Destination: []string{"w?"}}, true},
		{"account", Suppression{Account: []string{`corp\svc`}}, true},
		{"account without domain", Suppression{Account: []string{`svc`}}, true},
		{"all that speaks against it", Suppression{Analytic: []string{"admin-share-write", "remote-*"}}, true},
		{"only a part of what speaks against it", Suppression{Analytic: []string{"admin-share-write"}}, false},
		{"all keys have to fit", Suppression{Name: []string{"agent.*"}, Source: []string{"other"}}, false},
	}
	for _, c := range cases {
		f, moves := sample()
		c.s.Reason, c.s.Until, c.s.Where = "why", until("2026-03-17"), "waybill.yaml:3"
		h := Suppress([]*model.Finding{f}, moves, []Suppression{c.s}, noon)
		if got := f.Suppressed != nil; got != c.hides {
			t.Errorf("%s: hidden %v", c.about, got)
		}
		if c.hides && h.Counts["findings suppressed by waybill.yaml:3 until 2026-03-17: why"] != 1 {
			t.Errorf("%s: counted as %v", c.about, h.Counts)
		}
	}
}

// TestExpiry: a suppression holds to the end of its last day, by the newest event.
func TestExpiry(t *testing.T) {
	s := []Suppression{{Name: []string{"agent.*"}, Reason: "why", Until: until("2026-03-17"), Where: "waybill.yaml:3"}}
	f, moves := sample()
	if Suppress([]*model.Finding{f}, moves, s, noon+aDay/2-1); f.Suppressed == nil || f.Suppressed.Reason != "why" {
		t.Error("not hidden in the last moment of the day")
	}
	f, moves = sample()
	h := Suppress([]*model.Finding{f}, moves, s, noon+aDay/2)
	if f.Suppressed != nil || len(h.Counts) > 0 || len(h.Notes) != 1 || !strings.Contains(h.Notes[0], "waybill.yaml:3: this suppression ended with 2026-03-17") || !strings.Contains(h.Notes[0], "it would hide 1: why") {
		t.Errorf("%v %+v", f.Suppressed, h)
	}
	f, moves = sample()
	f.Known = true
	if Suppress([]*model.Finding{f}, moves, s, noon); f.Suppressed != nil {
		t.Error("what the user knows is hidden")
	}
}
