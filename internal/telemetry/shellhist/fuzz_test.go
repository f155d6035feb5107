package shellhist_test

import (
	"testing"

	"waybill/internal/telemetry/logtest"
	"waybill/internal/telemetry/shellhist"
)

func FuzzHistory(f *testing.F) {
	logtest.Fuzz(f, shellhist.Format, ": 1795451091:0;scp a ops@10.77.0.9:/tmp/\n")
}
