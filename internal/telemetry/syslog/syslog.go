// Package syslog reads system logs of Unix hosts: lines as RFC 3164 has them, with
// dates as rsyslog writes them since Debian 12, RFC 5424, and journald's JSON. In
// comes a file; out come records with the host, the program (as their stream) and
// its pid and message. Programs that nobody follows are counted only. A line of RFC
// 3164 has no year: it is taken from dates that the file itself spells out, else
// from what else was given, and is then said to be assumed. It judges nothing.
package syslog

import (
	"io"
	"strings"
	"time"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/auditd"
	"waybill/internal/telemetry/linelog"
	"waybill/internal/telemetry/logtext"
)

// Format are lines, each of which tells its own form.
var Format = telemetry.Format{Kind: "syslog", Family: "unixhost", Looks: looks, Open: open}

// programs whose messages are followed, by tag. Others are counted as "syslog".
var programs = map[string]string{"sshd": "sshd", "sshd-session": "sshd", "sftp-server": "sftp-server", "internal-sftp": "sftp-server",
	"smbd_audit": "smbd_audit", "vsftpd": "vsftpd", "pure-ftpd": "pure-ftpd", "rsyncd": "rsyncd", "in.tftpd": "in.tftpd", "tftpd": "in.tftpd", "sudo": "sudo", "sysmon": "sysmon", "auoms": "auoms", "shell": "esxi/shell",
	"dhcpd": "dhcp/isc", "dnsmasq-dhcp": "dhcp/dnsmasq", "kea-dhcp4": "dhcp/kea"}

func looks(head []byte) bool {
	l := &log{year: 2000}
	return linelog.Looks(head, func(line string) bool {
		var r telemetry.Record
		return l.read(line, &r) == linelog.Record && !levels[r.Host] && (line[0] == '<' || tagged(line))
	})
}

// levels stand where a host does in the logs of applications that date their lines
// alike.
var levels = map[string]bool{"TRACE": true, "DEBUG": true, "INFO": true, "INFORMATION": true, "NOTICE": true, "WARN": true, "WARNING": true, "ERROR": true, "FATAL": true, "CRITICAL": true}

// tagged says whether a line has a program's tag behind its host, as nearly all have.
func tagged(line string) bool {
	at := 16
	if line[0] == '2' {
		at = strings.IndexByte(line, ' ') + 1
	}
	_, rest, _ := strings.Cut(line[min(at, len(line)):], " ")
	end := strings.IndexAny(rest, "[: ")
	return end > 0 && rest[end] != ' '
}

func open(r io.Reader, o telemetry.OpenOptions) telemetry.Log {
	text := logtext.NewReader(r)
	l := &log{zone: o.Zone}
	head, _ := text.Peek(logtext.HeadSize)
	l.begin(head, o)
	return linelog.OpenMessages(text, "a system log", l.read)
}

// log is what is known of one file.
type log struct {
	zone    *time.Location
	year    int        // of the last line without one
	guessed bool       // the year is no word of the file
	last    model.Time // of the last line without a year
}

// read takes a line of any form.
func (l *log) read(line string, r *telemetry.Record) linelog.Taken {
	if line[0] == '<' {
		end := strings.IndexByte(line, '>')
		if end < 2 || end > 4 || end+2 >= len(line) {
			return linelog.Broken
		}
		line = line[end+1:]
		if strings.HasPrefix(line, "1 ") {
			return structured(line[2:], r)
		}
	}
	if len(line) > 20 && line[0] == '2' && line[10] == 'T' {
		return dated(line, r)
	}
	return l.traditional(line, r)
}

// structured reads the rest of a line of RFC 5424 (section 6).
func structured(line string, r *telemetry.Record) linelog.Taken {
	var f [5]string // TIMESTAMP HOSTNAME APP-NAME PROCID MSGID
	ok := true
	for i := range f {
		if f[i], line, ok = strings.Cut(line, " "); !ok {
			return linelog.Broken
		}
		if f[i] == "-" {
			f[i] = ""
		}
	}
	t, err := time.Parse(time.RFC3339Nano, f[0])
	if err != nil {
		return linelog.Broken
	}
	r.Time, r.Host = model.Time(t.UnixNano()), f[1]
	message, ok := behindData(line)
	if !ok {
		return linelog.Broken
	}
	said(r, f[2], f[3], message)
	return linelog.Record
}

// behindData is the message behind the structured data (RFC 5424 6.3).
func behindData(s string) (string, bool) {
	if s == "-" {
		return "", true
	}
	if rest, ok := strings.CutPrefix(s, "- "); ok {
		return strings.TrimPrefix(rest, "\ufeff"), true
	}
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case !quoted && s[i] == ']' && (i+1 == len(s) || s[i+1] == ' '):
			return strings.TrimPrefix(strings.TrimPrefix(s[i+1:], " "), "\ufeff"), s[0] == '['
		}
	}
	return "", false
}

// dated reads a line that begins with a date of RFC 3339 (rsyslog's RSYSLOG_FileFormat).
func dated(line string, r *telemetry.Record) linelog.Taken {
	date, rest, _ := strings.Cut(line, " ")
	t, err := time.Parse(time.RFC3339Nano, date)
	if err != nil {
		return linelog.Broken
	}
	r.Time = model.Time(t.UnixNano())
	return hosted(rest, r)
}

// traditional reads a line of RFC 3164 (section 4.1.2).
func (l *log) traditional(line string, r *telemetry.Record) linelog.Taken {
	month, day, clock, ok := short(line)
	if !ok {
		return linelog.Broken
	}
	r.Time = l.at(month, day, clock)
	r.Assumed = l.guessed || l.zone == nil
	return hosted(line[16:], r)
}

// short reads "Nov 23 16:24:50 ".
func short(line string) (m time.Month, day, clock int, ok bool) {
	if len(line) < 18 || line[3] != ' ' || line[6] != ' ' || line[15] != ' ' {
		return 0, 0, 0, false
	}
	m, day, clock = linelog.Month(line[:3]), linelog.Two(line[4:6]), linelog.Clock(line[7:15])
	return m, day, clock, m != 0 && day > 0 && day < 32 && clock >= 0
}

// hosted reads "HOST TAG[PID]: MESSAGE".
func hosted(s string, r *telemetry.Record) linelog.Taken {
	host, rest, ok := strings.Cut(s, " ")
	if !ok || host == "" || strings.HasSuffix(host, ":") {
		return linelog.Broken
	}
	r.Host = host
	end := strings.IndexAny(rest, "[: ")
	if end < 0 || rest[end] == ' ' {
		said(r, "", "", rest)
		return linelog.Record
	}
	tag, pid := rest[:end], ""
	if rest[end] == '[' {
		closing := strings.IndexByte(rest[end:], ']')
		if closing < 0 {
			return linelog.Broken
		}
		pid = rest[end+1 : end+closing]
		end += closing + 1
	}
	said(r, tag, pid, strings.TrimPrefix(strings.TrimPrefix(rest[end:], ":"), " "))
	return linelog.Record
}

// said names a record by its program.
func said(r *telemetry.Record, tag, pid, message string) {
	r.Stream = programs[tag[strings.LastIndexByte(tag, '/')+1:]]
	if r.Stream == "" {
		r.Stream = "syslog"
		return
	}
	switch r.Stream {
	case "sysmon":
		sysmon(r, message)
		return
	case "auoms":
		r.Unverified = "auoms"
		auditd.AUOMSMessage(r, message)
		return
	}
	r.Set("pid", pid)
	r.Set("message", message)
}
