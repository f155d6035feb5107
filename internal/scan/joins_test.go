package scan

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"waybill/internal/model"
)

// TestJoins gives captures and logs of the same intrusion together: one transfer
// where they saw the same movement, two where there were two, no link where a file
// is the same and the movement is not.
func TestJoins(t *testing.T) {
	dir := hostCorpus(t)
	tried := 0
	for _, r := range readTable(t, filepath.Join(dir, "joins.csv")) {
		tried++
		a, b := filepath.Join(dir, r["dataset_a"]), filepath.Join(dir, r["dataset_b"])
		join := r["join_id"] + " (" + r["relation"] + ")"
		both := namedTransfers(t, r["name"], a, b)
		switch r["relation"] {
		case "same transfer":
			if len(both) != 1 || a != b && (inputsOf(both[0]) < 2 || len(both[0].Observations) < 2) {
				t.Errorf("%s: %s", join, brief(both))
			}
		case "duplicate recording":
			if one := namedTransfers(t, r["name"], a); len(one) != len(both) || len(one) == 0 {
				t.Errorf("%s: %d alone, together %s", join, len(one), brief(both))
			}
		case "staged then copied":
			if len(both) != 1 {
				t.Errorf("%s: %s", join, brief(both))
			}
		default: // two movements, or two unrelated files
			apart := len(namedTransfers(t, r["name"], a)) + len(namedTransfers(t, r["name"], b))
			for _, x := range both {
				if inputsOf(x) > 1 {
					t.Errorf("%s: joined: %s", join, brief(both))
				}
			}
			if len(both) != apart || apart == 0 {
				t.Errorf("%s: %d apart, together %s", join, apart, brief(both))
			}
		}
	}
	if tried == 0 {
		t.Error("no joins")
	}
}

// namedTransfers scans some inputs and gives the transfers of a name.
func namedTransfers(t *testing.T, name string, paths ...string) []*model.Transfer {
	t.Helper()
	for _, p := range paths {
		if _, err := os.Stat(p); err != nil {
			t.Fatal(err)
		}
	}
	found, err := Run(context.Background(), Options{Paths: paths})
	if err != nil {
		t.Fatal(err)
	}
	var out []*model.Transfer
	for _, x := range found.Transfers {
		if strings.EqualFold(x.Name, name) && x.Status != model.Denied {
			out = append(out, x)
		}
	}
	return out
}

// inputsOf counts the archives that the evidence of a transfer comes from.
func inputsOf(t *model.Transfer) int {
	seen := map[string]bool{}
	for _, e := range t.Evidence {
		if strings.Contains(e.What, "cleared") {
			continue // of the host's log, not of the movement
		}
		archive, _, _ := strings.Cut(e.Input, "!")
		seen[archive] = true
	}
	return len(seen)
}

func brief(all []*model.Transfer) string {
	var out []string
	for _, t := range all {
		out = append(out, t.Source.Name()+">"+t.Destination.Name()+" "+t.Channel+" "+t.Completeness+" "+t.Status)
	}
	return strings.Join(out, "; ")
}
