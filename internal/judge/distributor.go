package judge

import (
	"fmt"

	"waybill/internal/model"
)

// distributor speaks for files of a kind that their sender hands out to many hosts, on
// many days: deployment, backup, scanners. It is bounded, and falls away when the host
// begins to hand out what it never did.
func distributor() Analytic {
	return &rule[struct{}]{name: "distributor", key: programMoved, look: lookDistributor, able: needsHistory}
}

func lookDistributor(s struct{}, e Event) (struct{}, []Mark) {
	nats, text := distributorNats(e.Usual, e.Transfer.Operation == model.Push)
	if nats == 0 {
		return s, nil
	}
	t := e.Transfer
	return s, []Mark{{Family: "benign", Analytic: "distributor", Transfer: t.ID, Time: e.Time, Nats: nats, Text: text, Evidence: t.Evidence}}
}

// distributorNats says how usual it is that the host hands out such a file.
func distributorNats(u *Usual, push bool) (float64, string) {
	switch {
	case u.habit() && u.Days >= watched && !u.Content.Known():
		return distributorFresh, fmt.Sprintf("this kind of file went so from the same host on %d days, to %d hosts, and never with this content", u.Family.Days, u.FamilyHosts)
	case u.habit():
		return distributorKnown, fmt.Sprintf("this kind of file went so from the same host on %d days, to %d hosts", u.Family.Days, u.FamilyHosts)
	case !push:
		return 0, ""
	case u.hands() && u.Family.Days >= usualDays && u.FamilyHosts >= manyHosts && u.GivesTo >= manyGiven:
		return distributorFew, fmt.Sprintf("the host hands out programs to %d hosts, of this kind on %d days, to %d", u.GivesTo, u.Family.Days, u.FamilyHosts)
	case u.Family.Days >= usualDays:
		return distributorAgain, u.again()
	case !u.hands() && u.Family.Days >= againDays:
		return distributorTwice, u.again()
	case !u.hands():
		return 0, ""
	}
	nats := distributorNew
	if u.Gives.Days >= steadyDays {
		nats = distributorLong
	}
	return nats, fmt.Sprintf("the host hands out programs to %d hosts, on %d days", u.GivesTo, u.Gives.Days)
}

// again says how often it went so before: whoever looks at findings has seen some of it.
func (u *Usual) again() string {
	return fmt.Sprintf("this kind of file went so from the same host on %d days before, to %d hosts: findings have told it", u.Family.Days, u.FamilyHosts)
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
