package auditd_test

import (
	"testing"

	"waybill/internal/telemetry/auditd"
	"waybill/internal/telemetry/logtest"
)

func FuzzAuditd(f *testing.F) { logtest.Fuzz(f, auditd.Format) }
func FuzzAUOMS(f *testing.F)  { logtest.Fuzz(f, auditd.AUOMS) }
