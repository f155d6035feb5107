package stored

import (
	"bytes"
	"fmt"
	"io"
	"reflect"
	"testing"

	"waybill/internal/synth"
	"waybill/internal/telemetry/winevent"
	"waybill/internal/telemetry/winlog"
)

func source(t testing.TB) winlog.Log {
	n := synth.New(1)
	a, b := n.Host("SRV-01", "10.0.0.1"), n.Host("WS-02", "10.0.0.2")
	for i := range 200 {
		n.SharePut(a, b, `CORP\müller`, "C$", fmt.Sprintf(`Temp\tool-%d.exe`, i))
	}
	n.Logs[3].Failure = true
	raw := n.Logs.EVTX()
	l, err := winlog.Open(winlog.EVTX, bytes.NewReader(raw), int64(len(raw)), nil)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// events gives all events of a log, copied.
func events(l winlog.Log) (out []winevent.Event, err error) {
	var b winlog.Batch
	for {
		if err := l.Next(&b); err == io.EOF {
			return out, nil
		} else if err != nil {
			return out, err
		}
		for _, e := range b.Events {
			e.Fields = append([]winevent.Field{}, e.Fields...)
			out = append(out, e)
		}
	}
}

func store(t testing.TB) []byte {
	var file bytes.Buffer
	w, err := NewWriter(&file)
	if err != nil {
		t.Fatal(err)
	}
	l := source(t)
	var b winlog.Batch
	for l.Next(&b) == nil {
		if err := w.Batch(&b); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close([]string{"offset 7: a hole"}, 4711); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func TestRoundTrip(t *testing.T) {
	want, err := events(source(t))
	if err != nil {
		t.Fatal(err)
	}
	l, err := Open(bytes.NewReader(store(t)))
	if err != nil {
		t.Fatal(err)
	}
	got, err := events(l)
	if err != nil || len(got) != len(want) {
		t.Fatalf("%d events of %d, %v", len(got), len(want), err)
	}
	for i := range got {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Fatalf("event %d: %+v instead of %+v", i, got[i], want[i])
		}
	}
	if d := l.Damage(); len(d) != 1 || d[0] != "offset 7: a hole" {
		t.Errorf("damage %q", d)
	}
}

// TestDamaged refuses what is cut or changed, wherever.
func TestDamaged(t *testing.T) {
	whole := store(t)
	for _, n := range []int{0, 5, len(Magic), len(Magic) + 20, len(whole) / 2, len(whole) - 1} {
		l, err := Open(bytes.NewReader(whole[:n]))
		if err != nil {
			continue
		}
		if _, err := events(l); err == nil {
			t.Errorf("cut at %d of %d: no error", n, len(whole))
		}
	}
	changed := bytes.Clone(whole)
	changed[len(changed)/2] ^= 0x40
	if l, err := Open(bytes.NewReader(changed)); err == nil {
		if _, err := events(l); err == nil {
			t.Error("a changed byte: no error")
		}
	}
}

func FuzzStored(f *testing.F) {
	f.Add(store(f)[len(Magic):])
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := Open(io.MultiReader(bytes.NewReader([]byte(Magic)), bytes.NewReader(b)))
		if err != nil {
			return
		}
		events(l)
	})
}
