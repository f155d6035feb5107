package ledger

import (
	"net/netip"
	"testing"

	"waybill/internal/identity"
	"waybill/internal/model"
)

// TestAddressless: a server's log that holds no address of the server's own is of the
// one movement that fits, over FTP under the name that its server makes of it; where
// two fit it is of none.
func TestAddressless(t *testing.T) {
	ip := func(s string) model.Endpoint { return model.Endpoint{IP: model.AddrOf(netip.MustParseAddr(s))} }
	seen := func(id, to, name string, size int64) *model.Transfer {
		return &model.Transfer{ID: id, Start: 1e18, End: 1e18, Source: ip("10.0.0.1"), Destination: ip(to), Operation: model.Push, Channel: "ftp", Name: name, Size: &size,
			Completeness: model.Whole, Status: model.Done}
	}
	logged := func(from, name string, size int64) *model.Transfer {
		return &model.Transfer{ID: "log", Start: 1e18 + 1e9, End: 1e18 + 1e9, Source: ip(from), Destination: model.Endpoint{Host: "fs1"}, Operation: model.Push, Channel: "ftp",
			Name: name, Size: &size, Completeness: model.Logged, Status: model.Done, Evidence: []model.Evidence{{Computer: "fs1"}}}
	}
	for _, c := range []struct {
		name string
		all  []*model.Transfer
		want int
	}{
		{"the only one", []*model.Transfer{seen("a", "10.0.0.2", "x", 5), logged("10.0.0.1", "x", 5)}, 1},
		{"a name that vsftpd garbles", []*model.Transfer{seen("a", "10.0.0.2", "Mai \u00fc.txt", 5), logged("10.0.0.1", "Mai_??.txt", 5)}, 1},
		{"one of two", []*model.Transfer{seen("a", "10.0.0.2", "x", 5), seen("b", "10.0.0.3", "x", 5), logged("10.0.0.1", "x", 5)}, 3},
		{"another client", []*model.Transfer{seen("a", "10.0.0.2", "x", 5), logged("10.0.0.9", "x", 5)}, 2},
		{"another size", []*model.Transfer{seen("a", "10.0.0.2", "x", 5), logged("10.0.0.1", "x", 6)}, 2},
	} {
		got := Join(c.all, &identity.Table{})
		if len(got) != c.want {
			t.Errorf("%s: %d", c.name, len(got))
		}
		if c.want == 1 && (got[0].Destination.Host != "fs1" || len(got[0].EarlierNames) > 0) {
			t.Errorf("%s: %+v", c.name, got[0])
		}
	}
	var named identity.Table
	named.Add(identity.Binding{Addr: ip("10.0.0.2").IP, Host: "other", First: 1e18, Last: 1e18})
	if got := Join([]*model.Transfer{seen("a", "10.0.0.2", "x", 5), logged("10.0.0.1", "x", 5)}, &named); len(got) != 2 {
		t.Errorf("the address is another host's: %d", len(got))
	}
}
