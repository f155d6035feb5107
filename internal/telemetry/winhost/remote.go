package winhost

import (
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/cmdline"
)

// remoteImage says that a program or module on another host's share was run here:
// its bytes were read from there.
func (h *host) remoteImage(x *start) {
	tr := h.ranFrom(x, x.shown)
	if tr == nil {
		return
	}
	tr.Hashes, tr.OriginalName, tr.Company = x.hashes, x.original, x.company
	if x.how == "module-load" {
		tr.Process, tr.Command = x.command, "" // the process that loaded it
	}
}

// remoteScript says so of a script or library that the command line of a program which
// runs such names on another host's share.
func (h *host) remoteScript(x *start) {
	if interpreters[baseName(x.image)] && strings.Contains(x.command, `\\`) {
		if path := uncArgument(x.command); path != "" {
			h.ranFrom(x, path)
		}
	}
}

// remoteService says so of a service whose program lies on another host's share.
func (h *host) remoteService(x *start) {
	path := strings.TrimLeft(x.command, `" `)
	if !strings.HasPrefix(path, `\\`) {
		return
	}
	if end := strings.IndexAny(path, "\"\t"); end > 0 {
		path = path[:end]
	}
	if end := strings.IndexByte(path, ' '); end > 0 && !runnable[extension(path)] {
		path = path[:end]
	}
	if tr := h.ranFrom(x, path); tr != nil {
		tr.Status, tr.Process, tr.Reason = model.Claimed, "", "a service was made that runs it from the share; nothing shows that it ran"
	}
}

// interpreters are the launchers that run here what their command line names.
var interpreters = set("rundll32.exe regsvr32.exe cmd.exe powershell.exe pwsh.exe wscript.exe cscript.exe mshta.exe msbuild.exe installutil.exe regasm.exe regsvcs.exe msiexec.exe java.exe python.exe")

// uncArgument finds the first path on another host that a command line names to be run.
func uncArgument(command string) string {
	for at := 0; ; {
		i := strings.Index(command[at:], `\\`)
		if i < 0 {
			return ""
		}
		i += at
		path, ends := command[i:], " \t,;&|<>\"'"
		if i > 0 && (command[i-1] == '"' || command[i-1] == '\'') {
			ends = command[i-1 : i]
		}
		if end := strings.IndexAny(path, ends); end > 0 {
			path = path[:end]
		}
		if runnable[extension(path)] && !handles(command[:i]) {
			return path
		}
		at = i + len(path)
	}
}

// ranFrom says that a file on another host's share was run here; nil when the path is
// none, or what was said before.
func (h *host) ranFrom(x *start, path string) *model.Transfer {
	server, share, rest, ok := unc(path)
	if !ok || strings.EqualFold(share, "ipc$") || strings.EqualFold(server, "tsclient") || h.isSelf(server) {
		return nil
	}
	key := strings.ToLower(path)
	if tr := h.pulled[key]; tr != nil && x.time-tr.Start < 3600e9 {
		tr.Executed = append(tr.Executed, x.execution())
		return nil
	}
	_, name := splitPath(rest)
	tr := &model.Transfer{ID: h.idOf(&x.evidence),
		Start: x.time, End: x.time, Operation: model.Pull, Initiator: model.ByDestination, Channel: channelOf(path), Share: strings.Clone(share), Path: strings.Clone(rest), Name: strings.Clone(name),
		Source: named(strings.Clone(server)), Completeness: model.Logged, Status: model.Done, InitiatorUser: x.user, Process: x.shown, Command: cmdline.Redact(x.command), PID: x.pid,
		Reason: "it was run from the share: " + model.ReasonLogged, Evidence: []model.Evidence{x.evidence}, Executed: []model.Execution{x.execution()}}
	if len(h.pulled) >= maxLanded {
		clear(h.pulled)
	}
	h.pulled[key] = tr
	h.found(tr, model.ByDestination)
	return tr
}

// named is an endpoint of a name in a path: an address or a host name.
func named(server string) model.Endpoint {
	if a := telemetry.Address(server); a.Known() {
		return model.Endpoint{IP: a}
	}
	return model.Endpoint{Host: server}
}

// remoteDesktop says that a Remote Desktop client wrote a file: the server sent it
// over the redirected drive or the clipboard.
func (h *host) remoteDesktop(c *creation) {
	if clientsOwn(c.path) {
		return
	}
	_, name := splitPath(c.shown)
	tr := &model.Transfer{ID: c.id, Start: c.time, End: c.time, Operation: model.Push, Initiator: model.BySource, Channel: "rdp", Path: c.shown, Name: name,
		Completeness: model.Logged, Status: model.Done, Receiver: &model.Receiver{Process: c.process, PID: c.pid}, InitiatorUser: c.user,
		Reason: "the Remote Desktop client wrote it: " + model.ReasonLogged, Evidence: []model.Evidence{c.evidence}, TimeAssumed: c.assumed}
	if server := h.desktopAt(c); server != nil {
		tr.Source = model.Endpoint{IP: server.addr, Host: server.name, Port: 3389}
		tr.Evidence = append(tr.Evidence, server.evidence)
	} else {
		tr.Reason += "; no log shows to which host the session was"
	}
	h.found(tr, model.ByDestination)
	h.land(tr, c.path, c.time)
}

// clientsOwn are the files that mstsc.exe keeps for itself.
func clientsOwn(path string) bool {
	switch extension(path) {
	case "rdp", "bmc", "tmp":
		return true
	}
	return strings.Contains(path, `\terminal server client\`) || strings.Contains(path, `\recent\`) || strings.Contains(path, `\wer\`)
}

// desktopAt is the server of the Remote Desktop session that a client process had.
func (h *host) desktopAt(c *creation) *remote {
	var last *remote
	for i := range h.desktops {
		if d := &h.desktops[i]; d.time <= c.time+minute && !h.isOwn(d.addr, d.time) {
			last = d
		}
	}
	return last
}

// remoteStartWindow is how near a sign of another host must be for a file that was
// never seen to arrive (contract, inferred).
const remoteStartWindow = minute

// settleStarts looks for programs that were run at another host's word and that nobody
// saw arriving.
func (h *host) settleStarts(t model.Time) {
	for _, list := range [][]start{h.starts, h.services} { // where starts are logged, services say nothing more
		for i := range list {
			if x := &list[i]; x.time <= t && x.time > h.startsDone {
				h.inferred(x)
			}
		}
	}
	if t != lastTime {
		h.startsDone = max(h.startsDone, t)
	}
}

// remoteRunners start programs for other hosts, with what their starts say.
var remoteRunners = map[string]string{
	"services.exe":    "it ran as a service",
	"wmiprvse.exe":    "WMI started it",
	"wsmprovhost.exe": "a remote PowerShell session started it",
}

// inferred says that a program came from the only host that was connected when it was
// run, if its kind of start is one that hosts order from each other.
func (h *host) inferred(x *start) {
	why := remoteRunners[baseName(x.parent)]
	switch {
	case x.how == "service":
		why = "it was made a service"
	case x.parent == "" && x.system: // Sysmon does not always find the parent
		why = remoteRunners["services.exe"]
	}
	shown := oddFile(x)
	path := strings.ToLower(shown)
	if why == "" || path == "" || h.landed[path] != nil || h.local[path] {
		return
	}
	from := h.connectedAt(x.time)
	if from == nil {
		return
	}
	_, name := splitPath(shown)
	tr := &model.Transfer{ID: h.idOf(&x.evidence, "inferred"),
		End: x.time, Operation: model.Push, Initiator: model.BySource, Channel: "smb", Path: shown, Name: name,
		Completeness: model.Inferred, Status: model.Done, Confidence: "low",
		Reason:   why + " while another host was connected, and no log shows how it came",
		Evidence: []model.Evidence{x.evidence}}
	if path == x.image {
		tr.Hashes = x.hashes
	}
	if inFTPRoot(path) {
		tr.Channel, tr.Reason = "ftp", why+" where the FTP server puts files, while another host was connected, and no log shows how it came"
	}
	h.attribute(tr, from)
	h.found(tr, model.ByDestination)
	h.land(tr, path, x.time)
}

// connectedAt is the only other host that was connected within a minute of a time.
func (h *host) connectedAt(t model.Time) *remote {
	var from *remote
	for i := range h.remotes {
		r := &h.remotes[i]
		if r.time < t-remoteStartWindow || r.time > t+remoteStartWindow || h.isOwn(r.addr, r.time) {
			continue
		}
		if from != nil && from.addr != r.addr {
			return nil // whose file it is, is not known
		}
		if from == nil || from.user == "" {
			from = r
		}
	}
	return from
}

// oddFile is the file in an odd place that a start runs: its image, or what its command
// line names for a service, a shell or a loader of libraries to run.
func oddFile(x *start) string {
	if x.how != "service" && oddPlace(x.image) {
		return x.shown
	}
	if x.how != "service" && !launchers[baseName(x.image)] {
		return ""
	}
	line := rooted(strings.ToLower(x.command))
	for at := 0; ; {
		i := strings.Index(line[at:], `:\`)
		if i < 0 {
			return ""
		}
		i += at
		at = i + 2
		if i == 0 || i > 1 && wordByte(line[i-2]) {
			continue
		}
		path := line[i-1:]
		if end := strings.IndexAny(path, "\"', "); end >= 0 {
			path = path[:end]
		}
		if oddPlace(path) && !handles(line[:i-1]) {
			return written(path, x.command)
		}
	}
}

// written is a path with its name as a command line has it.
func written(path, command string) string {
	folder, name := splitPath(path)
	if i := strings.LastIndex(strings.ToLower(command), name); i >= 0 && i+len(name) <= len(command) {
		return folder + command[i:i+len(name)]
	}
	return path
}

// oddPlace says whether services are not usually installed there: outside of
// Program Files, the system folders and drivers.
func oddPlace(image string) bool {
	folder, name := splitPath(image)
	if !runnable[extension(name)] {
		return false
	}
	switch folder {
	case `c:\windows\`, `c:\`, `c:\windows\temp\`, `c:\programdata\`, `c:\perflogs\`:
		return !systemNames[name]
	}
	return inFTPRoot(folder) || strings.HasPrefix(folder, `c:\users\`) || strings.HasPrefix(folder, `c:\windows\temp\`)
}

// inFTPRoot says whether a path lies where the FTP service of IIS puts files.
func inFTPRoot(path string) bool { return strings.Contains(path, `\ftproot\`) }

// systemNames live in C:\Windows itself.
var systemNames = set("explorer.exe regedit.exe notepad.exe hh.exe splwow64.exe write.exe winhlp32.exe bfsvc.exe helppane.exe sysmon.exe sysmon64.exe fveupdate.exe")
