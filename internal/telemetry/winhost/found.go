package winhost

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"path"
	"slices"
	"strconv"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/cmdline"
	"waybill/internal/telemetry/winevent"
)

// id is an observation's id: computer, channel and record, else the line (contract).
// The computer is named without its domain, which not all collectors keep.
func (h *host) id(e *winevent.Event) string {
	return h.idOf(&model.Evidence{Input: h.s.o.Inputs[e.Input], Channel: e.Channel, Record: e.Record, Line: e.Line})
}

// idOf is the id of an observation by its evidence; what tells it from others that
// rest on the same event comes behind.
func (h *host) idOf(e *model.Evidence, more ...string) string {
	record := strconv.FormatUint(e.Record, 10)
	if e.Record == 0 {
		record = path.Base(e.Input) + ":" + strconv.Itoa(e.Line)
	}
	return digest(append([]string{"log", h.bare, strings.ToLower(e.Channel), record}, more...)...)
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
	if h.s.out.Moved(tr) {
		h.mine = append(h.mine, side0{tr, side})
	}
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
	l := &landed{transfer: tr, path: local, time: t}
	h.lands(l)
	if archives[extension(local)] {
		h.unpackedSince(l)
	}
}

// lands does it for a file that came, or came out of one that did.
func (h *host) lands(l *landed) {
	tr, local, t := l.transfer, l.path, l.time
	l.stem = strings.TrimSuffix(local, "."+extension(local))
	if old := h.landed[local]; old == nil {
		h.landedQ = append(h.landedQ, local)
	} else if old.transfer != tr && old.time < t {
		// What was started since is the new file.
		old.transfer.Executed = slices.DeleteFunc(old.transfer.Executed, func(x model.Execution) bool { return x.Time >= t-2e9 })
		old.transfer.Hashes = slices.DeleteFunc(old.transfer.Hashes, func(x model.Hash) bool {
			return x.Time >= t-2e9 && (x.From == "process-start" || x.From == "module-load")
		})
	}
	h.landed[local], h.stems[l.stem] = l, l
	if len(h.landedQ) > maxLanded {
		if old := h.landed[h.landedQ[0]]; old != nil && h.stems[old.stem] == old {
			delete(h.stems, old.stem)
		}
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
	h.usesDrive(&x)
	h.startedOut(&x)
	if l := h.landed[x.image]; l != nil {
		h.executed(l, &x)
	} else if x.mayName() {
		for _, l := range h.namedOn(x.command) {
			if l.runBy(&x) {
				h.executed(l, &x)
			}
		}
	}
	_, name := splitPath(x.image)
	if h.s.o.Interest[name] && h.landed[x.image] == nil {
		h.s.out.Starts = append(h.s.out.Starts, telemetry.Start{Host: h.end, Image: x.shown, Execution: x.execution()})
	}
}

// mayName says whether the start can run a file that its command line names.
func (x *start) mayName() bool {
	return x.command != "" && x.how != "module-load" && (x.how != "process" || launchers[baseName(x.image)])
}

// maxPath is the longest path that is looked for on a command line.
const maxPath = 260

// namedOn finds the files that came among the paths on a command line, with or
// without their extension.
func (h *host) namedOn(command string) []*landed {
	if len(h.landed) == 0 {
		return nil
	}
	line := rooted(strings.ToLower(command))
	var out []*landed
	for i := 1; i+1 < len(line); i++ {
		if line[i] != ':' || line[i+1] != '\\' || line[i-1] < 'a' || line[i-1] > 'z' {
			continue
		}
		for j := i + 2; j <= len(line) && j-i < maxPath; j++ {
			if j < len(line) && (wordByte(line[j]) || line[j] == '\\' || line[j] == '.') {
				continue
			}
			path := line[i-1 : j]
			if l := cmp.Or(h.landed[path], h.stems[path]); l != nil && !slices.Contains(out, l) {
				out = append(out, l)
			}
			if j == len(line) || line[j] == '"' || line[j] == '\'' {
				break
			}
		}
	}
	return out
}

// rooted writes out the forms in which services name the system's folder.
func rooted(line string) string {
	if !strings.ContainsAny(line, `%\\`) {
		return line
	}
	return systemFolder.Replace(line)
}

var systemFolder = strings.NewReplacer(`%systemroot%\`, `c:\windows\`, `%windir%\`, `c:\windows\`, `\systemroot\`, `c:\windows\`)

// runBy says whether a start runs the file: it is the image, or a program that
// runs what others wrote (rundll32, a shell) names it on its command line.
func (l *landed) runBy(x *start) bool {
	if x.image == l.path {
		return true
	}
	if !x.mayName() || l.stem == "" {
		return false
	}
	line := rooted(strings.ToLower(x.command))
	for at := 0; ; {
		i := strings.Index(line[at:], l.stem)
		if i < 0 {
			return false
		}
		i += at
		at = i + len(l.stem)
		rest := line[at:]
		if ext, ok := strings.CutPrefix(rest, l.path[len(l.stem):]); ok {
			rest = ext
		}
		if wordEnd(rest) && (x.how != "process" || !handles(line[:i])) {
			return true
		}
	}
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
	"7z 7za 7zr rar unrar unzip tar extrac32 expand-archive compress-archive compact fc comp mkdir md rd rmdir copy-item move-item remove-item get-item get-content set-content get-filehash test-path new-item out-file rm cp mv cat ls")

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
	if x.image == l.path && !l.inner {
		addHashes(tr, x.hashes)
		tr.OriginalName, tr.Company = cmp.Or(tr.OriginalName, x.original), cmp.Or(tr.Company, x.company)
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

// starters are the programs that start others at somebody's word, with that word.
var starters = map[string]string{"services.exe": "service", "psexesvc.exe": "service", "wmiprvse.exe": "wmi", "scrcons.exe": "wmi", "wsmprovhost.exe": "winrm",
	"winrshost.exe": "winrm", "taskeng.exe": "task", "taskhostw.exe": "task", "mmc.exe": "dcom"}

// startedBy tells by its parent what started a process. The scheduler is a service in a
// host process of many (svchost -s Schedule).
func startedBy(parent, command string) string {
	name := baseName(parent)
	if name == "svchost.exe" && strings.HasSuffix(strings.TrimSpace(strings.ToLower(command)), "schedule") {
		return "task"
	}
	return starters[name]
}

func (x *start) execution() model.Execution {
	out := model.Execution{Time: x.time, How: x.how, Process: x.shown, Command: cmdline.Redact(x.command), User: x.user, PID: x.pid, Parent: x.parent, By: x.by, Evidence: []model.Evidence{x.evidence}}
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
	for _, a := range h.asking {
		a.Source.Host, a.Source.IP = h.name, h.end.IP
	}
	for _, m := range h.mine {
		if !h.s.makers && m.side == model.ByDestination && m.transfer.Company == noMaker {
			m.transfer.Company = "" // the logs say so of all
		}
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
