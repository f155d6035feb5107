package winlog

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf16"

	"waybill/internal/model"
	"waybill/internal/synth"
	"waybill/internal/telemetry/logtext"
	"waybill/internal/telemetry/winevent"
)

func logs() synth.Logs {
	n := synth.New(1)
	a, b := n.Host("SRV-01", "10.0.0.1"), n.Host("WS-02", "10.0.0.2")
	for i := range 40 {
		n.SharePut(a, b, `CORP\müller`, "C$", fmt.Sprintf(`Temp\"tool" & <%d>.exe`, i))
		n.Sleep(1_700_000_000)
	}
	return n.Logs.Sorted()
}

// forms are the same events in each form that is read.
func forms() map[string][]byte {
	l := logs()
	utf16le := func(b []byte, mark bool) []byte {
		var out []byte
		units := utf16.Encode([]rune(string(b)))
		if mark {
			units = append([]uint16{0xfeff}, units...)
		}
		for _, u := range units {
			out = append(out, byte(u), byte(u>>8))
		}
		return out
	}
	list := append([]byte("[\n"), bytes.ReplaceAll(bytes.TrimSpace(l.Winlogbeat()), []byte("\n"), []byte(",\n"))...)
	pretty := bytes.ReplaceAll(l.EvtxDump(), []byte(`{"Event":`), []byte("{\n  \"Event\":\n"))
	splunk := []byte("\"_raw\",\"_time\",host\n")
	for _, line := range bytes.SplitAfter(bytes.TrimSpace(l.XML()), []byte("</Event>")) {
		if i := bytes.Index(line, []byte("<Event ")); i >= 0 {
			splunk = append(splunk, `"`+strings.ReplaceAll(string(line[i:]), `"`, `""`)+"\",now,WS-02\n"...)
		}
	}
	return map[string][]byte{
		"Splunk's XML in CSV": splunk, "EVTX": l.EVTX(), "Winlogbeat": l.Winlogbeat(), "evtx_dump": l.EvtxDump(), "NXLog": l.NXLog(7), "wevtutil XML": l.XML(), "EvtxECmd CSV": l.EvtxECmdCSV(),
		"a list": append(list, "\n]\n"...), "values over lines": pretty,
		"UTF-16 with mark": utf16le(l.Winlogbeat(), true), "UTF-16 without": utf16le(l.EvtxDump(), false), "UTF-16 XML": utf16le(l.XML(), true),
		"UTF-8 with mark": append([]byte{0xef, 0xbb, 0xbf}, l.Winlogbeat()...), "CSV with mark": append([]byte{0xef, 0xbb, 0xbf}, l.EvtxECmdCSV()...),
		"lines with CR": bytes.ReplaceAll(l.Winlogbeat(), []byte("\n"), []byte("\r\n")), "no end of line": bytes.TrimSpace(l.Winlogbeat()),
	}
}

func open(t testing.TB, raw []byte) Log {
	l, err := Open(Kind(raw[:min(len(raw), 64<<10)]), bytes.NewReader(raw), int64(len(raw)), nil)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// read gives all events of a log, copied.
func read(t testing.TB, l Log) (out []winevent.Event, bytes int64) {
	var b Batch
	for {
		err := l.Next(&b)
		bytes += b.Bytes
		if err == io.EOF {
			return out, bytes
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range b.Events {
			e.Fields = append([]winevent.Field{}, e.Fields...)
			out = append(out, e)
		}
	}
}

// TestForms reads the same events in every form: they are the same.
func TestForms(t *testing.T) {
	want := logs()
	for name, raw := range forms() {
		l := open(t, raw)
		got, n := read(t, l)
		if len(l.Damage()) > 0 || len(got) != len(want) {
			t.Errorf("%s: %d events instead of %d, damage %v", name, len(got), len(want), l.Damage())
			continue
		}
		if name != "EVTX" && n != int64(len(raw)) {
			t.Errorf("%s: %d bytes counted of %d", name, n, len(raw))
		}
		for i := range got {
			same(t, name, &got[i], &want[i])
		}
	}
}

func same(t *testing.T, name string, e *winevent.Event, w *synth.Logged) {
	t.Helper()
	d := e.Time - w.Time
	if int(e.ID) != w.ID || e.Computer != w.Computer || e.Channel != w.Channel || e.Record != w.Record || e.Failure != w.Failure || d > 1e9 || d < -1e9 {
		t.Fatalf("%s: %+v instead of %+v", name, e, w)
	}
	for _, f := range w.Data {
		if got := e.Get(f[0]); got != f[1] && f[1] != "-" {
			t.Fatalf("%s: record %d: %s is %q instead of %q", name, w.Record, f[0], got, f[1])
		}
	}
}

func TestKind(t *testing.T) {
	for raw, want := range map[string]string{
		"": "", "text": "", "{}": "", `{"a":1}` + "\n": "", "[1,2]": "", "<html></html>": "", "a,b\n1,2\n": "",
		`{"ts":1.5,"uid":"C1","id.orig_h":"10.0.0.1"}` + "\n": "", `{"event_type":"alert","src_ip":"10.0.0.1"}` + "\n": "",
		"ElfFile\x00rest": EVTX,
	} {
		if got := Kind([]byte(raw)); got != want {
			t.Errorf("%q is %q instead of %q", raw, got, want)
		}
	}
}

// TestHunting reads rows of Defender's tables.
func TestHunting(t *testing.T) {
	table := "Timestamp,DeviceId,DeviceName,ActionType,FileName,FolderPath,SHA256,InitiatingProcessFileName,InitiatingProcessFolderPath,InitiatingProcessId,RequestProtocol,RequestSourceIP,RequestAccountName,ShareName\n" +
		`2026-03-17T09:00:01.5Z,d1,srv-01.corp.test,FileCreated,a.exe,C:\Windows\Temp\a.exe,AB12,ntoskrnl.exe,,4,Smb,10.0.0.31,bob,ADMIN$` + "\n" +
		`2026-03-17T09:00:02Z,d1,srv-01.corp.test,FileDeleted,b.exe,C:\b.exe,,x.exe,,9,,,,` + "\n"
	l := open(t, []byte(table))
	got, _ := read(t, l)
	if len(got) != 2 || len(l.Damage()) > 0 {
		t.Fatalf("%d events, %v", len(got), l.Damage())
	}
	e := &got[0]
	if e.Provider != winevent.Hunting || e.ID != 11 || e.Computer != "srv-01.corp.test" || e.Get("TargetFilename") != `C:\Windows\Temp\a.exe` ||
		e.Get("RequestSourceIP") != "10.0.0.31" || e.Get("Hashes") != "SHA256=AB12" || e.Get("ShareName") != "ADMIN$" || e.Time.String() != "2026-03-17T09:00:01.500000000Z" {
		t.Errorf("%+v", e)
	}
	if got[1].Wanted() {
		t.Errorf("a deletion is read: %+v", got[1])
	}
}

// TestBadLines names what is broken by its line and reads the rest.
func TestBadLines(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(string(logs().Winlogbeat())), "\n")
	whole := len(lines)
	long := `{"winlog":{"event_id":"1","event_data":{"a":"` + strings.Repeat("x", logtext.Max) + `"}}}`
	lines[3] = lines[3][:len(lines[3])/2]
	lines[7] = "\x00\xff\xfe not JSON"
	lines[9] = long
	lines[11] = `{"@timestamp":"2026-03-17T09:00:00Z","message":"no event"}`
	lines[12] = `{"winlog":{"event_id":{"a":[1]},"channel":7,"computer_name":null,"record_id":"x","event_data":"words"},"@timestamp":"tomorrow"}`
	l := open(t, []byte(strings.Join(lines, "\n")))
	got, _ := read(t, l)
	if len(got) != whole-5 {
		t.Errorf("%d events of %d", len(got), whole)
	}
	damage := strings.Join(l.Damage(), "\n")
	for _, want := range []string{"line 4: no JSON", "line 8: no JSON", "line 10: longer than 16 MiB"} {
		if !strings.Contains(damage, want) {
			t.Errorf("no word of %q in:\n%s", want, damage)
		}
	}
	if n := strings.Count(damage, "\n") + 1; n != 3 {
		t.Errorf("%d places of damage:\n%s", n, damage)
	}
}

// TestLongFirst: a log whose first line is longer than what is looked at is a log.
func TestLongFirst(t *testing.T) {
	long := `{"winlog":{"event_id":"1","computer_name":"a","event_data":{"a":"` + strings.Repeat("x", logtext.Max) + `"}}}` + "\n"
	l := open(t, append([]byte(long), logs().Winlogbeat()...))
	got, _ := read(t, l)
	if len(got) != len(logs()) || len(l.Damage()) != 1 || l.Damage()[0] != "line 1: longer than 16 MiB: passed over" {
		t.Errorf("%d events, %q", len(got), l.Damage())
	}
	if Kind([]byte(`{"a":"`+strings.Repeat("x", logtext.HeadSize))) != "" {
		t.Error("any long line is taken for a log")
	}
}

// TestTimes: a time in the far future or none at all is no reason to stop.
func TestTimes(t *testing.T) {
	for _, stamp := range []string{"9999-12-31T23:59:59Z", "2262-04-12T00:00:00Z", "", "yesterday", "-1", "1e300", "0001-01-01T00:00:00Z"} {
		line := strings.Replace(string(logs()[:1].Winlogbeat()), `"@timestamp":"`, `"@timestamp":"`+stamp+`","was":"`, 1)
		line = strings.Replace(line, `"UtcTime"`, `"Utc"`, 1)
		got, _ := read(t, open(t, []byte(line)))
		if len(got) != 1 || got[0].Time < 0 || got[0].Time > model.Time(1<<63-1) {
			t.Errorf("%q: %d events, %+v", stamp, len(got), got)
		}
	}
}

func FuzzLog(f *testing.F) {
	for name, raw := range forms() {
		if name != "EVTX" {
			f.Add(raw[:min(len(raw), 3000)])
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		kind := Kind(raw)
		if kind == "" {
			return
		}
		l, err := Open(kind, bytes.NewReader(raw), int64(len(raw)), nil)
		if err != nil {
			return
		}
		if got, _ := read(t, l); len(got) > len(raw) {
			t.Errorf("%d events in %d bytes", len(got), len(raw))
		}
	})
}
