package cmdline

import (
	"slices"
	"strings"
)

// tool is a program that moves files: its names, the channel, and how its
// arguments are read.
type tool struct {
	names   []string
	channel string
	read    func(args []string) []Move
}

func (t tool) is(name string) bool { return slices.Contains(t.names, name) }

// tools is the table, one row a tool: flags with values, and which argument is what.
var tools = []tool{
	{[]string{"copy", "xcopy", "move"}, "smb", fromTo("/", "")},
	{[]string{"robocopy"}, "smb", robocopy},
	{[]string{"esentutl"}, "smb", esentutl},
	{[]string{"expand", "extrac32"}, "smb", fromTo("/-", "")},
	{[]string{"makecab", "diantz"}, "smb", fromTo("/-", "/d /f /l /v")},
	{[]string{"certutil"}, "http", certutil},
	{[]string{"bitsadmin"}, "bits", bitsadmin},
	{[]string{"curl"}, "http", curl},
	{[]string{"wget"}, "http", wget},
	{[]string{"invoke-webrequest", "invoke-restmethod"}, "http", webRequest},
	{[]string{"start-bitstransfer"}, "bits", bitsTransfer},
	{[]string{"copy-item", "move-item"}, "smb", copyItem},
	{[]string{"ftp"}, "ftp", nil},
	{[]string{"tftp"}, "tftp", tftp},
	{[]string{"scp", "pscp"}, "ssh", fromToHosts("-P -i -o -F -S -c -l -J -pw -hostkey -sshlog -proxycmd")},
	{[]string{"sftp", "psftp"}, "ssh", sftp},
	{[]string{"rsync"}, "ssh", rsync},
	{[]string{"nc", "ncat", "netcat"}, "tcp", netcat},
	{[]string{"rclone"}, "unknown", rclone},
	{[]string{"smbclient"}, "smb", smbclient},
}

func init() {
	for i := range tools {
		if tools[i].read == nil {
			tools[i].read = func([]string) []Move { return nil } // what its script says is not on the line
		}
	}
}

// toolNames are all names of tools.
var toolNames = func() map[string]bool {
	m := map[string]bool{}
	for _, t := range tools {
		for _, n := range t.names {
			m[n] = true
		}
	}
	return m
}()

// Knows says whether a program, by the path of its image in lower case, is one that
// moves files or takes archives apart, and whether it runs commands of its command line.
func Knows(image string) (moves, runs bool) {
	name := strings.TrimSuffix(image[strings.LastIndexByte(image, '\\')+1:], ".exe")
	return toolNames[name] || unpackers[name] != nil, wrappers[name] != nil
}

// positional drops flags. valued are those, parted by blanks, that take the next
// argument; marks are the characters that flags begin with.
func positional(args []string, marks, valued string) []string {
	var out []string
	takes := strings.Fields(valued)
	for i := 0; i < len(args); i++ {
		a := args[i]
		if a == "" {
			continue
		}
		if strings.IndexByte(marks, a[0]) < 0 || len(a) == 1 || a[0] == '/' && strings.HasPrefix(a, "//") {
			out = append(out, a)
			continue
		}
		if slices.Contains(takes, a) || a[0] == '/' && slices.ContainsFunc(takes, func(t string) bool { return strings.EqualFold(t, a) }) {
			i++
		}
	}
	return out
}

// fromTo reads tools whose last argument is the destination. With one argument
// only, the destination is the folder at hand.
func fromTo(marks, valued string) func([]string) []Move {
	return func(args []string) []Move {
		p := positional(redirected(args), marks, valued)
		if len(p) == 1 {
			p = append(p, ".")
		}
		if len(p) < 2 {
			return nil
		}
		var out []Move
		for _, from := range p[:len(p)-1] {
			for f := range strings.SplitSeq(from, "+") {
				if f != "" {
					out = append(out, Move{From: place(f), To: place(p[len(p)-1])})
				}
			}
		}
		return out
	}
}

// redirected cuts what redirects output.
func redirected(args []string) []string {
	for i, a := range args {
		if strings.HasPrefix(a, ">") || strings.HasPrefix(a, "1>") || strings.HasPrefix(a, "2>") || strings.HasPrefix(a, "<") {
			return args[:i]
		}
	}
	return args
}

// robocopy reads FROM-FOLDER TO-FOLDER [files].
func robocopy(args []string) []Move {
	p := positional(redirected(args), "/", "")
	if len(p) < 2 {
		return nil
	}
	from, to := place(p[0]), place(p[1])
	files := p[2:]
	if len(files) == 0 {
		files = []string{"*.*"}
	}
	var out []Move
	for _, f := range files {
		a, b := from, to
		a.Path, b.Path = join(a.Path, f), join(b.Path, f)
		out = append(out, Move{From: a, To: b, Name: f})
	}
	return out
}

func join(folder, name string) string {
	if folder == "" {
		return name
	}
	return strings.TrimRight(folder, `\/`) + `\` + name
}

// esentutl reads /y FROM [/vss] /d TO.
func esentutl(args []string) []Move {
	from, to := "", ""
	for i, a := range args {
		lower := strings.ToLower(a)
		switch {
		case (lower == "/y" || lower == "-y") && i+1 < len(args):
			from = args[i+1]
		case (lower == "/d" || lower == "-d") && i+1 < len(args):
			to = args[i+1]
		case strings.HasPrefix(lower, "/y") && len(a) > 2 && from == "":
			from = a[2:]
		case strings.HasPrefix(lower, "/d") && len(a) > 2 && to == "":
			to = a[2:]
		}
	}
	if from == "" || to == "" {
		return nil
	}
	return []Move{{From: place(from), To: place(to)}}
}

// certutil reads -urlcache [-split] [-f] URL [FILE], -encode and -decode FROM TO.
func certutil(args []string) []Move {
	verb := ""
	for _, a := range args {
		switch v := strings.ToLower(strings.TrimLeft(a, "-/")); v {
		case "urlcache", "verifyctl", "url", "encode", "decode", "encodehex", "decodehex":
			verb = v
		}
	}
	p := positional(args, "/-", "")
	switch {
	case verb == "" || len(p) == 0:
		return nil
	case strings.HasSuffix(verb, "code") || strings.HasSuffix(verb, "codehex"):
		if len(p) < 2 {
			return nil
		}
		return []Move{{From: place(p[0]), To: place(p[1]), Channel: "smb"}}
	}
	m := Move{From: place(p[0])}
	if _, unc := uncPlace(p[0]); unc {
		m.Channel = "smb"
	} else if m.Channel = webChannel(p[0]); !strings.Contains(p[0], "://") {
		return nil
	}
	if len(p) > 1 {
		m.To = place(p[1])
	}
	return []Move{m}
}

// bitsadmin reads /transfer NAME [/download|/upload] [/priority P] REMOTE LOCAL and
// /addfile JOB REMOTE LOCAL.
func bitsadmin(args []string) []Move {
	upload := slices.ContainsFunc(args, func(a string) bool { return strings.EqualFold(a, "/upload") })
	p := positional(args, "/", "/priority /acltype")
	var out []Move
	for i := 1; i+1 < len(p); i++ {
		remote := place(p[i])
		if remote.Local() {
			continue
		}
		m := Move{From: remote, To: place(p[i+1])}
		if upload {
			m.From, m.To = m.To, m.From
		}
		out = append(out, m)
		i++
	}
	return out
}

// curl reads [-o FILE|-O] [-T FILE] [-F name=@FILE] URL.
func curl(args []string) []Move {
	const valued = "-o --output -T --upload-file -u --user -H --header -d --data --data-binary --data-raw -X --request -A --user-agent -e --referer -b --cookie -c -F --form " +
		"-x --proxy --cacert -E --cert --key -m --max-time --connect-timeout --retry -K --config --interface -r --range -w --write-out"
	var out []Move
	output, upload, user := "", "", ""
	for i := 0; i+1 < len(args); i++ {
		switch args[i] {
		case "-o", "--output":
			output = args[i+1]
		case "-T", "--upload-file":
			upload = args[i+1]
		case "-F", "--form", "-d", "--data", "--data-binary":
			if _, file, ok := strings.Cut(args[i+1], "@"); ok && file != "" {
				upload, _, _ = strings.Cut(file, ";")
			}
		case "-u", "--user":
			user, _, _ = strings.Cut(args[i+1], ":")
		}
	}
	saves := output != "" || slices.ContainsFunc(args, func(a string) bool {
		return a == "-O" || a == "--remote-name" || len(a) > 2 && a[0] == '-' && a[1] != '-' && strings.Contains(a, "O")
	})
	for _, u := range positional(args, "-", valued) {
		remote := place(u)
		if remote.Local() {
			if remote = bareURL(u); remote.Local() {
				continue
			}
		}
		if user != "" {
			remote.User = user
		}
		switch {
		case upload != "":
			out = append(out, Move{From: place(upload), To: remote, Channel: webChannel(u)})
		case saves:
			out = append(out, Move{From: remote, To: place(output), Channel: webChannel(u)})
		}
	}
	return out
}

// bareURL reads host/path, which curl takes for HTTP.
func bareURL(s string) Place {
	if i := strings.IndexByte(s, '/'); i > 0 && strings.ContainsAny(s[:i], ".:") && !strings.Contains(s, `\`) && (len(s) < 2 || s[1] != ':') {
		p, _ := urlPlace("http://" + s)
		return p
	}
	return Place{}
}

func wget(args []string) []Move {
	if slices.ContainsFunc(args, func(a string) bool { return strings.EqualFold(a, "-outfile") || strings.EqualFold(a, "-uri") }) {
		return webRequest(args)
	}
	output := ""
	for i, a := range args {
		switch {
		case (a == "-O" || a == "-P") && i+1 < len(args):
			output = args[i+1]
		case strings.HasPrefix(a, "-O") && len(a) > 2:
			output = a[2:]
		case strings.HasPrefix(a, "--output-document="):
			output = a[len("--output-document="):]
		}
	}
	if output == "-" {
		return nil
	}
	var out []Move
	for _, u := range positional(args, "-", "-O -P -o -a -U -T -t -i -e") {
		if p := place(u); !p.Local() {
			out = append(out, Move{From: p, To: place(output), Channel: webChannel(u)})
		}
	}
	return out
}

// flagSet are parameters without a value.
func flagSet(names string) map[string]bool {
	m := map[string]bool{}
	for _, n := range strings.Fields(names) {
		m[n] = true
	}
	return m
}

// parameters reads the arguments of a cmdlet: -Name value, switches, and the
// positional ones under the names given. A name may be cut short.
func parameters(args []string, switches map[string]bool, positions ...string) map[string]string {
	out := map[string]string{}
	var free []string
	for i := 0; i < len(args); i++ {
		a := args[i]
		if len(a) < 2 || a[0] != '-' {
			free = append(free, a)
			continue
		}
		name, value, has := strings.Cut(strings.ToLower(a[1:]), ":")
		for _, full := range positions {
			if len(name) > 1 && strings.HasPrefix(full, name) {
				name = full
			}
		}
		switch {
		case has:
			out[name] = a[len(a)-len(value):]
		case switches[name] || i+1 >= len(args):
			out[name] = "true"
		default:
			i++
			out[name] = args[i]
		}
	}
	for _, p := range positions {
		if out[p] == "" && len(free) > 0 {
			out[p] = free[0]
			free = free[1:]
		}
	}
	return out
}

var webSwitches = flagSet("usebasicparsing usedefaultcredentials disablekeepalive passthru skipcertificatecheck verbose")

func webRequest(args []string) []Move {
	p := parameters(args, webSwitches, "uri", "outfile", "infile")
	remote := place(p["uri"])
	if remote.Local() {
		remote = bareURL(p["uri"])
	}
	switch {
	case remote.Local():
		return nil
	case p["infile"] != "" && hasFlag(args, "infile"):
		return []Move{{From: place(p["infile"]), To: remote, Channel: webChannel(p["uri"])}}
	case p["outfile"] != "" && hasFlag(args, "outf"):
		return []Move{{From: remote, To: place(p["outfile"]), Channel: webChannel(p["uri"])}}
	}
	return nil
}

func hasFlag(args []string, prefix string) bool {
	return slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(strings.ToLower(a), "-"+prefix) })
}

func bitsTransfer(args []string) []Move {
	p := parameters(args, flagSet("asynchronous suspended dynamic"), "source", "destination")
	m := Move{From: place(p["source"]), To: place(p["destination"])}
	if strings.EqualFold(p["transfertype"], "upload") || strings.EqualFold(p["transfertype"], "uploadreply") {
		m.From, m.To = place(p["source"]), place(p["destination"])
	}
	if m.From.Share != "" || m.To.Share != "" {
		m.Channel = "smb"
	}
	return []Move{m}
}

// copyItem reads Copy-Item [-Path] FROM [-Destination] TO [-ToSession S] [-FromSession S].
func copyItem(args []string) []Move {
	p := parameters(args, flagSet("force recurse passthru container confirm verbose r f"), "path", "destination")
	from := p["path"]
	if p["literalpath"] != "" {
		from = p["literalpath"]
	}
	m := Move{From: place(from), To: place(p["destination"])}
	for _, end := range []struct {
		flag  string
		place *Place
	}{{"tosession", &m.To}, {"fromsession", &m.From}} {
		if s := p[end.flag]; s != "" {
			m.Channel = "winrm"
			end.place.Host = "?" + s // until the script says which host the session is with
		}
	}
	return []Move{m}
}

// tftp reads [-i] HOST GET|PUT FROM [TO].
func tftp(args []string) []Move {
	p := positional(args, "-", "-m")
	if len(p) < 3 {
		return nil
	}
	to := p[2]
	if len(p) > 3 {
		to = p[3]
	}
	switch strings.ToLower(p[1]) {
	case "get":
		return []Move{{From: Place{Host: p[0], Path: p[2]}, To: place(to)}}
	case "put":
		return []Move{{From: place(p[2]), To: Place{Host: p[0], Path: to}}}
	}
	return nil
}

// hostPath reads [user@]host:path; a drive letter is no host.
func hostPath(s string) Place {
	if p, ok := urlPlace(s); ok {
		return p
	}
	i := strings.IndexByte(s, ':')
	if i < 2 || strings.ContainsAny(s[:i], `\/`) {
		return place(s)
	}
	var p Place
	p.Host, p.Path = s[:i], s[i+1:]
	if at := strings.LastIndexByte(p.Host, '@'); at >= 0 {
		p.User, p.Host = p.Host[:at], p.Host[at+1:]
	}
	p.Host = strings.Trim(p.Host, "[]")
	return p
}

// fromToHosts reads tools whose last argument is the destination, each perhaps on
// another host.
func fromToHosts(valued string) func([]string) []Move {
	return func(args []string) []Move {
		p := positional(args, "-", valued)
		if len(p) < 2 {
			return nil
		}
		var out []Move
		for _, from := range p[:len(p)-1] {
			out = append(out, Move{From: hostPath(from), To: hostPath(p[len(p)-1])})
		}
		return out
	}
}

// sftp reads [user@]host:path [local]: a fetch; what a batch does is not on the line.
func sftp(args []string) []Move {
	p := positional(args, "-", "-b -B -c -D -F -i -J -l -o -P -R -S -s -X -pw -hostkey")
	if len(p) == 0 {
		return nil
	}
	from := hostPath(p[0])
	if from.Local() || from.Path == "" || isFolder(from.Path) {
		return nil
	}
	to := "."
	if len(p) > 1 {
		to = p[1]
	}
	return []Move{{From: from, To: place(to)}}
}

// rsync is over SSH with one colon, by its own protocol with two or a URL.
func rsync(args []string) []Move {
	moves := fromToHosts("-e -f --exclude --include --filter --files-from --bwlimit --timeout -T --temp-dir --password-file")(args)
	for i := range moves {
		m := &moves[i]
		for _, p := range []*Place{&m.From, &m.To} {
			if rest, ok := strings.CutPrefix(p.Path, ":"); ok {
				p.Path, m.Channel = rest, "rsync"
			}
		}
		if slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(a, "rsync://") }) {
			m.Channel = "rsync"
		}
	}
	return moves
}

// netcat reads HOST PORT < FILE and HOST PORT > FILE.
func netcat(args []string) []Move {
	file, push := "", false
	for i, a := range args {
		if (a == "<" || a == ">") && i+1 < len(args) {
			file, push = args[i+1], a == "<"
			args = args[:i]
			break
		}
		if len(a) > 1 && (a[0] == '<' || a[0] == '>') {
			file, push = a[1:], a[0] == '<'
			args = args[:i]
			break
		}
	}
	p := positional(args, "-", "-w -p -s -q -i -X -x")
	if file == "" || len(p) < 2 {
		return nil
	}
	remote := Place{Host: p[0], Port: p[1]}
	if push {
		return []Move{{From: place(file), To: remote}}
	}
	return []Move{{From: remote, To: place(file)}}
}

// rclone reads copy|sync|move FROM TO; a remote's host is in its configuration.
func rclone(args []string) []Move {
	p := positional(args, "-", "--config --transfers --bwlimit --include --exclude --filter --max-age --multi-thread-streams --log-file")
	if len(p) < 3 || !slices.Contains([]string{"copy", "copyto", "sync", "move", "moveto"}, strings.ToLower(p[0])) {
		return nil
	}
	ends := [2]Place{}
	for i := range ends {
		ends[i] = place(p[1+i])
		if name, path, ok := strings.Cut(p[1+i], ":"); ok && ends[i].Local() && len(name) > 1 {
			ends[i] = Place{Host: "?" + name, Path: path}
		}
	}
	return []Move{{From: ends[0], To: ends[1]}}
}

// smbclient reads //host/share -c "put FROM [TO]; get FROM [TO]".
func smbclient(args []string) []Move {
	p := positional(args, "-", "-c -U -W -p -I -m -D -A --user --directory --command")
	if len(p) == 0 {
		return nil
	}
	server, ok := uncPlace(p[0])
	if !ok {
		return nil
	}
	user, _, _ := strings.Cut(flagValue(args, "-U"), "%")
	server.User = user
	folder := flagValue(args, "-D")
	var out []Move
	for c := range strings.SplitSeq(flagValue(args, "-c")+flagValue(args, "--command"), ";") {
		w := ShellWords(strings.TrimSpace(c))
		if len(w) == 2 && w[0] == "cd" {
			folder = w[1]
		}
		if len(w) < 2 || w[0] != "put" && w[0] != "get" && w[0] != "mput" && w[0] != "mget" {
			continue
		}
		to := base(w[1])
		if len(w) > 2 {
			to = w[2]
		}
		remote := server
		if strings.HasSuffix(w[0], "put") {
			remote.Path = join(folder, to)
			out = append(out, Move{From: place(w[1]), To: remote})
			continue
		}
		remote.Path = join(folder, w[1])
		out = append(out, Move{From: remote, To: place(to)})
	}
	return out
}
