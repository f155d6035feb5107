package unixhost_test

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/auditd"
	"waybill/internal/telemetry/esxi"
	"waybill/internal/telemetry/ftplog"
	"waybill/internal/telemetry/macos"
	"waybill/internal/telemetry/rsyncd"
	"waybill/internal/telemetry/sambalog"
	"waybill/internal/telemetry/shellhist"
	"waybill/internal/telemetry/syslog"
	"waybill/internal/telemetry/unixhost"
	"waybill/internal/telemetry/weblog"
)

var formats = []telemetry.Format{macos.Eslogger, macos.Unified, esxi.Format, syslog.Format, syslog.Journal, ftplog.Format, rsyncd.Format, sambalog.Format, weblog.Format, auditd.Format, auditd.AUOMS, auditd.Auditbeat, syslog.Bare, shellhist.Format}

// follow gives the logs, each of one host, to a follower, one after the other.
func follow(t *testing.T, logs ...string) *telemetry.Result {
	t.Helper()
	f := unixhost.New(telemetry.FollowerOptions{Inputs: make([]string, len(logs)), Inside: func(a model.Addr) bool { return strings.HasPrefix(a.String(), "10.") }})
	for i, text := range logs {
		feed(t, f, int32(i), text)
	}
	return f.Close()
}

func feed(t *testing.T, f telemetry.Follower, input int32, text string) {
	t.Helper()
	for _, format := range formats {
		if !format.Looks([]byte(text)) {
			continue
		}
		log := format.Open(strings.NewReader(text), telemetry.OpenOptions{Near: stamp("2026-11-20T00:00:00.000000000Z")})
		var b telemetry.Batch
		for log.Next(&b) != io.EOF {
			for j := range b.Records {
				r := &b.Records[j]
				r.Input = input
				if r.Host == "" {
					r.Host = "fs1"
				}
				f.Record(r)
			}
		}
		if d := log.Damage(); len(d) > 0 {
			t.Errorf("%s: %v", format.Kind, d)
		}
		return
	}
	t.Errorf("no format for %.80q", text)
}

func stamp(s string) (t model.Time) {
	if err := t.UnmarshalText([]byte(s)); err != nil {
		panic(err)
	}
	return t
}

// brief writes the movements a line each.
func brief(all []*model.Transfer) string {
	var b strings.Builder
	for _, t := range all {
		size := "?"
		if t.Size != nil {
			size = fmt.Sprint(*t.Size)
		}
		fmt.Fprintf(&b, "%s %s %s>%s %s %s %s %s", t.Operation, t.Channel, t.Source.Name(), t.Destination.Name(), t.Path, size, t.Status, t.User)
		for _, n := range t.EarlierNames {
			b.WriteString(" was " + n)
		}
		if t.Deleted != nil {
			b.WriteString(" deleted")
		}
		if len(t.Evidence) > 1 {
			fmt.Fprintf(&b, " x%d", len(t.Evidence))
		}
		if t.Share != "" {
			b.WriteString(" in " + t.Share)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// TestMovements gives lines as servers write them.
func TestMovements(t *testing.T) {
	for _, c := range cases {
		if got := brief(follow(t, c.logs...).Transfers); got != c.want {
			t.Errorf("%s:\n%s instead of\n%s", c.name, got, c.want)
		}
	}
}

// TestOrder: which log comes first is nothing to what they show.
func TestOrder(t *testing.T) {
	for _, c := range cases {
		if len(c.logs) != 2 {
			continue
		}
		a, b := follow(t, c.logs[0], c.logs[1]).Transfers, follow(t, c.logs[1], c.logs[0]).Transfers
		if len(a) != len(b) {
			t.Errorf("%s:\n%s\n%s", c.name, brief(a), brief(b))
		}
	}
}

// TestDamage: what is whole of a torn and mixed file is read, the rest named by line.
func TestDamage(t *testing.T) {
	const text = "Nov 23 16:24:51 fs1 sftp-server[7]: session opened for local user ops from [10.77.0.11]\n" +
		"\x00\x00\x00\n" +
		"not a line of it\n" +
		"\xff\xfe\x01 binary\n" +
		"2026-11-23T16:24:52.000000+00:00 fs1 sftp-server[7]: close \"/srv/a\" bytes read 0 written 100\n" +
		"<86>1 2026-11-23T16:24:53Z fs1.corp.example sftp-server 7 - [x@1 y=\"]\"] \xef\xbb\xbfclose \"/srv/b\" bytes read 0 written 101\r\n" +
		"<86>Nov 23 16:24:54 fs1 sftp-server[7]: close \"/srv/c\" bytes read 0 written 102\n" +
		"Nov 23 16:24"
	log := syslog.Format.Open(strings.NewReader(text), telemetry.OpenOptions{})
	f := unixhost.New(telemetry.FollowerOptions{Inputs: make([]string, 1)})
	var b telemetry.Batch
	for log.Next(&b) != io.EOF {
		for i := range b.Records {
			f.Record(&b.Records[i])
		}
	}
	want := []string{"line 3: no line of a system log", "line 4: no line of a system log", "line 8: the last line is cut off"}
	if got := log.Damage(); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	const moved = `push ssh 10.77.0.11>fs1.corp.example /srv/a 100 done ops
push ssh 10.77.0.11>fs1.corp.example /srv/b 101 done ops
push ssh 10.77.0.11>fs1.corp.example /srv/c 102 done ops
`
	if got := brief(f.Close().Transfers); got != moved {
		t.Error(got)
	}
}

// TestYear: of a date in the file, of other inputs, over the turn of a year.
func TestYear(t *testing.T) {
	near, written := stamp("2024-01-05T00:00:00.000000000Z"), stamp("2019-06-02T00:00:00.000000000Z")
	for _, c := range []struct {
		text, want string
		assumed    bool
	}{
		{"Dec 30 10:00:00 h sshd[1]: x\nJan  2 10:00:00 h sshd[1]: y\n", "2023-12-30 2024-01-02", true},
		{"Nov 23 10:00:00 h app: started 2021-11-23\nNov 24 10:00:00 h sshd[1]: y\n", "2021-11-23 2021-11-24", false},
		{"Nov 23 10:00:00 h app: valid until 2031-01-01\nNov 24 10:00:00 h sshd[1]: y\n", "2023-11-23 2023-11-24", true},
	} {
		log := syslog.Format.Open(strings.NewReader(c.text), telemetry.OpenOptions{Near: near, Written: written, Zone: time.UTC})
		var b telemetry.Batch
		if err := log.Next(&b); err != nil {
			t.Fatal(err)
		}
		var days []string
		for _, r := range b.Records {
			days = append(days, r.Time.String()[:10])
			if r.Assumed != c.assumed {
				t.Errorf("%q: assumed %v", c.text, r.Assumed)
			}
		}
		if got := strings.Join(days, " "); got != c.want {
			t.Errorf("%q: %s instead of %s", c.text, got, c.want)
		}
	}
}

// TestYearOfFile: without other inputs a log ends when its file was last written.
func TestYearOfFile(t *testing.T) {
	for written, want := range map[string]string{"2019-06-02T00:00:00.000000000Z": "2018-12-30", "2019-12-30T05:00:00.000000000Z": "2019-12-30"} {
		log := syslog.Format.Open(strings.NewReader("Dec 30 10:00:00 h sshd[1]: x\n"), telemetry.OpenOptions{Written: stamp(written)})
		var b telemetry.Batch
		if err := log.Next(&b); err != nil || b.Records[0].Time.String()[:10] != want || !b.Records[0].Assumed {
			t.Errorf("written %s: %v, %+v", written, err, b.Records)
		}
	}
}

// FuzzLogs gives any text to the reader of each form, and what that makes of it to
// the follower.
func FuzzLogs(f *testing.F) {
	for _, c := range cases {
		for _, log := range c.logs {
			f.Add(log)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		hosts := unixhost.New(telemetry.FollowerOptions{Inputs: make([]string, len(formats))})
		for i, format := range formats {
			format.Looks([]byte(text))
			log := format.Open(strings.NewReader(text), telemetry.OpenOptions{})
			var b telemetry.Batch
			for log.Next(&b) != io.EOF {
				for j := range b.Records {
					b.Records[j].Input = int32(i)
					hosts.Record(&b.Records[j])
				}
			}
		}
		for _, x := range hosts.Close().Transfers {
			if x.Name == "" || x.ID == "" || len(x.Evidence) == 0 || x.Start > x.End {
				t.Errorf("%+v", x)
			}
		}
	})
}

// BenchmarkSyslog reads and follows lines of a busy server.
func BenchmarkSyslog(b *testing.B) {
	var text strings.Builder
	for i := range 20000 {
		fmt.Fprintf(&text, "Nov 23 16:24:51 fs1 CRON[%d]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)\n", i)
		fmt.Fprintf(&text, "Nov 23 16:24:51 fs1 sftp-server[%d]: close \"/srv/up/file%d\" bytes read 0 written 100\n", i%50, i)
		fmt.Fprintf(&text, "Nov 23 16:24:51 fs1 smbd_audit: ops|10.77.0.11|ws1|public|openat|ok|r|/srv/public/a%d\n", i)
		fmt.Fprintf(&text, "Nov 23 16:24:51 fs1 sshd[%d]: Failed password for root from 203.0.113.9 port 4000 ssh2\n", i)
	}
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		f := unixhost.New(telemetry.FollowerOptions{Inputs: make([]string, 1), Inside: func(model.Addr) bool { return false }})
		log := syslog.Format.Open(strings.NewReader(text.String()), telemetry.OpenOptions{})
		var batch telemetry.Batch
		for log.Next(&batch) != io.EOF {
			for i := range batch.Records {
				f.Record(&batch.Records[i])
			}
		}
		f.Close()
	}
	b.ReportMetric(80000*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}

// BenchmarkAuditd reads and follows events of a busy server.
func BenchmarkAuditd(b *testing.B) {
	var text strings.Builder
	const events = 10000
	for i := range events {
		at := fmt.Sprintf("msg=audit(1795451%03d.%03d:%d)", i/1000, i%1000, i)
		fmt.Fprintf(&text, `type=SYSCALL %s: arch=c000003e syscall=59 success=yes exit=0 a0=55d4f0 a1=55d4f8 a2=55d500 a3=8 items=2 ppid=501 pid=%d auid=1001 uid=1001 gid=1001 euid=1001 suid=1001 fsuid=1001 egid=1001 sgid=1001 fsgid=1001 tty=pts0 ses=7 comm="ls" exe="/usr/bin/ls" subj=unconfined key="exec"`+"\n", at, 1000+i%3000)
		fmt.Fprintf(&text, "type=EXECVE %s: argc=3 a0=\"ls\" a1=\"-l\" a2=\"/home/anna\"\n", at)
		fmt.Fprintf(&text, "type=CWD %s: cwd=\"/home/anna\"\n", at)
		fmt.Fprintf(&text, "type=PATH %s: item=0 name=\"/usr/bin/ls\" inode=131 dev=08:01 mode=0100755 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL cap_fp=0 cap_fi=0\n", at)
		fmt.Fprintf(&text, "type=PROCTITLE %s: proctitle=6C73002D6C002F686F6D65\n", at)
	}
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		f := unixhost.New(telemetry.FollowerOptions{Inputs: make([]string, 1)})
		log := auditd.Format.Open(strings.NewReader(text.String()), telemetry.OpenOptions{})
		var batch telemetry.Batch
		for log.Next(&batch) != io.EOF {
			for i := range batch.Records {
				f.Record(&batch.Records[i])
			}
		}
		f.Close()
	}
	b.ReportMetric(5*events*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}

// cases are lines as servers write them.
var cases = []struct {
	name string
	logs []string
	want string
}{
	{"sftp", []string{`Nov 23 16:24:51 fs1 sshd[25641]: Accepted publickey for anna from 10.77.0.11 port 51544 ssh2: ED25519 SHA256:AbCd
Nov 23 16:24:51 fs1 internal-sftp[25648]: session opened for local user anna from [10.77.0.11]
Nov 23 16:24:52 fs1 internal-sftp[25648]: open "/home/anna/neu \303\234bersicht.docx" flags WRITE,CREATE,TRUNCATE mode 0644
Nov 23 16:24:56 fs1 internal-sftp[25648]: close "/home/anna/neu \303\234bersicht.docx" bytes read 0 written 10000
Nov 23 16:24:57 fs1 internal-sftp[25648]: open "/etc/hosts" flags READ mode 0666
Nov 23 16:24:57 fs1 internal-sftp[25648]: close "/etc/hosts" bytes read 221 written 0
Nov 23 16:24:58 fs1 internal-sftp[25648]: open "/root/x" flags WRITE,CREATE,TRUNCATE mode 0644
Nov 23 16:24:58 fs1 internal-sftp[25648]: sent status Permission denied
Nov 23 16:24:59 fs1 internal-sftp[25648]: session closed for local user anna from [10.77.0.11]
`}, `push ssh 10.77.0.11>fs1 /home/anna/neu Übersicht.docx 10000 done anna
pull ssh fs1>10.77.0.11 /etc/hosts 221 done anna
push ssh 10.77.0.11>fs1 /root/x ? denied anna
`},
	{"sftp, a session whose beginning is not in the log, cut off", []string{`2026-11-23T16:25:01.865913+00:00 ws3 sftp-server[25947]: open "svc.exe" flags WRITE,CREATE mode 0644
2026-11-23T16:25:02.865913+00:00 ws3 sftp-server[25947]: set "svc.exe" size 183296
2026-11-23T16:25:02.875913+00:00 ws3 sftp-server[25947]: close "svc.exe" bytes read 0 written 183296
2026-11-23T16:25:03.000000+00:00 ws3 sftp-server[25947]: open "cut.bin" flags WRITE,CREATE,TRUNCATE mode 0644
2026-11-23T16:25:18.000000+00:00 ws3 sftp-server[25947]: forced close "cut.bin" bytes read 0 written 2872320
2026-11-23T16:25:18.100000+00:00 ws3 sftp-server[25947]: session closed for local user ops from [10.77.0.13]
`}, `push ssh 10.77.0.13>ws3 svc.exe 183296 done ops
push ssh 10.77.0.13>ws3 cut.bin ? interrupted ops
`},
	{"sftp, renamed and removed, appended", []string{`Nov 23 16:24:51 fs1 sftp-server[7]: session opened for local user ops from [10.77.0.11]
Nov 23 16:24:52 fs1 sftp-server[7]: open "/srv/x.tmp" flags WRITE,CREATE,TRUNCATE mode 0644
Nov 23 16:24:56 fs1 sftp-server[7]: close "/srv/x.tmp" bytes read 0 written 100
Nov 23 16:24:57 fs1 sftp-server[7]: posix-rename old "/srv/x.tmp" new "/srv/svc.exe"
Nov 23 16:25:57 fs1 sftp-server[7]: remove name "/srv/svc.exe"
Nov 23 16:26:52 fs1 sftp-server[7]: open "/srv/rest" flags WRITE,APPEND,CREATE mode 0644
Nov 23 16:26:56 fs1 sftp-server[7]: close "/srv/rest" bytes read 0 written 100
`}, `push ssh 10.77.0.11>fs1 /srv/svc.exe 100 done ops was x.tmp deleted x3
push ssh 10.77.0.11>fs1 /srv/rest ? done ops
`},
	{"what loopback and the host itself do is none", []string{`Nov 23 16:24:50 fs1 sshd[3]: Connection from 10.77.0.5 port 40000 on 10.77.0.5 port 22 rdomain ""
Nov 23 16:24:51 fs1 sftp-server[7]: session opened for local user ops from [127.0.0.1]
Nov 23 16:24:56 fs1 sftp-server[7]: close "/srv/x.tmp" bytes read 0 written 100
Nov 23 16:24:57 fs1 sftp-server[8]: session opened for local user ops from [10.77.0.5]
Nov 23 16:24:58 fs1 sftp-server[8]: close "/srv/x.tmp" bytes read 0 written 100
`}, ""},
	{"vsftpd with both logs", []string{`Mon Nov 23 16:25:20 2026 [pid 2311] CONNECT: Client "::ffff:10.77.0.11"
Mon Nov 23 16:25:20 2026 [pid 2310] [anna] OK LOGIN: Client "::ffff:10.77.0.11"
Mon Nov 23 16:25:22 2026 [pid 2312] [anna] OK UPLOAD: Client "::ffff:10.77.0.11", "/home/anna/Bericht Mai ??.txt", 400000 bytes, 20480.00Kbyte/sec
Mon Nov 23 16:25:37 2026 [pid 2312] [anna] FAIL UPLOAD: Client "::ffff:10.77.0.11", "/home/anna/no.txt", 0.00Kbyte/sec
Mon Nov 23 16:25:40 2026 [pid 2312] [anna] OK DOWNLOAD: Client "::ffff:10.77.0.11", "/srv/pub/tool.zip", 52428 bytes, 20480.00Kbyte/sec
`, `Mon Nov 23 16:25:22 2026 1 10.77.0.11 400000 /home/anna/Bericht_Mai_??.txt b _ i r anna ftp 0 * c
Mon Nov 23 16:25:37 2026 1 10.77.0.11 0 /home/anna/no.txt b _ i r anna ftp 0 * i
Mon Nov 23 16:25:40 2026 2 ::ffff:10.77.0.11 52428 /srv/pub/tool.zip b _ o a secret@x ftp 0 * i
`}, `push ftp 10.77.0.11>fs1 /home/anna/Bericht Mai ??.txt 400000 done anna x2
push ftp 10.77.0.11>fs1 /home/anna/no.txt ? denied anna x2
pull ftp fs1>10.77.0.11 /srv/pub/tool.zip 52428 interrupted anna x2
`},
	{"smbd with full_audit, prefix of four", []string{`Nov 23 16:25:53 fs1 smbd_audit: ops|10.77.0.11|ws1|public|openat|ok|w|/srv/public/x.tmp
Nov 23 16:25:53 fs1 smbd_audit: ops|10.77.0.11|ws1|public|create_file|ok|0x12019f|file|overwrite_if|/srv/public/x.tmp
Nov 23 16:25:53 fs1 smbd_audit: ops|10.77.0.11|ws1|public|pwrite_send|ok|/srv/public/x.tmp
Nov 23 16:25:54 fs1 smbd_audit: ops|10.77.0.11|ws1|public|pwrite_recv|ok|/srv/public/x.tmp
Nov 23 16:25:54 fs1 smbd_audit: ops|10.77.0.11|ws1|public|close|ok|/srv/public/x.tmp
Nov 23 16:25:56 fs1 smbd_audit: ops|10.77.0.11|ws1|public|renameat|ok|/srv/public/x.tmp|/srv/public/svc.exe
Nov 23 16:25:57 fs1 smbd_audit: ops|10.77.0.11|ws1|public|openat|ok|r|/srv/public
Nov 23 16:25:57 fs1 smbd_audit: ops|10.77.0.11|ws1|public|openat|ok|r|/srv/public/plan.docx
Nov 23 16:25:57 fs1 smbd_audit: ops|10.77.0.11|ws1|public|pread_send|ok|/srv/public/plan.docx
Nov 23 16:25:58 fs1 smbd_audit: ops|10.77.0.11|ws1|public|pread_send|ok|/srv/public/desktop.ini
Nov 23 16:26:00 fs1 smbd_audit: ops|10.77.0.11|ws1|readonly|create_file|fail (Argument list too long)|0x12019f|file|overwrite_if|/srv/public/deny.exe
Nov 23 16:26:00 fs1 smbd_audit: ops|10.77.0.11|ws1|readonly|create_file|fail (No such file or directory)|0x80|file|open|/srv/public/none.exe
`}, `push smb 10.77.0.11>fs1 /srv/public/svc.exe ? done ops was x.tmp x2 in public
pull smb fs1>10.77.0.11 /srv/public/plan.docx ? done ops in public
push smb 10.77.0.11>fs1 /srv/public/deny.exe ? denied ops in readonly
`},
	{"smbd with full_audit, prefix of three, the share learned", []string{`Nov 23 16:25:53 fs1 smbd_audit: ops|10.77.0.11|public|connect|ok|public
Nov 23 16:25:53 fs1 smbd_audit: ops|10.77.0.11|public|pwrite|ok|agent|x.bin
`}, `push smb 10.77.0.11>fs1 x.bin ? done ops in public
`},
	{"smbd with full_audit, in its own log", []string{`[2026/11/28 01:59:57.467084,  0] ../../source3/smbd/server.c:1741(main)
  smbd version 4.17.12-Debian started.
  Copyright Andrew Tridgell and the Samba Team 1992-2022
[2026/11/28 01:59:59.578179,  1] ../../source3/modules/vfs_full_audit.c:643(do_log)
  ops|10.77.0.11|fs1|full|connect|ok|full
[2026/11/28 01:59:59.578485,  1, pid=789, effective(0, 0), real(0, 0), class=vfs] ../../source3/modules/vfs_full_audit.c:643(do_log)
  ops|10.77.0.11|fs1|full|openat|ok|w|/srv/full/my tool.exe
[2026/11/28 01:59:59.578493,  1] ../../source3/modules/vfs_full_audit.c:643(do_log)
  ops|10.77.0.11|fs1|full|pwrite_send|ok|/srv/full/my tool.exe
[2026/11/28 01:59:59.578501,  2] ../../source3/smbd/close.c:830(close_normal_file)
  ops closed file my tool.exe (numopen=0) NT_STATUS_OK
[2026/11/28 02:00:01,  1] ../../source3/modules/vfs_full_audit.c:643(do_log)
  ops|10.77.0.11|fs1|full|renameat|ok|/srv/full/my tool.exe|/srv/full/b.exe
`}, `push smb 10.77.0.11>fs1 /srv/full/b.exe ? done ops was my tool.exe x2 in full
`},
	{"smbd with vfs_audit", []string{`Nov 28 01:59:59 fs1 smbd_audit[1601]: connect to service audit by user root
Nov 28 01:59:59 fs1 smbd_audit[1601]: openat . (fd 16) 
Nov 28 01:59:59 fs1 smbd_audit[1601]: openat my tool.exe (fd -1) failed: No such file or directory
Nov 28 01:59:59 fs1 smbd_audit[1601]: openat my tool.exe (fd 30) for writing 
Nov 28 01:59:59 fs1 smbd_audit[1601]: close fd 16 
Nov 28 02:00:02 fs1 smbd_audit[1601]: close fd 30 
Nov 28 02:00:03 fs1 smbd_audit[1601]: openat my tool.exe (fd 33) 
Nov 28 02:00:03 fs1 smbd_audit[1601]: renameat my tool.exe -> b.exe 
Nov 28 02:00:04 fs1 smbd_audit[1601]: unlinkat b.exe 
Nov 28 02:00:05 fs1 smbd_audit[1601]: openat no.exe (fd -1) for writing failed: Permission denied
Nov 28 02:00:05 fs1 smbd_audit[1601]: openat late.exe (fd -1) for writing failed: File exists
Nov 28 02:00:06 fs1 smbd_audit[1601]: disconnected
Nov 28 02:00:07 fs1 smbd_audit[1605]: connect to service ext by user root
Nov 28 02:00:07 fs1 smbd_audit[1605]: openat ./. (fd 16) 
Nov 28 02:00:07 fs1 smbd_audit[1605]: openat ext.exe/ext.exe (fd 30) for writing 
Nov 28 02:00:07 fs1 smbd_audit[1605]: close fd 30 
`}, `push smb >fs1 b.exe ? done root was my tool.exe deleted x3 in audit
push smb >fs1 no.exe ? denied root in audit
push smb >fs1 ext.exe ? done root in ext
`},
	{"auditd, interpreted by ausearch -i", []string{`----
type=USER_LOGIN msg=audit(11/23/26 16:24:50.100:3600) : pid=900 uid=root auid=anna ses=7 subj=unconfined msg='op=login id=anna exe=/usr/sbin/sshd hostname=ws1 addr=10.77.0.11 terminal=/dev/pts/0 res=success'UID="root" AUID="anna" ID="anna" 
----
type=USER_START msg=audit(11/23/26 16:24:50.200:3601) : pid=900 uid=root auid=anna ses=7 subj=unconfined msg='op=PAM:session_open grantors=pam_unix acct=anna exe=/usr/sbin/sshd hostname=10.77.0.11 addr=10.77.0.11 terminal=ssh res=success' 
----
type=EOE msg=audit(11/23/26 16:24:53.471:3650) : 

type=PROCTITLE msg=audit(11/23/26 16:24:53.471:3650) : proctitle=scp -t 
type=PATH msg=audit(11/23/26 16:24:53.471:3650) : item=0 name=/usr/bin/scp inode=131 dev=08:01 mode=file,755 ouid=root ogid=root rdev=00:00 nametype=NORMAL cap_fp=none cap_fi=none 
type=CWD msg=audit(11/23/26 16:24:53.471:3650) : cwd=/home/anna 
type=EXECVE msg=audit(11/23/26 16:24:53.471:3650) : argc=3 a0=scp a1=-t a2=/home/anna/my legacy=1.zip 
type=SYSCALL msg=audit(11/23/26 16:24:53.471:3650) : arch=x86_64 syscall=execve success=yes exit=0 a0=0x55d4f0 a1=0x55d4f8 a2=0x55d500 a3=0x8 items=2 ppid=901 pid=902 auid=anna uid=anna gid=anna tty=(none) ses=7 comm=scp exe=/usr/bin/scp subj=unconfined key=exec 
----
type=PROCTITLE msg=audit(11/23/26 16:24:53.600:3651) : proctitle=scp -t 
type=PATH msg=audit(11/23/26 16:24:53.600:3651) : item=1 name=/home/anna/my legacy=1.zip inode=132 dev=08:01 mode=file,755 ouid=root ogid=root rdev=00:00 nametype=CREATE 
type=PATH msg=audit(11/23/26 16:24:53.600:3651) : item=0 name=/home/anna/ inode=131 dev=08:01 mode=dir,755 ouid=root ogid=root rdev=00:00 nametype=PARENT 
type=CWD msg=audit(11/23/26 16:24:53.600:3651) : cwd=/home/anna 
type=SYSCALL msg=audit(11/23/26 16:24:53.600:3651) : arch=x86_64 syscall=openat success=yes exit=3 a0=AT_FDCWD a1=0x55d4f8 a2=O_WRONLY|O_CREAT|O_TRUNC a3=0x1b6 items=2 ppid=901 pid=902 auid=anna uid=anna gid=anna tty=(none) ses=7 comm=scp exe=/usr/bin/scp subj=unconfined key=files 
----
type=PATH msg=audit(11/23/26 16:24:54.600:3654) : item=4 name=/home/anna/b.zip inode=132 dev=08:01 mode=file,755 nametype=CREATE 
type=PATH msg=audit(11/23/26 16:24:54.600:3654) : item=3 name=/home/anna/b.zip inode=140 dev=08:01 mode=file,755 nametype=DELETE 
type=PATH msg=audit(11/23/26 16:24:54.600:3654) : item=2 name=my legacy=1.zip inode=132 dev=08:01 mode=file,755 nametype=DELETE 
type=CWD msg=audit(11/23/26 16:24:54.600:3654) : cwd=/home/anna 
type=SYSCALL msg=audit(11/23/26 16:24:54.600:3654) : arch=x86_64 syscall=rename success=yes exit=0 a0=0x1 a1=0x55d4f8 items=5 ppid=901 pid=905 auid=unset ses=unset comm=mv exe=/usr/bin/mv key=files 
`}, `push ssh 10.77.0.11>fs1 /home/anna/b.zip ? done anna was my legacy=1.zip x3
`},
	{"auditd, a rename over a file that was there", []string{`type=USER_LOGIN msg=audit(1795451090.100:3600): pid=900 uid=0 auid=1001 ses=7 msg='op=login acct="anna" exe="/usr/sbin/sshd" hostname=ws1 addr=10.77.0.11 terminal=/dev/pts/0 res=success'
type=SYSCALL msg=audit(1795451093.600:3651): arch=c000003e syscall=257 success=yes exit=3 ppid=901 pid=902 auid=1001 ses=7 comm="sftp-server" exe="/usr/lib/openssh/sftp-server"
type=PATH msg=audit(1795451093.600:3651): item=1 name="/home/anna/a.tmp" nametype=CREATE
type=SYSCALL msg=audit(1795451093.700:3652): arch=c000003e syscall=82 success=yes exit=0 ppid=901 pid=905 auid=1001 ses=7 comm="mv" exe="/usr/bin/mv"
type=PATH msg=audit(1795451093.700:3652): item=2 name="/home/anna/a.tmp" nametype=DELETE
type=PATH msg=audit(1795451093.700:3652): item=3 name="/home/anna/a.exe" nametype=DELETE
type=PATH msg=audit(1795451093.700:3652): item=4 name="/home/anna/a.exe" nametype=CREATE
`}, `push ssh 10.77.0.11>fs1 /home/anna/a.exe ? done anna was a.tmp x2
`},
	{"rsyncd", []string{`2026/11/23 16:26:07 [27959] connect from ws1.lab.example (10.77.0.11)
2026/11/23 16:26:07 [27959] rsync to stage/agent from ops@ws1.lab.example (10.77.0.11)
2026/11/23 16:26:07 [27959] receiving file list
2026/11/23 16:26:07 [27959] recv ws1.lab.example [10.77.0.11] stage (ops) agent 720001
2026/11/23 16:26:07 [27959] sent 40 bytes  received 720257 bytes  total size 720001
2026/11/23 16:26:09 [28057] send ws2.lab.example [10.77.0.12] pub () \#303\#234bung 720001
2026/11/23 16:26:10 [28058] connect from ws2.lab.example (10.77.0.12)
2026/11/23 16:26:10 [28058] rsync on pub/dry.bin from UNKNOWN (10.77.0.12)
2026/11/23 16:26:10 [28058] sent 100 bytes  received 40 bytes  total size 720001
2026/11/23 16:26:17 [28289] connect from ws3.lab.example (10.77.0.13)
2026/11/23 16:26:17 [28289] rsync to stage/ from ops@ws3.lab.example (10.77.0.13)
2026/11/23 16:26:18 [28289] recv|10.77.0.13|ops|stage|/srv/rsync|agent|720001|720125|>f+++++++++
2026/11/23 16:26:19 [28290] connect from ws3.lab.example (10.77.0.13)
2026/11/23 16:26:19 [28290] rsync to ro/x from ws3.lab.example (10.77.0.13)
2026/11/23 16:26:19 [28290] ERROR: module is read only
2026/11/23 16:26:19 [28290] sent 40 bytes  received 20 bytes  total size 0
`}, `push rsync 10.77.0.11>fs1 agent 720001 done ops in stage
pull rsync fs1>10.77.0.12 Übung 720001 done  in pub
pull rsync fs1>10.77.0.12 dry.bin ? claimed  in pub
push rsync 10.77.0.13>fs1 agent 720001 done ops in stage
`},
	{"tftpd", []string{`Nov 23 16:26:42 ws2 in.tftpd[29206]: WRQ from 10.77.0.13 filename implant x.exe
Nov 23 16:26:43 ws2 in.tftpd[29268]: RRQ from 10.77.0.11 filename none
Nov 23 16:26:43 ws2 in.tftpd[29268]: sending NAK (1, File not found) to 10.77.0.11
`}, `push tftp 10.77.0.13>ws2 implant x.exe ? claimed 
pull tftp ws2>10.77.0.11 none ? failed  x2
`},
	{"pure-ftpd with both logs", []string{`Nov 23 16:25:52 ws1 pure-ftpd: (?@10.77.0.12) [INFO] ops is now logged in
Nov 23 16:25:52 ws1 pure-ftpd: (ops@10.77.0.12) [NOTICE] //home/ops/pure x.exe uploaded  (183296 bytes, 138316.22KB/sec)
`, `10.77.0.12 - ops [23/Nov/2026:16:25:52 -0000] "GET /home/ops/y.exe" 200 100
`}, `push ftp 10.77.0.12>ws1 /home/ops/pure x.exe 183296 done ops
pull ftp fs1>10.77.0.12 /home/ops/y.exe 100 done ops
`},
	{"ProFTPD with both logs", []string{`10.77.0.11 UNKNOWN ops [23/Nov/2026:16:25:46 +0000] "STOR pro-agent" 226 720001
10.77.0.11 UNKNOWN ops [23/Nov/2026:16:25:48 +0000] "STOR j.txt" 550 -
10.77.0.11 UNKNOWN ops [23/Nov/2026:16:25:49 +0000] "RETR k.bin" 426 2000
10.77.0.11 UNKNOWN ops [23/Nov/2026:16:25:50 +0000] "RNFR pro-agent" 350 -
10.77.0.11 UNKNOWN ops [23/Nov/2026:16:25:51 +0000] "RNTO agent" 250 -
10.77.0.11 ops [2026-11-23 16:26:46,057] "STOR y" 226 7 /home/ops/y
`}, `push ftp 10.77.0.11>fs1 agent 720001 done ops was pro-agent x2
push ftp 10.77.0.11>fs1 j.txt ? denied ops
pull ftp fs1>10.77.0.11 k.bin ? interrupted ops
push ftp 10.77.0.11>fs1 /home/ops/y 7 done ops
`},
	{"nginx", []string{`10.77.0.11 - - [23/Nov/2026:16:50:00 +0000] "HEAD /tools/agent.exe HTTP/1.1" 200 0 "-" "curl/8.5.0"
10.77.0.11 - - [23/Nov/2026:16:50:01 +0000] "GET /tools/agent.exe?x=1 HTTP/1.1" 200 81920 "-" "curl/8.5.0"
10.77.0.12 - ops [23/Nov/2026:16:51:01 +0000] "PUT /dav/%C3%9Cbersicht%20Mai.7z HTTP/1.1" 201 197 "-" "Microsoft-WebDAV-MiniRedir/10.0.18362"
10.77.0.12 - - [23/Nov/2026:16:52:01 +0000] "GET /tools/agent.exe HTTP/1.1" 206 1024 "-" "Microsoft BITS/7.8"
10.77.0.12 - - [23/Nov/2026:16:52:02 +0000] "GET /tools/agent.exe HTTP/1.1" 206 1024 "-" "Microsoft BITS/7.8"
10.77.0.12 - - [23/Nov/2026:16:52:03 +0000] "GET /none.exe HTTP/1.1" 404 146 "-" "-"
203.0.113.9 - - [23/Nov/2026:16:52:03 +0000] "GET /tools/agent.exe HTTP/1.1" 200 81920 "-" "-"
10.77.0.12 - - [23/Nov/2026:16:53:03 +0000] "\x16\x03\x01" 400 157 "-" "-"
`}, `pull http fs1>10.77.0.11 /tools/agent.exe 81920 done 
push webdav 10.77.0.12>fs1 /dav/Übersicht Mai.7z ? done ops
pull bits fs1>10.77.0.12 /tools/agent.exe ? done 
`},
	{"Sysmon for Linux", []string{sysmonLine(1, "CommandLine", "curl -o /tmp/a.bin http://10.77.0.20/a.bin", "User", "ops", "Image", "/usr/bin/curl", "ProcessId", "60") +
		sysmonLine(11, "Image", "/usr/bin/curl", "ProcessId", "60", "TargetFilename", "/tmp/a.bin", "User", "ops") +
		sysmonLine(1, "CommandLine", "scp -t /tmp", "Image", "/usr/bin/scp", "ProcessId", "61") +
		sysmonLine(11, "Image", "/usr/bin/scp", "ProcessId", "61", "TargetFilename", "/tmp/b &amp; c", "User", "ops") +
		sysmonLine(23, "Image", "/usr/bin/rm", "ProcessId", "62", "TargetFilename", "/tmp/b &amp; c", "User", "ops")},
		`pull http 10.77.0.20>ws2 /a.bin ? done  x2
push ssh >ws2 /tmp/b & c ? done  deleted x2
`},
	{"Apache, which counts headers, and http.server", []string{`10.77.0.11 - - [23/Nov/2026:16:26:30 +0000] "GET /a.zip HTTP/1.1" 304 180 "-" "curl/7.88.1"
10.77.0.11 - - [23/Nov/2026:16:26:37 +0000] "GET /arch.zip HTTP/1.1" 200 250209 "-" "curl/7.88.1"
`, `10.77.0.11 - - [23/Nov/2026 16:26:38] code 404, message File not found
10.77.0.11 - - [23/Nov/2026 16:26:39] "GET /agent.sh HTTP/1.1" 200 -
`}, `pull http fs1>10.77.0.11 /arch.zip ? done 
pull http fs1>10.77.0.11 /agent.sh ? done 
`},
}

func sysmonLine(id int, data ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `Nov 23 16:26:42 ws2 sysmon: <Event><System><Provider Name="Linux-Sysmon" Guid="{ff032593-a8d3-4f13-b0d6-01fc615a0f97}"/><EventID>%d</EventID></System><EventData><Data Name="RuleName"/>`, id)
	for i := 0; i < len(data); i += 2 {
		fmt.Fprintf(&b, `<Data Name="%s">%s</Data>`, data[i], data[i+1])
	}
	return b.String() + "</EventData></Event>\n"
}

// TestNetworkWrite: a process with an inside connection made a file, and what came is
// started.
func TestNetworkWrite(t *testing.T) {
	r := follow(t, `type=SYSCALL msg=audit(1795451093.100:50): arch=c000003e syscall=42 success=no exit=-115 ppid=1 pid=60 auid=1001 ses=7 comm="python3" exe="/usr/bin/python3.11"
type=SOCKADDR msg=audit(1795451093.100:50): saddr=020000160A4D000B0000000000000000
type=SYSCALL msg=audit(1795451094.100:51): arch=c000003e syscall=257 success=yes exit=3 ppid=1 pid=60 auid=1001 ses=7 comm="python3" exe="/usr/bin/python3.11"
type=CWD msg=audit(1795451094.100:51): cwd="/tmp"
type=PATH msg=audit(1795451094.100:51): item=1 name="agent" nametype=CREATE
type=SYSCALL msg=audit(1795451095.100:52): arch=c000003e syscall=59 success=yes exit=0 ppid=1 pid=61 auid=1001 ses=7 comm="agent" exe="/tmp/agent"
type=EXECVE msg=audit(1795451095.100:52): argc=3 a0="/tmp/agent" a1="--password" a2="hunter2"
`)
	if len(r.Accesses) != 1 || r.Accesses[0].What != "network-write" || r.Accesses[0].Source.Name() != "10.77.0.11" || r.Accesses[0].Source.Port != 22 || r.Accesses[0].Object != "/tmp/agent" {
		t.Errorf("%+v", r.Accesses)
	}
	if len(r.Starts) != 1 || r.Starts[0].Image != `\tmp\agent` || r.Starts[0].Host.Host != "fs1" || strings.Contains(r.Starts[0].Command, "hunter2") || !r.StartsLogged["fs1"] {
		t.Errorf("%+v", r.Starts)
	}
}

// TestReceiver: what a receiver makes came from the client of its audit session, under
// the account that logged in.
func TestReceiver(t *testing.T) {
	r := follow(t, `type=USER_LOGIN msg=audit(1795451090.100:40): pid=50 uid=0 auid=1001 ses=7 msg='op=login acct="ops" exe="/usr/sbin/sshd" hostname=10.77.0.11 addr=10.77.0.11 terminal=ssh res=success'
type=USER_LOGIN msg=audit(1795451090.200:41): pid=51 uid=0 auid=1002 ses=8 msg='op=login acct="anna" exe="/usr/sbin/sshd" hostname=10.77.0.12 addr=10.77.0.12 terminal=ssh res=success'
type=SYSCALL msg=audit(1795451091.100:42): arch=c000003e syscall=59 success=yes exit=0 ppid=1 pid=60 auid=1001 ses=7 comm="rsync" exe="/usr/bin/rsync"
type=EXECVE msg=audit(1795451091.100:42): argc=5 a0="rsync" a1="--server" a2="-logDtpre.iLsfxCIvu" a3="." a4="/tmp/.x/"
type=SYSCALL msg=audit(1795451092.100:43): arch=c000003e syscall=82 success=yes exit=0 ppid=1 pid=60 auid=1001 ses=7 comm="rsync" exe="/usr/bin/rsync"
type=CWD msg=audit(1795451092.100:43): cwd="/tmp/.x"
type=PATH msg=audit(1795451092.100:43): item=2 name=".pivot.Qw3rTy" nametype=DELETE
type=PATH msg=audit(1795451092.100:43): item=3 name="pivot" nametype=CREATE
`)
	const want = "push ssh 10.77.0.11>fs1 /tmp/.x/pivot ? done ops\n"
	if got := brief(r.Transfers); got != want {
		t.Errorf("%s instead of %s", got, want)
	}
}

// TestNFS: copies to and from what a command mounted are movements, until it is
// unmounted; what other programs make is none.
func TestNFS(t *testing.T) {
	var text strings.Builder
	serial := 100
	event := func(pid int, exe string, lines ...string) {
		serial++
		at := fmt.Sprintf("msg=audit(17954510%02d.000:%d):", serial%100, serial)
		fmt.Fprintf(&text, "type=SYSCALL %s arch=c000003e syscall=59 success=yes exit=0 pid=%d auid=1001 ses=7 exe=%q AUID=\"anna\"\ntype=CWD %[1]s cwd=\"/root\"\n", at, pid, exe)
		for _, line := range lines {
			kind, rest, _ := strings.Cut(line, " ")
			fmt.Fprintf(&text, "type=%s %s %s\n", kind, at, rest)
		}
	}
	event(1, "/usr/bin/mount", `EXECVE argc=5 a0="mount" a1="-t" a2="nfs" a3="10.77.0.9:/export" a4="/mnt"`)
	event(2, "/usr/bin/cp", `EXECVE argc=3 a0="cp" a1="tool" a2="/mnt/x/"`)
	event(2, "/usr/bin/cp", `PATH item=1 name="/mnt/x/tool" nametype=CREATE`)
	event(3, "/usr/bin/cp", `EXECVE argc=3 a0="cp" a1="/mnt/plan.doc" a2="."`)
	event(3, "/usr/bin/cp", `PATH item=1 name="./plan.doc" nametype=CREATE`)
	event(4, "/usr/bin/cp", `EXECVE argc=3 a0="cp" a1="/mnt/a" a2="/mnt/b"`)
	event(4, "/usr/bin/cp", `PATH item=1 name="/mnt/b" nametype=CREATE`)
	event(5, "/usr/bin/vim", `EXECVE argc=2 a0="vim" a1="/mnt/c"`)
	event(5, "/usr/bin/vim", `PATH item=1 name="/mnt/c" nametype=CREATE`)
	event(6, "/usr/bin/umount", `EXECVE argc=2 a0="umount" a1="/mnt"`)
	event(7, "/usr/bin/cp", `EXECVE argc=3 a0="cp" a1="tool" a2="/mnt/late"`)
	event(7, "/usr/bin/cp", `PATH item=1 name="/mnt/late" nametype=CREATE`)
	r := follow(t, text.String())
	const want = "push nfs fs1>10.77.0.9 x/tool ? done  in /export\npull nfs 10.77.0.9>fs1 plan.doc ? done  in /export\n"
	if got := brief(r.Transfers); got != want {
		t.Errorf("%s instead of %s", got, want)
	}
	for _, x := range r.Transfers {
		if x.InitiatorUser != "anna" || x.Confidence != "medium" {
			t.Errorf("by %s, %s", x.InitiatorUser, x.Confidence)
		}
	}
}

// TestConnection: an SFTP session is that of the login which asked for it, so that a
// capture of the connection shows the same.
func TestConnection(t *testing.T) {
	r := follow(t, `Nov 28 01:41:56 fs1 sshd[17]: Connection from 10.77.0.1 port 41402 on 10.77.0.2 port 22 rdomain ""
Nov 28 01:41:56 fs1 sshd[17]: Accepted publickey for root from 10.77.0.1 port 41402 ssh2: ED25519 SHA256:x
Nov 28 01:41:57 fs1 sshd[18]: Connection from 10.77.0.1 port 41403 on 10.77.0.2 port 22 rdomain ""
Nov 28 01:41:57 fs1 sshd[18]: Accepted publickey for root from 10.77.0.1 port 41403 ssh2: ED25519 SHA256:x
Nov 28 01:41:57 fs1 sshd[18]: Starting session: subsystem 'sftp' for root from 10.77.0.1 port 41403 id 0
Nov 28 01:41:57 fs1 sftp-server[23]: session opened for local user root from [10.77.0.1]
Nov 28 01:41:58 fs1 sftp-server[23]: close "/srv/x" bytes read 0 written 100
Nov 28 01:41:59 fs1 sftp-server[24]: session opened for local user root from [10.77.0.1]
Nov 28 01:41:59 fs1 sftp-server[24]: close "/srv/y" bytes read 0 written 100
`)
	want := []string{"10.77.0.1 41403 10.77.0.2 22", "10.77.0.1 41402 10.77.0.2 22"}
	for i, x := range r.Transfers {
		if got := fmt.Sprint(x.Source.IP, x.Source.Port, x.Destination.IP, x.Destination.Port); got != want[i] {
			t.Errorf("%s instead of %s", got, want[i])
		}
	}
	if len(r.Transfers) != 2 || len(r.Bindings) != 1 || r.Bindings[0].Host != "fs1" {
		t.Errorf("%+v", r.Bindings)
	}
}
