package incident

import (
	"cmp"
	"slices"
	"strings"

	"waybill/internal/model"
)

// How near in time findings have to be that share something.
const (
	hour model.Time = 3600e9
	day             = 24 * hour

	artifactGap = 7 * day  // a file goes on to the next host: one host a day and slower
	actorGap    = 6 * hour // an intruder at work on one host
	accountGap  = 2 * hour
	victimGap   = 6 * hour

	// clockError is by how much the clocks of two sensors may differ.
	clockError model.Time = 10e9
)

// groups puts together what belongs together. A common server or an everyday account
// links nothing by itself: else the file server of a site would make one incident of
// all that ever happens there.
//
// What links any two findings: the same artifact; and a hop, when one brought something
// to the host from which the other was done. What links two findings of medium or above:
// the same host at work within hours; or an account together with something else that
// they share. A weaker finding of the same host at work joins as context and links
// nothing further.
func groups(all []*member, usual *everyday, window model.Time) [][]*member {
	u := union(all)
	for i := range all {
		all[i].group = i
	}
	u.alike(artifactGap, func(m *member) []string { return m.Artifacts })
	u.hops(usual, window)
	u.alike(actorGap, func(m *member) []string { return only(m.core() && !usual.server(m.actor), m.actor) })
	u.alike(accountGap, func(m *member) []string { return only(m.core() && usual.idle(m.account), m.account) })
	u.alike(actorGap, func(m *member) []string { return only(m.core() && usual.personal(m.account), m.account, m.actor) })
	u.alike(victimGap, func(m *member) []string {
		var keys []string
		for _, host := range m.reached() {
			keys = append(keys, only(m.core() && usual.personal(m.account) && !usual.server(host), m.account, host)...)
		}
		return keys
	})
	return u.collect(usual)
}

// only gives a key of parts that are all known, when a condition holds.
func only(holds bool, parts ...string) []string {
	if !holds || slices.Contains(parts, "") {
		return nil
	}
	return []string{strings.Join(parts, "\x00")}
}

// reached are the hosts that something came to, other than the one at work.
func (m *member) reached() []string {
	var out []string
	for _, t := range m.moves {
		if h := hostKey(t.Destination); h != m.actor && landed(t) && !slices.Contains(out, h) {
			out = append(out, h)
		}
	}
	return out
}

// landed says whether a file reached its destination, as far as is known.
func landed(t *model.Transfer) bool { return t.Status != model.Denied && t.Status != model.Failed }

// union is a forest over members: those of one tree belong together.
type union []*member

func (u union) find(i int) int {
	for u[i].group != i {
		u[i].group = u[u[i].group].group
		i = u[i].group
	}
	return i
}

// join makes one tree of two; the earlier root stays.
func (u union) join(i, j int) {
	i, j = u.find(i), u.find(j)
	u[max(i, j)].group = min(i, j)
}

// alike joins members that have a key in common and follow each other within a time.
func (u union) alike(gap model.Time, keys func(*member) []string) {
	last := map[string]int{} // by key: the member that lasted longest
	for i, m := range u {
		for _, k := range keys(m) {
			j, ok := last[k]
			if ok && m.start-u[j].end <= gap {
				u.join(i, j)
			}
			if !ok || m.end > u[j].end {
				last[k] = i
			}
		}
	}
}

// visit is a member that brought something to a host, or was done from it.
type visit struct {
	time    model.Time
	member  int
	actor   bool
	started bool   // what came was started there
	account string // under which it came or was done
}

// hops joins a member that brought something to a host with those that were then done
// from there.
func (u union) hops(usual *everyday, window model.Time) {
	visits := map[string][]visit{}
	for i, m := range u {
		if m.actor != "" {
			visits[m.actor] = append(visits[m.actor], visit{time: m.start, member: i, actor: true, account: m.account})
		}
		for _, t := range m.moves {
			if h := hostKey(t.Destination); h != "" && h != m.actor && landed(t) {
				visits[h] = append(visits[h], visit{time: begin(t) - clockError, member: i, started: len(t.Executed) > 0, account: m.account})
			}
		}
	}
	for host, at := range visits {
		slices.SortFunc(at, func(a, b visit) int { return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.member, b.member)) })
		u.through(at, usual.server(host), window)
	}
}

// Why something that came to a host explains what is done from there: it was started
// there; the account is the same; or both are findings of worth. The last does not hold
// for a common server.
const (
	byStart = "start"
	byWorth = "worth"
	byName  = "account "
)

// through joins what came to one host with what was done from it later. What has been
// joined for one reason is kept as its latest alone, which holds longest.
func (u union) through(at []visit, server bool, window model.Time) {
	came := map[string][]visit{}
	for _, v := range at {
		for _, why := range u.why(v, server) {
			if !v.actor {
				came[why] = append(came[why], v)
				continue
			}
			came[why] = u.follow(came[why], v, window)
		}
	}
}

// why gives the reasons for which a visit may be part of a hop.
func (u union) why(v visit, server bool) []string {
	var out []string
	if v.started || v.actor {
		out = append(out, byStart)
	}
	if !server && u[v.member].core() {
		out = append(out, byWorth)
	}
	if v.account != "" {
		out = append(out, byName+v.account)
	}
	return out
}

// follow joins what was done with what came within the window, and gives what is to be
// kept of that.
func (u union) follow(came []visit, did visit, window model.Time) []visit {
	for len(came) > 0 && did.time-came[0].time > window {
		came = came[1:]
	}
	for _, c := range came {
		u.join(c.member, did.member)
	}
	return came[max(len(came)-1, 0):]
}

// collect gives the trees that have a member of worth, each in the order of time.
func (u union) collect(usual *everyday) [][]*member {
	strong, work := map[int]bool{}, map[string][]int{}
	for i, m := range u {
		if m.core() {
			strong[u.find(i)] = true
			work[m.actor] = append(work[m.actor], i)
		}
	}
	trees := map[int][]*member{}
	var roots []int
	for i, m := range u {
		root := u.find(i)
		if !strong[root] {
			if m.actor == "" || usual.server(m.actor) {
				continue
			}
			if root = u.beside(m, work[m.actor]); root < 0 {
				continue
			}
		}
		if trees[root] == nil {
			roots = append(roots, root)
		}
		trees[root] = append(trees[root], m)
	}
	out := make([][]*member, 0, len(roots))
	for _, r := range roots {
		out = append(out, trees[r])
	}
	return out
}

// beside is the tree that a weak member is context of: that of the member of worth by
// the same host that began last before it, or next after it; -1 when both are far.
func (u union) beside(weak *member, work []int) int {
	after, _ := slices.BinarySearchFunc(work, weak.start, func(i int, t model.Time) int { return cmp.Compare(u[i].start, t) })
	best, root := actorGap+1, -1
	for _, at := range [...]int{after - 1, after} {
		if at < 0 || at >= len(work) {
			continue
		}
		o := u[work[at]]
		if apart := max(o.start-weak.end, weak.start-o.end, 0); apart < best {
			best, root = apart, u.find(work[at])
		}
	}
	return root
}
