package ftplog_test

import (
	"testing"

	"waybill/internal/telemetry/ftplog"
	"waybill/internal/telemetry/logtest"
)

func FuzzFTPLogs(f *testing.F) { logtest.Fuzz(f, ftplog.Format) }
