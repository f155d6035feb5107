package scan

import (
	"slices"
	"strings"

	"waybill/internal/judge"
	"waybill/internal/model"
)

// Narrow says which records are printed. Each is a list of globs, compared without
// case; an empty one narrows nothing.
type Narrow struct {
	Hosts, Users, Names []string
	Exclude             []string // hosts, accounts or names that are left out
}

func (n *Narrow) empty() bool {
	return len(n.Hosts)+len(n.Users)+len(n.Names)+len(n.Exclude) == 0
}

// fits says whether one of the values fits one of the globs.
func fits(globs []string, values ...string) bool {
	return slices.ContainsFunc(globs, func(g string) bool {
		return slices.ContainsFunc(values, func(v string) bool { return v != "" && judge.Glob(g, v) })
	})
}

// hostWords are all that an endpoint may be called.
func hostWords(ends ...model.Endpoint) []string {
	var out []string
	for _, e := range ends {
		bare, _, _ := strings.Cut(e.Host, ".")
		out = append(out, e.Host, bare, e.IP.String())
	}
	return out
}

func userWords(domain, user string) []string {
	if domain == "" {
		return []string{user}
	}
	return []string{user, domain + `\` + user}
}

func (n *Narrow) transfer(t *model.Transfer) bool {
	hosts := hostWords(t.Source, t.Destination)
	users := append(userWords(t.Domain, t.User), t.InitiatorUser)
	if i := strings.LastIndexByte(t.InitiatorUser, '\\'); i >= 0 {
		users = append(users, t.InitiatorUser[i+1:])
	}
	names := append([]string{t.Name, t.OriginalName}, t.EarlierNames...)
	return n.keep(hosts, users, names)
}

func (n *Narrow) keep(hosts, users, names []string) bool {
	switch {
	case len(n.Hosts) > 0 && !fits(n.Hosts, hosts...),
		len(n.Users) > 0 && !fits(n.Users, users...),
		len(n.Names) > 0 && !fits(n.Names, names...):
		return false
	}
	return !fits(n.Exclude, hosts...) && !fits(n.Exclude, users...) && !fits(n.Exclude, names...)
}

// narrow leaves out what the flags leave out. What was judged stands: a finding is
// printed when one of its transfers is.
func (r *Records) narrow(o *Options) {
	n := &o.Narrow
	if o.From != 0 || o.To != 0 {
		r.leaveOut("outside --from and --to", func(t *model.Transfer) bool { return o.inTime(t.Start, t.End) },
			func(a *model.Access) bool { return o.inTime(a.Time, a.Time) })
	}
	if !n.empty() {
		r.leaveOut("by --host, --user, --name and --exclude", n.transfer, n.access)
	}
}

func (n *Narrow) access(a *model.Access) bool {
	return n.keep(hostWords(a.Source, a.Destination), userWords(a.Domain, a.User), []string{a.Object, a.Object[strings.LastIndexByte(a.Object, '\\')+1:]})
}

// leaveOut keeps the transfers and accesses that are asked for, and what is made of them.
func (r *Records) leaveOut(why string, transfer func(*model.Transfer) bool, access func(*model.Access) bool) {
	printed, before := map[string]bool{}, len(r.Transfers)
	r.Transfers = slices.DeleteFunc(r.Transfers, func(t *model.Transfer) bool { return !transfer(t) })
	for _, t := range r.Transfers {
		printed[t.ID] = true
	}
	if out := before - len(r.Transfers); out > 0 {
		r.Summary.LeftOut[why] += int64(out)
	}
	r.Accesses = slices.DeleteFunc(r.Accesses, func(a *model.Access) bool { return !access(a) })
	r.Findings = slices.DeleteFunc(r.Findings, func(f *model.Finding) bool {
		return !slices.ContainsFunc(f.Transfers, func(id string) bool { return printed[id] })
	})
	for _, f := range r.Findings {
		printed[f.ID] = true
	}
	r.Incidents = slices.DeleteFunc(r.Incidents, func(i *model.Incident) bool {
		return !slices.ContainsFunc(i.Findings, func(id string) bool { return printed[id] })
	})
	r.Artifacts = slices.DeleteFunc(r.Artifacts, func(a *model.Artifact) bool {
		return !slices.ContainsFunc(a.Sightings, func(s model.Sighting) bool { return printed[s.Transfer] })
	})
}
