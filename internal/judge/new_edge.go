package judge

import (
	"fmt"
	"math"

	"waybill/internal/model"
)

// newEdge marks programs between hosts, or by an account, that never exchanged any
// before. It counts only where both were watched for days, and less where the host
// that asked does so with ever new ones. What they do every day speaks for them.
func newEdge() Analytic {
	return &rule[struct{}]{name: "new-edge", key: programMoved, look: lookEdge, able: needsHistory}
}

// programMoved keys transfers of programs by the host that opened the exchange.
func programMoved(e Event) string {
	if e.Transfer == nil || !e.landed() || !e.Program || e.Actor == "" || e.Other == "" || e.Actor == e.Other || e.Transfer.Scope == model.ScopeInbound {
		return ""
	}
	return e.Actor
}

func lookEdge(s struct{}, e Event) (struct{}, []Mark) {
	t := e.Transfer
	nats, text := e.Usual.edge(e.Facts.User, t.Operation == model.Pull, t.Operation == model.Push && shareKind(t) == "policy")
	if e.Usual.usurps() && newGiver > nats {
		nats, text = newGiver, fmt.Sprintf("files of this kind (%s) come from %d other hosts, on %d days, and never came from this one", e.Kind, e.Usual.KindGivers, e.Usual.Kind.Days)
	}
	if nats == 0 {
		return s, nil
	}
	return s, []Mark{{Family: "novelty", Analytic: "new-edge", Transfer: t.ID, Time: e.Time, Nats: nats, Techniques: strangersTechnique(&e, nats),
		Text: fmt.Sprintf("%s, %s: %s", t.Source.Name()+" and "+t.Destination.Name(), e.Way, text), Evidence: t.Evidence}}
}

// strangersTechnique is that of an account which was never seen on the host that asked.
func strangersTechnique(e *Event, nats float64) []string {
	if nats <= newPair || !e.Usual.stranger(e.Facts.User) || serviceAccount(e.Facts.User) {
		return nil
	}
	return validAccounts(e.Transfer)
}

// stranger says whether an account was never seen on the host that asked.
func (u *Usual) stranger(user string) bool { return user != "" && !u.AccountOn.Known() && !u.ToldOn }

// edge says how new an exchange of a program is.
func (u *Usual) edge(user string, pull, policy bool) (nats float64, text string) {
	if u.Days < watched || u.Pair.Known() && u.Pair.Days < usualDays {
		return 0, ""
	}
	if u.Pair.Known() {
		if nats = usualEdge; pull {
			nats = usualPull
		}
		if pull && !u.Family.Known() {
			return 0, "" // of this kind it gave nothing to anybody
		}
		return nats, fmt.Sprintf("so on many days, %d so far", u.Pair.Days)
	}
	nats, text = u.unseen(user, pull, policy)
	return math.Round(10*nats*u.surety()) / 10, text
}

// unseen says how new it is that two hosts exchange a program that never did. A pull is
// the doing of who offers the file as much as of who fetches it. That hosts read the
// policies of their domain says nothing of who writes them.
func (u *Usual) unseen(user string, pull, policy bool) (nats float64, text string) {
	days, giver := fmt.Sprintf(" in %.0f days", u.Days), u.giving(!pull)
	offers := pull && !u.Gives.Known()
	nothing := "nothing ever went between them"
	if policy && u.AnyPair.Known() {
		nothing = "nobody wrote to the domain's policies from there"
	}
	switch {
	case u.reaches():
		return 0, ""
	case u.Meets >= manyMeet && !offers:
		return newAtServer, "never" + days + ", though others do with the same host"
	case offers:
		return newNever, "the source gave no program to anybody so" + days
	case !pull && giver.known():
		return newPair, "never" + days + ", though " + giver.why(u)
	case u.Sender.Known() || user != "" && u.Account.Days >= usualDays:
		return newPair, "never" + days + ", with others it did"
	case u.AnyPair.Known() && !policy:
		return newWay, "never" + days + ", though they exchanged other files"
	case u.stranger(user):
		return newAll, nothing + days + u.butTold() + ", and the account was never seen on the host that asked"
	}
	return newNever, nothing + days + ", and no program so from the host that asked" + u.butTold()
}

// butTold says that findings told of such programs from the host, which nobody trusts for it.
func (u *Usual) butTold() string {
	if u.Gives.Known() || u.ToldOn {
		return ", but for what findings told"
	}
	return ""
}

// surety is how much days of watching tell of what is new: after sureDays all.
func (u *Usual) surety() float64 {
	return 0.5 + 0.5*min(1, (u.Days-watched)/(sureDays-watched))
}

// needsHistory: what is new shows after some days.
func needsHistory(c *model.Coverage) model.Ableness {
	if able := needsFiles(c); able.Able == "unable" {
		return able
	}
	return model.Ableness{Able: "partly", Why: withoutHistory}
}

// withoutHistory is why novelty shows only in part.
const withoutHistory = "without --history only what these inputs show of earlier days is known"
