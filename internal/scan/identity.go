package scan

import (
	"math"
	"strings"

	"waybill/internal/identity"
	"waybill/internal/model"
	"waybill/internal/wire/dhcp"
)

// Asset is one host of the user's inventory (--assets). Fields may be empty.
type Asset struct {
	IP                  model.Addr
	MAC, Name, Role, OS string
}

// bindings adds to the table what the captures and the inventory say of who had
// which address: leases, neighbours, names in exchanges.
func (r *Records) bindings(hosts *identity.Table, assets []Asset) {
	for _, a := range assets {
		hosts.Add(identity.Binding{Addr: a.IP, Host: a.Name, MAC: strings.ToLower(a.MAC), Role: a.Role, First: math.MinInt64 / 2, Last: math.MaxInt64 / 2})
	}
	for _, a := range r.Accesses {
		if a.What == "dhcp-release" || a.What == "dhcp-decline" {
			hosts.End(a.Source.IP, a.Source.MAC, a.Time)
			continue
		}
		if b, ok := bindingOf(a); ok {
			hosts.Add(b)
		}
	}
	for _, t := range r.Transfers {
		saidInExchange(hosts, t)
	}
}

// bindingOf is what an access says of its source's address.
func bindingOf(a *model.Access) (identity.Binding, bool) {
	b := identity.Binding{Addr: a.Source.IP, First: a.Time, Last: max(a.Until, a.Time), Weak: true}
	switch a.What {
	case "address-binding":
		b.Host, b.MAC = a.Source.Host, a.Source.MAC
		b.Lease = a.Channel == "dhcp"
		b.Weak = !b.Lease
		b.Inferred = strings.HasSuffix(a.Detail, dhcp.ByDUID)
		b.Hearsay = strings.HasPrefix(a.Detail, "by ") // of another host (mDNS proxies, WINS, poisoners)
	case "rdp-session":
		b.Host = a.Object
	case "logon":
		_, station, _ := strings.Cut(a.Detail, " from ")
		b.Host, _, _ = strings.Cut(station, " ")
	case "kerberos-ticket":
		// A computer's own account logs on from the computer (MS-KILE 3.3.1.1).
		b.Host, _ = strings.CutSuffix(a.User, "$")
		if b.Host == a.User || strings.HasPrefix(a.Detail, "KRB-ERROR") {
			return b, false
		}
	default:
		return b, false
	}
	return b, b.Host != "" || b.MAC != ""
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

// hardware is the hardware addresses of an inventory, with the system on each, and
// the addresses of hosts whose hardware it does not say. Without any of the first
// nothing is unknown.
func hardware(assets []Asset) map[string]string {
	out, any := map[string]string{}, false
	for _, a := range assets {
		switch {
		case a.MAC != "":
			out[strings.ToLower(a.MAC)], any = strings.ToLower(a.OS), true
		case a.IP.Known():
			out[a.IP.String()] = strings.ToLower(a.OS)
		}
	}
	if !any {
		return nil
	}
	return out
}
