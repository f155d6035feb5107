package judge

import (
	"strings"

	"waybill/internal/model"
)

// toolPull marks executable content that a host fetched from another one which
// does not serve many.
func toolPull() Analytic {
	return &rule[serves]{name: "tool-pull", key: pulledFrom, look: lookPull, able: needsFiles}
}

// serves is the hosts that one host gave programs to.
type serves struct {
	Hosts map[string]bool `json:"hosts"`
}

// servesMany is how many hosts a file server or distributor serves.
const servesMany = 5

func pulledFrom(e Event) string {
	if !e.Runs || !e.moved() || e.Transfer.Operation != model.Pull || e.Transfer.Scope != model.ScopeInternal || e.From == e.To {
		return ""
	}
	switch shareKind(e.Transfer) {
	case "print":
		return ""
	case "policy":
		if e.Transfer.Type == "script" || e.Usual.Content.Known() || e.Usual.Days < watched && scriptName(e.Transfer.Name) {
			return "" // logon scripts
		}
	}
	return e.From
}

func lookPull(s serves, e Event) (serves, []Mark) {
	t := e.Transfer
	if shareKind(t) == "policy" {
		nats := policyPull
		if e.Usual.Days < watched {
			nats = policySeen
		}
		return s, []Mark{{Family: "channel", Analytic: "tool-pull", Transfer: t.ID, Time: t.End, Nats: nats, Techniques: []string{"T1484.001"},
			Text: "a program " + unseen(e.Usual) + "fetched from " + lastElement(t.Share) + ", as group policy hands it out", Evidence: t.Evidence}}
	}
	if m, ok := placeMark(&e); ok {
		return s, []Mark{m}
	}
	if shareKind(t) == "admin" && t.Tool != "" {
		return s, []Mark{{Family: "channel", Analytic: "tool-pull", Transfer: t.ID, Time: t.End, Nats: adminRead, Techniques: []string{"T1021.002"},
			Text: "a command read a program from the administrative share " + lastElement(t.Share) + " of another host", Evidence: t.Evidence}}
	}
	if s.Hosts == nil {
		s.Hosts = map[string]bool{}
	}
	if len(s.Hosts) < servesMany {
		s.Hosts[e.To] = true
	}
	fresh := e.Usual.Days >= watched && !e.Usual.Content.Known() && !e.Usual.habit()
	if len(s.Hosts) >= servesMany && !fresh {
		return s, nil
	}
	nats := pulledTool
	if fetchedBySystem(t) && !e.Usual.Gives.Known() {
		nats = pulledHost
	}
	if seenProgram(t) && shareKind(t) == "" && t.Channel != "nfs" && !e.Usual.Gives.Known() {
		nats = pulledSeen
	}
	return s, []Mark{{Family: "channel", Analytic: "tool-pull", Transfer: t.ID, Time: t.End, Nats: nats, Techniques: pullTechniques[t.Channel],
		Text: "executable content fetched from " + t.Source.Name() + serving(fresh && len(s.Hosts) >= servesMany, e.Usual.Told), Evidence: t.Evidence}}
}

// fetchedBySystem says whether the system of a host fetched a file, at no user's word: under
// the account of its host.
func fetchedBySystem(t *model.Transfer) bool {
	return strings.HasSuffix(t.User, "$")
}

// pullTechniques are those that channels are.
var pullTechniques = map[string][]string{"bits": {"T1197"}, "deploy": {"T1072"}}

// placeMark marks programs that are fetched in a way that few are: run where they lie in
// a web folder, or copied by a service of the system under the account of its host from a
// share that is none of group policies, as files items of a policy are.
func placeMark(e *Event) (Mark, bool) {
	t := e.Transfer
	m := Mark{Family: "channel", Analytic: "tool-pull", Transfer: t.ID, Time: t.End, Evidence: t.Evidence}
	switch {
	case e.Usual.habit():
		return m, false
	case t.Channel == "webdav" && len(t.Executed) > 0 && t.Tool == "":
		m.Nats, m.Text, m.Techniques = pulledWeb, "a program was run where it lies in a web folder of "+t.Source.Name(), []string{"T1021"}
	case copiedByPolicy(t):
		m.Nats, m.Techniques = policyCopy, []string{"T1484.001"}
		m.Text = "a service of the system copied a program from " + t.Source.Name() + " under the account of its host, as group policy does"
	default:
		return m, false
	}
	return m, true
}

// copiedByPolicy says whether a service of the system wrote a file that it read from a
// share under the account of its host.
func copiedByPolicy(t *model.Transfer) bool {
	if shareKind(t) != "share" || !fetchedBySystem(t) || t.Receiver == nil {
		return false
	}
	return strings.HasSuffix(strings.ToLower(t.Receiver.Process), `\svchost.exe`)
}

func serving(fresh, told bool) string {
	switch {
	case fresh && told:
		return ", of this one findings alone told"
	case fresh:
		return ", which never gave out this one"
	}
	return ", which is not known to serve programs"
}

func unseen(u *Usual) string {
	switch {
	case u.Days < watched:
		return ""
	case u.Told:
		return "that findings alone told of before, "
	}
	return "that nobody was seen with before, "
}

// scriptName says whether a name is that of a script.
func scriptName(name string) bool {
	_, ext := cutExtension(strings.ToLower(name))
	return runsAs[ext] == "text" || ext == "js"
}
