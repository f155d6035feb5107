package scan

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"waybill/internal/model"
	"waybill/internal/synth"
)

// TestServerLogs: a capture and what the server logged of the same movements, whose
// own address no log holds, are one record each; the logs alone show them as logged.
func TestServerLogs(t *testing.T) {
	n := synth.New(7)
	client, server := n.Host("WS-1", "10.1.0.21"), n.Host("FTP-1", "10.1.0.22")
	logs := &synth.UnixLogs{Host: "ftp-1"}
	f := n.FTP(client, server, "bob", "secret")
	log := func(act func()) {
		act()
		logs.Add(n.Truth.Moved[len(n.Truth.Moved)-1], n.Now)
	}
	log(func() { f.Put("/srv/tool.exe", n.Text(40000)) })
	n.Sleep(600e9)
	log(func() { f.Get("/srv/plan b.txt", n.Text(3000)) })
	n.Sleep(600e9)
	s := n.SMB(client, server, synth.SMBOptions{User: "bob"})
	log(func() { s.Tree("public").Put("share.exe", n.PE(30000)) })
	s.Logoff()
	n.Sleep(600e9)
	h := n.HTTP(client, server, "ftp-1")
	log(func() { h.Get("/web.zip", synth.Entity{Content: n.Zip("a", 9000)}) })
	h.Close()
	n.Sleep(600e9)
	log(func() { n.TFTPGet(client, server, "boot.bin", n.Zip("b", 5000), synth.TFTPOptions{}) })
	dir := t.TempDir()
	host := filepath.Join(dir, "uac-ftp-1-linux-20261123162500", "[root]", "var", "log")
	if err := os.MkdirAll(host, 0o700); err != nil {
		t.Fatal(err)
	}
	keep := func(path string, b []byte) string {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, text := range logs.Text {
		keep(filepath.Join(host, name), []byte(text))
	}
	alone := scanned(t, host)
	if got := len(alone.Transfers); got != 5 {
		t.Fatalf("the logs alone: %s", brief(alone.Transfers))
	}
	for _, x := range alone.Transfers {
		if x.Completeness != model.Logged || x.Status != model.Done && x.Channel != "tftp" || x.Source.Name() != "ftp-1" && x.Destination.Name() != "ftp-1" || len(x.Evidence) != 2 && x.Channel == "ftp" {
			t.Errorf("%+v", x)
		}
	}
	both := scanned(t, host, keep(filepath.Join(dir, "a.pcap"), n.Take().PCAP()))
	if len(both.Transfers) != 5 {
		t.Fatalf("together: %s", brief(both.Transfers))
	}
	for _, x := range both.Transfers {
		if x.Completeness != model.Whole || len(x.Observations) != 2 || !strings.HasPrefix(x.Source.Host, "ftp-1") && !strings.HasPrefix(x.Destination.Host, "ftp-1") {
			t.Errorf("%+v", x)
		}
	}
}
