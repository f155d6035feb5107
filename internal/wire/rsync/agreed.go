package rsync

import (
	"cmp"
	"slices"
	"strings"
)

// agreed is what both sides settled on.
type agreed struct {
	options
	version    int
	xattrOptim bool // attributes of hard links are left out (compat.c, want_xattr_optim)
	varints    bool // flags of the file list are numbers of variable length, and sides offer lists
	parts      bool // the file list comes in parts
	idZero     bool // the names of user and group 0 follow theirs

	fileSum, listSum int // bytes of the checksum behind a file, and of one in the list
}

// Flags by which the daemon says how things are done (compat.c).
const (
	inParts         = 1 << 0
	noXattrOptim    = 1 << 4
	varintFlags     = 1 << 7
	namesOfZero     = 1 << 8
	oldest, newest  = 27, 32
	binaryArguments = 30 // from here on words end in a zero byte
)

// flags takes what the daemon says, from protocol 30 on.
func (a *agreed) flags(f int32) {
	a.parts, a.varints, a.idZero = f&inParts != 0, f&varintFlags != 0, f&namesOfZero != 0
	a.xattrOptim = a.version >= 31 && f&noXattrOptim == 0
}

// settle chooses of what both sides offered.
func (a *agreed) settle(client, server offers) {
	sums := a.sums
	if sums == "" && a.varints {
		sums = common(client.sums, server.sums)
	}
	file, list, two := strings.Cut(sums, ",")
	if !two {
		list = file
	}
	a.fileSum, a.listSum = sumSize(file), sumSize(list)
	if !a.compress {
		return
	}
	if a.codec == "" && a.varints {
		a.codec = common(client.codecs, server.codecs)
	}
	a.codec = cmp.Or(a.codec, "zlib")
	if a.codec == "none" || a.storesOnly && strings.HasPrefix(a.codec, "zlib") {
		a.compress = false
	}
}

// offers are the lists of names that a side sends.
type offers struct{ sums, codecs string }

// common is the first name of the client that the server has too.
func common(client, server string) string {
	theirs := strings.Fields(server)
	for _, name := range strings.Fields(client) {
		if slices.Contains(theirs, name) {
			return name
		}
	}
	return ""
}

// sumSize is the length of a checksum (checksum.c); MD5 and MD4, of 16 bytes, are
// what is used where nothing is agreed on.
func sumSize(name string) int {
	switch name {
	case "xxh64", "xxhash", "xxh3":
		return 8
	case "sha1":
		return 20
	case "sha256":
		return 32
	case "sha512":
		return 64
	case "none":
		return 1
	}
	return 16
}
