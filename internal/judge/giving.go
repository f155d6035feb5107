package judge

import "fmt"

// How usual it is that a host hands out such a file. What distributor, new-edge and
// role-break say rests on it: they differ in what it is worth to them.

// standing is a host's among those that hand out programs.
type standing uint8

const (
	hostStranger standing = iota // nobody knows that it does, or would
	hostCalled                   // those that are called like it do
	hostHands                    // it does, to many hosts, on many days
	hostSteady                   // for a week of work, or longer
)

// custom is how often a kind of file went so from the same host.
type custom uint8

const (
	kindFresh custom = iota // once at most
	kindTwice               // on two days: who looks at findings has seen it
	kindAgain               // on more
	kindHabit               // and to many hosts
)

// giving is both.
type giving struct {
	host standing
	kind custom
}

// giving says how usual it is that the source hands out such a file, or that it is asked
// for it. That others are called like it tells nothing where it was asked.
func (u *Usual) giving(push bool) giving {
	var g giving
	switch {
	case u.hands() && u.Gives.Days >= steadyDays:
		g.host = hostSteady
	case u.hands():
		g.host = hostHands
	case push && u.peersGive():
		g.host = hostCalled
	}
	switch {
	case u.habit():
		g.kind = kindHabit
	case u.kindDays() >= usualDays:
		g.kind = kindAgain
	case u.kindDays() >= againDays:
		g.kind = kindTwice
	}
	return g
}

// known says whether anything speaks for it.
func (g giving) known() bool { return g.host > hostStranger || g.kind > kindFresh }

// why says what does.
func (g giving) why(u *Usual) string {
	switch {
	case g.kind == kindHabit && u.choreDone():
		return fmt.Sprintf("such people put scripts there on %d days, from %d of their hosts, on %d others", u.Chore.Days, u.ChoreGivers, u.ChoreHosts)
	case g.kind == kindHabit:
		return fmt.Sprintf("this kind of file went so from the same host on %d days, to %d hosts", u.Family.Days, u.FamilyHosts)
	case g.kind == kindAgain || g.kind == kindTwice && g.host < hostHands:
		return fmt.Sprintf("this kind of file went so from the same host on %d days before: findings have told it", u.kindDays())
	case g.host >= hostHands:
		return fmt.Sprintf("the host hands out programs to %d hosts, on %d days", u.GivesTo, u.Gives.Days)
	case g.host == hostCalled:
		return fmt.Sprintf("%d hosts that are called like the source hand out programs so", u.CalledGivers)
	}
	return ""
}

// hands says whether the source gives programs to many hosts, on many days: it is an
// administrator's, or one of deployment.
func (u *Usual) hands() bool {
	return u.Gives.Days >= usualDays && u.GivesTo >= manyReached || u.weekly()
}

// weekly says whether it reached very many some days ago, as what scans by the week does.
func (u *Usual) weekly() bool {
	return u.GivesTo >= manyAtOnce && u.at-u.Gives.First >= someDays
}

// peersGive says whether hosts that are called like the source hand out programs so: a
// quarter of them, on many days, as administrators' and helpdesks' do.
func (u *Usual) peersGive() bool {
	return u.CalledGive.Days >= usualDays && u.CalledGivers >= max(fewPeers, u.Called/4)
}

// habit says whether the source hands this kind of file to many hosts, on many days.
// An intruder who takes one host a day has been reported on some of them by then.
func (u *Usual) habit() bool {
	if u.Bare && u.Days >= watched && !u.Content.Known() {
		return false // software that is handed out names its maker
	}
	return u.choreDone() || u.Family.Days >= usualDays && u.FamilyHosts >= manyReached ||
		u.FamilyHosts >= manyAtOnce && u.at-u.Family.First >= someDays
}

// kindDays is on how many days this kind of file went so from the host: of scripts any that
// the same people put there.
func (u *Usual) kindDays() uint16 { return max(u.Family.Days, u.ChoreBy.Days) }

// usurps says whether the source hands out what few others are known to hand out on many
// days, and it never did.
func (u *Usual) usurps() bool {
	return u.Kind.Days >= usualDays && u.KindGivers <= fewGivers && !u.KindBy.Known()
}

// reaches says whether the host that asked reaches out to ever new ones.
func (u *Usual) reaches() bool {
	return u.habit() || u.weekly() || u.Sender.Days >= usualDays && u.SenderHosts >= manyReached
}
