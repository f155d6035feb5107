// Package sambalog reads smbd's own log files (smb.conf(5), "log file"), into which
// vfs_full_audit writes with "full_audit:syslog = false": a line that dates a message
// and names its source, and the message behind it. In comes a file; out come the
// audit's messages, as the system log would have them. Other messages are passed over.
// It judges nothing and keeps no line.
package sambalog

import (
	"io"
	"strconv"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/linelog"
	"waybill/internal/telemetry/logtext"
)

// Format is "[YYYY/MM/DD hh:mm:ss.uuuuuu,  LEVEL] SOURCE:LINE(FUNCTION)" and messages.
var Format = telemetry.Format{Kind: "samba", Family: "unixhost", Looks: looks, Open: open}

func looks(head []byte) bool {
	l := &log{}
	return linelog.Looks(head, func(line string) bool {
		var r telemetry.Record
		return l.read(line, &r) != linelog.Broken
	})
}

func open(r io.Reader, o telemetry.OpenOptions) telemetry.Log {
	return linelog.Open(logtext.NewReader(r), "a log of smbd", (&log{o: o}).read)
}

// log is what the last line that dates a message said.
type log struct {
	o       telemetry.OpenOptions
	begun   bool
	audited bool // the next line is a message of the audit
	time    model.Time
	pid     string
}

func (l *log) read(line string, r *telemetry.Record) linelog.Taken {
	if l.heading(line) {
		return linelog.Nothing
	}
	if !l.begun {
		return linelog.Broken
	}
	if !l.audited {
		return linelog.Nothing
	}
	l.audited = false
	r.Time, r.Assumed, r.Stream = l.time, l.o.Zone == nil, "smbd_audit"
	r.Set("pid", l.pid)
	r.Set("message", line)
	return linelog.Record
}

// heading reads a line that dates a message (Samba's lib/util/debug.c): the fraction
// is there with "debug hires timestamp", the pid with "debug pid" or "debug class".
func (l *log) heading(line string) bool {
	if len(line) < 22 || line[0] != '[' || line[5] != '/' || line[8] != '/' || line[11] != ' ' {
		return false
	}
	data, source, ok := strings.Cut(line[20:], "] ")
	year, err := strconv.Atoi(line[1:5])
	t, ok2 := linelog.Date(year, linelog.MonthNumber(line[6:8]), linelog.Two(line[9:11]), linelog.Clock(line[12:20]), l.o.Zone)
	if !ok || !ok2 || err != nil || !strings.HasSuffix(source, ")") {
		return false
	}
	fraction, data, _ := strings.Cut(data, ",")
	if micros, err := strconv.ParseUint(strings.TrimPrefix(fraction, "."), 10, 32); err == nil && len(fraction) == 7 {
		t += model.Time(micros) * 1000
	}
	_, pid, _ := strings.Cut(data, "pid=")
	pid, _, _ = strings.Cut(pid, ",")
	l.begun, l.time, l.pid = true, t, pid
	l.audited = strings.Contains(source, "vfs_full_audit.c:") && strings.HasSuffix(source, "(do_log)")
	return true
}
