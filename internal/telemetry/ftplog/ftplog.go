// Package ftplog reads the logs that FTP servers keep for themselves: the transfer
// log that wu-ftpd began (xferlog(5); vsftpd, ProFTPD) and vsftpd's own, which may
// stand in one file. In comes a file; out come its records: of a transfer log the
// fields under the names of xferlog(5), of vsftpd's the pid and the message. It
// judges nothing and keeps no line.
package ftplog

import (
	"io"
	"strconv"
	"strings"
	"time"

	"waybill/internal/telemetry"
	"waybill/internal/telemetry/linelog"
	"waybill/internal/telemetry/logtext"
)

// Format is both forms: each line tells itself.
var Format = telemetry.Format{Kind: "ftp-log", Family: "unixhost", Looks: looks, Open: open}

// Streams of the records.
const (
	Transfers = "xferlog"
	Vsftpd    = "vsftpd"
)

func looks(head []byte) bool {
	return linelog.Looks(head, func(line string) bool {
		var r telemetry.Record
		return read(line, &r, nil) == linelog.Record
	})
}

func open(r io.Reader, o telemetry.OpenOptions) telemetry.Log {
	return linelog.Open(logtext.NewReader(r), "an FTP server's log", func(line string, r *telemetry.Record) linelog.Taken { return read(line, r, o.Zone) })
}

func read(line string, r *telemetry.Record, zone *time.Location) linelog.Taken {
	t, rest, ok := linelog.CTime(line, zone)
	if !ok {
		return linelog.Broken
	}
	r.Time, r.Assumed = t, zone == nil
	if strings.HasPrefix(rest, "[pid ") {
		return vsftpd(rest, r)
	}
	return transfer(rest, r)
}

// vsftpd reads "[pid N] [USER] OK VERB: Client ..." (vsftpd's logging.c).
func vsftpd(rest string, r *telemetry.Record) linelog.Taken {
	pid, message, ok := linelog.Between(rest, "[pid ", "] ")
	if _, err := strconv.ParseUint(pid, 10, 32); !ok || err != nil || message == "" {
		return linelog.Broken
	}
	r.Stream = Vsftpd
	r.Set("pid", pid)
	r.Set("message", message)
	return linelog.Record
}

// behind are the fields behind the name, counted from the end: names may hold blanks
// where a server does not turn them into lines.
var behind = [...]string{"transfer-type", "special-action-flag", "direction", "access-mode", "username", "service-name", "authentication-method", "authenticated-user-id", "completion-status"}

// transfer reads a line of a transfer log (xferlog(5)).
func transfer(rest string, r *telemetry.Record) linelog.Taken {
	seconds, rest, _ := strings.Cut(rest, " ")
	host, rest, _ := strings.Cut(rest, " ")
	size, rest, ok := strings.Cut(rest, " ")
	if !ok || !number(seconds) || !number(size) || host == "" {
		return linelog.Broken
	}
	r.Stream = Transfers
	r.Set("transfer-time", seconds)
	r.Set("remote-host", host)
	r.Set("file-size", size)
	for i := len(behind) - 1; i >= 0; i-- {
		at := strings.LastIndexByte(rest, ' ')
		if at <= 0 {
			return linelog.Broken
		}
		r.Set(behind[i], rest[at+1:])
		rest = rest[:at]
	}
	r.Set("filename", rest)
	direction, status := r.Get("direction"), r.Get("completion-status")
	if len(direction) != 1 || !strings.Contains("iod", direction) || status != "c" && status != "i" {
		return linelog.Broken
	}
	return linelog.Record
}

func number(s string) bool {
	_, err := strconv.ParseInt(s, 10, 64)
	return err == nil
}
