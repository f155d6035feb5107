package judge

import (
	"strings"

	"waybill/internal/history"
	"waybill/internal/model"
)

// watched is for how many days the ends of a transfer must have been seen before
// anything between them can be called new.
const watched = 3

// sureDays is for how many that what is new counts in full.
const sureDays = 10

// lookup asks the history about a transfer.
func (j *Judge) lookup(e *Event) Usual {
	n, f, at := j.usual, &e.Facts, e.Time
	u := Usual{at: at, Bare: e.Transfer.Company == noMaker && shareKind(e.Transfer) == ""}
	if !f.Program {
		return u // documents and what nobody looks at
	}
	from, to, actor, other := n.Name(f.From), n.Name(f.To), n.Name(f.Actor), n.Name(f.Other)
	way, none := n.Name(f.Way), n.Name("")
	since := func(host history.Name) float64 {
		use := n.UseOf(history.Host, host, none, none, at)
		if !use.Known() || use.First >= at {
			return 0
		}
		return float64(at-use.First) / float64(Window)
	}
	// A host that nobody saw before is new itself; what counts is how long the other
	// was watched, and the network.
	u.Days = max(since(from), since(to))
	if first, _, days := n.Span(); days > 0 {
		u.Days = min(u.Days, float64(at-first)/float64(Window))
	}
	u.Pair = n.UseOf(history.Pair, actor, way, other, at)
	u.AnyPair = n.UseOf(history.AnyPair, actor, none, other, at)
	u.Sender = n.UseOf(history.Sender, actor, way, none, at)
	u.SenderHosts = n.PeersOf(history.Pair, actor, way)
	if f.User != "" {
		user := n.Name(f.User)
		u.Account = n.UseOf(history.Account, user, way, none, at)
		u.AccountOn = n.UseOf(history.AccountOn, user, none, actor, at)
		u.ToldOn = n.UseOf(history.ToldOn, user, none, actor, at).Known()
	}
	if t := e.Transfer; t.Tool != "" {
		u.Utility = n.UseOf(history.Utility, n.Name(t.InitiatorUser), n.Name(t.Tool), actor, at)
	}
	if f.giver() != "" {
		family := n.Name(f.Family)
		u.Gives = n.UseOf(history.Gives, from, way, none, at)
		u.GivesTo = n.PeersOf(history.GivesTo, from, way)
		u.Family = n.UseOf(history.Family, from, way, family, at)
		u.GiverTakes = n.UseOf(history.Sender, from, way, none, at)
		u.FamilyHosts = n.PeersOf(history.FamilyTo, from, family)
	}
	if stem := stem(f.From); stem != "" {
		called := n.Name(stem)
		u.Called = n.PeersOf(history.Called, called, none)
		u.CalledGive = n.UseOf(history.CalledTo, called, way, none, at)
		u.CalledGivers = n.PeersOf(history.CalledTo, called, way) - 1 // "" is all together
	}
	if f.Kind != "" {
		kind := n.Name(f.Kind)
		u.Kind = n.UseOf(history.GivenBy, kind, way, none, at)
		u.KindBy = n.UseOf(history.GivenBy, kind, way, from, at)
		u.KindGivers = n.PeersOf(history.GivenBy, kind, way) - 1 // "" is all together
	}
	if f.People != "" {
		people, chore := n.Name(f.People), n.Name(f.Chore)
		u.Chore = n.UseOf(history.Chore, people, chore, none, at)
		u.ChoreBy = n.UseOf(history.Chore, people, chore, from, at)
		u.ChoreGivers = n.PeersOf(history.Chore, people, chore) - 1 // "" is all together
		u.ChoreHosts = n.PeersOf(history.ChoreTo, people, chore)
	}
	u.Meets = n.PeersOf(history.Meets, other, way)
	if f.Content != "" {
		content := n.Name(f.Content)
		u.Told = n.UseOf(history.Told, content, none, none, at).Known()
		u.Content = n.UseOf(history.Content, content, none, none, at)
		u.ContentHosts = n.PeersOf(history.ContentAt, content, none)
	}
	return u
}

// learn takes a transfer as usual.
func (j *Judge) learn(f *Facts, t *model.Transfer, at model.Time) {
	if !f.Program && (!done(t) || j.today.seen(f.exchange, at)) {
		return // everyday life: that it was today is known
	}
	if j.set.Learned == nil || !j.set.Learned(t) {
		j.learnInto(j.usual, f, t, at)
	}
}

func (j *Judge) learnInto(n *history.Normal, f *Facts, t *model.Transfer, at model.Time) {
	if !done(t) {
		return
	}
	n.Learn(history.Host, f.From, "", "", at)
	n.Learn(history.Host, f.To, "", "", at)
	if stem := stem(f.Actor); stem != "" {
		n.Learn(history.Called, stem, "", f.Actor, at)
	}
	n.Learn(history.AnyPair, f.Actor, "", f.Other, at)
	if user := j.facts.accounts.of(t); user != "" {
		n.Learn(history.AccountOn, user, "", f.Actor, at)
	}
	if t.Tool != "" {
		n.Learn(history.Utility, t.InitiatorUser, t.Tool, f.Actor, at)
	}
	if f.Program {
		learnProgram(n, f, at)
	}
}

// learnProgram takes a program as usual between its hosts, by its account, on them.
func learnProgram(n *history.Normal, f *Facts, at model.Time) {
	n.Learn(history.Meets, f.Other, f.Way, f.Actor, at)
	n.Learn(history.Pair, f.Actor, f.Way, f.Other, at)
	n.Learn(history.Sender, f.Actor, f.Way, "", at)
	if f.User != "" {
		n.Learn(history.Account, f.User, f.Way, "", at)
	}
	if f.Content != "" {
		n.Learn(history.Content, f.Content, "", "", at)
		n.Learn(history.ContentAt, f.Content, "", f.From, at)
		n.Learn(history.ContentAt, f.Content, "", f.To, at)
	}
}

// count takes what a host hands out as its habit, whatever is held against it: a
// distributor is known by what it does on many days, to many hosts.
func (j *Judge) count(f *Facts, t *model.Transfer, at model.Time) {
	n := j.usual
	if !f.Program || !done(t) || j.set.Learned != nil && j.set.Learned(t) {
		return
	}
	if giver := f.giver(); giver != "" {
		n.Learn(history.Gives, giver, f.Way, "", at)
		n.Learn(history.GivesTo, giver, f.Way, f.To, at)
		if stem := stem(giver); stem != "" {
			n.Learn(history.Called, stem, "", giver, at)
			n.Learn(history.CalledTo, stem, f.Way, "", at)
			n.Learn(history.CalledTo, stem, f.Way, giver, at)
		}
		n.Learn(history.Family, giver, f.Way, f.Family, at)
		n.Learn(history.FamilyTo, giver, f.Family, f.To, at)
		if f.Kind != "" {
			n.Learn(history.GivenBy, f.Kind, f.Way, "", at)
			n.Learn(history.GivenBy, f.Kind, f.Way, giver, at)
		}
		if f.People != "" {
			n.Learn(history.Chore, f.People, f.Chore, "", at)
			n.Learn(history.Chore, f.People, f.Chore, giver, at)
			n.Learn(history.ChoreTo, f.People, f.Chore, f.To, at)
		}
	}
}

// told takes a transfer that is not learned as seen, and no more: that it was there is known,
// and nothing is trusted for it.
func (j *Judge) told(f *Facts, t *model.Transfer, at model.Time) {
	if !done(t) || j.set.Learned != nil && j.set.Learned(t) {
		return
	}
	if f.Content != "" {
		j.usual.Learn(history.Told, f.Content, "", "", at)
	}
	if f.User != "" {
		j.usual.Learn(history.ToldOn, f.User, "", f.Actor, at)
	}
}

// done says whether a transfer came to something, as far as is known.
func done(t *model.Transfer) bool {
	return (t.Status == model.Done || t.Status == model.Interrupted || t.Status == model.Claimed) && (t.Operation != model.Copy || t.Initiator == model.ByOther)
}

// giver is the host that hands a file out: its source, unless nobody knows its kind.
func (f *Facts) giver() string {
	if f.Family == "" {
		return ""
	}
	return f.From
}

// stem is the letters that the name of a host begins with, before its number: hosts for one
// purpose are numbered. It is "" where there is no number.
func stem(host string) string {
	end := strings.IndexFunc(host, func(r rune) bool { return r < 'a' || r > 'z' })
	if end < 2 {
		return ""
	}
	if number := strings.TrimLeft(host[end:], "-_"); number == "" || number[0] < '0' || number[0] > '9' {
		return ""
	}
	return host[:end]
}
