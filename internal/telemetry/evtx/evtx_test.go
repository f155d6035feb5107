package evtx

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	oracle "www.velocidex.com/golang/evtx"

	"waybill/internal/synth"
	"waybill/internal/telemetry/winevent"
)

// logs is a file of some hundred records on two hosts, over several chunks.
func logs() (synth.Logs, []byte) {
	n := synth.New(1)
	a, b := n.Host("SRV-01", "10.0.0.1"), n.Host("WS-02", "10.0.0.2")
	for i := range 150 {
		n.SharePut(a, b, `CORP\ädmin`, "ADMIN$", fmt.Sprintf(`Temp\tool-%d.exe`, i))
	}
	l := n.Logs.Sorted()
	return l, l.EVTX()
}

// read gives all events of a file and what was damaged.
func read(t testing.TB, raw []byte) ([]winevent.Event, []Damage) {
	f, err := Open(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return nil, []Damage{{0, err.Error()}}
	}
	var out []winevent.Event
	var damage []Damage
	for i := range f.Chunks() {
		var c Chunk
		if err := f.Read(i, &c); err != nil {
			t.Fatal(err)
		}
		out, damage = append(out, c.Events...), append(damage, c.Damage...)
	}
	return out, append(damage, f.Damage()...)
}

func TestEvents(t *testing.T) {
	want, raw := logs()
	got, damage := read(t, raw)
	if len(damage) > 0 || len(got) != len(want) {
		t.Fatalf("%d events of %d, damage %v", len(got), len(want), damage)
	}
	for i, e := range got {
		w := &want[i]
		if int(e.ID) != w.ID || e.Computer != w.Computer || e.Channel != w.Channel || e.Record != w.Record || len(e.Fields) != len(w.Data) {
			t.Fatalf("event %d: %+v instead of %+v", i, e, w)
		}
		for k, f := range e.Fields {
			if f.Name != w.Data[k][0] || f.Value != w.Data[k][1] {
				t.Fatalf("event %d: %v instead of %v", i, f, w.Data[k])
			}
		}
		if d := e.Time - w.Time; d > 1e6 || d < -1e6 {
			t.Fatalf("event %d: time %v instead of %v", i, e.Time, w.Time)
		}
	}
	chunks, err := oracle.GetChunks(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	theirs := 0
	for _, c := range chunks {
		all, err := c.Parse(0)
		if err != nil {
			t.Fatal(err)
		}
		theirs += len(all)
	}
	if theirs != len(want) {
		t.Errorf("the library reads %d records of %d", theirs, len(want))
	}
}

// TestDamage damages a file in each way that logs are damaged: all that is whole is
// read, and what is not is named with its offset.
func TestDamage(t *testing.T) {
	_, whole := logs()
	all, _ := read(t, whole)
	chunk := 4096 + 65536 // the second one
	for name, c := range map[string]struct {
		change func(b []byte) []byte
		least  int // events that must still be there
		cause  string
		at     int64
	}{
		"a byte in a record's values":   {func(b []byte) []byte { b[chunk+2000] ^= 0x55; return b }, len(all) - 1, "wrong checksum", int64(chunk + 512)},
		"a torn end":                    {func(b []byte) []byte { return b[:len(b)-30000] }, 0, "", 0},
		"a dirty chunk":                 {func(b []byte) []byte { b[chunk+48] = 0; b[chunk+49] = 0; return b }, len(all), "chunk header has a wrong checksum", int64(chunk)},
		"chunks that the header counts": {func(b []byte) []byte { return b[:chunk] }, 0, "chunks that the file header counts are missing", int64(chunk)},
		"a record's magic":              {func(b []byte) []byte { b[chunk+512] = 0; return b }, len(all) - 60, "no record", int64(chunk + 512)},
		"a chunk's magic":               {func(b []byte) []byte { b[chunk] = 'X'; return b }, len(all) / 3, "bytes are no chunk", int64(chunk)},
		"a record's size":               {func(b []byte) []byte { binary.LittleEndian.PutUint32(b[chunk+512+4:], 1<<30); return b }, len(all) - 60, "no record", int64(chunk + 512)},
		"bytes before a chunk": {func(b []byte) []byte {
			return append(append(bytes.Clone(b[:chunk]), bytes.Repeat([]byte{7}, 512)...), b[chunk:]...)
		}, len(all), "512 bytes are no chunk", int64(chunk)},
	} {
		got, damage := read(t, c.change(bytes.Clone(whole)))
		if len(got) < c.least {
			t.Errorf("%s: %d events, at least %d are whole; %v", name, len(got), c.least, damage)
		}
		found := c.cause == "" && len(damage) > 0
		for _, d := range damage {
			found = found || strings.Contains(d.Cause, c.cause) && c.cause != "" && d.Offset == c.at
		}
		if !found {
			t.Errorf("%s: damage %v", name, damage)
		}
	}
}

// TestOpenLog reads a log that was open when it was copied: its chunk headers are
// behind, its records are whole, and that is no damage.
func TestOpenLog(t *testing.T) {
	_, raw := logs()
	all, _ := read(t, raw)
	raw[120] |= 1
	last := len(raw) - 65536
	binary.LittleEndian.PutUint32(raw[last+48:], 512)
	got, damage := read(t, raw)
	if len(damage) > 0 || len(got) != len(all) {
		t.Errorf("%d events of %d, %v", len(got), len(all), damage)
	}
}

// TestRing reads a log that began again at its start: the order is that of the records.
func TestRing(t *testing.T) {
	_, raw := logs()
	all, _ := read(t, raw)
	body := raw[4096:]
	turned := append(append(bytes.Clone(raw[:4096]), body[65536:]...), body[:65536]...)
	got, damage := read(t, turned)
	if len(damage) > 0 || len(got) != len(all) {
		t.Fatalf("%d events, %v", len(got), damage)
	}
	for i := range got {
		if got[i].Record != all[i].Record || got[i].Channel != all[i].Channel {
			t.Fatalf("event %d is record %d instead of %d", i, got[i].Record, all[i].Record)
		}
	}
}

func TestNoFile(t *testing.T) {
	for _, raw := range [][]byte{nil, []byte("ElfFile\x00"), bytes.Repeat([]byte("x"), 5000)} {
		if _, err := Open(bytes.NewReader(raw), int64(len(raw))); err == nil || !strings.Contains(err.Error(), "offset 0") {
			t.Errorf("%d bytes: %v", len(raw), err)
		}
	}
}

func FuzzFile(f *testing.F) {
	_, raw := logs()
	f.Add(raw[4096 : 4096+65536])
	f.Add(raw[4096 : 4096+5000])
	f.Fuzz(func(t *testing.T, chunk []byte) {
		head := bytes.Clone(raw[:4096])
		all := append(head, chunk...)
		events, _ := read(t, all)
		if len(events) > len(all)/recordLeast {
			t.Errorf("%d events in %d bytes", len(events), len(all))
		}
	})
}
