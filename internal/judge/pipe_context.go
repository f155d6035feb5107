package judge

import (
	"fmt"
	"strings"

	"waybill/internal/model"
)

// pipeContext marks files that came to a host around the time at which a named pipe
// of a remote execution tool, or of no known service, was used there.
func pipeContext() Analytic {
	return &rule[pipes]{name: "pipe-context", key: pipeHost, look: lookPipe, able: needsPipeEvents}
}

// pipes is what came to one host lately, and the pipes used there.
type pipes struct {
	Files []*landing `json:"files"`
	Pipes []pipeUse  `json:"pipes"`
}

type pipeUse struct {
	Time     model.Time       `json:"time"`
	From     string           `json:"from"`
	Text     string           `json:"text"`
	Evidence []model.Evidence `json:"evidence"`
}

// pipeNear is how near in time a pipe belongs to a file.
const pipeNear model.Time = 10 * 60e9

func pipeHost(e Event) string {
	switch {
	case smbPush(e):
		return e.To
	case e.Access != nil && e.Access.What == "pipe-open" && e.Access.Detail != "":
		return hostKey(e.Access.Destination)
	}
	return ""
}

func lookPipe(s pipes, e Event) (pipes, []Mark) {
	if e.Transfer != nil {
		l := e.landing()
		s.Files = remember(s.Files, l, e.window())
		for _, p := range s.Pipes {
			if l.Time-p.Time <= pipeNear && p.fits(l) {
				return s, []Mark{p.mark(l, l.Time)}
			}
		}
		return s, nil
	}
	a := e.Access
	p := pipeUse{Time: a.Time, From: hostKey(a.Source), Text: fmt.Sprintf("%s, %s", a.Object, a.Detail), Evidence: a.Evidence}
	if len(s.Pipes) >= 64 {
		s.Pipes = s.Pipes[32:]
	}
	s.Pipes = append(s.Pipes, p)
	for i := len(s.Files) - 1; i >= 0; i-- {
		if l := s.Files[i]; a.Time-l.Time <= pipeNear && p.fits(l) {
			return s, []Mark{p.mark(l, a.Time)}
		}
	}
	return s, nil
}

// fits says whether the pipe may be the writer's: Sysmon does not tell who opened it.
func (p *pipeUse) fits(l *landing) bool { return p.From == "" || p.From == l.From }

func (p *pipeUse) mark(l *landing, at model.Time) Mark {
	techniques := []string{"T1021.002"}
	if strings.HasSuffix(p.Text, "of no known service") {
		techniques = append(techniques, "T1559") // two programs talk over it
	}
	return Mark{Family: "pipe", Analytic: "pipe-context", Transfer: l.Transfer, Time: at, Nats: 2,
		Text: "a named pipe was used on the destination: " + p.Text, Evidence: p.Evidence, Techniques: techniques}
}

// needsPipeEvents says whether pipes show.
func needsPipeEvents(c *model.Coverage) model.Ableness {
	if sharesSeen(c) > 0 {
		return model.Ableness{Able: "able"}
	}
	if c.Events["sysmon/17"]+c.Events["sysmon/18"]+c.Events["security/5145"] == 0 {
		return model.Ableness{Able: "unable", Why: "no named pipes (Sysmon 17 and 18, or Security 5145 on IPC$) were logged"}
	}
	return model.Ableness{Able: "able"}
}
