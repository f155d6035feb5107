package identity

import (
	"fmt"
	"math/bits"
	"strings"
)

// Role is what a host is for.
type Role struct {
	Name       string
	Confidence string // low, medium, high
	Hint       string // the role that its name hints at, "" for none

	why    string // a format
	counts [3]int
}

// Why says in one sentence what the host does that shows it.
func (r Role) Why() string {
	args := make([]any, 0, len(r.counts))
	for _, n := range r.counts[:strings.Count(r.why, "%d")] {
		args = append(args, n)
	}
	return fmt.Sprintf(r.why, args...)
}

// sure grades what was seen: none, low, medium, high.
type sure int

var sureness = [...]string{"", "low", "medium", "high"}

// grade is how sure so many make, by how many are low, medium and high.
func grade(n int, steps ...int) (s sure) {
	for _, step := range steps {
		if n >= step {
			s++
		}
	}
	return s
}

// counts is what a host did in this month and the one before.
type counts struct{ clients, accounts, servers, readers, served, asked, files, byDay, byNight int }

// rules tell each role, the most special first: of equally sure ones the first counts.
// Their steps are estimates, chosen for networks of 100 to 10,000 hosts.
var rules = []struct {
	name  string
	grade func(h *habits, p counts) (sure, string, [3]int)
}{
	{RoleController, controller},
	{RoleHypervisor, func(h *habits, _ counts) (sure, string, [3]int) {
		return 2 * sure(h.Signs&runsGuests/runsGuests), "it copies files into its guests", [3]int{}
	}},
	{RoleDeployment, func(h *habits, _ counts) (sure, string, [3]int) {
		d, w := bits.OnesCount64(h.Deployed.Bits), h.Deployed.weeks()
		return min(grade(d, 2, 3), 1) + grade(w, 2, 3), "on %d days in %d weeks it gave one program to %d or more hosts", [3]int{d, w, deployedTo}
	}},
	{RoleBackup, func(h *habits, p counts) (sure, string, [3]int) {
		if p.byNight < 2*p.byDay {
			return 0, "", [3]int{} // people keep files there
		}
		n := bits.OnesCount64(h.Nights.Bits)
		return grade(n, 1, 2, 4), "in %d nights it collected much of %d or more hosts", [3]int{n, backedUp}
	}},
	{RoleSensor, func(h *habits, p counts) (sure, string, [3]int) {
		n := bits.OnesCount64(h.Hours)
		s := grade(n, 18, 24, 48)
		if h.Deployed.Bits != 0 {
			s = min(s, 1) // the console of a software distribution asks its clients as well
		}
		return s, "in %d of 64 hours, day and night, it asked %d or more hosts and moved little", [3]int{n, somePolled}
	}},
	{RoleScanner, func(h *habits, _ counts) (sure, string, [3]int) {
		n := bits.OnesCount64(h.Sweeps.Bits)
		return grade(n, 1, 2, 4), "on %d days it turned to %d or more hosts within an hour and moved little", [3]int{n, manyHosts}
	}},
	{RolePrint, func(h *habits, p counts) (sure, string, [3]int) {
		return sure(h.Signs&prints/prints) * grade(p.clients, 2, 4, 16), "%d hosts turn to it, for printing", [3]int{p.clients}
	}},
	{RoleFileServer, fileServer},
	{RoleServer, server},
	{RoleWorkstation, workstation},
}

// special is how many of the rules are of special roles: one that is no guess counts
// before that of a server or workstation, however sure that is.
const special = 7

// role is the surest of the roles that fit.
func (m *member) role() Role {
	best, its := Role{Name: RoleUnknown}, sure(0)
	p := m.lately()
	for i := range rules {
		if i == special && its >= 2 {
			break
		}
		s, why, counts := rules[i].grade(&m.habits, p)
		if rules[i].name == RoleWorkstation && m.Desk.Bits == 0 && m.hint != "" && m.hint != RoleWorkstation {
			s = min(s, 1) // its name says otherwise, and nobody was seen at it
		}
		if s > its {
			its = s
			best = Role{Name: rules[i].name, Confidence: sureness[min(s, 3)], why: why, counts: counts}
		}
	}
	return best
}

// controller: only a domain controller issues tickets and keeps SYSVOL. A directory
// may be another program's, and a host may call itself anything.
func controller(h *habits, _ counts) (sure, string, [3]int) {
	says := func(signs uint16) bool { return h.Signs&signs != 0 }
	switch n := bits.OnesCount16(h.Signs & (issuesTickets | answersLDAP | servesLogon | replicates | saysController)); {
	case says(issuesTickets):
		return 3, "it issues Kerberos tickets", [3]int{}
	case n >= 2:
		return 3, "%d signs: it serves SYSVOL, answers LDAP, replicates or says so itself", [3]int{n}
	case says(servesLogon):
		return 2, "it serves SYSVOL or NETLOGON", [3]int{}
	case says(replicates):
		return 2, "it answers calls for the replication of the directory", [3]int{}
	case says(saysController):
		return 2, "it announces itself as a domain controller", [3]int{}
	case says(answersLDAP):
		return 1, "it answers LDAP", [3]int{}
	}
	return 0, "", [3]int{}
}

func fileServer(h *habits, p counts) (sure, string, [3]int) {
	if p.readers*2 < p.servers {
		return 0, "", [3]int{}
	}
	return grade(p.readers, 3, 5, 20), "%d hosts and %d accounts keep %d files on it", [3]int{p.readers, p.accounts, p.files}
}

func server(h *habits, p counts) (sure, string, [3]int) {
	if p.clients < 2*p.servers || p.served < p.asked {
		return 0, "", [3]int{}
	}
	return grade(p.clients, 3, 5, 20), "%d hosts turn to it, and it to %d", [3]int{p.clients, p.servers}
}

// workstation: somebody sits at it, or it turns to others and hardly anybody to it.
func workstation(h *habits, p counts) (sure, string, [3]int) {
	desk := bits.OnesCount64(h.Desk.Bits)
	if desk > 0 && (p.clients < 20 || p.clients < 2*p.servers) {
		return 1 + grade(desk, 1, 3), "on %d days somebody worked at it", [3]int{desk}
	}
	if p.asked >= 3 && p.asked >= 2*p.served && p.clients <= p.servers {
		s := grade(p.asked, 3, 30)
		if h.Sweeps.Bits != 0 {
			s = 1
		}
		return s, "it turned to others %d times, and they to it %d times", [3]int{p.asked, p.served}
	}
	return 0, "", [3]int{}
}

// named are words in names of hosts that hint at what they are for.
var named = map[string]string{
	"dc": RoleController, "pdc": RoleController, "bdc": RoleController, "rodc": RoleController,
	"fs": RoleFileServer, "file": RoleFileServer, "files": RoleFileServer, "fileserver": RoleFileServer, "nas": RoleFileServer,
	"sccm": RoleDeployment, "mecm": RoleDeployment, "wsus": RoleDeployment, "pdq": RoleDeployment, "deploy": RoleDeployment, "distribution": RoleDeployment,
	"bak": RoleBackup, "bkp": RoleBackup, "backup": RoleBackup, "veeam": RoleBackup,
	"esx": RoleHypervisor, "esxi": RoleHypervisor, "hyperv": RoleHypervisor, "hv": RoleHypervisor,
	"prn": RolePrint, "print": RolePrint, "printserver": RolePrint,
	"nessus": RoleScanner, "scan": RoleScanner, "scanner": RoleScanner,
	"zeek": RoleSensor, "sensor": RoleSensor, "suricata": RoleSensor, "nagios": RoleSensor,
	"srv": RoleServer, "server": RoleServer, "svr": RoleServer, "sql": RoleServer, "db": RoleServer, "web": RoleServer, "app": RoleServer, "exch": RoleServer,
	"ws": RoleWorkstation, "wks": RoleWorkstation, "wkst": RoleWorkstation, "workstation": RoleWorkstation, "pc": RoleWorkstation, "desktop": RoleWorkstation,
	"laptop": RoleWorkstation, "lt": RoleWorkstation, "nb": RoleWorkstation, "client": RoleWorkstation,
}

// nameHint is the role that a name hints at, "" for none. That is weak: anybody can
// name a host.
func nameHint(host string) string {
	letter := func(r rune) bool { return r < 'a' || r > 'z' }
	for _, word := range strings.FieldsFunc(Bare(host), letter) {
		if role := named[word]; role != "" {
			return role
		}
	}
	return ""
}

func hinted(role string) Role {
	if role == "" {
		return Role{Name: RoleUnknown, Confidence: "low", why: "nothing that it was seen doing tells"}
	}
	return Role{Name: role, Confidence: "low", Hint: role, why: "only its name hints at it"}
}
