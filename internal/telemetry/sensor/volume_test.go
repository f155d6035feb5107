package sensor_test

import (
	"fmt"
	"testing"

	"waybill/internal/model"
)

// TestZeekVolume: an SSH session of which Zeek counted what one file takes; not a terminal,
// not a tunnel, and no other service.
func TestZeekVolume(t *testing.T) {
	for name, c := range map[string]struct {
		service                string
		up, upPkts, down, dnPk int64
		want                   string
	}{
		"a file sent":      {"ssh", 4_082_608, 2920, 4500, 7, "push 10.0.0.1>10.0.0.2"},
		"a file fetched":   {"ssh", 5_000, 40, 900_000, 700, "pull 10.0.0.2>10.0.0.1"},
		"packets unknown":  {"ssh", 900_000, -1, 4500, -1, "push 10.0.0.1>10.0.0.2"},
		"a terminal":       {"ssh", 9_000, 200, 90_000, 400, ""},
		"a tunnel":         {"ssh", 900_000, 700, 400_000, 300, ""},
		"a command":        {"ssh", 5_000, 30, 9_000, 12, ""},
		"something else":   {"ssl", 4_082_608, 2920, 4500, 7, ""},
		"damaged":          {"ssh", -5, -5, -9, -9, ""},
		"more than fits":   {"ssh", 9e18, 1, 9e18, 1, ""},
		"nothing answered": {"ssh", 16 << 10, 12, 0, 0, "push 10.0.0.1>10.0.0.2"},
	} {
		row := zrow("conn", 0, conn+fmt.Sprintf(`,"service":"%s","duration":0.8,"orig_bytes":%d,"resp_bytes":%d,"orig_pkts":%d,"resp_pkts":%d`, c.service, c.up, c.down, c.upPkts, c.dnPk))
		r := follow(t, row+row)
		got := ""
		for _, x := range r.Transfers {
			got += fmt.Sprint(x.Operation, " ", x.Source.IP, ">", x.Destination.IP)
			if n := max(c.up, c.down); x.Completeness != model.Opaque || x.Estimate.Low >= x.Estimate.Size || x.Estimate.Size >= n || x.Estimate.High != n || x.End-x.Start != 800e6 {
				t.Errorf("%s: %+v %+v", name, x, x.Estimate)
			}
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
