package scan

import (
	"net/netip"
	"testing"

	"waybill/internal/model"
)

func TestKerberosUsers(t *testing.T) {
	at := func(s string) model.Endpoint { return model.Endpoint{IP: model.AddrOf(netip.MustParseAddr(s))} }
	got := func(seconds int, from, user, service string) *model.Access {
		return &model.Access{What: "kerberos-ticket", Detail: "TGS-REP", Time: model.Time(seconds) * 1e9, Source: at(from), User: user, Domain: "CORP", Object: service}
	}
	r := &Records{}
	r.Accesses = []*model.Access{
		got(1, "10.0.0.1", "anna", "cifs/srv1.corp.local"), got(2, "10.0.0.1", "bob", "ldap/dc1"),
		got(3, "10.0.0.1", "eve", "cifs/srv2"), got(4, "10.0.0.7", "mallory", "cifs/srv1.corp.local"),
	}
	for _, c := range []struct {
		share, user string
		seconds     int
	}{{`\\SRV1\C$`, "anna", 10}, {`\\srv2.corp\d`, "eve", 10}, {`\\srv3\d`, "", 10}, {`\\srv1\d`, "", 0}, {`\\srv1\d`, "", 50_000}} {
		x := &model.Transfer{Auth: "kerberos", Share: c.share, Start: model.Time(c.seconds) * 1e9, Initiator: model.BySource,
			Source: at("10.0.0.1"), Destination: at("10.0.0.2")}
		r.Transfers = []*model.Transfer{x}
		r.nameKerberosUsers()
		if x.User != c.user {
			t.Errorf("%s at %d s: %q instead of %q", c.share, c.seconds, x.User, c.user)
		}
	}
}
