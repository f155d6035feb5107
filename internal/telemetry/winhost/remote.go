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
	server, share, rest, ok := unc(x.shown)
	if !ok || strings.EqualFold(share, "ipc$") {
		return
	}
	if strings.EqualFold(server, "tsclient") || h.isSelf(server) {
		return
	}
	if tr := h.pulled[x.image]; tr != nil && x.time-tr.Start < 3600e9 {
		tr.Executed = append(tr.Executed, x.execution())
		return
	}
	_, name := splitPath(rest)
	tr := &model.Transfer{ID: h.idOf(&x.evidence),
		Start: x.time, End: x.time, Operation: model.Pull, Initiator: model.ByDestination, Channel: channelOf(x.shown), Share: share, Path: rest, Name: name,
		Source: named(server), Completeness: model.Logged, Status: model.Done, InitiatorUser: x.user, Process: x.shown, Command: cmdline.Redact(x.command), PID: x.pid,
		Reason: "it was run from the share: " + model.ReasonLogged, Evidence: []model.Evidence{x.evidence},
		Hashes: x.hashes, OriginalName: x.original, Executed: []model.Execution{x.execution()}}
	if x.how == "module-load" {
		tr.Process, tr.Command = x.command, "" // the process that loaded it
	}
	if len(h.pulled) >= maxLanded {
		clear(h.pulled)
	}
	h.pulled[x.image] = tr
	h.found(tr, model.ByDestination)
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

// settleStarts looks for programs that services run and that nobody saw arriving.
func (h *host) settleStarts(t model.Time) {
	for i := range h.starts {
		x := &h.starts[i]
		if x.time > t || x.time <= h.startsDone {
			continue
		}
		h.inferred(x)
	}
	if t != lastTime {
		h.startsDone = max(h.startsDone, t)
	}
}

func (h *host) inferred(x *start) {
	byServices := baseName(x.parent) == "services.exe" || x.parent == "" && x.system // Sysmon does not always find the parent
	if !byServices || !oddPlace(x.image) || h.landed[x.image] != nil || h.local[x.image] {
		return
	}
	var from *remote
	for i := range h.remotes {
		r := &h.remotes[i]
		if r.time < x.time-remoteStartWindow || r.time > x.time+remoteStartWindow || h.isOwn(r.addr, r.time) {
			continue
		}
		if from != nil && from.addr != r.addr {
			return // whose file it is, is not known
		}
		if from == nil || from.user == "" {
			from = r
		}
	}
	if from == nil {
		return
	}
	_, name := splitPath(x.shown)
	tr := &model.Transfer{ID: h.idOf(&x.evidence, "inferred"),
		End: x.time, Operation: model.Push, Initiator: model.BySource, Channel: "smb", Path: x.shown, Name: name,
		Completeness: model.Inferred, Status: model.Done, Confidence: "low", Hashes: x.hashes,
		Reason:   "it ran as a service while another host was connected, and no log shows how it came",
		Evidence: []model.Evidence{x.evidence}}
	h.attribute(tr, from)
	h.found(tr, model.ByDestination)
	h.land(tr, x.image, x.time)
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
	return strings.HasPrefix(folder, `c:\users\`) || strings.HasPrefix(folder, `c:\windows\temp\`)
}

// systemNames live in C:\Windows itself.
var systemNames = set("explorer.exe regedit.exe notepad.exe hh.exe splwow64.exe write.exe winhlp32.exe bfsvc.exe helppane.exe sysmon.exe sysmon64.exe fveupdate.exe")
