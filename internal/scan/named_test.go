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
	if want := []string{"PDQ01", "ex1.corp.test", "", "", "", "", ""}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func addr(ip string) model.Addr { return model.AddrOf(netip.MustParseAddr(ip)) }
