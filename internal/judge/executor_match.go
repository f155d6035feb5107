package judge

import (
	"fmt"
	"strings"

	"waybill/internal/model"
)

// executorMatch marks files that were written and started by the same host, or
// under the same account.
func executorMatch() Analytic {
	return &rule[starts]{name: "executor-match", key: onHost, look: lookExecutor, able: needsPipes}
}

func lookExecutor(s starts, e Event) (starts, []Mark) {
	if e.Transfer != nil {
		s.Files = remember(s.Files, landed(e.Transfer))
		return s, nil
	}
	a := e.Access
	s.Services, _ = serviceStep(s.Services, a)
	if a.What != "service-start" {
		return s, nil
	}
	for _, l := range programs(s.Files, s.Services[strings.ToLower(a.Object)].Command) {
		if who := sameHand(l, a); who != "" {
			return s, []Mark{{Family: "execution", Analytic: "executor-match", Transfer: l.Transfer, Time: a.Time, Nats: 4,
				Text:     fmt.Sprintf("written and started by the same %s", who),
				Evidence: append(append([]model.Evidence{}, l.Evidence...), a.Evidence...)}}
		}
	}
	return s, nil
}

// sameHand says what the writer and the starter of a file have in common.
func sameHand(l landing, a *model.Access) string {
	user := account(a.Domain, a.User)
	sameUser := user != "" && strings.EqualFold(user, l.User)
	switch {
	case l.From == a.Source.IP && sameUser:
		return fmt.Sprintf("host %s and account %s", a.Source.Name(), user)
	case l.From == a.Source.IP:
		return "host " + a.Source.Name()
	case sameUser:
		return "account " + user
	}
	return ""
}
