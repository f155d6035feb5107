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

// TestClientPort: where both tell the client's port, a server's log that holds no address
// is of that connection, whatever else fits and whatever others call the server.
func TestClientPort(t *testing.T) {
	seen := func(id, to string, port uint16) *model.Transfer {
		return &model.Transfer{ID: id, Start: 1e18, End: 1e18, Source: end("10.0.0.1", port), Destination: end(to, 445), Initiator: model.BySource, Operation: model.Push,
			Channel: "smb", Name: "x", Completeness: model.Logged, Status: model.Done, Evidence: []model.Evidence{{Channel: "zeek/files"}}}
	}
	logged := func(port uint16) *model.Transfer {
		return &model.Transfer{ID: "log", Start: 1e18 + 1e9, End: 1e18 + 1e9, Source: end("10.0.0.1", port), Destination: model.Endpoint{Host: "fs1"}, Initiator: model.BySource,
			Operation: model.Push, Channel: "smb", Name: "x", Completeness: model.Logged, Status: model.Claimed, Evidence: []model.Evidence{{Computer: "fs1"}}}
	}
	var alias identity.Table
	alias.Add(identity.Binding{Addr: end("10.0.0.2", 0).IP, Host: "files", First: 1e18, Last: 1e18, Weak: true, Hearsay: true})
	for _, c := range []struct {
		port uint16
		want int
	}{{50001, 2}, {50002, 2}, {50003, 3}} {
		got := Join([]*model.Transfer{seen("a", "10.0.0.2", 50001), seen("b", "10.0.0.3", 50002), logged(c.port)}, &alias)
		if len(got) != c.want {
			t.Errorf("port %d: %d transfers, want %d", c.port, len(got), c.want)
		}
		for _, x := range got {
			if c.want == 2 && x.Source.Port == c.port && len(x.Observations) != 2 {
				t.Errorf("port %d: %v", c.port, x.Observations)
			}
		}
	}
}

func end(ip string, port uint16) model.Endpoint {
	return model.Endpoint{IP: model.AddrOf(netip.MustParseAddr(ip)), Port: port}
}

// TestPolicyShare: what a host says that it ran from its domain's share is what the
// controller gave.
func TestPolicyShare(t *testing.T) {
	ws := model.Endpoint{IP: model.AddrOf(netip.MustParseAddr("10.0.0.1")), Host: "ws1.corp.test"}
	var hosts identity.Table
	hosts.Add(identity.Binding{Addr: end("10.0.0.9", 0).IP, Host: "dc1.corp.test", First: 1e18, Last: 1e18})
	for _, c := range []struct {
		domain string
		want   int
	}{{"corp.test", 1}, {"other.test", 2}} {
		passed := &model.Transfer{ID: "a", Start: 1e18, End: 1e18, Source: end("10.0.0.9", 445), Destination: ws, Operation: model.Pull, Channel: "smb", Name: "logon.bat",
			Completeness: model.Logged, Status: model.Done, Evidence: []model.Evidence{{Channel: "zeek/files"}}}
		ran := &model.Transfer{ID: "b", Start: 1e18, End: 1e18, Source: model.Endpoint{Host: c.domain}, Destination: ws, Operation: model.Pull, Channel: "smb", Name: "logon.bat",
			Completeness: model.Logged, Status: model.Done, Evidence: []model.Evidence{{Computer: "ws1.corp.test"}}}
		got := Join([]*model.Transfer{passed, ran}, &hosts)
		if len(got) != c.want || c.want == 1 && got[0].Source.Host != "dc1.corp.test" {
			t.Errorf("%s: %d transfers, the first from %s", c.domain, len(got), got[0].Source.Host)
		}
	}
}

// TestTwoSides: what a command on one host asked for and what the other host saw come, each
// with its own name and at most the other's address. Who is known by another name, or what
// went elsewhere or to two at a time, is not joined.
func TestTwoSides(t *testing.T) {
	asked := func(from, to model.Endpoint, path string) *model.Transfer {
		return &model.Transfer{ID: "asked", Start: 1e18, End: 1e18, Source: from, Destination: to, Initiator: model.BySource, Operation: model.Push, Channel: "ssh", Name: "x", Path: path,
			Tool: "scp", Completeness: model.Logged, Status: model.Claimed, Evidence: []model.Evidence{{Computer: "a"}}}
	}
	came := func(id string, from, to model.Endpoint, path string) *model.Transfer {
		return &model.Transfer{ID: id, Start: 1e18 + 1e9, End: 1e18 + 1e9, Source: from, Destination: to, Initiator: model.BySource, Operation: model.Push, Channel: "ssh", Name: "x", Path: path,
			Completeness: model.Logged, Status: model.Done, Evidence: []model.Evidence{{Computer: to.Host}}}
	}
	a, b, c, none := model.Endpoint{Host: "a"}, model.Endpoint{Host: "b"}, model.Endpoint{Host: "c"}, model.Endpoint{}
	known := &identity.Table{}
	known.Add(identity.Binding{Addr: end("10.0.0.1", 0).IP, Host: "other", First: 1e18, Last: 1e18})
	for name, x := range map[string]struct {
		all   []*model.Transfer
		hosts *identity.Table
		want  int
	}{
		"each the other's address": {[]*model.Transfer{asked(a, end("10.0.0.2", 0), "/tmp/x"), came("b", end("10.0.0.1", 0), b, "/tmp/x")}, &identity.Table{}, 1},
		"one the other's name":     {[]*model.Transfer{asked(a, b, "/tmp/x"), came("b", end("10.0.0.1", 0), b, "/tmp/x")}, &identity.Table{}, 1},
		"neither":                  {[]*model.Transfer{asked(a, none, "/tmp/"), came("b", none, b, "/tmp/x")}, &identity.Table{}, 1},
		"neither, another place":   {[]*model.Transfer{asked(a, none, "/opt/"), came("b", none, b, "/tmp/x")}, &identity.Table{}, 2},
		"another place":            {[]*model.Transfer{asked(a, end("10.0.0.2", 0), "/opt/x"), came("b", end("10.0.0.1", 0), b, "/tmp/x")}, &identity.Table{}, 2},
		"another host's address":   {[]*model.Transfer{asked(a, end("10.0.0.2", 0), "/tmp/x"), came("b", end("10.0.0.1", 0), b, "/tmp/x")}, known, 2},
		"another's name":           {[]*model.Transfer{asked(a, c, "/tmp/x"), came("b", end("10.0.0.1", 0), b, "/tmp/x")}, &identity.Table{}, 2},
		"two at a time":            {[]*model.Transfer{asked(a, end("10.0.0.2", 0), "/tmp/x"), came("b", end("10.0.0.1", 0), b, "/tmp/x"), came("c", end("10.0.0.9", 0), c, "/tmp/x")}, &identity.Table{}, 3},
	} {
		got := Join(x.all, x.hosts)
		if len(got) != x.want {
			t.Errorf("%s: %d transfers, want %d", name, len(got), x.want)
		}
		if x.want == 1 && (got[0].Source.Host != "a" || got[0].Destination.Host != "b" || got[0].Tool != "scp" || got[0].Status != model.Done) {
			t.Errorf("%s: %+v", name, got[0])
		}
	}
}
