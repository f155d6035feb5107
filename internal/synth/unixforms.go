package synth

import (
	"encoding/json"
	"fmt"
	"path"
	"strings"
	"time"

	"waybill/internal/model"
)

// UnixForm is one movement as one kind of server, sensor or system logs it.
type UnixForm struct {
	Name string
	Text string
	// What the form does not say of the movement: of access logs, whether sizes count headers.
	NoSize, NoClient, Claims bool
}

// UnixForms are all forms in which hosts that are no Windows log that a client put a file
// on them, or fetched one where the movement is a pull and the form has such.
func UnixForms(m Moved, host string) []UnixForm {
	f := forms{m: m, host: host, at: m.End, client: choose(m.Operation == model.Push, m.Source, m.Destination).String()}
	all := []UnixForm{
		{Name: "auth.log", Text: f.authLog("")},
		{Name: "journald", Text: f.journal()},
		{Name: "sshd -E", Text: f.bare()},
		{Name: "vsftpd.log", Text: f.own("ftp", "vsftpd.log")},
		{Name: "xferlog", Text: f.own("ftp", "xferlog")},
		{Name: "proftpd", Text: f.proFTPD()},
		{Name: "pure-ftpd", Text: f.pureFTPD()},
		{Name: "smbd_audit", Text: f.own("smb2", "syslog"), NoSize: true},
		{Name: "smbd's own log", Text: f.smbd(), NoSize: true},
		{Name: "rsyncd.log", Text: f.rsyncd()},
		{Name: "access.log", Text: f.own("http", "access.log"), NoSize: true},
		{Name: "in.tftpd", Text: f.own("tftp", "daemon.log"), NoSize: true, Claims: true},
	}
	if !f.push() {
		return all
	}
	return append(all,
		UnixForm{Name: "auditd", Text: f.audit(), NoSize: true},
		UnixForm{Name: "ausearch -i", Text: f.interpreted(), NoSize: true},
		UnixForm{Name: "AUOMS", Text: f.auoms(), NoSize: true},
		UnixForm{Name: "AUOMS as JSON", Text: f.auomsJSON(), NoSize: true},
		UnixForm{Name: "Sysmon for Linux", Text: f.sysmon(), NoSize: true, NoClient: true},
		UnixForm{Name: "eslogger", Text: string(Eslogger(m.Source, []Laid{{Path: m.Path, Since: m.End}})), NoSize: true},
		UnixForm{Name: "the unified log", Text: f.airDrop(), NoSize: true, NoClient: true},
		UnixForm{Name: "ESXi's sftp-server", Text: f.authLog("esxi")},
		UnixForm{Name: "ESXi's hostd", Text: f.hostd(), NoSize: true},
		UnixForm{Name: "a shell's history", Text: f.history(), NoSize: true, Claims: true})
}

type forms struct {
	m            Moved
	host, client string
	at           model.Time
}

func (f forms) push() bool               { return f.m.Operation == model.Push }
func (f forms) stamp(form string) string { return clock(f.at).Format(form) }

// own is what Add writes of the movement as one of a channel.
func (f forms) own(channel, log string) string {
	l := UnixLogs{Host: f.host}
	m := f.m
	if m.Channel = channel; channel == "smb2" {
		m.Share, m.Path = "public", strings.TrimPrefix(m.Path, "/")
	}
	l.Add(m, f.at)
	return l.Text[log]
}

// sshMessages are those of sshd and its sftp-server, with the program of each.
func (f forms) sshMessages() [][2]string {
	flags, read, written := "READ", f.m.Size, int64(0)
	if f.push() {
		flags, read, written = "WRITE,CREATE,TRUNCATE", 0, f.m.Size
	}
	return [][2]string{
		{"sshd", fmt.Sprintf("Accepted publickey for %s from %s port 50022 ssh2: ED25519 SHA256:x", f.m.User, f.client)},
		{"sftp-server", fmt.Sprintf("session opened for local user %s from [%s]", f.m.User, f.client)},
		{"sftp-server", fmt.Sprintf(`open "%s" flags %s mode 0644`, f.m.Path, flags)},
		{"sftp-server", fmt.Sprintf(`close "%s" bytes read %d written %d`, f.m.Path, read, written)},
		{"sftp-server", fmt.Sprintf("session closed for local user %s from [%s]", f.m.User, f.client)},
	}
}

func (f forms) authLog(system string) (text string) {
	for _, m := range f.sshMessages() {
		if system == "esxi" {
			text += fmt.Sprintf("%s In(38) %s[7]: %s\n", f.stamp("2006-01-02T15:04:05.000Z"), m[0], m[1])
		} else {
			text += fmt.Sprintf("%s %s %s[7]: %s\n", f.stamp(time.RFC3339Nano), f.host, m[0], m[1])
		}
	}
	return text
}

func (f forms) journal() (text string) {
	for _, m := range f.sshMessages() {
		b, _ := json.Marshal(map[string]string{"__REALTIME_TIMESTAMP": fmt.Sprint(int64(f.at) / 1000), "_HOSTNAME": f.host, "SYSLOG_IDENTIFIER": m[0], "_PID": "7", "MESSAGE": m[1]})
		text += string(b) + "\n"
	}
	return text
}

func (f forms) bare() (text string) {
	for _, m := range f.sshMessages() {
		text += m[1] + "\r\n"
	}
	return text
}

func (f forms) proFTPD() string {
	return fmt.Sprintf("%s UNKNOWN %s [%s] \"%s %s\" 226 %d\n", f.client, f.m.User, f.stamp("02/Jan/2006:15:04:05 -0700"), choose(f.push(), "STOR", "RETR"), f.m.Path, f.m.Size)
}

func (f forms) pureFTPD() string {
	return fmt.Sprintf("%s %s pure-ftpd: (%s@%s) [NOTICE] %s %s  (%d bytes, 138316.22KB/sec)\n", f.stamp(time.Stamp), f.host, f.m.User, f.client, f.m.Path, choose(f.push(), "uploaded", "downloaded"), f.m.Size)
}

func (f forms) smbd() string {
	head := f.stamp("[2006/01/02 15:04:05.000000,  1] ") + "../../source3/modules/vfs_full_audit.c:643(do_log)\n  " + f.m.User + "|" + f.client + "|" + f.host + "|public|"
	return head + "openat|ok|" + choose(f.push(), "w", "r") + "|" + f.m.Path + "\n" + head + choose(f.push(), "pwrite_send", "pread_send") + "|ok|" + f.m.Path + "\n"
}

func (f forms) rsyncd() string {
	begin := f.stamp("2006/01/02 15:04:05 ") + "[7] "
	name := path.Base(f.m.Path)
	return begin + fmt.Sprintf("connect from ws1 (%s)\n", f.client) + begin + fmt.Sprintf("rsync %s stage/%s from %s@ws1 (%s)\n", choose(f.push(), "to", "on"), name, f.m.User, f.client) +
		begin + fmt.Sprintf("%s ws1 [%s] stage (%s) %s %d\n", choose(f.push(), "recv", "send"), f.client, f.m.User, name, f.m.Size)
}

func (f forms) audit() string {
	l := UnixLogs{Host: f.host}
	l.audit(f.at, fmt.Sprintf(`USER_LOGIN pid=50 uid=0 auid=1001 ses=7 msg='op=login acct="%s" exe="/usr/sbin/sshd" hostname=%[2]s addr=%[2]s terminal=ssh res=success'`, f.m.User, f.client))
	l.Creates(f.at+1e9, Process{PID: 60, Exe: "/usr/lib/openssh/sftp-server", User: f.m.User, Session: 7}, f.m.Path)
	return l.Text["audit.log"]
}

func (f forms) interpreted() string {
	at := f.stamp("01/02/06 15:04:05.000")
	return fmt.Sprintf("----\nnode=%[5]s type=USER_LOGIN msg=audit(%[1]s:1) : pid=50 uid=root auid=%[2]s ses=7 subj=unconfined msg='op=login acct=%[2]s exe=/usr/sbin/sshd hostname=%[3]s addr=%[3]s terminal=ssh res=success' \n----\n"+
		"node=%[5]s type=PATH msg=audit(%[1]s:2) : item=1 name=%[4]s inode=1 dev=08:01 mode=file,644 nametype=CREATE \n"+
		"node=%[5]s type=CWD msg=audit(%[1]s:2) : cwd=/ \n"+
		"node=%[5]s type=SYSCALL msg=audit(%[1]s:2) : arch=x86_64 syscall=openat success=yes exit=3 items=2 ppid=1 pid=60 auid=%[2]s uid=%[2]s tty=(none) ses=7 comm=sftp-server exe=/usr/lib/openssh/sftp-server subj=unconfined key=files \n",
		at, f.m.User, f.client, f.m.Path, f.host)
}

func (f forms) auoms() (text string) {
	for i, line := range []string{
		fmt.Sprintf(`USER_LOGIN %%s pid=50 uid=0 auid=1001 ses=7 op=login acct="%s" exe="/usr/sbin/sshd" hostname=%[2]s addr=%[2]s terminal=ssh res=success`, f.m.User, f.client),
		fmt.Sprintf(`AUOMS_SYSCALL %%s arch=x86_64 syscall=openat syscall_r=257 success=yes exit=3 pid=60 audit_user=%s auid=1001 ses=7 comm="sftp-server" exe="/usr/lib/openssh/sftp-server" cwd="/" path_name=["/","%s"] path_nametype=["PARENT","CREATE"] redactors= containerid=`, f.m.User, f.m.Path),
	} {
		text += fmt.Sprintf("%s %s auoms[7]: type="+line+"\n", f.stamp(time.RFC3339Nano), f.host, fmt.Sprintf("audit(%d.%03d:%d):", f.at/1e9, f.at%1e9/1e6, i))
	}
	return text
}

func (f forms) auomsJSON() (text string) {
	seconds := fmt.Sprintf("%d.%03d", f.at/1e9, f.at%1e9/1e6)
	for i, record := range []map[string]any{
		{"RecordType": "USER_LOGIN", "node": f.host, "pid": "50", "ses": "7", "acct": f.m.User, "exe": "/usr/sbin/sshd", "addr": f.client, "res": "success"},
		{"RecordType": "AUOMS_SYSCALL", "node": f.host, "syscall": "openat", "success": "yes", "pid": "60", "ses": "7", "exe": "/usr/lib/openssh/sftp-server", "cwd": "/",
			"path_name": `["/",` + quoted(f.m.Path) + `]`, "path_nametype": `["PARENT","CREATE"]`},
	} {
		b, _ := json.Marshal(map[string]any{"Timestamp": seconds, "SerialNumber": i, "records": []any{record}})
		text += fmt.Sprintf("[%s,%s]\n", seconds, b)
	}
	return text
}

func (f forms) sysmon() string {
	return fmt.Sprintf(`%s %s sysmon: <Event><System><Provider Name="Linux-Sysmon"/><EventID>11</EventID></System><EventData><Data Name="Image">/usr/lib/openssh/sftp-server</Data><Data Name="ProcessId">60</Data><Data Name="TargetFilename">%s</Data><Data Name="User">%s</Data></EventData></Event>`+"\n",
		f.stamp(time.RFC3339Nano), f.host, f.m.Path, f.m.User)
}

func (f forms) airDrop() (text string) {
	for _, m := range []string{"Start progress for url: file://" + f.m.Path, "state: .completedSuccessfully"} {
		b, _ := json.Marshal(map[string]any{"timestamp": f.stamp("2006-01-02 15:04:05.000000-0700"), "eventType": "logEvent", "processID": 60, "processImagePath": "/usr/libexec/sharingd",
			"subsystem": "com.apple.sharing", "category": "AirDrop.5F3A2B1C", "eventMessage": m})
		text += string(b) + "\n"
	}
	return text
}

func (f forms) hostd() string {
	return fmt.Sprintf("%s In(166) Hostd[7]: [Originator@6876 sub=Vimsvc.ha-eventmgr] Event 1 : File upload to path '[ds1] %s' was initiated from 'x@%s' and completed with status 'Success'\n", f.stamp("2006-01-02T15:04:05.000Z"), strings.TrimPrefix(f.m.Path, "/"), f.client)
}

func (f forms) history() string {
	return fmt.Sprintf("#%d\nscp %s:%s /tmp/x\n", f.at/1e9, f.client, f.m.Path)
}
