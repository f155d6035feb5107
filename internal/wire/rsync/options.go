package rsync

import (
	"slices"
	"strings"
)

// options are what the client asks for on the command line that it gives to the
// daemon (options.c, server_options), as far as it changes what is sent.
type options struct {
	push   bool // the client sends files
	dryRun bool // files are named, nothing of them is sent

	owner, group, links, devices, specials, hardLinks bool
	checksums, atimes, crtimes, acls, xattrs          bool
	numericIDs, relative, unsorted, append            bool
	secluded                                          bool // the rest of the command line follows

	prune, deletes, deletesExcluded bool // decide whether filters are sent

	compress         bool
	codec            string // "" is for both sides to agree on
	storesOnly       bool   // compression of level 0, which is none with zlib
	sums             string // of files and of the list; "" is for both sides to agree on
	targets          []string
	behindDot, value bool
}

// maxTargets bounds the paths that are kept; of more than so many none is.
const maxTargets = 64

// word takes the next word of the command line.
func (o *options) word(w, module string) {
	switch {
	case o.behindDot:
		o.target(w, module)
	case o.value:
		o.value = false
	case w == ".":
		o.behindDot = true
	case strings.HasPrefix(w, "--"):
		name, value, has := strings.Cut(w[2:], "=")
		o.long(name, unescaped(value))
		o.value = !has && slices.Contains(takesValue, name)
	case len(w) > 1 && w[0] == '-':
		o.letters(w[1:])
	}
}

// takesValue are the options whose value is a word of its own.
var takesValue = []string{"backup-dir", "partial-dir", "temp-dir", "compare-dest", "copy-dest", "link-dest", "files-from"}

// longLetters are long options that are letters too.
var longLetters = map[string]string{
	"owner": "o", "group": "g", "links": "l", "hard-links": "H", "checksum": "c", "acls": "A", "xattrs": "X",
	"dry-run": "n", "relative": "R", "atimes": "U", "crtimes": "N", "prune-empty-dirs": "m", "compress": "z",
	"secluded-args": "s", "protect-args": "s",
}

func (o *options) long(name, value string) {
	o.letters(longLetters[name])
	switch name {
	case "sender":
		o.push = false
	case "devices":
		o.devices = true
	case "specials":
		o.specials = true
	case "no-specials":
		o.specials = false
	case "no-relative":
		o.relative = false
	case "numeric-ids":
		o.numericIDs = true
	case "only-write-batch":
		o.dryRun = true // what would be sent goes into a file of the client
	case "append":
		o.append = true
	case "iconv":
		o.unsorted = true
	case "new-compress":
		o.compress, o.codec = true, "zlibx"
	case "old-compress":
		o.compress, o.codec = true, "zlib"
	case "compress-choice", "zc":
		o.compress, o.codec = true, strings.ToLower(value)
	case "compress-level", "zl":
		o.storesOnly = value == "0"
	case "checksum-choice", "cc":
		o.sums = strings.ToLower(value)
	case "delete-excluded":
		o.deletes, o.deletesExcluded = true, true
	case "delete", "del", "delete-before", "delete-during", "delete-delay", "delete-after":
		o.deletes = true
	}
}

// letters takes short options. What follows one that has a value is the value; e
// brings what the client can do, which the daemon answers to.
func (o *options) letters(letters string) {
	for _, c := range letters {
		switch c {
		case 'e', 'B', '@', 'M', 'f', 'T':
			return
		case 'o':
			o.owner = true
		case 'g':
			o.group = true
		case 'l':
			o.links = true
		case 'H':
			o.hardLinks = true
		case 'D':
			o.devices, o.specials = true, true
		case 'c':
			o.checksums = true
		case 'A':
			o.acls = true
		case 'X':
			o.xattrs = true
		case 'n':
			o.dryRun = true
		case 'R':
			o.relative = true
		case 'U':
			o.atimes = true
		case 'N':
			o.crtimes = true
		case 'm':
			o.prune = true
		case 'z':
			o.compress = true
		case 's':
			o.secluded = true
		}
	}
}

// target takes a path, which begins with the module's name.
func (o *options) target(w, module string) {
	w = unescaped(w)
	if rest, ok := strings.CutPrefix(w, module); ok && (rest == "" || rest[0] == '/') {
		w = strings.TrimPrefix(rest, "/")
	}
	if len(o.targets) <= maxTargets {
		o.targets = append(o.targets, w)
	}
}

// unescaped takes off the backslashes that keep a daemon from reading a character
// as more than itself (safe_arg).
func unescaped(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		out = append(out, s[i])
	}
	return string(out)
}

// filtersFromSender says whether the side that sends files says first what the other
// one has to leave alone (exclude.c, send_filter_list).
func (o *options) filtersFromSender(version int) bool {
	return o.push && (o.prune || o.deletes && (!o.deletesExcluded || version >= 29))
}
