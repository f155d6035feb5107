package cmdline

import "strings"

// psexec reads PsExec and its kin: \\host[,host] [-u user] [-p password] [-c] command.
// They copy their service, and with -c the command's program, to ADMIN$.
func (r *reader) psexec(args []string, depth int) {
	var hosts []string
	copies := false
	i := 0
	for ; i < len(args); i++ {
		a := args[i]
		if h, ok := strings.CutPrefix(a, `\\`); ok {
			hosts = append(hosts, strings.Split(h, ",")...)
			continue
		}
		if len(a) < 2 || a[0] != '-' && a[0] != '/' {
			break
		}
		switch flag := strings.ToLower(a[1:]); flag {
		case "c":
			copies = true
		case "u", "p", "n", "r", "w", "a", "priority", "to", "rlo", "dbg", "csrc":
			i++
		case "i": // with or without a session
			if i+1 < len(args) && strings.Trim(args[i+1], "0123456789") == "" {
				i++
			}
		}
	}
	for _, h := range hosts {
		h = strings.Trim(h, `\`)
		if h == "" || h == "*" {
			continue
		}
		if copies && i < len(args) {
			from := place(args[i])
			r.move(tool{channel: "smb"}, "psexec", Move{From: from, To: Place{Host: h, Share: "ADMIN$", Path: base(from.Path)}})
		}
		if i < len(args) {
			r.ordered(h, func() { r.command(args[i:], depth+1) })
		}
	}
}

// wmic reads /node:HOST ... process call create "command".
func (r *reader) wmic(args []string, depth int) {
	host, create := "", -1
	for i, a := range args {
		lower := strings.ToLower(a)
		if strings.HasPrefix(lower, "/node:") {
			host = a[len("/node:"):]
		}
		if lower == "create" {
			create = i
		}
	}
	if create < 0 || create+1 >= len(args) {
		return
	}
	command := strings.Trim(strings.Join(args[create+1:], " "), `"'`)
	for h := range strings.SplitSeq(host, ",") {
		r.ordered(h, func() { r.cmdLine(command, depth+1) })
	}
}

// winrs reads -r:HOST command.
func (r *reader) winrs(args []string, depth int) {
	host := ""
	for len(args) > 0 && len(args[0]) > 1 && (args[0][0] == '-' || args[0][0] == '/') {
		flag, value, ok := strings.Cut(args[0][1:], ":")
		if flag = strings.ToLower(flag); ok && (flag == "r" || flag == "remote") {
			host = value
			if p, ok := urlPlace(value); ok {
				host = p.Host
			}
		}
		args = args[1:]
	}
	r.ordered(host, func() { r.cmdLine(line(args), depth+1) })
}

// schtasks reads /create /s HOST /tr "command".
func (r *reader) schtasks(args []string, depth int) {
	host, command := flagValue(args, "/s"), flagValue(args, "/tr")
	if command != "" {
		r.ordered(host, func() { r.cmdLine(command, depth+1) })
	}
}

// flagValue is the argument behind a flag.
func flagValue(args []string, flag string) string {
	for i, a := range args {
		if strings.EqualFold(a, flag) && i+1 < len(args) {
			return args[i+1]
		}
	}
	return ""
}

// sc reads \\HOST create NAME binPath= "command".
func (r *reader) sc(args []string, depth int) {
	if len(args) < 2 || !strings.HasPrefix(args[0], `\\`) {
		return
	}
	for i, a := range args {
		lower := strings.ToLower(a)
		if lower == "binpath=" && i+1 < len(args) {
			r.ordered(args[0], func() { r.cmdLine(args[i+1], depth+1) })
		} else if v := len("binpath="); len(a) > v && strings.HasPrefix(lower, "binpath=") {
			r.ordered(args[0], func() { r.cmdLine(a[v:], depth+1) })
		}
	}
}

// at reads \\HOST 12:00 command.
func (r *reader) at(args []string, depth int) {
	if len(args) > 2 && strings.HasPrefix(args[0], `\\`) {
		r.ordered(args[0], func() { r.cmdLine(line(args[2:]), depth+1) })
	}
}

// net reads "net use [X:] \\host\share [password] [/user:account]".
func (r *reader) net(args []string, _ int) {
	if len(args) < 2 || !strings.EqualFold(args[0], "use") {
		return
	}
	var d Drive
	for _, a := range args[1:] {
		lower := strings.ToLower(a)
		switch {
		case len(a) == 2 && a[1] == ':':
			d.Letter = lower
		case strings.HasPrefix(lower, "/user:"):
			d.User = a[len("/user:"):]
		case strings.HasPrefix(lower, "/d"):
			return
		default:
			if p, ok := uncPlace(a); ok {
				d.Host, d.Share = p.Host, p.Share
			}
		}
	}
	r.drive(d)
}

func (r *reader) drive(d Drive) {
	if d.Host != "" && len(r.Drives) < maxMoves && r.on == "" {
		r.Drives = append(r.Drives, d)
	}
}

// psDrive reads New-PSDrive -Name X -PSProvider FileSystem -Root \\host\share.
func (r *reader) psDrive(args []string, _ int) {
	p := parameters(args, psDriveFlags, "name", "psprovider", "root")
	if root, ok := uncPlace(p["root"]); ok {
		r.drive(Drive{Letter: strings.ToLower(p["name"]) + ":", Host: root.Host, Share: root.Share})
	}
}

var psDriveFlags = flagSet("persist confirm whatif")

func (r *reader) smbMapping(args []string, _ int) {
	p := parameters(args, psDriveFlags, "localpath", "remotepath")
	if root, ok := uncPlace(p["remotepath"]); ok {
		r.drive(Drive{Letter: strings.ToLower(p["localpath"]), Host: root.Host, Share: root.Share, User: p["username"]})
	}
}

// invokeCommand reads -ComputerName HOST; the block stands by itself in the script.
func (r *reader) invokeCommand(args []string, _ int) {
	if h := parameters(args, psDriveFlags, "computername")["computername"]; h != "" {
		r.on = strings.Split(h, ",")[0]
	}
}
