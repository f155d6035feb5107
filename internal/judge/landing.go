package judge

import (
	"slices"
	"strings"

	"waybill/internal/model"
)

// landing is a file that was written to a host over the network.
type landing struct {
	Transfer string           `json:"transfer"`
	Time     model.Time       `json:"time"`
	From     string           `json:"from"` // the host that wrote it
	User     string           `json:"user"`
	Share    string           `json:"share"`
	Path     string           `json:"path"` // below the share, lower case, with backslashes
	Name     string           `json:"name"`
	Shown    string           `json:"shown"` // as it was sent
	Evidence []model.Evidence `json:"evidence"`
}

// maxLandings bounds the files remembered of one host.
const maxLandings = 4096

// landing is the one of a transfer: the same for all analytics where the judge made it.
func (e *Event) landing() *landing {
	if e.put != nil {
		return e.put
	}
	return newLanding(e.Transfer)
}

func newLanding(t *model.Transfer) *landing {
	return &landing{Transfer: t.ID, Time: t.End, From: hostKey(t.Source), User: t.Account(),
		Share: lastElement(t.Share), Path: pathKey(t.Path), Name: strings.ToLower(t.Name), Shown: t.Path, Evidence: t.Evidence}
}

// remember adds a landing and forgets those out of the window, which are the
// first ones: events come in the order of time. The list passed in is given up.
func remember(all []*landing, l *landing, window model.Time) []*landing {
	old := 0
	for old < len(all) && (l.Time-all[old].Time > window || len(all)-old >= maxLandings) {
		old++
	}
	clear(all[:old]) // or the list would hold them
	return append(all[old:], l)
}

// hostKey is what the state of a host is kept under: its name where one is known,
// else its address.
func hostKey(e model.Endpoint) string {
	if e.Host != "" {
		return strings.ToLower(e.Host)
	}
	return e.IP.String()
}

// launcher is something that starts a program on a host at another's word: a
// Windows service or a scheduled task, as calls describe it.
type launcher struct {
	Command  string           `json:"command"`
	Evidence []model.Evidence `json:"evidence"`
}

// smbPush says whether an event is a file written to a share.
func smbPush(e Event) bool {
	return e.moved() && e.Transfer.Operation == model.Push && strings.HasPrefix(e.Transfer.Channel, "smb")
}

// launch is how one kind of access starts programs.
type launch struct {
	how        string // the word of Execution.How
	starts     bool   // the program is started; else only made ready
	techniques []string
}

// launches are the calls that make, change or start something that runs a program
// (MS-SCMR, MS-TSCH, MS-WMI, MS-WSMV, MS-OAUT, MS-RRP).
var launches = map[string]launch{
	"service-create": {"service", false, []string{"T1543.003"}},
	"service-change": {"service", false, []string{"T1543.003"}},
	"service-start":  {"service", true, []string{"T1569.002", "T1543.003"}},
	"task-create":    {"task", false, []string{"T1053.005"}},
	"task-run":       {"task", true, []string{"T1053.005"}},
	"wmi-exec":       {"wmi", true, []string{"T1047"}},
	"winrm-exec":     {"winrm", true, []string{"T1021.006"}},
	"registry-set":   {"registry", false, []string{"T1547.001"}},
	"dcom-exec":      {"dcom", true, []string{"T1021.003"}},
}

// launched gives how an accepted call starts programs.
func launched(e Event) (launch, bool) {
	if e.Access == nil || strings.HasPrefix(e.Access.Status, "error") {
		return launch{}, false
	}
	l, ok := launches[e.Access.What]
	return l, ok
}

// onHost keys what lands on and is started on a host.
func onHost(e Event) string {
	switch {
	case smbPush(e):
		return e.To
	case e.Access != nil:
		if _, ok := launched(e); ok {
			return hostKey(e.Access.Destination)
		}
	}
	return ""
}

// programs gives the landings that a service's command runs, newest first: those
// whose place on disk fits it, else, for a command that names no folder, those
// of that name.
func programs(all []*landing, command string) []*landing {
	var out []*landing
	line := pathKey(strings.Trim(command, ` "`))
	for _, l := range slices.Backward(all) {
		if l.runBy(line) {
			out = append(out, l)
		}
	}
	return out
}

// runBy says whether a command line (as pathKey gives it) names the file. The
// share stands for a folder whose own name is not always known, so what counts
// is the path below it.
func (l *landing) runBy(line string) bool {
	at := strings.Index(line, l.Name)
	if at < 0 || l.Name == "" || !endsWord(line[at+len(l.Name):]) {
		return false
	}
	if at > 0 && !strings.ContainsRune(`\" =`, rune(line[at-1])) {
		return false
	}
	before := line[:at]
	folder := strings.TrimSuffix(l.Path, l.Name)
	if root, ok := adminRoot(l.Share); ok && root != "" && strings.Contains(before, `\`) {
		return strings.HasSuffix(before, folder) && strings.Contains(before, root)
	}
	return strings.HasSuffix(before, folder) || !strings.Contains(before, `\`)
}

func endsWord(rest string) bool { return rest == "" || strings.ContainsRune(`" ,`, rune(rest[0])) }

// adminRoot says whether a share is an administrative one and what stands for it
// at the beginning of a local path, lower case; "" when that is not fixed.
func adminRoot(share string) (root string, ok bool) {
	s := strings.ToLower(share)
	switch {
	case s == "admin$":
		return "", true // %SystemRoot%, which can be any folder
	case len(s) == 2 && s[1] == '$' && s[0] >= 'a' && s[0] <= 'z':
		return s[:1] + ":", true
	case s == "sysvol" || s == "netlogon":
		return "", true
	}
	return "", false
}

// pathKey makes paths comparable: lower case, backslashes, without one at the start.
func pathKey(path string) string {
	return strings.TrimLeft(strings.ToLower(strings.ReplaceAll(path, "/", `\`)), `\`)
}

// lastElement is the share's own name of a tree path.
func lastElement(share string) string {
	share = strings.TrimRight(share, `\`)
	return share[strings.LastIndexByte(share, '\\')+1:]
}

func account(domain, user string) string {
	if domain == "" || user == "" {
		return user
	}
	return domain + `\` + user
}
