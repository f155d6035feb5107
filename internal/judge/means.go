package judge

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"waybill/internal/model"
)

// means are the techniques that the evidence of a transfer shows beside those of the
// analytics: by what it was moved, and what its file is and was started with. They say how it
// was done and count nothing; what is not in the record is not named.
func means(t *model.Transfer) []string {
	out := accountTechniques(t)
	if powershell(t.Process) || powershell(firstWord(t.Command)) {
		out = append(out, "T1059.001")
	}
	for i := range t.Executed {
		out = append(out, startMeans(t, &t.Executed[i])...)
	}
	if industrial.MatchString(t.Source.Role) || industrial.MatchString(t.Destination.Role) {
		out = append(out, "T0867")
	}
	return out
}

// startMeans are those of one start: the interpreter of a script or of the line that started
// it, the program of Windows that ran it for another, and what took an archive apart.
func startMeans(t *model.Transfer, x *model.Execution) []string {
	var out []string
	by := program(firstWord(x.Command))
	if how := interpreters[strings.ToLower(path.Ext(t.Name))]; how != "" {
		out = append(out, how)
	}
	if powershell(x.Parent) || powershell(x.Process) || powershell(by) {
		out = append(out, "T1059.001")
	}
	if how := proxies[by]; how != "" && !strings.EqualFold(by, program(t.Name)) {
		out = append(out, how)
	}
	if unpacks(t, by, x.Command) {
		out = append(out, "T1140")
	}
	return out
}

// interpreters are the techniques of scripts by their extension (ATT&CK, T1059).
var interpreters = map[string]string{".ps1": "T1059.001", ".bat": "T1059.003", ".cmd": "T1059.003", ".sh": "T1059.004", ".vbs": "T1059.005", ".vbe": "T1059.005",
	".py": "T1059.006", ".js": "T1059.007", ".jse": "T1059.007"}

// proxies are programs of Windows that run what another file holds (ATT&CK, T1218).
var proxies = map[string]string{"rundll32": "T1218.011", "regsvr32": "T1218.010", "mshta": "T1218.005", "msiexec": "T1218.007", "installutil": "T1218.004", "odbcconf": "T1218.008", "cmstp": "T1218.003"}

// unpacks says whether a start took the file apart that moved, or decoded it.
func unpacks(t *model.Transfer, by, command string) bool {
	line := strings.ToLower(command)
	switch by {
	case "certutil":
		return strings.Contains(line, "-decode") || strings.Contains(line, "/decode")
	case "powershell", "pwsh":
		return strings.Contains(line, "expand-archive")
	}
	return t.Type == "archive" && slices.Contains(unpackers, by)
}

// unpackers take archives apart.
var unpackers = []string{"7z", "7za", "7zr", "7zg", "rar", "unrar", "winrar", "unzip", "tar", "expand", "extrac32", "bsdtar"}

// industrial are roles, as --assets gives them, of hosts that steer a plant: for these
// moves between hosts ATT&CK for ICS has a technique of its own.
var industrial = regexp.MustCompile(`(?i)\b(hmi|plc|rtu|scada|historian|ics|engineering (workstation|station))\b`)

// accountTechniques are those of an account that is another one's than who asked: whoever
// copied it as somebody else had the other's password, ticket or hash.
func accountTechniques(t *model.Transfer) []string {
	asked := bareAccount(t.InitiatorUser)
	if t.User == "" || asked == "" || serviceAccount(asked) || serviceAccount(t.User) || strings.EqualFold(asked, bareAccount(t.User)) {
		return nil
	}
	return validAccounts(t)
}

// validAccounts is the technique of using an account: of a domain, or of the host that was
// turned to. Without domain it is a name that means little: on Unix each host has its own.
func validAccounts(t *model.Transfer) []string {
	asked := t.Destination
	if t.Initiator == model.ByDestination {
		asked = t.Source
	}
	host, _, _ := strings.Cut(asked.Host, ".")
	switch {
	case t.Domain == "":
		return nil
	case strings.EqualFold(t.Domain, host):
		return []string{"T1078.003"}
	}
	return []string{"T1078.002"}
}

func bareAccount(user string) string { return user[strings.LastIndexByte(user, '\\')+1:] }

// serviceAccount says whether an account is a machine's or the system's.
func serviceAccount(user string) bool {
	user = strings.ToLower(bareAccount(user))
	switch user {
	case "system", "anonymous logon", "local service", "network service", "root":
		return true
	}
	return strings.HasSuffix(user, "$")
}

// firstWord is the program that a command line begins with.
func firstWord(command string) string {
	command = strings.TrimSpace(command)
	if rest, ok := strings.CutPrefix(command, `"`); ok {
		word, _, _ := strings.Cut(rest, `"`)
		return word
	}
	word, _, _ := strings.Cut(command, " ")
	return word
}

// program is the name of a program without folder and .exe, lower case.
func program(image string) string {
	name := strings.ToLower(image[strings.LastIndexAny(image, `\/`)+1:])
	return strings.TrimSuffix(name, ".exe")
}

func powershell(image string) bool {
	p := program(image)
	return p == "powershell" || p == "pwsh" || p == "powershell_ise"
}
