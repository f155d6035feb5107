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

// TestBehaviourTables takes every row that the tables want detected.
func TestBehaviourTables(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "shared", "behaviours")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the tables of behaviours are not here: ../shared/behaviours")
	}
	rows := 0
	for _, table := range []string{"groups.csv", "software.csv"} {
		all, err := readRows(filepath.Join(dir, table))
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range all {
			if r["expect"] != "detect" {
				continue
			}
			rows++
			if _, ok := synth.BehaviourOf(r["channel"]); !ok {
				t.Errorf("%s: no script and no source for %s (%s)", r["row_id"], r["channel"], strings.TrimSpace(r["host_observables"]))
			}
		}
	}
	if rows == 0 {
		t.Error("no rows")
	}
}
