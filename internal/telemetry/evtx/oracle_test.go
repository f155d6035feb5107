package evtx

import (
	"bytes"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/Velocidex/ordereddict"
	oracle "www.velocidex.com/golang/evtx"

	"waybill/internal/telemetry/winevent"
)

// TestOracle compares all events that are read with what the library finds in the
// public logs.
func TestOracle(t *testing.T) {
	corpus := filepath.Join("..", "..", "..", "..", "shared", "corpus", "host")
	if _, err := os.Stat(corpus); err != nil {
		t.Skip("the corpus of public logs is absent: ../shared/corpus/host")
	}
	files, compared := 0, 0
	err := filepath.WalkDir(corpus, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".evtx") {
			return err
		}
		files++
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		compared += compare(t, filepath.Base(path), raw)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if compared == 0 {
		t.Error("nothing was compared")
	}
	t.Logf("%d files, %d events", files, compared)
}

// compare reads a log in both ways.
func compare(t *testing.T, name string, raw []byte) int {
	f, err := Open(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return 0
	}
	ours := map[string]winevent.Event{}
	var c Chunk
	records := 0
	for i := range f.Chunks() {
		if err := f.Read(i, &c); err != nil {
			t.Error(err)
		}
		records += len(c.Events)
		for _, e := range c.Events {
			if !e.Wanted() {
				continue
			}
			e.Fields = slices.Clone(e.Fields)
			ours[fmt.Sprint(e.Computer, e.Channel, e.Record)] = e
		}
	}
	chunks, err := oracle.GetChunks(bytes.NewReader(raw))
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return 0
	}
	theirs, compared, flat := 0, 0, 0
	for _, chunk := range chunks {
		all, err := chunk.Parse(0)
		if err != nil {
			continue
		}
		for _, r := range all {
			theirs++
			// In events without a template the library has the id as a text elsewhere.
			if _, ok := ordereddict.GetInt(r.Event.(*ordereddict.Dict), "Event.System.EventID.Value"); !ok {
				flat++
			}
			if compareEvent(t, name, ours, r.Event.(*ordereddict.Dict)) {
				compared++
			}
		}
	}
	if records < theirs {
		t.Errorf("%s: %d records, the library has %d", name, records, theirs)
	}
	if compared > len(ours) || compared+flat < len(ours) {
		t.Errorf("%s: %d events, %d in the library", name, len(ours), compared)
	}
	return compared
}

// compareEvent says whether the library's event is one that is read.
func compareEvent(t *testing.T, name string, ours map[string]winevent.Event, d *ordereddict.Dict) bool {
	channel, _ := ordereddict.GetString(d, "Event.System.Channel")
	computer, _ := ordereddict.GetString(d, "Event.System.Computer")
	provider, _ := ordereddict.GetString(d, "Event.System.Provider.Name")
	id, _ := ordereddict.GetInt(d, "Event.System.EventID.Value")
	record, _ := ordereddict.GetInt(d, "Event.System.EventRecordID")
	if !winevent.Wanted(winevent.ProviderOf(provider, channel), uint16(id)) {
		return false
	}
	e, ok := ours[fmt.Sprint(computer, channel, uint64(record))]
	if !ok {
		t.Errorf("%s: record %d %s/%d of %s is missing", name, record, provider, id, computer)
		return false
	}
	data, ok := ordereddict.GetMap(d, "Event.EventData")
	if !ok {
		return true
	}
	for _, key := range data.Keys() {
		v, _ := data.Get(key)
		want := fmt.Sprint(v)
		got := e.Get(key)
		if got != want && want != "-" && want != "?" && !sameValue(got, want) {
			t.Errorf("%s: record %d: %s is %q, the library has %q", name, record, key, got, want)
		}
	}
	return true
}

// sameValue allows for the library's ways of writing numbers, GUIDs and times.
func sameValue(got, want string) bool {
	if strings.EqualFold(strings.Trim(got, "{}"), strings.Trim(want, "{}")) || strings.TrimRight(got, " \x00") == strings.TrimRight(want, " \x00") {
		return true
	}
	a, err1 := strconv.ParseUint(got, 0, 64)
	b, err2 := strconv.ParseUint(want, 0, 64)
	if err1 == nil && err2 == nil && a == b {
		return true
	}
	if at, err := time.Parse(time.RFC3339Nano, got); err == nil {
		seconds, err := strconv.ParseFloat(want, 64)
		return err == nil && math.Abs(float64(at.UnixNano())/1e9-seconds) < 0.01
	}
	return got == "" && (want == "<nil>" || want == "0" || want == "[]")
}
