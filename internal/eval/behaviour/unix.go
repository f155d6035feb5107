package behaviour

import (
	"fmt"
	"strings"

	"waybill/internal/model"
	"waybill/internal/synth"
)

const sftpServer = "/usr/lib/openssh/sftp-server"

// unixVerbs are what Linux hosts log: the audit system, sshd, and servers.
var unixVerbs = map[string]verb{
	// sh: somebody gives a command.
	"sh": {form: "HOST USER COMMAND", rest: true, play: func(b *stage, c call) { b.shell(c.words[0], c.words[1], c.rest) }},
	// exec: a command in a session that came over SSH.
	"exec": {form: "FROM HOST USER COMMAND", rest: true, play: func(b *stage, c call) {
		b.sshIn(c.words[0], c.words[1], c.words[2], c.rest)
		b.startedBy(c.words[1], c.rest, "")
	}},
	// scp: with=old is the protocol before OpenSSH 9.0. quiet=yes: the source has no command to show.
	"scp": {form: "FROM HOST USER LOCAL PATH [with=] [as=]", play: scpVerb},
	// sftp: an interactive session. log=yes: the server logs files.
	"sftp": {form: "FROM HOST USER PATH [as=]", play: func(b *stage, c call) {
		from, to, user, path := c.words[0], c.words[1], c.words[2], c.words[3]
		b.moves(&movement{from: from, to: to, channel: "ssh", name: lastElement(path), path: path, user: user})
		b.shell(from, c.option("as", "svc-app"), "sftp "+user+"@"+b.host(to).Name)
		p := b.sshIn(from, to, user, sftpServer+" -l INFO")
		b.unixLogs(to).Creates(b.Now, p, path)
		b.later(2)
		b.unixLogs(to).Stored(b.Now, b.host(from), user, path, int64(len(b.file(lastElement(path)))))
	}},
	// rsync: files of a folder go into another, over SSH.
	"rsync": {form: "FROM HOST USER LOCAL FOLDER [as=] NAMES", rest: true, play: rsyncVerb},
	// rsyncd: a file goes to a daemon's module, as it logs it.
	"rsyncd": {form: "FROM HOST USER MODULE PATH", play: rsyncdVerb},
	// curl: a host gets a file from another one's web server.
	"curl": {form: "SERVER HOST USER PORT TARGET LOCAL [server=]", play: curlVerb},
	// ftp: a file is put on an FTP server, as it logs it.
	"ftp": {form: "FROM HOST USER PATH", play: func(b *stage, c call) {
		path := c.words[3]
		m := b.moves(&movement{from: c.words[0], to: c.words[1], channel: "ftp", name: lastElement(path), path: path, user: c.words[2]})
		if b.packets {
			m.hash = b.hashOf(m.name)
			f := b.FTP(b.host(c.words[0]), b.host(c.words[1]), c.words[2], "x")
			f.Put(path, b.file(m.name))
			f.Quit()
			return
		}
		b.host(c.words[0])
		b.unixLogs(c.words[1]).Add(synth.Moved{Channel: "ftp", Operation: model.Push, Source: b.host(c.words[0]).Model(), User: c.words[2], Path: path, Size: int64(len(b.file(m.name)))}, b.Now)
	}},
	// nfs: an export of a host is mounted, and a file copied there.
	"nfs": {form: "HOST SERVER EXPORT USER LOCAL NAME", play: nfsVerb},
	// web: a web server answers a request for a file.
	"web": {form: "SERVER CLIENT TARGET", play: func(b *stage, c call) {
		b.host(c.words[1])
		m := b.moves(&movement{from: c.words[0], to: c.words[1], channel: "http", name: lastElement(c.words[2]), path: c.words[2]})
		if b.packets {
			m.hash = b.hashOf(m.name)
			http := b.HTTP(b.host(c.words[1]), b.host(c.words[0]), b.host(c.words[0]).Name)
			http.Get(c.words[2], synth.Entity{Content: b.file(m.name)})
			http.Close()
			return
		}
		b.unixLogs(c.words[0]).Add(synth.Moved{Channel: "http", Operation: model.Pull, Source: b.host(c.words[0]).Model(), Destination: b.host(c.words[1]).Model(), Path: c.words[2],
			Size: int64(len(b.file(m.name)))}, b.Now)
	}},
	// makes: a process of a host makes a file.
	"makes": {form: "HOST USER PATH COMMAND", rest: true, play: func(b *stage, c call) {
		p := b.shell(c.words[0], c.words[1], c.rest)
		b.unixLogs(c.words[0]).Creates(b.Now, p, c.words[2])
	}},
}

// shell is a command that somebody gave, and the audit system logged.
func (b *stage) shell(role, user, command string) synth.Process {
	args := strings.Fields(command)
	b.pids++
	p := synth.Process{PID: b.pids, Exe: args[0], User: user, Session: 4}
	if args[0][0] != '/' {
		p.Exe = "/usr/bin/" + args[0]
	}
	if b.office.kind[b.role(role)] == linux && !b.packets {
		b.unixLogs(role).Executes(b.Now, p, args...)
		b.startedBy(role, p.Exe, "")
	}
	return p
}

// sshIn is a login over SSH, and a process that the server runs in its session.
func (b *stage) sshIn(from, to, user, command string) synth.Process {
	args := strings.Fields(command)
	b.pids++
	exe := args[0]
	if exe[0] != '/' {
		exe = "/usr/bin/" + exe
	}
	p := synth.Process{PID: b.pids, Exe: exe, User: user, Session: b.pids}
	l := b.unixLogs(to)
	l.SSHLogin(b.Now, b.host(from), b.host(to), user, p.Session)
	b.later(1)
	l.Executes(b.Now, p, args...)
	return p
}

func scpVerb(b *stage, c call) {
	from, to, user, local, path := c.words[0], c.words[1], c.words[2], c.words[3], c.words[4]
	b.moves(&movement{from: from, to: to, channel: "ssh", name: lastElement(path), path: path, user: user})
	old := c.option("with", "") == "old"
	command, server := "scp ", sftpServer
	if old {
		command, server = "scp -O ", "/usr/bin/scp -t "+path
	}
	b.shell(from, c.option("as", "svc-app"), command+local+" "+user+"@"+b.host(to).Name+":"+path)
	p := b.sshIn(from, to, user, server)
	b.unixLogs(to).Creates(b.Now, p, path)
}

// rsyncVerb: rsync writes each file under a name of its own before it gets its name.
func rsyncVerb(b *stage, c call) {
	from, to, user, local, folder := c.words[0], c.words[1], c.words[2], c.words[3], c.words[4]
	b.shell(from, c.option("as", "svc-app"), "rsync -a "+local+" "+user+"@"+b.host(to).Name+":"+folder)
	p := b.sshIn(from, to, user, "rsync --server -logDtpre.iLsfxCIvu . "+folder)
	for _, name := range strings.Fields(c.rest) {
		b.moves(&movement{from: from, to: to, channel: "ssh", name: name, path: folder + name, user: user})
		part := folder + "." + name + ".Qw3rTy"
		b.unixLogs(to).Creates(b.Now, p, part)
		b.later(1)
		b.unixLogs(to).Renames(b.Now, p, part, folder+name)
	}
}

func rsyncdVerb(b *stage, c call) {
	from, to, user, module, path := c.words[0], c.words[1], c.words[2], c.words[3], c.words[4]
	b.moves(&movement{from: from, to: to, channel: "rsync", name: lastElement(path), path: path, user: user})
	h, l := b.host(from), b.unixLogs(to)
	at := func() string { return clock(b.Now).Format("2006/01/02 15:04:05") + " [4711]" }
	l.Log("rsyncd.log", "%s connect from %s (%s)", at(), h.FQDN(), h.Addr)
	l.Log("rsyncd.log", "%s rsync to %s/ from %s@%s (%s)", at(), module, user, h.FQDN(), h.Addr)
	l.Log("rsyncd.log", "%s receiving file list", at())
	b.later(20)
	l.Log("rsyncd.log", "%s recv %s [%s] %s (%s) %s 73400320", at(), h.FQDN(), h.Addr, module, user, path)
	l.Log("rsyncd.log", "%s sent 40 bytes  received 73400577 bytes  total size 73400320", at())
}

func curlVerb(b *stage, c call) {
	server, host, user, target, local := c.words[0], c.words[1], c.words[2], c.words[4], c.words[5]
	port := atoi(c.words[3])
	m := b.moves(&movement{from: server, to: host, channel: "http", name: lastElement(local), path: local, user: user})
	if b.packets {
		m.name, m.user, m.hash = lastElement(target), "", b.hashOf(lastElement(target))
		http := b.HTTP(b.host(host), b.host(server), b.host(server).Addr.String())
		http.Get(target, synth.Entity{Content: b.file(m.name)})
		http.Close()
		return
	}
	p := b.shell(host, user, fmt.Sprintf("curl -o %s http://%s:%d%s", local, b.host(server).Addr, port, target))
	b.unixLogs(host).Connects(b.Now, p, b.host(server), port)
	b.unixLogs(host).Creates(b.Now, p, local)
	b.later(1)
	if l := b.unix[b.role(server)]; l != nil {
		l.Log(c.option("server", "access.log"), `%s - - [%s] "GET %s HTTP/1.1" 200 -`, b.host(host).Addr, clock(b.Now).Format("02/Jan/2006 15:04:05"), target)
	}
}

func nfsVerb(b *stage, c call) {
	host, server, export, user, local, name := c.words[0], c.words[1], c.words[2], c.words[3], c.words[4], c.words[5]
	b.host(server)
	b.moves(&movement{from: host, to: server, channel: "nfs", name: name, path: "/mnt/" + name, user: user})
	b.shell(host, user, "mount -t nfs4 "+b.host(server).Addr.String()+":"+export+" /mnt")
	b.later(4)
	p := b.shell(host, user, "cp "+local+" /mnt/")
	b.unixLogs(host).Creates(b.Now, p, "/mnt/"+name)
}
