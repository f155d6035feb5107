package scan

import (
	"net/netip"
	"slices"
	"testing"

	"waybill/internal/model"
	"waybill/internal/synth"
)

// TestHardwareByLogs: a DHCP server's log says what hardware asked for a copy.
func TestHardwareByLogs(t *testing.T) {
	capture := synth.Record(3, func(n *synth.Net) {
		n.Sleep(minute)
		push(n, n.Host("WS-9", "10.0.0.9"), n.Host("SRV", "10.0.0.1"), "a.exe")
	}).Capture.PCAP()
	assets := []Asset{{IP: model.AddrOf(netip.MustParseAddr("10.0.0.1")), MAC: "00:1b:21:00:00:01", Name: "SRV"}, {MAC: "00:1b:21:00:00:02", Name: "WS-9"}}
	const header = "ID,Date,Time,Description,IP Address,Host Name,MAC Address,User Name, TransactionID, QResult\r\n"
	for name, c := range map[string]struct {
		log, text string
		mac       string
		odd       bool
	}{
		"Windows, known":   {"DhcpSrvLog-Tue.log", header + "10,03/17/26,09:00:01,Assign,10.0.0.9,WS-9.corp.example,001B21000002,,12,0\r\n", "00:1b:21:00:00:02", false},
		"Windows, unknown": {"DhcpSrvLog-Tue.log", header + "10,03/17/26,09:00:01,Assign,10.0.0.9,WS-9.corp.example,001B21000003,,12,0\r\n", "00:1b:21:00:00:03", true},
		"dhcpd by syslog": {"syslog", "2026-03-17T09:00:01+00:00 dhcp1 dhcpd[12]: DHCPACK on 10.0.0.9 to 00:1b:21:00:00:03 (WS-9) via eth0\n" +
			"2026-03-17T09:00:02+00:00 dhcp1 cron[9]: x\n", "00:1b:21:00:00:03", true},
		"another's lease": {"dhcp.log", header + "10,03/17/26,09:00:01,Assign,10.0.0.8,WS-8,001B21000003,,12,0\r\n", "", false},
		"ended before": {"dhcp.log", header + "10,03/16/26,06:00:01,Assign,10.0.0.9,WS-8,001B21000003,,12,0\r\n" + "10,03/17/26,08:00:01,Assign,10.0.0.9,WS-9,001B21000002,,12,0\r\n",
			"00:1b:21:00:00:02", false},
		"neighbours": {"arp.txt", "? (10.0.0.9) at 00:1b:21:00:00:03 [ether] on eth0\n", "00:1b:21:00:00:03", true},
	} {
		t.Run(name, func(t *testing.T) {
			r := run(t, Options{Paths: []string{write(t, map[string][]byte{"c.pcap": capture, c.log: []byte(c.text)})}, Assets: assets})
			if len(r.Transfers) != 1 || r.Transfers[0].Source.MAC != c.mac {
				t.Fatalf("%+v", r.Transfers)
			}
			odd := slices.ContainsFunc(r.Findings, func(f *model.Finding) bool { return slices.Contains(f.Analytics, "unknown-hardware") })
			if odd != c.odd {
				t.Errorf("unknown hardware: %v", odd)
			}
			if able := r.Coverage[len(r.Coverage)-1].Analytics["unknown-hardware"].Able; able == "unable" {
				t.Error("the analytic says that it is unable")
			}
		})
	}
}
