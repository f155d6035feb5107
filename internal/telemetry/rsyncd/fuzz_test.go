package rsyncd_test

import (
	"testing"

	"waybill/internal/telemetry/logtest"
	"waybill/internal/telemetry/rsyncd"
)

func FuzzRsyncd(f *testing.F) { logtest.Fuzz(f, rsyncd.Format) }
