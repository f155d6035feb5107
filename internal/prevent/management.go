package prevent

import (
	"slices"

	"waybill/internal/identity"
)

// Given and Proposed say where the management sources of a policy are from.
const (
	Given    = "given"
	Proposed = "proposed"
)

// managers are the roles whose hosts are proposed as management sources: what they are for
// makes them turn to all hosts.
var managers = []string{identity.RoleController, identity.RoleDeployment, identity.RoleBackup, identity.RoleScanner}

// manage gives the management sources, those given or else proposed ones: hosts of roles
// that administer, and those that administer many hosts on several days.
func (r *ruler) manage() (sources []string, from string) {
	if len(r.l.o.Management) > 0 {
		return slices.Clone(r.l.o.Management), Given
	}
	reached := r.reached()
	for i := range r.l.hosts {
		h := int32(i)
		if r.alias[i] != h {
			continue
		}
		byRole := r.sure[h] && slices.Contains(managers, r.groups[r.of[i]].Role)
		byWork := reached[h] >= manyHosts && r.l.hosts[i].admin.days() >= severalDays
		if byRole || byWork {
			sources = append(sources, r.name(h))
			r.management[h] = true
		}
	}
	slices.Sort(sources)
	return slices.Compact(sources), Proposed
}

// reached counts the hosts that each host administers.
func (r *ruler) reached() map[int32]int {
	type link struct{ client, server int32 }
	seen := map[link]bool{}
	out := map[int32]int{}
	for p, t := range r.l.pairs {
		k := link{r.alias[p.client], r.alias[p.server]}
		if !t.admin || t.good.moves == 0 || seen[k] {
			continue
		}
		seen[k] = true
		out[k.client]++
	}
	return out
}

// Proposed says that nobody has confirmed the management sources yet.
func (p *Policy) Proposed() bool { return p.Learned != nil && p.Learned.Management == Proposed }
