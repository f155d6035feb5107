package judge

import (
	"fmt"
	"strings"

	"waybill/internal/model"
)

// executorMatch marks files that were written and started by the same host, or
// under the same account.
func executorMatch() Analytic {
	return &rule[starts]{name: "executor-match", key: onHostOrStarted, look: lookExecutor, able: needsPipes}
}

func lookExecutor(s starts, e Event) (starts, []Mark) {
	if e.Transfer != nil {
		if smbPush(e) {
			s.Files = remember(s.Files, e.landing(), e.window())
		}
		if e.Service || e.Transfer.Operation == model.Pull && e.Transfer.Tool == "" {
			return s, nil // it is there to be started; who opens a file, reads it
		}
		return s, sameAccountMarks(e.Transfer)
	}
	a := e.Access
	l, by := s.launch(e)
	if !l.starts {
		return s, nil
	}
	for _, l := range programs(s.Files, by.Command) {
		if executionName(l.Name) {
			continue
		}
		if who := sameHand(l, a); who != "" {
			return s, []Mark{{Family: "execution", Analytic: "executor-match", Transfer: l.Transfer, Time: a.Time, Nats: sameExecutor,
				Text:     fmt.Sprintf("written and started by the same %s", who),
				Evidence: append(append([]model.Evidence{}, l.Evidence...), a.Evidence...)}}
		}
	}
	return s, nil
}

// sameAccountMarks marks a file that the logs of its destination show started by
// the account that wrote it.
func sameAccountMarks(t *model.Transfer) []Mark {
	writer := t.Account()
	for _, x := range t.Executed {
		if sameAccount(x.User, writer) {
			return []Mark{{Family: "execution", Analytic: "executor-match", Transfer: t.ID, Time: x.Time, Nats: sameExecutor,
				Text:     "written and started by the same account " + writer,
				Evidence: append(append([]model.Evidence{}, t.Evidence...), x.Evidence...)}}
		}
	}
	return nil
}

// sameAccount compares accounts; one without domain fits any of its name. Those
// of the system itself say nothing of who was at work.
func sameAccount(a, b string) bool {
	domainA, userA := cutAccount(a)
	domainB, userB := cutAccount(b)
	if userA == "" || !strings.EqualFold(userA, userB) || strings.EqualFold(userA, "system") || strings.HasSuffix(userA, "$") {
		return false
	}
	return domainA == "" || domainB == "" || sameDomain(domainA, domainB)
}

// sameDomain compares names of domains: NTLM and the logs of hosts have the NetBIOS
// name, Kerberos the DNS name as its realm, of which the first label is the other
// unless somebody chose another one.
func sameDomain(a, b string) bool {
	if strings.Contains(a, ".") != strings.Contains(b, ".") {
		a, _, _ = strings.Cut(a, ".")
		b, _, _ = strings.Cut(b, ".")
	}
	return strings.EqualFold(a, b)
}

func cutAccount(s string) (domain, user string) {
	i := strings.LastIndexByte(s, '\\')
	return s[:max(i, 0)], s[i+1:]
}

// sameHand says what the writer and the starter of a file have in common.
func sameHand(l *landing, a *model.Access) string {
	user := account(a.Domain, a.User)
	domain, name := cutAccount(l.User)
	sameUser := user != "" && strings.EqualFold(a.User, name) && sameDomain(a.Domain, domain)
	switch {
	case l.From == hostKey(a.Source) && sameUser:
		return fmt.Sprintf("host %s and account %s", a.Source.Name(), user)
	case l.From == hostKey(a.Source):
		return "host " + a.Source.Name()
	case sameUser:
		return "account " + user
	}
	return ""
}
