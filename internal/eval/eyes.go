package eval

import (
	"cmp"
	"container/heap"
	"fmt"
	"path"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/winevent"
)

// Eyes turn what happens into what the sensors of a tier write down: events of Windows
// hosts, and records as captures and Linux hosts give them.
type Eyes struct {
	tier     Tier
	w        *World
	log      func(*Logged) // the next event, in the order of time
	due      events
	seq      uint64
	records  map[string]uint64 // last record number by host and channel
	sessions map[session]logon
	logons   uint64
	seen     *Seen // what is no event of Windows
}

// Logged is an event of Windows and what it belongs to.
type Logged struct {
	winevent.Event
	row   *telemetry.Record // of Zeek, in place of an event
	label *Label
	seq   uint64
}

// Seen is the records of sensors that are no Windows hosts.
type Seen struct {
	Transfers []*model.Transfer
	Accesses  []*model.Access
}

type session struct {
	server, client int
	user           string
}

type logon struct {
	id   string
	last model.Time
}

// source is a provider and its channel.
type source struct {
	provider winevent.Provider
	channel  string
}

var (
	security = source{winevent.Security, "Security"}
	sysmon   = source{winevent.Sysmon, "Microsoft-Windows-Sysmon/Operational"}
	services = source{winevent.ServiceControl, "System"}
	tasks    = source{winevent.TaskScheduler, "Microsoft-Windows-TaskScheduler/Operational"}
	bits     = source{winevent.BITS, "Microsoft-Windows-Bits-Client/Operational"}
	desktops = source{winevent.SessionManager, "Microsoft-Windows-TerminalServices-LocalSessionManager/Operational"}
)

func newEyes(w *World, t Tier, log func(*Logged)) *Eyes {
	return &Eyes{tier: t, w: w, log: log, records: map[string]uint64{}, sessions: map[session]logon{}, seen: &Seen{}}
}

// events wait until those before them are known.
type events []*Logged

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(e[i].Time, e[j].Time), cmp.Compare(e[i].seq, e[j].seq)) < 0
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(*Logged)) }
func (e *events) Pop() any {
	old := *e
	x := old[len(old)-1]
	*e = old[:len(old)-1]
	return x
}

// until hands over the events before a time.
func (y *Eyes) until(t model.Time) {
	for len(y.due) > 0 && y.due[0].Time < t {
		e := heap.Pop(&y.due).(*Logged)
		if e.row != nil {
			y.log(e)
			continue
		}
		key := e.Computer + e.Channel
		y.records[key]++
		e.Record = y.records[key]
		y.log(e)
	}
}

// write notes an event of a host: data are names and values in turn.
func (y *Eyes) write(h *Host, s source, id uint16, at model.Time, l *Label, data ...string) {
	if !h.Windows() {
		return
	}
	e := &Logged{label: l, Event: winevent.Event{Provider: s.provider, Channel: s.channel, ID: id, Computer: h.FQDN()}}
	if l != nil {
		e.Input = int32(l.Index)
	}
	for i := 0; i+1 < len(data); i += 2 {
		e.Fields = append(e.Fields, winevent.Field{Name: data[i], Value: data[i+1]})
	}
	y.queue(e, at+y.clock(h))
}

// clock is how wrong the clock of a host is.
func (y *Eyes) clock(h *Host) model.Time {
	rng := seeded(y.w.Seed, uint64(h.ID), 41)
	return model.Time(rng.NormFloat64() * y.w.Parameters.value("clock_error") * 1e9)
}

// awake says of the hosts of a day who they are: each one's own account at itself.
func (y *Eyes) awake(h *Host, at model.Time) {
	y.write(h, security, 4624, at, nil, "TargetUserName", h.Name+"$", "TargetDomainName", domain, "LogonType", "3", "IpAddress", h.IP.String(),
		"WorkstationName", "-", "AuthenticationPackageName", "Kerberos", "TargetLogonId", y.logonID())
}

func (y *Eyes) logonID() string {
	y.logons++
	return fmt.Sprintf("0x%x", 0x10000+y.logons)
}

// see takes the next movement.
func (y *Eyes) see(m *Move) {
	switch m.Channel {
	case "smb":
		y.share(m)
	case "winrm":
		y.session(m, "3")
		y.created(m, cmp.Or(m.Writer, `C:\Windows\System32\wsmprovhost.exe`))
	case "rdp":
		y.desktop(m)
	case "bits":
		y.job(m)
		y.created(m, m.Writer)
	case "pipe":
		y.pipe(m)
	case "ssh":
		y.unix(m)
	default:
		y.created(m, m.Writer)
	}
	if c := m.client(); m.Command != "" && m.Channel != "ssh" {
		y.started(c, m, m.Time-second/5, cmp.Or(m.Process, `C:\Windows\System32\cmd.exe`), m.Command, `C:\Windows\explorer.exe`, domain+`\`+cmp.Or(m.User, c.User))
	}
	if m.Start != nil && m.Destination.Windows() {
		y.begun(m, m.Start)
	}
	if m.Source.Segment == m.Destination.Segment {
		return
	}
	if y.tier.Capture {
		y.captured(m)
	}
	if y.tier.Zeek && m.Channel != "pipe" {
		y.zeek(m)
	}
}

// session says that an account logged on over the network, and gives the logon's id.
func (y *Eyes) session(m *Move, kind string) string {
	server, client := m.server(), m.client()
	if m.User == "" || !server.Windows() {
		return ""
	}
	key := session{server.ID, client.ID, m.User}
	l := y.sessions[key]
	if l.id == "" || m.Time-l.last > 15*minute {
		l.id = y.logonID()
		pkg := "Kerberos"
		if client.Role == "printer" || client.Role == "linux" {
			pkg = "NTLM"
		}
		workstation := "-"
		if pkg == "NTLM" {
			workstation = client.Name
		}
		y.write(server, security, 4624, m.Time-second/4, m.Label, "TargetUserName", m.User, "TargetDomainName", m.Domain, "LogonType", kind, "IpAddress", client.IP.String(),
			"WorkstationName", workstation, "AuthenticationPackageName", pkg, "TargetLogonId", l.id)
	}
	l.last = m.Time
	y.sessions[key] = l
	return l.id
}

// share takes a movement over SMB.
func (y *Eyes) share(m *Move) {
	id := y.session(m, "3")
	server := m.server()
	mask := "0x1"
	if m.Push {
		mask = "0x2"
	}
	if y.tier.audits(server) && (m.Push || carries(m.Name)) {
		root := strings.TrimSuffix(localPath(m.Share, "x"), `\x`)
		y.write(server, security, 5145, m.Time, m.Label, "SubjectUserName", m.User, "SubjectDomainName", m.Domain, "SubjectLogonId", id, "ObjectType", "File",
			"IpAddress", m.client().IP.String(), "IpPort", fmt.Sprint(50000+m.seq%9000), "ShareName", `\\*\`+m.Share, "ShareLocalPath", `\??\`+root, "RelativeTargetName", m.Path, "AccessMask", mask)
	}
	if m.Push {
		y.created(m, "System")
	} else if m.Local != "" {
		y.created(m, m.Writer)
	}
}

func (y *Eyes) pipe(m *Move) {
	if y.tier.audits(m.Source) {
		y.write(m.Source, security, 5145, m.Time, m.Label, "SubjectUserName", m.User, "SubjectDomainName", m.Domain, "ObjectType", "File", "IpAddress", m.Destination.IP.String(),
			"IpPort", "50001", "ShareName", `\\*\IPC$`, "RelativeTargetName", m.Path, "AccessMask", "0x12019f")
	}
}

// watchedFiles are the extensions that a common configuration of Sysmon logs.
const watchedFiles = " exe dll sys scr com bat cmd ps1 vbs js hta msi jar war aspx asp jsp zip 7z rar iso vhd lnk "

func carries(name string) bool {
	return strings.Contains(watchedFiles, " "+strings.TrimPrefix(strings.ToLower(path.Ext(name)), ".")+" ")
}

// created says that a process made the file on its destination.
func (y *Eyes) created(m *Move, image string) {
	if image == "" || m.Local == "" || !y.tier.sysmon(m.Destination) || !carries(m.Local) {
		return
	}
	pid := "4"
	if image != "System" {
		pid = fmt.Sprint(2000 + m.seq%6000)
	}
	y.write(m.Destination, sysmon, 11, m.End, m.Label, "Image", image, "ProcessId", pid, "ProcessGuid", "{"+guid(m.seq)+"}", "TargetFilename", m.Local, "User", `NT AUTHORITY\SYSTEM`)
}

// desktop takes a file over Remote Desktop.
func (y *Eyes) desktop(m *Move) {
	d, client := m.Destination, m.client()
	y.write(d, security, 4624, m.Time-2*minute, m.Label, "TargetUserName", m.User, "TargetDomainName", m.Domain, "LogonType", "10", "IpAddress", client.IP.String(), "TargetLogonId", y.logonID())
	y.write(d, desktops, 21, m.Time-2*minute+second, m.Label, "User", m.Domain+`\`+m.User, "Address", client.IP.String(), "SessionID", "2")
	y.created(m, `C:\Windows\explorer.exe`)
}

// job takes a job of BITS, whose log is on by default.
func (y *Eyes) job(m *Move) {
	port := ""
	if m.Port != 0 && m.Port != 80 {
		port = fmt.Sprintf(":%d", m.Port)
	}
	url, id := "http://"+m.Source.FQDN()+port+m.Path, "{"+guid(m.seq)+"}"
	y.write(m.Destination, bits, 59, m.Time, m.Label, "transferId", id, "name", "job", "Id", id, "url", url, "bytesTotal", fmt.Sprint(m.Content.Bytes()), "bytesTransferred", "0")
	y.write(m.Destination, bits, 60, m.End, m.Label, "transferId", id, "name", "job", "Id", id, "url", url, "hr", "0x0", "bytesTotal", fmt.Sprint(m.Content.Bytes()), "bytesTransferred", fmt.Sprint(m.Content.Bytes()))
}

// begun says how the file was started where it went.
func (y *Eyes) begun(m *Move, x *Start) {
	d := m.Destination
	image, command := runner(x.Image, x.Command)
	parent := cmp.Or(x.Parent, map[string]string{"service": `C:\Windows\System32\services.exe`, "task": `C:\Windows\System32\svchost.exe`,
		"wmi": `C:\Windows\System32\wbem\WmiPrvSE.exe`, "winrm": `C:\Windows\System32\wsmprovhost.exe`}[x.How])
	switch x.How {
	case "wmi", "winrm", "task": // a procedure call of its own, with a logon of its own
		if m.Push {
			y.rpcLogon(m, x)
		}
	}
	switch x.How {
	case "service":
		y.write(d, services, 7045, x.Time-second/2, m.Label, "ServiceName", x.Service, "ImagePath", x.Command, "ServiceType", "user mode service", "StartType", "demand start", "AccountName", "LocalSystem")
	case "task":
		if y.tier.Tasks {
			y.write(d, security, 4698, x.Time-3*second, m.Label, "SubjectUserName", m.User, "SubjectDomainName", m.Domain, "TaskName", `\`+x.Service, "TaskContent", "<Task><Actions><Exec><Command>"+x.Command+"</Command></Exec></Actions></Task>")
		}
		y.write(d, tasks, 200, x.Time-second/3, m.Label, "TaskName", `\`+x.Service, "ActionName", x.Command)
	case "module":
		y.loaded(m, x)
		return
	}
	y.started(d, m, x.Time, image, command, parent, x.User)
}

// rpcLogon says that an account logged on to order a start.
func (y *Eyes) rpcLogon(m *Move, x *Start) {
	at := x.Time - second*7/10
	if x.How == "task" {
		at = min(at, m.End+3*second) // when it was made
	}
	y.write(m.Destination, security, 4624, at, m.Label, "TargetUserName", m.User, "TargetDomainName", m.Domain, "LogonType", "3", "IpAddress", m.Source.IP.String(),
		"WorkstationName", "-", "AuthenticationPackageName", "Kerberos", "TargetLogonId", y.logonID())
}

// runner is what starts a file that is no program: a shell, or what loads libraries.
func runner(image, command string) (string, string) {
	switch strings.ToLower(path.Ext(image)) {
	case ".bat", ".cmd":
		return `C:\Windows\System32\cmd.exe`, `C:\Windows\system32\cmd.exe /c "` + image + `"`
	case ".ps1":
		return `C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe`, `powershell.exe -ExecutionPolicy Bypass -File ` + image
	case ".dll":
		return `C:\Windows\System32\rundll32.exe`, `rundll32.exe ` + image + `,Start`
	}
	return image, command
}

// loaded says that a program loaded the file, from where it lies or from the share.
func (y *Eyes) loaded(m *Move, x *Start) {
	if !y.tier.sysmon(m.Destination) {
		return
	}
	image := m.Local
	if image == "" {
		image = `\\` + m.Source.Name + `\` + m.Share + `\` + m.Path
	}
	y.write(m.Destination, sysmon, 7, x.Time, m.Label, "Image", x.Parent, "ImageLoaded", image, "ProcessId", "3000", "Hashes", "MD5="+strings.ToUpper(m.Content.MD5())+",SHA1="+strings.ToUpper(m.Content.SHA1())+",SHA256="+strings.ToUpper(m.Content.SHA256()), "User", x.User, "Signed", "false")
}

// started says that a process was started, in each log that the host has for it.
func (y *Eyes) started(h *Host, m *Move, at model.Time, image, command, parent, user string) {
	if !h.Windows() || !y.tier.starts(h) {
		return
	}
	dom, name, ok := strings.Cut(user, `\`)
	if !ok {
		dom, name = domain, user
	}
	pid := fmt.Sprintf("0x%x", 4096+m.seq%50000)
	if y.tier.Commands {
		y.write(h, security, 4688, at, m.Label, "SubjectUserName", name, "SubjectDomainName", dom, "SubjectLogonId", systemOr(name), "NewProcessName", image, "NewProcessId", pid, "CommandLine", command, "ParentProcessName", parent)
	}
	if y.tier.sysmon(h) {
		y.write(h, sysmon, 1, at, m.Label, "Image", image, "CommandLine", command, "ParentImage", parent, "User", dom+`\`+name, "ProcessId", fmt.Sprint(4096+m.seq%50000), "ProcessGuid", "{"+guid(m.seq+7)+"}",
			"Hashes", hashesOf(m, image), "LogonId", systemOr(name), "OriginalFileName", m.Content.original(image, m.Local))
	}
}

func systemOr(user string) string {
	if user == "SYSTEM" {
		return "0x3e7"
	}
	return "0x5f21a"
}

// hashesOf are the hashes of a program that runs: the file's, or those of one that every
// host has.
func hashesOf(m *Move, image string) string {
	c := m.Content
	if !strings.EqualFold(image, m.Local) && !strings.HasPrefix(image, `\\`) {
		c = Content{Key: text(strings.ToLower(image))}
	}
	return strings.ToUpper("MD5=" + c.MD5() + ",SHA1=" + c.SHA1() + ",SHA256=" + c.SHA256())
}

func (c *Content) original(image, local string) string {
	if strings.EqualFold(image, local) {
		return c.Original
	}
	return ""
}
