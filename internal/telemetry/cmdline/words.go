package cmdline

import "strings"

// words parts a Windows command line into arguments (the rules of
// CommandLineToArgvW): blanks part, quotes hold together, backslashes count
// before quotes only.
func words(line string) []string {
	var out []string
	var b strings.Builder
	quoted, begun := false, false
	slashes := 0
	flush := func() {
		for ; slashes > 0; slashes-- {
			b.WriteByte('\\')
		}
	}
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\':
			slashes++
			begun = true
		case c == '"':
			for ; slashes > 1; slashes -= 2 {
				b.WriteByte('\\')
			}
			if slashes == 1 {
				slashes = 0
				b.WriteByte('"')
			} else {
				quoted = !quoted
			}
			begun = true
		case !quoted && (c == ' ' || c == '\t' || c == '\n' || c == '\r'):
			flush()
			if begun {
				out = append(out, b.String())
				b.Reset()
				begun = false
			}
		default:
			flush()
			b.WriteByte(c)
			begun = true
		}
	}
	flush()
	if begun {
		out = append(out, b.String())
	}
	return out
}

// commands parts a line of cmd.exe into simple commands: carets escape, & && | ||
// and parentheses part, quotes hold together. Known variables are filled in.
func commands(line string) []string {
	line = variables(line)
	var out []string
	var b strings.Builder
	quoted := false
	cut := func() {
		if s := strings.TrimSpace(b.String()); s != "" {
			out = append(out, s)
		}
		b.Reset()
	}
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '"':
			quoted = !quoted
			b.WriteByte(c)
		case !quoted && c == '^':
			if i+1 < len(line) {
				i++
				b.WriteByte(line[i])
			}
		case !quoted && (c == '&' || c == '|' || c == '(' || c == ')' || c == '\n' || c == '\r'):
			cut()
		default:
			b.WriteByte(c)
		}
	}
	cut()
	return out
}

// variables fills in those whose value is the same on nearly every host, and takes
// away the ones that only hide letters (%x:~0,1% cannot be known).
func variables(line string) string {
	if !strings.Contains(line, "%") {
		return line
	}
	for name, value := range known {
		line = replaceFold(line, "%"+name+"%", value)
	}
	return line
}

var known = map[string]string{"comspec": `C:\Windows\System32\cmd.exe`, "systemroot": `C:\Windows`, "windir": `C:\Windows`,
	"systemdrive": "C:", "programdata": `C:\ProgramData`, "allusersprofile": `C:\ProgramData`, "public": `C:\Users\Public`}

func replaceFold(s, old, with string) string {
	lower := strings.ToLower(s)
	var b strings.Builder
	for {
		i := strings.Index(lower, old)
		if i < 0 || len(lower) != len(s) {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:i])
		b.WriteString(with)
		s, lower = s[i+len(old):], lower[i+len(old):]
	}
}

// ShellWords parts a line as a POSIX shell does, as far as quotes go.
func ShellWords(line string) []string { return quotedWords(line, '\\') }

// psWords parts a PowerShell command; commas stay.
func psWords(command string) []string { return quotedWords(command, '`') }

// quotedWords parts a text at blanks. Both kinds of quotes hold together; escape
// takes the next character as it is, but for single quotes.
func quotedWords(text string, escape byte) []string {
	var out []string
	var b strings.Builder
	var quote byte
	begun := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quote != 0 && c == quote:
			quote = 0
		case quote != '\'' && c == escape && i+1 < len(text):
			i++
			b.WriteByte(text[i])
			begun = true
		case quote != 0:
			b.WriteByte(c)
		case c == '\'' || c == '"':
			quote, begun = c, true
		case c == ' ' || c == '\t':
			if begun {
				out = append(out, b.String())
				b.Reset()
				begun = false
			}
		default:
			b.WriteByte(c)
			begun = true
		}
	}
	if begun {
		out = append(out, b.String())
	}
	return out
}

// line puts arguments together again, so that they can be parted by another shell.
func line(args []string) string {
	var b strings.Builder
	for i, a := range args {
		if i > 0 {
			b.WriteByte(' ')
		}
		if strings.ContainsAny(a, " \t") && len(args) > 1 {
			b.WriteString(`"` + a + `"`)
			continue
		}
		b.WriteString(a)
	}
	return b.String()
}
