package behaviour

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"net/netip"
	"path"
	"strconv"
	"strings"

	"waybill/internal/synth"
)

// runs logs the start of a process (Sysmon 1), and gives its id. What was moved to the host
// and is named in the command is started.
func (b *stage) runs(role, account, parent, image, command string) int {
	b.pids++
	h := b.host(role)
	if !b.logs(role) {
		return b.pids
	}
	parentPID := cmp.Or(b.started[b.process(role, program(parent))], 620)
	b.started[b.process(role, image)] = b.pids
	b.Log(h, synth.Sysmon, 1, "RuleName", "-", "ProcessGuid", processGUID(h, b.pids), "ProcessId", strconv.Itoa(b.pids), "Image", image, "FileVersion", "-",
		"Company", b.maker(image), "ParentProcessGuid", processGUID(h, parentPID), "OriginalFileName", originalName(image, b.words["original"]), "CommandLine", command, "CurrentDirectory", `C:\Windows\system32\`, "User", account, "LogonId", logonOf(account),
		"Hashes", "SHA256="+strings.ToUpper(b.hashOf(lastElement(image))), "ParentProcessId", strconv.Itoa(parentPID), "ParentImage", program(parent), "ParentCommandLine", parent)
	delete(b.words, "original")
	b.startedBy(role, image+" "+command, lastElement(image))
	return b.pids
}

// process names a program of a role's host.
func (b *stage) process(role, image string) string {
	return b.role(role) + "|" + strings.ToLower(image)
}

// madeUp are the words that intruders' programs are called by.
var madeUp = []string{"tool", "tool2", "tool3", "svc", "eight", "seven", "twelve"}

// maker is who made a program, as it says itself: those of intruders say nothing.
func (b *stage) maker(image string) string {
	name := strings.ToLower(lastElement(image))
	for _, w := range madeUp {
		if word := b.words[w]; word != "" && strings.Contains(name, strings.ToLower(word)) {
			return "-"
		}
	}
	if strings.HasPrefix(strings.ToLower(image), `c:\windows\system32\`) {
		return "Microsoft Corporation"
	}
	return "Acme Software"
}

// program is a command line without its arguments, of which only the scheduler's has any.
func program(parent string) string {
	image, _, _ := strings.Cut(parent, " -k ")
	return image
}

func originalName(image, other string) string {
	if other != "" {
		return other
	}
	return lastElement(image)
}

// logonOf is the session of an account: the system's own is always the same (MS-LSAD).
func logonOf(account string) string {
	if strings.HasSuffix(account, "SYSTEM") {
		return "0x3e7"
	}
	return fmt.Sprintf("0x%x", 0x40000+len(account)*0x133)
}

func processGUID(h *synth.Host, pid int) string {
	a := h.Addr.As4()
	return fmt.Sprintf("{0A1B2C3D-%02X%02X-%04X-0000-0010%08X}", a[2], a[3], pid&0xffff, pid)
}

// startedBy notes which moved files a command on a host starts. Where the image is the file
// itself the event has its hash.
func (b *stage) startedBy(role, command, image string) {
	line := strings.ToLower(command)
	for _, m := range b.moved {
		if b.role(m.to) != b.role(role) || !strings.Contains(line, strings.ToLower(m.name)) {
			continue
		}
		m.started = true
		if strings.EqualFold(image, m.name) {
			m.hash = b.hashOf(m.name)
		}
	}
}

// image is the path of a program that a command begins with.
func imageOf(command string) string {
	word, _ := cutWord(strings.ReplaceAll(command, `"`, `'`))
	switch {
	case strings.Contains(word, `\`):
		return word
	case programs[strings.ToLower(word)] != "":
		return programs[strings.ToLower(word)]
	}
	if path.Ext(word) == "" {
		word += ".exe"
	}
	return `C:\Windows\System32\` + word
}

// programs are those that lie elsewhere than in System32.
var programs = map[string]string{
	"powershell.exe": `C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe`, "wmic.exe": `C:\Windows\System32\wbem\WMIC.exe`,
	"explorer.exe": `C:\Windows\explorer.exe`, "scp.exe": `C:\Windows\System32\OpenSSH\scp.exe`, "psexec.exe": `C:\Users\Public\psexec.exe`,
}

// created logs a file that a process made (Sysmon 11).
func (b *stage) created(role, image string, pid int, file string) {
	if !b.logs(role) {
		return
	}
	h := b.host(role)
	b.Log(h, synth.Sysmon, 11, "RuleName", "-", "ProcessGuid", processGUID(h, pid), "ProcessId", strconv.Itoa(pid), "Image", image, "TargetFilename", file,
		"CreationUtcTime", stamp(b.Now))
}

// spoke logs a connection on both of its ends that run Windows (Sysmon 3).
func (b *stage) spoke(client, server string, port int, clientImage, serverImage string) {
	from, to := b.host(client), b.host(server)
	if b.logs(client) {
		b.connected(from, from, to, port, clientImage)
	}
	if b.logs(server) {
		b.connected(to, from, to, port, serverImage)
	}
}

func (b *stage) connected(on, client, server *synth.Host, port int, image string) {
	pid := 4
	if image != "System" {
		pid = worker(image)
	}
	b.Log(on, synth.Sysmon, 3, "RuleName", "-", "ProcessGuid", processGUID(on, pid), "ProcessId", strconv.Itoa(pid), "Image", image, "User", systemUser, "Protocol", "tcp",
		"Initiated", strconv.FormatBool(on == client), "SourceIsIpv6", "false", "SourceIp", client.Addr.String(), "SourceHostname", fqdn(client), "SourcePort", "50123",
		"DestinationIsIpv6", "false", "DestinationIp", server.Addr.String(), "DestinationHostname", fqdn(server), "DestinationPort", strconv.Itoa(port))
}

// fqdn is a host's name in its domain, or in the Internet.
func fqdn(h *synth.Host) string {
	if public.Contains(h.Addr) {
		return strings.ToLower(h.Name) + ".example.net"
	}
	return h.FQDN()
}

// public are the addresses of what is outside (RFC 5737).
var public = netip.MustParsePrefix("198.51.100.0/24")

// worker is the process of a program that does what the steps do not start.
func worker(image string) int {
	sum := fnv.New32a()
	sum.Write([]byte(image))
	return 5200 + 4*int(sum.Sum32()%1000)
}

// netLogon logs a network logon with the elevated rights of an administrator where it is
// one's (4624, 4672), and gives the session's id.
func (b *stage) netLogon(on, from, account string, ntlm bool) string {
	if !b.logs(on) {
		return "0x0"
	}
	h, client := b.host(on), b.host(from)
	b.pids++
	id := fmt.Sprintf("0x%x", 0x5e7000+b.pids*0x1357)
	domain, user, _ := strings.Cut(account, `\`)
	process, pack, station := "Kerberos", "Kerberos", "-"
	if ntlm {
		process, pack, station = "NtLmSsp ", "NTLM", ""
	}
	b.Log(h, synth.Security, 4624, "SubjectUserSid", "S-1-0-0", "TargetUserSid", synth.SID(account), "TargetUserName", user, "TargetDomainName", domain,
		"TargetLogonId", id, "LogonType", "3", "LogonProcessName", process, "AuthenticationPackageName", pack, "WorkstationName", station,
		"IpAddress", client.Addr.String(), "IpPort", "50123")
	if strings.HasSuffix(account, "-adm") || strings.HasSuffix(account, "admin") {
		b.Log(h, synth.Security, 4672, "SubjectUserSid", synth.SID(account), "SubjectUserName", user, "SubjectDomainName", domain, "SubjectLogonId", id, "PrivilegeList", "SeBackupPrivilege")
	}
	return id
}

// shareOpened logs that a session connected to a share (5140).
func (b *stage) shareOpened(on, from, account, logon, share string) {
	if !b.logs(on) {
		return
	}
	domain, user, _ := strings.Cut(account, `\`)
	b.Log(b.host(on), synth.Security, 5140, "SubjectUserSid", synth.SID(account), "SubjectUserName", user, "SubjectDomainName", domain, "SubjectLogonId", logon,
		"ObjectType", "File", "IpAddress", b.host(from).Addr.String(), "IpPort", "50123", "ShareName", `\\*\`+share, "ShareLocalPath", `\??\`+synth.ShareFolder(share), "AccessMask", "0x1")
}

func (b *stage) shareAccess(on, from, account, logon, share, file, mask string) {
	if b.logs(on) {
		b.ShareAccess(b.host(on), b.host(from), account, logon, share, file, mask)
	}
}
