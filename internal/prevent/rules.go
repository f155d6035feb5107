package prevent

import (
	"cmp"
	"fmt"
	"slices"

	"waybill/internal/identity"
	"waybill/internal/model"
)

// What makes rules of roles out of pairs. These are estimates: a quarter of a role is more
// than an intruder uses before a finding tells, and eight hosts of one role do not use a
// service by chance; servers of a role differ, so half of them have to offer it. With
// fewer than three hosts a role is its hosts.
const (
	shareOfClients = 4 // a quarter
	shareOfServers = 2 // half
	someHosts      = 3
	manyHosts      = 8
	severalDays    = 2
)

// lateral are the services that filters between peers are advised for (T1021; Microsoft's
// guidance on Windows Defender Firewall and lateral movement): no peer has them for others.
var lateral = []string{"smb", "rpc", "winrm", "rdp", "ssh"}

// window says whether there are days enough to say that something does not happen.
func (l *Learner) window() bool { return l.days >= severalDays && l.to-l.from >= model.Time(24*3600e9) }

// Policy is the policy of the moves until now. The learner can go on after it.
func (l *Learner) Policy() *Policy {
	g := l.group()
	r := &ruler{l: l, grouping: g, management: map[int32]bool{}, window: l.window()}
	p := &Policy{Version: PolicyVersion, Groups: g.groups, Services: l.servicesOf(),
		Learned: &Learned{From: l.from, To: l.to, Days: l.days, Moves: l.moves, LeftOut: l.leftOut, Lost: l.lost}}
	p.Management, p.Learned.Management = r.manage()
	r.uses()
	p.Rules = r.rules()
	p.Learned.Undenied = r.undenied
	return p
}

// servicesOf are the known services, and the ports of their own that were seen.
func (l *Learner) servicesOf() []Service {
	out := slices.Clone(KnownServices)
	own := slices.Sorted(slices.Values(l.services.list))
	for _, name := range own {
		if _, err := ParsePorts(name); err == nil {
			out = append(out, Service{Name: name, Ports: []string{name}})
		}
	}
	return out
}

// ruler makes rules of what was tallied.
type ruler struct {
	l *Learner
	*grouping
	management map[int32]bool
	window     bool
	triples    map[triple]*use
	allow      []Rule
	single     []candidatePair
	rest       map[triple][]candidatePair
	openTo     map[triple]bool // a rule of role and role lets it pass
	undenied   int             // pairs past maxBadPairs
	few        map[fewKey]*few
}

// triple is what rules are about: group, group, service.
type triple struct {
	from, to int
	service  int32
}

// use is what the pairs of a triple did.
type use struct {
	pairs map[[2]int32]*tally
}

// candidatePair is a pair that may become a rule of its own.
type candidatePair struct {
	pair [2]int32
	of   triple
	*tally
}

// uses sorts the pairs by triples, without aliases.
func (r *ruler) uses() {
	r.triples = map[triple]*use{}
	for p, t := range r.l.pairs {
		c, s := r.alias[p.client], r.alias[p.server]
		if c == s {
			continue
		}
		k := triple{r.of[c], r.of[s], p.service}
		u := r.triples[k]
		if u == nil {
			u = &use{map[[2]int32]*tally{}}
			r.triples[k] = u
		}
		if old := u.pairs[[2]int32{c, s}]; old != nil {
			t = old.with(t)
		}
		u.pairs[[2]int32{c, s}] = t
	}
}

// with is two tallies in one.
func (t *tally) with(o *tally) *tally {
	sum := *t
	sum.good.merge(o.good)
	sum.bad.merge(o.bad)
	sum.push, sum.pull, sum.needed, sum.admin = t.push || o.push, t.pull || o.pull, t.needed || o.needed, t.admin || o.admin
	sum.channels |= o.channels
	sum.worst = max(t.worst, o.worst)
	if o.finding != "" && (sum.finding == "" || o.finding < sum.finding) {
		sum.finding = o.finding
	}
	return &sum
}

// rules are all rules, in the order in which they count: what is allowed, what was seen and
// is not, what is denied.
func (r *ruler) rules() []Rule {
	r.rest, r.openTo, r.few = map[triple][]candidatePair{}, map[triple]bool{}, map[fewKey]*few{}
	keys := r.sortedTriples()
	for _, k := range keys {
		r.generalise(k, r.triples[k])
	}
	out := r.allow
	out = append(out, r.pairRules()...)
	goOn, few := r.ofFew()
	single, roles := r.denials(keys, few)
	out = append(out, single...) // before what is left of their roles, which is a candidate
	out = append(out, goOn...)
	out = append(out, r.restRules(keys)...)
	return append(out, roles...)
}

func (r *ruler) sortedTriples() []triple {
	keys := make([]triple, 0, len(r.triples))
	for k := range r.triples {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b triple) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to), cmp.Compare(r.service(a), r.service(b)))
	})
	return keys
}

func (r *ruler) service(k triple) string { return r.l.services.list[k.service] }

// generalise makes the widest rules that the history of a triple shows, and leaves the rest
// to rules of pairs.
func (r *ruler) generalise(k triple, u *use) {
	left := map[[2]int32]*tally{}
	for p, t := range u.pairs {
		if t.good.moves > 0 {
			left[p] = t
		}
	}
	if len(left) == 0 {
		return
	}
	if r.needed(left, k) || r.isRole(k.from) && r.isRole(k.to) && r.behaves(left, k) {
		r.openTo[k] = true
		r.rule(k, r.groups[k.from].Name, r.groups[k.to].Name, left, u, r.whyRoles(k, left))
		return
	}
	if r.isRole(k.from) {
		r.toServers(k, u, left)
	}
	if r.isRole(k.to) {
		r.fromClients(k, u, left)
	}
	for p, t := range left {
		c := candidatePair{p, k, t}
		if r.enough(k, t) {
			r.single = append(r.single, c)
		} else {
			r.rest[k] = append(r.rest[k], c)
		}
	}
}

// isRole says whether the hosts of a group have something in common.
func (r *ruler) isRole(group int) bool { return r.groups[group].Name != Others }

// of counts the different clients (0) or servers (1) of pairs.
func endsOf(pairs map[[2]int32]*tally, which int) map[int32][]*tally {
	out := map[int32][]*tally{}
	for p, t := range pairs {
		out[p[which]] = append(out[p[which]], t)
	}
	return out
}

// daysOf is on how many days any of them did so.
func daysOf[K comparable](pairs map[K]*tally) int {
	var all habit
	for _, t := range pairs {
		all.merge(t.good)
	}
	return all.days()
}

// behaves says whether pairs show that the one role does so with the other one.
func (r *ruler) behaves(pairs map[[2]int32]*tally, k triple) bool {
	clients, servers := len(endsOf(pairs, 0)), len(endsOf(pairs, 1))
	return r.lasting(pairs) && many(clients, r.size[k.from], shareOfClients) && servers*shareOfServers >= r.size[k.to]
}

// needed says whether pairs are what a domain, a distributor or a backup cannot do without.
func (r *ruler) needed(pairs map[[2]int32]*tally, k triple) bool {
	return r.provides(pairs, k) != "" || r.readsPolicies(pairs, k)
}

// readsPolicies says whether pairs show members of a domain at its controllers. All members
// do so, whatever else they are.
func (r *ruler) readsPolicies(pairs map[[2]int32]*tally, k triple) bool {
	if r.groups[k.to].Role != identity.RoleController {
		return false
	}
	for _, t := range pairs {
		if t.needed {
			return true
		}
	}
	return false
}

// provides is the role of a host among pairs, "" for none, that gives all hosts something or
// collects from all. A name that hints at it is not enough, and nobody has to administer it.
func (r *ruler) provides(pairs map[[2]int32]*tally, k triple) string {
	for side, group := range [...]int{k.from, k.to} {
		role := r.groups[group].Role
		if role != identity.RoleDeployment && role != identity.RoleBackup || side == 1 && r.service(k) != "smb" && slices.Contains(lateral, r.service(k)) {
			continue
		}
		for p := range pairs {
			if r.sure[p[side]] {
				return role
			}
		}
	}
	return ""
}

// lasting says whether it happened on several days, where there are several.
func (r *ruler) lasting(pairs map[[2]int32]*tally) bool {
	return !r.window || daysOf(pairs) >= severalDays
}

// many says whether so many hosts of a role speak for it.
func many(n, of, share int) bool {
	return n >= manyHosts || n == of || n >= someHosts && n*share >= of || n*2 >= of && n > 1
}

// toServers makes rules of a role to single servers that many of it use.
func (r *ruler) toServers(k triple, u *use, left map[[2]int32]*tally) {
	r.toSingle(k, u, left, 1, func(theirs map[[2]int32]*tally) bool {
		return len(theirs) > 1 && many(len(theirs), r.size[k.from], shareOfClients)
	})
}

// fromClients makes rules of single hosts to a role, many of which they turn to.
func (r *ruler) fromClients(k triple, u *use, left map[[2]int32]*tally) {
	r.toSingle(k, u, left, 0, func(theirs map[[2]int32]*tally) bool {
		return len(theirs) > 1 && many(len(theirs), r.size[k.to], shareOfClients)
	})
}

// toSingle makes rules between a role and a single host, the client (0) or the server (1).
func (r *ruler) toSingle(k triple, u *use, left map[[2]int32]*tally, which int, enough func(map[[2]int32]*tally) bool) {
	byHost := map[int32]map[[2]int32]*tally{}
	for p, t := range left {
		if byHost[p[which]] == nil {
			byHost[p[which]] = map[[2]int32]*tally{}
		}
		byHost[p[which]][p] = t
	}
	for _, h := range r.byName(byHost) {
		theirs := byHost[h]
		if !enough(theirs) || !r.lasting(theirs) {
			continue
		}
		from, to := r.groups[k.from].Name, r.name(h)
		why := fmt.Sprintf("%d of %d turn to it", len(theirs), r.size[k.from])
		if which == 0 {
			from, to = r.name(h), r.groups[k.to].Name
			why = fmt.Sprintf("it turns to %d of %d", len(theirs), r.size[k.to])
		}
		r.rule(k, from, to, theirs, u, why)
		for p := range theirs {
			delete(left, p)
		}
	}
}

func (r *ruler) byName(hosts map[int32]map[[2]int32]*tally) []int32 {
	out := make([]int32, 0, len(hosts))
	for h := range hosts {
		out = append(out, h)
	}
	slices.SortFunc(out, func(a, b int32) int { return cmp.Compare(r.name(a), r.name(b)) })
	return out
}

// name is what a rule calls a host.
func (r *ruler) name(host int32) string {
	return r.l.hosts[host].end.Name()
}

func (r *ruler) whyRoles(k triple, pairs map[[2]int32]*tally) string {
	why := fmt.Sprintf("%d of %d turn to %d of %d", len(endsOf(pairs, 0)), r.size[k.from], len(endsOf(pairs, 1)), r.size[k.to])
	if r.needed(pairs, k) {
		why += "; none can do without: " + cmp.Or(r.provides(pairs, k), "SYSVOL")
	}
	return why
}

// rule adds a rule that pairs allow.
func (r *ruler) rule(k triple, from, to string, pairs map[[2]int32]*tally, u *use, why string) {
	x := Rule{From: from, To: to, Service: r.service(k), Action: Allow, Why: why, Pairs: len(pairs), Days: daysOf(pairs)}
	fill(&x, r.l.channels.list, pairs)
	if n := badIn(u, from, to, r, k); n > 0 {
		x.Why += letsPass(n)
	}
	r.allow = append(r.allow, x)
}

// badIn counts the moves of findings that a rule lets pass.
func badIn(u *use, from, to string, r *ruler, k triple) (n int) {
	for p, t := range u.pairs {
		if (from == r.groups[k.from].Name || from == r.name(p[0])) && (to == r.groups[k.to].Name || to == r.name(p[1])) {
			n += t.bad.moves
		}
	}
	return n
}

// fill writes what pairs did into a rule.
func fill[K comparable](x *Rule, channels []string, pairs map[K]*tally) {
	push, pull, bits := false, false, uint32(0)
	for _, t := range pairs {
		push, pull, bits = push || t.push, pull || t.pull, bits|t.channels
		x.Moves += t.good.moves
	}
	if pull {
		x.Directions = append(x.Directions, model.Pull)
	}
	if push {
		x.Directions = append(x.Directions, model.Push)
	}
	for i, c := range channels {
		if bits&(1<<i) != 0 && c != "" {
			x.Channels = append(x.Channels, c)
		}
	}
	slices.Sort(x.Channels)
}
