package leases

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"waybill/internal/model"
	"waybill/internal/telemetry"
)

var formats = []telemetry.Format{Windows, KeaCSV, KeaLog, ISC, Dnsmasq, Neighbours}

const near3 model.Time = 1741000000e9 // 2025-03-03 11:06:40

// bindings gives what a text says, by the format that knows it: bindings, then accesses.
func bindings(t *testing.T, text string) (out, damage []string) {
	t.Helper()
	for _, f := range formats {
		if !f.Looks([]byte(text)) {
			continue
		}
		log, b := f.Open(strings.NewReader(text), telemetry.OpenOptions{Near: near3}), New(telemetry.FollowerOptions{Inputs: []string{"in"}})
		var batch telemetry.Batch
		for {
			err := log.Next(&batch)
			for i := range batch.Records {
				b.Record(&batch.Records[i])
			}
			if err == io.EOF {
				return said(b.Close()), log.Damage()
			}
		}
	}
	t.Fatalf("no format knows %q", text)
	return nil, nil
}

func said(r *telemetry.Result) (out []string) {
	for _, b := range r.Bindings {
		kind := "table"
		if b.Lease {
			kind = "lease"
		}
		out = append(out, fmt.Sprintf("%s %s %s %q %.19s %.19s", kind, b.Addr, b.MAC, b.Host, b.First, b.Last))
	}
	for _, a := range r.Accesses {
		out = append(out, fmt.Sprintf("%s %s line %d", a.Channel, a.Source.IP, a.Evidence[0].Line))
	}
	return out
}

const windowsLog = "\t\tMicrosoft DHCP Service Activity Log\r\n\r\nEvent ID  Meaning\r\n00\tThe log was started.\r\n\r\nQResult: 0: NoQuarantine\r\n\r\n" +
	"ID,Date,Time,Description,IP Address,Host Name,MAC Address,User Name, TransactionID, QResult\r\n" +
	"24,03/03/25,10:00:00,Database Cleanup Begin,,,,,0,6\r\n" +
	"10,03/03/25,10:00:01,Assign,10.0.0.9,WS1.corp.example,001B21000001,,12,0\r\n" +
	"11,03/03/25,11:00:01,Renew,10.0.0.9,WS1.corp.example,001B21000001,,13,0\r\n" +
	"12,03/03/25,12:00:00,Release,10.0.0.9,WS1.corp.example,001B21000001,,14,0\r\n" +
	"10,99/03/25,10:00:01,Assign,10.0.0.9,x,001B21000001,,12,0\r\n"

func TestBindings(t *testing.T) {
	for name, c := range map[string]struct{ text, want, damage string }{
		"Windows": {windowsLog, `lease 10.0.0.9 00:1b:21:00:00:01 "WS1.corp.example" 2025-03-03T10:00:01 2025-03-03T10:00:01` + "\n" +
			`lease 10.0.0.9 00:1b:21:00:00:01 "WS1.corp.example" 2025-03-03T11:00:01 2025-03-03T11:00:01` + "\ndhcp 10.0.0.9 line 10\ndhcp 10.0.0.9 line 11",
			"line 13: no line of the audit log of a DHCP server"},
		"dhcpd.leases": {"# The format of this file is documented in the dhcpd.leases(5) manual page.\nserver-duid \"x\";\n" +
			"lease 10.0.0.9 {\n  starts 1 2025/03/03 10:00:00;\n  ends 1 2025/03/03 22:00:00;\n  binding state active;\n  next binding state free;\n  hardware ethernet 00:1b:21:00:00:01;\n  client-hostname \"ws1\";\n}\n" +
			"lease 10.0.0.9 {\n  starts 1 2025/03/03 10:00:00;\n  ends 1 2025/03/03 12:00:00;\n  binding state free;\n  hardware ethernet 00:1b:21:00:00:01;\n}\n" +
			"lease 10.0.0.8 {\n  starts epoch 1741000000; # x\n  ends never;\n  hardware ethernet 00:1b:21:00:00:02;\n}\n",
			`lease 10.0.0.9 00:1b:21:00:00:01 "ws1" 2025-03-03T10:00:00 2025-03-03T12:00:00` + "\n" +
				`lease 10.0.0.8 00:1b:21:00:00:02 "" 2025-03-03T11:06:40 2025-03-03T11:06:40` + "\ndhcp 10.0.0.9 line 10\ndhcp 10.0.0.8 line 21", ""},
		"Kea's leases": {"address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id\n" +
			"10.0.0.9,00:1b:21:00:00:01,01:00,3600,1741003600,1,0,0,ws1.corp.example.,0,,0\n" +
			"10.0.0.9,00:1b:21:00:00:01,01:00,3600,1741005400,1,0,0,ws1.corp.example.,0,,0\n" +
			"10.0.0.9,00:1b:21:00:00:01,01:00,0,1741002000,1,0,0,,0,,0\nbroken\n",
			`lease 10.0.0.9 00:1b:21:00:00:01 "ws1.corp.example" 2025-03-03T11:06:40 2025-03-03T11:40:00` + "\ndhcp 10.0.0.9 line 2\ndhcp 10.0.0.9 line 3", "line 5: no line of a lease file of Kea"},
		"Kea's log": {"2025-03-03 10:00:00.212 INFO  [kea-dhcp4.leases/812.140] DHCP4_LEASE_ALLOC [hwtype=1 00:1b:21:00:00:01], cid=[01:00:1b], tid=0x1a: lease 10.0.0.9 has been allocated for 3600 seconds\n" +
			"2025-03-03 10:30:00.000 INFO  [kea-dhcp4.leases/812.140] DHCP4_RELEASE [hwtype=1 00:1b:21:00:00:01], cid=[01:00:1b], tid=0x1b: address 10.0.0.9 was released properly.\n",
			`lease 10.0.0.9 00:1b:21:00:00:01 "" 2025-03-03T10:00:00 2025-03-03T10:30:00` + "\ndhcp 10.0.0.9 line 1", ""},
		"dnsmasq's leases": {"1741003600 00:1b:21:00:00:01 10.0.0.9 ws1 01:00:1b:21:00:00:01\n1741003600 00:1b:21:00:00:02 10.0.0.8 * *\n",
			`lease 10.0.0.9 00:1b:21:00:00:01 "ws1" 2025-03-03T11:06:40 2025-03-03T12:06:40` + "\n" +
				`lease 10.0.0.8 00:1b:21:00:00:02 "" 2025-03-03T11:06:40 2025-03-03T12:06:40` + "\ndhcp 10.0.0.9 line 1\ndhcp 10.0.0.8 line 2", ""},
		"arp of Windows": {"\r\nInterface: 10.0.0.5 --- 0x6\r\n  Internet Address      Physical Address      Type\r\n  10.0.0.9              00-1b-21-00-00-01     dynamic\r\n" +
			"  10.0.0.255            ff-ff-ff-ff-ff-ff     static\r\n  224.0.0.22            01-00-5e-00-00-16     static\r\n",
			`table 10.0.0.9 00:1b:21:00:00:01 "" 2025-03-03T11:06:40 2025-03-03T11:06:40` + "\nneighbours 10.0.0.9 line 4", ""},
		"arp of macOS": {"gw.corp.example (10.0.0.9) at 0:1b:21:0:0:1 on en0 ifscope [ethernet]\n? (10.0.0.20) at (incomplete) on en0 ifscope [ethernet]\n",
			`table 10.0.0.9 00:1b:21:00:00:01 "" 2025-03-03T11:06:40 2025-03-03T11:06:40` + "\nneighbours 10.0.0.9 line 1", ""},
		"ip neigh": {"10.0.0.9 dev eth0 lladdr 00:1b:21:00:00:01 REACHABLE\n10.0.0.8 dev eth0 FAILED\nfe80::1 dev eth0 lladdr 00:1b:21:00:00:03 router STALE\n",
			`table 10.0.0.9 00:1b:21:00:00:01 "" 2025-03-03T11:06:40 2025-03-03T11:06:40` + "\n" + `table fe80::1 00:1b:21:00:00:03 "" 2025-03-03T11:06:40 2025-03-03T11:06:40` +
				"\nneighbours 10.0.0.9 line 1\nneighbours fe80::1 line 3", ""},
		"/proc/net/arp": {"IP address       HW type     Flags       HW address            Mask     Device\n10.0.0.9         0x1         0x2         00:1b:21:00:00:01     *        eth0\n",
			`table 10.0.0.9 00:1b:21:00:00:01 "" 2025-03-03T11:06:40 2025-03-03T11:06:40` + "\nneighbours 10.0.0.9 line 2", ""},
	} {
		t.Run(name, func(t *testing.T) {
			rows, damage := bindings(t, c.text)
			if got := strings.Join(rows, "\n"); got != c.want {
				t.Errorf("\n%s\ninstead of\n%s", got, c.want)
			}
			if got := strings.Join(damage, "\n"); got != c.damage {
				t.Errorf("damage %q instead of %q", got, c.damage)
			}
		})
	}
}

// TestMessage: what servers say in a system log.
func TestMessage(t *testing.T) {
	for line, want := range map[string]string{
		"DHCPACK on 10.0.0.9 to 00:1b:21:00:00:01 (ws1) via eth0":                                                                "given 10.0.0.9 00:1b:21:00:00:01 ws1 ",
		"DHCPACK on 10.0.0.9 to 00:1b:21:00:00:01 via eth0":                                                                      "given 10.0.0.9 00:1b:21:00:00:01  ",
		"DHCPACK to 10.0.0.9 (00:1b:21:00:00:01) via eth0":                                                                       "    ",
		"DHCPRELEASE of 10.0.0.9 from 00:1b:21:00:00:01 (ws1) via eth0 (found)":                                                  "ended 10.0.0.9 00:1b:21:00:00:01  ",
		"DHCPDECLINE of 10.0.0.9 from 00:1b:21:00:00:01 via eth0: abandoned":                                                     "declined 10.0.0.9 00:1b:21:00:00:01  ",
		"DHCPREQUEST for 10.0.0.9 from 00:1b:21:00:00:01 via eth0":                                                               "    ",
		"4280283188 DHCPACK(eth0) 10.0.0.9 00:1b:21:00:00:01 ws1":                                                                "given 10.0.0.9 00:1b:21:00:00:01 ws1 ",
		"DHCPACK(eth0) 10.0.0.9 00:1b:21:00:00:01":                                                                               "given 10.0.0.9 00:1b:21:00:00:01  ",
		"DHCPACK(eth0) 10.0.0.9 01:1b:21:00:00:01 group":                                                                         "    ",
		"INFO DHCP4_LEASE_REUSE [hwtype=1 00:1b:21:00:00:01], cid=[x], tid=0x1: lease 10.0.0.9 has been reused for 3596 seconds": "given 10.0.0.9 00:1b:21:00:00:01  3596000000000",
		"INFO DHCP4_LEASE_ALLOC [hwtype=1 00:1b:21:00:00:01], cid=[x], tid=0x1: lease 10.0.0.9 has been a":                       "given 10.0.0.9 00:1b:21:00:00:01  ",
	} {
		var r telemetry.Record
		Message(&r, line)
		if got := fmt.Sprintf("%s %s %s %s %s", r.Get("what"), r.Get("ip"), r.Get("mac"), r.Get("host"), r.Get("until")); got != want {
			t.Errorf("%q: %q instead of %q", line, got, want)
		}
	}
}

func TestOthers(t *testing.T) {
	for _, text := range []string{"", "a b c\n", "1741003600 x y z w\n", "lease of life {\n", "Mar  3 10:00:00 fs1 sshd[1]: x\n", "address,port\n1,2\n", "10.0.0.1 dev eth0\n"} {
		for _, f := range formats {
			if f.Looks([]byte(text)) {
				t.Errorf("%s takes %q", f.Kind, text)
			}
		}
	}
}

func FuzzLeases(f *testing.F) {
	f.Add(windowsLog, uint8(0))
	f.Add("address,hwaddr,valid_lifetime,expire,hostname\n10.0.0.9,00:1b:21:00:00:01,3600,1741003600,a\n", uint8(1))
	f.Add("2025-03-03 10:00:00.212 INFO [kea-dhcp4] DHCP4_LEASE_ALLOC [hwtype=1 00:1b:21:00:00:01], : lease 10.0.0.9 for 3600 seconds\n", uint8(2))
	f.Add("lease 10.0.0.9 {\nstarts 1 2025/03/03 10:00:00;\nhardware ethernet 00:1b:21:00:00:01;\n}\n", uint8(3))
	f.Add("1741003600 00:1b:21:00:00:01 10.0.0.9 ws1 *\n", uint8(4))
	f.Add("10.0.0.9 dev eth0 lladdr 00:1b:21:00:00:01 REACHABLE\n", uint8(5))
	f.Fuzz(func(t *testing.T, text string, which uint8) {
		form := formats[int(which)%len(formats)]
		form.Looks([]byte(text))
		log, b := form.Open(strings.NewReader(text), telemetry.OpenOptions{Near: near3}), New(telemetry.FollowerOptions{Inputs: []string{"x"}})
		var batch telemetry.Batch
		for log.Next(&batch) == nil {
			for i := range batch.Records {
				b.Record(&batch.Records[i])
			}
		}
		for _, x := range b.Close().Bindings {
			if !x.Addr.Known() || len(x.MAC) != 17 || x.Last < x.First {
				t.Errorf("%+v", x)
			}
		}
	})
}
