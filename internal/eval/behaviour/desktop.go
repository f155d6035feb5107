package behaviour

import (
	"strings"
	"time"

	"waybill/internal/model"
	"waybill/internal/synth"
)

func stamp(t model.Time) string { return clock(t).Format("2006-01-02 15:04:05.000") }

func clock(t model.Time) time.Time { return time.Unix(0, int64(t)).UTC() }

// desktopVerbs are Remote Desktop, WinRM and OpenSSH of Windows.
var desktopVerbs = map[string]verb{
	// rdp: a session from one host to another (mstsc on the source; 4624 type 10, 1149, 21).
	"rdp": {form: "FROM HOST [by=]", play: rdpVerb},
	// paste: the shell of the session writes what was pasted or dropped.
	"paste": {form: "HOST PATH [by=]", play: func(b *stage, c call) {
		name := lastElement(c.words[1])
		b.moves(&movement{from: b.rdp[b.role(c.words[0])], to: c.words[0], channel: "rdp", name: name, path: c.words[1], user: bare(c.option("by", b.words["account"]))})
		b.created(c.words[0], `C:\Windows\explorer.exe`, 3000, c.words[1])
	}},
	// fromdrive: a command of the session copies from the client's redirected drive.
	"fromdrive": {form: "HOST DRIVEPATH PATH [by=]", play: func(b *stage, c call) {
		account := c.option("by", b.words["account"])
		b.moves(&movement{from: b.rdp[b.role(c.words[0])], to: c.words[0], channel: "rdp", name: lastElement(c.words[2]), path: c.words[2]})
		pid := b.runs(c.words[0], account, `C:\Windows\explorer.exe`, `C:\Windows\System32\cmd.exe`, `cmd.exe /c copy \\tsclient\`+c.words[1]+` `+c.words[2])
		b.created(c.words[0], `C:\Windows\System32\cmd.exe`, pid, c.words[2])
	}},
	// winrm: a remote session of PowerShell, and winrmfile what comes over it.
	"winrm": {form: "FROM HOST [by=] [with=]", play: winrmVerb},
	"winrmfile": {form: "FROM HOST PATH [by=] [script=]", play: func(b *stage, c call) {
		b.moves(&movement{from: c.words[0], to: c.words[1], channel: "winrm", name: lastElement(c.words[2]), path: c.words[2], user: bare(c.option("by", b.words["account"]))})
		if b.logs(c.words[1]) && c.option("script", "") != "" {
			b.Log(b.host(c.words[1]), synth.PowerShell, 4104, "MessageNumber", "1", "MessageTotal", "1", "ScriptBlockText", `[IO.File]::WriteAllBytes('`+c.words[2]+`', [Convert]::FromBase64String($data))`, "ScriptBlockId", "{0A}", "Path", "")
		}
		b.created(c.words[1], `C:\Windows\System32\wsmprovhost.exe`, 5700, c.words[2])
	}},
	// scpwin: scp to a Windows host that runs OpenSSH.
	"scpwin": {form: "FROM HOST PATH [by=]", play: func(b *stage, c call) {
		from, to, account := c.words[0], c.words[1], c.option("by", b.words["account"])
		name := lastElement(c.words[2])
		b.moves(&movement{from: from, to: to, channel: "ssh", name: name, path: c.words[2], user: bare(account)})
		b.runs(from, account, `C:\Windows\System32\cmd.exe`, programs["scp.exe"], `scp.exe `+name+` `+bare(account)+`@`+b.host(to).Name+`:`+strings.ReplaceAll(c.words[2], `\`, "/"))
		b.spoke(from, to, 22, `C:\Windows\System32\OpenSSH\ssh.exe`, `C:\Windows\System32\OpenSSH\sshd.exe`)
		b.netLogon(to, from, account, false)
		b.later(1)
		b.created(to, `C:\Windows\System32\OpenSSH\sftp-server.exe`, 5801, c.words[2])
	}},
}

func rdpVerb(b *stage, c call) {
	from, host, account := c.words[0], c.words[1], c.option("by", b.words["account"])
	b.rdp[b.role(host)] = from
	b.runs(from, account, `C:\Windows\explorer.exe`, `C:\Windows\System32\mstsc.exe`, `mstsc.exe /v:`+b.host(host).Name)
	b.spoke(from, host, 3389, `C:\Windows\System32\mstsc.exe`, `C:\Windows\System32\svchost.exe`)
	if !b.logs(host) {
		return
	}
	h, client := b.host(host), b.host(from)
	domain, user, _ := strings.Cut(account, `\`)
	b.Log(h, synth.RDPServer, 1149, "Param1", user, "Param2", domain, "Param3", client.Addr.String())
	b.Logon(h, client, account, 10)
	b.Log(h, synth.Sessions, 21, "User", account, "SessionID", "3", "Address", client.Addr.String())
	b.runs(host, account, `C:\Windows\System32\svchost.exe`, `C:\Windows\System32\rdpclip.exe`, `rdpclip`)
	b.later(40)
}

func winrmVerb(b *stage, c call) {
	from, host, account := c.words[0], c.words[1], c.option("by", b.words["account"])
	b.runs(from, account, `C:\Windows\explorer.exe`, programs["powershell.exe"], `powershell.exe `+c.option("with", `$s = New-PSSession -ComputerName `+b.host(host).Name))
	b.spoke(from, host, 5985, programs["powershell.exe"], "System")
	b.netLogon(host, from, account, false)
	b.later(1)
	b.runs(host, account, `C:\Windows\System32\svchost.exe`, `C:\Windows\System32\wsmprovhost.exe`, `C:\Windows\System32\wsmprovhost.exe -Embedding`)
	if b.logs(host) {
		b.Log(b.host(host), synth.WinRMLog, 91, "shellId", "{1}", "resourceUri", "http://schemas.microsoft.com/powershell/Microsoft.PowerShell")
	}
	b.later(2)
}
