package winhost

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"waybill/internal/model"
	"waybill/internal/synth"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/winevent"
	"waybill/internal/telemetry/winlog"
)

// follow gives what the logs of a script show.
func follow(t testing.TB, logs synth.Logs) *telemetry.Result {
	return followAs(t, winlog.EVTX, logs.EVTX())
}

func followAs(t testing.TB, kind string, raw []byte) *telemetry.Result {
	log, err := winlog.Open(kind, bytes.NewReader(raw), int64(len(raw)), nil)
	if err != nil {
		t.Fatal(err)
	}
	s := New(telemetry.FollowerOptions{Inputs: []string{"a.evtx"}})
	var b winlog.Batch
	for log.Next(&b) == nil {
		for i := range b.Events {
			s.Event(&b.Events[i])
		}
	}
	return s.Close()
}

// say writes movements on lines: what moved, from where to where, how sure.
func say(all []*model.Transfer) string {
	var out []string
	end := func(e model.Endpoint) string {
		if e.Host != "" {
			host, _, _ := strings.Cut(e.Host, ".")
			return host
		}
		if e.IP.Known() {
			return e.IP.String()
		}
		return "?"
	}
	for _, t := range all {
		line := fmt.Sprintf("%s %s %s %s > %s %s %s", t.Operation, t.Channel, t.Name, end(t.Source), end(t.Destination), t.Completeness, t.Status)
		if t.User != "" {
			line += " by " + t.User
		}
		for _, x := range t.Executed {
			line += ", " + x.How
		}
		for _, h := range t.Hashes {
			if h.From == "delete" || h.From == "file-create" && t.Channel == "smb" {
				line += ", " + h.Alg + " " + h.Value
			}
		}
		if t.Deleted != nil {
			line += ", deleted"
		}
		for _, n := range t.Notes {
			line += ", " + n
		}
		if t.OrderedBy != "" {
			line += ", ordered"
		}
		out = append(out, line)
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

const (
	system   = `NT AUTHORITY\SYSTEM`
	services = `C:\Windows\System32\services.exe`
	shell    = `C:\Windows\System32\cmd.exe`
)

// scenarios are scripts with what they must show; "" is nothing. srv is 10.0.0.8,
// ws is 10.0.0.31.
var scenarios = []struct {
	name   string
	script func(n *synth.Net, srv, ws *synth.Host)
	want   string
}{
	{"a share write with file and start", func(n *synth.Net, srv, ws *synth.Host) {
		n.SharePut(srv, ws, "bob", "ADMIN$", `Temp\a.exe`)
		n.Sleep(2e9)
		n.Ran(srv, system, `C:\Windows\Temp\a.exe`, `a.exe`, services, 9, "aa11")
	}, "push smb a.exe 10.0.0.31 > SRV logged done by bob, process"},
	{"access alone is a claim", func(n *synth.Net, srv, ws *synth.Host) {
		n.ShareAccess(srv, ws, "bob", "0x1", "C$", `x\a.exe`, "0x2")
	}, "push smb a.exe 10.0.0.31 > SRV logged claimed by bob"},
	{"access to what may be a folder", func(n *synth.Net, srv, ws *synth.Host) {
		n.ShareAccess(srv, ws, "bob", "0x1", "C$", `x\folder`, "0x2")
	}, ""},
	{"reads and attributes", func(n *synth.Net, srv, ws *synth.Host) {
		for _, mask := range []string{"0x1", "0x80", "0x100080", "0x10080", "0x120089", "0x20089"} {
			n.ShareAccess(srv, ws, "bob", "0x1", "C$", `x\a.exe`, mask)
		}
	}, ""},
	{"a pipe", func(n *synth.Net, srv, ws *synth.Host) {
		n.ShareAccess(srv, ws, "bob", "0x1", "IPC$", `svcctl`, "0x12019f")
		n.ShareAccess(srv, ws, "bob", "0x1", "IPC$", `PSEXESVC-x.exe`, "0x12019f")
	}, ""},
	{"shell metadata, and a folder with a version", func(n *synth.Net, srv, ws *synth.Host) {
		for _, p := range []string{`desktop.ini`, `x\Thumbs.db`, `a.exe:Zone.Identifier`, `tools\v1.0`} {
			n.ShareAccess(srv, ws, "bob", "0x1", "C$", p, "0x2")
		}
	}, ""},
	{"an address that was its own last month", func(n *synth.Net, srv, ws *synth.Host) {
		n.Spoke(srv, srv, ws, 443, `C:\a.exe`, 7)
		n.Sleep(30 * 24 * 3600e9)
		n.Spoke(srv, srv, n.Host("SRV2", "10.0.0.9"), 443, `C:\a.exe`, 7) // another has .9 ...
		n.Sleep(3600e9)
		n.Spoke(ws, n.Host("SRV2", "10.0.0.9"), srv, 445, `C:\a.exe`, 7)
		n.ShareAccess(srv, n.Host("SRV2", "10.0.0.9"), "bob", "0x1", "C$", `a.exe`, "0x2")
	}, "push smb a.exe 10.0.0.9 > SRV logged claimed by bob"},
	{"its own account over Kerberos", func(n *synth.Net, srv, ws *synth.Host) {
		n.Logon(srv, n.Host("SRV2", "10.0.0.9"), `CORP\SRV$`, 3)
		n.ShareAccess(srv, n.Host("SRV2", "10.0.0.9"), `CORP\SRV$`, "0x1", "C$", "a.exe", "0x2")
	}, ""},
	{"rights as a list", func(n *synth.Net, srv, ws *synth.Host) {
		for i, list := range []string{"%%1538 %%4416 %%4423", "%%4417 %%4418", "WriteData (or AddFile)"} {
			n.Log(srv, synth.Security, 5145, "ShareName", `\\*\C$`, "RelativeTargetName", fmt.Sprintf("%d.exe", i), "AccessList", list, "IpAddress", "::ffff:10.0.0.31")
		}
	}, "push smb 1.exe 10.0.0.31 > SRV logged claimed\npush smb 2.exe 10.0.0.31 > SRV logged claimed"},
	{"refused", func(n *synth.Net, srv, ws *synth.Host) {
		n.ShareAccess(srv, ws, "bob", "0x1", "C$", `a.exe`, "0x2")
		n.Logs[len(n.Logs)-1].Failure = true
	}, "push smb a.exe 10.0.0.31 > SRV logged denied by bob"},
	{"loopback", func(n *synth.Net, srv, _ *synth.Host) {
		lo := n.Host("LO", "127.0.0.1")
		n.ShareAccess(srv, lo, "bob", "0x1", "C$", `inetpub\a.aspx`, "0x2")
		n.FileCreated(srv, "System", 4, `C:\inetpub\a.aspx`)
	}, ""},
	{"its own address", func(n *synth.Net, srv, ws *synth.Host) {
		n.Spoke(srv, srv, ws, 443, `C:\a.exe`, 7)
		n.ShareAccess(srv, srv, "bob", "0x1", "C$", `a.exe`, "0x2")
		n.FileCreated(srv, "System", 4, `C:\a.exe`)
	}, ""},
	{"its own name on a command line", func(n *synth.Net, srv, _ *synth.Host) {
		n.Ran(srv, "bob", shell, `cmd /c whoami 1> \\127.0.0.1\C$\out.exe 2>&1`, shell, 8, "aa")
		n.FileCreated(srv, "System", 4, `C:\out.exe`)
	}, ""},
	{"output of remote execution", func(n *synth.Net, srv, ws *synth.Host) {
		n.Spoke(srv, ws, srv, 445, "System", 4)
		n.FileCreated(srv, "System", 4, `C:\Windows\__1773738.42`)
		n.FileCreated(srv, "System", 4, `C:\__output`)
	}, ""},
	{"what System writes by itself", func(n *synth.Net, srv, ws *synth.Host) {
		n.Spoke(srv, ws, srv, 445, "System", 4)
		n.FileCreated(srv, "System", 4, `C:\Windows\System32\LogFiles\WMI\a.etl`)
		n.FileCreated(srv, "System", 4, `C:\System Volume Information\x.exe`)
		n.FileCreated(srv, "System", 4, `C:\Users\bob\NTUSER.DAT{1}.TM.blf`)
	}, ""},
	{"System with a connection", func(n *synth.Net, srv, ws *synth.Host) {
		n.FileCreated(srv, "System", 4, `C:\ProgramData\k.bin`)
		n.Sleep(1e9)
		n.Spoke(srv, ws, srv, 445, "System", 4) // logged later
	}, "push smb k.bin 10.0.0.31 > SRV logged done"},
	{"System without a sign of whom", func(n *synth.Net, srv, _ *synth.Host) {
		n.FileCreated(srv, "System", 4, `C:\Windows\svc.exe`)
		n.FileCreated(srv, "System", 4, `C:\Windows\notes.txt`)
	}, "push smb svc.exe ? > SRV logged done"},
	{"two hosts connected", func(n *synth.Net, srv, ws *synth.Host) {
		n.Spoke(srv, ws, srv, 445, "System", 4)
		n.Spoke(srv, n.Host("WS2", "10.0.0.32"), srv, 445, "System", 4)
		n.FileCreated(srv, "System", 4, `C:\Windows\svc.exe`)
	}, "push smb svc.exe ? > SRV logged done"},
	{"run from a share", func(n *synth.Net, srv, ws *synth.Host) {
		n.Ran(ws, "bob", `\\SRV\tools\a.exe`, `a.exe`, shell, 9, "aa11")
		n.Loaded(ws, `\\SRV\tools\a.exe`, `\\SRV\tools\b.dll`, "bb22")
		n.Ran(ws, "bob", `\\WS\tools\own.exe`, `own.exe`, shell, 9, "aa11")
		n.Ran(ws, "bob", `\\localhost\c$\own.exe`, `own.exe`, shell, 9, "aa11")
	}, "pull smb a.exe SRV > WS logged done, process\npull smb b.dll SRV > WS logged done, module-load"},
	{"a service that nobody saw arriving", func(n *synth.Net, srv, ws *synth.Host) {
		n.Logon(srv, ws, "bob", 3)
		n.Sleep(1e9)
		n.Ran(srv, system, `C:\Windows\kq.exe`, `kq.exe`, services, 9, "aa11")
	}, "push smb kq.exe 10.0.0.31 > SRV inferred done by bob, process"},
	{"a service after a call", func(n *synth.Net, srv, ws *synth.Host) {
		n.Spoke(srv, ws, srv, 135, `C:\Windows\System32\svchost.exe`, 9)
		n.FileCreated(srv, "System", 4, `C:\Windows\notes.txt`)
		n.Ran(srv, system, `C:\Windows\kq.exe`, `kq.exe`, services, 9, "aa11")
	}, "push smb kq.exe 10.0.0.31 > SRV inferred done, process"},
	{"a program that WMI starts", func(n *synth.Net, srv, ws *synth.Host) {
		n.Logon(srv, ws, "bob", 3)
		n.Sleep(1e9)
		n.Ran(srv, "bob", `C:\ProgramData\kw.exe`, `kw.exe`, `C:\Windows\System32\wbem\WmiPrvSE.exe`, 9, "aa11")
		n.Ran(srv, "bob", `C:\Program Files\Agent\a.exe`, `a.exe`, `C:\Windows\System32\wbem\WmiPrvSE.exe`, 10, "aa12")
	}, "push smb kw.exe 10.0.0.31 > SRV inferred done by bob, process"},
	{"a program that WMI starts where the FTP server puts files", func(n *synth.Net, srv, ws *synth.Host) {
		n.Logon(srv, ws, "bob", 3)
		n.Sleep(1e9)
		n.Ran(srv, "bob", `C:\inetpub\ftproot\kw.exe`, `kw.exe`, `C:\Windows\System32\wbem\WmiPrvSE.exe`, 9, "aa11")
		n.Ran(srv, "bob", `C:\inetpub\wwwroot\kw.exe`, `kw.exe`, `C:\Windows\System32\wbem\WmiPrvSE.exe`, 10, "aa11")
	}, "push ftp kw.exe 10.0.0.31 > SRV inferred done by bob, process"},
	{"a library that a remote session loads, and what it copies", func(n *synth.Net, srv, ws *synth.Host) {
		n.Logon(srv, ws, "bob", 3)
		n.Sleep(1e9)
		n.Ran(srv, "bob", `C:\Windows\System32\rundll32.exe`, `rundll32.exe C:\ProgramData\kq.dll,Start`, `C:\Windows\System32\wsmprovhost.exe`, 9, "aa11")
		n.Ran(srv, "bob", `C:\Windows\System32\cmd.exe`, `cmd.exe /c copy D:\x.exe C:\ProgramData\x.exe`, `C:\Windows\System32\wbem\WmiPrvSE.exe`, 10, "aa12")
	}, "push smb kq.dll 10.0.0.31 > SRV inferred done by bob, process"},
	{"a service of which no start is logged", func(n *synth.Net, srv, ws *synth.Host) {
		n.Logon(srv, ws, "bob", 3)
		n.Sleep(1e9)
		n.ServiceMade(srv, "bob", "0x1", "kq", `%SystemRoot%\ks.exe`)
	}, "push smb ks.exe 10.0.0.31 > SRV inferred done by bob, service"},
	{"a service with nobody there", func(n *synth.Net, srv, _ *synth.Host) {
		n.Ran(srv, system, `C:\Windows\kq.exe`, `kq.exe`, services, 9, "aa11")
	}, ""},
	{"a service that a local program wrote", func(n *synth.Net, srv, ws *synth.Host) {
		n.FileCreated(srv, `C:\tools\PsExec.exe`, 8, `C:\Windows\PSEXESVC.exe`)
		n.Logon(srv, ws, "bob", 3)
		n.Ran(srv, system, `C:\Windows\PSEXESVC.exe`, `PSEXESVC.exe`, services, 9, "aa11")
	}, ""},
	{"an installed service", func(n *synth.Net, srv, ws *synth.Host) {
		n.Logon(srv, ws, "bob", 3)
		n.Ran(srv, system, `C:\Program Files\Agent\agent.exe`, `agent.exe`, services, 9, "aa11")
		n.Ran(srv, system, `C:\Windows\System32\svchost.exe`, `svchost.exe -k x`, services, 9, "aa11")
	}, ""},
	{"Remote Desktop's client", func(n *synth.Net, _, ws *synth.Host) {
		n.FileCreated(ws, `C:\Windows\System32\mstsc.exe`, 9, `C:\Users\bob\Desktop\plan.docx`)
		n.FileCreated(ws, `C:\Windows\System32\mstsc.exe`, 9, `C:\Users\bob\AppData\Local\Microsoft\Terminal Server Client\Cache\bcache24.bmc`)
	}, "push rdp plan.docx ? > WS logged done"},
	{"a marked download, twice under temporary names", func(n *synth.Net, srv, ws *synth.Host) {
		for _, f := range []string{`Unconfirmed 1.crdownload`, `a.exe`} {
			n.Log(ws, synth.Sysmon, 15, "Image", `C:\b.exe`, "TargetFilename", `C:\Users\bob\Downloads\`+f+`:Zone.Identifier`, "Hash", "SHA256=AB12",
				"Contents", "[ZoneTransfer]  ZoneId=3  HostUrl=http://10.0.0.8/x/a.exe")
			n.Sleep(2e9)
		}
		n.Ran(ws, "bob", `C:\Users\bob\Downloads\a.exe`, `a.exe`, shell, 9, "ab12")
	}, "pull http a.exe 10.0.0.8 > WS logged done, process"},
	{"copies by commands", func(n *synth.Net, _, ws *synth.Host) {
		n.Ran(ws, "bob", `C:\Windows\System32\xcopy.exe`, `xcopy a.dll \\SRV\c$\t\ /y`, shell, 9, "aa")
		n.Ran(ws, "bob", shell, `cmd /c "copy \\SRV\pub\b.exe C:\t\b.exe"`, shell, 10, "aa")
		n.FileCreated(ws, shell, 10, `C:\t\b.exe`)
		n.Ran(ws, "bob", shell, `cmd /c copy c:\a.exe c:\b.exe`, shell, 11, "aa")
	}, "pull smb b.exe SRV > WS logged done\npush smb a.dll WS > SRV logged claimed"},
	{"a command and its shell are one claim", func(n *synth.Net, _, ws *synth.Host) {
		n.Ran(ws, "bob", shell, `cmd /c robocopy C:\t \\SRV\c$\t a.exe`, shell, 9, "aa")
		n.Ran(ws, "bob", `C:\Windows\System32\Robocopy.exe`, `robocopy C:\t \\SRV\c$\t a.exe`, shell, 10, "aa")
	}, "push smb a.exe WS > SRV logged claimed"},
	{"ordered on another host", func(n *synth.Net, _, ws *synth.Host) {
		n.Ran(ws, "bob", `C:\Windows\System32\wbem\WMIC.exe`, `wmic /node:SRV process call create "cmd /c copy \\FS\p\a.exe c:\a.exe"`, shell, 9, "aa")
	}, "pull smb a.exe FS > SRV logged claimed, ordered"},
	{"a copy between two others", func(n *synth.Net, _, ws *synth.Host) {
		n.Ran(ws, "bob", `C:\Windows\System32\xcopy.exe`, `xcopy \\FS\p\a.exe \\SRV\c$\`, shell, 9, "aa")
	}, "pull smb a.exe FS > WS logged claimed\npush smb a.exe WS > SRV logged claimed"},
	{"a script block in parts", func(n *synth.Net, _, ws *synth.Host) {
		for i, part := range []string{"Copy-Item C:\\t\\a.exe -Dest", "ination \\\\SRV\\c$\\t\\"} {
			n.Log(ws, synth.PowerShell, 4104, "MessageNumber", fmt.Sprint(i+1), "MessageTotal", "2", "ScriptBlockText", part, "ScriptBlockId", "{1}")
		}
	}, "push smb a.exe WS > SRV logged claimed"},
	{"a mapped letter", func(n *synth.Net, _, ws *synth.Host) {
		n.Ran(ws, "bob", `C:\Windows\System32\net.exe`, `net use Q: \\SRV\pub`, shell, 9, "aa")
		n.FileCreated(ws, `C:\t\w.exe`, 10, `Q:\x\v.exe`)
		n.FileCreated(ws, `C:\t\w.exe`, 10, `R:\x\v.exe`)
	}, "push smb v.exe WS > SRV logged done"},
	{"BITS", func(n *synth.Net, _, ws *synth.Host) {
		n.Log(ws, synth.BITS, 59, "Id", "{1}", "url", "http://10.0.0.8/a.exe", "hr", "0x0", "bytesTotal", "10", "bytesTransferred", "0")
		n.Log(ws, synth.BITS, 60, "Id", "{1}", "url", "http://10.0.0.8/a.exe", "hr", "0x0", "bytesTotal", "10", "bytesTransferred", "10")
		n.Log(ws, synth.BITS, 60, "Id", "{2}", "url", "http://10.0.0.8/b.exe", "hr", "0x80190194", "bytesTotal", "10", "bytesTransferred", "0")
	}, "pull bits a.exe 10.0.0.8 > WS logged done\npull bits b.exe 10.0.0.8 > WS logged failed"},
	{"what BITS fetched is started", func(n *synth.Net, _, ws *synth.Host) {
		n.Log(ws, synth.BITS, 59, "Id", "{1}", "url", "http://10.0.0.8/c/a.exe", "hr", "0x0", "bytesTotal", "10", "bytesTransferred", "0")
		n.Sleep(1e9)
		n.FileCreated(ws, `C:\Windows\System32\svchost.exe`, 9, `C:\t\BIT7F3A.tmp`)
		n.Sleep(1e9)
		n.Log(ws, synth.BITS, 60, "Id", "{1}", "url", "http://10.0.0.8/c/a.exe", "hr", "0x0", "bytesTotal", "10", "bytesTransferred", "10")
		n.Sleep(1e9)
		n.Ran(ws, system, `C:\t\a.exe`, `a.exe`, services, 9, "aa11")
		n.Ran(ws, system, `C:\u\a.exe`, `a.exe`, services, 9, "aa11")
	}, "pull bits a.exe 10.0.0.8 > WS logged done, process"},
	{"a driver that the spooler takes", func(n *synth.Net, srv, ws *synth.Host) {
		n.Spoke(ws, ws, srv, 445, "System", 4)
		n.ShareAccess(srv, ws, "bob", "0x1", "print$", `x64\3\A.DLL`, "0x120089")
		n.Sleep(1e9)
		n.FileCreated(ws, `C:\Windows\System32\spoolsv.exe`, 9, `C:\Windows\System32\spool\drivers\x64\3\New\A.DLL`)
		n.Sleep(1e9)
		n.Loaded(ws, `C:\Windows\System32\spoolsv.exe`, `C:\Windows\System32\spool\drivers\x64\3\A.DLL`, "aa11")
	}, "pull smb A.DLL SRV > WS logged done by bob, module-load"},
	{"a service that lies on a share", func(n *synth.Net, srv, ws *synth.Host) {
		n.Log(ws, synth.Services, 7045, "ServiceName", "x", "ImagePath", `"\\SRV\Tools$\new tool\a.exe" -k run`)
		n.Log(ws, synth.Services, 7045, "ServiceName", "y", "ImagePath", `\\SRV\Tools$\list.txt`)
		n.Log(ws, synth.Services, 7045, "ServiceName", "z", "ImagePath", `\\127.0.0.1\ADMIN$\b.exe`)
	}, "pull smb a.exe SRV > WS logged claimed, service\npull smb list.txt SRV > WS logged claimed, service"},
	{"removed again, and found by Defender", func(n *synth.Net, srv, ws *synth.Host) {
		n.SharePut(srv, ws, "bob", "C$", `t\a.exe`)
		n.Sleep(400e9)
		n.FileCreated(srv, `C:\x.exe`, 9, `C:\t\other.tmp`)
		n.Log(srv, synth.Sysmon, 26, "Image", `C:\x.exe`, "TargetFilename", `C:\t\a.exe`, "Hashes", "SHA256=CC33")
		n.Log(srv, synth.Defender, 1116, "Threat Name", "Tool:X", "Path", `file:_C:\t\a.exe`)
	}, "push smb a.exe 10.0.0.31 > SRV logged done by bob, sha256 cc33, deleted, Defender found Tool:X"},
	{"a service made an hour later", func(n *synth.Net, srv, ws *synth.Host) {
		n.SharePut(srv, ws, "bob", "ADMIN$", `Temp\a.exe`)
		n.Sleep(3600e9)
		n.Log(srv, synth.Services, 7045, "ServiceName", "x", "ImagePath", `"%SystemRoot%\Temp\a.exe" -k`)
		n.Sleep(3600e9)
		n.Ran(srv, system, shell, `cmd.exe /c "type C:\Windows\Temp\a.exe & start C:\Windows\Temp\a.exe"`, services, 9, "aa11")
	}, "push smb a.exe 10.0.0.31 > SRV logged done by bob, service, process"},
	{"removed and found at once", func(n *synth.Net, srv, ws *synth.Host) {
		n.SharePut(srv, ws, "bob", "C$", `t\a.exe`)
		n.Sleep(2e9)
		n.Log(srv, synth.Defender, 1116, "Threat Name", "Tool:X", "Path", `file:_C:\t\a.exe`)
		n.Log(srv, synth.Sysmon, 23, "Image", `C:\x.exe`, "TargetFilename", `C:\t\a.exe`, "Hashes", "SHA256=CC33")
	}, "push smb a.exe 10.0.0.31 > SRV logged done by bob, sha256 cc33, deleted, Defender found Tool:X"},
	{"blocked by Sysmon", func(n *synth.Net, srv, ws *synth.Host) {
		n.Spoke(srv, ws, srv, 445, "System", 4)
		n.Log(srv, synth.Sysmon, 27, "Image", "System", "ProcessId", "4", "TargetFilename", `C:\t\a.exe`, "Hashes", "SHA256=CC33")
	}, "push smb a.exe 10.0.0.31 > SRV logged done, sha256 cc33, Sysmon blocked the file when its bytes had come"},
	{"the server of a Remote Desktop session", func(n *synth.Net, srv, ws *synth.Host) {
		n.Log(ws, synth.RDPClient, 1024, "Name", "Server Name", "Value", "SRV")
		n.Sleep(60e9)
		n.FileCreated(ws, `C:\Windows\System32\mstsc.exe`, 9, `C:\Users\bob\Desktop\plan.docx`)
	}, "push rdp plan.docx SRV > WS logged done"},
	{"a task that copies", func(n *synth.Net, srv, _ *synth.Host) {
		n.Log(srv, synth.Security, 4698, "SubjectUserName", "bob", "SubjectDomainName", "CORP", "TaskName", `\t`, "TaskContent",
			`<?xml version="1.0" encoding="UTF-16"?><Task><Actions><Exec><Command>cmd.exe</Command><Arguments>/c copy \\FS\p\a.exe C:\t\a.exe</Arguments></Exec></Actions></Task>`)
		n.Sleep(30e9)
		n.Log(srv, synth.Tasks, 200, "TaskName", `\t`, "ActionName", `C:\t\a.exe`)
	}, "pull smb a.exe FS > SRV logged done, task"},
	{"PowerShell's probe", func(n *synth.Net, srv, ws *synth.Host) {
		n.Logon(srv, ws, "bob", 3)
		n.FileCreated(srv, `C:\Windows\System32\wsmprovhost.exe`, 9, `C:\Users\bob\AppData\Local\Temp\__PSScriptPolicyTest_a.ps1`)
	}, ""},
	{"another file of the name is another's start", func(n *synth.Net, srv, ws *synth.Host) {
		n.SharePut(srv, ws, "bob", "C$", `t\a.exe`)
		n.Sleep(1e9)
		n.Ran(srv, system, `C:\other\a.exe`, `a.exe`, shell, 9, "aa11")
	}, "push smb a.exe 10.0.0.31 > SRV logged done by bob"},
	{"a policy's file item", func(n *synth.Net, srv, ws *synth.Host) {
		n.Spoke(ws, ws, srv, 445, "System", 4)
		n.ShareAccess(srv, ws, "WS$", "0x1", "apps", `x\a.exe`, "0x120089")
		n.Sleep(1e9)
		n.FileCreated(ws, `C:\Windows\System32\svchost.exe`, 9, `C:\t\a.exe`)
		n.Sleep(1e9)
		n.Ran(ws, system, `C:\t\a.exe`, `a.exe`, services, 9, "aa11")
	}, "pull smb a.exe SRV > WS logged done by WS$, process"},
	{"another reader's file", func(n *synth.Net, srv, ws *synth.Host) {
		n.Spoke(ws, ws, srv, 445, "System", 4)
		n.ShareAccess(srv, n.Host("WS2", "10.0.0.32"), "WS2$", "0x1", "apps", `x\a.exe`, "0x120089")
		n.FileCreated(ws, `C:\Windows\System32\svchost.exe`, 9, `C:\t\a.exe`)
	}, ""},
	{"a script that is run from a share", func(n *synth.Net, srv, ws *synth.Host) {
		n.Ran(ws, "bob", `C:\Windows\System32\wscript.exe`, `wscript.exe "\\FS\p q\a.js" /x`, shell, 9, "aa11")
		n.Ran(ws, "bob", shell, `cmd.exe /c type \\FS\p\b.bat`, shell, 9, "aa11")
		n.Ran(ws, "bob", `C:\Windows\System32\msiexec.exe`, `msiexec.exe /i \\FS\p\c.msi /qn`, shell, 9, "aa11")
	}, "pull smb a.js FS > WS logged done, process\npull smb c.msi FS > WS logged done, process"},
	{"an image that is mounted where it came", func(n *synth.Net, srv, ws *synth.Host) {
		n.SharePut(srv, ws, "bob", "C$", `t\a.iso`)
		n.Sleep(40e9)
		n.Log(srv, synth.VHDMP, 1, "VhdFileName", `C:\t\a.iso`)
	}, "push smb a.iso 10.0.0.31 > SRV logged done by bob, mount"},
	{"an agent's package", func(n *synth.Net, srv, ws *synth.Host) {
		const agent = `C:\Program Files (x86)\BigFix Enterprise\BES Client\BESClient.exe`
		n.Spoke(ws, ws, srv, 52311, agent, 9)
		n.FileCreated(ws, agent, 9, `C:\Program Files (x86)\BigFix Enterprise\BES Client\__BESData\a.exe`)
		n.FileCreated(ws, agent, 9, `C:\Program Files (x86)\BigFix Enterprise\BES Client\update.exe`)
		n.FileCreated(ws, agent, 10, `C:\Program Files (x86)\BigFix Enterprise\BES Client\__BESData\b.exe`)
	}, "pull deploy a.exe 10.0.0.8 > WS inferred done"},
	{"a program through a pipe", func(n *synth.Net, srv, ws *synth.Host) {
		n.Log(srv, synth.Sysmon, 17, "ProcessGuid", "{A}", "PipeName", `\zq`, "Image", `C:\x\svc.exe`)
		n.ShareAccess(srv, ws, "bob", "0x1", "IPC$", `zq`, "0x12019f")
		for i, guid := range []string{"{A}", "{B}"} {
			n.Log(srv, synth.Sysmon, 11, "ProcessGuid", guid, "ProcessId", "9", "Image", `C:\x\svc.exe`, "TargetFilename", []string{`C:\t\a.dll`, `C:\t\b.dll`}[i])
		}
	}, "push smb a.dll 10.0.0.31 > SRV inferred done by bob"},
	{"a library that is loaded from a stick", func(n *synth.Net, srv, ws *synth.Host) {
		for _, h := range []*synth.Host{srv, ws} {
			n.Log(h, synth.Security, 6416, "DeviceId", `USBSTOR\Disk&Ven_X&Prod_Y\0A1B&0`)
			if h == srv {
				n.FileCreated(h, `C:\x\w.exe`, 9, `E:\a.dll`)
			}
			n.Sleep(100e9)
		}
		n.Loaded(ws, `C:\Windows\explorer.exe`, `F:\a.dll`, "aa11")
	}, "push removable a.dll SRV > WS logged done, module-load"},
	{"started from a synced folder", func(n *synth.Net, srv, ws *synth.Host) {
		n.FileCreated(srv, shell, 9, `C:\Users\b\OneDrive\a.exe`)
		n.Sleep(60e9)
		n.FileCreated(ws, `C:\Program Files\Microsoft OneDrive\OneDrive.exe`, 9, `C:\Users\b\OneDrive\a.exe`)
		n.Sleep(3600e9)
		n.Ran(ws, "bob", `C:\Users\b\OneDrive\a.exe`, `a.exe`, shell, 9, "aa11")
	}, "push sync-folder a.exe SRV > WS logged done, process"},
	{"a module without its extension", func(n *synth.Net, srv, ws *synth.Host) {
		n.SharePut(srv, ws, "bob", "C$", `ProgramData\q7.dll`)
		n.Sleep(40e9)
		n.Ran(srv, "bob", `C:\Windows\System32\rundll32.exe`, `rundll32.exe c:\programdata\q7,#1`, shell, 9, "aa11")
	}, "push smb q7.dll 10.0.0.31 > SRV logged done by bob, process"},
}

// TestStartedBy: what started a process, by its parent.
func TestStartedBy(t *testing.T) {
	for in, want := range map[[2]string]string{
		{`c:\windows\system32\services.exe`, ""}:      "service",
		{`c:\windows\psexesvc.exe`, ""}:               "service",
		{`c:\windows\system32\wbem\wmiprvse.exe`, ""}: "wmi",
		{`c:\windows\system32\svchost.exe`, `C:\Windows\system32\svchost.exe -k netsvcs -p -s Schedule`}: "task",
		{`c:\windows\system32\svchost.exe`, `C:\Windows\system32\svchost.exe -k DcomLaunch -p`}:          "",
		{shell, ""}: "",
	} {
		if got := startedBy(in[0], in[1]); got != want {
			t.Errorf("%v: %q, not %q", in, got, want)
		}
	}
}

func TestScenarios(t *testing.T) {
	for _, c := range scenarios {
		n := synth.New(1)
		c.script(n, n.Host("SRV", "10.0.0.8"), n.Host("WS", "10.0.0.31"))
		if got := say(follow(t, n.Logs.Sorted()).Transfers); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

// TestDisorder feeds events that come late or early by up to a minute, as
// collectors deliver them: the movements are the same.
func TestDisorder(t *testing.T) {
	for _, c := range scenarios {
		if strings.Contains(c.name, "removed again") || strings.Contains(c.name, "hour later") || strings.Contains(c.name, "script block") || strings.Contains(c.name, "mapped letter") || strings.Contains(c.name, "BITS") {
			continue // these are in one log, whose order holds, or take longer than an event may be late
		}
		n := synth.New(1)
		c.script(n, n.Host("SRV", "10.0.0.8"), n.Host("WS", "10.0.0.31"))
		var late synth.Logs
		for i, r := range n.Logs.Sorted() {
			if i%2 == 0 {
				late = append(late, r)
			}
		}
		for i, r := range n.Logs.Sorted() {
			if i%2 == 1 {
				late = append(late, r)
			}
		}
		if got := say(follow(t, late).Transfers); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

// TestHours puts hours between scenarios: nothing is carried from one to the other.
func TestHours(t *testing.T) {
	n := synth.New(1)
	var want []string
	for i, c := range scenarios {
		srv, ws := n.Host("SRV", "10.0.0.8"), n.Host("WS", "10.0.0.31")
		if i > 0 && strings.Contains(c.name, "nobody") || strings.Contains(c.name, "its own") || strings.Contains(c.name, "mapped") || strings.Contains(c.name, "local program") || strings.Contains(c.name, "without a sign") ||
			strings.Contains(c.name, "another file") || strings.Contains(c.name, "share write with") || strings.Contains(c.name, "two hosts") {
			continue // what is known of a host by then changes them
		}
		c.script(n, srv, ws)
		n.Sleep(30 * 3600e9)
		if c.want != "" {
			want = append(want, strings.Split(c.want, "\n")...)
		}
	}
	slices.Sort(want)
	if got := say(follow(t, n.Logs.Sorted()).Transfers); got != strings.Join(want, "\n") {
		t.Errorf(" got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

// TestTwins gives every event twice: as another collector has it, and without a
// record number.
func TestTwins(t *testing.T) {
	for _, c := range scenarios {
		n := synth.New(1)
		c.script(n, n.Host("SRV", "10.0.0.8"), n.Host("WS", "10.0.0.31"))
		var twice synth.Logs
		for _, r := range n.Logs.Sorted() {
			twice = append(twice, r, r)
		}
		if got := say(follow(t, twice).Transfers); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
		for i := range twice {
			twice[i].Record = 0
		}
		if got := say(followAs(t, winlog.JSON, twice.Winlogbeat()).Transfers); got != c.want {
			t.Errorf("%s without record numbers:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

// FuzzEvents feeds events of any data.
func FuzzEvents(f *testing.F) {
	f.Add(uint8(winevent.Security), uint16(5145), `\\*\C$`, `a.exe`, "10.0.0.1", "0x2")
	f.Add(uint8(winevent.Sysmon), uint16(11), "System", `C:\a.exe`, "", "")
	f.Add(uint8(winevent.Sysmon), uint16(1), `\\h\s\a.exe`, `cmd /c copy a \\h\c$`, "", "")
	f.Fuzz(func(t *testing.T, provider uint8, id uint16, a, b, c, d string) {
		s := New(telemetry.FollowerOptions{Inputs: []string{"x"}})
		for i := range 3 {
			e := winevent.Event{Provider: winevent.Provider(provider % uint8(winevent.Hunting+1)), ID: id, Computer: "H", Channel: "C", Time: model.Time(i) * 1e9, Record: uint64(i)}
			for _, name := range []string{"ShareName", "Image", "TargetFilename", "NewProcessName", "url", "ServiceName", "PipeName", "DeviceId"} {
				e.Fields = append(e.Fields, winevent.Field{Name: name, Value: a})
			}
			for _, name := range []string{"RelativeTargetName", "CommandLine", "Contents", "ImageLoaded", "ScriptBlockText", "ImagePath", "Id", "Hashes"} {
				e.Fields = append(e.Fields, winevent.Field{Name: name, Value: b})
			}
			for _, name := range []string{"IpAddress", "SourceIp", "SourceAddress", "Address", "ParentImage"} {
				e.Fields = append(e.Fields, winevent.Field{Name: name, Value: c})
			}
			for _, name := range []string{"AccessMask", "DestinationIp", "DestAddress", "LogonType", "MessageTotal", "hr", "DestinationPort"} {
				e.Fields = append(e.Fields, winevent.Field{Name: name, Value: d})
			}
			s.Event(&e)
		}
		for _, tr := range s.Close().Transfers {
			if len(tr.Evidence) == 0 || tr.ID == "" || tr.Status == "" || tr.Completeness == "" {
				t.Errorf("incomplete: %+v", tr)
			}
		}
	})
}
