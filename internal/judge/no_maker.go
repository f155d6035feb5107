package judge

// noMaker is how logs say that a program names nobody who made it (Sysmon 1).
const noMaker = "-"

// nobodyMade marks programs that software distribution hands out and that name no maker,
// in logs that tell the makers of others: packages are signed, or at least name theirs.
func nobodyMade() Analytic {
	return &rule[struct{}]{name: "no-maker", key: ofNobody, look: lookMaker, able: needsPipes}
}

func ofNobody(e Event) string {
	t := e.Transfer
	if programMoved(e) == "" || t.Channel != "deploy" || t.Company != noMaker || e.Usual.Content.Known() {
		return ""
	}
	return e.To
}

func lookMaker(s struct{}, e Event) (struct{}, []Mark) {
	t := e.Transfer
	return s, []Mark{{Family: "file", Analytic: "no-maker", Transfer: t.ID, Time: t.End, Nats: madeByNobody, Evidence: t.Evidence,
		Text: "software distribution handed out a program that names no maker"}}
}
