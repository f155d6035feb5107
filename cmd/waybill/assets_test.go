package main

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"waybill/internal/model"
	"waybill/internal/scan"
)

func TestAssets(t *testing.T) {
	ip := model.AddrOf(netip.MustParseAddr("10.0.0.1"))
	for _, c := range []struct {
		name, text, fault string
		want              []scan.Asset
	}{
		{"all", "ip,mac,name,role,os\n10.0.0.1,00-1B-21-00-00-01,ws1,workstation,Windows 11\n", "",
			[]scan.Asset{{IP: ip, MAC: "00:1b:21:00:00:01", Name: "ws1", Role: "workstation", OS: "Windows 11"}}},
		{"any order, others beside", "\ufeffName , Owner,IP\nws1,anna,10.0.0.1\n", "", []scan.Asset{{IP: ip, Name: "ws1"}}},
		{"empty and short lines", "ip,mac,name\n,,\n\n10.0.0.1\n,001b.2100.0001,\n", "", []scan.Asset{{IP: ip}, {MAC: "00:1b:21:00:00:01"}}},
		{"comment", "ip,name\n# the first floor\n10.0.0.1,ws1\n", "", []scan.Asset{{IP: ip, Name: "ws1"}}},
		{"empty", "", "empty", nil},
		{"no columns", "10.0.0.1,ws1\n", "line 1: name the columns ip,mac,name,role,os", nil},
		{"twice", "ip,ip\n", "line 1: two columns ip", nil},
		{"no address", "ip,name\n10.0.0.1,a\n\n10.0.0,b\n", `line 4: "10.0.0" is no IP address`, nil},
		{"no hardware address", "ip,mac\n,00:1b:21\n", `line 2: "00:1b:21" is no hardware address`, nil},
		{"quotes", "ip,name\n10.0.0.1,\"a\n", "line 2", nil},
	} {
		file := filepath.Join(t.TempDir(), "assets.csv")
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := assets(file)
		switch {
		case c.fault == "" && (err != nil || !slices.Equal(got, c.want)):
			t.Errorf("%s: %+v, %v", c.name, got, err)
		case c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)):
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
