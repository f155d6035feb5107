package judge

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"waybill/internal/model"
)

// folder is a place where programs are seldom brought to in everyday life.
type folder struct {
	path      string // lower case, with backslashes at both ends, without drive
	only      bool   // what lies in it itself, not deeper
	anywhere  bool   // it lies in each account's own folder
	scripts   bool   // only what a web server runs is started
	nats      float64
	says      string
	technique string
}

// Nats of odd folders: administrators put programs into temporary ones as well.
const (
	oddFolder  = 2
	tempFolder = 1
)

// oddFolders are folders that anybody may write to, or where nobody looks for programs
// (Filesystem Hierarchy Standard 3.0; Windows' default rights).
var oddFolders = []folder{
	{path: `\dev\shm\`, nats: oddFolder, says: "which is memory that anybody may write to"},
	{path: `\run\shm\`, nats: oddFolder, says: "which is memory that anybody may write to"},
	{path: `\tmp\`, nats: tempFolder, says: "which anybody may write to"},
	{path: `\var\tmp\`, nats: tempFolder, says: "which anybody may write to"},
	{path: `\private\tmp\`, nats: tempFolder, says: "which anybody may write to"},
	{path: `\private\var\tmp\`, nats: tempFolder, says: "which anybody may write to"},
	{path: `\users\shared\`, nats: tempFolder, says: "which anybody may write to"},
	{path: `\appdata\local\temp\`, anywhere: true, nats: tempFolder, says: "which holds temporary files of one account"},
	{path: `\library\`, anywhere: true, only: true, nats: tempFolder, says: "where programs have folders of their own"},
	{path: `\users\public\`, nats: tempFolder, says: "which anybody may write to"},
	{path: `\programdata\`, only: true, nats: tempFolder, says: "where programs have folders of their own"},
	{path: `\windows\temp\`, nats: tempFolder, says: "which anybody may write to"},
	{path: `\perflogs\`, nats: oddFolder, says: "which holds no programs"},
	{path: `\recycler\`, nats: oddFolder, says: "which is a recycle bin", technique: "T1564.001"},
	{path: `\$recycle.bin\`, nats: oddFolder, says: "which is a recycle bin", technique: "T1564.001"},
	{path: `\windows\addins\`, nats: oddFolder, says: "which holds no programs"},
	{path: `\windows\debug\`, nats: oddFolder, says: "which holds no programs"},
	{path: `\windows\fonts\`, nats: oddFolder, says: "which holds no programs"},
	{path: `\windows\help\`, nats: oddFolder, says: "which holds no programs"},
	{path: `\windows\media\`, nats: oddFolder, says: "which holds no programs"},
	{path: `\windows\tasks\`, nats: oddFolder, says: "which holds no programs"},
	{path: `\windows\tracing\`, nats: oddFolder, says: "which holds no programs"},
	{path: `\windows\system32\spool\drivers\color\`, nats: oddFolder, says: "which holds no programs"},
}

// startFolders are folders whose files are started by the system: at login, at boot,
// or at a time. They stand anywhere in a path, as some lie in each account's own.
var startFolders = []folder{
	{path: `\start menu\programs\startup\`, technique: "T1547.001"},
	{path: `\inetpub\wwwroot\`, technique: "T1505.003", scripts: true},
	{path: `\frontend\httpproxy\owa\auth\`, technique: "T1505.003", scripts: true},
	{path: `\var\www\`, technique: "T1505.003", scripts: true},
	{path: `\htdocs\`, technique: "T1505.003", scripts: true},
	{path: `\webapps\`, technique: "T1505.003", scripts: true},
	{path: `\library\launchagents\`, technique: "T1543.001"},
	{path: `\library\launchdaemons\`, technique: "T1543.004"},
	{path: `\etc\systemd\system\`, technique: "T1543.002"},
	{path: `\.config\systemd\user\`, technique: "T1543.002"},
	{path: `\.config\autostart\`, technique: "T1547.013"},
	{path: `\etc\init.d\`, technique: "T1037.004"},
	{path: `\etc\rc.local.d\`, technique: "T1037.004"},
	{path: `\etc\profile.d\`, technique: "T1546.004"},
	{path: `\etc\cron.d\`, technique: "T1053.003"},
	{path: `\etc\cron.hourly\`, technique: "T1053.003"},
	{path: `\etc\cron.daily\`, technique: "T1053.003"},
	{path: `\var\spool\cron\`, technique: "T1053.003"},
}

// usualHidden are hidden folders into which programs come every day: those of package
// managers, build tools and configuration management.
var usualHidden = map[string]bool{".ansible": true, ".cache": true, ".local": true, ".config": true, ".vscode-server": true, ".vscode": true,
	".cargo": true, ".rustup": true, ".npm": true, ".nvm": true, ".m2": true, ".gradle": true, ".pyenv": true, ".rbenv": true, ".jenkins": true,
	".git": true, ".snapshot": true, ".zfs": true, ".venv": true, ".oh-my-zsh": true, ".vim": true, ".emacs.d": true, ".dropbox": true}

// oddlyPlaced says why nobody would look for a program where it came to lie.
func oddlyPlaced(t *model.Transfer) (text, technique string, nats float64) {
	if !placedProgram(t) {
		return "", "", 0
	}
	place := diskPath(t)
	if f := startFolder(place); f != nil {
		return fmt.Sprintf("it came to a folder whose files are started by the system, as %s", t.Path), f.technique, oddFolder
	}
	if name := hiddenFolder(place); name != "" {
		return fmt.Sprintf("a program in the hidden folder %s", name), "T1564.001", oddFolder
	}
	if f := oddFolderOf(place); f != nil {
		return fmt.Sprintf("a program in %s, %s", shownFolder(t), f.says), f.technique, f.nats
	}
	return "", "", 0
}

// oddFolderOf is the odd folder that a path of a disk lies in; nil for none.
func oddFolderOf(place string) *folder {
	for i := range oddFolders {
		if f := &oddFolders[i]; f.holds(place) {
			return f
		}
	}
	return nil
}

// stray says whether a program of a host, by its full path, lies in a folder that is odd
// for programs.
func stray(process string) bool {
	place := `\` + pathKey(process)
	if len(place) > 2 && place[2] == ':' {
		place = place[3:]
	}
	return oddFolderOf(place) != nil || hiddenFolder(place) != ""
}

// placedProgram says whether a file is a program, or may be: on Unix programs have no
// extension.
func placedProgram(t *model.Transfer) bool {
	return runs(t) || t.Type == "" && strings.HasPrefix(t.Path, "/") && !strings.Contains(strings.TrimLeft(t.Name, "."), ".")
}

// startedByPlace says whether a file lies where the system starts what lies there.
func startedByPlace(t *model.Transfer) bool {
	if len(t.Executed) == 0 && !namesStart(t.Path) { // nearly all files: nothing is copied to tell
		return false
	}
	return startFolder(diskPath(t)) != nil
}

// namesStart says whether a folder of a path may be one of the startFolders: by its last
// element.
func namesStart(path string) bool {
	for path != "" {
		i := strings.IndexAny(path, `/\`)
		if i < 0 {
			return false
		}
		if startElement(path[:i]) {
			return true
		}
		path = path[i+1:]
	}
	return false
}

func startElement(e string) bool {
	for _, name := range startElements[min(len(e), len(startElements)-1)] {
		if strings.EqualFold(e, name) {
			return true
		}
	}
	return false
}

// startElements are the last elements of the startFolders, by their length.
var startElements = func() (all [16][]string) {
	for i := range startFolders {
		path := strings.Trim(startFolders[i].path, `\`)
		last := path[strings.LastIndexByte(path, '\\')+1:]
		all[len(last)] = append(all[len(last)], last)
	}
	return all
}()

func startFolder(place string) *folder {
	for i := range startFolders {
		f := &startFolders[i]
		if strings.Contains(place, f.path) && (!f.scripts || webScript(place)) {
			return f
		}
	}
	return nil
}

// webScript says whether a web server runs a file.
func webScript(place string) bool {
	switch _, ext := cutExtension(place); ext {
	case "aspx", "asp", "ashx", "asmx", "jsp", "jspx", "php", "war", "cgi":
		return true
	}
	return false
}

func (f *folder) holds(place string) bool {
	if f.anywhere {
		place = place[max(strings.Index(place, f.path), 0):]
	}
	rest, ok := strings.CutPrefix(place, f.path)
	return ok && !(f.only && strings.Contains(rest, `\`))
}

// hiddenFolder is the folder of a path that listings leave out on Unix; "" where there
// is none but usual ones.
func hiddenFolder(place string) string {
	parts := strings.Split(place, `\`)
	folders := parts[:len(parts)-1]
	if slices.ContainsFunc(folders, func(p string) bool { return usualHidden[p] }) {
		return ""
	}
	for _, p := range folders {
		if len(p) > 1 && p[0] == '.' && p != ".." {
			return p
		}
	}
	return ""
}

// diskPath is where a file lies on the disk, lower case, with backslashes, from the
// root of its drive: as the share tells, and its start where that is known. What a web
// server is asked for is no path of a disk.
func diskPath(t *model.Transfer) string {
	path := `\` + pathKey(t.Path)
	switch share := lastElement(t.Share); {
	case startedAt(t) != "":
		path = `\` + pathKey(startedAt(t))
	case t.Operation == model.Pull && (t.Channel == "http" || t.Channel == "webdav"):
		return ""
	case strings.EqualFold(share, "admin$"):
		return `\windows` + path
	case share != "":
		if root, admin := adminRoot(share); !admin || root == "" {
			return `?` + path // below a folder that is not known
		}
	}
	if len(path) > 2 && path[2] == ':' {
		return path[3:]
	}
	return path
}

// startedAt is where a file that came over no share was started; "" where that is not
// known. Of HTTP the share is the server's name.
func startedAt(t *model.Transfer) string {
	shared := t.Share != "" && model.ChannelFamily(t.Channel) != "http"
	if len(t.Executed) > 0 && !shared && strings.Contains(strings.ToLower(t.Executed[0].Process), strings.ToLower(t.Name)) {
		return t.Executed[0].Process
	}
	return ""
}

// shownFolder is the folder of a file as it was sent, or as its start shows.
func shownFolder(t *model.Transfer) string {
	start := startedAt(t)
	path := cmp.Or(start, t.Path)
	i := strings.LastIndexAny(path, `/\`)
	shown := path[:max(i, 0)]
	if share := lastElement(t.Share); share != "" && start == "" {
		return strings.TrimRight(share+`\`+shown, `\`)
	}
	return shown
}
