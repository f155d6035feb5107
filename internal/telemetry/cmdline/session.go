package cmdline

import "strings"

// Session is a client that a command starts for a host, of whose files its line says
// nothing.
type Session struct {
	Tool    string
	Channel string
	Host    string
	Script  bool // a file says what it is to do
}

// Opens reads which session a command line opens; without a host it is none.
func Opens(line string) Session {
	argv := words(line)
	if len(argv) == 0 || program(argv[0]) != "ftp" {
		return Session{}
	}
	s := Session{Tool: "ftp", Channel: "ftp"}
	for _, a := range argv[1:] {
		lower := strings.ToLower(a)
		switch {
		case strings.HasPrefix(lower, "-s:") || strings.HasPrefix(lower, "/s:"):
			s.Script = true
		case s.Host == "" && a != "" && a[0] != '-' && a[0] != '/':
			s.Host = a
		}
	}
	return s
}
