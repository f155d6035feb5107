package judge

import (
	"fmt"
	"strings"

	"waybill/internal/model"
)

// roleBreak marks programs that go where the roles of their ends send none: from one
// workstation to another, from a server to a workstation, to a domain controller.
func roleBreak() Analytic {
	return &rule[struct{}]{name: "role-break", key: programMoved, look: lookRole, able: needsRoles}
}

func lookRole(s struct{}, e Event) (struct{}, []Mark) {
	t := e.Transfer
	if t.Channel == "http" && e.Usual.Gives.Known() || t.Operation == model.Copy {
		return s, nil // peers of updates
	}
	giver, taker := role(t.Source.Role), role(t.Destination.Role)
	how := ""
	switch {
	case giver == "" || taker == "":
	case giver == "workstation" && taker == "workstation":
		how = "from one workstation to another"
	case t.Operation == model.Push && giver == "server" && taker == "workstation":
		how = "pushed from a server to a workstation"
	case t.Operation == model.Push && giver == "workstation" && taker == "domain controller":
		how = "pushed from a workstation to a domain controller"
	}
	giving := e.Usual.giving(t.Operation == model.Push)
	if how == "" || e.Usual.Pair.Days >= usualDays || giving.host > hostStranger || giving.kind == kindHabit {
		return s, nil
	}
	return s, []Mark{{Family: "novelty", Analytic: "role-break", Transfer: t.ID, Time: e.Time, Nats: roleBroken,
		Text: fmt.Sprintf("a program went %s (%s to %s)", how, t.Source.Name(), t.Destination.Name()), Evidence: t.Evidence}}
}

// role is a role among those that matter here; "" for what is not known.
func role(s string) string {
	switch s = strings.ToLower(s); s {
	case "workstation", "client", "laptop", "desktop":
		return "workstation"
	case "domain controller", "dc":
		return "domain controller"
	case "server", "file server", "web server", "print server", "database":
		return "server"
	}
	return ""
}

// needsRoles: roles are said by --assets or by what hosts do.
func needsRoles(c *model.Coverage) model.Ableness {
	if able := needsFiles(c); able.Able == "unable" {
		return able
	}
	return model.Ableness{Able: "partly", Why: "roles are those of --assets, or what hosts seem to be by what they do"}
}
