package prevent

import (
	"fmt"
	"strings"

	"waybill/internal/identity"
	"waybill/internal/model"
)

// alarm is moves that nobody wants blocked and that would be.
type alarm struct {
	moves int
	first model.Sample
}

// alarmed notes a move that would not pass if it is one of those.
func (t *sheet) alarmed(all map[string]*alarm, m *Move) {
	what := vital(m)
	if what == "" {
		return
	}
	if all[what] == nil {
		all[what] = &alarm{first: sample(m)}
	}
	all[what].moves++
}

// join adds later moves of the same kind.
func (a *alarm) join(later *alarm) *alarm {
	if a == nil {
		return &alarm{later.moves, later.first}
	}
	a.moves += later.moves
	return a
}

const sysvolReads = "SYSVOL or NETLOGON reads from domain controllers"

// vital names what stops working in the whole network when a move is blocked: logon scripts
// and group policy, software distribution, backup; "" for other moves.
func vital(m *Move) string {
	switch {
	case readsSysvol(m):
		return sysvolReads
	case m.Client.Role == identity.RoleDeployment || m.Server.Role == identity.RoleDeployment || knownDistributor(m):
		return "a known distributor"
	case m.Client.Role == identity.RoleBackup || m.Server.Role == identity.RoleBackup:
		return "backup"
	}
	return ""
}

// readsSysvol says whether a client fetches from what only domain controllers serve.
func readsSysvol(m *Move) bool {
	share := ""
	switch {
	case m.Transfer != nil && !m.Push:
		share = m.Transfer.Share
	case m.Access != nil:
		share = m.Access.Share
	}
	switch strings.ToLower(lastElement(share)) {
	case "sysvol", "netlogon":
		return m.Server.Role == identity.RoleController || m.Server.Role == "" // a name proves nothing of another
	}
	return m.Channel == "gpo" && !m.Push
}

// knownDistributor says whether a finding was held back since its source hands out such files
// every week.
func knownDistributor(m *Move) bool {
	if m.Finding == nil {
		return false
	}
	for _, r := range m.Finding.Reasons {
		if r.Analytic == "distributor" && r.Nats < 0 {
			return true
		}
	}
	return false
}

// told are the warnings as sentences, in the order of their names.
func told(all map[string]*alarm) (out []string) {
	for _, what := range sortedKeys(all) {
		a := all[what]
		text := fmt.Sprintf("%s: %d", what, a.moves)
		if a.moves > 1 {
			text += " times, first"
		} else {
			text += " time,"
		}
		text += fmt.Sprintf(" %s to %s at %v", a.first.Client, a.first.Server, a.first.Time)
		if a.first.What != "" {
			text += " (" + a.first.What + ")"
		}
		out = append(out, text)
	}
	return out
}

// bars says which roles a policy denies what none of a domain can do without, also where no
// move of the inputs shows it: to read policies and logon scripts (MS-GPOL 3.2.5.1).
func bars(p *Policy, f *Filter) string {
	var denied []string
	for i := range p.Groups {
		to := &p.Groups[i]
		if to.Role != identity.RoleController {
			continue
		}
		for j := range p.Groups {
			from := &p.Groups[j]
			m := Move{Client: someOf(from), Server: someOf(to), Service: "smb", Channel: "smb"}
			m.Server.Port = 445
			if from.Role != "" && i != j && f.Decide(&m).Outcome == Denied {
				denied = append(denied, from.Name+" > "+to.Name)
			}
		}
	}
	if len(denied) == 0 {
		return ""
	}
	return sysvolReads + ", by a rule for SMB: " + strings.Join(denied, ", ")
}

// someOf is an end that is of a group.
func someOf(g *Group) (e model.Endpoint) {
	switch {
	case len(g.Hosts) > 0 && g.Hosts[0].Name != "":
		e.Host = g.Hosts[0].Name
	case len(g.Hosts) > 0 && len(g.Hosts[0].Addresses) > 0:
		e.IP = model.AddrOf(g.Hosts[0].Addresses[0])
	case len(g.Networks) > 0:
		e.IP = model.AddrOf(g.Networks[0].Addr())
	}
	return e
}
