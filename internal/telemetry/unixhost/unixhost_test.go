package unixhost_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/ftplog"
	"waybill/internal/telemetry/syslog"
	"waybill/internal/telemetry/unixhost"
)

var formats = []telemetry.Format{syslog.Format, ftplog.Format}

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
		b.WriteString("\n")
	}
	return b.String()
}

// TestMovements gives lines as servers write them.
func TestMovements(t *testing.T) {
	for _, c := range []struct {
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
	} {
		if got := brief(follow(t, c.logs...).Transfers); got != c.want {
			t.Errorf("%s:\n%s instead of\n%s", c.name, got, c.want)
		}
	}
}
