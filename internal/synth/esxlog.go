package synth

import (
	"fmt"

	"waybill/internal/model"
)

// What ESXi 8.0 logs.

const esxStamp = "2006-01-02T15:04:05.000Z"

// ESX gives the logs of a hypervisor.
func ESX(h *Host) *UnixLogs { return &UnixLogs{Host: h.FQDN(), System: "esxi"} }

func (l *UnixLogs) esxLine(log string, at model.Time, program, format string, args ...any) {
	l.pid++
	l.line(log, "%s %s[%d]: %s", stamp(at, esxStamp), program, 2_100_000+l.pid, fmt.Sprintf(format, args...))
}

// ESXLogin is a login over SSH; sshd is at VERBOSE.
func (l *UnixLogs) ESXLogin(at model.Time, client, server *Host, user string) {
	port := 41000 + l.pid
	l.esxLine("auth.log", at, "In(38) sshd", "Connection from %s port %d on %s port 22", client.Addr, port, server.Addr)
	l.esxLine("auth.log", at+100e6, "In(38) sshd", "Accepted keyboard-interactive/pam for %s from %s port %d ssh2", user, client.Addr, port)
}

// ESXStored is a file that the SFTP server took.
func (l *UnixLogs) ESXStored(at model.Time, client *Host, user, path string, size int) {
	for _, m := range []string{fmt.Sprintf("session opened for local user %s from [%s]", user, client.Addr), fmt.Sprintf("open %q flags WRITE,CREATE,TRUNCATE mode 0644", path),
		fmt.Sprintf("close %q bytes read 0 written %d", path, size), fmt.Sprintf("session closed for local user %s from [%s]", user, client.Addr)} {
		l.line("syslog.log", "%s In(30) sftp-server[%d]: %s", stamp(at, esxStamp), 2_200_000+l.pid, m)
	}
}

// ESXShell is a command that somebody gave in a shell of the hypervisor.
func (l *UnixLogs) ESXShell(at model.Time, user, command string) {
	l.esxLine("shell.log", at, "In(14) shell", "[%s]: %s", user, command)
}

// Hostd is what a part of the management agent says.
func (l *UnixLogs) Hostd(at model.Time, sub, format string, args ...any) {
	l.esxLine("hostd.log", at, "In(166) Hostd", "[Originator@6876 sub=%s] %s", sub, fmt.Sprintf(format, args...))
}

// HostdEvent is an event that the management agent notes.
func (l *UnixLogs) HostdEvent(at model.Time, format string, args ...any) {
	l.serial++
	l.Hostd(at, "Vimsvc.ha-eventmgr", "Event %d : %s", 200+l.serial, fmt.Sprintf(format, args...))
}
