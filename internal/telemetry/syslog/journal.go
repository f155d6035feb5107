package syslog

import (
	"strconv"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/jsonlog"
)

// Journal is what journalctl -o json writes (systemd.journal-fields(7)). A message
// that is no text is a list of bytes there, and is left out.
var Journal = telemetry.Format{Kind: "journald", Family: "unixhost", Looks: journal.Looks, Open: journal.Open}

var journal = jsonlog.Form{Name: journalName, Finish: journalEntry}

func journalName(path string) string {
	switch path {
	case "__REALTIME_TIMESTAMP", "_HOSTNAME", "SYSLOG_IDENTIFIER", "_COMM", "_PID", "SYSLOG_PID", "MESSAGE":
		return path
	}
	return ""
}

func journalEntry(r *telemetry.Record) bool {
	micros, err := strconv.ParseInt(r.Get("__REALTIME_TIMESTAMP"), 10, 64)
	if err != nil || micros <= 0 || micros > 1<<53 {
		return false
	}
	tag, pid, message := r.First("SYSLOG_IDENTIFIER", "_COMM"), r.First("SYSLOG_PID", "_PID"), r.Get("MESSAGE")
	r.Time, r.Host = model.Time(micros)*1000, r.Get("_HOSTNAME")
	r.Fields = r.Fields[:0]
	said(r, tag, pid, message)
	return true
}
