package judge

import (
	"fmt"

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
	nats, text := edgeNats(&e.Usual, e.Facts.User, e.Way)
	if nats == 0 {
		return s, nil
	}
	t := e.Transfer
	return s, []Mark{{Family: "novelty", Analytic: "new-edge", Transfer: t.ID, Time: e.Time, Nats: nats,
		Text: fmt.Sprintf(text, t.Source.Name(), t.Destination.Name()), Evidence: t.Evidence}}
}

// edgeNats says how new an exchange is.
func edgeNats(u *Usual, user, way string) (nats float64, text string) {
	switch {
	case u.Days < watched:
		return 0, ""
	case u.Pair.Days >= usualDays:
		return usualEdge, fmt.Sprintf("%%s and %%s do so (%s) on many days: %d so far", way, u.Pair.Days)
	case u.Pair.Known():
		return 0, ""
	case u.habit() || u.Sender.Days >= watched && u.SenderHosts >= manyReached:
		return 0, "" // it reaches out to ever new hosts
	case u.Meets >= manyMeet:
		return newAtServer, fmt.Sprintf("no program went between %%s and %%s this way (%s) in %.0f days, with others it did", way, u.Days)
	case u.Sender.Known() || user != "" && u.Account.Days >= watched:
		return newPair, fmt.Sprintf("no program went from %%s to %%s this way (%s) in %.0f days, to others it did", way, u.Days)
	case u.AnyPair.Known():
		return newWay, fmt.Sprintf("%%s and %%s exchanged files before, but no program this way (%s) in %.0f days", way, u.Days)
	case user != "" && !u.AccountOn.Known():
		return newAll, fmt.Sprintf("in %.0f days nothing went between %%s and %%s, and the account was never seen on the host that asked", u.Days)
	}
	return newNever, fmt.Sprintf("in %.0f days nothing went between %%s and %%s, and no program this way (%s) to any host", u.Days, way)
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
