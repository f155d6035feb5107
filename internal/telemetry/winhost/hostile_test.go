package winhost

import (
	"fmt"
	"runtime"
	"testing"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/winevent"
)

// TestHostile feeds events that each name another host, channel, record far away,
// file, logon and process: what is kept of them is bounded.
func TestHostile(t *testing.T) {
	s := New(telemetry.FollowerOptions{Inputs: []string{"x"}})
	for i := range 200_000 {
		e := winevent.Event{Provider: winevent.Sysmon, ID: 11, Channel: fmt.Sprint("C", i), Computer: fmt.Sprint("H", i), Record: uint64(i) << 20, Time: model.Time(i) * 1e6}
		e.Fields = []winevent.Field{{Name: "Image", Value: "System"}, {Name: "TargetFilename", Value: fmt.Sprintf(`C:\\x\\%d.exe`, i)}}
		if i%2 == 0 {
			e.Computer, e.Provider, e.ID = "ONE", winevent.Security, 4624
			e.Fields = []winevent.Field{{Name: "IpAddress", Value: fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)}, {Name: "LogonType", Value: "3"},
				{Name: "TargetLogonId", Value: fmt.Sprintf("0x%x", i)}, {Name: "WorkstationName", Value: fmt.Sprint("W", i)}}
		}
		s.Event(&e)
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.HeapAlloc > 400<<20 {
		t.Errorf("%d MiB are kept", m.HeapAlloc>>20)
	}
	if n := len(s.all()); n > maxHosts+1 {
		t.Errorf("%d hosts", n)
	}
}
