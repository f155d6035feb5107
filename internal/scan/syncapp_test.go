package scan

import (
	"testing"

	"waybill/internal/synth"
)

// TestSyncApp: a program that the user names syncs folders, and nobody else's does.
func TestSyncApp(t *testing.T) {
	scene := synth.Record(3, func(n *synth.Net) {
		a, b := n.Host("WS-A", "10.0.0.1"), n.Host("WS-B", "10.0.0.2")
		n.FileCreated(a, `C:\Windows\explorer.exe`, 40, `C:\Users\a\AcmeSync\tool.exe`)
		n.Sleep(minute)
		n.FileCreated(b, `C:\Program Files\Acme\AcmeSync.exe`, 41, `C:\Users\b\AcmeSync\tool.exe`)
	})
	dir := write(t, map[string][]byte{"all.evtx": scene.Logs.EVTX()})
	if r := run(t, Options{Paths: []string{dir}}); len(r.Transfers) != 0 {
		t.Errorf("%+v", r.Transfers)
	}
	r := run(t, Options{Paths: []string{dir}, SyncApps: []string{"acmesync.exe"}})
	if len(r.Transfers) != 1 || r.Transfers[0].Channel != "sync-folder" || r.Transfers[0].Source.Host != "ws-a.corp.example" && r.Transfers[0].Source.Host != "WS-A.corp.example" {
		t.Errorf("%+v", r.Transfers)
	}
}
