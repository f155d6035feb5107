package unixhost

import (
	"cmp"
	"encoding/hex"
	"net/netip"
	"path"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/cmdline"
)

// auditState is what is known of the processes and sessions of a host by its audit log.
type auditState struct {
	procs    map[string]*process // by pid
	sessions map[string]login    // by the audit session's number
	byPID    map[string]login    // of sshd's processes, until they have a session
	wrote    map[string]int      // files that programs with connections made, by program
	ran      map[string]bool     // images of which a start is kept
	mounts   []export
}

// process is one process that runs something which is looked at.
type process struct {
	image   string
	program string // the script, where the image is an interpreter
	args    []string
	claims  []*model.Transfer
	spoke   spoken
	from    model.Endpoint // who it serves, under which account
	user    string
	made    map[string]bool // files that it made and has not closed, where closes are logged
}

// spoken is the inside connection of a process.
type spoken struct {
	time     model.Time
	to       model.Endpoint
	evidence model.Evidence
}

// auditd takes an event of the audit log.
func (h *host) auditd(r *telemetry.Record) {
	h.audit.begin()
	switch r.Get("type") {
	case "SYSCALL", "EXECVE", "PATH", "CWD", "SOCKADDR":
		h.syscall(r)
	case "LOGIN":
		if l, ok := h.audit.byPID[r.Get("pid")]; ok {
			h.audit.session(r, l)
		}
	case "USER_CMD":
		h.asked(r, asker{user: strings.Clone(r.Get("acct")), command: r.Get("cmd")}, cmdline.ReadShell(r.Get("cmd")))
	default:
		h.auditLogin(r)
	}
}

func (s *auditState) begin() {
	if s.procs == nil {
		*s = auditState{procs: map[string]*process{}, sessions: map[string]login{}, byPID: map[string]login{}, wrote: map[string]int{}, ran: map[string]bool{}}
	}
}

// unset is the number of what is in no session.
const unset = "4294967295"

func (s *auditState) session(r *telemetry.Record, l login) {
	ses := r.Get("ses")
	if ses == "" || ses == unset || ses == "-1" {
		return
	}
	if len(s.sessions) >= maxFacts {
		clear(s.sessions)
	}
	s.sessions[strings.Clone(ses)] = l
}

// auditLogin takes what sshd's PAM modules say of a session: addr is the client.
func (h *host) auditLogin(r *telemetry.Record) {
	client := endOf(r.Get("addr"), "")
	if !strings.HasPrefix(base(r.Get("exe")), "sshd") || !client.IP.Known() || r.Get("res") != "success" {
		return
	}
	l := login{time: r.Time, client: client, user: strings.Clone(r.Get("acct")), evidence: h.evidence(r, "SSH session")}
	h.audit.session(r, l)
	if len(h.audit.byPID) >= maxFacts {
		clear(h.audit.byPID)
	}
	h.audit.byPID[strings.Clone(r.Get("pid"))] = l
	if r.Get("type") == "USER_LOGIN" {
		h.login(r, client, l.user)
		if h.channels["sshd"] == nil {
			a := h.access(r, "logon", "ssh", client)
			a.User, a.Detail = l.user, "SSH"
		}
	}
}

// syscall takes a call: the start of a program, a connection, names made and removed.
func (h *host) syscall(r *telemetry.Record) {
	if r.Get("success") == "no" && r.Get("exit") != inProgress {
		return
	}
	p := h.process(r)
	var args, made, gone []string
	for _, f := range r.Fields {
		switch f.Name {
		case "arg":
			args = append(args, f.Value)
		case "CREATE":
			made = append(made, h.absolute(r, f.Value))
		case "DELETE":
			gone = append(gone, h.absolute(r, f.Value))
		}
	}
	if len(args) > 0 {
		h.started(r, p, args)
	}
	if saddr := r.Get("saddr"); saddr != "" {
		h.called(r, p, saddr)
	}
	switch copied, written := r.Get("COPIED"), r.Get("WRITTEN"); {
	case r.First("MOUNT", "UNMOUNT") != "":
		h.mountEvent(r)
	case copied != "" && len(made) > 0:
		h.copyfile(r, p, copied, made[0])
	case written != "":
		h.written(r, p, h.absolute(r, written))
	case len(gone) > 0 && len(made) > 0:
		h.auditRename(r, p, gone[0], made[len(made)-1]) // a file that it replaces is gone too, as the second
	case len(made) > 0:
		h.created(r, p, made[len(made)-1])
	case len(gone) > 0:
		h.removed(r, gone[len(gone)-1])
	}
}

// inProgress is -EINPROGRESS: what a connect answers that does not wait.
const inProgress = "-115"

func (h *host) absolute(r *telemetry.Record, name string) string {
	if strings.HasPrefix(name, "/") || name == "" {
		return path.Clean(name)
	}
	return path.Join("/", r.Get("cwd"), name)
}

// process gives the process of an event.
func (h *host) process(r *telemetry.Record) *process {
	pid := r.Get("pid")
	p := h.audit.procs[pid]
	if p == nil {
		p = &process{}
		if len(h.audit.procs) >= maxFacts {
			clear(h.audit.procs)
		}
		h.audit.procs[strings.Clone(pid)] = p
	}
	if exe := r.Get("exe"); exe != "" && exe != p.image {
		p.image = strings.Clone(exe)
	}
	if l, ok := h.audit.sessions[r.Get("ses")]; ok {
		p.from, p.user = l.client, l.user
	}
	return p
}

// started takes the start of a program with its arguments.
func (h *host) started(r *telemetry.Record, p *process, args []string) {
	if len(args) > 256 {
		args = args[:256]
	}
	*p = process{image: p.image, from: p.from, user: p.user}
	for _, a := range args {
		p.args = append(p.args, strings.Clone(a))
	}
	h.mounts(r, p)
	line := strings.Join(p.args, " ")
	who := asker{user: strings.Clone(r.Get("AUID")), command: line, process: p.image, pid: pidOf(r)}
	h.runs(r, p, who, cmdline.ReadArgs(p.args))
}

// runs takes what a program that was started is asked for.
func (h *host) runs(r *telemetry.Record, p *process, who asker, m cmdline.Meaning) {
	if p.served() {
		h.serves(r, p, who)
	} else {
		p.claims = h.asked(r, who, m)
	}
	h.start(r, p, who)
	h.ranFromShare(r, p, who)
}

// served says whether the program is the far end of scp or rsync over SSH.
func (p *process) served() bool {
	name := base(p.image)
	if name == "" || !strings.HasPrefix(p.image, "/") {
		name = base(p.args[0])
	}
	return name == "scp" && (p.has("-t") || p.has("-f")) || name == "rsync" && p.has("--server")
}

func (p *process) has(flag string) bool {
	for _, a := range p.args {
		if a == flag {
			return true
		}
	}
	return false
}

// serves takes scp -t (receives) and -f (sends), and rsync --server, which receives
// without --sender. What has no extension may be a folder: the files that are made
// tell then.
func (h *host) serves(r *telemetry.Record, p *process, who asker) {
	m := moved{operation: model.Push, channel: "ssh", other: p.from, path: p.args[len(p.args)-1], size: -1, user: who.user, auth: "ssh",
		status: model.Claimed, reason: "a client had " + base(p.args[0]) + " started for it; nothing shows that bytes moved", what: "server side of " + base(p.args[0])}
	if p.has("-f") || p.has("--sender") {
		m.operation = model.Pull
	}
	if strings.HasSuffix(m.path, "/") || m.operation == model.Push && path.Ext(m.path) == "" || strings.HasPrefix(m.path, "-") || m.path == "." {
		return
	}
	if t := h.found(r, m); t != nil {
		p.claims = append(p.claims, t)
	}
}

// start gives the start of a program that moved, or may have.
func (h *host) start(r *telemetry.Record, p *process, who asker) {
	h.startsLogged = true
	p.program = p.runsProgram(r.Get("cwd"))
	image := p.program
	again := h.audit.ran[image] // of what nobody is known to have moved, the first start is enough
	if len(h.starts) >= maxFacts || again && !h.s.o.Interest[strings.ToLower(base(image))] && h.book.byName[model.GarbledFTP(base(image))] == nil {
		return
	}
	h.audit.ran[strings.Clone(image)] = true
	e := &model.Endpoint{Host: h.key}
	h.starts = append(h.starts, telemetry.Start{Host: e, Image: strings.ReplaceAll(image, "/", `\`), Execution: model.Execution{Time: r.Time, How: "process",
		Process: image, Command: cmdline.Redact(clip(who.command)), User: who.user, PID: who.pid, Evidence: []model.Evidence{h.evidence(r, "execve")}}})
}

// interpreters run scripts that their arguments name.
var interpreters = map[string]bool{"sh": true, "bash": true, "dash": true, "zsh": true, "ksh": true, "python": true, "perl": true, "ruby": true, "php": true, "node": true}

// runsProgram is the image, or the script that an interpreter was started with.
func (p *process) runsProgram(cwd string) string {
	image := cmp.Or(p.image, p.args[0])
	if !interpreters[strings.TrimRight(base(image), "0123456789.")] {
		return image
	}
	for _, a := range p.args[1:] {
		switch {
		case a == "-c":
			return image
		case strings.HasPrefix(a, "-"):
		case strings.HasPrefix(a, "/"):
			return path.Clean(a)
		default:
			return path.Join("/", cwd, a)
		}
	}
	return image
}

// called notes the inside connection of a process.
func (h *host) called(r *telemetry.Record, p *process, saddr string) {
	if connects(r) {
		h.calls(r, p, sockaddr(saddr))
	}
}

// connects says whether the call is connect(2), by its name in enriched logs or its
// number (Linux, syscall tables of x86-64, i386 and the generic one of aarch64).
func connects(r *telemetry.Record) bool {
	if name := r.Get("SYSCALL"); name != "" {
		return name == "connect"
	}
	switch r.Get("arch") {
	case "c000003e":
		return r.Get("syscall") == "42"
	case "40000003":
		return r.Get("syscall") == "362"
	case "c00000b7":
		return r.Get("syscall") == "203"
	}
	return r.Get("syscall") == "connect"
}

// sockaddr reads a socket address in hex: the family in the host's order, then port
// and address (ip(7), ipv6(7)).
func sockaddr(s string) model.Endpoint {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) < 8 {
		return model.Endpoint{}
	}
	port := uint16(b[2])<<8 | uint16(b[3])
	switch {
	case b[0] == 2 && b[1] == 0:
		return model.Endpoint{IP: model.AddrOf(netip.AddrFrom4([4]byte(b[4:8]))), Port: port}
	case b[0] == 10 && b[1] == 0 && len(b) >= 24:
		return model.Endpoint{IP: model.AddrOf(netip.AddrFrom16([16]byte(b[8:24])).Unmap()), Port: port}
	}
	return model.Endpoint{}
}

// created takes a file that a process made.
func (h *host) created(r *telemetry.Record, p *process, file string) {
	if ownFile(file) {
		return
	}
	if r.Stream == "eslogger" {
		p.making(file)
	}
	if h.fulfils(r, p, file) || h.synced(r, p, file) || h.dropped(r, p, file) {
		return
	}
	if channel := p.receives(); channel != "" {
		if !temporary(p, file) {
			h.arrived(r, p, channel, file)
		}
		return
	}
	if !h.overMount(r, p, file) {
		h.networkWrite(r, p, file)
	}
}

// fulfils says whether a file is what the process was claimed to fetch.
func (h *host) fulfils(r *telemetry.Record, p *process, file string) bool {
	for _, t := range p.claims {
		if t.Name == base(file) && t.Destination.Host == h.key {
			h.confirm(r, t, file)
			return true
		}
	}
	return false
}

// confirm makes a claim done that a created file fulfils.
func (h *host) confirm(r *telemetry.Record, t *model.Transfer, file string) {
	if t.Status == model.Claimed {
		t.Status, t.Reason, t.End = model.Done, model.ReasonLogged, max(t.End, r.Time)
		t.Receiver = &model.Receiver{Process: strings.Clone(r.Get("exe")), PID: pidOf(r)}
	}
	if len(t.Evidence) < maxEvidence {
		t.Evidence = append(t.Evidence, h.evidence(r, "file create"))
	}
	h.lies(t, file)
}

// receives is the channel of a process that writes what another host sends.
func (p *process) receives() string {
	switch base(p.image) {
	case "sftp-server", "sshd", "sshd-session":
		return "ssh"
	case "scp":
		if p.has("-t") {
			return "ssh"
		}
	case "rsync":
		switch {
		case p.has("--daemon"):
			return "rsync"
		case p.has("--server") && !p.has("--sender"):
			return "ssh"
		}
	case "smbd":
		return "smb"
	case "SSFileCopyReceiver": // of macOS's screen sharing, for files that are dragged into it
		return "unknown"
	}
	return ""
}

// ownFile says whether servers make files there for themselves.
func ownFile(file string) bool {
	if strings.HasPrefix(file, "/dev/shm/") { // memory for everybody's files
		return false
	}
	for _, folder := range [...]string{"/run/", "/var/run/", "/proc/", "/sys/", "/dev/", "/var/log/", "/var/lib/samba/", "/var/cache/", "/tmp/ssh-", "/var/lib/systemd/"} {
		if strings.HasPrefix(file, folder) {
			return true
		}
	}
	return base(file) == ""
}

// temporary says whether a name is one under which rsync writes (".NAME.XXXXXX",
// rsync's receiver.c; ten letters in openrsync's mktemp.c, which Macs have since 15):
// the file gets its own when it is whole.
func temporary(p *process, file string) bool {
	name := base(file)
	if base(p.image) != "rsync" || !strings.HasPrefix(name, ".") {
		return false
	}
	return len(name) > 8 && name[len(name)-7] == '.' || len(name) > 12 && name[len(name)-11] == '.'
}

// arrived says that a receiver made a file.
func (h *host) arrived(r *telemetry.Record, p *process, channel, file string) {
	switch {
	case channel == "unknown":
		r.Unverified = "eslogger/screen-sharing"
	case r.Stream == "sysmon":
		r.Unverified = "sysmon/received"
	}
	pid := pidOf(r)
	m := moved{operation: model.Push, channel: channel, other: p.from, path: file, size: -1, user: p.user, what: "file create by " + base(p.image),
		reason: base(p.image) + " wrote it: " + model.ReasonLogged}
	if channel == "smb" {
		m.other, m.user = model.Endpoint{}, ""
	}
	if m.other == (model.Endpoint{}) && channel == "ssh" {
		m.other, m.user = h.onlyClient(r.Time)
	}
	if m.other == (model.Endpoint{}) {
		m.confident, m.reason = "medium", m.reason+"; the audit log does not say from where"
	}
	if t := h.found(r, m); t != nil && t.Receiver == nil {
		t.Receiver = &model.Receiver{Process: p.image, PID: pid}
	}
}

// onlyClient is the client that logged in last, when no other did within minutes, and
// its account, when it was always the same.
func (h *host) onlyClient(t model.Time) (client model.Endpoint, user string) {
	var only login
	several := false
	for _, l := range h.ssh.clients {
		if l.time > t || t-l.time > 10*minute {
			continue
		}
		if only.client.IP.Known() && only.client.IP != l.client.IP {
			return model.Endpoint{}, ""
		}
		several = several || only.time != 0 && only.user != l.user
		only = l
	}
	if several {
		only.user = ""
	}
	return model.Endpoint{IP: only.client.IP}, only.user
}

// auditRename follows a file to its new name; rsync gives a file its name so.
func (h *host) auditRename(r *telemetry.Record, p *process, from, to string) {
	if temporary(p, from) {
		h.created(r, p, to)
		return
	}
	delete(p.made, from)
	if h.book.byPath[from] == nil && h.fulfils(r, p, to) {
		return // it was fetched under another name
	}
	if h.synced(r, p, to) || h.dropped(r, p, to) {
		return
	}
	h.renamed(r, from, to)
}

// Bounds of what counts as a network-writer: how long after its connection, and how
// many files a program makes before it is taken for an updater or agent.
const (
	writerWindow = 5 * minute
	oftenWrites  = 20
)

// everyday are programs whose business is to fetch and write.
var everyday = map[string]bool{"apt": true, "apt-get": true, "dpkg": true, "http": true, "https": true, "dnf": true, "yum": true, "rpm": true, "zypper": true,
	"firefox": true, "chrome": true, "chromium": true, "snapd": true, "systemd": true, "systemd-timesyncd": true, "chronyd": true, "rsyslogd": true, "cron": true,
	"nscd": true, "sssd_be": true, "packagekitd": true, "unattended-upgr": true, "journald": true, "NetworkManager": true, "dhclient": true, "winbindd": true}

// networkWrite notes that a process with an inside connection made a file (contract:
// network-writer).
func (h *host) networkWrite(r *telemetry.Record, p *process, file string) {
	s := p.spoke
	if s.time == 0 || r.Time-s.time > writerWindow || r.Time < s.time-10e9 || everyday[base(p.image)] || h.isSelf(s.to) {
		return
	}
	if len(h.audit.wrote) >= maxFacts {
		return
	}
	if h.audit.wrote[p.image]++; h.audit.wrote[p.image] > oftenWrites {
		return
	}
	a := h.access(r, "network-write", "", s.to)
	a.Object, a.Command, a.Detail = strings.Clone(file), cmp.Or(p.program, p.image), "a process with an inside connection created a file"
	a.User = strings.Clone(r.First("AUID", "User"))
	a.Evidence = append(a.Evidence, s.evidence)
}

// clip keeps the beginning of a long text.
func clip(s string) string {
	const most = 2000
	if len(s) > most {
		return strings.Clone(s[:most]) + "…"
	}
	return strings.Clone(s)
}

func pidOf(r *telemetry.Record) uint64 { return uint64(max(telemetry.Count(r.Get("pid")), 0)) }
