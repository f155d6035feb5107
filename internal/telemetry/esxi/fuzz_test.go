package esxi_test

import (
	"testing"

	"waybill/internal/telemetry/esxi"
	"waybill/internal/telemetry/logtest"
)

func FuzzESXi(f *testing.F) {
	logtest.Fuzz(f, esxi.Format, "2023-12-07T05:04:55.162Z In(182) vmkernel: cpu10:2099084 opID=a9f5cca4)NFS: 317: NFS mount succeeded for 10.77.0.20:/srv volume backup.\n")
}
