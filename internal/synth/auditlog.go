package synth

import (
	"encoding/hex"
	"fmt"
	"strings"

	"waybill/internal/model"
)

// Process is a process that the Linux audit system logs.
type Process struct {
	PID     int
	Exe     string
	User    string // who logged in for it
	Session int
}

// audit writes an event, its lines under one serial number: raw, as auditd writes it,
// with the names that log_format = ENRICHED adds.
func (l *UnixLogs) audit(at model.Time, lines ...string) {
	l.serial++
	for _, line := range append(lines, "type=EOE") {
		kind, rest, _ := strings.Cut(strings.TrimPrefix(line, "type="), " ")
		l.line("audit.log", "node=%s type=%s msg=audit(%d.%03d:%d): %s", l.Host, kind, at/1e9, at%1e9/1e6, 7000+l.serial, rest)
	}
}

// call is the line of a system call (x86-64).
func (p Process) call(number, exit int) string {
	answer := "yes"
	if exit < 0 {
		answer = "no"
	}
	return fmt.Sprintf(`SYSCALL arch=c000003e syscall=%d success=%s exit=%d ppid=1 pid=%d auid=1001 uid=1001 tty=(none) ses=%d comm="%s" exe="%s" key=(null)`+"\x1d"+`ARCH=x86_64 AUID="%s" UID="%s"`,
		number, answer, exit, p.PID, p.Session, lastElement(p.Exe), p.Exe, p.User, p.User)
}

// Executes logs the start of the program with its arguments (execve).
func (l *UnixLogs) Executes(at model.Time, p Process, args ...string) {
	line := fmt.Sprintf("EXECVE argc=%d", len(args))
	for i, a := range args {
		line += fmt.Sprintf(" a%d=%q", i, a)
	}
	l.audit(at, p.call(59, 0), line, `CWD cwd="/"`, `PATH item=0 name="`+p.Exe+`" nametype=NORMAL`)
}

// Connects logs that the process called an address; it does not wait for the answer.
func (l *UnixLogs) Connects(at model.Time, p Process, to *Host, port int) {
	l.audit(at, p.call(42, -115), fmt.Sprintf("SOCKADDR saddr=0200%04X%s0000000000000000", port, strings.ToUpper(hex.EncodeToString(to.Addr.AsSlice()))))
}

// Creates logs that the process made a file (openat).
func (l *UnixLogs) Creates(at model.Time, p Process, path string) {
	folder := path[:strings.LastIndexByte(path, '/')+1]
	l.audit(at, p.call(257, 3), `CWD cwd="/"`, `PATH item=0 name="`+folder+`" nametype=PARENT`, `PATH item=1 name="`+path+`" nametype=CREATE`)
}

// Renames logs that the process gave a file another name.
func (l *UnixLogs) Renames(at model.Time, p Process, from, to string) {
	l.audit(at, p.call(82, 0), `CWD cwd="/"`, `PATH item=2 name="`+from+`" nametype=DELETE`, `PATH item=3 name="`+to+`" nametype=CREATE`)
}

// SSHLogin logs that an account logged in from another host, as sshd at VERBOSE and
// the audit system say it.
func (l *UnixLogs) SSHLogin(at model.Time, client, server *Host, user string, session int) {
	l.pid++
	port, tag := 40000+l.pid, fmt.Sprintf("sshd[%d]", 900+l.pid)
	l.syslog("auth.log", clock(at), tag, `Connection from %s port %d on %s port 22 rdomain ""`, client.Addr, port, server.Addr)
	l.syslog("auth.log", clock(at+200e6), tag, "Accepted publickey for %s from %s port %d ssh2: ED25519 SHA256:%s", user, client.Addr, port, hashOf([]byte(user))[:43])
	l.audit(at+210e6, fmt.Sprintf(`USER_LOGIN pid=%d uid=0 auid=1001 ses=%d msg='op=login acct="%s" exe="/usr/sbin/sshd" hostname=%[4]s addr=%[4]s terminal=ssh res=success'`, 900+l.pid, session, user, client.Addr))
}

// Stored logs a file that sftp-server at INFO took from a client.
func (l *UnixLogs) Stored(at model.Time, client *Host, user, path string, size int64) {
	l.Add(Moved{Channel: "ssh", Operation: model.Push, Source: client.Model(), User: user, Path: path, Size: size}, at)
}

// Log writes a line of a log of its own name.
func (l *UnixLogs) Log(name, format string, args ...any) { l.line(name, format, args...) }
