package cmdline

import (
	"encoding/base64"
	"strings"
	"unicode/utf16"
)

// wrappers run other commands.
var wrappers map[string]func(r *reader, args []string, depth int)

func init() {
	wrappers = map[string]func(*reader, []string, int){
		"cmd": (*reader).cmd, "powershell": (*reader).powershell, "pwsh": (*reader).powershell,
		"start": (*reader).start, "psexec": (*reader).psexec, "psexec64": (*reader).psexec, "paexec": (*reader).psexec, "remcom": (*reader).psexec,
		"csexec": (*reader).psexec, "xcmd": (*reader).psexec, "wmic": (*reader).wmic, "winrs": (*reader).winrs, "schtasks": (*reader).schtasks,
		"sc": (*reader).sc, "at": (*reader).at, "net": (*reader).net, "net1": (*reader).net, "forfiles": (*reader).forfiles, "runas": (*reader).lastWord,
		"sh": (*reader).sh, "bash": (*reader).sh, "dash": (*reader).sh, "zsh": (*reader).sh, "sudo": (*reader).rest, "nohup": (*reader).rest,
		"sshpass": (*reader).sshpass, "timeout": (*reader).rest1, "conhost": (*reader).rest, "new-psdrive": (*reader).psDrive, "new-smbmapping": (*reader).smbMapping,
		"invoke-command": (*reader).invokeCommand, "icm": (*reader).invokeCommand,
	}
}

// cmdLine reads a line of cmd.exe.
func (r *reader) cmdLine(text string, depth int) {
	if depth > maxDepth {
		return
	}
	for _, c := range commands(text) {
		r.command(words(c), depth+1)
	}
}

func (r *reader) cmd(args []string, depth int) {
	for i, a := range args {
		if len(a) < 2 || a[0] != '/' {
			continue
		}
		switch a[1] {
		case 'c', 'C', 'k', 'K', 'r', 'R':
			rest := line(args[i+1:])
			if len(a) > 2 {
				rest = a[2:] + " " + rest
			}
			r.cmdLine(rest, depth)
			return
		}
	}
}

// powershell reads the arguments of powershell.exe (about_PowerShell_exe): a
// parameter may be cut short as far as it stays clear.
func (r *reader) powershell(args []string, depth int) {
	for i := 0; i < len(args); i++ {
		a := strings.ToLower(args[i])
		if a == "" || a[0] != '-' && a[0] != '/' {
			r.script(line(args[i:]), depth+1)
			return
		}
		p := a[1:]
		switch {
		case p != "" && strings.HasPrefix("encodedcommand", p) || p == "ec":
			if i+1 < len(args) {
				r.script(decode(args[i+1]), depth+1)
			}
			return
		case p != "" && strings.HasPrefix("command", p):
			r.script(strings.Join(args[i+1:], " "), depth+1)
			return
		case p != "" && strings.HasPrefix("file", p):
			if i+1 < len(args) {
				r.script("& "+line(args[i+1:]), depth+1)
			}
			return
		case hasPrefixOf(p, "executionpolicy", "windowstyle", "version", "inputformat", "outputformat", "psconsolefile", "configurationname", "workingdirectory") || p == "ep" || p == "w":
			i++
		}
	}
}

func hasPrefixOf(p string, names ...string) bool {
	for _, n := range names {
		if p != "" && strings.HasPrefix(n, p) {
			return true
		}
	}
	return false
}

// decode reads the Base64 of UTF-16 that -EncodedCommand takes.
func decode(s string) string {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimRight(s, "="))
	if err != nil {
		raw, err = base64.RawStdEncoding.DecodeString(strings.TrimRight(s, "="))
	}
	if err != nil {
		return ""
	}
	units := make([]uint16, len(raw)/2)
	for i := range units {
		units[i] = uint16(raw[2*i]) | uint16(raw[2*i+1])<<8
	}
	return string(utf16.Decode(units))
}

// methods finds .DownloadFile('url','path'), .UploadFile and [IO.File]::Copy.
func (r *reader) methods(text string) {
	lower := strings.ToLower(text)
	for _, m := range []struct {
		call string
		make func(a []string) (Move, bool)
	}{
		{".downloadfile(", func(a []string) (Move, bool) {
			return Move{From: place(a[0]), To: place(a[1]), Channel: webChannel(a[0])}, true
		}},
		{".uploadfile(", func(a []string) (Move, bool) {
			return Move{From: place(a[len(a)-1]), To: place(a[0]), Channel: webChannel(a[0])}, true
		}},
		{"]::copy(", func(a []string) (Move, bool) { return Move{From: place(a[0]), To: place(a[1])}, true }},
		{"]::move(", func(a []string) (Move, bool) { return Move{From: place(a[0]), To: place(a[1])}, true }},
	} {
		for at := 0; at < len(lower); {
			i := strings.Index(lower[at:], m.call)
			if i < 0 || len(lower) != len(text) {
				break
			}
			at += i + len(m.call)
			args := callArguments(text[at:])
			if len(args) < 2 {
				continue
			}
			if mv, ok := m.make(args); ok {
				r.move(tool{channel: "smb"}, "powershell", mv)
			}
		}
	}
}

// callArguments are the quoted arguments of a call, up to its closing parenthesis.
func callArguments(text string) []string {
	end := strings.IndexByte(text, ')')
	if end < 0 {
		end = len(text)
	}
	var out []string
	for arg := range strings.SplitSeq(text[:end], ",") {
		out = append(out, strings.Trim(strings.TrimSpace(arg), `"'`))
	}
	return out
}

func (r *reader) sh(args []string, depth int) {
	for i, a := range args {
		if strings.HasPrefix(a, "-") && strings.HasSuffix(a, "c") && i+1 < len(args) {
			r.shLine(args[i+1], depth+1)
			return
		}
	}
}

// ReadShell reads a line of a POSIX shell.
func ReadShell(text string) Meaning {
	var r reader
	r.shLine(text, 0)
	return r.Meaning
}

func (r *reader) shLine(text string, depth int) {
	if depth > maxDepth {
		return
	}
	for _, c := range strings.FieldsFunc(text, func(c rune) bool { return c == ';' || c == '|' || c == '&' || c == '\n' }) {
		r.command(ShellWords(c), depth+1)
	}
}

func (r *reader) rest(args []string, depth int) {
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		args = args[1:]
	}
	r.command(args, depth+1)
}

func (r *reader) rest1(args []string, depth int) {
	if len(args) > 1 {
		r.command(args[1:], depth+1)
	}
}

func (r *reader) sshpass(args []string, depth int) {
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		if args[0] == "-p" || args[0] == "-f" || args[0] == "-P" {
			args = args[1:]
		}
		if len(args) > 0 {
			args = args[1:]
		}
	}
	r.command(args, depth+1)
}

func (r *reader) start(args []string, depth int) {
	for len(args) > 0 && (strings.HasPrefix(args[0], "/") || args[0] == "" || strings.Contains(args[0], " ")) {
		args = args[1:]
	}
	r.command(args, depth+1)
}

func (r *reader) lastWord(args []string, depth int) {
	if len(args) > 0 {
		r.cmdLine(args[len(args)-1], depth+1)
	}
}

func (r *reader) forfiles(args []string, depth int) {
	for i, a := range args {
		if strings.EqualFold(a, "/c") && i+1 < len(args) {
			r.cmdLine(args[i+1], depth+1)
		}
	}
}

// ordered reads a command that is to run on another host.
func (r *reader) ordered(host string, read func()) {
	outer := r.on
	if host = strings.Trim(host, `\"'`); host != "" {
		r.on = host
	}
	read()
	r.on = outer
}
