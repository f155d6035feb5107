package prevent

import (
	"fmt"
	"strings"
	"testing"

	"waybill/internal/identity"
	"waybill/internal/model"
)

// week is so many days on which four workstations write to a file server; on the last one
// copies a program to another one, which is a finding.
func week(days int) *model.Records {
	r := &model.Records{}
	add := func(at model.Time, from, to model.Endpoint) *model.Transfer {
		t := &model.Transfer{ID: fmt.Sprintf("t-%03d", len(r.Transfers)), Start: at, End: at, Source: from, Destination: to, Initiator: model.BySource,
			Channel: "smb2", Status: model.Done, Scope: model.ScopeInternal, Name: "tool.exe"}
		r.Transfers = append(r.Transfers, t)
		return t
	}
	ws, fs := endpoints("ws", identity.RoleWorkstation, 4, 1), endpoints("fs", identity.RoleFileServer, 1, 1<<16)
	for d := range days {
		for i := range ws {
			add(monday+model.Time(d)*oneDay+model.Time(i)*3600e9, ws[i], fs[0])
		}
	}
	bad := add(monday+model.Time(days-1)*oneDay+12*3600e9, ws[0], ws[1])
	r.Findings = []*model.Finding{{ID: "f-1", Time: bad.End, Title: "a tool", Severity: model.High, Score: 16, Transfers: []string{bad.ID}}}
	return r
}

func TestRolling(t *testing.T) {
	r := week(4)
	all, err := Replay(Moves(r), r, LearnOptions{})
	if err != nil || len(all) != 5 {
		t.Fatalf("%d records, %v", len(all), err)
	}
	for i, day := range all[:4] {
		if day.Form != model.Rolling || day.Label != "" || day.LearnedDays != i || day.Rules > 0 != (i > 0) {
			t.Errorf("day %d: %+v", i, day)
		}
		if want := (model.Verdicts{Passed: 4}); i > 0 && day.Legitimate != want {
			t.Errorf("day %d: %+v", i, day.Legitimate)
		}
	}
	if all[0].LearnedOnly != 4 || all[0].Legitimate.All() != 0 {
		t.Errorf("the first day is replayed: %+v", all[0])
	}
	if total := all[4]; total.Fates[model.FateBlocked] != 1 || total.Hosts != 1 || total.Reached != 0 || total.Legitimate.Blocked != 0 {
		t.Errorf("%+v", total)
	}
}

// What a day is replayed by is what the days before it taught, and nothing of itself: whoever
// turns up on the last day only is a candidate on it.
func TestNothingOfTheDayItself(t *testing.T) {
	r := week(4)
	late := *r.Transfers[len(r.Transfers)-2]
	late.ID, late.Source = "t-late", endpoints("fs", identity.RoleFileServer, 2, 1<<17)[1]
	r.Transfers = append(r.Transfers, &late)
	all, err := Replay(Moves(r), r, LearnOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if day := all[3]; day.Legitimate.Passed != 4 || day.Legitimate.Candidates+day.Legitimate.NotJudged != 1 {
		t.Errorf("%+v", day.Legitimate)
	}
}

func TestNotTestable(t *testing.T) {
	for _, c := range []struct {
		name string
		cut  func(*model.Records)
		form string
	}{
		{"one day", func(r *model.Records) { *r = *week(1) }, model.InPlace},
		{"an evening and a morning", func(r *model.Records) {
			*r = *week(2)
			for i, x := range r.Transfers {
				x.Start = monday + oneDay + model.Time(i-4)*3600e9
				x.End = x.Start
			}
		}, model.InPlace},
		{"two days", func(r *model.Records) { *r = *week(2) }, model.Rolling},
		{"nothing", func(r *model.Records) { *r = model.Records{} }, model.InPlace},
	} {
		r := &model.Records{}
		c.cut(r)
		all, err := Replay(Moves(r), r, LearnOptions{})
		if err != nil || len(all) == 0 {
			t.Errorf("%s: %d records, %v", c.name, len(all), err)
			continue
		}
		total := all[len(all)-1]
		if labelled := strings.HasPrefix(total.Label, "not testable"); total.Form != c.form || labelled != (c.form == model.InPlace) {
			t.Errorf("%s: form %s, label %q", c.name, total.Form, total.Label)
		}
	}
}

// A finding that is told days later keeps its moves from being learned, which nobody could
// have known then: the records say so until it is told.
func TestLeftOutLater(t *testing.T) {
	r := week(4)
	r.Findings[0].Transfers = []string{r.Transfers[0].ID}
	r.Findings[0].Time = monday + 2*oneDay + 3600e9
	all, err := Replay(Moves(r), r, LearnOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{0, 1, 1, 0} {
		if all[i].LeftOutLater != want {
			t.Errorf("day %d: %d moves left out by what came later, want %d", i, all[i].LeftOutLater, want)
		}
	}
}

func TestReplayPolicy(t *testing.T) {
	r := week(4)
	p := Learn(Moves(r), LearnOptions{})
	all, err := ReplayPolicy(p, Moves(r), r)
	if err != nil {
		t.Fatal(err)
	}
	if total := all[4]; total.Form != model.Given || !strings.Contains(total.Label, "learned from some of these days") || total.Legitimate.Passed != 16 || total.LearnedOnly != 0 {
		t.Errorf("%+v", total)
	}
	later := week(4)
	for _, x := range later.Transfers {
		x.Start, x.End = x.Start+30*oneDay, x.End+30*oneDay
	}
	if all, err = ReplayPolicy(p, Moves(later), later); err != nil || all[4].Label != "" {
		t.Errorf("%q, %v", all[4].Label, err)
	}
	if _, err := ReplayPolicy(&Policy{}, Moves(r), r); err == nil {
		t.Error("an empty policy is replayed")
	}
}

// A policy that keeps a role from its domain controllers is warned of though nothing of these
// inputs went there.
func TestBars(t *testing.T) {
	r := week(2)
	rules := func(p *Policy, action string) *Policy {
		p.Groups = append(p.Groups, Group{Name: "domain-controllers", Role: identity.RoleController, Hosts: []Host{{Name: "DC-1"}}})
		p.Rules = []Rule{{From: "workstations", To: "domain-controllers", Service: "smb", Action: action, Why: "a mistake"}}
		return p
	}
	for action, want := range map[string]string{Deny: "SYSVOL or NETLOGON reads from domain controllers, by a rule for SMB: workstations > domain-controllers", Allow: "", Candidate: ""} {
		all, err := ReplayPolicy(rules(Learn(Moves(r), LearnOptions{}), action), Moves(r), r)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(all[len(all)-1].Warnings, "; "); got != want {
			t.Errorf("%s: %q", action, got)
		}
	}
}
