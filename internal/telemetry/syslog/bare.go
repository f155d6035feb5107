package syslog

import (
	"cmp"
	"io"
	"strconv"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/linelog"
	"waybill/internal/telemetry/logtext"
)

// Bare is the file of sshd -E: messages alone, without time and process (OpenSSH's
// log.c). All get the time of the other inputs, or when the file was last written,
// which is said to be assumed.
var Bare = telemetry.Format{Kind: "sshd-log", Family: "unixhost", Looks: bareLooks, Open: openBare}

// bareStarts begin messages of sshd and internal-sftp; those that no other program
// writes are enough to tell the file.
var (
	bareSure   = []string{"Server listening on ", "Accepted ", "Starting session: ", "session opened for local user ", "session closed for local user ", "Connection from "}
	bareStarts = append([]string{"open \"", "close \"", "forced close \"", "opendir \"", "closedir \"", "remove name ", "rename old ", "posix-rename old ", "sent status ", "stat name ", "lstat name ", "mkdir name ", "set \"", "received client version ",
		"Failed ", "Received ", "Received disconnect ", "Disconnected from ", "Connection closed by ", "Close session: ", "User child is on pid ", "Postponed ", "Invalid user ", "debug1: ", "debug2: ", "debug3: ", "Transferred: ", "Received signal ", "pam_unix("}, bareSure...)
)

func begins(line string, starts []string) bool {
	for _, s := range starts {
		if strings.HasPrefix(line, s) {
			return true
		}
	}
	return false
}

func bareLooks(head []byte) bool {
	sure := false
	return linelog.Looks(head, func(line string) bool {
		sure = sure || begins(line, bareSure) && (strings.Contains(line, " port ") || strings.HasSuffix(line, "]"))
		return begins(line, bareStarts)
	}) && sure
}

func openBare(r io.Reader, o telemetry.OpenOptions) telemetry.Log {
	l := bare{at: cmp.Or(o.Near, o.Written)}
	return linelog.Open(logtext.NewReader(r), "a log of sshd", l.read)
}

// bare is what is known of the sessions: while several are open, no line tells which one
// it is of.
type bare struct {
	at       model.Time // of all lines
	sessions int        // begun
	open     int
}

func (l *bare) read(line string, r *telemetry.Record) linelog.Taken {
	if l.at == 0 || !begins(line, bareStarts) { // sshd passes on what others say
		return linelog.Nothing
	}
	line = strings.TrimSuffix(strings.TrimSuffix(line, " [preauth]"), " [postauth]")
	opened, closed := strings.HasPrefix(line, "session opened "), strings.HasPrefix(line, "session closed ")
	if opened {
		l.sessions++
		l.open++
	}
	pid := ""
	if l.open == 1 {
		pid = strconv.Itoa(l.sessions)
	}
	if closed {
		l.open = max(l.open-1, 0)
	}
	if (opened || closed) && pid == "" {
		return linelog.Nothing
	}
	r.Time, r.Assumed, r.Stream = l.at, true, "sshd"
	if strings.HasPrefix(line, "open ") || strings.HasPrefix(line, "close ") || opened || closed {
		r.Stream = "sftp-server"
	}
	r.Set("pid", pid)
	r.Set("message", line)
	return linelog.Record
}
