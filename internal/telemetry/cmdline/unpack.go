package cmdline

import "strings"

// Unpacking is an archive that a command takes apart.
type Unpacking struct {
	Tool     string
	Archive  string // its path as the line has it
	Folder   string // where to; "" where the line does not say
	Password bool   // the line has one
}

// unpackers read the arguments of programs that take archives apart; nil where they do
// something else.
var unpackers = map[string]func(args []string) *Unpacking{
	"7z": sevenZip, "7za": sevenZip, "7zr": sevenZip, "7zz": sevenZip, "7zg": sevenZip, "rar": sevenZip, "unrar": sevenZip, "winrar": sevenZip,
	"unzip": unzip, "tar": untar, "bsdtar": untar, "expand": expandCabinet, "extrac32": extractCabinet, "expand-archive": expandArchive,
}

// sevenZip reads "x|e [switches] ARCHIVE [files] [-oFOLDER]" of 7-Zip, and "x [switches]
// ARCHIVE [files] [FOLDER\]" of RAR. Both have the password behind -p, RAR also behind -hp.
func sevenZip(args []string) *Unpacking {
	if len(args) == 0 || !strings.EqualFold(args[0], "x") && !strings.EqualFold(args[0], "e") {
		return nil
	}
	var u Unpacking
	for _, a := range args[1:] {
		switch lower := strings.ToLower(a); {
		case strings.HasPrefix(lower, "-o") && len(a) > 2 && lower != "-o+" && lower != "-o-":
			u.Folder = a[2:]
		case strings.HasPrefix(lower, "-p") && len(a) > 2 && lower != "-p-", strings.HasPrefix(lower, "-hp"):
			u.Password = true
		case strings.HasPrefix(a, "-"):
		case u.Archive == "":
			u.Archive = a
		case strings.HasSuffix(a, `\`) || strings.HasSuffix(a, "/"):
			u.Folder = a
		}
	}
	return u.named()
}

// unzip reads "[-o] [-P password] ARCHIVE [files] [-d FOLDER]" of Info-ZIP.
func unzip(args []string) *Unpacking {
	var u Unpacking
	for i := 0; i < len(args); i++ {
		switch a := args[i]; {
		case a == "-l" || a == "-t" || a == "-v" || a == "-z" || a == "-Z":
			return nil
		case a == "-d" && i+1 < len(args):
			i++
			u.Folder = args[i]
		case a == "-P":
			i++
			u.Password = true
		case strings.HasPrefix(a, "-"):
		case u.Archive == "":
			u.Archive = a
		}
	}
	return u.named()
}

// untar reads "x[zjv]f ARCHIVE", with or without a hyphen, [-C FOLDER].
func untar(args []string) *Unpacking {
	var u Unpacking
	extracts, file := false, false
	for i, a := range args {
		switch {
		case file:
			u.Archive, file = a, false
		case a == "-C" && i+1 < len(args):
			u.Folder = args[i+1]
		case i == 0 || strings.HasPrefix(a, "-") && !strings.HasPrefix(a, "--"):
			extracts = extracts || strings.Contains(a, "x")
			file = strings.HasSuffix(a, "f")
		}
	}
	if !extracts {
		return nil
	}
	return u.named()
}

// expandCabinet reads "SOURCE [-F:files] [FOLDER]" of expand.exe.
func expandCabinet(args []string) *Unpacking {
	var u Unpacking
	for _, a := range args {
		switch {
		case strings.EqualFold(a, "-d") || strings.EqualFold(a, "/d"):
			return nil // a list of what is in it
		case strings.HasPrefix(a, "-") || strings.HasPrefix(a, "/"):
		case u.Archive == "":
			u.Archive = a
		default:
			u.Folder = a
		}
	}
	return u.named()
}

// extractCabinet reads "[/Y] [/E] [/L FOLDER] CABINET" of extrac32.exe.
func extractCabinet(args []string) *Unpacking {
	var u Unpacking
	for i := 0; i < len(args); i++ {
		switch a := args[i]; {
		case strings.EqualFold(a, "/d"):
			return nil
		case strings.EqualFold(a, "/l") && i+1 < len(args):
			i++
			u.Folder = args[i]
		case strings.HasPrefix(a, "/"):
		case u.Archive == "":
			u.Archive = a
		}
	}
	return u.named()
}

// expandArchive reads PowerShell's Expand-Archive.
func expandArchive(args []string) *Unpacking {
	p := parameters(args, flagSet("force passthru verbose confirm"), "path", "destinationpath")
	u := Unpacking{Archive: p["path"], Folder: p["destinationpath"]}
	if p["literalpath"] != "" {
		u.Archive = p["literalpath"]
	}
	return u.named()
}

// named is nil where no archive is named.
func (u Unpacking) named() *Unpacking {
	if u.Archive == "" {
		return nil
	}
	u.Archive, u.Folder = strings.Trim(u.Archive, `"'`), strings.TrimRight(strings.Trim(u.Folder, `"'`), `\/`)
	return &u
}

// unpack notes that a command takes an archive apart.
func (r *reader) unpack(name string, args []string) {
	read := unpackers[name]
	if read == nil || r.on != "" || len(r.Unpackings) >= maxMoves {
		return
	}
	if u := read(args); u != nil {
		u.Tool = name
		r.Unpackings = append(r.Unpackings, *u)
	}
}
