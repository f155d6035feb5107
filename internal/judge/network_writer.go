package judge

import (
	"fmt"
	"strings"

	"waybill/internal/model"
)

// networkWriter marks files that came to a host, were started there, and created
// another file while they were connected to a host inside.
func networkWriter() Analytic {
	return &rule[writers]{name: "network-writer", key: writerHost, look: lookWriter, able: needsConnections}
}

// writers is what came to one host, by name.
type writers struct {
	Files []*landing `json:"files"`
}

func writerHost(e Event) string {
	switch {
	case e.Runs && e.moved() && e.Transfer.Name != "" && !(e.everyday() && len(e.Transfer.Executed) == 0):
		return e.To
	case e.Access != nil && e.Access.What == "network-write":
		return hostKey(e.Access.Destination)
	}
	return ""
}

func lookWriter(s writers, e Event) (writers, []Mark) {
	if e.Transfer != nil {
		s.Files = remember(s.Files, e.landing(), e.window())
		return s, nil
	}
	a := e.Access
	image := pathKey(a.Command)
	name := image[strings.LastIndexByte(image, '\\')+1:]
	for i := len(s.Files) - 1; i >= 0; i-- {
		if l := s.Files[i]; l.Name == name {
			return s, []Mark{{Family: "execution", Analytic: "network-writer", Transfer: l.Transfer, Time: a.Time, Nats: 2,
				Text: fmt.Sprintf("once started it wrote %s while it was connected to %s", a.Object, a.Source.Name()), Evidence: a.Evidence}}
		}
	}
	return s, nil
}

// needsConnections says whether processes' connections and files show.
func needsConnections(c *model.Coverage) model.Ableness {
	windows := c.Events["sysmon/3"]+c.Events["defender-hunting/3"] > 0 && c.Events["sysmon/11"]+c.Events["defender-hunting/11"] > 0
	if !windows && c.Events["auditd"]+c.Events["sysmon"] > 0 {
		return model.Ableness{Able: "partly", Why: "auditd and Sysmon for Linux log connections and files where their rules say so"}
	}
	if !windows {
		return model.Ableness{Able: "unable", Why: "connections (Sysmon 3) and file creations (Sysmon 11) of processes were not both logged"}
	}
	return model.Ableness{Able: "able"}
}

// everyday says whether a program is one of those that a host fetches from one that
// serves many.
func (e *Event) everyday() bool {
	return e.Transfer.Operation == model.Pull && (e.Usual.hands() && e.Usual.Content.Known() || e.Usual.ContentHosts >= manyGiven)
}
