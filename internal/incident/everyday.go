package incident

import (
	"cmp"
	"slices"
	"strings"
	"unique"

	"waybill/internal/model"
)

// everyday is what these inputs show of everyday life: who serves many, who turns to
// many, and which accounts are not one person's. What such a host or account has to do
// with another says little: by chance it has to do with everybody.
type everyday struct {
	servers map[string]bool // many hosts turn to it within a day
	crowds  map[string]int  // by host at work: days on which it turned to a crowd
	busy    map[string]int  // the same: days on which it turned to many
	common  map[string]bool // accounts at work on several hosts, or that reach a crowd
	used    map[string]bool // accounts that are at work outside of findings of worth
	tools   map[string]bool // hosts whose role is to turn to others
}

const (
	// serves is how many hosts make a server of the one that they turn to in a day.
	serves = 8
	// works is from how many hosts an account works in a day that is not one person's.
	works = 3
	// crowd is to how many hosts in a day no person turns one by one.
	crowd = 25
	// again is on how many days that makes a tool of the host; once, it may be an
	// intruder's doing. So do more days with as many hosts as make a server.
	again      = 2
	againOften = 3
)

// Words in roles of hosts that many turn to, and of those that turn to many.
var (
	serverRoles = []string{"controller", "file", "print", "update", "nas"}
	toolRoles   = []string{"deploy", "distribut", "backup", "scanner", "sensor"}
)

// few is up to as many different words as matter.
type few []string

func (f few) with(word string, most int) few {
	if len(f) >= most || word == "" || slices.Contains(f, word) {
		return f
	}
	return append(f, word)
}

// Life counts what moved, day by day, by who did it to whom. It grows with the pairs of
// hosts of each day, not with what moved between them.
type Life struct {
	days  map[model.Time]map[touch]int
	roles map[[2]string]bool // of hosts
}

// touch is what a transfer says of everyday life. Words are kept once: there are many
// transfers and few hosts.
type touch struct{ actor, account, source, destination unique.Handle[string] }

func touchOf(t *model.Transfer) touch {
	return touch{unique.Make(hostKey(t.Actor())), unique.Make(personal(t)), unique.Make(hostKey(t.Source)), unique.Make(hostKey(t.Destination))}
}

// Add notes a transfer.
func (l *Life) Add(t *model.Transfer) {
	if l.days == nil {
		l.days, l.roles = map[model.Time]map[touch]int{}, map[[2]string]bool{}
	}
	l.role(t.Source)
	l.role(t.Destination)
	d := begin(t) / day
	if l.days[d] == nil {
		l.days[d] = map[touch]int{}
	}
	l.days[d][touchOf(t)]++
}

// role notes what a host is for.
func (l *Life) role(end model.Endpoint) {
	if end.Role != "" {
		l.roles[[2]string{hostKey(end), end.Role}] = true
	}
}

// everydayOf looks at all that moved, day after day.
func everydayOf(l *Life, members []*member) *everyday {
	e := &everyday{servers: map[string]bool{}, crowds: map[string]int{}, busy: map[string]int{}, common: map[string]bool{}, used: map[string]bool{}, tools: map[string]bool{}}
	suspect := map[model.Time]map[touch]int{}
	for t := range movesOfWorth(members) {
		d := begin(t) / day
		if suspect[d] == nil {
			suspect[d] = map[touch]int{}
		}
		suspect[d][touchOf(t)]++
	}
	for is := range l.roles {
		e.role(is[0], is[1])
	}
	var t today
	for d, touches := range l.days {
		e.note(&t, touches, suspect[d])
	}
	return e
}

// movesOfWorth are the transfers of findings of worth, each once.
func movesOfWorth(members []*member) map[*model.Transfer]bool {
	out := map[*model.Transfer]bool{}
	for _, m := range members {
		for _, t := range m.moves {
			if m.core() {
				out[t] = true
			}
		}
	}
	return out
}

// tally counts with how many different others each has to do.
type tally struct {
	seen  map[[2]string]bool
	count map[string]int
}

func (t *tally) add(who, other string) {
	if t.seen == nil {
		t.seen, t.count = map[[2]string]bool{}, map[string]int{}
	}
	if pair := [2]string{who, other}; !t.seen[pair] {
		t.seen[pair] = true
		t.count[who]++
	}
}

func (t *tally) clear() {
	clear(t.seen)
	clear(t.count)
}

// today is one day: who turned to a host, to whom a host turned, from where an account
// worked, and to whom it turned.
type today struct{ clients, reached, stations, touched tally }

// note looks at what was done on one day, and how much of it is part of findings of worth.
func (e *everyday) note(d *today, touches, suspect map[touch]int) {
	for _, t := range []*tally{&d.clients, &d.reached, &d.stations, &d.touched} {
		t.clear()
	}
	for x, n := range touches {
		actor, account := x.actor.Value(), x.account.Value()
		for _, host := range [...]string{x.source.Value(), x.destination.Value()} {
			if host != actor && host != "" {
				d.clients.add(host, actor)
				d.reached.add(actor, host)
				d.touched.add(account, host)
			}
		}
		if n > suspect[x] {
			e.used[account] = true
			d.stations.add(account, actor)
		}
	}
	for host, n := range d.clients.count {
		if n >= serves {
			e.servers[host] = true
		}
	}
	for actor, n := range d.reached.count {
		if n >= crowd {
			e.crowds[actor]++
		}
		if n >= serves {
			e.busy[actor]++
		}
	}
	for account, n := range d.touched.count {
		if n >= crowd || d.stations.count[account] >= works {
			e.common[account] = true
		}
	}
}

// role notes a host whose role says what it is for.
func (e *everyday) role(host, role string) {
	has := func(words []string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(strings.ToLower(role), w) })
	}
	if has(serverRoles) {
		e.servers[host] = true
	}
	if has(toolRoles) {
		e.tools[host] = true
	}
}

// server says whether many hosts turn to this one.
func (e *everyday) server(host string) bool { return e.servers[host] }

// crowded says whether a host turned to so many that any one of them says nothing.
func (e *everyday) crowded(host string) bool { return e.crowds[host] > 0 || e.tool(host) }

// tool says whether it is the business of a host to turn to many.
func (e *everyday) tool(host string) bool {
	return e.crowds[host] >= again || e.busy[host] >= againOften || e.tools[host]
}

// personal says whether an account is one person's.
func (e *everyday) personal(account string) bool { return account != "" && !e.common[account] }

// idle says whether an account of a domain does nothing here outside the findings. One
// without domain, such as root, is another one on each host.
func (e *everyday) idle(account string) bool {
	return strings.Contains(account, `\`) && e.personal(account) && !e.used[account]
}

// origins counts, by artifact of findings of worth, the hosts that gave it and are not
// seen to have received it before. A tool that many people use has many.
func origins(members []*member) map[string]int {
	type held struct{ artifact, host string }
	var moves []move
	worthy := map[string]bool{}
	for _, m := range members {
		for _, a := range m.Artifacts {
			worthy[a] = worthy[a] || m.core()
		}
	}
	for _, m := range members {
		if len(m.Artifacts) != 1 || !worthy[m.Artifacts[0]] {
			continue
		}
		for _, t := range m.moves {
			moves = append(moves, move{Transfer: t, content: m.Artifacts[0]})
		}
	}
	slices.SortFunc(moves, func(a, b move) int {
		return cmp.Or(cmp.Compare(begin(a.Transfer), begin(b.Transfer)), cmp.Compare(a.ID, b.ID))
	})
	seen, roots, out := map[held]bool{}, map[string]int{}, map[string]int{}
	for _, m := range moves {
		from, to := held{m.content, hostKey(m.Source)}, held{m.content, hostKey(m.Destination)}
		if from.host != "" && !seen[from] {
			roots[m.content]++
		}
		seen[from], seen[to] = true, true
		out[m.content] = max(roots[m.content], 1)
	}
	return out
}
