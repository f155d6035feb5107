package cmdline

import "strings"

// psSessions notes which hosts a script opens sessions with, and under which variables:
// $s = New-PSSession [-ComputerName] HOST. One that stands in parentheses behind
// -ToSession or -FromSession has none.
func (r *reader) psSessions(pipelines []string) {
	for _, c := range pipelines {
		variable, call, assigned := strings.Cut(c, "=")
		if !assigned || !strings.HasPrefix(c, "$") {
			variable, call = "true", c // as parameters has one whose value is elsewhere
		}
		w := psWords(call)
		if len(w) < 2 || !strings.EqualFold(w[0], "New-PSSession") && !strings.EqualFold(w[0], "nsn") {
			continue
		}
		host := parameters(w[1:], psSessionFlags, "computername")["computername"]
		if host == "" || host == "true" || strings.Contains(host, ",") {
			continue
		}
		if r.sessions == nil {
			r.sessions = map[string]string{}
		}
		r.sessions[strings.ToLower(strings.TrimSpace(variable))] = host
	}
}

var psSessionFlags = flagSet("usessl enablenetworkaccess verbose")

// resolve gives the end of a session its host; "?" where the line does not say it.
func (r *reader) resolve(p *Place) {
	variable, session := strings.CutPrefix(p.Host, "?")
	if !session {
		return
	}
	if p.Host = r.sessions[strings.ToLower(variable)]; p.Host == "" {
		p.Host = "?"
	}
}
