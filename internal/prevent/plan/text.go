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

// Printable is text on one line of ASCII, everything else as a question mark.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			return ' '
		case r < 0x20 || r >= 0x7f:
			return '?'
		}
		return r
	}, text)
}
