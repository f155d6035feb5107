package scan

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"waybill/internal/input"
)

// shared is a log of Zeek of so many files that were read from a share.
func shared(n int) string {
	var out strings.Builder
	for i := range n {
		at, ends := 1773738000+float64(i), fmt.Sprintf(`"uid":"C%d","id.orig_h":"10.0.%d.%d","id.orig_p":49999,"id.resp_h":"10.0.0.9","id.resp_p":445`, i, 1+i/200, 1+i%200)
		fmt.Fprintf(&out, `{"_path":"files","ts":%.1f,%s,"fuid":"F%d","source":"SMB","is_orig":false,"filename":"Docs\\plan%d.docx","seen_bytes":%d}`+"\n", at, ends, i, i, 900+i)
	}
	return out.String()
}

// TestLogRoom: of logs that show more than --memory has room for, movements are left out, and
// said to be.
func TestLogRoom(t *testing.T) {
	const files = 2000
	paths := folder(t, map[string][]byte{"files.log": []byte(shared(files))})
	for _, c := range []struct {
		memory int64
		all    bool
	}{{64 << 20, true}, {4 << 20, false}} {
		r, err := Run(context.Background(), Options{Paths: paths, Memory: c.memory})
		if err != nil {
			t.Fatal(err)
		}
		out, evicted := r.Summary.LeftOut[noRoom], r.Coverage[len(r.Coverage)-1].EvictedRecords
		if all := out == 0; all != c.all || out+int64(len(r.Transfers)) != files || evicted != out || len(r.Transfers) == 0 {
			t.Errorf("within %d MiB: %d transfers, %d left out, %d evicted", c.memory>>20, len(r.Transfers), out, evicted)
		}
	}
}

// TestReadLogs: a log that was read holds none of its reader's buffers.
func TestReadLogs(t *testing.T) {
	files := map[string][]byte{}
	for i := range 5 {
		files[fmt.Sprintf("files%d.log", i)] = []byte(shared(300))
	}
	found, _ := input.Walk(folder(t, files), nil, input.Options{Kind: kind})
	l := newLogs(Options{}.withDefaults(), found, nil, 0, 0)
	if err := l.run(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, s := range l.sources {
		if s.events == 0 || s.log != nil || s.batch != nil || s.spare != nil || s.batches != nil || s.follow != nil {
			t.Errorf("%s holds what it was read with", s.in.Name)
		}
	}
}
