package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"text/tabwriter"

	"waybill/internal/synth"
)

// benchLogs measures event logs on one core and on two: lines of JSON as Winlogbeat
// writes them, and EVTX.
func benchLogs(dir string, events, runs int) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var evtx synth.Logs
	forms := []struct {
		name   string
		events int
		form   func(synth.Logs) []byte
	}{
		{fmt.Sprintf("events-%d.ndjson", events), events, synth.Logs.Winlogbeat},
		{fmt.Sprintf("events-%d.evtx", min(events, 400_000)), min(events, 400_000), func(l synth.Logs) []byte { evtx = append(evtx, l...); return nil }},
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "log\tevents\tcores\ttime\tevents/s\tMB/s\tpeak memory")
	for _, f := range forms {
		path := filepath.Join(dir, f.name)
		if err := makeLog(path, f.events, f.form, &evtx); err != nil {
			return err
		}
		// What this process holds would count as the child's peak.
		evtx = nil
		debug.FreeOSMemory()
		for _, cores := range []string{"0", "0,1"} {
			if err := timeLog(w, self, path, f.events, cores, runs); err != nil {
				return err
			}
		}
		w.Flush()
	}
	return nil
}

func makeLog(path string, events int, form func(synth.Logs) []byte, evtx *synth.Logs) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	out := bufio.NewWriterSize(f, 1<<20)
	*evtx = nil
	if err := synth.Workday(out, 1, 20, events, form); err != nil {
		return err
	}
	if len(*evtx) > 0 {
		if _, err := out.Write(evtx.EVTX()); err != nil {
			return err
		}
	}
	return out.Flush()
}

func timeLog(w io.Writer, self, path string, events int, cores string, runs int) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	var ours result
	for range runs {
		out, err := ours.run("taskset", "-c", cores, self, "-scan", path)
		if err != nil {
			return err
		}
		var got map[string]int
		if err := json.Unmarshal(out, &got); err != nil {
			return err
		}
		if got["events"] < events {
			return fmt.Errorf("%s: %d events were read of %d", path, got["events"], events)
		}
	}
	s := ours.wall.Seconds()
	fmt.Fprintf(w, "%s\t%d\t%d\t%.2f s\t%.0f\t%.0f\t%d MiB\n", filepath.Base(path), events, strings.Count(cores, ",")+1, s,
		float64(events)/s, float64(info.Size())/1e6/s, ours.memory>>20)
	return nil
}
