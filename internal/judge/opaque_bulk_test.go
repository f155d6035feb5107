package judge

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"waybill/internal/model"
)

// fileSeen is a whole file that went from host 1 to host 2, or between others.
type fileSeen struct {
	size     int64
	typ      string
	content  string
	from, to string
}

func TestOpaqueBulk(t *testing.T) {
	const a, b, c, d = "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"
	narrow := model.Estimate{Size: 503_000, Low: 490_000, High: 520_000}
	for _, x := range []struct {
		name     string
		seen     []fileSeen
		after    model.Time // of the bulk, behind the last file
		estimate model.Estimate
		nats     float64
		text     string
	}{
		{"the sender received it", []fileSeen{{500_000, "pe", "x", a, b}}, 60e9, narrow, 1, "its sender had before"},
		{"the sender sent it to another", []fileSeen{{500_000, "archive", "x", b, d}}, 60e9, narrow, 1, "its sender had before"},
		{"others had it", []fileSeen{{500_000, "pe", "x", a, d}}, 60e9, narrow, 0.5, "between other hosts"},
		{"seen twice is one content", []fileSeen{{500_000, "pe", "x", a, b}, {500_000, "pe", "x", b, d}}, 60e9, narrow, 1, ""},
		{"two programs fit", []fileSeen{{500_000, "pe", "x", a, b}, {501_000, "pe", "y", a, b}}, 60e9, narrow, 0.5, "2 contents"},
		{"documents make a size common", []fileSeen{{500_000, "pe", "x", a, b}, {501_000, "pdf", "y", c, d}, {502_000, "image", "z", c, d}, {499_000, "office", "w", c, d}}, 60e9, narrow, 0.25, "4 contents"},
		{"a document alone", []fileSeen{{500_000, "pdf", "x", a, b}}, 60e9, narrow, 0, ""},
		{"other size", []fileSeen{{300_000, "pe", "x", a, b}}, 60e9, narrow, 0, ""},
		{"next class", []fileSeen{{489_000, "pe", "x", a, b}}, 60e9, model.Estimate{Size: 503_000, Low: 480_000, High: 520_000}, 1, ""},
		{"wide estimate", []fileSeen{{500_000, "pe", "x", a, b}}, 60e9, model.Estimate{Size: 503_000, Low: 0, High: 520_000}, 0, ""},
		{"out of the interval", []fileSeen{{489_000, "pe", "x", a, b}}, 60e9, narrow, 0, ""},
		{"long ago", []fileSeen{{500_000, "pe", "x", a, b}}, 2 * Window, narrow, 0, ""},
		{"later", []fileSeen{{500_000, "pe", "x", a, b}}, -60e9, narrow, 0, ""},
		{"small", []fileSeen{{20_000, "pe", "x", a, b}}, 60e9, model.Estimate{Size: 20_000, Low: 19_000, High: 21_000}, 0, ""},
	} {
		rule := opaqueBulk()
		at := begin
		for i, f := range x.seen {
			at += 1e9
			rule.Step(known(&model.Transfer{ID: "file", Start: at, End: at, Type: f.typ, Size: &f.size, SHA256: f.content, Name: fmt.Sprintf("%d.bin", i), Status: model.Done, Operation: model.Push,
				Completeness: model.Whole, Source: model.Endpoint{IP: addr(f.from)}, Destination: model.Endpoint{IP: addr(f.to)}}))
		}
		at += x.after
		marks := rule.Step(known(&model.Transfer{ID: "bulk", Start: at, End: at, Status: model.Done, Operation: model.Push, Completeness: model.Opaque,
			Estimate: &x.estimate, Scope: model.ScopeInternal, Source: model.Endpoint{IP: addr(b)}, Destination: model.Endpoint{IP: addr(c)}}))
		if x.nats == 0 != (len(marks) == 0) || len(marks) > 0 && (marks[0].Nats != x.nats || !strings.Contains(marks[0].Text, x.text)) {
			t.Errorf("%s: %+v", x.name, marks)
		}
	}
}

// TestSizeClasses: a file goes to the class of each volume that it may have.
func TestSizeClasses(t *testing.T) {
	classes := func(x model.Transfer) []string {
		x.Status = model.Done
		return sizeClasses(known(&x))
	}
	for n := int64(bulkLeast + 2000); n < 1<<32; n += n / 97 {
		file := classes(model.Transfer{Size: &n, Completeness: model.Whole})
		for _, volume := range []int64{n, n + n/34, n - n/34} {
			bulk := classes(model.Transfer{Completeness: model.Opaque, Estimate: &model.Estimate{Size: volume, Low: volume, High: volume}})
			if len(bulk) != 1 || !slices.Contains(file, bulk[0]) {
				t.Fatalf("a file of %d bytes is in %v, a volume of %d in %v", n, file, volume, bulk)
			}
		}
	}
}
