package judge

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"waybill/internal/model"
)

// transferUtility marks files that a command moved with a tool which this account
// does not use every day on this host. What is allowed is no reason.
func transferUtility(allowed []string) Analytic {
	return &rule[habits]{name: "transfer-utility", key: func(e Event) string {
		if e.Transfer != nil && anyGlob(allowed, e.Transfer.Tool) {
			return ""
		}
		return utilityHost(e)
	}, look: lookUtility, able: needsCommands}
}

// habits is how often each account used each tool on one host, and which clients it
// started of late whose lines name a host and no file.
type habits struct {
	Uses    map[string]int `json:"uses"`
	Clients []client       `json:"clients"`
}

// client is a program that was started for another host.
type client struct {
	Time     model.Time       `json:"time"`
	Host     string           `json:"host"` // its name without domain, or its address
	Channel  string           `json:"channel"`
	Tool     string           `json:"tool"`
	Command  string           `json:"command"`
	User     string           `json:"user"`
	Script   bool             `json:"script"`
	Evidence []model.Evidence `json:"evidence"`
}

const (
	clientsMost            = 64    // are remembered of one host
	clientLasts model.Time = 600e9 // from its start to what it moves
	clockSlack  model.Time = 10e9
)

// habitual is how many uses make a habit.
const habitual = 20

func utilityHost(e Event) string {
	if a := e.Access; a != nil && a.What == "command" && a.Channel != "" {
		return hostKey(a.Source)
	}
	if !e.moved() || e.Transfer.Tool == "" && e.Transfer.Channel != "ftp" {
		return ""
	}
	return e.Actor
}

func lookUtility(s habits, e Event) (habits, []Mark) {
	if e.Access != nil {
		s.Clients = withClient(s.Clients, e.Access)
		return s, nil
	}
	t := e.Transfer
	c := client{Tool: t.Tool, Command: t.Command, User: t.InitiatorUser, Evidence: t.Evidence}
	if t.Tool == "" {
		i := slices.IndexFunc(s.Clients, func(c client) bool { return c.moved(&e) })
		if i < 0 {
			return s, nil
		}
		c = s.Clients[i]
		c.Evidence = append(slices.Clone(c.Evidence), t.Evidence...)
	}
	var n int
	if s.Uses, n = counted(s.Uses, c.User+"|"+c.Tool); (n >= habitual || e.Usual.Utility.Count >= habitual || e.Usual.Utility.Days >= usualDays) && !toOddPlace(t) {
		return s, nil
	}
	m := Mark{Family: "command", Analytic: "transfer-utility", Transfer: t.ID, Time: t.End, Nats: c.nats(&e),
		Text: fmt.Sprintf("moved by a command with %s: %s", c.Tool, c.Command), Evidence: c.Evidence}
	if by := orders[t.CommandBy]; by != "" && e.Runs {
		m.Nats += toolOrder
		m.Text += ", which another host ordered (" + by + ")"
		m.Techniques = techniquesOf(t.CommandBy)
	}
	return s, []Mark{m}
}

// orders are the ways in which one host has another give a command.
var orders = map[string]string{"wmi": "WMI started it", "service": "a service started it"}

// nats is how odd it is to move a program so.
func (c *client) nats(e *Event) float64 {
	switch {
	case !e.Runs:
		return toolUsed
	case c.Script:
		return toolScript
	case strings.Contains(c.Command, `$\`) && strings.Contains(c.Command, `\\`) || livingOff[strings.ToLower(c.Tool)]:
		return toolOdd
	}
	return toolUsed
}

// withClient adds a client, and forgets the oldest. The list passed in is given up.
func withClient(all []client, a *model.Access) []client {
	if len(all) >= clientsMost {
		all = all[1:]
	}
	host, _, _ := strings.Cut(hostKey(a.Destination), ".")
	if a.Destination.Host == "" {
		host = hostKey(a.Destination)
	}
	return append(all, client{a.Time, host, a.Channel, a.Object, a.Command, a.User, a.Detail != "", a.Evidence})
}

// moved says whether a transfer may be the client's doing.
func (c *client) moved(e *Event) bool {
	at := cmp.Or(e.Transfer.Start, e.Transfer.End)
	if c.Channel != e.Transfer.Channel || at < c.Time-clockSlack || at-c.Time > clientLasts {
		return false
	}
	bare, _, _ := strings.Cut(e.Other, ".")
	return c.Host == e.Other || c.Host == bare
}

// toOddPlace says whether a command brought a program to an odd folder, under the name of
// no installer, and it was started there: no habit with a tool explains that.
func toOddPlace(t *model.Transfer) bool {
	_, _, nats := oddlyPlaced(t)
	return ran(t) && nats > 0 && !installer(t.Name)
}

// needsCommands says whether command lines were logged.
func needsCommands(c *model.Coverage) model.Ableness {
	var n int64
	for _, log := range commandLogs {
		n += c.Events[log]
	}
	if n == 0 {
		return model.Ableness{Able: "unable", Why: "no command lines (Sysmon 1, Security 4688, PowerShell 4104, auditd, eslogger, shell histories) were logged"}
	}
	return model.Ableness{Able: "able"}
}

// commandLogs are the logs that have command lines.
var commandLogs = [...]string{"sysmon/1", "defender-hunting/1", "security/4688", "powershell/4104", "auditd", "sysmon", "eslogger", "esxi/shell", "shell-history", "sudo"}

// livingOff are Windows' own tools that people seldom move programs with (LOLBAS).
var livingOff = map[string]bool{"certutil": true, "bitsadmin": true, "esentutl": true, "expand": true, "certreq": true, "desktopimgdownldr": true, "finger": true,
	"certutil.exe": true, "bitsadmin.exe": true, "esentutl.exe": true, "expand.exe": true, "certreq.exe": true, "finger.exe": true}
