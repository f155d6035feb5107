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

// TestStartedOnUnix: what came over SFTP and was started there, by the audit log of a
// host whose system log has no year.
func TestStartedOnUnix(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"syslog": `Mar 17 09:00:01 fs1 sftp-server[7]: session opened for local user ops from [10.1.0.21]
Mar 17 09:00:02 fs1 sftp-server[7]: open "/tmp/agent.sh" flags WRITE,CREATE,TRUNCATE mode 0755
Mar 17 09:00:02 fs1 sftp-server[7]: close "/tmp/agent.sh" bytes read 0 written 500
`, "audit.log": `node=fs1 type=SYSCALL msg=audit(1773738060.100:52): arch=c000003e syscall=59 success=yes exit=0 ppid=1 pid=61 auid=1001 ses=7 comm="agent.sh" exe="/usr/bin/dash"
node=fs1 type=EXECVE msg=audit(1773738060.100:52): argc=3 a0="/bin/sh" a1="/tmp/agent.sh" a2="-x"
node=fs1 type=SYSCALL msg=audit(1773738061.100:53): arch=c000003e syscall=42 success=yes exit=0 ppid=1 pid=61 auid=1001 ses=7 comm="agent.sh" exe="/usr/bin/dash"
node=fs1 type=SOCKADDR msg=audit(1773738061.100:53): saddr=020001BB0A01001F0000000000000000
node=fs1 type=SYSCALL msg=audit(1773738062.100:54): arch=c000003e syscall=257 success=yes exit=3 ppid=1 pid=61 auid=1001 ses=7 comm="agent.sh" exe="/usr/bin/dash"
node=fs1 type=PATH msg=audit(1773738062.100:54): item=1 name="/tmp/loot" nametype=CREATE
`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := scanned(t, dir)
	if len(r.Transfers) != 1 || len(r.Transfers[0].Executed) != 1 || r.Transfers[0].Executed[0].Command != "/bin/sh /tmp/agent.sh -x" || !r.Transfers[0].TimeAssumed {
		t.Fatalf("%s %+v", brief(r.Transfers), r.Transfers[0])
	}
	writer := false
	for _, f := range r.Findings {
		for _, reason := range f.Reasons {
			writer = writer || reason.Analytic == "network-writer"
		}
	}
	if !writer {
		t.Errorf("no network-writer in %d findings", len(r.Findings))
	}
}
