package behaviour

import (
	"fmt"
	"strings"

	"waybill/internal/synth"
)

// startVerbs start programs, on a host or from another one.
var startVerbs = map[string]verb{
	"run": {form: "HOST [as=] [parent=] [image=] [original=] COMMAND", rest: true, play: func(b *stage, c call) {
		if o := c.option("original", ""); o != "" {
			b.words["original"] = o
		}
		b.runs(c.words[0], c.option("as", b.words["account"]), c.option("parent", `C:\Windows\System32\cmd.exe`), c.option("image", imageOf(c.rest)), c.rest)
	}},
	// created: a process makes a file.
	"created": {form: "HOST IMAGE PATH", play: func(b *stage, c call) { b.created(c.words[0], c.words[1], worker(c.words[1]), c.words[2]) }},
	"loaded": {form: "HOST IMAGE MODULE", play: func(b *stage, c call) {
		if b.logs(c.words[0]) {
			b.Loaded(b.host(c.words[0]), c.words[1], c.words[2], b.hashOf(lastElement(c.words[2])))
			b.startedBy(c.words[0], c.words[2], lastElement(c.words[2]))
		}
	}},
	"connects": {form: "CLIENT SERVER PORT IMAGE [server=]", play: func(b *stage, c call) {
		b.spoke(c.words[0], c.words[1], atoi(c.words[2]), c.words[3], c.option("server", "System"))
	}},
	"logon": {form: "HOST FROM [by=] [auth=]", play: func(b *stage, c call) {
		b.netLogon(c.words[0], c.words[1], c.option("by", b.words["account"]), c.option("auth", "") == "ntlm")
	}},
	// service: a service is made with a command, from another host, and started.
	"service": {form: "FROM HOST NAME [by=] [file=] [quiet=] COMMAND", rest: true, play: serviceVerb},
	// task: a scheduled task is made with a command, from another host, and runs.
	"task": {form: "FROM HOST NAME [by=] [as=] COMMAND", rest: true, play: taskVerb},
	// wmi: Win32_Process.Create. with=wmic is the command for it on the source.
	"wmi": {form: "FROM HOST [by=] [with=] COMMAND", rest: true, play: wmiVerb},
	// psexec: its service goes to ADMIN$ and runs; what it starts is a step of its own.
	"psexec": {form: "FROM HOST [by=] [service=] [client=] [original=] [pipes=] [cover=]", play: psexecVerb},
	"module": {form: "HOST MODULE [image=]", play: func(b *stage, c call) {
		if b.logs(c.words[0]) {
			b.Loaded(b.host(c.words[0]), c.option("image", `C:\Windows\System32\rundll32.exe`), c.words[1], b.hashOf(lastElement(c.words[1])))
			b.startedBy(c.words[0], c.words[1], lastElement(c.words[1]))
		}
	}},
}

const (
	servicesEXE = `C:\Windows\System32\services.exe`
	systemUser  = `NT AUTHORITY\SYSTEM`
)

func serviceVerb(b *stage, c call) {
	from, host, name, account := c.words[0], c.words[1], c.words[2], c.option("by", b.words["account"])
	b.later(1.5)
	if b.packets {
		s := b.SMB(b.host(from), b.host(host), session(account))
		s.StartService(name, name, c.rest)
		s.Logoff()
		b.startedBy(host, c.rest, "")
		return
	}
	if b.logs(host) {
		logon := b.netLogon(host, from, account, false)
		b.shareAccess(host, from, account, logon, "IPC$", "svcctl", "0x12019f")
		b.ServiceMade(b.host(host), account, logon, name, c.rest)
	}
	b.later(0.5)
	if c.option("quiet", "") == "" {
		b.runs(host, systemUser, servicesEXE, c.option("file", plainImage(c.rest)), c.rest)
	}
}

// plainImage is the image that a service's command starts.
func plainImage(command string) string {
	image := strings.ReplaceAll(imageOf(command), "%SystemRoot%", `C:\Windows`)
	image = strings.ReplaceAll(image, "%systemroot%", `C:\Windows`)
	if rest, ok := strings.CutPrefix(image, `\\127.0.0.1\ADMIN$\`); ok {
		image = `C:\Windows\` + rest
	}
	if strings.EqualFold(image, "%COMSPEC%") {
		image = `C:\Windows\System32\cmd.exe`
	}
	return image
}

func taskVerb(b *stage, c call) {
	from, host, name, account := c.words[0], c.words[1], c.words[2], c.option("by", b.words["account"])
	b.later(2)
	domain, user, _ := strings.Cut(account, `\`)
	if b.packets {
		program, arguments := cutWord(c.rest)
		b.TaskByRPC(b.host(from), b.host(host), 49668, `\`+name, program, strings.TrimSpace(arguments), synth.RPCOptions{User: user, Domain: domain})
		b.startedBy(host, c.rest, "")
		return
	}
	b.taskMade(from, host, name, account, c.rest)
	b.later(1)
	b.runs(host, c.option("as", systemUser), scheduler, imageOf(c.rest), c.rest)
}

// taskMade logs that a task was made, and that its action began.
func (b *stage) taskMade(from, host, name, account, command string) {
	if !b.logs(host) {
		return
	}
	domain, user, _ := strings.Cut(account, `\`)
	logon := b.netLogon(host, from, account, false)
	b.shareAccess(host, from, account, logon, "IPC$", "atsvc", "0x12019f")
	program, arguments := cutWord(command)
	b.Log(b.host(host), synth.Security, 4698, "SubjectUserSid", synth.SID(user), "SubjectUserName", user, "SubjectDomainName", domain, "SubjectLogonId", logon, "TaskName", `\`+name,
		"TaskContent", `<Exec><Command>`+program+`</Command><Arguments>`+strings.TrimSpace(arguments)+`</Arguments></Exec>`)
	b.Log(b.host(host), synth.Tasks, 106, "TaskName", `\`+name, "UserContext", account)
	b.Log(b.host(host), synth.Tasks, 200, "TaskName", `\`+name, "ActionName", program, "TaskInstanceId", "{1}")
}

// scheduler is the command line of the process that runs tasks.
const scheduler = `C:\Windows\System32\svchost.exe -k netsvcs -p -s Schedule`

const wmiHost = `C:\Windows\System32\wbem\WmiPrvSE.exe`

func wmiVerb(b *stage, c call) {
	from, host, account := c.words[0], c.words[1], c.option("by", b.words["account"])
	domain, user, _ := strings.Cut(account, `\`)
	b.later(1.5)
	if b.packets {
		b.WMIExec(b.host(from), b.host(host), 49701, c.rest, synth.RPCOptions{User: user, Domain: domain})
		b.startedBy(host, c.rest, "")
		return
	}
	if c.option("with", "") == "wmic" {
		b.runs(from, account, `C:\Windows\System32\cmd.exe`, programs["wmic.exe"], `wmic.exe /node:`+b.host(host).Name+` process call create "`+c.rest+`"`)
	}
	b.spoke(from, host, 135, programs["wmic.exe"], `C:\Windows\System32\svchost.exe`)
	b.netLogon(host, from, account, false)
	b.later(0.5)
	b.runs(host, account, wmiHost, imageOf(c.rest), c.rest)
}

func psexecVerb(b *stage, c call) {
	from, host, account := c.words[0], c.words[1], c.option("by", b.words["account"])
	service := c.option("service", "PSEXESVC")
	if client := c.option("client", "psexec.exe"); client != "none" {
		b.words["original"] = c.option("original", "psexec.c")
		b.runs(from, account, `C:\Windows\System32\cmd.exe`, `C:\Users\Public\`+client, client+` \\`+b.host(host).Name+` -accepteula -s `+c.option("cover", "cmd"))
	}
	b.context = true
	b.push(from, host, "ADMIN$", service+".exe", account, false)
	b.later(0.6)
	if b.packets {
		s := b.SMB(b.host(from), b.host(host), session(account))
		s.StartService(service, service, `%SystemRoot%\`+service+`.exe`)
		s.Logoff()
		return
	}
	if !b.logs(host) {
		return
	}
	logon := b.netLogon(host, from, account, false)
	b.shareAccess(host, from, account, logon, "IPC$", "svcctl", "0x12019f")
	b.ServiceMade(b.host(host), account, logon, service, `%SystemRoot%\`+service+`.exe`)
	b.words["original"] = "psexesvc.exe"
	pid := b.runs(host, systemUser, servicesEXE, `C:\Windows\`+service+`.exe`, `C:\Windows\`+service+`.exe`)
	prefix := c.option("pipes", service) + "-" + b.host(from).Name + "-4200"
	for _, end := range []string{"", "-stdin", "-stdout", "-stderr"} {
		name := c.option("pipes", service)
		if end != "" {
			name = prefix + end
		}
		b.Log(b.host(host), synth.Sysmon, 17, "RuleName", "-", "EventType", "CreatePipe", "ProcessGuid", processGUID(b.host(host), pid), "ProcessId", fmt.Sprint(pid),
			"PipeName", `\`+name, "Image", `C:\Windows\`+service+`.exe`)
		b.shareAccess(host, from, account, logon, "IPC$", name, "0x12019f")
	}
}
