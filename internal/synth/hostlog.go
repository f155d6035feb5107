package synth

import (
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
)

// What Windows logs of everyday and other doings, in the words of its own events.

// Logon logs that an account of another host opened a network session (type 3), or
// one over Remote Desktop (10), and gives the session's id.
func (n *Net) Logon(on, from *Host, account string, kind int) string {
	n.logons++
	id := fmt.Sprintf("0x%x", 0x3e7000+n.logons*0x1357)
	domain, user := cutAccount(account)
	n.Log(on, Security, 4624, "SubjectUserSid", "S-1-0-0", "TargetUserSid", SID(account), "TargetUserName", user, "TargetDomainName", domain,
		"TargetLogonId", id, "LogonType", strconv.Itoa(kind), "LogonProcessName", "Kerberos", "AuthenticationPackageName", "Kerberos", "WorkstationName", "-",
		"IpAddress", from.Addr.String(), "IpPort", "50123")
	return id
}

// SID is an account's: all are of one domain.
func SID(account string) string {
	_, user := cutAccount(account)
	sum := crc32.ChecksumIEEE([]byte(strings.ToLower(user)))
	return fmt.Sprintf("S-1-5-21-1-2-3-%d", 1105+sum%1_000_000)
}

func cutAccount(account string) (domain, user string) {
	domain, user, ok := strings.Cut(account, `\`)
	if !ok {
		return "CORP", domain
	}
	return domain, user
}

// ShareAccess logs the check of an access to a file of a share (5145).
func (n *Net) ShareAccess(on, from *Host, account, logon, share, path, mask string) {
	domain, user := cutAccount(account)
	n.Log(on, Security, 5145, "SubjectUserSid", SID(account), "SubjectUserName", user, "SubjectDomainName", domain, "SubjectLogonId", logon,
		"ObjectType", "File", "IpAddress", from.Addr.String(), "IpPort", "50123", "ShareName", `\\*\`+share, "ShareLocalPath", `\??\`+ShareFolder(share),
		"RelativeTargetName", path, "AccessMask", mask, "AccessList", "%%4417")
}

// ShareFolder is where a share lies on every host here.
func ShareFolder(share string) string {
	switch {
	case strings.EqualFold(share, "ADMIN$"):
		return `C:\Windows`
	case len(share) == 2 && share[1] == '$':
		return share[:1] + `:\`
	}
	return `C:\Shares\` + share
}

// FileCreated logs a file that a process created (Sysmon 11).
func (n *Net) FileCreated(on *Host, image string, pid int, path string) {
	n.Log(on, Sysmon, 11, "RuleName", "-", "ProcessGuid", guidOf(on, pid), "ProcessId", strconv.Itoa(pid), "Image", image, "TargetFilename", path,
		"CreationUtcTime", stamp(n.Now, "2006-01-02 15:04:05.000"))
}

func guidOf(on *Host, pid int) string {
	return fmt.Sprintf("{0A1B2C3D-%04X-%04X-0000-001000000000}", len(on.Name)*257+int(on.Name[len(on.Name)-1]), pid&0xffff)
}

// Ran logs the start of a process (Sysmon 1).
func (n *Net) Ran(on *Host, account, image, command, parent string, pid int, sha256 string) {
	n.Log(on, Sysmon, 1, "RuleName", "-", "ProcessGuid", guidOf(on, pid), "ProcessId", strconv.Itoa(pid), "Image", image, "FileVersion", "-",
		"OriginalFileName", "-", "CommandLine", command, "CurrentDirectory", `C:\Windows\system32\`, "User", account, "LogonId", "0x3e7",
		"Hashes", "SHA256="+strings.ToUpper(sha256), "ParentProcessId", "620", "ParentImage", parent, "ParentCommandLine", parent)
}

// Loaded logs the load of a module (Sysmon 7).
func (n *Net) Loaded(on *Host, image, module, sha256 string) {
	n.Log(on, Sysmon, 7, "RuleName", "-", "ProcessGuid", guidOf(on, 900), "ProcessId", "900", "Image", image, "ImageLoaded", module,
		"Hashes", "SHA256="+strings.ToUpper(sha256), "Signed", "false")
}

// Spoke logs a connection (Sysmon 3) on one of its ends.
func (n *Net) Spoke(on, client, server *Host, port int, image string, pid int) {
	n.Log(on, Sysmon, 3, "RuleName", "-", "ProcessGuid", guidOf(on, pid), "ProcessId", strconv.Itoa(pid), "Image", image, "User", `NT AUTHORITY\SYSTEM`,
		"Protocol", "tcp", "Initiated", strconv.FormatBool(on == client), "SourceIsIpv6", "false", "SourceIp", client.Addr.String(), "SourceHostname", client.FQDN(),
		"SourcePort", "50123", "DestinationIsIpv6", "false", "DestinationIp", server.Addr.String(), "DestinationHostname", server.FQDN(), "DestinationPort", strconv.Itoa(port))
}

// ServiceMade logs the installation of a service (System 7045, Security 4697).
func (n *Net) ServiceMade(on *Host, account, logon, name, command string) {
	domain, user := cutAccount(account)
	n.Log(on, Services, 7045, "ServiceName", name, "ImagePath", command, "ServiceType", "user mode service", "StartType", "demand start", "AccountName", "LocalSystem")
	n.Log(on, Security, 4697, "SubjectUserSid", SID(account), "SubjectUserName", user, "SubjectDomainName", domain, "SubjectLogonId", logon,
		"ServiceName", name, "ServiceFileName", command, "ServiceType", "0x10", "ServiceStartType", "3", "ServiceAccount", "LocalSystem")
}

// SharePut logs what the server of a share sees of a file that is written to it: the
// logon, the checks, and the file that System creates.
func (n *Net) SharePut(on, from *Host, account, share, path string) (logon string) {
	n.Spoke(on, from, on, 445, "System", 4)
	logon = n.Logon(on, from, account, 3)
	n.ShareAccess(on, from, account, logon, share, path, "0x17019f")
	n.ShareAccess(on, from, account, logon, share, path, "0x2")
	n.FileCreated(on, "System", 4, strings.TrimRight(ShareFolder(share), `\`)+`\`+path)
	return logon
}
