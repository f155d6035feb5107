package judge

import "waybill/internal/model"

// distributor speaks for files of a kind that their sender hands out to many hosts, on
// many days: deployment, backup, scanners. It is bounded, and falls away when the host
// begins to hand out what it never did.
func distributor() Analytic {
	return &rule[struct{}]{name: "distributor", key: programMoved, look: lookDistributor, able: needsHistory}
}

func lookDistributor(s struct{}, e Event) (struct{}, []Mark) {
	nats, text := distributorNats(e.Usual, e.Transfer.Operation == model.Push, e.Content != "")
	if nats == 0 {
		return s, nil
	}
	t := e.Transfer
	return s, []Mark{{Family: "benign", Analytic: "distributor", Transfer: t.ID, Time: e.Time, Nats: nats, Text: text, Evidence: t.Evidence}}
}

// distributorNats says how usual it is that the host hands out such a file; told is
// whether anything tells its content.
func distributorNats(u *Usual, push, told bool) (float64, string) {
	g := u.giving(push)
	nats, text := 0.0, g.why(u)
	switch {
	case g.kind == kindHabit && !told:
		nats, text = distributorBlind, text+"; nobody tells its content"
	case g.kind == kindHabit && u.Days >= watched && !u.Content.Known():
		nats, text = distributorFresh, text+", and never with this content"
	case g.kind == kindHabit:
		nats = distributorKnown
	case !push:
	case g.kind == kindAgain:
		nats = distributorAgain
	case g.host == hostSteady:
		nats = distributorLong
	case g.host == hostHands:
		nats = distributorNew
	case g.kind == kindTwice:
		nats = distributorTwice
	}
	return nats, text
}
