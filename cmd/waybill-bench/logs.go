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

// benchLogs measures logs on one core and on two: Windows events as lines of JSON as
// Winlogbeat writes them, and as EVTX, and events of Suricata.
func benchLogs(dir string, events, runs int) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	few := min(events, 400_000)
	forms := []struct {
		name   string
		events int
		write  func(io.Writer) error
	}{
		{fmt.Sprintf("events-%d.ndjson", events), events, func(w io.Writer) error { return synth.Workday(w, 1, 20, events, synth.Logs.Winlogbeat) }},
		{fmt.Sprintf("events-%d.evtx", few), few, func(w io.Writer) error { return writeEVTX(w, few) }},
		{fmt.Sprintf("eve-%d.json", events/3*3), events / 3 * 3, func(w io.Writer) error { return synth.SensorDay(w, events) }},
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "log\tevents\tcores\ttime\tevents/s\tMB/s\tpeak memory")
	for _, f := range forms {
		path := filepath.Join(dir, f.name)
		if err := makeLog(path, f.write); err != nil {
			return err
		}
		// What this process holds would count as the child's peak.
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

func makeLog(path string, write func(io.Writer) error) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	out := bufio.NewWriterSize(f, 1<<20)
	if err := write(out); err != nil {
		return err
	}
	return out.Flush()
}

func writeEVTX(w io.Writer, events int) error {
	var all synth.Logs
	if err := synth.Workday(io.Discard, 1, 20, events, func(l synth.Logs) []byte { all = append(all, l...); return nil }); err != nil {
		return err
	}
	_, err := w.Write(all.EVTX())
	return err
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
