// Package rsyncd reads the log of an rsync daemon (rsyncd.conf(5), "log file"). In
// comes a file; out come its lines with their time, pid and message. It judges
// nothing and keeps no line.
package rsyncd

import (
	"io"
	"strconv"
	"strings"

	"waybill/internal/telemetry"
	"waybill/internal/telemetry/linelog"
	"waybill/internal/telemetry/logtext"
)

// Format is "YYYY/MM/DD hh:mm:ss [PID] MESSAGE".
var Format = telemetry.Format{Kind: "rsyncd", Family: "unixhost", Looks: looks, Open: open}

func looks(head []byte) bool {
	return linelog.Looks(head, func(line string) bool {
		var r telemetry.Record
		return read(line, &r, telemetry.OpenOptions{}) == linelog.Record
	})
}

func open(r io.Reader, o telemetry.OpenOptions) telemetry.Log {
	return linelog.Open(logtext.NewReader(r), "an rsync daemon's log", func(line string, r *telemetry.Record) linelog.Taken { return read(line, r, o) })
}

func read(line string, r *telemetry.Record, o telemetry.OpenOptions) linelog.Taken {
	if len(line) < 24 || line[4] != '/' || line[7] != '/' || line[10] != ' ' || line[19] != ' ' || line[20] != '[' {
		return linelog.Broken
	}
	year, err := strconv.Atoi(line[:4])
	t, ok := linelog.Date(year, linelog.MonthNumber(line[5:7]), linelog.Two(line[8:10]), linelog.Clock(line[11:19]), o.Zone)
	pid, message, ok2 := strings.Cut(line[21:], "] ")
	if _, bad := strconv.ParseUint(pid, 10, 32); bad != nil || err != nil || !ok || !ok2 {
		return linelog.Broken
	}
	r.Time, r.Assumed, r.Stream = t, o.Zone == nil, "rsyncd"
	r.Set("pid", pid)
	r.Set("message", message)
	return linelog.Record
}
