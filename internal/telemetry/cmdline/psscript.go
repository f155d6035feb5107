package cmdline

import (
	"strconv"
	"strings"
)

// script reads PowerShell text: each simple command by itself, and the calls of
// methods that move files.
func (r *reader) script(text string, depth int) {
	if depth > maxDepth || len(text) > 1<<20 {
		return
	}
	r.methods(text)
	for _, s := range statements(text) {
		w := psWords(s.command)
		for i := range w {
			w[i] = r.expand(w[i])
		}
		if r.assign(s, w) {
			continue
		}
		if len(w) > 0 && (w[0] == "&" || w[0] == ".") {
			w = w[1:]
		}
		if len(w) == 0 {
			continue
		}
		if full, ok := aliases[strings.ToLower(w[0])]; ok {
			w[0] = full
		}
		r.command(w, depth+1)
	}
}

// aliases of the cmdlets that matter here (Get-Alias). PowerShell 7 has no curl
// and wget among them, and their own arguments differ: see the tools.
var aliases = map[string]string{"cp": "Copy-Item", "copy": "Copy-Item", "cpi": "Copy-Item", "mv": "Move-Item", "move": "Move-Item", "mi": "Move-Item",
	"iwr": "Invoke-WebRequest", "irm": "Invoke-RestMethod", "icm": "Invoke-Command", "ndr": "New-PSDrive", "mount": "New-PSDrive"}

// statement is one simple command of a script, and the variable that takes what it gives.
type statement struct {
	variable string // lower case, with its $; "" for none
	command  string
}

// maxNested bounds parentheses in parentheses.
const maxNested = 32

// statements parts a script at what ends a command. What stands in parentheses is a
// statement before the one that it is part of, and a variable $(1), $(2) ... takes its place.
func statements(text string) []statement {
	p := parting{open: make([][]byte, 1)}
	var quote byte
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
			p.write(c)
		case c == '\'' || c == '"':
			quote = c
			p.write(c)
		case c == '`' && i+1 < len(text) && text[i+1] == '\n':
			i++
			p.write(' ')
		case c == '`' && i+2 < len(text) && text[i+1] == '\r':
			i += 2
			p.write(' ')
		case c == '(' && len(p.open) < maxNested:
			p.open = append(p.open, nil)
		case c == ')' && len(p.open) > 1:
			p.shut()
		case strings.IndexByte(";|\n\r{}()", c) >= 0:
			p.cut("")
		case c == '&' && len(strings.TrimSpace(p.text())) > 0:
			p.cut("")
			p.write(c)
		default:
			p.write(c)
		}
	}
	for len(p.open) > 1 { // never closed
		p.cut("")
		p.open = p.open[:len(p.open)-1]
	}
	p.cut("")
	return p.out
}

// parting is a script that is being parted: the statements so far, and what stands
// before each open parenthesis and behind the last.
type parting struct {
	out   []statement
	open  [][]byte
	shuts int
}

func (p *parting) write(c byte) { last := &p.open[len(p.open)-1]; *last = append(*last, c) }
func (p *parting) text() string { return string(p.open[len(p.open)-1]) }

// cut ends the innermost statement; variable takes what it gives.
func (p *parting) cut(variable string) {
	s := strings.TrimSpace(p.text())
	p.open[len(p.open)-1] = nil
	if s == "" {
		return
	}
	if v, command, ok := assignment(s); ok && variable == "" {
		variable, s = v, command
	}
	p.out = append(p.out, statement{variable, s})
}

// shut ends a parenthesis.
func (p *parting) shut() {
	p.shuts++
	variable := "$(" + strconv.Itoa(p.shuts) + ")"
	p.cut(variable)
	p.open = p.open[:len(p.open)-1]
	outer := &p.open[len(p.open)-1]
	if n := len(*outer); n > 0 && ((*outer)[n-1] == '$' || (*outer)[n-1] == '@') { // $(...) and @(...)
		*outer = (*outer)[:n-1]
	}
	*outer = append(*outer, variable...)
}

// assignment reads $variable = command.
func assignment(s string) (variable, command string, ok bool) {
	left, right, ok := strings.Cut(s, "=")
	left = strings.ToLower(strings.TrimSpace(left))
	if !ok || !strings.HasPrefix(left, "$") || len(left) < 2 || nameEnd(left[1:]) != len(left)-1 {
		return "", s, false
	}
	return left, strings.TrimSpace(right), true
}

// nameEnd is how much of s is the name of a variable (about_Variables).
func nameEnd(s string) int {
	for i := range len(s) {
		c := s[i] | 0x20
		if (c < 'a' || c > 'z') && (s[i] < '0' || s[i] > '9') && s[i] != '_' {
			return i
		}
	}
	return len(s)
}

// Bounds of variables, and of a word that holds some.
const (
	maxVariables = 64
	maxExpanded  = 4096
)

// assign keeps what a variable is where the script says it: a text, or a session with a
// host (New-PSSession). It says whether the statement is no more than that.
func (r *reader) assign(s statement, w []string) bool {
	if s.variable == "" || len(w) == 0 || len(r.variables)+len(r.sessions) >= maxVariables {
		return false
	}
	if len(w) == 1 && strings.IndexByte(`'"`, s.command[0]) >= 0 {
		r.variables = set(r.variables, s.variable, w[0])
		return true
	}
	if !strings.EqualFold(w[0], "New-PSSession") && !strings.EqualFold(w[0], "nsn") {
		return false
	}
	host := parameters(w[1:], psSessionFlags, "computername")["computername"]
	if host != "" && host != "true" && !strings.Contains(host, ",") {
		r.sessions = set(r.sessions, s.variable, host)
	}
	return true
}

func set(m map[string]string, key, value string) map[string]string {
	if m == nil {
		m = map[string]string{}
	}
	m[key] = value
	return m
}

var psSessionFlags = flagSet("usessl enablenetworkaccess verbose")

// expand puts what is known of variables into a word.
func (r *reader) expand(word string) string {
	if len(r.variables) == 0 {
		return word
	}
	var b strings.Builder
	for b.Len() < maxExpanded {
		before, rest, ok := strings.Cut(word, "$")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		n := nameEnd(rest)
		value, known := r.variables["$"+strings.ToLower(rest[:n])]
		if !known {
			value = "$" + rest[:n]
		}
		b.WriteString(value)
		word = rest[n:]
	}
	return b.String() + word
}

// resolve gives the end of a session its host; "?" where the script does not say it.
func (r *reader) resolve(p *Place) {
	variable, session := strings.CutPrefix(p.Host, "?")
	if !session {
		return
	}
	if p.Host = r.sessions[strings.ToLower(variable)]; p.Host == "" {
		p.Host = "?"
	}
}

// unknownPath blanks a path that a command in the command makes.
func unknownPath(path string) string {
	if strings.Contains(path, "$(") {
		return ""
	}
	return path
}
