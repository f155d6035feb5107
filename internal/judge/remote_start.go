package judge

import (
	"fmt"
	"strings"

	"waybill/internal/model"
)

// remoteStart marks files that a service of their destination runs, as calls to
// the service control manager show (MS-SCMR). Half of its nats stand for a
// service that was made but not seen to start.
func remoteStart() Analytic {
	return &rule[starts]{name: "remote-start", key: onHostOrStarted, look: lookStart, able: needsPipes}
}

// starts is what landed on one host, and the services made there.
type starts struct {
	Files    []landing          `json:"files"`
	Services map[string]service `json:"services"` // by name, lower case
}

// maxServices bounds the services remembered of one host.
const maxServices = 4096

func lookStart(s starts, e Event) (starts, []Mark) {
	if e.Transfer != nil {
		if smbPush(e) {
			s.Files = remember(s.Files, landed(e.Transfer), e.window())
		}
		return s, executedMarks(e.Transfer)
	}
	var mark func(landing, service) Mark
	s.Services, mark = serviceStep(s.Services, e.Access)
	if mark == nil {
		return s, nil
	}
	svc := s.Services[strings.ToLower(e.Access.Object)]
	if hits := programs(s.Files, svc.Command); len(hits) > 0 {
		return s, []Mark{mark(hits[0], svc)}
	}
	return s, nil
}

// serviceStep notes what a call says of a service, and gives what a file that
// the service runs is marked with.
func serviceStep(services map[string]service, a *model.Access) (map[string]service, func(landing, service) Mark) {
	name := strings.ToLower(a.Object)
	if a.Command != "" && (len(services) < maxServices || services[name].Command != "") {
		if services == nil {
			services = map[string]service{}
		}
		services[name] = service{Command: a.Command, Evidence: a.Evidence}
	}
	if a.What == "service-start" {
		return services, func(l landing, svc service) Mark { return startMark(l, svc, a) }
	}
	return services, func(l landing, _ service) Mark { return madeMark(l, a) }
}

// onHostOrStarted keys also what logs show to have been started.
func onHostOrStarted(e Event) string {
	if e.moved() && len(e.Transfer.Executed) > 0 {
		return hostKey(e.Transfer.Destination)
	}
	return onHost(e)
}

// executedMarks marks a file that the logs of its destination show started. One
// that its own destination fetched may be everyday: programs are run from shares
// and downloaded.
func executedMarks(t *model.Transfer) []Mark {
	if len(t.Executed) == 0 {
		return nil
	}
	x := t.Executed[0]
	m := Mark{Family: "execution", Analytic: "remote-start", Transfer: t.ID, Time: x.Time, Nats: 6, Techniques: startTechniques(t)}
	if t.Operation == model.Pull {
		m.Nats = 3
	}
	m.Text = "started on the destination: " + executionText(&x)
	if n := len(t.Executed); n > 1 {
		m.Text += fmt.Sprintf(", and %d more", n-1)
	}
	for _, x := range t.Executed {
		m.Evidence = append(m.Evidence, x.Evidence...)
	}
	return []Mark{m}
}

func executionText(x *model.Execution) string {
	text := x.How
	switch x.How {
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

// startTechniques are those of the ways in which the file was started.
func startTechniques(t *model.Transfer) []string {
	for _, x := range t.Executed {
		if x.How == "service" {
			return []string{"T1569.002", "T1543.003"}
		}
	}
	return nil
}

func startMark(l landing, svc service, a *model.Access) Mark {
	x := &model.Execution{Time: a.Time, How: "service", Command: svc.Command,
		User: account(a.Domain, a.User), Evidence: a.Evidence}
	return Mark{Family: "execution", Analytic: "remote-start", Transfer: l.Transfer, Time: a.Time, Nats: 6,
		Text:     fmt.Sprintf("started on the destination as service %q (%s)", a.Object, svc.Command),
		Evidence: append(append([]model.Evidence{}, svc.Evidence...), a.Evidence...), Execution: x,
		Techniques: []string{"T1569.002", "T1543.003"}}
}

func madeMark(l landing, a *model.Access) Mark {
	return Mark{Family: "execution", Analytic: "remote-start", Transfer: l.Transfer, Time: a.Time, Nats: 3,
		Text:     fmt.Sprintf("made the program of service %q (%s); its start was not seen", a.Object, a.Command),
		Evidence: a.Evidence, Techniques: []string{"T1543.003"}}
}

// needsPipes: of all ways to start a file, this much is read.
func needsPipes(c *model.Coverage) model.Ableness {
	if c.Events["sysmon/1"]+c.Events["defender-hunting/1"]+c.Events["security/4688"] > 0 {
		return model.Ableness{Able: "able"}
	}
	if len(c.Events) > 0 && c.Decoded["smb2"] == 0 {
		return model.Ableness{Able: "unable", Why: "no process starts (Sysmon 1 or Security 4688) were logged"}
	}
	able := needsSMB(c)
	if able.Able == "able" {
		return model.Ableness{Able: "partly", Why: "of all ways to start a file only services over SMB pipes are read; no host logs"}
	}
	return able
}
