package judge

import (
	"slices"
	"strconv"
	"strings"

	"waybill/internal/model"
)

// opensAsProgram are extensions that start a program when they are opened.
var opensAsProgram = map[string]bool{"exe": true, "scr": true, "com": true, "pif": true, "bat": true, "cmd": true,
	"js": true, "vbs": true, "ps1": true, "hta": true, "cpl": true, "jar": true, "command": true}

// runsAs gives for extensions of what runs the type that its content is told to
// have where the content alone does not tell that it runs: a script that begins
// as any text does, an archive that is loaded as a program. Where it is empty,
// the content does.
var runsAs = map[string]string{
	"exe": "", "scr": "", "com": "", "pif": "", "cpl": "", "dll": "", "sys": "", "msi": "", "js": "", "class": "", "pyc": "",
	"elf": "", "run": "", "so": "", "ko": "", "dylib": "", "bundle": "", "appimage": "",
	"bat": "text", "cmd": "text", "ps1": "text", "psm1": "text", "vbs": "text", "vbe": "text", "wsf": "text", "hta": "text",
	"sh": "text", "bash": "text", "zsh": "text", "ksh": "text", "csh": "text", "command": "text",
	"aspx": "text", "asp": "text", "ashx": "text", "jsp": "text", "jspx": "text", "php": "text",
	"py": "text", "pl": "text", "rb": "text", "lua": "text",
	"vmx": "text", // a virtual machine: its disk runs
	"jar": "archive", "war": "archive", "pyz": "archive", "vib": "archive",
}

// runs says whether a file is executable: it was started, it lies where what lies is
// started, its bytes tell it, or its name or its permissions where they cannot.
func runs(t *model.Transfer) bool { return ran(t) || runsItself(t) }

// runsItself says so whether or not it was started.
func runsItself(t *model.Transfer) bool {
	switch t.Type {
	case "pe", "elf", "macho", "java", "script":
		return true
	}
	name := strings.ToLower(t.Name)
	_, ext := cutExtension(name)
	as, program := runsAs[ext]
	switch {
	case t.Type == "" && (strings.Contains(name, ".so.") || mayExecute(t.Mode) && harmless[ext] == ""): // .so. is a library's version
		return true
	case program && (t.Type == "" || t.Type == as):
		return true
	}
	return startedByPlace(t)
}

// unpacked is how an archive is used: it was taken apart.
const unpacked = "unpack"

// ran says whether a file, or what came out of it, was started: that an archive was taken
// apart is less.
func ran(t *model.Transfer) bool {
	return slices.ContainsFunc(t.Executed, func(x model.Execution) bool { return x.How != unpacked })
}

// seenProgram says whether the bytes of a file are those of a program, and its name is no
// installer's, nor that of what a compiler leaves.
func seenProgram(t *model.Transfer) bool {
	switch t.Type {
	case "pe", "elf", "macho", "java", "script":
		return !installer(t.Name) && !strings.HasSuffix(t.Name, ".o")
	}
	return false
}

// mayExecute says whether permission bits in octal let somebody execute a file.
func mayExecute(mode string) bool {
	n, err := strconv.ParseUint(mode, 8, 16)
	return err == nil && n&0o111 != 0
}

// mayRun says whether the content runs, can hold what runs, or is unknown, which the
// name of a document, picture or text settles.
func mayRun(t *model.Transfer) bool { return runs(t) || mayHold(t) }

// mayHold says so of what does not run by itself.
func mayHold(t *model.Transfer) bool {
	if t.Type == "archive" || t.Type == "disk" || t.Type == "data" {
		return true
	}
	return t.Type == "" && !plain(t.Name)
}

// isArchive says whether a file is an archive or a disk image, by its content or, where
// nothing is known of that, by its name.
func isArchive(t *model.Transfer) bool {
	if t.Type != "" {
		return t.Type == "archive" || t.Type == "disk"
	}
	switch _, ext := cutExtension(strings.ToLower(t.Name)); ext {
	case "rar", "7z", "zip", "tar", "tgz", "gz", "xz", "zst", "cab", "iso", "img", "vhd", "vhdx":
		return true
	}
	return false
}
