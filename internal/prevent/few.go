package prevent

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
)

// What few hosts of a role do, and hardly any other begins to, can be denied to the rest:
// intruders come from the rest. How many begin to is what the second half of the window
// shows; of no event in n days three may still come in the next n (the rule of three, at 95 %).
const (
	maxFew      = 8    // that go on; more are not few
	unexpected  = 1e-4 // of a day's moves: how many that begin to a denial may break
	ruleOfThree = 3
)

// families are services that the same few administer with: who does so over one will over others.
var families = [][]string{{"smb", "rpc", "winrm", "rdp"}, {"ssh"}}

// family is the number of the family of a service, -1 for none.
func family(service string) int {
	return slices.IndexFunc(families, func(f []string) bool { return slices.Contains(f, service) })
}

// fewKey is a role, another one that some of it administer, and the family of services.
type fewKey struct{ from, to, family int }

// few are the hosts of a role that administer those of another one.
type few struct {
	hosts []int32
	used  map[int32]bool // services
	deny  bool           // the others of the role
}

// covers says whether the few have rules for a service, and the others are denied it.
func (f *few) covers(service int32) bool { return f.deny && len(f.hosts) > 0 && f.used[service] }

// fewOf looks for them, once for each key.
func (r *ruler) fewOf(k fewKey) *few {
	f := r.few[k]
	if f == nil {
		f = &few{used: map[int32]bool{}}
		r.few[k] = f
		if k.family >= 0 && r.window && r.isRole(k.from) && r.isRole(k.to) {
			r.look(k, f)
		}
	}
	return f
}

func (r *ruler) look(k fewKey, f *few) {
	begun := map[int32]uint64{} // days on which each did so
	for _, service := range families[k.family] {
		t := triple{k.from, k.to, r.number(service)}
		if r.triples[t] == nil || r.openTo[t] || r.shares(t) {
			continue
		}
		f.used[t.service] = true
		for p, tally := range r.triples[t].pairs {
			if tally.good.moves > 0 && !r.allowed(r.groups[k.from].Name, r.name(p[1]), service) {
				begun[p[0]] |= tally.good.on
			}
		}
	}
	half, newcomers := (r.l.days+1)/2, 0
	for h, on := range begun {
		f.hosts = append(f.hosts, h)
		if bits.TrailingZeros64(on) >= half {
			newcomers++
		}
	}
	slices.SortFunc(f.hosts, func(a, b int32) int { return cmp.Compare(r.name(a), r.name(b)) })
	isFew := len(f.hosts) <= maxFew && len(f.hosts)*shareOfClients <= r.size[k.from]
	f.deny = isFew && r.bearable(newcomers, r.l.days-half, isPeer(r.groups[k.to].Role))
}

// bearable says whether so many that begin to in so many days make a denial break less than it
// may. Of peers it is known before that they do not administer each other (T1021).
func (r *ruler) bearable(newcomers, days int, peers bool) bool {
	expected := float64(newcomers)
	if !peers {
		expected += ruleOfThree
	}
	return expected/float64(max(1, days)) <= unexpected*float64(r.l.moves)/float64(r.l.days)
}

// shares says whether what a role does over SMB with hosts that nobody sits at is to use
// their shares: then others of it will, too. To administer is what few do.
func (r *ruler) shares(k triple) bool {
	if r.service(k) != "smb" || isPeer(r.groups[k.to].Role) {
		return false
	}
	admin, all := 0, 0
	for _, t := range r.triples[k].pairs {
		if t.good.moves > 0 {
			all++
			if t.admin {
				admin++
			}
		}
	}
	return admin*2 < all
}

// allowed says whether a rule lets it pass already.
func (r *ruler) allowed(from, to, service string) bool {
	return slices.ContainsFunc(r.allow, func(x Rule) bool { return x.From == from && x.To == to && x.Service == service })
}

// ofFew are the rules where few administer: theirs, and what denies it to the others of their
// role. Peers have denials of their own.
func (r *ruler) ofFew() (theirs, others []Rule) {
	for from := range r.groups {
		for to := range r.groups {
			for i := range families {
				f := r.fewOf(fewKey{from, to, i})
				if !f.deny || len(f.hosts) == 0 {
					continue
				}
				a, b := r.rulesOfFew(fewKey{from, to, i}, f)
				theirs, others = append(theirs, a...), append(others, b...)
			}
		}
	}
	return theirs, others
}

func (r *ruler) rulesOfFew(k fewKey, f *few) (theirs, others []Rule) {
	peers := isPeer(r.groups[k.to].Role)
	for _, service := range families[k.family] {
		t := triple{k.from, k.to, r.number(service)}
		if t.service < 0 || r.openTo[t] || !peers && !f.used[t.service] {
			continue
		}
		for _, h := range f.hosts {
			if !r.allowed(r.name(h), r.groups[k.to].Name, service) {
				theirs = append(theirs, r.goesOn(t, h))
			}
		}
		if !peers {
			why := fmt.Sprintf("%d of %d %s administer them (above), and in %d days hardly any began to", len(f.hosts), r.size[k.from], r.groups[k.from].Name, r.l.days)
			others = append(others, Rule{From: r.groups[k.from].Name, To: r.groups[k.to].Name, Service: service, Action: Deny, Why: why})
		}
	}
	return theirs, others
}

// goesOn is the rule of one of the few: what it did and not yet did is a candidate, as before.
func (r *ruler) goesOn(k triple, host int32) Rule {
	x := Rule{From: r.name(host), To: r.groups[k.to].Name, Service: r.service(k), Action: Candidate, Why: "one of few that administer them"}
	pairs := map[[2]int32]*tally{}
	if u := r.triples[k]; u != nil {
		for p, t := range u.pairs {
			if p[0] == host && t.good.moves > 0 {
				pairs[p] = t
			}
		}
	}
	x.Pairs, x.Days = len(pairs), daysOf(pairs)
	fill(&x, r.l.channels.list, pairs)
	return x
}
