package incident

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"waybill/internal/judge"
	"waybill/internal/model"
)

func only1(t *testing.T, in Input) *model.Incident {
	t.Helper()
	all := Chain(in)
	if len(all) != 1 {
		t.Fatalf("%d incidents instead of one", len(all))
	}
	return all[0]
}

func texts(all []model.Happening) (out []string) {
	for _, h := range all {
		out = append(out, clock(h.Time, h.Time)+" "+h.Text)
	}
	return out
}

// TestNarrative: a story of two hops, as it is told.
func TestNarrative(t *testing.T) {
	m := time.Minute
	in := world(
		deed{id: "A", score: 11, from: "FS", to: "W1", pull: true, content: "a-1", name: "party.jpg", account: `C\eve`},
		deed{id: "B", at: 2 * m, score: 16, from: "W1", to: "W2", content: "a-1", account: `C\eve`, started: true},
		deed{id: "C", at: 30 * m, score: 12, from: "W2", to: "W3", content: "a-1", account: `C\eve`, status: model.Denied},
		deed{id: "D", at: 40 * m, score: 12, from: "W2", to: "W4", content: "a-1", account: `C\eve`, status: model.Claimed})
	in.Accesses = []*model.Access{
		{ID: "x1", What: "network-write", Time: origin + 5*60e9, Destination: model.Endpoint{Host: "w2"}, Source: model.Endpoint{Host: "W9"}, Command: `C:\Windows\Temp\TOOL.exe`, Object: `C:\x\loot.zip`},
		{ID: "x2", What: "network-write", Time: origin + 5*60e9, Destination: model.Endpoint{Host: "W2"}, Source: model.Endpoint{Host: "W9"}, Command: `C:\other.exe`, Object: `C:\x\cache`},
		{ID: "x3", What: "network-write", Time: origin, Destination: model.Endpoint{Host: "W2"}, Source: model.Endpoint{Host: "W9"}, Command: `C:\Windows\Temp\tool.exe`, Object: `C:\x\before`},
	}
	in.Transfers[1].Process, in.Transfers[1].Deleted = `C:\Windows\System32\cmd.exe`, &model.Deleted{Time: origin + 10*60e9}
	in.Transfers[1].Executed = append(in.Transfers[1].Executed, model.Execution{Time: origin + 3600e9, How: "task", User: `C\eve`})
	i := only1(t, in)
	want := []string{
		`09:00:00 W1 fetched party.jpg (18 KiB, a Windows program) from FS (ADMIN$\Temp) over SMB as C\eve`,
		`09:02:00 W1 passed on tool.exe (18 KiB, a Windows program), received 09:00:00 as party.jpg, to W2 (ADMIN$\Temp) over SMB as C\eve with cmd.exe; started there 09:02:03 as service "Svc"; deleted again 09:10:00`,
		`09:05:00 tool.exe on W2 wrote C:\x\loot.zip while it was connected to W9`,
		`09:30:00 W2 was refused tool.exe, W2 to W3 (ADMIN$\Temp) over SMB as C\eve`,
		`09:40:00 W2 passed on tool.exe, received 09:02:00, to W4 (ADMIN$\Temp) over SMB as C\eve (asked for; that it arrived is not shown)`,
		`10:00:00 tool.exe was started on W2 as a scheduled task by C\eve`,
	}
	if got := texts(i.Narrative); !slices.Equal(got, want) {
		t.Errorf("%s\ninstead of\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if !slices.Equal(i.Techniques, []string{"T1570"}) || i.EarliestVisible != "FS" || i.Start != origin || i.End != origin+3600e9 {
		t.Errorf("%+v", i)
	}
}

// TestNoTransfer: what a finding without transfers says is its title.
func TestNoTransfer(t *testing.T) {
	in := world(deed{id: "A", score: 11, from: "W1", to: "W2"})
	in.Transfers = nil
	if i := only1(t, in); !slices.Equal(texts(i.Narrative), []string{"09:00:00 A title"}) || len(i.ActFirst) != 0 {
		t.Errorf("%+v", i)
	}
}

// TestDomain: the domain that most hosts are of is left out of the story.
func TestDomain(t *testing.T) {
	in := world(deed{id: "A", score: 11, from: "W1.corp.example", to: "W2.Corp.Example W3.other.example"})
	got := texts(only1(t, in).Narrative)
	if !strings.HasPrefix(got[0], "09:00:00 W1 copied tool.exe") || !strings.Contains(got[0], "to W2 (") || !strings.Contains(got[1], "to W3.other.example (") {
		t.Errorf("%q", got)
	}
}

// TestOtherDeeds: what is no copy from one known host to another.
func TestOtherDeeds(t *testing.T) {
	estimate := &model.Estimate{Size: 1 << 20}
	server := model.Endpoint{Host: "SRV"}
	cases := []struct {
		want   string
		change func(*model.Transfer)
	}{
		{"tool.exe (18 KiB, a Windows program) was on W2 (ADMIN$\\Temp) by then; where it came from is not shown over SMB",
			func(t *model.Transfer) { t.Source, t.Completeness = model.Endpoint{}, model.Inferred }},
		{"tool.exe (18 KiB, a Windows program) was on W2 (ADMIN$\\Temp) by then, most likely from W1 over SMB",
			func(t *model.Transfer) { t.Completeness = model.Inferred }},
		{"W1 sent about 1.0 MiB, encrypted to W2 over SSH",
			func(t *model.Transfer) {
				t.Completeness, t.Channel, t.Estimate, t.Name = model.Opaque, "ssh", estimate, ""
			}},
		{"SRV had tool.exe (18 KiB, a Windows program) copied from W1 to W2 (ADMIN$\\Temp) over SMB",
			func(t *model.Transfer) { t.Operation, t.Initiator, t.Client = model.Copy, model.ByOther, &server }},
		{"W1 copied tool.exe (18 KiB, a Windows program) to W2 (ADMIN$\\Temp) over SMB (not all of it was seen)",
			func(t *model.Transfer) { t.Completeness = model.Partial }},
		{"W1 copied tool.exe to W2 (/tmp) over FTP with scp (broken off)",
			func(t *model.Transfer) {
				t.Channel, t.Path, t.Share, t.Type, t.Size, t.Tool, t.Status = "ftp", "/tmp/tool.exe", "", "", nil, "scp", model.Interrupted
			}},
	}
	for _, c := range cases {
		in := world(deed{id: "A", score: 11, from: "W1", to: "W2"})
		c.change(in.Transfers[0])
		if got := only1(t, in).Narrative[0].Text; got != c.want {
			t.Errorf("%q\ninstead of\n%q", got, c.want)
		}
	}
}

// TestFold: many similar steps are told as one, of other hosts and of other files.
func TestFold(t *testing.T) {
	var hosts []string
	for i := range 14 {
		hosts = append(hosts, fmt.Sprintf("W%02d", i))
	}
	i := only1(t, world(deed{id: "A", score: 11, from: "X", to: strings.Join(hosts, " "), content: "a-1", started: true}))
	if got := texts(i.Narrative); len(got) != 2 || got[1] != "09:01:00 tool.exe went the same way to 13 more hosts (W01, W02, W03, W04, ...), until 09:13:01; started 13 times" {
		t.Errorf("%q", got)
	}
	var deeds []deed
	for i := range 6 { // who fetch it do so hours apart, and each under an own account
		deeds = append(deeds, deed{id: fmt.Sprintf("P%d", i), at: time.Duration(i) * 2 * time.Hour, score: 11, from: "FS", to: fmt.Sprintf("W%d", i), pull: true, content: "a-1", account: fmt.Sprintf(`D\u%d`, i)})
	}
	if got := texts(only1(t, world(deeds...)).Narrative); len(got) != 2 || got[1] != "11:00:00 tool.exe went the same way to 5 more hosts (W1, W2, W3, W4, ...), until 19:00:01" {
		t.Errorf("%q", got)
	}
	deeds = nil
	for i := range 9 {
		deeds = append(deeds, deed{id: fmt.Sprintf("A%d", i), at: time.Duration(i) * time.Minute, score: 11, from: "X", to: "W1", content: fmt.Sprintf("a-%d", i), name: fmt.Sprintf("f%d.exe", i)})
	}
	if got := texts(only1(t, world(deeds...)).Narrative); len(got) != 2 || got[1] != "09:01:00 from X to W1 the same way 8 more files (f1.exe, f2.exe, f3.exe, f4.exe, ...), until 09:08:01" {
		t.Errorf("%q", got)
	}
}

// TestBound: however much happens, the story has its bound, and says what it leaves out.
func TestBound(t *testing.T) {
	var deeds []deed
	for i := range 200 {
		deeds = append(deeds, deed{id: fmt.Sprintf("A%03d", i), at: time.Duration(i) * 2 * time.Hour, score: 11, from: fmt.Sprintf("W%d", i), to: fmt.Sprintf("W%d", i+1), content: fmt.Sprintf("a-%d", i)})
	}
	got := texts(only1(t, world(deeds...)).Narrative)
	if len(got) != maxSteps || !strings.HasSuffix(got[firstSteps], "... 161 further steps; the transfers of the findings have them") || !strings.Contains(got[maxSteps-1], "W199 passed") && !strings.Contains(got[maxSteps-1], "W199 copied") {
		t.Errorf("%d steps: %q ... %q", len(got), got[firstSteps], got[len(got)-1])
	}
}

// TestEarliest: the first holder is a lead; one of long before is none.
func TestEarliest(t *testing.T) {
	in := world(deed{id: "A", score: 11, from: "W1", to: "W2", content: "a-1"})
	listed := func(host string, before time.Duration) {
		in.Artifacts[0].Sightings = append(in.Artifacts[0].Sightings, model.Sighting{Host: host, How: "listed", Time: origin - model.Time(before)})
	}
	listed("OLD", 30*24*time.Hour)
	in.Artifacts[0].Sightings = append(in.Artifacts[0].Sightings, model.Sighting{Host: "UNKNOWN-TIME", How: "listed"})
	if got := only1(t, in).EarliestVisible; got != "W1" {
		t.Errorf("%q", got)
	}
	listed("W0", time.Hour)
	if got := only1(t, in).EarliestVisible; got != "W0" {
		t.Errorf("%q", got)
	}
	in.Artifacts = nil
	if got := only1(t, in).EarliestVisible; got != "W1" {
		t.Errorf("%q", got)
	}
	// The clock of who got it is some seconds behind; nobody had it before who gave it.
	in = world(deed{id: "A", score: 11, from: "W1", to: "W2", content: "a-1"})
	for i := range in.Artifacts[0].Sightings {
		if s := &in.Artifacts[0].Sightings[i]; s.Host == "W2" {
			s.Time -= 4e9
		}
	}
	if got := only1(t, in).EarliestVisible; got != "W1" {
		t.Errorf("%q had it first, as one clock says", got)
	}
}

func targets(i *model.Incident) (out []string) {
	for _, t := range i.ActFirst {
		out = append(out, t.Host+" "+t.Why)
	}
	return out
}

// TestActFirst: relays before hosts where it ran before holders, the latest first.
func TestActFirst(t *testing.T) {
	m := time.Minute
	in := world(
		deed{id: "A", score: 11, from: "FS", to: "W1", pull: true, content: "a-1"},
		deed{id: "B", at: 2 * m, score: 16, from: "W1", to: "W2 W3", content: "a-1", started: true},
		deed{id: "C", at: 30 * m, score: 12, from: "W2", to: "W4", content: "a-1"},
		deed{id: "D", at: 31 * m, score: 12, from: "W2", to: "W5", content: "a-1", status: model.Denied},
		deed{id: "E", at: 40 * m, score: 12, from: "OUT", to: "W2", content: "a-9", pull: true})
	for _, x := range in.Transfers {
		if x.Source.Host == "OUT" {
			x.Scope = model.ScopeInbound
		}
		if x.Destination.Host == "W3" {
			x.Destination.Role = "server"
		}
	}
	want := []string{
		"W2 relay: received 09:02:00, then passed on tool.exe 09:30:00",
		"W1 relay: received 09:00:00, then passed files on 2 times, last tool.exe 09:03:00",
		"W3 ran tool.exe, started 09:03:03",
		"W4 holder: received tool.exe 09:30:01",
		"FS holder: tool.exe was fetched from it, last 09:00:00",
	}
	i := only1(t, in)
	if got := targets(i); !slices.Equal(got, want) {
		t.Errorf("%s\ninstead of\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if i.ActFirst[2].Role != "server" {
		t.Error("the role is missing")
	}
}

// TestRelay: who received something after it sent something else is no relay; and what
// ran is named, not what came first.
func TestRelay(t *testing.T) {
	m := time.Minute
	in := world(deed{id: "A", score: 11, from: "W1", to: "W2", content: "a-1", name: "a.exe"}, deed{id: "B", at: m, score: 11, from: "W1", to: "W2", content: "a-2", name: "b.exe", started: true},
		deed{id: "C", at: 2 * m, score: 11, from: "W3", to: "W1", content: "a-1", name: "a.exe"})
	want := []string{"W3 sent a.exe 09:02:00", "W1 sent files 2 times, last b.exe 09:01:00", "W2 ran b.exe, started 09:01:03"}
	if got := targets(only1(t, in)); !slices.Equal(got, want) {
		t.Errorf("%s\ninstead of\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestContext: what the host at work fetched in a weak finding is listed and not told;
// what it sent in one is told.
func TestContext(t *testing.T) {
	m := time.Minute
	i := only1(t, world(deed{id: "A", score: 11, from: "W1", to: "W2"}, deed{id: "B", at: m, score: 4, from: "FS", to: "W1", pull: true, name: "app.exe"}, deed{id: "C", at: 2 * m, score: 6, from: "W1", to: "W5"}))
	if got := texts(i.Narrative); len(i.Findings) != 3 || len(got) != 2 || strings.Contains(strings.Join(got, ""), "app.exe") {
		t.Errorf("%q, %q", i.Findings, got)
	}
}

// TestCollectNext: what is asked for first is what could change the score most, and
// what is there is not asked for.
func TestCollectNext(t *testing.T) {
	in := world(deed{id: "A", score: 11, from: "W1", to: "W2 W3", content: "a-1"})
	in.Findings[0].Missing = []string{judge.NoHistory}
	in.Findings[0].Reasons = []model.Reason{{Family: "channel", Analytic: "admin-share-write", Nats: 5}, {Family: "execution", Analytic: "executor-match", Nats: 4}, {Family: "file", Analytic: "x", Nats: 2}}
	in.Transfers[0].Completeness = model.Logged
	want := []string{
		"a history of what is usual here (--history): could add 4.5 nats (new-edge), or take away up to 6 where it shows that this is everyday life",
		"logs and packets of W1 from before, to see how it came there: could add 4.0 nats (relay)",
		"process start logs (Sysmon 1, Security 4688, auditd) of W2, W3: could add 3.0 nats (remote-start)",
		"process start logs (Sysmon 1, Security 4688, auditd) of W1, to see what moved it: could add 2.0 nats (transfer-utility)",
		"the file itself, or packets, of W2: its content is not known: could add 1.5 nats (disguise)",
	}
	if got := only1(t, in).CollectNext; !slices.Equal(got, want) {
		t.Errorf("%s\ninstead of\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	in.StartsLogged = map[string]bool{"w1": true, "w2": true, "w3": true}
	in.Findings[0].Missing = nil
	if got := only1(t, in).CollectNext; !slices.Equal(got, []string{want[1], want[4]}) {
		t.Errorf("%q", got)
	}
	in.Transfers[0].Source, in.Transfers[0].Completeness = model.Endpoint{}, model.Inferred
	in.Transfers[1].Completeness = model.Opaque
	in.Findings[0].Reasons = in.Findings[0].Reasons[1:]
	got := strings.Join(only1(t, in).CollectNext, "\n")
	for _, w := range []string{"share audit (5145) of W2, to see who wrote it there: could add 5.0", "encrypted exchanges with W3, or the file itself: could add 1.5"} {
		if !strings.Contains(got, w) {
			t.Errorf("no %q in\n%s", w, got)
		}
	}
	// Who wrote it would also tell whether it was the one who started it.
	in.Findings[0].Reasons = []model.Reason{{Family: "channel", Analytic: "admin-share-write", Nats: 5}}
	if got := strings.Join(only1(t, in).CollectNext, "\n"); !strings.Contains(got, "to see who wrote it there: could add 4.0 nats (executor-match)") {
		t.Errorf("%s", got)
	}
	// What a weaker finding could gain counts beyond the strongest one.
	in = world(deed{id: "A", score: 16, from: "W1", to: "W2", content: "a-1"}, deed{id: "B", at: time.Hour, score: 15, from: "W1", to: "W8", content: "a-2"})
	in.Findings[0].Missing, in.Findings[1].Missing = []string{judge.NoHistory}, []string{judge.NoHistory}
	got = strings.Join(only1(t, in).CollectNext, "\n")
	for _, w := range []string{"auditd) of W2: could add 6.0", "auditd) of W8: could add 5.0", "(--history): could add 4.5"} {
		if !strings.Contains(got, w) {
			t.Errorf("no %q in\n%s", w, got)
		}
	}
	if strings.Count(got, "--history") != 1 {
		t.Errorf("%s", got)
	}
}
