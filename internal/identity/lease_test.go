package identity

import (
	"net/netip"
	"testing"

	"waybill/internal/model"
)

// TestLeases: an address belongs to whoever held its lease at the time, also when
// the earlier lease was given for longer.
func TestLeases(t *testing.T) {
	const hour = model.Time(3600e9)
	ip := model.AddrOf(netip.MustParseAddr("10.0.0.9"))
	var hosts Table
	hosts.Add(Binding{Addr: ip, Host: "ws-1", MAC: "00:00:00:00:00:01", First: 10 * hour, Last: 34 * hour, Lease: true})
	hosts.Add(Binding{Addr: ip, Host: "ws-2", MAC: "00:00:00:00:00:02", First: 20 * hour, Last: 44 * hour, Lease: true})
	for _, c := range []struct {
		at        model.Time
		host, mac string
	}{
		{11 * hour, "ws-1", "00:00:00:00:00:01"},
		{19 * hour, "ws-1", "00:00:00:00:00:01"},
		{21 * hour, "ws-2", "00:00:00:00:00:02"},
		{40 * hour, "ws-2", "00:00:00:00:00:02"},
		{200 * hour, "", ""},
	} {
		e := model.Endpoint{IP: ip}
		hosts.Complete(&e, c.at)
		if e.Host != c.host || e.MAC != c.mac {
			t.Errorf("at %d h: %q at %q instead of %q at %q", c.at/hour, e.Host, e.MAC, c.host, c.mac)
		}
	}
}

// TestAlways: what one host alone had on two days it has between and after them, unless it was
// handed out, or the host was elsewhere.
func TestAlways(t *testing.T) {
	const day = model.Time(24 * 3600e9)
	ip, other := model.AddrOf(netip.MustParseAddr("10.0.0.9")), model.AddrOf(netip.MustParseAddr("10.0.0.8"))
	seen := func(host string, a model.Addr, at model.Time) Binding {
		return Binding{Addr: a, Host: host, First: at, Last: at, Weak: true}
	}
	twice := []Binding{seen("wsus", ip, 10*day), seen("wsus", ip, 14*day)}
	lease := Binding{Addr: ip, MAC: "00:00:00:00:00:01", First: 2 * day, Last: 3 * day, Lease: true}
	for name, c := range map[string]struct {
		all  []Binding
		want string
	}{
		"on two days":                         {twice, "wsus"},
		"on one":                              {twice[:1], ""},
		"another had it":                      {append([]Binding{seen("ws-1", ip, 20*day)}, twice...), ""},
		"handed out":                          {append([]Binding{lease}, twice...), ""},
		"on one, where others are handed out": {append([]Binding{{Addr: other, MAC: "00:00:00:00:00:02", First: 2 * day, Last: 3 * day, Lease: true}}, twice[:1]...), ""},
		"on one, where none is":               {append([]Binding{{Addr: model.AddrOf(netip.MustParseAddr("10.0.1.8")), MAC: "00:00:00:00:00:02", First: 2 * day, Last: 3 * day, Lease: true}}, twice[:1]...), "wsus"},
		"elsewhere too":                       {append([]Binding{seen("WSUS", other, 20*day)}, twice...), ""},
		"of an image":                         {[]Binding{seen("DESKTOP-A1B2C3D", ip, 10*day), seen("DESKTOP-A1B2C3D", ip, 14*day)}, ""},
	} {
		var hosts Table
		for _, b := range c.all {
			hosts.Add(b)
		}
		for _, at := range []model.Time{12 * day, 30 * day} {
			if got := hosts.Host(ip, at); got != c.want {
				t.Errorf("%s: %q instead of %q on day %d", name, got, c.want, at/day)
			}
		}
	}
}
