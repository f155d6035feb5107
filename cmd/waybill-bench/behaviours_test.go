package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"waybill/internal/synth"
)

// TestBehaviours plays every behaviour that there is a script for.
func TestBehaviours(t *testing.T) {
	for _, b := range synth.Behaviours {
		o := play(b.Channels[0])
		if b.Script != nil && !o.shown {
			t.Errorf("%s: %s", b.Channels[0], o.result)
		}
		if b.Script == nil && b.Missing == "" {
			t.Errorf("%s: neither script nor source", b.Channels[0])
		}
	}
}

// TestTwinsAreWatched: what an intruder does is no everyday twin, and what is not shown
// as it was played is said.
func TestTwinsAreWatched(t *testing.T) {
	scp, _ := synth.BehaviourOf("scp")
	nothing := func(*synth.Stage) []synth.Shown { return nil }
	act := func(b *synth.Stage) synth.Shown { return scp.Script(b)[0] }
	for want, b := range map[string]synth.Behaviour{
		"also: ssh conf.bin": {Script: nothing, Twin: act},
		"the twin raises: ": {Script: func(b *synth.Stage) []synth.Shown { return scp.Script(b)[1:] }, Twin: func(b *synth.Stage) synth.Shown {
			return synth.Shown{Source: b.App, Destination: b.DB, Channel: "ssh", User: "ops", Name: "agent"}
		}},
		"NOT SHOWN: agent over ssh": {Script: nothing, Twin: func(b *synth.Stage) synth.Shown {
			s := act(b)
			s.User = "root"
			return s
		}},
	} {
		if o := playScript(b); o.shown || !strings.Contains(o.result, want) {
			t.Errorf("%q does not say %q", o.result, want)
		}
	}
}

// TestBehaviourTables takes every row that the tables want detected.
func TestBehaviourTables(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "shared", "behaviours")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the tables of behaviours are not here: ../shared/behaviours")
	}
	shown, others := 0, 0
	for _, table := range []string{"groups.csv", "software.csv"} {
		all, err := readRows(filepath.Join(dir, table))
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range all {
			if r["expect"] != "detect" {
				continue
			}
			b, ok := synth.BehaviourOf(r["channel"])
			if b.Script != nil {
				shown++
			} else {
				others++
			}
			if !ok {
				t.Errorf("%s: no script and no source for %s (%s)", r["row_id"], r["channel"], strings.TrimSpace(r["host_observables"]))
			}
		}
	}
	if shown != 116 || others != 8 {
		t.Errorf("%d rows have a script and %d need another source", shown, others)
	}
}
