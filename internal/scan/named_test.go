package scan

import (
	"net/netip"
	"slices"
	"testing"

	"waybill/internal/identity"
	"waybill/internal/model"
	"waybill/internal/telemetry"
)

// TestNamed: names that sensors' logs hold of addresses. A tree path under the name of a domain names no host, and
// neither does what an address is asked for under two names.
func TestNamed(t *testing.T) {
	at := func(ip string) model.Endpoint { return model.Endpoint{IP: addr(ip)} }
	tree := func(ip, share string) *model.Access {
		return &model.Access{What: "share-connect", Time: 1e18, Source: at("10.0.0.1"), Destination: at(ip), Channel: "smb", Share: share}
	}
	found := &telemetry.Result{Hosts: []string{"dc1.corp.test"}, Accesses: []*model.Access{
		{What: "kerberos-ticket", Time: 1e18, Source: at("10.0.0.1"), User: "PDQ01$", Domain: "CORP.TEST", Detail: "TGS-REP"},
		{What: "kerberos-ticket", Time: 1e18, Source: at("10.0.0.7"), User: "anna", Domain: "CORP.TEST", Detail: "TGS-REP"},
		tree("10.0.0.2", `\\ex1.corp.test\ADMIN$`), tree("10.0.0.3", `\\corp.test\SYSVOL`), tree("10.0.0.4", `\\CORP\NETLOGON`),
		tree("10.0.0.5", `\\one\Docs`), tree("10.0.0.5", `\\two\Docs`), tree("10.0.0.6", `\\10.0.0.6\Docs`),
	}}
	var hosts identity.Table
	(&Records{}).named(&hosts, found)
	var got []string
	for _, ip := range []string{"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6", "10.0.0.7"} {
		got = append(got, hosts.Host(addr(ip), 1e18))
	}
	if want := []string{"PDQ01.corp.test", "ex1.corp.test", "", "", "", "", ""}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestSessions: logs of hosts hold their client's address, and of SSH and SMB its port, and not
// their own address; the sensor holds both.
func TestSessions(t *testing.T) {
	client := func(port uint16) model.Endpoint { return model.Endpoint{IP: addr("10.0.0.1"), Port: port} }
	logon := func(port uint16, host string, at model.Time) *model.Access {
		return &model.Access{What: "logon", Channel: "ssh", Time: at, Source: client(port), Destination: model.Endpoint{Host: host}}
	}
	session := func(port uint16, ip string) *model.Access {
		return &model.Access{What: "ssh-session", Channel: "ssh", Time: 1e18, Source: client(port), Destination: model.Endpoint{IP: addr(ip), Port: 22}}
	}
	found := &telemetry.Result{Accesses: []*model.Access{session(1, "10.0.0.2"), session(2, "10.0.0.3"), session(3, "10.0.0.4"),
		logon(1, "web1", 1e18+2e9), logon(2, "web2", 1e18+600e9), logon(4, "web3", 1e18)}}
	sees := func(what string, at model.Time, port uint16, ip string) {
		found.Accesses = append(found.Accesses, &model.Access{What: what, Time: at, Source: client(port), Destination: model.Endpoint{IP: addr(ip), Port: 445}})
	}
	uses := func(u telemetry.Use, host string) {
		u.Host, u.From = &model.Endpoint{Host: host}, addr("10.0.0.1")
		found.Uses = append(found.Uses, u)
	}
	uses(telemetry.Use{What: "logon", Time: 1e18, Port: 7}, "wsus.corp.test")
	sees("share-connect", 1e18-1e9, 7, "10.0.1.1")
	sees("share-connect", 1e18-1e9, 8, "10.0.1.2")
	uses(telemetry.Use{What: "desktop-use", Channel: "rdp", Time: 1e18}, "cm1.corp.test")
	sees("rdp-session", 1e18-9e9, 5001, "10.0.1.3")
	uses(telemetry.Use{What: "desktop-use", Channel: "rdp", Time: 2e18}, "cm2.corp.test") // to one of two
	sees("rdp-session", 2e18-9e9, 5002, "10.0.1.4")
	sees("rdp-session", 2e18-5e9, 5003, "10.0.1.5")
	uses(telemetry.Use{What: "desktop-use", Channel: "rdp", Time: 3e18}, "cm3.corp.test") // one of two
	uses(telemetry.Use{What: "desktop-use", Channel: "rdp", Time: 3e18 + 5e9}, "cm4.corp.test")
	sees("rdp-session", 3e18-5e9, 5004, "10.0.1.6")
	var hosts identity.Table
	(&Records{}).named(&hosts, found)
	for at, all := range map[model.Time]map[string]string{
		1e18: {"10.0.0.2": "web1", "10.0.0.3": "", "10.0.0.4": "", "10.0.1.1": "wsus.corp.test", "10.0.1.2": "", "10.0.1.3": "cm1.corp.test"},
		2e18: {"10.0.1.4": "", "10.0.1.5": ""}, 3e18: {"10.0.1.6": ""},
	} {
		for ip, want := range all {
			if got := hosts.Host(addr(ip), at); got != want {
				t.Errorf("%s: %q instead of %q", ip, got, want)
			}
		}
	}
}

func addr(ip string) model.Addr { return model.AddrOf(netip.MustParseAddr(ip)) }
