package scan

import (
	"cmp"
	"slices"

	"waybill/internal/identity"
	"waybill/internal/model"
	"waybill/internal/telemetry"
)

// fillRoles gives the ends of all records the roles that their hosts were seen in, before
// and in this run. What an inventory says stands.
func (r *Records) fillRoles(roles *identity.Roles, uses []telemetry.Use, hosts *identity.Table) {
	roles.Inside = r.inside
	r.moments = r.inOrder(useAccesses(uses, hosts))
	for _, m := range r.moments {
		m.show(roles)
	}
	for _, t := range r.Transfers {
		roles.Fill(&t.Source)
		roles.Fill(&t.Destination)
		if t.Client != nil {
			roles.Fill(t.Client)
		}
	}
	for _, a := range r.Accesses {
		roles.Fill(&a.Source)
		roles.Fill(&a.Destination)
	}
}

// useAccesses are the uses of hosts, with their ends completed.
func useAccesses(uses []telemetry.Use, hosts *identity.Table) []model.Access {
	out := make([]model.Access, 0, len(uses))
	for _, u := range uses {
		a := model.Access{Time: u.Time, What: u.What, Channel: u.Channel, Share: u.Share, User: u.Account, Source: model.Endpoint{IP: u.From}, Destination: *u.Host,
			Evidence: []model.Evidence{{Input: u.Input, Kind: "event", Computer: u.Host.Host}}}
		hosts.Complete(&a.Source, a.Time)
		hosts.Complete(&a.Destination, a.Time)
		out = append(out, a)
	}
	return out
}

// moment is a transfer or an access; the other one is nil.
type moment struct {
	at       model.Time
	transfer *model.Transfer
	access   *model.Access
}

// show shows it to the roles.
func (m *moment) show(roles *identity.Roles) {
	if m.transfer != nil {
		roles.Observe(m.transfer)
		return
	}
	roles.ObserveAccess(m.access)
}

// inOrder is everything in the order of time: transfers by their end.
func (r *Records) inOrder(uses []model.Access) []moment {
	all := make([]moment, 0, len(r.Transfers)+len(r.Accesses)+len(uses))
	for _, t := range r.Transfers {
		all = append(all, moment{max(t.Start, t.End), t, nil})
	}
	for _, a := range r.Accesses {
		all = append(all, moment{a.Time, nil, a})
	}
	for i := range uses {
		all = append(all, moment{uses[i].Time, nil, &uses[i]})
	}
	slices.SortStableFunc(all, func(a, b moment) int { return cmp.Compare(a.at, b.at) })
	return all
}
