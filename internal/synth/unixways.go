package synth

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"waybill/internal/model"
)

// Unix is the hosts of a stage that run it: an intruder goes from App to DB, and Jump
// and Web are of the everyday twin, all under Linux; ESX is a hypervisor.
type Unix struct {
	App, DB, Jump, Web *Host
	ESX, Mac           *Host
	logs               map[*Host]*UnixLogs
}

func newUnix(n *Net) Unix {
	return Unix{n.Host("app-21", "10.30.3.21"), n.Host("db-07", "10.30.3.7"), n.Host("jump-01", "10.30.3.2"), n.Host("web-02", "10.30.3.12"),
		n.Host("esx-01", "10.30.4.11"), n.Host("mac-07", "10.30.1.77"), map[*Host]*UnixLogs{}}
}

// unix gives the logs of a Unix host. They begin with somebody's login, in which sshd
// says what address the host has.
func (b *Stage) unix(h *Host) *UnixLogs {
	l := b.logs[h]
	if l == nil {
		l = &UnixLogs{Host: h.FQDN()}
		b.logs[h] = l
		l.SSHLogin(b.Now-3600*second, b.Host("mgmt-01", "10.30.3.100"), h, "ops", 1)
	}
	return l
}

// Files are all logs of the stage: event logs by the names of the hosts, and those of
// Unix hosts as a collection of each has them.
func (b *Stage) Files() map[string][]byte {
	out := map[string][]byte{}
	for _, h := range []*Host{b.Entry, b.Target, b.Third, b.Server, b.Admin, b.Desk} {
		out[h.Name+".evtx"] = b.Logs.Sorted().Of(h).EVTX()
	}
	for _, h := range slices.SortedFunc(maps.Keys(b.logs), func(x, y *Host) int { return x.Addr.Compare(y.Addr) }) {
		for name, text := range b.logs[h].Text {
			out[fmt.Sprintf("uac-%s-%s-20260317120000/[root]/var/log/%s", h.FQDN(), cmp.Or(b.logs[h].system, "linux"), name)] = []byte(text)
		}
	}
	return out
}

// shellRan is a command that somebody gave on a Unix host.
func (b *Stage) shellRan(h *Host, user string, args ...string) Process {
	b.pids++
	p := Process{PID: 3000 + b.pids, Exe: args[0], User: user, Session: 4}
	if args[0][0] != '/' {
		p.Exe = "/usr/bin/" + args[0]
	}
	b.unix(h).Executes(b.Now, p, args...)
	return p
}

// sshIn is a login over SSH and a process that the server runs in its session.
func (b *Stage) sshIn(from, to *Host, user, exe string, args ...string) Process {
	b.pids++
	p := Process{PID: 3000 + b.pids, Exe: exe, User: user, Session: 10 + b.pids}
	b.unix(to).SSHLogin(b.Now, from, to, user, p.Session)
	b.later(1)
	b.unix(to).Executes(b.Now, p, args...)
	return p
}

const sftpServer = "/usr/lib/openssh/sftp-server"

// UnixTwin is a day's work on Unix hosts: a release goes to a web server.
func (b *Stage) UnixTwin() Shown {
	b.Now = Begin + 95*60*second
	const path = "/srv/releases/shop-4.2.tar.gz"
	b.shellRan(b.Jump, "deploy", "scp", "/home/deploy/shop-4.2.tar.gz", "deploy@"+b.Web.Name+":"+path)
	p := b.sshIn(b.Jump, b.Web, "deploy", sftpServer, sftpServer, "-l", "INFO")
	b.unix(b.Web).Creates(b.Now, p, path)
	b.later(2)
	b.unix(b.Web).Stored(b.Now, b.Jump, "deploy", path, 18_400_112)
	return Shown{b.Jump, b.Web, "ssh", "deploy", "shop-4.2.tar.gz", ""}
}

// rsyncTwin is the night's backup to a server that runs the daemon.
func (b *Stage) rsyncTwin() Shown {
	b.Now = Begin + 95*60*second
	b.unix(b.Jump)
	l, at := b.unix(b.Web), func() string { return stamp(b.Now, "2006/01/02 15:04:05") + " [4711]" }
	peer := fmt.Sprintf("%s (%s)", b.Jump.FQDN(), b.Jump.Addr)
	l.Log("rsyncd.log", "%s connect from %s", at(), peer)
	l.Log("rsyncd.log", "%s rsync to backup/ from backup@%s", at(), peer)
	l.Log("rsyncd.log", "%s receiving file list", at())
	b.later(40)
	l.Log("rsyncd.log", "%s recv %s [%s] backup (backup) home.tar.zst 73400320", at(), b.Jump.FQDN(), b.Jump.Addr)
	l.Log("rsyncd.log", "%s sent 40 bytes  received 73400577 bytes  total size 73400320", at())
	return Shown{b.Jump, b.Web, "rsync", "backup", "home.tar.zst", ""}
}

// ftpTwin is a scanner that puts a page on an FTP server.
func (b *Stage) ftpTwin() Shown {
	b.Now = Begin + 95*60*second
	b.unix(b.Jump)
	b.unix(b.Web).Add(Moved{Channel: "ftp", Operation: model.Push, Source: b.Jump.Model(), User: "scanner", Path: "/srv/scans/page-0311.pdf", Size: 412_331}, b.Now)
	return Shown{b.Jump, b.Web, "ftp", "scanner", "page-0311.pdf", ""}
}

// webTwin is a host that takes a package list from the house's mirror.
func (b *Stage) webTwin() Shown {
	b.Now = Begin + 95*60*second
	p := b.shellRan(b.Jump, "ops", "curl", "-o", "/srv/mirror/handbook.pdf", "http://"+b.Web.Addr.String()+"/docs/handbook.pdf")
	b.unix(b.Jump).Connects(b.Now, p, b.Web, 80)
	b.unix(b.Jump).Creates(b.Now, p, "/srv/mirror/handbook.pdf")
	b.later(1)
	b.unix(b.Web).Add(Moved{Channel: "http", Operation: model.Pull, Source: b.Web.Model(), Destination: b.Jump.Model(), Path: "/docs/handbook.pdf", Size: 2_104_441}, b.Now)
	return Shown{b.Web, b.Jump, "http", "", "handbook.pdf", ""}
}

// nfsTwin is a report that is put on the house's file server.
func (b *Stage) nfsTwin() Shown {
	b.Now = Begin + 95*60*second
	b.unix(b.Web)
	b.shellRan(b.Jump, "ops", "mount", "-t", "nfs4", b.Web.Addr.String()+":/srv/reports", "/mnt/reports")
	p := b.shellRan(b.Jump, "ops", "cp", "/home/ops/march.pdf", "/mnt/reports/2026/")
	b.unix(b.Jump).Creates(b.Now, p, "/mnt/reports/2026/march.pdf")
	return Shown{b.Jump, b.Web, "nfs", "ops", "march.pdf", ""}
}

// unixWays are the behaviours of Unix hosts.
var unixWays = []Behaviour{
	{Channels: []string{"scp"}, Script: scpWay, Twin: (*Stage).UnixTwin},
	{Channels: []string{"sftp"}, Script: sftpWay, Twin: (*Stage).UnixTwin},
	{Channels: []string{"rsync"}, Script: rsyncWay, Twin: (*Stage).rsyncTwin},
	{Channels: []string{"http_internal"}, Script: curlWay, Twin: (*Stage).webTwin},
	{Channels: []string{"nfs"}, Script: nfsWay, Twin: (*Stage).nfsTwin},
	{Channels: []string{"ftp"}, Script: ftpWay, Twin: (*Stage).ftpTwin},
}

// scpWay pushes over both protocols of scp: the old one, whose far end is scp -t, and
// SFTP (OpenSSH 9.0). What came is started from a second session.
func scpWay(b *Stage) []Shown {
	b.shellRan(b.App, "svc-app", "scp", "-O", "/var/tmp/.k/agent", "ops@"+b.DB.Name+":/tmp/agent")
	p := b.sshIn(b.App, b.DB, "ops", "/usr/bin/scp", "scp", "-t", "/tmp/agent")
	b.unix(b.DB).Creates(b.Now, p, "/tmp/agent")
	b.later(40)
	b.shellRan(b.App, "svc-app", "scp", "/var/tmp/.k/conf.bin", "ops@"+b.DB.Name+":/tmp/conf.bin")
	p = b.sshIn(b.App, b.DB, "ops", sftpServer, sftpServer)
	b.unix(b.DB).Creates(b.Now, p, "/tmp/conf.bin")
	b.later(20)
	b.sshIn(b.App, b.DB, "ops", "/tmp/agent", "/tmp/agent", "-c", "/tmp/conf.bin")
	return []Shown{{b.App, b.DB, "ssh", "ops", "agent", ""}, {b.App, b.DB, "ssh", "ops", "conf.bin", ""}}
}

// sftpWay is an interactive session: only the server knows the files.
func sftpWay(b *Stage) []Shown {
	b.shellRan(b.App, "svc-app", "sftp", "ops@"+b.DB.Name)
	p := b.sshIn(b.App, b.DB, "ops", sftpServer, sftpServer, "-l", "INFO")
	b.unix(b.DB).Creates(b.Now, p, "/tmp/run.sh")
	b.later(3)
	b.unix(b.DB).Stored(b.Now, b.App, "ops", "/tmp/run.sh", 4211)
	b.later(20)
	b.sshIn(b.App, b.DB, "ops", "/bin/sh", "/tmp/run.sh")
	return []Shown{{b.App, b.DB, "ssh", "ops", "run.sh", ""}}
}

// rsyncWay sends a folder of tools into a hidden one, over SSH: rsync writes each file
// under a name of its own before it gets its name.
func rsyncWay(b *Stage) []Shown {
	b.shellRan(b.App, "svc-app", "rsync", "-a", "tools/", "ops@"+b.DB.Name+":/tmp/.x/")
	p := b.sshIn(b.App, b.DB, "ops", "/usr/bin/rsync", "rsync", "--server", "-logDtpre.iLsfxCIvu", ".", "/tmp/.x/")
	// What the command names is a folder, of which nothing is logged.
	out := []Shown{{b.App, b.DB, "ssh", "ops", "tools", model.Claimed}}
	for _, name := range []string{"scan.sh", "pivot"} {
		part := "/tmp/.x/." + name + ".Qw3rTy"
		b.unix(b.DB).Creates(b.Now, p, part)
		b.later(2)
		b.unix(b.DB).Renames(b.Now, p, part, "/tmp/.x/"+name)
		out = append(out, Shown{b.App, b.DB, "ssh", "ops", name, ""})
	}
	b.later(15)
	b.sshIn(b.App, b.DB, "ops", "/tmp/.x/pivot", "/tmp/.x/pivot")
	return out
}

// curlWay fetches from a peer that runs Python's web server.
func curlWay(b *Stage) []Shown {
	b.shellRan(b.App, "svc-app", "python3", "-m", "http.server", "8000")
	b.later(30)
	p := b.shellRan(b.DB, "ops", "curl", "-o", "/tmp/x", "http://"+b.App.Addr.String()+":8000/x")
	b.unix(b.DB).Connects(b.Now, p, b.App, 8000)
	b.unix(b.DB).Creates(b.Now, p, "/tmp/x")
	b.later(1)
	b.unix(b.App).Log("nohup.out", `%s - - [%s] "GET /x HTTP/1.1" 200 -`, b.DB.Addr, stamp(b.Now, "02/Jan/2006 15:04:05"))
	b.later(2)
	b.shellRan(b.DB, "ops", "chmod", "+x", "/tmp/x")
	b.shellRan(b.DB, "ops", "/tmp/x")
	return []Shown{{b.App, b.DB, "http", "ops", "x", ""}}
}

// ftpWay is ftp.exe with a script on a Windows host: what it does is in the script, and
// in the server's log.
func ftpWay(b *Stage) []Shown {
	b.Ran(b.Entry, b.Account, `C:\Windows\System32\ftp.exe`, `ftp.exe -s:c.txt `+b.DB.Name, `C:\Windows\System32\cmd.exe`, 4400, hashOf([]byte("ftp")))
	b.Spoke(b.Entry, b.Entry, b.DB, 21, `C:\Windows\System32\ftp.exe`, 4400)
	b.later(4)
	b.unix(b.DB).Add(Moved{Channel: "ftp", Operation: model.Push, Source: b.Entry.Model(), User: "ops", Path: "/srv/ftp/nbt.exe", Size: 91_648}, b.Now)
	return []Shown{{b.Entry, b.DB, "ftp", "ops", "nbt.exe", ""}}
}

// nfsWay mounts an export of the next host, and copies a tool to it: the host that
// mounts says so, its server logs no files.
func nfsWay(b *Stage) []Shown {
	b.unix(b.DB)
	b.shellRan(b.App, "svc-app", "mount", "-t", "nfs", b.DB.Addr.String()+":/export", "/mnt")
	b.later(5)
	p := b.shellRan(b.App, "svc-app", "cp", "/var/tmp/.k/tool", "/mnt/")
	b.unix(b.App).Creates(b.Now, p, "/mnt/tool")
	b.later(60)
	b.sshIn(b.App, b.DB, "ops", "/export/tool", "/export/tool")
	return []Shown{{b.App, b.DB, "nfs", "svc-app", "tool", ""}}
}
