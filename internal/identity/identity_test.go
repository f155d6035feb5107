package identity

import (
	"net/netip"
	"testing"

	"waybill/internal/model"
)

const hour model.Time = 3600e9

func addr(s string) model.Addr { return model.AddrOf(netip.MustParseAddr(s)) }

func table() *Table {
	t := &Table{}
	t.Add(Binding{Addr: addr("10.0.0.1"), Host: "WS1.corp.test", First: 0 * hour, Last: 10 * hour})
	t.Add(Binding{Addr: addr("10.0.0.1"), Host: "WS2.corp.test", First: 20 * hour, Last: 30 * hour}) // the lease went on
	t.Add(Binding{Addr: addr("10.0.0.2"), Host: "WS1.corp.test", First: 12 * hour, Last: 40 * hour})
	t.Add(Binding{Addr: addr("10.0.0.3"), Host: "A", First: hour, Last: 2 * hour, Weak: true})
	t.Add(Binding{Addr: addr("10.0.0.3"), Host: "B", First: hour, Last: 2 * hour, Weak: true})
	t.Add(Binding{Addr: addr("10.0.0.4"), Host: "SRV", First: hour, Last: 2 * hour, Weak: true})
	t.Add(Binding{Addr: addr("10.0.0.4"), Host: "SRV.corp.test", First: hour, Last: 2 * hour, Weak: true})
	t.Add(Binding{Addr: addr("10.0.0.5"), Host: "TWIN.a.test", First: hour, Last: 2 * hour})
	t.Add(Binding{Addr: addr("10.0.0.6"), Host: "TWIN.b.test", First: hour, Last: 2 * hour})
	return t
}

func TestHost(t *testing.T) {
	for _, c := range []struct {
		addr string
		at   model.Time
		want string
	}{
		{"10.0.0.1", 5 * hour, "WS1.corp.test"}, {"10.0.0.1", 25 * hour, "WS2.corp.test"},
		{"10.0.0.1", 15 * hour, ""}, // both claim the time between
		{"10.0.0.2", 41 * hour, "WS1.corp.test"}, {"10.0.0.2", 100 * hour, ""},
		{"10.0.0.3", hour, ""}, {"10.0.0.4", hour, "SRV.corp.test"}, {"10.9.9.9", hour, ""},
	} {
		if got := table().Host(addr(c.addr), c.at); got != c.want {
			t.Errorf("%s at %d h: %q instead of %q", c.addr, c.at/hour, got, c.want)
		}
	}
}

func TestAddr(t *testing.T) {
	for _, c := range []struct {
		host string
		at   model.Time
		want string
	}{
		{"ws1", 5 * hour, "10.0.0.1"}, {"WS1.corp.test", 25 * hour, "10.0.0.2"}, {"WS2", 25 * hour, "10.0.0.1"},
		{"TWIN", hour, ""}, {"TWIN.b.test", hour, "10.0.0.6"}, {"nobody", hour, ""},
	} {
		if got := table().Addr(c.host, c.at).String(); got != c.want {
			t.Errorf("%s at %d h: %q instead of %q", c.host, c.at/hour, got, c.want)
		}
	}
}

func TestSame(t *testing.T) {
	ip := func(s string) model.Endpoint { return model.Endpoint{IP: addr(s)} }
	host := func(s string) model.Endpoint { return model.Endpoint{Host: s} }
	for _, c := range []struct {
		a, b        model.Endpoint
		same, known bool
	}{
		{ip("10.0.0.1"), ip("10.0.0.1"), true, true}, {ip("10.0.0.1"), ip("10.0.0.9"), false, true},
		{ip("10.0.0.1"), host("ws1"), true, true}, {ip("10.0.0.1"), host("ws2"), false, true},
		{host("ws1"), host("WS1.corp.test"), true, true}, {host("TWIN.a.test"), host("TWIN.b.test"), false, true},
		{model.Endpoint{}, ip("10.0.0.1"), true, false}, {host("x"), model.Endpoint{}, true, false},
		{ip("10.0.0.1"), ip("10.0.0.2"), true, true}, // one host's two
	} {
		at := 5 * hour
		if c.b.IP == addr("10.0.0.2") {
			at = 13 * hour
			c.a.Host = "WS1"
		}
		same, known := table().Same(c.a, c.b, at)
		if same != c.same || known != c.known {
			t.Errorf("%v and %v: same %v, known %v", c.a, c.b, same, known)
		}
	}
}

func TestComplete(t *testing.T) {
	for _, c := range []struct{ in, want model.Endpoint }{
		{model.Endpoint{IP: addr("10.0.0.1")}, model.Endpoint{IP: addr("10.0.0.1"), Host: "WS1.corp.test"}},
		{model.Endpoint{Host: "WS1"}, model.Endpoint{IP: addr("10.0.0.1"), Host: "WS1.corp.test"}},
		{model.Endpoint{Host: "TWIN"}, model.Endpoint{Host: "TWIN"}},
		{model.Endpoint{}, model.Endpoint{}},
	} {
		got := c.in
		if table().Complete(&got, 5*hour); got != c.want {
			t.Errorf("%+v: %+v instead of %+v", c.in, got, c.want)
		}
	}
}
