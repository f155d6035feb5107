package scan

import (
	"slices"
	"testing"

	"waybill/internal/model"
	"waybill/internal/synth"
)

// TestCarve sends a script and text by netcat: the script is found
// whole and held against its sender; with --no-carve nothing is. The text, which goes
// on as random bytes, is opaque in both.
func TestCarve(t *testing.T) {
	scene := synth.Record(7, func(n *synth.Net) {
		a, b := n.Host("WS-01", "10.1.0.21"), n.Host("WS-02", "10.1.0.22")
		for _, content := range [][]byte{append([]byte("#!/bin/sh\n# "), n.Bytes(100_000)...), append([]byte("dear diary "), n.Bytes(90_000)...), []byte("#!/bin/sh\nid\n")} {
			c := n.Dial(a, b, 4444)
			c.Client(content)
			c.Close()
		}
	})
	folder := captureFile(t, scene.Capture)
	for _, carve := range []bool{false, true} {
		r := run(t, Options{Paths: []string{folder}, NoCarve: !carve})
		opaque := 0
		r.Transfers = slices.DeleteFunc(r.Transfers, func(x *model.Transfer) bool {
			if x.Completeness == model.Opaque {
				opaque++
			}
			return x.Completeness == model.Opaque
		})
		if opaque != 1 {
			t.Errorf("%d opaque transfers", opaque)
		}
		if !carve {
			if len(r.Transfers) != 0 {
				t.Errorf("with --no-carve: %d transfers", len(r.Transfers))
			}
			continue
		}
		if len(r.Transfers) != 2 {
			t.Fatalf("%d transfers", len(r.Transfers))
		}
		for _, x := range r.Transfers {
			if x.Completeness != model.Whole || x.Type != "script" || x.Channel != "tcp" || x.Source.IP.String() != "10.1.0.21" {
				t.Errorf("%+v", x)
			}
		}
		marked := 0
		for _, f := range r.Findings {
			for _, reason := range f.Reasons {
				if reason.Analytic == "raw-transfer" {
					marked++
				}
			}
		}
		if marked != 2 {
			t.Errorf("%d transfers marked", marked)
		}
	}
}
