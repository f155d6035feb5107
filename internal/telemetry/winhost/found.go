package winhost

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry/cmdline"
	"waybill/internal/telemetry/winevent"
)

// id is an observation's id: computer, channel and record, else the line (contract).
func (h *host) id(e *winevent.Event) string {
	record := fmt.Sprint(e.Record)
	if e.Record == 0 {
		record = fmt.Sprintf("%s:%d", path.Base(h.s.o.Inputs[e.Input]), e.Line)
	}
	return digest("log", strings.ToLower(e.Computer), strings.ToLower(e.Channel), record)
}

func digest(parts ...string) string {
	sum := sha256.New()
	for _, p := range parts {
		sum.Write([]byte(p))
		sum.Write([]byte{0})
	}
	return "t-" + hex.EncodeToString(sum.Sum(nil)[:8])
}

// found says a movement. side is the end that this host is.
func (h *host) found(tr *model.Transfer, side string) {
	tr.Kind = "transfer"
	h.s.out.Transfers = append(h.s.out.Transfers, tr)
	h.mine = append(h.mine, side0{tr, side})
}

// side0 is a transfer and which of its ends this host is.
type side0 struct {
	transfer *model.Transfer
	side     string
}

// land remembers a file that came, and ties the starts to it that were seen since.
func (h *host) land(tr *model.Transfer, local string, t model.Time) {
	if local == "" || tr.Status == model.Denied {
		return
	}
	ext := extension(local)
	l := &landed{transfer: tr, path: local, stem: strings.TrimSuffix(local, "."+ext), time: t}
	if old := h.landed[local]; old == nil {
		h.landedQ = append(h.landedQ, local)
	} else if old.transfer != tr && old.time < t {
		// What was started since is the new file.
		old.transfer.Executed = slices.DeleteFunc(old.transfer.Executed, func(x model.Execution) bool { return x.Time >= t-2e9 })
	}
	h.landed[local] = l
	if len(h.landedQ) > maxLanded {
		delete(h.landed, h.landedQ[0])
		h.landedQ = h.landedQ[1:]
	}
	for _, x := range h.said {
		if x.path == local && x.time >= t-2e9 {
			x.apply(tr)
		}
	}
	for _, list := range [][]start{h.services, h.starts, h.loads} {
		for i := range list {
			if x := &list[i]; x.time >= t-2e9 && l.runBy(x) {
				h.executed(l, x)
			}
		}
	}
}

// runs says whether something of this path was started after a time.
func (h *host) runs(local string, t model.Time) bool {
	if local == "" {
		return false
	}
	l := &landed{path: local, stem: strings.TrimSuffix(local, "."+extension(local))}
	return slices.ContainsFunc(h.starts, func(x start) bool { return x.time >= t-2e9 && l.runBy(&x) })
}

// begun ties a start to the file that came before it.
func (h *host) begun(x start) {
	if l := h.landed[x.image]; l != nil {
		h.executed(l, &x)
	} else if x.command != "" && x.how != "module-load" {
		for _, l := range h.landed {
			if l.runBy(&x) {
				h.executed(l, &x)
			}
		}
	}
	_, name := splitPath(x.image)
	if h.s.o.Interest[name] && h.landed[x.image] == nil {
		h.s.out.Starts = append(h.s.out.Starts, Start{Host: h.end, Image: x.shown, Execution: x.execution()})
	}
}

// runBy says whether a start runs the file: it is the image, or a program that
// runs what others wrote (rundll32, a shell) names it on its command line.
func (l *landed) runBy(x *start) bool {
	if x.image == l.path {
		return true
	}
	if x.how == "module-load" {
		return false
	}
	line := strings.ToLower(x.command)
	i := strings.Index(line, l.stem)
	if i < 0 {
		return x.how == "service" && l.underRoot(line)
	}
	rest := line[i+len(l.stem):]
	if ext, ok := strings.CutPrefix(rest, l.path[len(l.stem):]); ok {
		rest = ext
	}
	return wordEnd(rest) && (x.how == "service" || launchers[baseName(x.image)] && !handles(line[:i]))
}

// handles says whether what stands before a file on a command line only handles it:
// copies, shows or deletes it, and does not run it.
func handles(before string) bool {
	before = before[strings.LastIndexAny(before, "&|;(")+1:]
	for word := range strings.FieldsFuncSeq(before, func(r rune) bool { return r == ' ' || r == '"' || r == '\'' || r == '\t' || r == '@' }) {
		if strings.HasSuffix(word, ">") || handling[strings.TrimSuffix(baseName(word), ".exe")] {
			return true
		}
	}
	return false
}

// handling are commands that take a file's name and do not run it.
var handling = set("copy xcopy robocopy move del erase ren rename type more find findstr dir echo if attrib icacls cacls takeown certutil expand makecab " +
	"compact fc comp mkdir md rd rmdir copy-item move-item remove-item get-item get-content set-content get-filehash test-path new-item out-file rm cp mv cat ls")

// underRoot takes a service's %SystemRoot%.
func (l *landed) underRoot(line string) bool {
	tail, ok := strings.CutPrefix(l.path, `c:\windows\`)
	if !ok {
		return false
	}
	for _, root := range []string{`%systemroot%\`, `%windir%\`, `\systemroot\`} {
		if i := strings.Index(line, root+tail); i >= 0 && wordEnd(line[i+len(root)+len(tail):]) {
			return true
		}
	}
	return false
}

// launchers run what their command line names.
var launchers = set("rundll32.exe regsvr32.exe cmd.exe powershell.exe pwsh.exe wscript.exe cscript.exe mshta.exe msbuild.exe installutil.exe " +
	"regasm.exe regsvcs.exe msiexec.exe java.exe javaw.exe python.exe pythonw.exe cmstp.exe odbcconf.exe forfiles.exe wmic.exe schtasks.exe")

func baseName(p string) string {
	_, n := splitPath(p)
	return n
}

// landedFor is how long after it came a file's start is tied to its coming.
const landedFor model.Time = 24 * 3600e9

// maxExecutions bounds what is told of one file.
const maxExecutions = 16

// executed notes a start of a file that came.
func (h *host) executed(l *landed, x *start) {
	tr := l.transfer
	if x.time < l.time-2e9 || x.time-l.time > landedFor {
		return
	}
	for _, hash := range x.hashes {
		if x.image == l.path && !slices.ContainsFunc(tr.Hashes, func(o model.Hash) bool { return o.Alg == hash.Alg && o.Value == hash.Value && o.From == hash.From }) {
			tr.Hashes = append(tr.Hashes, hash)
		}
	}
	if x.image == l.path && tr.OriginalName == "" {
		tr.OriginalName = x.original
	}
	h.confirm(tr)
	for i := range tr.Executed {
		// The same start from another log.
		if o := &tr.Executed[i]; o.How == x.how && strings.EqualFold(o.Process, x.shown) && max(o.Time-x.time, x.time-o.Time) < 2e9 {
			o.Evidence = appendEvidence(o.Evidence, x.evidence)
			o.User, o.PID, o.Command = cmp.Or(o.User, x.user), cmp.Or(o.PID, x.pid), cmp.Or(o.Command, cmdline.Redact(x.command))
			return
		}
	}
	if len(tr.Executed) < maxExecutions {
		tr.Executed = append(tr.Executed, x.execution())
	}
}

func appendEvidence(all []model.Evidence, e model.Evidence) []model.Evidence {
	if slices.Contains(all, e) || len(all) >= maxWriteEvidence {
		return all
	}
	return append(all, e)
}

func (x *start) execution() model.Execution {
	out := model.Execution{Time: x.time, How: x.how, Process: x.shown, Command: cmdline.Redact(x.command), User: x.user, PID: x.pid, Evidence: []model.Evidence{x.evidence}}
	if x.how == "module-load" {
		out.Process, out.Command = x.command, "" // the process that loaded it
	}
	return out
}

// finish fills in this host's end of what it said.
func (h *host) finish() {
	for _, a := range h.accesses {
		a.Destination.Host, a.Destination.IP = h.name, h.end.IP
	}
	for _, m := range h.mine {
		end := &m.transfer.Destination
		if m.side == "" {
			continue // ordered here, moved between others
		}
		if m.side == model.BySource {
			end = &m.transfer.Source
		}
		end.Host = h.name
		h.cleared(m.transfer)
		if !end.IP.Known() {
			end.IP = h.address(max(m.transfer.Start, m.transfer.End))
		}
	}
}
