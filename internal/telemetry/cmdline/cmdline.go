// Package cmdline reads command lines as process logs and script blocks show them.
// In comes one line; out come the movements of files that it asks for, the network
// drives that it maps, the archives that it takes apart, and the line without the secrets
// in it. It runs nothing, expands no file name and looks up no host: what a line asks for
// is a claim.
package cmdline

import (
	"strings"
)

// Place is one end of a movement.
type Place struct {
	Host  string // name or address; "" is the host that the command runs on
	Port  string
	User  string // account for the host, without password
	Share string // of a UNC path
	Path  string // below the share, behind the host of a URL, or local; "" unknown
}

// Local says whether the place is on the host that the command runs on.
func (p Place) Local() bool { return p.Host == "" }

// Move is a file that a command asks to be moved.
type Move struct {
	Tool    string
	Channel string // smb, http, ftp, tftp, ssh, rsync, bits, winrm, tcp
	From    Place
	To      Place
	Name    string // at the destination; "" unknown, with * and ? a pattern
	Old     string // at the source, when it is another one
	On      string // the host that the command is to run on, when it is another
}

// Drive is a share that a command maps to a letter, or just connects to.
type Drive struct {
	Letter string // lower case with colon, "" for none
	Host   string
	Share  string
	User   string
}

// Meaning is what a command line asks for.
type Meaning struct {
	Moves      []Move
	Drives     []Drive
	Unpackings []Unpacking
}

// maxDepth bounds commands in commands.
const maxDepth = 6

// Read reads the command line of a process.
func Read(line string) Meaning {
	var r reader
	r.command(words(line), 0)
	return r.Meaning
}

// ReadArgs reads the arguments of a process, the program first.
func ReadArgs(argv []string) Meaning {
	var r reader
	r.command(argv, 0)
	return r.Meaning
}

// ReadScript reads a PowerShell script block.
func ReadScript(text string) Meaning {
	var r reader
	r.script(text, 0)
	return r.Meaning
}

type reader struct {
	Meaning
	on string // the host that the command at hand is to run on
	// Of a PowerShell script, by variable: texts, and the hosts of sessions.
	variables, sessions map[string]string
}

// program is the name of a program without folder and extension, lower case.
func program(word string) string {
	word = strings.ToLower(word[strings.LastIndexAny(word, `\/`)+1:])
	for _, ext := range []string{".exe", ".com", ".bat", ".cmd"} {
		word = strings.TrimSuffix(word, ext)
	}
	return word
}

// command reads one simple command.
func (r *reader) command(argv []string, depth int) {
	for len(argv) > 0 && (argv[0] == "@" || strings.EqualFold(argv[0], "call") || strings.EqualFold(argv[0], "&")) {
		argv = argv[1:]
	}
	if len(argv) == 0 || depth > maxDepth {
		return
	}
	name := program(strings.TrimPrefix(argv[0], "@"))
	args := argv[1:]
	if w, ok := wrappers[name]; ok {
		w(r, args, depth)
		return
	}
	r.unpack(name, args)
	for _, t := range tools {
		if t.is(name) {
			for _, m := range t.read(args) {
				r.move(t, name, m)
			}
			return
		}
	}
}

// maxMoves bounds what one line asks for.
const maxMoves = 64

// move completes and keeps a movement. Copies from one place of a host to another
// are no movement between hosts.
func (r *reader) move(t tool, name string, m Move) {
	if m.From.Local() && m.To.Local() || len(r.Moves) >= maxMoves {
		return
	}
	m.Tool, m.On = name, r.on
	r.resolve(&m.From)
	r.resolve(&m.To)
	m.From.Path, m.To.Path = unknownPath(m.From.Path), unknownPath(m.To.Path)
	if m.Channel == "" {
		m.Channel = t.channel
	}
	if m.Name == "" {
		m.nameIt()
	}
	r.Moves = append(r.Moves, m)
}

// nameIt takes the name from the destination, or from the source when that is a folder.
func (m *Move) nameIt() {
	from, to := base(m.From.Path), base(m.To.Path)
	m.Name = to
	if to == "" || to == "." || to == ".." || isFolder(m.To.Path) && from != "" {
		m.Name = from
	}
	if from != "" && !strings.EqualFold(from, m.Name) {
		m.Old = from
	}
	if m.Old == "*" || m.Old == "*.*" {
		m.Old = ""
	}
}

// isFolder guesses: what ends in a slash, or has no extension, is a folder.
func isFolder(path string) bool {
	return strings.HasSuffix(path, `\`) || strings.HasSuffix(path, "/") || !strings.Contains(base(path), ".")
}

func base(path string) string {
	path, _, _ = strings.Cut(path, "?")
	path = strings.TrimRight(path, `\/`)
	return path[strings.LastIndexAny(path, `\/:`)+1:]
}

// place reads a path: local, UNC, or a URL.
func place(s string) Place {
	s = strings.Trim(s, `"'`)
	if p, ok := uncPlace(s); ok {
		return p
	}
	if p, ok := urlPlace(s); ok {
		return p
	}
	return Place{Path: s}
}

// uncPlace reads \\host\share\path, also with slashes, as \\?\UNC\, and with a
// WebDAV port (\\host@8080\DavWWWRoot\x).
func uncPlace(s string) (Place, bool) {
	p := strings.ReplaceAll(s, "/", `\`)
	if !strings.HasPrefix(p, `\\`) || strings.HasPrefix(s, "//") && strings.Contains(s, ":") {
		return Place{}, false
	}
	if len(p) > 8 && strings.EqualFold(p[:8], `\\?\unc\`) {
		p = `\\` + p[8:]
	}
	host, rest, _ := strings.Cut(p[2:], `\`)
	share, path, _ := strings.Cut(rest, `\`)
	host, port, _ := strings.Cut(host, "@")
	if host == "" || host == "." || host == "?" {
		return Place{}, false
	}
	return Place{Host: host, Port: strings.TrimPrefix(strings.ToUpper(port), "SSL@"), Share: share, Path: path}, true
}

// urlPlace reads scheme://user:password@host:port/path.
func urlPlace(s string) (Place, bool) {
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok || scheme == "" || strings.ContainsAny(scheme, ` \/"'`) {
		return Place{}, false
	}
	if strings.EqualFold(scheme, "file") {
		return uncPlace("//" + strings.TrimLeft(rest, "/"))
	}
	authority, path, _ := strings.Cut(rest, "/")
	var p Place
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		p.User, _, _ = strings.Cut(authority[:i], ":")
		authority = authority[i+1:]
	}
	p.Host, p.Port = hostPort(authority)
	p.Path = "/" + path
	return p, p.Host != ""
}

// hostPort parts host:port and [v6]:port.
func hostPort(s string) (host, port string) {
	if after, ok := strings.CutPrefix(s, "["); ok {
		host, port, _ = strings.Cut(after, "]")
		return host, strings.TrimPrefix(port, ":")
	}
	if strings.Count(s, ":") == 1 {
		host, port, _ = strings.Cut(s, ":")
		return host, port
	}
	return s, ""
}

// webChannel is the channel of a URL's scheme.
func webChannel(s string) string {
	scheme, _, _ := strings.Cut(strings.ToLower(s), "://")
	switch scheme {
	case "ftp", "ftps":
		return "ftp"
	case "sftp", "scp":
		return "ssh"
	case "tftp":
		return "tftp"
	case "smb", "file":
		return "smb"
	}
	return "http"
}
