package behaviour

import (
	"strings"

	"waybill/internal/synth"
)

// hypervisorVerbs are what ESXi logs.
var hypervisorVerbs = map[string]verb{
	// upload: a browser puts a file on a datastore.
	"upload": {form: "FROM ESX USER STORE PATH", play: func(b *stage, c call) {
		from, to := b.host(c.words[0]), c.words[1]
		b.moves(&movement{from: c.words[0], to: to, channel: "http", name: lastElement(c.words[4]), path: c.words[4], user: c.words[2]})
		l := b.unixLogs(to)
		l.HostdEvent(b.Now, "User %s@%s logged in as Mozilla/5.0", c.words[2], from.Addr)
		b.later(20)
		l.HostdEvent(b.Now, "File upload to path '[%s] %s' was initiated from 'Mozilla/5.0@%s' and completed with status 'Success'", c.words[3], c.words[4], from.Addr)
	}},
	// esxscp: a file comes to a hypervisor over SSH.
	"esxscp": {form: "FROM ESX USER PATH [as=]", play: func(b *stage, c call) {
		from, to, user, path := c.words[0], c.words[1], c.words[2], c.words[3]
		b.moves(&movement{from: from, to: to, channel: "ssh", name: lastElement(path), path: path, user: user})
		if b.office.kind[b.role(from)] == hypervisor {
			b.unixLogs(from).ESXShell(b.Now, "root", "scp /tmp/"+lastElement(path)+" "+user+"@"+b.host(to).Addr.String()+":"+path)
		} else {
			b.shell(from, c.option("as", "svc-app"), "scp /var/tmp/.k/"+lastElement(path)+" "+user+"@"+b.host(to).Addr.String()+":"+path)
		}
		b.unixLogs(to).ESXLogin(b.Now, b.host(from), b.host(to), user)
		b.later(2)
		b.unixLogs(to).ESXStored(b.Now, b.host(from), user, path, len(b.file(lastElement(path))))
	}},
	"esxsh": {form: "ESX USER COMMAND", rest: true, play: func(b *stage, c call) {
		b.unixLogs(c.words[0]).ESXShell(b.Now, c.words[1], c.rest)
		b.startedBy(c.words[0], c.rest, "")
	}},
	// guest: the hypervisor puts a file into a guest. esx=none: nobody collects its logs.
	"guest": {form: "ESX GUEST PATH [image=]", play: func(b *stage, c call) {
		to, path := c.words[1], c.words[2]
		m := b.moves(&movement{from: c.words[0], to: to, channel: "guest", name: lastElement(path), path: path})
		if b.quiet[b.role(c.words[0])] {
			m.from, m.sourceless = "", true
		} else {
			l := b.unixLogs(c.words[0])
			l.HostdEvent(b.Now, "Guest operation Initiate File Transfer To Guest performed on Virtual machine %s.", b.host(to).Name)
			l.Hostd(b.Now+50e6, "Guestsvc.GuestFileHandler", "Guest File Path is %s", path)
		}
		b.later(1)
		b.created(to, c.option("image", `C:\Program Files\VMware\VMware Tools\vmtoolsd.exe`), 2400, path)
	}},
}

// macVerbs are what Macs log.
var macVerbs = map[string]verb{
	// macscp: a file comes to a Mac over SSH.
	"macscp": {form: "FROM MAC USER PATH [as=]", play: func(b *stage, c call) {
		from, to, user, path := c.words[0], c.words[1], c.words[2], c.words[3]
		b.moves(&movement{from: from, to: to, channel: "ssh", name: lastElement(path), path: path, user: user})
		b.shell(from, c.option("as", "svc-app"), "scp /var/tmp/.k/"+lastElement(path)+" "+user+"@"+b.host(to).Addr.String()+":"+path)
		l := b.unixLogs(to)
		l.MacLogin(b.Now, b.host(from), b.host(to), user)
		b.later(1)
		b.pids++
		l.MacCreated(b.Now, b.pids, "/usr/libexec/sftp-server", path[:strings.LastIndexByte(path, '/')], lastElement(path))
	}},
	// maccurl: a Mac gets a file from a host's web server.
	"maccurl": {form: "SERVER MAC PORT PATH", play: func(b *stage, c call) {
		server, to, path := c.words[0], c.words[1], c.words[3]
		b.moves(&movement{from: server, to: to, channel: "http", name: lastElement(path), path: path})
		l := b.unixLogs(to)
		b.pids++
		l.MacRan(b.Now, b.pids, "/usr/bin/curl", "curl", "-o", path, "http://"+b.host(server).Addr.String()+":"+c.words[2]+"/"+lastElement(path))
		l.MacCreated(b.Now, b.pids, "/usr/bin/curl", path[:strings.LastIndexByte(path, '/')], lastElement(path))
	}},
	"macrun": {form: "MAC COMMAND", rest: true, play: func(b *stage, c call) {
		b.pids++
		args := strings.Fields(c.rest)
		b.unixLogs(c.words[0]).MacRan(b.Now, b.pids, args[0], args...)
		b.startedBy(c.words[0], c.rest, "")
	}},
	// macwrites: a process of a Mac makes a file.
	"macwrites": {form: "MAC IMAGE PATH", play: func(b *stage, c call) {
		b.pids++
		b.unixLogs(c.words[0]).MacCreated(b.Now, b.pids, c.words[1], c.words[2][:strings.LastIndexByte(c.words[2], '/')], lastElement(c.words[2]))
	}},
}

// wireVerbs are what only packets show.
var wireVerbs = map[string]verb{
	// raw: content crosses a connection that is no protocol's.
	"raw": {form: "FROM TO PORT NAME [served=]", play: func(b *stage, c call) {
		port := atoi(c.words[2])
		m := b.moves(&movement{from: c.words[0], to: c.words[1], channel: "tcp"})
		content := b.file(c.words[3])
		m.hash = hashOf(content)
		if c.option("served", "") != "" {
			b.Raw(b.host(c.words[1]), b.host(c.words[0]), content, synth.RawOptions{Port: uint16(port), Served: true})
			return
		}
		b.Raw(b.host(c.words[0]), b.host(c.words[1]), content, synth.RawOptions{Port: uint16(port)})
	}},
}
