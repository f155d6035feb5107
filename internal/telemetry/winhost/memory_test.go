package winhost

import (
	"io"
	"runtime"
	"testing"

	"waybill/internal/synth"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/winlog"
)

// TestMemory feeds a quarter of a million events in the way a log is read: what
// stays of them is what is needed, not the blocks that their strings lie in.
func TestMemory(t *testing.T) {
	const events = 250_000
	r, w := io.Pipe()
	go func() { w.CloseWithError(synth.Workday(w, 1, 10, events, synth.Logs.Winlogbeat)) }()
	log, err := winlog.Open(winlog.JSON, r, -1, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := New(telemetry.FollowerOptions{Inputs: []string{"a.json"}})
	n := 0
	var b winlog.Batch
	for log.Next(&b) == nil {
		for i := range b.Events {
			s.Event(&b.Events[i])
		}
		n += len(b.Events)
	}
	if n < events {
		t.Fatalf("%d events", n)
	}
	b = winlog.Batch{}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.HeapAlloc > 32<<20 {
		t.Errorf("%d MiB stay of %d events", m.HeapAlloc>>20, n)
	}
	runtime.KeepAlive(s)
}
