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

// night is a behaviour's logs: a psexec with a tool, and the twin.
func night() (*synth.Stage, synth.Logs) {
	b, _ := synth.BehaviourOf("psexec")
	s := synth.NewStage(1)
	b.Script(s)
	s.Twin()
	return s, s.Logs.Sorted()
}

// TestKeptInAnyWay: one file for all, one a host, one a channel, two collectors that
// overlap: the movements are the same.
func TestKeptInAnyWay(t *testing.T) {
	stage, all := night()
	want := movements(scanned(t, folder(t, map[string][]byte{"all.evtx": all.EVTX()})...))
	if !strings.Contains(want, "enc64.exe") {
		t.Fatal(want)
	}
	hosts := map[string][]byte{}
	for _, h := range []*synth.Host{stage.Entry, stage.Target, stage.Third, stage.Server, stage.Admin, stage.Desk} {
		hosts[h.Name+".evtx"] = all.Of(h).EVTX()
	}
	channels := map[string][]byte{}
	for _, r := range all {
		name := strings.ReplaceAll(r.Channel, "/", "-") + ".json"
		channels[name] = append(channels[name], synth.Logs{r}.EvtxDump()...)
	}
	half := len(all) / 2
	for name, files := range map[string]map[string][]byte{
		"a file a host": hosts, "a file a channel": channels,
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
	stage, all := night()
	files := map[string][]byte{}
	for _, h := range []*synth.Host{stage.Entry, stage.Target, stage.Admin, stage.Desk} {
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
