package judge

import (
	"fmt"
	"strings"
	"testing"

	"waybill/internal/history"
	"waybill/internal/model"
	"waybill/internal/spread"
)

// putAndStarted is a program that WS puts on a share of SRV, and one that PC starts from there.
func putAndStarted(change func(put, run *model.Transfer)) []*model.Transfer {
	put := logged("t-1", 0, func(t *model.Transfer) { t.Share, t.Path = "Pub", `Tools\a.exe` })
	run := logged("t-2", 600e9, func(t *model.Transfer) {
		t.Operation, t.Initiator, t.Source, t.Destination = model.Pull, model.ByDestination, model.Endpoint{Host: "SRV"}, model.Endpoint{Host: "PC"}
		t.Share, t.Path, t.User, t.Executed = "pub", `tools\A.exe`, "eve", []model.Execution{{Time: begin + 601e9, How: "process", Process: `\\SRV\pub\tools\A.exe`}}
	})
	change(put, run)
	return []*model.Transfer{put, run}
}

// TestSharedStart: what one puts on a share and another starts from there, and the
// look-alikes that say nothing.
func TestSharedStart(t *testing.T) {
	for name, c := range map[string]struct {
		change func(put, run *model.Transfer)
		want   bool
	}{
		"put and started":         {func(_, _ *model.Transfer) {}, true},
		"started by who put it":   {func(_, run *model.Transfer) { run.Destination.Host = "WS" }, false},
		"not started":             {func(_, run *model.Transfer) { run.Executed = nil }, false},
		"another one was started": {func(_, run *model.Transfer) { run.Path, run.Name = `tools\b.exe`, "b.exe" }, false},
		"of another share":        {func(_, run *model.Transfer) { run.Share = "Apps" }, false},
		"an installer": {func(put, run *model.Transfer) {
			put.Name, run.Name = "setup.exe", "setup.exe"
			put.Path, run.Path = "setup.exe", "setup.exe"
		}, false},
		"two days later": {func(_, run *model.Transfer) {
			run.Start, run.End = run.Start+2*Window, run.End+2*Window
		}, false},
	} {
		findings := Look(putAndStarted(c.change), nil, nil, Settings{}).Findings
		got := false
		for _, f := range findings {
			if strings.Contains(strings.Join(f.Analytics, " "), "shared-start") {
				got = true
				if f.Severity < model.Medium || len(f.Transfers) != 2 || !strings.Contains(strings.Join(f.Techniques, " "), "T1080") {
					t.Errorf("%s: %+v", name, f)
				}
			}
		}
		if got != c.want {
			t.Errorf("%s: %v", name, findings)
		}
	}
}

// TestSharedStartHoursLater: what others fetch through the day from where one put it is one
// finding with it.
func TestSharedStartHoursLater(t *testing.T) {
	all := putAndStarted(func(_, _ *model.Transfer) {})
	for i, later := range []model.Time{5 * 3600e9, 9 * 3600e9, 30 * 3600e9} {
		run := *all[1]
		run.ID, run.Destination.Host = fmt.Sprintf("t-%d", i+3), fmt.Sprintf("PC%d", i)
		run.Start, run.End = begin+later, begin+later
		all = append(all, &run)
	}
	findings := Look(all, nil, nil, Settings{}).Findings
	if len(findings) == 0 || len(findings[0].Transfers) != 4 || findings[0].Title != "a.exe copied from WS to SRV, fetched there by 3 others and started" {
		t.Errorf("%+v", findings)
	}
}

// TestSharedStartUsual: what others take from there on many days is everyday.
func TestSharedStartUsual(t *testing.T) {
	usual := history.New()
	for day := range 4 {
		usual.Learn(history.Family, "srv", "smb pull share program", `pub\tools\*.exe`, begin-model.Time(day+1)*Window)
	}
	if got := said(putAndStarted(func(_, _ *model.Transfer) {}), nil, Settings{Usual: usual}); strings.Contains(got, "shared-start") {
		t.Error(got)
	}
}

// TestTogether: which programs of unknown content one key stands for.
func TestTogether(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*model.Transfer)
		want   bool
	}{
		"beside it":                  {func(t *model.Transfer) { t.Name, t.Path = "b.dll", `Tools\b.dll` }, true},
		"beside it, minutes later":   {func(t *model.Transfer) { t.Name, t.Path, t.Start = "b.dll", `Tools\b.dll`, t.Start+300e9 }, false},
		"beside it, of another host": {func(t *model.Transfer) { t.Name, t.Path, t.Source.Host = "b.dll", `Tools\b.dll`, "PC" }, false},
		"its name elsewhere":         {func(t *model.Transfer) { t.Destination.Host, t.Share, t.Path = "FS", "Data", "a.exe" }, true},
		"its name on a stick": {func(t *model.Transfer) {
			t.Destination.Host, t.Share, t.Path, t.Channel = "PC", "", `F:\a.exe`, "removable"
		}, true},
		"its name on the next day": {func(t *model.Transfer) {
			t.Destination.Host, t.Share, t.Path, t.Start = "FS", "Data", "a.exe", t.Start+Window
		}, false},
		"its name, of another host": {func(t *model.Transfer) { t.Source.Host, t.Share, t.Path = "PC", "Data", "a.exe" }, false},
		"another name elsewhere":    {func(t *model.Transfer) { t.Destination.Host, t.Share, t.Name, t.Path = "FS", "Data", "b.exe", "b.exe" }, false},
	} {
		f := newFactory(spread.New(spread.Settings{}))
		first := f.of(logged("t-1", 0, func(t *model.Transfer) { t.Share, t.Path = "Pub", `Tools\a.exe` }), "")
		second := f.of(logged("t-2", 5e9, func(t *model.Transfer) { t.Share, t.Path = "Pub", `Tools\a.exe`; c.change(t) }), "")
		if got := first.Alike == second.Alike; got != c.want {
			t.Errorf("%s: %q and %q", name, first.Alike, second.Alike)
		}
	}
	f := newFactory(spread.New(spread.Settings{}))
	a := f.of(logged("t-1", 0, func(t *model.Transfer) { t.Share, t.Path = "Pub", `Tools\a.exe` }), "sha256:aa")
	b := f.of(logged("t-2", 0, func(t *model.Transfer) { t.Share, t.Path, t.Name = "Pub", `Tools\b.exe`, "b.exe" }), "sha256:bb")
	if a.Alike != "sha256:aa" || b.Alike != "sha256:bb" {
		t.Errorf("known contents: %q, %q", a.Alike, b.Alike)
	}
}
