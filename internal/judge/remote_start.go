package judge

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"waybill/internal/model"
)

// remoteStart marks files that were started on their destination, as its logs show,
// or as calls over the network do: by a service, a scheduled task, WMI, DCOM or WinRM.
// Half of its nats stand for a service or task that was made but not seen to start.
func remoteStart() Analytic {
	return &rule[starts]{name: "remote-start", key: onHostOrStarted, look: lookStart, able: needsPipes}
}

// starts is what landed on one host, and the services and tasks made there.
type starts struct {
	Files     []*landing          `json:"files"`
	Launchers map[string]launcher `json:"launchers"` // by kind and name, lower case
}

// maxLaunchers bounds the services and tasks remembered of one host.
const maxLaunchers = 4096

func lookStart(s starts, e Event) (starts, []Mark) {
	if e.Transfer != nil {
		marks := executedMarks(&e)
		if smbPush(e) {
			s.Files = remember(s.Files, e.landing(), e.window())
		}
		return s, marks
	}
	l, by := s.launch(e)
	if hits := programs(s.Files, by.Command); len(hits) > 0 {
		return s, []Mark{l.mark(hits[0], by, e.Access)}
	}
	return s, nil
}

// launch notes what a call says of a service or task, and gives what it runs.
func (s *starts) launch(e Event) (launch, launcher) {
	l, _ := launched(e)
	a := e.Access
	key := l.how + " " + strings.ToLower(a.Object)
	if a.Command == "" {
		return l, s.Launchers[key]
	}
	by := launcher{Command: a.Command, Evidence: a.Evidence}
	if l.how == "service" || l.how == "task" {
		if _, known := s.Launchers[key]; known || len(s.Launchers) < maxLaunchers {
			if s.Launchers == nil {
				s.Launchers = map[string]launcher{}
			}
			s.Launchers[key] = by
		}
	}
	return l, by
}

// onHostOrStarted keys also what logs show to have been started.
func onHostOrStarted(e Event) string {
	if e.moved() && (len(e.Transfer.Executed) > 0 || e.Transfer.Operation == model.Push && e.Runs && startedByPlace(e.Transfer)) {
		return e.To
	}
	return onHost(e)
}

// executedMarks marks a file that the logs of its destination show started. One
// that its own destination fetched may be everyday: programs are run from shares
// and downloaded.
func executedMarks(e *Event) []Mark {
	t := e.Transfer
	if len(t.Executed) == 0 {
		return placedMarks(e)
	}
	x := t.Executed[max(0, slices.IndexFunc(t.Executed, func(x model.Execution) bool { return x.How != unpacked }))]
	m := Mark{Family: "execution", Analytic: "remote-start", Transfer: t.ID, Time: x.Time, Nats: startedThere, Techniques: startTechniques(t)}
	switch {
	case x.How == unpacked:
		m.Nats = unpackedThere
	case e.Service:
		m.Nats = serviceStart
	case t.Operation == model.Pull && e.Usual.Days >= watched && !e.Usual.Content.Known() && e.Content != "" && !installer(t.Name):
		m.Nats = freshStart
	case t.Operation == model.Pull && t.Tool != "" && !e.Usual.hands():
		m.Nats = orderedStart
		if toOddPlace(t) {
			m.Nats = oddStart
		}
	case t.Operation == model.Pull:
		m.Nats = pulledStart
	}
	m.Text = "started on the destination: " + executionText(&x)
	if x.How == unpacked {
		m.Text = "unpacked on the destination" + executionText(&x)
	}
	if n := len(t.Executed); n > 1 {
		m.Text += fmt.Sprintf(", and %d more", n-1)
	}
	for _, x := range t.Executed {
		m.Evidence = append(m.Evidence, x.Evidence...)
	}
	return []Mark{m}
}

// placedMarks marks what was pushed to where the system starts what lies there.
func placedMarks(e *Event) []Mark {
	t := e.Transfer
	if t.Operation != model.Push || !e.Runs {
		return nil
	}
	f := startFolder(diskPath(t))
	if f == nil {
		return nil
	}
	return []Mark{{Family: "execution", Analytic: "remote-start", Transfer: t.ID, Time: t.End, Nats: 3, Techniques: []string{f.technique},
		Text: "it lies where the system starts what is there; its start was not seen", Evidence: t.Evidence}}
}

func executionText(x *model.Execution) string {
	text := x.How
	switch x.How {
	case unpacked:
		if text = ""; orders[x.By] != "" {
			text = ", which another host ordered (" + orders[x.By] + ")"
		}
		text += ": " + cmp.Or(x.Command, x.Process)
	case "process":
		text = "process " + x.Process
		if x.Command != "" {
			text = "process " + x.Command
		}
	case "module-load":
		text = "loaded by " + x.Process
	case "service":
		text = fmt.Sprintf("service %q (%s)", x.Process, x.Command)
	}
	if x.User != "" {
		text += " as " + x.User
	}
	return text
}

// startTechniques are those of the ways in which the file was started, and of what it is.
func startTechniques(t *model.Transfer) []string {
	all := slices.Clone(wayTechniques(t))
	if supportTool(t) {
		all = append(all, "T1219")
	}
	if distributed(t) {
		all = append(all, "T1072")
	}
	if sideLoaded(t) {
		all = append(all, "T1574")
	}
	if slices.ContainsFunc(t.Executed, func(x model.Execution) bool { return x.How == unpacked }) {
		all = append(all, "T1140")
	}
	return all
}

func wayTechniques(t *model.Transfer) []string {
	for _, x := range t.Executed {
		for _, how := range [...]string{x.How, x.By} {
			if by := techniquesOf(how); by != nil {
				return by
			}
		}
	}
	return nil
}

// techniquesOf are those of a way to start programs.
func techniquesOf(how string) []string {
	for _, l := range launches {
		if l.starts && l.how == how {
			return l.techniques
		}
	}
	return nil
}

// mark says that a file is what a call starts or makes ready.
func (l launch) mark(f *landing, by launcher, a *model.Access) Mark {
	m := Mark{Family: "execution", Analytic: "remote-start", Transfer: f.Transfer, Time: a.Time, Nats: 3, Evidence: a.Evidence, Techniques: l.techniques}
	what := l.how
	if l.how == "registry" {
		what = fmt.Sprintf("the registry value %q", a.Object)
	}
	if l.how == "service" || l.how == "task" {
		what += fmt.Sprintf(" %q", a.Object)
	}
	if !l.starts {
		if executionName(f.Name) {
			m.Nats = serviceStart
		}
		m.Text = fmt.Sprintf("made the program of %s (%s); its start was not seen", what, by.Command)
		return m
	}
	m.Nats = startedThere
	if executionName(f.Name) {
		m.Nats = serviceStart
	}
	m.Text = fmt.Sprintf("started on the destination as %s (%s)", what, by.Command)
	if means, ok := map[string]string{"wmi": "WMI", "winrm": "WinRM", "dcom": "DCOM"}[l.how]; ok {
		m.Text = fmt.Sprintf("started on the destination by %s (%s)", means, by.Command)
	}
	m.Execution = &model.Execution{Time: a.Time, How: l.how, Command: by.Command, User: account(a.Domain, a.User), Evidence: a.Evidence}
	if l.how == "service" || l.how == "task" {
		m.Evidence = append(append([]model.Evidence{}, by.Evidence...), a.Evidence...)
	}
	return m
}

// needsPipes: of all ways to start a file, this much is read.
func needsPipes(c *model.Coverage) model.Ableness {
	if c.Events["sysmon/1"]+c.Events["defender-hunting/1"]+c.Events["security/4688"] > 0 {
		return model.Ableness{Able: "able"}
	}
	if c.Events["auditd"]+c.Events["sysmon"]+c.Events["eslogger"] > 0 {
		return model.Ableness{Able: "partly", Why: "auditd, Sysmon for Linux and eslogger log starts where their rules say so; no Windows logs of starts"}
	}
	if len(c.Events) > 0 && sharesSeen(c) == 0 && c.Decoded["dcerpc"] == 0 {
		return model.Ableness{Able: "unable", Why: "no process starts (Sysmon 1, Security 4688, auditd, eslogger) were logged"}
	}
	able := needsSMB(c)
	if able.Able == "able" {
		return model.Ableness{Able: "partly", Why: "of all ways to start a file only services, tasks, WMI, DCOM and WinRM in clear are read; no host logs"}
	}
	return able
}
