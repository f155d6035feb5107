package scan

import (
	"math"
	"net/netip"
	"slices"
	"strings"

	"waybill/internal/identity"
	"waybill/internal/model"
	"waybill/internal/telemetry"
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
	calls := r.domains(nil)
	for _, t := range r.Transfers {
		calls.inExchange(hosts, t)
	}
}

// named adds to the table what the logs of sensors and hosts show of who had which
// address, beside what their readers made bindings of.
func (r *Records) named(hosts *identity.Table, found *telemetry.Result) {
	calls := r.domains(found)
	for _, a := range found.Accesses {
		switch a.What {
		case "kerberos-ticket", "logon":
			if b, ok := bindingOf(a); ok {
				hosts.Add(b)
				if a.What == "kerberos-ticket" {
					hosts.AddDomain(b.Host, a.Domain)
				}
			}
		case "share-connect":
			calls.tree(hosts, a.Destination, a.Share, a.Time, a.Time)
		}
	}
	for _, t := range found.Transfers {
		calls.inExchange(hosts, t)
	}
	r.sessions(hosts, found)
}

// domainNames are names of domains, lower case: \\corp.example\SYSVOL names no host.
type domainNames map[string]bool

// domains are those that accounts and hosts are of.
func (r *Records) domains(found *telemetry.Result) domainNames {
	d := domainNames{}
	transfers, accesses := r.Transfers, r.Accesses
	if found != nil {
		transfers, accesses = append(slices.Clone(transfers), found.Transfers...), append(slices.Clone(accesses), found.Accesses...)
		for _, h := range found.Hosts {
			d.ofHost(h)
		}
	}
	for _, t := range transfers {
		d.add(t.Domain)
		d.ofHost(t.Source.Host)
		d.ofHost(t.Destination.Host)
	}
	for _, a := range accesses {
		d.add(a.Domain)
	}
	return d
}

// add adds a domain. What accounts of one host alone are of is the host's name.
func (d domainNames) add(name string) {
	if strings.Contains(name, ".") {
		d[strings.ToLower(name)] = true
	}
}

func (d domainNames) ofHost(name string) {
	_, domain, _ := strings.Cut(name, ".")
	d.add(domain)
}

// inExchange takes the names that an SMB exchange gives to the addresses of its
// ends: the client's in NTLM, the server's in the tree path.
func (d domainNames) inExchange(hosts *identity.Table, t *model.Transfer) {
	client, server := t.Source, t.Destination
	if t.Initiator == model.ByDestination {
		client, server = server, client
	}
	if t.Session != nil && t.Session.Workstation != "" && t.Channel != "rdp" { // there the server asks for the client's files
		said(hosts, client, identity.Binding{Host: t.Session.Workstation, First: t.Start, Last: t.End})
	}
	if strings.HasPrefix(t.Channel, "smb") {
		d.tree(hosts, server, t.Share, t.Start, t.End)
	}
}

// tree takes the server's name in a tree path for a word of its client's.
func (d domainNames) tree(hosts *identity.Table, server model.Endpoint, share string, first, last model.Time) {
	path, ok := strings.CutPrefix(share, `\\`)
	name, folder, _ := strings.Cut(path, `\`)
	if !ok || name == "" || d[strings.ToLower(name)] || !strings.Contains(name, ".") && model.PolicyShare(folder) {
		return
	}
	said(hosts, server, identity.Binding{Host: name, First: first, Last: last, Hearsay: true})
}

// said adds a name that is no address of an end that has none.
func said(hosts *identity.Table, e model.Endpoint, b identity.Binding) {
	if _, err := netip.ParseAddr(b.Host); err == nil || e.Host != "" {
		return
	}
	b.Addr, b.Weak = e.IP, true
	hosts.Add(b)
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
		hosts.Ends(&t.Source, &t.Destination, t.Start)
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
