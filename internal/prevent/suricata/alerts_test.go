package suricata_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"waybill/internal/model"
	"waybill/internal/prevent"
	"waybill/internal/prevent/suricata"
	"waybill/internal/scan"
	"waybill/internal/synth"
)

// stubbed is a program with the text that linkers put before it.
func stubbed(n *synth.Net, size int) []byte {
	b := n.PE(size)
	copy(b[64+300:], "!This program cannot be run in DOS mode.\r\r\n$") // past the headers that are looked at
	return b
}

// intrusion is what each kind of rule is for, between pairs of hosts of their own.
func intrusion(n *synth.Net) {
	a := n.Host("WS-01", "10.20.1.1")
	to := func(i int) *synth.Host { return n.Host(fmt.Sprintf("WS-1%d", i), fmt.Sprintf("10.20.1.1%d", i)) }
	session := func(i int) *synth.Session { return n.SMB(a, to(i), synth.SMBOptions{User: "eve", Domain: "CORP"}) }

	s := session(0) // a program, and a service in the same connection
	s.Tree("ADMIN$").Put(`Temp\winsvcmon.exe`, n.PE(40_000))
	s.StartService("WinSvcMon", "Monitor", `%SystemRoot%\Temp\winsvcmon.exe`)
	s.Logoff()

	s = session(1) // a program for Linux, and calls in other connections
	s.Tree("C$").Put(`srv\tool`, n.ELFProgram(30_000))
	s.Logoff()
	for i, o := range []synth.RPCOptions{{}, {User: "eve", Domain: "CORP", Security: synth.RPCPrivacy}} {
		port := uint16(49700 + 3*i)
		n.TaskByRPC(a, to(1), port, `\Updates\check`, `C:\srv\tool`, "", o)
		n.ServiceByRPC(a, to(1), port+1, "updsvc", `C:\srv\tool`, o)
		n.WMIExec(a, to(1), port+2, `cmd.exe /c C:\srv\tool`, o)
	}

	s = session(2) // a script and a job
	s.Tree("ADMIN$").Put(`Temp\run.bat`, []byte("@echo off\r\nwhoami\r\n"))
	s.ATJob(`C:\Windows\Temp\run.bat`, synth.RPCOptions{})
	s.Logoff()

	s = session(3) // a program to another share, and a service; a document to an administrative one
	s.Tree("Tools").Put("setup.exe", n.PE(20_000))
	s.Tree("C$").Put("notes.docx", n.DOCX(20_000))
	s.StartService("Other", "Other", `C:\Tools\setup.exe`)
	s.Logoff()

	old := n.SMB1(a, to(4), synth.SMB1Options{User: "eve"})
	old.Tree("ADMIN$").Put(`\Temp\old.exe`, n.PE(25_000))
	old.StartService("OldSvc", "Old", `C:\Windows\Temp\old.exe`)
	old.Logoff()

	n.Raw(a, to(5), stubbed(n, 30_000), synth.RawOptions{})
	n.Raw(a, to(5), n.PE(30_000), synth.RawOptions{Port: 4445}) // no text before it
	n.Raw(a, to(5), n.ELFProgram(30_000), synth.RawOptions{Port: 4446, Served: true, Greeting: []byte("send\n")})

	web := n.HTTP(to(6), a, "ws-01")
	web.Get("/winsvcmon.exe", synth.Entity{Content: n.PE(30_000)})
	web.Close()
	ftp := n.FTP(a, to(7), "eve", "secret")
	ftp.Put("winsvcmon.exe", n.PE(30_000))
	ftp.Quit()
}

// looking is a policy with indicators for all files that moved, and for what else is named.
func looking(r *model.Records) *prevent.Policy {
	p := &prevent.Policy{
		Version: prevent.PolicyVersion, Management: []string{"192.0.2.1"}, Services: prevent.KnownServices,
		Groups: []prevent.Group{{Name: "desks", Networks: []netip.Prefix{netip.MustParsePrefix("10.20.1.0/24")}}},
		Rules:  []prevent.Rule{{From: "desks", To: "desks", Service: "smb", Action: prevent.Deny, Why: "no desk serves another"}},
	}
	add := func(what, value string) {
		p.Indicators = append(p.Indicators, prevent.Indicator{What: what, Value: value, Finding: "f-0123456789abcdef", Analytic: "remote-start", Severity: model.High})
	}
	for _, t := range r.Transfers {
		if t.SHA256 != "" {
			add("sha256", t.SHA256)
		}
	}
	for _, name := range []string{"winsvcmon.exe", "run.bat", "notes.docx"} {
		add("name", name)
	}
	add("path", `C$\srv\tool`)
	add("service-name", "WinSvcMon")
	add("service-name", "OldSvc")
	add("pipe", "svcctl")
	return p
}

// connection is two ends, whichever way; of FTP the hosts alone, since files go over
// connections of their own.
func connection(a string, aPort uint16, b string, bPort uint16, ftp bool) string {
	if ftp {
		aPort, bPort = 0, 0
	}
	ends := []string{fmt.Sprintf("%s:%d", a, aPort), fmt.Sprintf("%s:%d", b, bPort)}
	slices.Sort(ends)
	return strings.Join(ends, "-")
}

// Suricata, where it is installed, alerts on a capture of all that rules are for as foretold.
func TestSuricataAlerts(t *testing.T) {
	program, err := exec.LookPath("suricata")
	if err != nil {
		t.Skip("suricata is not installed: whether it alerts as foretold is not checked (Debian: apt-get install suricata)")
	}
	folder := t.TempDir()
	n := synth.New(1570)
	intrusion(n)
	capture := filepath.Join(folder, "intrusion.pcap")
	write(t, capture, n.Take().PCAP())
	found, err := scan.Run(context.Background(), scan.Options{Paths: []string{capture}})
	if err != nil {
		t.Fatal(err)
	}
	p := looking(&found.Records)
	files, err := suricata.Write(p, prevent.Choice{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		write(t, filepath.Join(folder, f.Name), f.Text)
	}
	told, err := suricata.Foretell(p, prevent.Choice{}, &found.Records, suricata.HomeNet)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, told, alerts(t, program, folder, capture))
}

func write(t *testing.T, name string, text []byte) {
	t.Helper()
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// alerts has Suricata read a capture and gives what it alerts on, by rule and connection.
func alerts(t *testing.T, program, folder, capture string) map[string]bool {
	t.Helper()
	write(t, filepath.Join(folder, "suricata.yaml"), []byte(`%YAML 1.1
---
vars: {address-groups: {HOME_NET: "[10.0.0.0/8]"}}
outputs: [{eve-log: {enabled: yes, filetype: regular, filename: eve.json, types: [{alert: {metadata: {rule: {metadata: yes}}}}]}}]
app-layer: {protocols: {smb: {enabled: yes, detection-ports: {dp: "139, 445"}, stream-depth: 0}, dcerpc: {enabled: yes}, ftp: {enabled: yes}, http: {enabled: yes, libhtp: {default-config: {personality: IDS, request-body-limit: 0, response-body-limit: 0}}}}}
stream: {reassembly: {depth: 0}}
`))
	if said, err := exec.Command(program, "-c", filepath.Join(folder, "suricata.yaml"), "-S", filepath.Join(folder, "waybill.rules"), "-l", folder, "-r", capture, "-k", "none", "--runmode", "single").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	eve, err := os.ReadFile(filepath.Join(folder, "eve.json"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for lines := bufio.NewScanner(bytes.NewReader(eve)); lines.Scan(); {
		var e struct {
			Source      string `json:"src_ip"`
			SourcePort  uint16 `json:"src_port"`
			Destination string `json:"dest_ip"`
			DestPort    uint16 `json:"dest_port"`
			App         string `json:"app_proto"`
			Alert       struct {
				SID int `json:"signature_id"`
			} `json:"alert"`
		}
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		out[fmt.Sprintf("%d %s", e.Alert.SID, connection(e.Source, e.SourcePort, e.Destination, e.DestPort, e.App == "ftp-data"))] = true
	}
	return out
}

// compare demands each alert that was foretold without doubt, and no other.
func compare(t *testing.T, told []suricata.Foretold, said map[string]bool) {
	t.Helper()
	known, keys := map[string]bool{}, map[string]bool{}
	for _, f := range told {
		id := fmt.Sprintf("%d %s", f.SID, connection(f.Client.IP.String(), f.Client.Port, f.Server.IP.String(), f.Server.Port, f.Server.Port == 21))
		known[id] = true
		if said[id] {
			keys[f.Key] = true
		} else if f.Doubt == "" {
			t.Errorf("foretold and silent: %s %s of %s%s", f.Key, id, f.Transfer, f.Access)
		}
	}
	for id := range said {
		if !known[id] {
			t.Errorf("not foretold: %s", id)
		}
	}
	for _, key := range []string{"admin-share-pe", "admin-share-elf", "admin-share-script", "start-service-same-flow", "start-service-other-flow",
		"start-at-same-flow", "start-task-other-flow", "start-wmi-other-flow", "raw-pe", "raw-elf"} {
		if !keys[key] {
			t.Errorf("no alert of %s", key)
		}
	}
}
