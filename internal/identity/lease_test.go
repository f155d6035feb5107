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
