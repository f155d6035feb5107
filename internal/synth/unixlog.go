package synth

import (
	"fmt"
	"strings"
	"time"

	"waybill/internal/model"
)

// UnixLogs are what the servers of a scene log of its movements, on one host: text by
// the name of the log.
type UnixLogs struct {
	Host        string
	Text        map[string]string
	pid, serial int
	System      string // "" is linux
}

func (l *UnixLogs) line(log, format string, args ...any) {
	if l.Text == nil {
		l.Text = map[string]string{}
	}
	l.Text[log] += fmt.Sprintf(format+"\n", args...)
}

// syslog writes a line of rsyslog's traditional form.
func (l *UnixLogs) syslog(log string, at time.Time, tag, format string, args ...any) {
	l.line(log, "%s %s %s: %s", at.Format(time.Stamp), l.Host, tag, fmt.Sprintf(format, args...))
}

// Add writes what the server of a movement logs of it when it ends.
func (l *UnixLogs) Add(m Moved, end model.Time) {
	at := clock(end)
	push := m.Operation == model.Push
	client := choose(push, m.Source, m.Destination).String()
	l.pid++
	switch m.Channel {
	case "ftp":
		l.line("vsftpd.log", `%s [pid %d] [%s] OK %s: Client "%s", "%s", %d bytes, 2048.00Kbyte/sec`, at.Format(time.ANSIC), 2000+l.pid, m.User, choose(push, "UPLOAD", "DOWNLOAD"), client, m.Path, m.Size)
		l.line("xferlog", `%s 1 %s %d %s b _ %s r %s ftp 0 * c`, at.Format(time.ANSIC), client, m.Size, strings.ReplaceAll(m.Path, " ", "_"), choose(push, "i", "o"), m.User)
	case "smb1", "smb2":
		head := fmt.Sprintf("%s|%s|ws|%s|", m.User, client, m.Share)
		l.syslog("syslog", at, "smbd_audit", head+"openat|ok|%s|/srv/%s/%s", choose(push, "w", "r"), m.Share, m.Path)
		l.syslog("syslog", at, "smbd_audit", head+"%s|ok|/srv/%s/%s", choose(push, "pwrite_send", "pread_send"), m.Share, m.Path)
		l.syslog("syslog", at, "smbd_audit", head+"close|ok|/srv/%s/%s", m.Share, m.Path)
	case "ssh":
		tag, path := fmt.Sprintf("sftp-server[%d]", 4000+l.pid), m.Path
		l.syslog("auth.log", at, tag, "session opened for local user %s from [%s]", m.User, client)
		l.syslog("auth.log", at, tag, `open "%s" flags %s mode 0666`, path, choose(push, "WRITE,CREATE,TRUNCATE", "READ"))
		l.syslog("auth.log", at, tag, `close "%s" bytes read %d written %d`, path, choose(push, 0, m.Size), choose(push, m.Size, 0))
		l.syslog("auth.log", at, tag, "session closed for local user %s from [%s]", m.User, client)
	case "tftp":
		l.syslog("daemon.log", at, fmt.Sprintf("in.tftpd[%d]", 5000+l.pid), "%s from %s filename %s", choose(push, "WRQ", "RRQ"), client, m.Path)
	case "http":
		l.line("access.log", `%s - - [%s] "%s %s HTTP/1.1" 200 %d "-" "curl/8.5.0"`, client, at.Format("02/Jan/2006:15:04:05 -0700"), choose(push, "PUT", "GET"), m.Path, choose(push, 0, m.Size))
	}
}

func clock(t model.Time) time.Time { return time.Unix(0, int64(t)).UTC() }

func choose[T any](which bool, yes, no T) T {
	if which {
		return yes
	}
	return no
}
