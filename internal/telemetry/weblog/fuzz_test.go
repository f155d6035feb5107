package weblog_test

import (
	"testing"

	"waybill/internal/telemetry/logtest"
	"waybill/internal/telemetry/weblog"
)

func FuzzWebLogs(f *testing.F) { logtest.Fuzz(f, weblog.Format) }
