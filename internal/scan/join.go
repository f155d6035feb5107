package scan

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"waybill/internal/arrival"
	"waybill/internal/identity"
	"waybill/internal/ledger"
	"waybill/internal/model"
	"waybill/internal/telemetry"
)

// fileNames are those of files that the captures showed, lower case: their starts are
// looked for.
func fileNames(transfers []*model.Transfer) map[string]bool {
	out := map[string]bool{}
	for _, t := range transfers {
		for _, n := range append([]string{t.Name}, t.EarlierNames...) {
			if n != "" {
				out[strings.ToLower(n)] = true
			}
		}
	}
	return out
}

// join adds to the records of the captures what the logs showed. roles are those that
// hosts were seen in before, c what else is remembered.
func (l *logs) join(r *Records, roles *identity.Roles, c *recall) {
	hosts, ours := &identity.Table{}, map[string]bool{}
	r.bindings(hosts, l.o.Assets)
	r.nameKerberosUsers()
	if len(l.sources) == 0 {
		r.locate(c, hosts, nil)
		r.complete(hosts)
		r.inside = func(e model.Endpoint) bool { return l.o.inside(e, nil) }
		r.fillRoles(roles, nil, hosts)
		return
	}
	found := l.close()
	slices.SortStableFunc(found.Bindings, func(a, b telemetry.Binding) int { return cmp.Compare(a.First, b.First) })
	for _, b := range found.Bindings {
		hosts.Add(identity.Binding{Addr: b.Addr, Host: b.Host, MAC: b.MAC, First: b.First, Last: b.Last, Weak: b.Weak, Lease: b.Lease})
	}
	r.named(hosts, found)
	for _, n := range found.Namings {
		if n.Kind == telemetry.Realm {
			hosts.AddDomain(n.Host, n.Key)
			continue
		}
		hosts.AddNaming(identity.Naming(n))
	}
	l.renamed = hosts.Renamed()
	for _, h := range found.Hosts {
		hosts.AddName(h)
		name := strings.ToLower(h)
		ours[name] = true
		if _, domain, ok := strings.Cut(name, "."); ok {
			ours[domain] = true
		}
	}
	r.locate(c, hosts, found)
	observed := append(r.Transfers, found.Transfers...)
	l.clocks = ledger.Measure(observed, hosts)
	book := ledger.New(hosts, ledger.Settings{Clocks: l.clocks})
	r.Transfers = book.Join(observed)
	l.joined = book.Stats()
	starts := make([]ledger.Start, 0, len(found.Starts))
	for _, s := range found.Starts {
		starts = append(starts, ledger.Start{Host: *s.Host, Image: s.Image, Execution: s.Execution})
	}
	for _, a := range found.Reads {
		hosts.Complete(&a.Source, a.Time)
		hosts.Complete(&a.Destination, a.Time)
	}
	l.clocks.Confirm(r.Transfers, found.Reads, hosts)
	l.clocks.Tie(r.Transfers, starts, hosts)
	r.Transfers = append(r.Transfers, l.arrivals(r, found, starts, hosts)...)
	r.Transfers = slices.DeleteFunc(r.Transfers, func(t *model.Transfer) bool {
		t.Scope = l.o.scope(t, ours)
		t.Techniques = techniques(t)
		why := l.o.leaveOut(t, partOfPage(t, found.PageParts))
		if why != "" {
			r.Summary.LeftOut[why]++
		}
		return why != ""
	})
	for why, n := range map[string]int64{pageParts: found.Counted.Inside, webOutside: found.Counted.Outside} {
		if n > 0 {
			r.Summary.LeftOut[why] += n
		}
	}
	if n := l.room.Transfers; n > 0 {
		r.Summary.LeftOut[noRoom] += n
	}
	r.Accesses = append(append(r.Accesses, found.Accesses...), found.Reads...)
	for _, r := range l.renamed {
		for _, n := range r.Names {
			if found.StartsLogged[strings.ToLower(n.Name)] {
				found.StartsLogged[strings.ToLower(r.Host)] = true
			}
		}
	}
	l.hostLogs, l.never, l.startsLogged = found.Logs, found.NeverLogged, found.StartsLogged
	r.complete(hosts)
	r.sort()
	r.inside = func(e model.Endpoint) bool { return l.o.inside(e, ours) }
	r.fillRoles(roles, found.Uses, hosts)
}

// noRoom is why movements of logs are left out that came when --memory was used up.
const noRoom = "movements in logs that --memory had no room for"

// arrivals gives what listings of files tell of movements, with the starts of what came.
func (l *logs) arrivals(r *Records, found *telemetry.Result, starts []ledger.Start, hosts *identity.Table) []*model.Transfer {
	var names []string
	for _, s := range l.sources {
		names = append(names, s.in.Name)
	}
	told := arrival.Find(arrival.Input{Sightings: found.Sightings, Transfers: r.Transfers, Hosts: hosts, Inputs: names,
		Accesses: slices.Concat(r.Accesses, found.Accesses, found.Reads)})
	l.clocks.Tie(told.Arrivals, starts, hosts)
	l.listed = told.Listed
	return told.Arrivals
}

// partOfPage says whether all who saw a transfer over the web took it for a part of a page.
func partOfPage(t *model.Transfer, parts map[string]bool) bool {
	for _, id := range t.Observations {
		if !parts[id] {
			return false
		}
	}
	return parts[t.ID]
}

// close gives what the logs of all families showed.
func (l *logs) close() *telemetry.Result {
	all := l.hosts.Close()
	for _, family := range slices.Sorted(maps.Keys(l.follow)) {
		found := l.follow[family].Close()
		NameUsers(found)
		all.Add(found)
	}
	l.hosts, l.follow = nil, nil // what they remember of hosts and connections tells nothing more
	for _, s := range l.sources {
		maps.Copy(s.unverified, all.Unverified[s.in.Name])
	}
	return all
}
