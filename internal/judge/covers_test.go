package judge

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"waybill/internal/history"
	"waybill/internal/model"
)

// markedAttack is the mark of attack's finding, with what it covers.
func markedAttack(verdict string) history.Mark {
	m := history.NewMemory()
	v, _ := judged(Settings{Withheld: func(_ *model.Transfer, h history.Held) { m.Hold(h) }})
	id := v.Findings[0].ID
	m.Mark(history.Mark{ID: id, Verdict: verdict, Reason: "case 12", Until: begin + 30*Window})
	mark, _ := m.MarkOf(id)
	return mark
}

// nextNight is the same work the day after, with other hosts and another content.
func nextNight(change func(*model.Transfer)) []*model.Transfer {
	all := attack()
	for i, t := range all {
		t.ID, t.Destination.Host, t.SHA256 = fmt.Sprintf("t-next-%d", i), fmt.Sprint("other-", i), strings.Repeat("cd", 32)
		t.Start, t.End = t.Start+Window, t.End+Window
		t.Executed[0].Time += Window
		change(t)
	}
	return all
}

// A benign mark of a finding covers the same work with any hosts until it ends, and nothing
// else: another giver, account, kind or start rises as before, and so does what is wrong
// beside the work.
func TestCovered(t *testing.T) {
	mark := markedAttack(history.Benign)
	if len(mark.Covers) != 1 {
		t.Fatalf("%+v", mark.Covers)
	}
	malicious := history.Mark{ID: "f-bad", Verdict: history.Malicious, Reason: "case 13", Until: begin + 9*Window, Covers: []history.Work{{Content: contentKey(t, strings.Repeat("cd", 32))}}}
	for name, c := range map[string]struct {
		change func(*model.Transfer)
		more   []history.Mark
		quiet  bool
	}{
		"the same":             {func(*model.Transfer) {}, nil, true},
		"not started":          {func(t *model.Transfer) { t.Executed = nil }, nil, true},
		"another number":       {func(t *model.Transfer) { t.Name, t.Path = "tool.exe", `temp\TOOL.exe` }, nil, true},
		"another giver":        {func(t *model.Transfer) { t.Source.Host = "ws-2" }, nil, false},
		"another account":      {func(t *model.Transfer) { t.User = "ben" }, nil, false},
		"no account":           {func(t *model.Transfer) { t.User = "" }, nil, false},
		"another name":         {func(t *model.Transfer) { t.Name, t.Path = "agent.exe", `Temp\agent.exe` }, nil, false},
		"another place":        {func(t *model.Transfer) { t.Path = `System32\tool.exe` }, nil, false},
		"another way":          {func(t *model.Transfer) { t.Channel = "ssh" }, nil, false},
		"started by WMI":       {func(t *model.Transfer) { t.Executed[0].How = "wmi" }, nil, false},
		"one of three differs": {func(t *model.Transfer) { t.User = map[string]string{"t-next-1": "ben"}[t.ID] + t.User }, nil, false},
		"when it has ended": {func(t *model.Transfer) {
			t.Start, t.End = t.Start+40*Window, t.End+40*Window
			t.Executed[0].Time += 40 * Window
		}, nil, false},
		"a content of malice": {func(*model.Transfer) {}, []history.Mark{malicious}, false},
		"a renamed program": {func(t *model.Transfer) {
			t.OriginalName, t.Name, t.Path = "mimikatz.exe", "tool.exe", `Temp\tool.exe`
		}, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			all := nextNight(c.change)
			findings := Look(all, nil, nil, Settings{Marks: append([]history.Mark{mark}, c.more...)}).Findings
			quiet := !slices.ContainsFunc(findings, func(f *model.Finding) bool { return f.Severity >= model.Medium })
			if len(findings) == 0 || quiet != c.quiet {
				t.Fatalf("%d findings, %v", len(findings), findings[0].Reasons)
			}
			said := slices.ContainsFunc(findings[0].Reasons, func(r model.Reason) bool {
				return strings.Contains(r.Text, `the same work (windows\temp\tool.exe from ws-1 as anna) as `+mark.ID+" is marked benign until 2026-04-16") && strings.HasSuffix(r.Text, "case 12")
			})
			if said != c.quiet && len(all[0].Executed) > 0 {
				t.Errorf("the mark is named: %v: %v", said, findings[0].Reasons)
			}
		})
	}
}

// contentKey is the key of a content.
func contentKey(t *testing.T, sum string) string {
	all := nextNight(func(t *model.Transfer) { t.SHA256 = sum })
	for _, f := range Look(all, nil, nil, Settings{}).Findings {
		return f.Artifacts[0]
	}
	t.Fatal("no finding")
	return ""
}

// Beside the work a mark leaves what else is wrong.
func TestEverydayReasons(t *testing.T) {
	why := []model.Reason{{Family: "execution", Analytic: "remote-start", Nats: 6}, {Family: "channel", Analytic: "admin-share-write", Nats: 5}, {Family: "spread", Analytic: "same-file-many-hosts", Nats: 1},
		{Family: "spread", Analytic: "relay", Nats: 4}, {Family: "file", Analytic: "disguise", Nats: 3}, {Family: "file", Analytic: "rare-file", Nats: 0.25}, {Family: "identity", Analytic: "unknown-hardware", Nats: 2}, {Family: "mark", Analytic: "mark", Nats: 3}}
	if got := everyday(why); got != 12.25 {
		t.Errorf("%v", got)
	}
}

// A malicious mark raises its content, whoever moves it, and what its giver hands out next.
func TestMaliciousMarkRaises(t *testing.T) {
	mark := markedAttack(history.Malicious)
	for name, c := range map[string]struct {
		change func(*model.Transfer)
		nats   float64
		known  bool
	}{
		"its content, from another": {func(t *model.Transfer) { t.Source.Host, t.User, t.SHA256 = "ws-9", "ben", strings.Repeat("ab", 32) }, markedBad, true},
		"its giver":                 {func(t *model.Transfer) { t.User, t.Path, t.Name = "ben", `Temp\other.exe`, "other.exe" }, markedGiver, false},
		"another of both":           {func(t *model.Transfer) { t.Source.Host = "ws-9" }, 0, false},
	} {
		all := func() []*model.Transfer { return nextNight(c.change)[:1] }
		before := Look(all(), nil, nil, Settings{}).Findings
		after := Look(all(), nil, nil, Settings{Marks: []history.Mark{mark}}).Findings
		if len(before) != 1 || len(after) != 1 || after[0].Score-before[0].Score != c.nats || after[0].Known != c.known {
			t.Errorf("%s: %v, before %v", name, after[0].Reasons, before[0].Reasons)
		}
	}
}
