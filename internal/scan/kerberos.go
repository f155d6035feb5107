package scan

import (
	"cmp"
	"slices"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
)

// ticketLife is how long a ticket is used at most (MS-KILE 3.3.1: ten hours).
const ticketLife = model.Time(10 * 3600e9)

// maxGrants bounds how many tickets are looked back through for one logon.
const maxGrants = 64

// asking is what tickets are looked up by: who got them from where for what.
type asking struct {
	client  model.Addr
	service string // lower case
}

// grant is a service ticket that a principal got.
type grant struct {
	time         model.Time
	user, domain string
}

// exchanged is the connection that a record is of: the client's end, then the server's.
type exchanged struct{ client, server model.Endpoint }

// named is who logged on over a connection, and how that is known.
type named struct {
	user, domain, note string
}

// NameUsers fills in who logged on by tickets (nameKerberosUsers) in what the logs of one family showed.
func NameUsers(found *telemetry.Result) {
	slices.SortStableFunc(found.Accesses, func(a, b *model.Access) int { return cmp.Compare(a.Time, b.Time) })
	(&Records{Records: model.Records{Accesses: found.Accesses, Transfers: found.Transfers}}).nameKerberosUsers()
}

// nameKerberosUsers fills in who logged on with tickets that neither the exchange in
// which they were given out nor a keytab tells (RFC 4120 3.3): the last principal that
// got another ticket for the service from the same address. The records say so.
func (r *Records) nameKerberosUsers() {
	grants := map[asking][]grant{}
	for _, a := range r.Accesses {
		if a.What == "kerberos-ticket" && a.Detail == "TGS-REP" && !strings.HasPrefix(a.User, "WELLKNOWN/") {
			k := asking{a.Source.IP, strings.ToLower(a.Object)}
			grants[k] = append(grants[k], grant{a.Time, a.User, a.Domain})
		}
	}
	if len(grants) == 0 {
		return
	}
	logons := map[exchanged]named{}
	for _, a := range r.Accesses {
		on := connection(a.Source, a.Destination)
		switch {
		case a.User != "":
		case a.What == "logon" && strings.HasPrefix(a.Detail, "kerberos"):
			n, ok := holder(grants[asking{a.Source.IP, strings.ToLower(a.Object)}], a.Time)
			if ok {
				a.User, a.Domain = n.user, n.domain
				a.Detail += ", " + n.note
			}
			if a.Status != "" && a.Status != "success" {
				continue
			}
			if old, again := logons[on]; again && old != n {
				n = named{} // several sessions on one connection: whose a record is does not show
			}
			logons[on] = n
		default:
			a.User, a.Domain = logons[on].user, logons[on].domain
		}
	}
	for _, t := range r.Transfers {
		n := logons[clientFirst(t)]
		if n.user == "" || t.Auth != "kerberos" || t.User != "" {
			continue
		}
		t.User, t.Domain = n.user, n.domain
		t.Notes = append(t.Notes, n.note)
	}
}

func connection(client, server model.Endpoint) exchanged {
	return exchanged{model.Endpoint{IP: client.IP, Port: client.Port}, model.Endpoint{IP: server.IP, Port: server.Port}}
}

func clientFirst(t *model.Transfer) exchanged {
	if t.Initiator == model.ByDestination {
		return connection(t.Destination, t.Source)
	}
	return connection(t.Source, t.Destination)
}

// holder is whoever of those that got a ticket, in the order of time, got the last one
// by then.
func holder(all []grant, by model.Time) (n named, ok bool) {
	end, _ := slices.BinarySearchFunc(all, by+1, func(g grant, t model.Time) int { return cmp.Compare(g.time, t) })
	for _, g := range slices.Backward(all[max(0, end-maxGrants):end]) {
		switch {
		case by-g.time > ticketLife:
			return n, ok
		case !ok:
			n, ok = named{g.user, g.domain, "user by another ticket that the client got"}, true
		case !strings.EqualFold(g.user, n.user):
			n.note += "; others got one too"
			return n, ok
		}
	}
	return n, ok
}
