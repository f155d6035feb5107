package scan

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"waybill/internal/model"
	"waybill/internal/synth"
)

// folder writes files and gives their paths, in the order of their names.
func folder(t *testing.T, files map[string][]byte) []string {
	t.Helper()
	dir := t.TempDir()
	var out []string
	for name, b := range files {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		out = append(out, path)
	}
	slices.Sort(out)
	return out
}

func scanned(t *testing.T, paths ...string) *Records {
	t.Helper()
	r, err := Run(context.Background(), Options{Paths: paths})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Problems) > 0 {
		t.Fatal(r.Problems)
	}
	return r
}

// movements are what is the same however the logs were kept: all but where they lay.
func movements(r *Records) string {
	var out []string
	for _, t := range r.Transfers {
		x := *t
		x.Evidence = nil
		for i := range x.Executed {
			x.Executed[i].Evidence = nil
		}
		b, _ := json.Marshal(x)
		out = append(out, string(b))
	}
	for _, f := range r.Findings {
		out = append(out, f.ID+" "+f.Title)
	}
	return strings.Join(out, "\n")
}

// night is the logs of some hosts: a psexec with a tool by night, and by day an
// administrator who puts an installer on another host.
func night() ([]*synth.Host, synth.Logs) {
	const system, sum = `NT AUTHORITY\SYSTEM`, "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	n := synth.New(1)
	entry, target, admin, desk := n.Host("WS-31", "10.30.1.31"), n.Host("SRV-08", "10.30.0.8"), n.Host("ADM-01", "10.30.2.10"), n.Host("WS-12", "10.30.1.12")
	hosts := []*synth.Host{entry, target, admin, desk}
	for _, h := range hosts {
		n.Spoke(h, h, n.Host("DC-03", "10.30.0.2"), 389, `C:\Windows\System32\lsass.exe`, 700)
	}
	n.Ran(entry, `CORP\h.lang`, `C:\Users\Public\PsExec.exe`, `PsExec.exe \\SRV-08 -accepteula -s -c C:\Users\Public\enc64.exe`, `C:\Windows\System32\cmd.exe`, 4200, sum)
	n.SharePut(target, entry, `CORP\h.lang`, "ADMIN$", "PSEXESVC.exe")
	n.SharePut(target, entry, `CORP\h.lang`, "ADMIN$", "enc64.exe")
	n.ServiceMade(target, `CORP\h.lang`, "0x1", "PSEXESVC", `%SystemRoot%\PSEXESVC.exe`)
	n.Ran(target, system, `C:\Windows\PSEXESVC.exe`, `C:\Windows\PSEXESVC.exe`, `C:\Windows\System32\services.exe`, 5001, sum)
	n.Log(target, synth.Sysmon, 17, "PipeName", `\PSEXESVC-WS-31-4200-stdin`, "Image", `C:\Windows\PSEXESVC.exe`)
	n.Ran(target, system, `C:\Windows\enc64.exe`, `enc64.exe`, `C:\Windows\PSEXESVC.exe`, 5002, sum)
	n.Sleep(7 * 3600e9)
	n.Ran(admin, `CORP\it.admin`, `C:\Windows\explorer.exe`, `C:\Windows\explorer.exe`, `C:\Windows\System32\userinit.exe`, 900, sum)
	n.SharePut(desk, admin, `CORP\it.admin`, "C$", `Temp\LabelPrinterSetup.msi`)
	return hosts, n.Logs.Sorted()
}

// TestKeptInAnyWay: one file for all, one a host, one a channel, two collectors that
// overlap: the movements are the same.
func TestKeptInAnyWay(t *testing.T) {
	hosts, all := night()
	want := movements(scanned(t, folder(t, map[string][]byte{"all.evtx": all.EVTX()})...))
	if !strings.Contains(want, "enc64.exe") {
		t.Fatal(want)
	}
	each := map[string][]byte{}
	for _, h := range hosts {
		each[h.Name+".evtx"] = all.Of(h).EVTX()
	}
	channels := map[string][]byte{}
	for _, r := range all {
		name := strings.ReplaceAll(r.Channel, "/", "-") + ".json"
		channels[name] = append(channels[name], synth.Logs{r}.EvtxDump()...)
	}
	half := len(all) / 2
	for name, files := range map[string]map[string][]byte{
		"a file a host": each, "a file a channel": channels,
		"two collectors":             {"a.evtx": all.EVTX(), "b.json": all.EvtxDump()},
		"a log and its old part":     {"Security.evtx": all[half/2:].EVTX(), "Archive-Security.evtx": all[:half].EVTX()},
		"two halves in other orders": {"z.json": all[:half].EvtxDump(), "a.json": all[half:].EvtxDump()},
	} {
		if got := movements(scanned(t, folder(t, files)...)); got != want {
			t.Errorf("%s: %s", name, firstDifference(got, want))
		}
	}
}

// firstDifference shows where two texts part.
func firstDifference(got, want string) string {
	i := 0
	for i < min(len(got), len(want)) && got[i] == want[i] {
		i++
	}
	from := max(0, i-150)
	return "got ..." + got[from:min(len(got), i+80)] + "... want ..." + want[from:min(len(want), i+80)]
}

// TestLogOrder: the order on the command line is nothing, byte for byte.
func TestLogOrder(t *testing.T) {
	hosts, all := night()
	files := map[string][]byte{}
	for _, h := range hosts {
		files[h.Name+".evtx"] = all.Of(h).EVTX()
	}
	paths := folder(t, files)
	first, _ := json.Marshal(scanned(t, paths...).Records)
	for range 3 {
		slices.Reverse(paths)
		if again, _ := json.Marshal(scanned(t, paths...).Records); string(again) != string(first) {
			t.Fatal(firstDifference(string(again), string(first)))
		}
	}
}

// TestDamagedLog: what is whole of a torn log is read, the rest is named, and the run failed.
func TestDamagedLog(t *testing.T) {
	_, all := night()
	raw := all.EVTX()
	raw[4096+512+3000] ^= 0xff
	paths := folder(t, map[string][]byte{"torn.evtx": raw[:len(raw)-100]})
	r, err := Run(context.Background(), Options{Paths: paths})
	if err != nil || !r.Failed || len(r.Problems) == 0 || !strings.Contains(r.Problems[0], "torn.evtx: offset ") {
		t.Errorf("%v, failed %v, %q", err, r.Failed, r.Problems)
	}
	if len(r.Transfers) == 0 {
		t.Error("nothing was read")
	}
	if !slices.ContainsFunc(r.Transfers, func(x *model.Transfer) bool { return x.Name == "enc64.exe" }) {
		t.Log("the tool's own records were hit")
	}
}

// TestCache: a second scan gives the same from what the first one kept, and reads
// what changed.
func TestCache(t *testing.T) {
	_, all := night()
	half := len(all) / 2
	paths := folder(t, map[string][]byte{"a.evtx": all[:half].EVTX(), "b.json": all[half:].EvtxDump()})
	cache := filepath.Join(t.TempDir(), "kept")
	o := Options{Paths: paths, Cache: cache}
	runs := make([]string, 3)
	for i := range runs {
		r, err := Run(context.Background(), o)
		if err != nil || len(r.Problems)+len(r.Ignored) > 0 {
			t.Fatal(err, r.Problems, r.Ignored)
		}
		b, _ := json.Marshal(r.Records)
		runs[i] = string(b)
		kept, _ := filepath.Glob(filepath.Join(cache, "*"))
		if want := 2; i < 2 && len(kept) != want || i == 2 && len(kept) != 3 {
			t.Errorf("run %d: %d files are kept", i, len(kept))
		}
		if i == 1 { // the log goes on
			if err := os.WriteFile(paths[1], append(all[half:].EvtxDump(), all[:1].EvtxDump()...), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if runs[0] != runs[1] {
		t.Error(firstDifference(runs[1], runs[0]))
	}
	if runs[2] == runs[1] {
		t.Error("what changed was not read")
	}
	// A damaged store is named, and nothing is made up from it.
	for _, f := range mustGlob(t, filepath.Join(cache, "*.events")) {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(f, b[:len(b)-20], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if r, err := Run(context.Background(), o); err != nil || !r.Failed || !strings.Contains(strings.Join(r.Problems, "\n"), "stored events") {
		t.Errorf("%v, %q", err, r.Problems)
	}
}

func mustGlob(t *testing.T, pattern string) []string {
	t.Helper()
	out, err := filepath.Glob(pattern)
	if err != nil || len(out) == 0 {
		t.Fatal(pattern, err)
	}
	return out
}
