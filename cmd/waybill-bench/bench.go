package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"waybill/internal/model"
	"waybill/internal/scan"
)

// scanOne is the measured program: it scans a file and prints the hashes found.
func scanOne(path, profile string, workers int) error {
	if profile != "" {
		f, err := os.Create(profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	debug.SetGCPercent(200) // as cmd/waybill does
	r, err := scan.Run(context.Background(), scan.Options{Paths: []string{path}, Workers: workers})
	if err != nil {
		return err
	}
	found := map[string]int{}
	if r.Summary.Events > 0 {
		found["events"] = int(r.Summary.Events)
	}
	for _, t := range r.Transfers {
		switch t.Completeness {
		case model.Whole:
			found[t.SHA256]++
		case model.Opaque:
			found[t.Completeness]++
		}
	}
	return json.NewEncoder(os.Stdout).Encode(found)
}

// result is the best of some runs.
type result struct {
	wall   time.Duration
	memory int64 // bytes, the peak of all runs
}

// bench measures all captures on one core and on two.
func bench(dir string, size int64, runs int) error {
	all, err := captures(dir, size)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	fmt.Printf("SHA instructions: %s\n", shaInstructions())
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "capture\tcores\twaybill\tGB/s\topenssl\tGB/s\tratio\tpeak memory")
	for _, c := range all {
		for _, cores := range []string{"0", "0,1"} {
			if err := compare(w, self, c, cores, runs); err != nil {
				return err
			}
		}
		w.Flush()
	}
	return nil
}

// compare runs both programs in turns and prints a line.
func compare(w *tabwriter.Writer, self string, c capture, cores string, runs int) error {
	info, err := os.Stat(c.Name)
	if err != nil {
		return err
	}
	var ours, theirs result
	for range runs {
		if _, err := theirs.run("taskset", "-c", cores, "openssl", "sha256", c.Name); err != nil {
			return err
		}
		out, err := ours.run("taskset", "-c", cores, self, "-scan", c.Name)
		if err != nil {
			return err
		}
		if err := c.check(out); err != nil {
			return err
		}
	}
	gb := float64(info.Size()) / 1e9
	fmt.Fprintf(w, "%s\t%d\t%.2f s\t%.2f\t%.2f s\t%.2f\t%.2f\t%d MiB\n", filepath.Base(c.Name), strings.Count(cores, ",")+1,
		ours.wall.Seconds(), gb/ours.wall.Seconds(), theirs.wall.Seconds(), gb/theirs.wall.Seconds(),
		ours.wall.Seconds()/theirs.wall.Seconds(), ours.memory>>20)
	return nil
}

// run runs a program, and keeps the shortest time and the highest memory.
func (r *result) run(name string, args ...string) ([]byte, error) {
	cmd := exec.Command(name, args...)
	cmd.Stderr = os.Stderr
	began := time.Now()
	out, err := cmd.Output()
	wall := time.Since(began)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", strings.Join(cmd.Args, " "), err)
	}
	if r.wall == 0 || wall < r.wall {
		r.wall = wall
	}
	if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		r.memory = max(r.memory, u.Maxrss<<10)
	}
	return out, nil
}

// check compares what was found with what is in the capture.
func (c capture) check(out []byte) error {
	found := map[string]int{}
	if err := json.Unmarshal(out, &found); err != nil {
		return err
	}
	missing := 0
	for hash, n := range c.Files {
		missing += max(n-found[hash], 0)
	}
	if missing > 0 || len(found) != len(c.Files) {
		return errors.New(c.Name + ": " + fmt.Sprintf("%d files were not found, %d contents instead of %d", missing, len(found), len(c.Files)))
	}
	return nil
}

// shaInstructions says what the processor has, as Linux names it.
func shaInstructions() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	for _, word := range strings.Fields(string(text)) {
		if word == "sha_ni" || word == "sha2" || word == "sha512" {
			return "yes (" + word + ")"
		}
	}
	return "no"
}
