package eval

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"waybill/internal/model"
	"waybill/internal/telemetry/winevent"
)

// Write makes a world and writes what its sensors log as plain files: Windows events as
// Winlogbeat has them, logs of Zeek as JSON, and what the campaigns did (truth.ndjson).
// Sensors whose records no log has, a capture, are left out.
func Write(ctx context.Context, c Config, t Tier, dir string) error {
	if err := os.MkdirAll(filepath.Join(dir, "zeek"), 0o777); err != nil {
		return err
	}
	w := NewWorld(c)
	f := &files{dir: dir, open: map[string]*file{}}
	eyes := newEyes(w, t, f.event)
	for !w.Done() && f.err == nil && ctx.Err() == nil {
		from := Epoch + model.Time(w.hour)*hour
		w.Hour(eyes.see)
		if (w.hour-1)%24 == 0 {
			daybreak(w, eyes, from)
		}
		eyes.until(from + hour)
		eyes.seen = &Seen{}
	}
	eyes.until(Epoch + model.Time(w.Days+1)*day)
	f.truth(w)
	return cmp.Or(f.close(), ctx.Err())
}

// files are those that are written.
type files struct {
	dir  string
	open map[string]*file
	err  error
}

type file struct {
	*os.File
	*bufio.Writer
}

// line adds an object to a file.
func (f *files) line(name string, v any) {
	if f.err != nil {
		return
	}
	x := f.open[name]
	if x == nil {
		out, err := os.Create(filepath.Join(f.dir, name))
		if err != nil {
			f.err = err
			return
		}
		x = &file{out, bufio.NewWriter(out)}
		f.open[name] = x
	}
	b, err := json.Marshal(v)
	if err == nil {
		_, err = x.Writer.Write(append(b, '\n'))
	}
	if err != nil {
		f.err = err
	}
}

func (f *files) close() error {
	for _, name := range sorted(f.open) {
		x := f.open[name]
		if err := x.Flush(); err != nil && f.err == nil {
			f.err = err
		}
		if err := x.Close(); err != nil && f.err == nil {
			f.err = err
		}
	}
	return f.err
}

// event writes an event of Windows, or a row of Zeek.
func (f *files) event(e *Logged) {
	if e.row != nil {
		f.zeek(e)
		return
	}
	data := map[string]string{}
	for _, d := range e.Fields {
		data[d.Name] = d.Value
	}
	audit := []string{}
	if e.Provider == winevent.Security {
		audit = append(audit, "Audit Success")
	}
	f.line("windows.json", map[string]any{"@timestamp": time.Unix(0, int64(e.Time)).UTC().Format("2006-01-02T15:04:05.000Z"), "agent": map[string]string{"type": "winlogbeat", "version": "8.12.0"},
		"winlog": map[string]any{"provider_name": providerNames[e.Provider], "event_id": strconv.Itoa(int(e.ID)), "channel": e.Channel, "computer_name": e.Computer,
			"record_id": e.Record, "keywords": audit, "event_data": data}})
}

var providerNames = map[winevent.Provider]string{winevent.Security: "Microsoft-Windows-Security-Auditing", winevent.Sysmon: "Microsoft-Windows-Sysmon",
	winevent.ServiceControl: "Service Control Manager", winevent.TaskScheduler: "Microsoft-Windows-TaskScheduler", winevent.BITS: "Microsoft-Windows-Bits-Client",
	winevent.SessionManager: "Microsoft-Windows-TerminalServices-LocalSessionManager"}

// zeek writes a row: numbers, truths and lists as Zeek writes them.
func (f *files) zeek(e *Logged) {
	name := e.row.Stream[len("zeek/"):]
	row := map[string]any{"_path": name}
	for _, d := range e.row.Fields {
		row[d.Name] = zeekValue(d.Name, d.Value)
	}
	f.line(filepath.Join("zeek", name+".log"), row)
}

func zeekValue(name, v string) any {
	switch name {
	case "ts", "id.orig_p", "id.resp_p", "seen_bytes", "total_bytes", "missing_bytes", "overflow_bytes", "orig_bytes", "resp_bytes", "duration", "trans_depth", "status_code", "response_body_len", "size", "rtt", "lease_time", "reply_code", "version":
		return json.Number(v)
	case "is_orig", "timedout", "success", "auth_success":
		return v == "T"
	case "resp_fuids":
		return []string{v}
	}
	return v
}

// truth says what the campaigns did.
func (f *files) truth(w *World) {
	for _, c := range w.Running {
		for _, m := range c.Moves {
			f.line("truth.ndjson", map[string]any{"campaign": c.Name, "number": c.ID, "time": m.Time, "end": m.End, "source": m.Source.FQDN(), "destination": m.Destination.FQDN(),
				"channel": m.Channel, "name": m.Name, "path": m.Path, "sha256": m.Content.SHA256(), "account": m.User, "started": m.Start != nil})
		}
	}
}
