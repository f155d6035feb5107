package scan

import (
	"strings"

	"waybill/internal/identity"
	"waybill/internal/model"
)

// ticketLife is how long a ticket is used at most (MS-KILE 3.3.1: ten hours).
const ticketLife = model.Time(10 * 3600e9)

// grant is a service ticket that an address got for a principal.
type grant struct {
	time                  model.Time
	user, domain, service string
}

// nameKerberosUsers fills in who was behind sessions that Kerberos authenticated:
// the ticket itself does not show the user, but the client got it in clear
// before, from the same address for the same service (RFC 4120 3.3). Where several
// people did, the last one counts, and the record says so.
func (r *Records) nameKerberosUsers() {
	tickets := map[model.Addr][]grant{}
	for _, a := range r.Accesses {
		if a.What == "kerberos-ticket" && a.Detail == "TGS-REP" {
			tickets[a.Source.IP] = append(tickets[a.Source.IP], grant{a.Time, a.User, a.Domain, a.Object})
		}
	}
	if len(tickets) == 0 {
		return
	}
	for _, t := range r.Transfers {
		if t.Auth != "kerberos" || t.User != "" {
			continue
		}
		client, server := t.Source, t.Destination
		if t.Initiator == model.ByDestination {
			client, server = server, client
		}
		if best, several := holder(tickets[client.IP], t, server); best != nil {
			t.User, t.Domain = best.user, best.domain
			note := "user by the Kerberos ticket that its client got"
			if several {
				note += "; others got one too"
			}
			t.Notes = append(t.Notes, note)
		}
	}
}

// holder is the last ticket for the server of a transfer, and whether others got
// one meanwhile.
func holder(all []grant, t *model.Transfer, server model.Endpoint) (best *grant, several bool) {
	for i := range all {
		x := &all[i]
		if x.time > t.Start || t.Start-x.time > ticketLife || !forServer(x.service, t, server) {
			continue
		}
		several = several || best != nil && !strings.EqualFold(best.user, x.user)
		best = x
	}
	return best, several
}

// forServer says whether a service is the file service of a server, by the name
// that the session used for it or that is known of it.
func forServer(service string, t *model.Transfer, server model.Endpoint) bool {
	class, host, ok := strings.Cut(service, "/")
	if !ok || !strings.EqualFold(class, "cifs") && !strings.EqualFold(class, "host") {
		return false
	}
	host, _, _ = strings.Cut(host, "/")
	if tree, ok := strings.CutPrefix(t.Share, `\\`); ok {
		if name, _, _ := strings.Cut(tree, `\`); identity.SameName(name, host) {
			return true
		}
	}
	return server.Host != "" && identity.SameName(server.Host, host)
}
