package syslog_test

import (
	"testing"

	"waybill/internal/telemetry/logtest"
	"waybill/internal/telemetry/syslog"
)

func FuzzSyslog(f *testing.F) {
	logtest.Fuzz(f, syslog.Format, "<86>1 2026-11-23T16:24:53Z fs1 sftp-server 7 - [x@1 y=\"]\"] close \"/srv/b\" bytes read 0 written 101\n")
}
func FuzzJournal(f *testing.F) { logtest.Fuzz(f, syslog.Journal) }
func FuzzBare(f *testing.F)    { logtest.Fuzz(f, syslog.Bare) }
