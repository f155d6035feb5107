package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"waybill/internal/model"
)

func replays() []*model.Replay {
	at := &model.Sample{Time: 1_772_495_999e9, Client: "WS-1", Server: "WS-2", What: `ADMIN$\a.exe`, User: `CORP\adm`, Transfer: "t-1"}
	return []*model.Replay{
		{Kind: "replay", Day: "2026-03-02", Form: model.Rolling, LearnedOnly: 1200},
		{Kind: "replay", Day: "2026-03-03", Form: model.Rolling, LearnedDays: 1, Legitimate: model.Verdicts{Passed: 90, Blocked: 1, Candidates: 2, NotJudged: 3},
			Fates: map[string]int{model.FateBlocked: 1}, Hosts: 4, Reached: 1,
			Findings: []model.Fate{{Finding: "f-1", Title: "a tool\x1b[2J spreads", Severity: model.High, Outcome: model.FateBlocked, At: at, By: "workstations > workstations over smb", Why: "never seen",
				Hosts: 4, Reached: 1, Spared: []string{"WS-2", "WS-3", "WS-4"}, AnotherWay: 1, UnknownParents: 1, CallsBlocked: 2, Sealed: 1,
				Detected: &model.Detection{By: "sha256 of f-0", Host: "WS-2", LaterTransfers: 2, LaterStarts: 1}}}},
		{Kind: "replay", Form: model.Rolling, Warnings: []string{"backup: 1 time, BKP to WS-1"}, StrictWarnings: []string{"a known distributor: 2 times"},
			Legitimate: model.Verdicts{Passed: 90, Blocked: 1, Candidates: 2, NotJudged: 3}, NotJudged: map[string]int{"unknown host": 3},
			Fates: map[string]int{model.FateBlocked: 1}, Hosts: 4, Reached: 1,
			Blocked: []model.Broken{{From: "workstations", To: "servers", Service: "smb", Why: "never seen", Transfers: 1, Pairs: 1, Examples: []model.Sample{*at}}}},
	}
}

func TestReplay(t *testing.T) {
	var out bytes.Buffer
	if err := Replay(&out, replays()); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	if first, _, _ := strings.Cut(text, "\n"); first != "WARNING: these rules block backup: 1 time, BKP to WS-1" {
		t.Errorf("the first line is %q", first)
	}
	for _, want := range []string{
		"warning: with --strict they block a known distributor: 2 times\n",
		"1,200 transfers only learned from",
		"2026-03-03", "1 (0) of 4",
		"blocked       HIGH  ",
		`2026-03-02 23:59:59  WS-1 > WS-2  ADMIN$\a.exe  by CORP\adm, by workstations > workstations over smb: never seen`,
		"1 of 4 hosts reached, 0 with --strict; not WS-2, WS-3, WS-4",
		"1 host would have had the file by another way",
		"of 1 host nobody knows where the file came from",
		"2 calls that went with it would have been blocked",
		"shown, not blocked, by sha256 of f-0 when WS-2 had the file: 2 transfers and 1 start came later",
		"1 transfer of known content went encrypted",
		"Everyday transfers that would have been blocked: 1",
		"workstations > servers over smb: 1 transfer of 1 pair; never seen",
		"Not judged: 3 transfers\n  3: unknown host",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if strings.Contains(text, "\x1b") {
		t.Errorf("a title reaches the terminal as it is: %q", text)
	}
}

func TestReplayNDJSON(t *testing.T) {
	var out bytes.Buffer
	if err := ReplayNDJSON(&out, replays()); err != nil {
		t.Fatal(err)
	}
	all := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(all) != 3 {
		t.Fatalf("%d lines", len(all))
	}
	for i, line := range all {
		var r struct{ Kind, Day string }
		if err := json.Unmarshal([]byte(line), &r); err != nil || r.Kind != "replay" || r.Day == "" != (i == 2) {
			t.Errorf("%s: %v", line, err)
		}
	}
}
