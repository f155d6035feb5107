package behaviour

import (
	"strconv"
	"strings"

	"waybill/internal/synth"
)

// shareVerbs are what goes over SMB.
var shareVerbs = map[string]verb{
	"push": {form: "FROM TO SHARE PATH [by=] [auth=] [dialect=]", play: func(b *stage, c call) {
		b.push(c.words[0], c.words[1], c.words[2], c.words[3], c.option("by", b.words["account"]), c.option("auth", "") == "ntlm")
	}},
	// copy is a push that a command orders.
	"copy": {form: "FROM TO SHARE PATH [by=] [with=] [local=]", play: copyVerb},
	// pull: somebody reads a file of a server's share, and keeps it as LOCAL when that is said.
	"pull": {form: "SERVER READER SHARE PATH [by=] [local=] [writer=] [mask=]", play: pullVerb},
	// look, share: an access to a share with a mask, and nothing more.
	"look": {form: "SERVER READER SHARE PATH MASK [by=]", play: func(b *stage, c call) {
		server, reader, account := c.words[0], c.words[1], c.option("by", b.words["account"])
		logon := b.netLogon(server, reader, account, false)
		b.shareOpened(server, reader, account, logon, c.words[2])
		b.shareAccess(server, reader, account, logon, c.words[2], c.words[3], c.words[4])
	}},
	// deleted: the client removes a file of a share again.
	"deleted": {form: "SERVER CLIENT SHARE PATH [by=]", play: func(b *stage, c call) {
		b.shareAccess(c.words[0], c.words[1], c.option("by", b.words["account"]), b.logon, c.words[2], c.words[3], "0x10000")
	}},
	// pipe: a named pipe of a host is opened from another (5145 on IPC$).
	"pipe": {form: "HOST FROM NAME [by=] [owner=]", play: func(b *stage, c call) {
		account := c.option("by", b.words["account"])
		if owner := c.option("owner", ""); owner != "" && b.logs(c.words[0]) {
			h := b.host(c.words[0])
			b.Log(h, synth.Sysmon, 17, "RuleName", "-", "EventType", "CreatePipe", "ProcessGuid", processGUID(h, worker(owner)), "ProcessId", strconv.Itoa(worker(owner)), "PipeName", `\`+c.words[2], "Image", owner)
			b.later(1)
		}
		logon := b.netLogon(c.words[0], c.words[1], account, false)
		b.shareAccess(c.words[0], c.words[1], account, logon, "IPC$", c.words[2], "0x12019f")
	}},
	"denied": {form: "FROM TO SHARE [by=]", play: func(b *stage, c call) {
		if !b.logs(c.words[1]) {
			return
		}
		domain, user, _ := strings.Cut(c.option("by", b.words["account"]), `\`)
		b.Log(b.host(c.words[1]), synth.Security, 5140, "SubjectUserSid", synth.SID(user), "SubjectUserName", user, "SubjectDomainName", domain, "SubjectLogonId", "0x0",
			"ObjectType", "File", "IpAddress", b.host(c.words[0]).Addr.String(), "IpPort", "50123", "ShareName", `\\*\`+c.words[2], "AccessMask", "0x1")
		b.Logs[len(b.Logs)-1].Failure = true
	}},
	// drive: a share gets a letter on a host.
	"drive": {form: "HOST LETTER SERVER SHARE [by=]", play: func(b *stage, c call) {
		account := c.option("by", b.words["account"])
		b.runs(c.words[0], account, `C:\Windows\System32\cmd.exe`, `C:\Windows\System32\net.exe`, `net use `+c.words[1]+` \\`+b.host(c.words[2]).Name+`\`+c.words[3])
	}},
}

// push writes a file to a share, as both ends log it, or as packets.
func (b *stage) push(from, to, share, file, account string, ntlm bool) {
	m := b.moves(&movement{from: from, to: to, channel: "smb", share: share, path: file, name: lastElement(file), user: bare(account)})
	if b.packets {
		m.channel, m.hash = "smb2", b.hashOf(m.name)
		s := b.SMB(b.host(from), b.host(to), session(account))
		s.Tree(share).Put(file, b.file(m.name))
		s.Logoff()
		return
	}
	b.spoke(from, to, 445, "System", "System")
	b.logon = b.netLogon(to, from, account, ntlm)
	b.shareOpened(to, from, account, b.logon, share)
	b.shareAccess(to, from, account, b.logon, share, file, "0x17019f")
	b.shareAccess(to, from, account, b.logon, share, file, "0x2")
	b.created(to, "System", 4, strings.TrimRight(synth.ShareFolder(share), `\`)+`\`+file)
}

func session(account string) synth.SMBOptions {
	domain, user, _ := strings.Cut(account, `\`)
	return synth.SMBOptions{User: user, Domain: domain}
}

// moves adds a movement that a finding must name, unless it was said to be context.
func (b *stage) moves(m *movement) *movement {
	m.context, b.context = b.context, false
	b.moved = append(b.moved, m)
	return m
}

// copies are how commands order a push: {from} is the local file, {to} the place on the share.
var copies = map[string]string{
	"cmd":        `cmd.exe /c copy {from} {to}`,
	"move":       `cmd.exe /c move {from} {to}`,
	"xcopy":      `xcopy.exe {from} {to} /Y`,
	"powershell": `powershell.exe Copy-Item -Path {from} -Destination {to}`,
	"esentutl":   `esentutl.exe /y {from} /d {to} /o`,
	"expand":     `expand.exe {from} {to}`,
}

func copyVerb(b *stage, c call) {
	from, to, share, file := c.words[0], c.words[1], c.words[2], c.words[3]
	account := c.option("by", b.words["account"])
	local := c.option("local", `C:\Users\Public\`+lastElement(file))
	target := `\\` + b.host(to).Name + `\` + share + `\` + file
	line := strings.NewReplacer("{from}", local, "{to}", target).Replace(copies[c.option("with", "cmd")])
	b.runs(from, account, `C:\Windows\System32\cmd.exe`, imageOf(line), line)
	b.later(0.4)
	b.push(from, to, share, file, account, false)
}

func pullVerb(b *stage, c call) {
	server, reader, share, file := c.words[0], c.words[1], c.words[2], c.words[3]
	account := c.option("by", b.words["account"])
	m := b.moves(&movement{from: server, to: reader, channel: "smb", share: share, path: file, name: lastElement(file), user: bare(account)})
	if b.packets {
		m.channel, m.hash = "smb2", b.hashOf(m.name)
		s := b.SMB(b.host(reader), b.host(server), session(account))
		s.Tree(share).Get(file, b.file(m.name))
		s.Logoff()
		return
	}
	b.spoke(reader, server, 445, "System", "System")
	logon := b.netLogon(server, reader, account, false)
	b.shareOpened(server, reader, account, logon, share)
	b.shareAccess(server, reader, account, logon, share, file, c.option("mask", "0x120089"))
	if local := c.option("local", ""); local != "" {
		writer := c.option("writer", `C:\Windows\System32\cmd.exe`)
		b.created(reader, writer, worker(writer), local)
	}
}
