package scan

import (
	"net/netip"
	"path/filepath"
	"testing"

	"waybill/internal/model"
	"waybill/internal/synth"
)

// TestKinds: each form is told by its content, whatever is asked before it.
func TestKinds(t *testing.T) {
	const sum = "0123456789abcdef0123456789abcdef"
	for want, texts := range map[string][]string{
		"esxi": {"2023-12-05T17:36:17.835Z In(14) shell[1053659]: [root]: ls\n", "2012-02-01T22:01:38Z sshd[23752]: Connection from 10.0.0.2 port 57994\n",
			"2025-01-01T01:02:03.630Z cpu0:262792)Jumpstart plugin swapobjd activated.\n"},
		"syslog":       {"2026-03-17T09:00:01Z fs1 sshd[1]: x\n", "Mar  3 10:00:00 dhcp1 dhcpd[1]: DHCPACK on 10.0.0.9 to 00:1b:21:00:00:03 via eth0\n"},
		"eslogger":     {string(synth.Eslogger(model.AddrOf(netip.MustParseAddr("10.0.0.9")), []synth.Laid{{Path: "/tmp/a", Since: synth.Begin}}))},
		"unified-log":  {`{"timestamp":"2025-03-03 12:00:00.100000+0100","eventMessage":"x","processID":41,"processImagePath":"/usr/sbin/sshd"}` + "\n"},
		"hash-list":    {sum + "  /bin/ls\n"},
		"bodyfile":     {string(synth.BodyFile([]synth.Laid{{Path: "/tmp/a", Size: 1, Since: synth.Begin}}))},
		"listing-csv":  {string(synth.MFT([]synth.Laid{{Path: `C:\a\b.exe`, Size: 1, Since: synth.Begin}})), "path,md5\n"},
		"listing-json": {`{"OSPath":"/tmp/a","Size":5,"BTime":"2025-03-03T10:00:00Z","Hash":{"MD5":"` + sum + `"}}` + "\n"},
		"dhcp-windows": {"\t\tMicrosoft DHCP Service Activity Log\r\n\r\nID,Date,Time,Description,IP Address,Host Name,MAC Address\r\n"},
		"kea-leases":   {"address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state\n"},
		"kea-log":      {"2025-03-03 10:00:00.212 INFO  [kea-dhcp4.leases/812.140] DHCP4_LEASE_ALLOC [hwtype=1 00:1b:21:00:00:01]\n"},
		"dhcpd-leases": {"lease 10.0.0.9 {\n  starts 1 2025/03/03 10:00:00;\n}\n"},
		"dnsmasq-leases": {
			"1741003600 00:1b:21:00:00:01 10.0.0.9 ws1 *\n"},
		"neighbours": {"? (10.0.0.9) at 00:1b:21:00:00:01 [ether] on eth0\n"},
		"":           {"hello\n", "a,b\n1,2\n"},
	} {
		for _, text := range texts {
			if got := kind([]byte(text)); got != want {
				t.Errorf("%q is %q instead of %q", text, got, want)
			}
		}
	}
}

// TestEslogger: what the truth of a capture lays on a Mac, its own log says too.
func TestEslogger(t *testing.T) {
	file := synth.Laid{Path: "/Users/ops/agent", Since: synth.Begin}
	r := scanFolder(t, write(t, map[string][]byte{filepath.Join("mac-1", "es.json"): synth.Eslogger(model.AddrOf(netip.MustParseAddr("10.0.0.9")), []synth.Laid{file})}))
	if len(r.Transfers) != 1 {
		t.Fatalf("%+v", r.Transfers)
	}
	x := r.Transfers[0]
	if x.Source.IP.String() != "10.0.0.9" || x.Destination.Host != "mac-1" || x.Path != file.Path || x.Channel != "ssh" || x.Status != model.Done || x.Completeness != model.Logged {
		t.Errorf("%+v", x)
	}
}
