package macos_test

import (
	"testing"

	"waybill/internal/telemetry/logtest"
	"waybill/internal/telemetry/macos"
)

func FuzzEslogger(f *testing.F)   { logtest.Fuzz(f, macos.Eslogger) }
func FuzzUnifiedLog(f *testing.F) { logtest.Fuzz(f, macos.Unified) }
