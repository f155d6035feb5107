package winhost

import (
	"encoding/xml"
	"io"
	"slices"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/cmdline"
	"waybill/internal/telemetry/winevent"
)

// later is what was said of a file before it was decided that the file came.
type later struct {
	time  model.Time
	path  string
	apply func(*model.Transfer)
}

// about applies what an event says of a file that came: now, or when it is decided
// that it did.
func (h *host) about(path string, t model.Time, apply func(*model.Transfer)) {
	if h.open[path] > 0 { // one that is coming is newer than one that came
		if len(h.said) < maxFacts {
			h.said = append(h.said, later{t, strings.Clone(path), apply})
		}
		return
	}
	if l := h.landed[path]; l != nil && t >= l.time-2e9 && t-l.time < landedFor {
		apply(l.transfer)
	}
}

// deleted takes Sysmon 23 and 26: a file that came was removed again. The event has
// the hash of what was removed.
func (h *host) deleted(e *winevent.Event) {
	path := strings.ToLower(e.Get("TargetFilename"))
	if h.landed[path] == nil && h.open[path] == 0 {
		return
	}
	at, evidence, sums := e.Time, h.evidence(e, eventName(e)+" file delete"), hashes(e.Get("Hashes"), "delete", e.Time)
	h.about(path, at, func(tr *model.Transfer) {
		tr.Deleted = &model.Deleted{Time: at}
		tr.Evidence = appendEvidence(tr.Evidence, evidence)
		addHashes(tr, sums)
	})
}

// detected takes Sysmon 29 and 27: an executable was written, with its hash, or its
// writing was blocked when its bytes had crossed the wire already.
func (h *host) detected(e *winevent.Event) {
	path := strings.ToLower(e.Get("TargetFilename"))
	sums := hashes(e.Get("Hashes"), "file-create", e.Time)
	if e.ID == 27 {
		h.creation(e)
	}
	if l := h.landed[path]; l != nil && e.Time-l.time < patience {
		addHashes(l.transfer, sums)
		return
	}
	for i := range h.created {
		if c := &h.created[i]; c.path == path {
			c.hashes = sums
			c.blocked = c.blocked || e.ID == 27
		}
	}
}

// addHashes adds a log's word about a content, once for each place that it was taken.
func addHashes(tr *model.Transfer, sums []model.Hash) {
	for _, s := range sums {
		if !slices.ContainsFunc(tr.Hashes, func(o model.Hash) bool { return o.Alg == s.Alg && o.Value == s.Value && o.From == s.From }) {
			tr.Hashes = append(tr.Hashes, s)
		}
	}
}

// threat takes Defender's 1116 and 1117: what it says of a file that came.
func (h *host) threat(e *winevent.Event) {
	for part := range strings.SplitSeq(e.First("Path", "Path "), ";") {
		path := strings.ToLower(strings.TrimSpace(part))
		for _, scheme := range []string{"containerfile:_", "file:_", "process:_"} {
			path = strings.TrimPrefix(path, scheme)
		}
		if h.landed[path] == nil && h.open[path] == 0 {
			continue
		}
		note, evidence := "Defender found "+strings.Clone(e.First("Threat Name", "ThreatName")), h.evidence(e, eventName(e)+" threat")
		h.about(path, e.Time, func(tr *model.Transfer) {
			if !slices.Contains(tr.Notes, note) {
				tr.Notes = append(tr.Notes, note)
				tr.Evidence = appendEvidence(tr.Evidence, evidence)
			}
		})
	}
}

// task takes 4698 and 4702: what a scheduled task runs may move a file, and is a
// start to come.
func (h *host) task(e *winevent.Event) {
	var content struct {
		Exec []struct {
			Command   string
			Arguments string
		} `xml:"Actions>Exec"`
	}
	text := e.First("TaskContent", "TaskContentNew")
	d := xml.NewDecoder(strings.NewReader(text))
	d.Strict = false
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // it says UTF-16 and is a text of ours
	if d.Decode(&content) != nil {
		return
	}
	for _, x := range content.Exec {
		line := strings.TrimSpace(x.Command + " " + x.Arguments)
		s := start{time: e.Time, image: strings.ToLower(x.Command), shown: strings.Clone(e.Get("TaskName")), command: line, how: "task",
			user: account(e.Get("SubjectDomainName"), e.Get("SubjectUserName")), evidence: h.evidence(e, eventName(e)+" task registered")}
		if m := cmdline.Read(line); len(m.Moves) > 0 {
			h.read(&s, m)
		}
	}
}

// ran takes TaskScheduler's 200: a task's action was started.
func (h *host) ran(e *winevent.Event) {
	image := strings.Trim(e.Get("ActionName"), `"`)
	if image == "" || h.landed[strings.ToLower(image)] == nil {
		return
	}
	h.begun(start{time: e.Time, image: strings.ToLower(strings.Clone(image)), shown: strings.Clone(image), how: "task", user: strings.Clone(e.Get("UserContext")),
		evidence: h.evidence(e, eventName(e)+" task action started")})
}

// engine takes the classic PowerShell log's 400, which has the command line of the
// process.
func (h *host) engine(e *winevent.Event) {
	for _, f := range e.Fields {
		_, rest, ok := strings.Cut(f.Value, "HostApplication=")
		if !ok {
			continue
		}
		line, _, _ := strings.Cut(rest, "\n")
		line = strings.TrimSpace(line)
		x := start{time: e.Time, shown: "powershell", command: clip(line), how: "script", evidence: h.evidence(e, eventName(e)+" engine started")}
		if movesSomething(line) || encodedCommand(line) {
			h.read(&x, cmdline.Read(line))
		}
		return
	}
}

// asksDesktop takes the Remote Desktop client's 1024 and 1102: to which server it went.
func (h *host) asksDesktop(e *winevent.Event) {
	server := e.First("Value", "Data1", "Param1")
	if server == "" || len(h.desktops) >= maxFacts {
		return
	}
	end := named(strings.Clone(server))
	h.desktops = append(h.desktops, remote{time: e.Time, addr: end.IP, name: end.Host, evidence: h.evidence(e, eventName(e)+" Remote Desktop connection")})
}

// resolved takes Sysmon 22: the name of an address.
func (h *host) resolved(e *winevent.Event) {
	name := e.Get("QueryName")
	for part := range strings.SplitSeq(e.Get("QueryResults"), ";") {
		if a := telemetry.Address(strings.TrimSpace(part)); a.Known() && h.s.o.Inside != nil && h.s.o.Inside(a) {
			h.s.hear(a, name, e.Time)
		}
	}
}
