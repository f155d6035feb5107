package winhost

import (
	"strconv"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/cmdline"
	"waybill/internal/telemetry/winevent"
)

// event takes an event that is read.
func (h *host) event(e *winevent.Event) {
	h.tick(e.Time)
	h.oversight(e)
	h.isCalled(e)
	switch e.Provider {
	case winevent.Security:
		h.security(e)
	case winevent.Sysmon:
		h.sysmon(e)
	case winevent.Hunting:
		if e.ID == 11 && h.requested(e) {
			return
		}
		h.sysmon(e)
	case winevent.ServiceControl:
		if e.ID == 7045 {
			h.service(e, e.Get("ServiceName"), e.Get("ImagePath"), "")
		}
	case winevent.BITS:
		h.bits(e)
	case winevent.Defender:
		h.threat(e)
	case winevent.TaskScheduler:
		if e.ID == 200 {
			h.ran(e)
		}
	case winevent.PowerShellClassic:
		if e.ID == 400 {
			h.engine(e)
		}
	case winevent.RDPClient:
		h.asksDesktop(e)
	case winevent.ConnectionManager: // 1149 is no login on every Windows, but says from where
		h.session(e, e.First("Param3", "Data3"), e.First("Param1", "Data1"), e.First("Param2", "Data2"), "1149 Remote Desktop connection")
	case winevent.Partition:
		h.device(e)
	case winevent.VHDMP:
		h.mounted(e)
	case winevent.PowerShell:
		if e.ID == 4104 {
			h.scriptBlock(e)
		}
	case winevent.SessionManager:
		if e.ID == 21 || e.ID == 25 { // 22 to 24 are the shell, logoff and disconnect
			h.session(e, e.Get("Address"), e.Get("User"), "", eventName(e)+" Remote Desktop session")
		}
	}
}

func (h *host) security(e *winevent.Event) {
	switch e.ID {
	case 4624:
		h.logon(e)
	case 4688:
		h.started(e, start{image: e.Get("NewProcessName"), command: e.Get("CommandLine"), parent: e.Get("ParentProcessName"),
			user: account(e.First("TargetDomainName", "SubjectDomainName"), e.First("TargetUserName", "SubjectUserName")), pid: e.Number("NewProcessId"),
			system: e.Number("SubjectLogonId") == systemLogon})
	case 4697:
		h.service(e, e.Get("ServiceName"), e.Get("ServiceFileName"), account(e.Get("SubjectDomainName"), e.Get("SubjectUserName")))
	case 5145:
		h.share(e)
	case 5156:
		h.filtered(e)
	case 6416:
		h.device(e)
	case 4698, 4702:
		h.task(e)
	case 4778:
		h.session(e, e.Get("ClientAddress"), e.Get("AccountName"), e.Get("AccountDomain"), "4778 session reconnected")
	}
}

// systemLogon is the logon of the local system account on every host and boot
// (MS-LSAD's SYSTEM_LUID).
const systemLogon = 0x3e7

func (h *host) sysmon(e *winevent.Event) {
	switch e.ID {
	case 1:
		h.started(e, start{image: e.Get("Image"), command: e.Get("CommandLine"), parent: e.Get("ParentImage"), user: e.Get("User"),
			pid: e.Number("ProcessId"), original: strings.Clone(e.Get("OriginalFileName")), company: h.maker(e), system: e.Number("LogonId") == systemLogon, hashes: hashes(e.Get("Hashes"), "process-start", e.Time)})
	case 3:
		h.connection(e)
	case 7:
		h.loaded(e)
	case 11:
		h.creation(e)
	case 17, 18:
		h.pipeMade(e)
	case 22:
		h.resolved(e)
	case 23, 26:
		h.deleted(e)
	case 27, 29:
		h.detected(e)
	case 15:
		h.stream(e)
	}
}

// logon notes a session, and that a network logon is a sign of another host
// (types 3 and 8; 10 and 7 are Remote Desktop).
func (h *host) logon(e *winevent.Event) {
	from := telemetry.Address(e.Get("IpAddress"))
	l := logon{user: strings.Clone(e.Get("TargetUserName")), domain: strings.Clone(e.Get("TargetDomainName")),
		kind: int(e.Number("LogonType")), from: from, time: e.Time}
	id := strings.ToLower(e.Get("TargetLogonId"))
	if len(h.logons) >= maxLogons {
		clear(h.logons)
	}
	h.logons[strings.Clone(id)] = l
	h.loggedOn(e, &l)
	self := h.isSelf(e.Get("WorkstationName"))
	if !self && l.kind == 3 {
		h.s.hear(from, e.Get("WorkstationName"), e.Time)
	}
	kerberos := strings.EqualFold(e.Get("AuthenticationPackageName"), "Kerberos")
	if name, computer := strings.CutSuffix(l.user, "$"); computer && kerberos && l.kind == 3 && !strings.EqualFold(name, h.bare) {
		h.s.hear(from, name, e.Time)
		h.s.joined(name, l.domain, e.Time)
	}
	// Kerberos gives a host's own account to the host alone.
	if own := strings.EqualFold(l.user, h.bare+"$") && kerberos; (self || own) && from.Known() && l.kind != 10 {
		h.vote(from, 1, e.Time)
		self = true
	}
	if l.kind == 10 {
		h.session(e, e.Get("IpAddress"), l.user, l.domain, "4624 Remote Desktop logon")
	}
	if l.kind == 3 && from.Known() && !loopback(from) && !self {
		h.sign(remote{time: e.Time, addr: from, user: l.user, domain: l.domain, id: strings.Clone(id),
			evidence: h.evidence(e, "4624 network logon")})
	}
}

// connection takes a Sysmon 3. Whatever it says of who began, the port that is
// served tells: a connection to 445 or 139 of this host comes from another.
func (h *host) connection(e *winevent.Event) {
	src, dst := telemetry.Address(e.Get("SourceIp")), telemetry.Address(e.Get("DestinationIp"))
	if !src.Known() || !dst.Known() || src == dst || loopback(src) || loopback(dst) {
		return
	}
	weight := 1
	own, other := src, dst
	if !truth(e.Get("Initiated")) {
		own, other = dst, src
	}
	switch {
	case h.isNamed(e.Get("SourceHostname")):
		own, other, weight = src, dst, 3
	case h.isNamed(e.Get("DestinationHostname")):
		own, other, weight = dst, src, 3
	}
	h.vote(own, weight, e.Time)
	h.vote(other, -weight, e.Time)
	if other == src {
		h.s.hear(other, e.Get("SourceHostname"), e.Time)
	} else {
		h.s.hear(other, e.Get("DestinationHostname"), e.Time)
	}
	sp, dp := uint16(e.Number("SourcePort")), uint16(e.Number("DestinationPort"))
	if other == src {
		h.speaks(e, other, sp)
	} else {
		h.speaks(e, other, dp)
	}
	if sharing(dp) || sharing(sp) {
		h.connected(e, src, dst, sp, dp, eventName(e)+" connection")
	}
	if dp == 135 && own == dst {
		h.sign(remote{time: e.Time, addr: src, own: dst, port: sp, rpc: true, evidence: h.evidence(e, eventName(e)+" connection to RPC")})
	}
	if dp == 3389 && strings.HasSuffix(strings.ToLower(e.Get("Image")), `\mstsc.exe`) && len(h.desktops) < maxFacts {
		h.desktops = append(h.desktops, remote{time: e.Time, addr: dst, port: sp, evidence: h.evidence(e, eventName(e)+" connection")})
	}
}

func sharing(port uint16) bool { return port == 445 || port == 139 }

// connected keeps both ends of a connection to a file-sharing port; which of them
// is this host shows later.
func (h *host) connected(e *winevent.Event, src, dst model.Addr, sp, dp uint16, what string) {
	client, server, port := src, dst, sp
	if sharing(sp) && !sharing(dp) {
		client, server, port = dst, src, dp
	}
	h.sign(remote{time: e.Time, addr: client, own: server, port: port, evidence: h.evidence(e, what)})
}

// isNamed says whether a host name that Sysmon looked up is this host's.
func (h *host) isNamed(name string) bool {
	bare, _, _ := strings.Cut(strings.ToLower(name), ".")
	return bare != "" && bare == h.bare
}

func truth(s string) bool { return strings.EqualFold(s, "true") || s == "1" }

// mounted takes the mount of a disk image (VHDMP): of one that came before, or from
// another host's share.
func (h *host) mounted(e *winevent.Event) {
	path := e.First("VhdFileName", "VhdFile")
	if path == "" {
		return
	}
	x := start{time: e.Time, image: strings.ToLower(strings.Clone(path)), shown: strings.Clone(path), how: "mount", evidence: h.evidence(e, "VHDMP image mounted")}
	h.begun(x)
	h.starts = append(h.starts, x)
	h.imageMounted(&x)
	h.remoteImage(&x)
}

// filtered takes a 5156: the source is who began, by the direction.
func (h *host) filtered(e *winevent.Event) {
	src, dst := telemetry.Address(e.Get("SourceAddress")), telemetry.Address(e.Get("DestAddress"))
	if !src.Known() || !dst.Known() || loopback(src) || loopback(dst) || src == dst {
		return
	}
	dp, sp := uint16(e.Number("DestPort")), uint16(e.Number("SourcePort"))
	if dst.Netip().IsMulticast() || dst.Netip().As16()[15] == 255 {
		return
	}
	own, other := src, dst
	if d := e.Get("Direction"); strings.Contains(d, "14592") || strings.EqualFold(d, "Inbound") {
		own, other = dst, src
		if sharing(sp) { // inbound events of some versions have the host itself as source
			own, other = src, dst
		}
	}
	h.vote(own, 1, e.Time)
	h.vote(other, -1, e.Time)
	if sharing(dp) || sharing(sp) {
		h.connected(e, src, dst, sp, dp, "5156 connection")
	}
}

// started takes a process start.
func (h *host) started(e *winevent.Event, x start) {
	if x.image == "" {
		return
	}
	x.time, x.how = e.Time, "process"
	x.shown = h.s.texts.Shared(x.image)
	x.image, x.parent, x.user = h.s.lower(x.shown), h.s.lower(x.parent), h.s.texts.Shared(x.user)
	x.by = h.orderedBy(&x, e)
	x.command = strings.Clone(x.command)
	x.evidence = h.evidence(e, eventName(e)+" process start")
	if strings.Contains(x.command, `\\`) {
		if line := strings.ToLower(x.command); h.throughLoopback(line) {
			h.loopback = append(h.loopback, fact{e.Time, line})
		}
	}
	h.begun(x)
	h.starts = append(h.starts, x)
	h.atDesk(e, &x)
	h.offMedium(&x)
	h.remoteImage(&x)
	h.remoteScript(&x)
	h.asks(&x)
	if moves, runs := cmdline.Knows(x.image); x.command != "" && (moves || runs && (movesSomething(x.command) || encodedCommand(x.command))) {
		h.read(&x, cmdline.Read(x.quoted()))
	}
}

// quoted is a command line whose program is in quotes where its path has blanks: whoever
// names the program apart may leave them out (CreateProcess).
func (x *start) quoted() string {
	n := len(x.image)
	if !strings.Contains(x.image, " ") || len(x.command) < n || !strings.EqualFold(x.command[:n], x.image) {
		return x.command
	}
	return `"` + x.command[:n] + `"` + x.command[n:]
}

// encodedCommand says whether a line of PowerShell hides its command.
func encodedCommand(command string) bool {
	line := strings.ToLower(command)
	return strings.Contains(line, "powershell") && (strings.Contains(line, " -e") || strings.Contains(line, " /e"))
}

// loaded takes a Sysmon 7.
func (h *host) loaded(e *winevent.Event) {
	image := e.Get("ImageLoaded")
	lower := strings.ToLower(image)
	_, _, _, remote := unc(image)
	medium := len(h.media) > 0 && h.removableDrive(lower)
	if !remote && !medium && h.landed[lower] == nil && !h.fresh(lower) {
		return // nearly all loads
	}
	x := start{time: e.Time, image: strings.Clone(lower), shown: strings.Clone(image), user: strings.Clone(e.Get("User")), pid: e.Number("ProcessId"),
		command: strings.Clone(e.Get("Image")), how: "module-load", evidence: h.evidence(e, eventName(e)+" module load")}
	x.hashes, x.original = hashes(e.Get("Hashes"), "module-load", e.Time), strings.Clone(e.Get("OriginalFileName"))
	h.begun(x)
	h.loads = append(h.loads, x)
	h.offMedium(&x)
	h.remoteImage(&x)
}

// fresh says whether a file of this path is being written, or was just created.
func (h *host) fresh(path string) bool { return h.open[path] > 0 }

// sign keeps a sign of another host; those of one host and account within a second
// are one.
func (h *host) sign(r remote) {
	for i := len(h.remotes) - 1; i >= 0 && i >= len(h.remotes)-8; i-- {
		if o := &h.remotes[i]; o.addr == r.addr && o.user == r.user && o.rpc == r.rpc && max(o.time-r.time, r.time-o.time) < 1e9 {
			return
		}
	}
	h.remotes = append(h.remotes, r)
}

// service takes the making of a service.
func (h *host) service(e *winevent.Event, name, command, user string) {
	x := start{time: e.Time, image: strings.ToLower(strings.Clone(name)), shown: strings.Clone(name), command: strings.Clone(command),
		user: user, how: "service", evidence: h.evidence(e, eventName(e)+" service installed")}
	h.begun(x)
	h.services = append(h.services, x)
	h.remoteService(&x)
}

func eventName(e *winevent.Event) string {
	if e.Provider == winevent.Hunting {
		return e.Channel
	}
	if e.Provider == winevent.Sysmon {
		return "Sysmon " + strconv.Itoa(int(e.ID))
	}
	return strconv.Itoa(int(e.ID))
}

// hashes reads "SHA1=...,MD5=...,SHA256=...,IMPHASH=..." (Sysmon's Hashes).
func hashes(s, from string, at model.Time) []model.Hash {
	var out []model.Hash
	for part := range strings.SplitSeq(s, ",") {
		alg, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		alg = strings.ToLower(alg)
		if ok && (alg == "sha256" || alg == "sha1" || alg == "md5") && strings.Trim(value, "0") != "" {
			out = append(out, model.Hash{Alg: strings.Clone(alg), Value: strings.Clone(strings.ToLower(value)), From: from, Time: at})
		}
	}
	return out
}

func account(domain, user string) string {
	if domain == "" || user == "" {
		return strings.Clone(user)
	}
	return domain + `\` + user
}

// throughLoopback says whether a command line names a share of the host itself.
func (h *host) throughLoopback(line string) bool {
	for rest := line; ; {
		i := strings.Index(rest, `\\`)
		if i < 0 {
			return false
		}
		rest = rest[i+2:]
		server, after, ok := strings.Cut(rest, `\`)
		if ok && after != "" && (server == "127.0.0.1" || h.isSelf(server)) {
			return true
		}
	}
}
