package scan

import (
	"math"
	"strings"

	"waybill/internal/identity"
	"waybill/internal/model"
)

// Asset is one host of the user's inventory (--assets). Fields may be empty.
type Asset struct {
	IP              model.Addr
	MAC, Name, Role string
}

// bindings adds to the table what the captures and the inventory say of who had
// which address: leases, ARP, names in exchanges.
func (r *Records) bindings(hosts *identity.Table, assets []Asset) {
	for _, a := range assets {
		hosts.Add(identity.Binding{Addr: a.IP, Host: a.Name, MAC: strings.ToLower(a.MAC), Role: a.Role, First: math.MinInt64 / 2, Last: math.MaxInt64 / 2})
	}
	for _, a := range r.Accesses {
		switch a.What {
		case "address-binding":
			hosts.Add(identity.Binding{Addr: a.Source.IP, Host: a.Source.Host, MAC: a.Source.MAC, First: a.Time, Last: max(a.Until, a.Time),
				Lease: a.Channel == "dhcp", Weak: a.Channel != "dhcp"})
		case "rdp-session":
			hosts.Add(identity.Binding{Addr: a.Source.IP, Host: a.Object, First: a.Time, Last: a.Time, Weak: true})
		case "logon":
			if _, station, ok := strings.Cut(a.Detail, " from "); ok {
				station, _, _ = strings.Cut(station, " ")
				hosts.Add(identity.Binding{Addr: a.Source.IP, Host: station, First: a.Time, Last: a.Time, Weak: true})
			}
		}
	}
	for _, t := range r.Transfers {
		saidInExchange(hosts, t)
	}
}

// complete fills in names and hardware of all ends.
func (r *Records) complete(hosts *identity.Table) {
	for _, t := range r.Transfers {
		hosts.Complete(&t.Source, t.Start)
		hosts.Complete(&t.Destination, t.Start)
		if t.Client != nil {
			hosts.Complete(t.Client, t.Start)
		}
	}
	for _, a := range r.Accesses {
		hosts.Complete(&a.Source, a.Time)
		hosts.Complete(&a.Destination, a.Time)
	}
}

// hardware is the hardware addresses of an inventory.
func hardware(assets []Asset) map[string]bool {
	out := map[string]bool{}
	for _, a := range assets {
		if a.MAC != "" {
			out[strings.ToLower(a.MAC)] = true
		}
	}
	return out
}
