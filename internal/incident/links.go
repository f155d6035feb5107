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
	togetherGap = hour
	atOnceGap   = hour / 6

	// clockError is by how much the clocks of two sensors may differ.
	clockError model.Time = 10e9
)

// manyOrigins is from how many hosts on an artifact is a tool that people use.
const manyOrigins = 3

// groups puts together what belongs together. What has to do with everybody links
// nothing by itself, common servers, tools of administration and everyday accounts, else
// the file server of a site would make one incident of all that ever happens there.
//
// What links any two findings: one artifact that is part of one of worth, unless it is a tool that people have from
// many places, which links only as it goes from host to host; and a hop, when one brought
// something to the host from which the other was done. What links two findings of medium
// or above: the same host at work within hours; or an account together with something
// else that they share. A weaker finding of the same host at work joins as context and
// links nothing further.
func groups(all []*member, usual *everyday, window model.Time) [][]*member {
	u := union(all)
	from := origins(all)
	for i, m := range all {
		m.group = i
		m.worthy = slices.DeleteFunc(slices.Clone(m.Artifacts), func(a string) bool { return from[a] == 0 })
		m.serious = m.core() || slices.ContainsFunc(m.worthy, func(a string) bool { return from[a] < manyOrigins })
	}
	fetchedByMany(all)
	u.alike(artifactGap, func(m *member) []string { return m.artifactKeys(from) })
	u.alike(artifactGap, func(m *member) []string { return only(m.core(), m.actor, m.file) })
	u.alike(day, func(m *member) []string { return only(m.core(), m.giver, m.file) })
	u.hops(usual, window)
	u.alike(actorGap, func(m *member) []string { return only(m.acts(usual), m.actor) })
	u.alike(accountGap, func(m *member) []string { return only(m.acts(usual) && usual.idle(m.account), m.account) })
	u.alike(actorGap, func(m *member) []string {
		return only(m.core() && !m.fetched && usual.personal(m.account), m.account, m.actor)
	})
	u.alike(victimGap, func(m *member) []string {
		var keys []string
		for _, host := range m.reached() {
			keys = append(keys, only(m.core() && usual.personal(m.account) && !usual.server(host), m.account, host)...)
		}
		return keys
	})
	u.alike(togetherGap, func(m *member) []string { return m.together(usual, false) })
	u.alike(atOnceGap, func(m *member) []string { return m.together(usual, true) })
	return u.collect(usual)
}

// together are the ways on which something of worth was put: two files that one host puts on
// another within the hour belong together, also where one of them is a server. A host whose
// business it is to turn to many brings many things that way: but few things to few hosts so soon
// after each other under one account (at once).
func (m *member) together(usual *everyday, atOnce bool) []string {
	if atOnce && len(m.reached()) >= serves {
		return nil // software distribution, whatever it hands out
	}
	var keys []string
	for _, t := range m.moves {
		actor, account := hostKey(t.Actor()), ""
		if atOnce {
			account = cmp.Or(strings.ToLower(t.Account()), "-")
		}
		if t.Operation == model.Push && landed(t) && (atOnce || !usual.tool(actor)) {
			keys = append(keys, only(m.core() && actor != hostKey(t.Destination), actor, hostKey(t.Destination), "as "+account)...)
		}
	}
	return keys
}

// acts says whether the host at work did something of worth that is not its business.
func (m *member) acts(usual *everyday) bool { return m.core() && m.onItsOwn(usual) }

// onItsOwn says whether what was done tells something of the host that did it.
func (m *member) onItsOwn(usual *everyday) bool {
	return m.actor != "" && !m.fetched && !usual.tool(m.actor) && !usual.server(m.actor)
}

// fetchedByMany notes which findings are of what a crowd fetched.
func fetchedByMany(all []*member) {
	by := map[string]few{}
	for _, m := range all {
		for _, a := range m.Artifacts {
			for _, t := range m.moves {
				by[a] = by[a].with(hostKey(t.Destination), crowd)
			}
		}
	}
	for _, m := range all {
		pulled := !slices.ContainsFunc(m.moves, func(t *model.Transfer) bool { return t.Operation != model.Pull })
		m.fetched = pulled && slices.ContainsFunc(m.Artifacts, func(a string) bool { return len(by[a]) >= crowd })
	}
}

// artifactKeys are what findings of one artifact have in common.
func (m *member) artifactKeys(origins map[string]int) []string {
	var out []string
	for _, a := range m.worthy {
		if origins[a] < manyOrigins {
			out = append(out, a)
			continue
		}
		for _, t := range m.moves {
			out = append(out, only(true, a, hostKey(t.Source))...)
		}
	}
	return out
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
	time   model.Time
	member int
	did    bool
	why    []string // for which it may be part of a hop
}

// Why something that came to a host explains what is done from there: it was started
// there; the account is the same; both are findings of worth; or it is what is passed on.
const (
	byStart   = "start"
	byWorth   = "worth"
	byAccount = "account "
	byFile    = "file "
)

// hops joins a member that brought something to a host with those that were then done
// from there.
func (u union) hops(usual *everyday, window model.Time) {
	visits := map[string][]visit{}
	add := func(host string, v visit) {
		if host != "" && len(v.why) > 0 {
			visits[host] = append(visits[host], v)
		}
	}
	for i, m := range u {
		add(m.actor, visit{m.start, i, true, m.whyDid(usual)})
		for _, t := range m.moves {
			if !landed(t) {
				continue
			}
			if h := hostKey(t.Source); h != m.actor {
				add(h, visit{begin(t), i, true, m.files()})
			}
			if h := hostKey(t.Destination); h != m.actor || t.Operation == model.Pull { // it may pass it on
				add(h, visit{begin(t) - clockError, i, false, m.whyCame(t, usual)})
			}
		}
	}
	for _, at := range visits {
		slices.SortFunc(at, func(a, b visit) int { return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.member, b.member)) })
		u.through(at, window)
	}
}

// whyDid gives the reasons for which what a host did may come from what came to it.
func (m *member) whyDid(usual *everyday) []string {
	out := m.files()
	if m.fetched || usual.tool(m.actor) {
		return out
	}
	if m.core() {
		out = append(out, byStart)
		if !usual.server(m.actor) {
			out = append(out, byWorth)
		}
	}
	if usual.personal(m.account) {
		out = append(out, byAccount+m.account)
	}
	return out
}

// whyCame gives the reasons for which what came to a host may explain what it then does.
// What comes to a crowd explains nothing of any one of it, and what a host fetched itself
// only when it is of worth.
func (m *member) whyCame(t *model.Transfer, usual *everyday) []string {
	out := m.files()
	if m.fetched || usual.crowded(m.actor) || t.Operation == model.Pull && !m.serious {
		return out
	}
	if m.serious {
		if len(t.Executed) > 0 {
			out = append(out, byStart)
		}
		if !usual.server(hostKey(t.Destination)) {
			out = append(out, byWorth)
		}
	}
	if account := personal(t); usual.personal(account) {
		out = append(out, byAccount+account)
	}
	return out
}

// files are the artifacts as reasons.
func (m *member) files() []string {
	var out []string
	for _, a := range m.worthy {
		out = append(out, byFile+a)
	}
	return out
}

// through joins what came to one host with what was done from it later. What has been
// joined for one reason is kept as its latest alone, which holds longest.
func (u union) through(at []visit, window model.Time) {
	came := map[string][]visit{}
	for _, v := range at {
		for _, why := range v.why {
			if !v.did {
				came[why] = append(came[why], v)
				continue
			}
			long := window
			if strings.HasPrefix(why, byFile) {
				long = artifactGap
			}
			came[why] = u.follow(came[why], v, long)
		}
	}
}

// follow joins what was done with what came within a time, and gives what is to be kept
// of that.
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
		}
		if m.acts(usual) {
			work[m.actor] = append(work[m.actor], i)
		}
	}
	trees := map[int][]*member{}
	var roots []int
	for i, m := range u {
		root := u.find(i)
		if !strong[root] {
			if !m.onItsOwn(usual) {
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
