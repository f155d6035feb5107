package sambalog_test

import (
	"testing"

	"waybill/internal/telemetry/logtest"
	"waybill/internal/telemetry/sambalog"
)

func FuzzSamba(f *testing.F) { logtest.Fuzz(f, sambalog.Format) }
