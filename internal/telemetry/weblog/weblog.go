// Package weblog reads access logs in the common form and in those made of it: web
// servers' (nginx, Apache; combined or not), Python's http.server, ProFTPD's
// ExtendedLog and pure-ftpd's CLF. In comes a file; out come its requests: client,
// user, method, target, protocol, status, bytes and agent, with escapes undone. It
// judges nothing and keeps no line.
package weblog

import (
	"io"
	"strconv"
	"strings"
	"time"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/linelog"
	"waybill/internal/telemetry/logtext"
)

// Format is any of the forms: each line tells its own.
var Format = telemetry.Format{Kind: "access-log", Family: "unixhost", Looks: looks, Open: open}

// Streams of the records.
const (
	Web     = "weblog"
	ProFTPD = "proftpd"
	PureFTP = "pure-ftpd-clf"
)

func looks(head []byte) bool {
	return linelog.Looks(head, func(line string) bool {
		var r telemetry.Record
		return read(line, &r, nil) == linelog.Record
	})
}

func open(r io.Reader, o telemetry.OpenOptions) telemetry.Log {
	return linelog.Open(logtext.NewReader(r), "an access log", func(line string, r *telemetry.Record) linelog.Taken { return read(line, r, o.Zone) })
}

// read takes CLIENT IDENT USER [TIME] "REQUEST" STATUS BYTES and what follows.
func read(line string, r *telemetry.Record, zone *time.Location) linelog.Taken {
	head, rest, ok := strings.Cut(line, " [")
	when, rest, ok2 := strings.Cut(rest, `] "`)
	if !ok || !ok2 {
		return pythonError(line)
	}
	var known bool
	if r.Time, known, ok = stamp(when, zone); !ok {
		return linelog.Broken
	}
	r.Assumed = !known && zone == nil
	request, rest, ok := quoted(rest)
	w := strings.Fields(rest)
	if !ok || len(w) < 1 {
		return linelog.Broken
	}
	status, err := strconv.Atoi(w[0])
	if err != nil || status < 100 || status > 999 {
		return linelog.Broken
	}
	if !client(head, r) {
		return linelog.Broken
	}
	r.Set("status", w[0])
	if len(w) > 1 {
		r.Set("bytes", w[1])
	}
	requested(unescape(request), r)
	if r.Stream == Web {
		agent(rest, r)
	} else if len(w) == 3 { // the folder of the server, where the form has %f
		r.Set("file", w[2])
	}
	return linelog.Record
}

// pythonError is the line that http.server writes before an error's own.
func pythonError(line string) linelog.Taken {
	if strings.Contains(line, "] code ") && strings.Contains(line, ", message ") {
		return linelog.Nothing
	}
	return linelog.Broken
}

// client reads the fields before the time: with ident and user, or user alone.
func client(head string, r *telemetry.Record) bool {
	w := strings.Fields(head)
	if len(w) < 2 {
		return false
	}
	r.Set("client", w[0])
	if user := w[len(w)-1]; user != "-" {
		r.Set("user", unescape(user))
	}
	return true
}

// stamp reads 03/Mar/2025:10:50:01 +0000, with a blank before the time and without a
// zone as http.server has it, and what ProFTPD calls iso8601.
func stamp(s string, zone *time.Location) (t model.Time, zoned, ok bool) {
	if len(s) >= 19 && s[4] == '-' {
		year, err := strconv.Atoi(s[:4])
		t, ok = linelog.Date(year, linelog.MonthNumber(s[5:7]), linelog.Two(s[8:10]), linelog.Clock(s[11:19]), zone)
		return t, false, ok && err == nil
	}
	if len(s) < 20 || s[2] != '/' || s[6] != '/' {
		return 0, false, false
	}
	year, err := strconv.Atoi(s[7:11])
	if err != nil {
		return 0, false, false
	}
	if len(s) < 26 {
		t, ok = linelog.Date(year, linelog.Month(s[3:6]), linelog.Two(s[:2]), linelog.Clock(s[12:20]), zone)
		return t, false, ok
	}
	t, ok = linelog.Date(year, linelog.Month(s[3:6]), linelog.Two(s[:2]), linelog.Clock(s[12:20]), nil)
	hours, minutes := linelog.Two(s[22:24]), linelog.Two(s[24:26])
	if !ok || hours < 0 || minutes < 0 {
		return 0, false, false
	}
	offset := model.Time(hours*3600+minutes*60) * 1e9
	if s[21] == '-' {
		offset = -offset
	}
	return t - offset, true, true
}

// quoted reads up to the closing quote; a backslash takes the next character along.
func quoted(s string) (inner, rest string, ok bool) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return s[:i], s[i+1:], true
		}
	}
	return "", "", false
}

// unescape undoes what the servers escape.
func unescape(s string) string { return strings.ToValidUTF8(logtext.Unescape(s), "\ufffd") }

// requested tells a web server's request by its protocol, pure-ftpd's by its method
// without one, and else ProFTPD's, which is a command of FTP.
func requested(request string, r *telemetry.Record) {
	method, target, _ := strings.Cut(request, " ")
	r.Set("method", method)
	at := strings.LastIndex(target, " HTTP/")
	switch {
	case at >= 0:
		r.Stream = Web
		r.Set("target", target[:at])
	case method == "GET" || method == "PUT":
		r.Stream = PureFTP
		r.Set("target", target)
	case len(method) >= 3 && len(method) <= 4 && strings.ToUpper(method) == method && method[0] >= 'A' && method[0] <= 'Z':
		r.Stream = ProFTPD
		r.Set("target", target)
	default: // what is no request: TLS to a plain port
		r.Stream = Web
	}
}

// agent reads the last quoted field of the combined form.
func agent(rest string, r *telemetry.Record) {
	_, rest, ok := strings.Cut(rest, `"`)
	if !ok {
		return
	}
	_, rest, ok = quoted(rest)
	if !ok {
		return
	}
	_, rest, ok = strings.Cut(rest, `"`)
	if !ok {
		return
	}
	if a, _, ok := quoted(rest); ok && a != "-" {
		r.Set("agent", unescape(a))
	}
}
