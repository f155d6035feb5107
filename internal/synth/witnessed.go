package synth

import (
	"fmt"

	"waybill/internal/model"
)

// Witnessed is an intrusion over one channel that a capture and the logs of the hosts
// show, each by itself.
type Witnessed struct {
	Channel string
	script  func(b *pair)
}

// WitnessedWays are the intrusions that a capture and logs show.
var WitnessedWays = []Witnessed{
	{"smb", witnessedSMB},
	{"ssh", witnessedSSH},
	{"http", witnessedHTTP},
	{"ftp", witnessedFTP},
	{"nfs", witnessedNFS},
	{"rsync", witnessedRsync},
}

// pair is hosts of Windows and of Linux between which something moves, with their logs.
type pair struct {
	*Net
	entry, target, third, desk *Host
	app, db                    *Host
	unix                       map[*Host]*UnixLogs
	pids                       int
}

const (
	intruder   = `CORP\h.lang`
	sftpServer = "/usr/lib/openssh/sftp-server"
)

// newPair is the hosts, of which each has said what address it has.
func newPair(seed uint64) *pair {
	n := New(seed)
	b := &pair{Net: n, entry: n.Host("WS-31", "10.30.1.31"), target: n.Host("SRV-08", "10.30.0.8"), third: n.Host("WS-44", "10.30.1.44"), desk: n.Host("WS-12", "10.30.1.12"),
		app: n.Host("app-21", "10.30.3.21"), db: n.Host("db-07", "10.30.3.7"), unix: map[*Host]*UnixLogs{}}
	for _, h := range b.windows() {
		n.Spoke(h, h, n.Host("DC-03", "10.30.0.2"), 389, `C:\Windows\System32\lsass.exe`, 700)
	}
	for _, h := range []*Host{b.app, b.db} {
		b.unix[h] = &UnixLogs{Host: h.FQDN()}
		b.unix[h].SSHLogin(b.Now-3600*second, n.Host("mgmt-01", "10.30.3.100"), h, "ops", 1)
	}
	return b
}

func (b *pair) windows() []*Host { return []*Host{b.entry, b.target, b.third, b.desk} }

func (b *pair) later(seconds model.Time) { b.Sleep(seconds * second) }

// ran is a command that somebody gave on a host.
func (b *pair) ran(h *Host, account string, args ...string) Process {
	return b.inSession(h, account, 4, args...)
}

func (b *pair) inSession(h *Host, account string, session int, args ...string) Process {
	b.pids++
	p := Process{PID: 3000 + b.pids, Exe: args[0], User: account, Session: session}
	if args[0][0] != '/' {
		p.Exe = "/usr/bin/" + args[0]
	}
	b.unix[h].Executes(b.Now, p, args...)
	return p
}

// sshIn is a login over SSH and what the server runs in its session.
func (b *pair) sshIn(args ...string) Process {
	b.pids++
	session := 10 + b.pids
	b.unix[b.db].SSHLogin(b.Now, b.app, b.db, "ops", session)
	b.later(1)
	return b.inSession(b.db, "ops", session, args...)
}

// meanwhile runs a script without moving the clock of what follows.
func (b *pair) meanwhile(script func()) {
	begin := b.Now
	script()
	b.Now = begin
}

// witnessedSMB puts a program on three hosts and starts it there as a service.
func witnessedSMB(b *pair) {
	const name, line = "diagsvc.exe", `%SystemRoot%\Temp\diagsvc.exe -k netsvcs`
	tool := b.PE(24 << 10)
	for _, to := range []*Host{b.target, b.third, b.desk} {
		b.meanwhile(func() {
			logon := b.SharePut(to, b.entry, intruder, "ADMIN$", `Temp\`+name)
			b.later(2)
			b.ShareAccess(to, b.entry, intruder, logon, "IPC$", "svcctl", "0x12019f")
			b.ServiceMade(to, intruder, logon, "DiagSvc", line)
			b.Ran(to, `NT AUTHORITY\SYSTEM`, `C:\Windows\Temp\`+name, `C:\Windows\Temp\`+name+` -k netsvcs`, `C:\Windows\System32\services.exe`, 5120, hashOf(tool))
		})
		domain, account := cutAccount(intruder)
		s := b.SMB(b.entry, to, SMBOptions{User: account, Domain: domain})
		s.Tree("ADMIN$").Put(`Temp\`+name, tool)
		b.later(2)
		s.StartService("DiagSvc", "Diagnostics", line)
		s.Logoff()
		b.later(400)
	}
}

// witnessedSSH sends a program by scp and starts it in the next session.
func witnessedSSH(b *pair) {
	const size = 300 << 10
	b.meanwhile(func() {
		b.ran(b.app, "svc-app", "scp", "/var/tmp/.k/agent", "ops@"+b.db.Name+":/tmp/agent")
		p := b.sshIn(sftpServer, "-l", "INFO")
		b.unix[b.db].Creates(b.Now, p, "/tmp/agent")
		b.later(2)
		b.unix[b.db].Stored(b.Now, b.app, "ops", "/tmp/agent", size)
		b.later(20)
		b.sshIn("/tmp/agent", "-d")
	})
	s := b.SSH(b.app, b.db, SSHOptions{User: "ops"})
	s.Login()
	s.SFTPPut("/tmp/agent", size)
	s.Close()
}

// witnessedHTTP fetches a program from a peer and starts it.
func witnessedHTTP(b *pair) {
	tool := b.ELF(40 << 10)
	b.meanwhile(func() {
		p := b.ran(b.db, "ops", "curl", "-o", "/tmp/pivot", "http://"+b.app.Addr.String()+"/pivot")
		b.unix[b.db].Connects(b.Now, p, b.app, 80)
		b.unix[b.db].Creates(b.Now, p, "/tmp/pivot")
		b.later(1)
		b.unix[b.app].Add(pulled(b.db, b.app, "http", "/pivot", tool), b.Now)
		b.later(2)
		b.ran(b.db, "ops", "/tmp/pivot", "-c")
	})
	h := b.HTTP(b.db, b.app, b.app.Addr.String())
	h.Get("/pivot", Entity{Content: tool, Type: "application/octet-stream"})
	h.Close()
}

// witnessedFTP puts a program on a server with ftp.exe.
func witnessedFTP(b *pair) {
	tool := b.PE(31 << 10)
	b.meanwhile(func() {
		b.Ran(b.entry, intruder, `C:\Windows\System32\ftp.exe`, `ftp.exe -s:c.txt `+b.db.Name, `C:\Windows\System32\cmd.exe`, 4400, hashOf([]byte("ftp")))
		b.Spoke(b.entry, b.entry, b.db, 21, `C:\Windows\System32\ftp.exe`, 4400)
		b.later(1)
		m := pushed(b.entry, b.db, "ftp", "/srv/nbt.exe", tool)
		m.User = "ops"
		b.unix[b.db].Add(m, b.Now)
	})
	f := b.FTP(b.entry, b.db, "ops", "secret")
	f.Put("/srv/nbt.exe", tool)
	f.Quit()
}

// witnessedNFS mounts an export of the next host, copies a program to it and starts it.
func witnessedNFS(b *pair) {
	tool := b.ELF(50 << 10)
	b.meanwhile(func() {
		b.ran(b.app, "svc-app", "mount", "-t", "nfs", b.db.Addr.String()+":/export", "/mnt")
		b.later(1)
		p := b.ran(b.app, "svc-app", "cp", "/var/tmp/.k/pivot", "/mnt/")
		b.unix[b.app].Creates(b.Now, p, "/mnt/pivot")
		b.later(30)
		b.sshIn("/export/pivot")
	})
	m := b.NFS(b.app, b.db, NFSOptions{Export: "/export"})
	b.later(1)
	m.Put("pivot", tool)
	m.Unmount()
}

// witnessedRsync sends a program to a module of a daemon.
func witnessedRsync(b *pair) {
	tool := b.ELF(60 << 10)
	b.meanwhile(func() {
		b.ran(b.app, "svc-app", "rsync", "/var/tmp/.k/pivot", "rsync://"+b.db.Name+"/backup/")
		l, at := b.unix[b.db], func() string { return stamp(b.Now, "2006/01/02 15:04:05") + " [4711]" }
		peer := fmt.Sprintf("%s (%s)", b.app.FQDN(), b.app.Addr)
		l.Log("rsyncd.log", "%s connect from %s", at(), peer)
		l.Log("rsyncd.log", "%s rsync to backup/ from UNKNOWN@%s", at(), peer)
		l.Log("rsyncd.log", "%s recv %s [%s] backup () pivot %d", at(), b.app.FQDN(), b.app.Addr, len(tool))
		l.Log("rsyncd.log", "%s sent 40 bytes  received %d bytes  total size %d", at(), len(tool)+200, len(tool))
	})
	b.Rsync(b.app, b.db, "backup", RsyncOptions{}).Push("", RsyncFile{Name: "pivot", Content: tool})
}

// Witnesses gives the capture of a script, its logs as collections have them, and what
// moved.
func (w Witnessed) Witnesses(seed uint64) (capture Capture, logs map[string][]byte, truth []Moved) {
	b := newPair(seed)
	w.script(b)
	logs = map[string][]byte{}
	for _, h := range b.windows() {
		logs[h.Name+".evtx"] = b.Logs.Sorted().Of(h).EVTX()
	}
	for h, l := range b.unix {
		for name, text := range l.Text {
			logs["uac-"+h.FQDN()+"-linux-20260317120000/[root]/var/log/"+name] = []byte(text)
		}
	}
	return b.Take(), logs, b.Truth.Moved
}
