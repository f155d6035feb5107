package plan

import "strings"

// Plain is text for a comment: one line of ASCII without what a filter, a shell or PowerShell
// reads as more than text, at most max bytes long. What it cannot keep becomes "?": a file
// that Windows PowerShell takes for another code page may turn letters into quotes.
func Plain(s string, max int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\\':
			return '/'
		case r == '"' || r == '`':
			return '\''
		case r < ' ' || r > '~' || r == '$':
			return '?'
		}
		return r
	}, s)
	if len(s) > max {
		s = s[:max-3] + "..."
	}
	return s
}
