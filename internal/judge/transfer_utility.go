package judge

import (
	"fmt"
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

// habits is how often each account used each tool on one host.
type habits struct {
	Uses map[string]int `json:"uses"`
}

// habitual is how many uses make a habit.
const habitual = 20

func utilityHost(e Event) string {
	if !e.moved() || e.Transfer.Tool == "" {
		return ""
	}
	return e.Actor
}

func lookUtility(s habits, e Event) (habits, []Mark) {
	t := e.Transfer
	var n int
	if s.Uses, n = counted(s.Uses, t.InitiatorUser+"|"+t.Tool); n >= habitual || e.Usual.Utility.Count >= habitual {
		return s, nil
	}
	nats := 2.0
	if e.Runs && strings.Contains(t.Command, `$\`) && strings.Contains(t.Command, `\\`) {
		nats = 3 // to an administrative share
	}
	if e.Runs && livingOff[strings.ToLower(t.Tool)] {
		nats = 3
	}
	return s, []Mark{{Family: "command", Analytic: "transfer-utility", Transfer: t.ID, Time: t.End, Nats: nats,
		Text: fmt.Sprintf("moved by a command with %s: %s", t.Tool, t.Command), Evidence: t.Evidence}}
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
