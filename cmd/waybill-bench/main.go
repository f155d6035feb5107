// Command waybill-bench measures waybill against `openssl sha256` on the same
// files in the same run. It makes captures of known content in a folder, lets
// both programs read them in turns, on one core and on two, checks that every
// file was found with the right hash, and prints the best wall time of each,
// with the peak memory. It needs openssl, and taskset to choose cores.
//
// With -events it measures event logs: lines of JSON and EVTX.
//
// With -verdict it measures what comes after the readers, on a made-up network.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

func main() {
	dir := flag.String("dir", filepath.Join(os.TempDir(), "waybill-bench"), "folder for the captures; they are made when absent")
	size := flag.Int64("mib", 512, "MiB of content in the bulk captures")
	runs := flag.Int("runs", 5, "runs of each program; the best counts")
	profile := flag.String("cpuprofile", "", "with -scan, write a CPU profile there")
	child := flag.String("scan", "", "scan this file and print what was found (the benchmark calls itself so)")
	events := flag.Int("events", 0, "instead of captures, measure logs of this many events")
	hosts := flag.Int("verdict", 0, "instead, measure what comes after the readers in a network of this many hosts")
	days := flag.Int("days", 3, "with -verdict, for this many days")
	flag.Parse()
	var err error
	if *events > 0 && *child == "" {
		err = benchLogs(*dir, *events, *runs)
	} else if *hosts > 0 {
		err = profiled(*profile, func() error { verdict(*hosts, *days); return nil })
	} else if *child != "" {
		err = scanOne(*child, *profile, runtime.GOMAXPROCS(0))
	} else {
		err = bench(*dir, *size<<20, *runs)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "waybill-bench:", err)
		os.Exit(1)
	}
}
