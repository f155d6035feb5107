package rsync

import (
	"cmp"
	"slices"
	"strings"
)

// Flags of an entry of the file list (rsync.h, XMIT_).
const (
	sameMode     = 1 << 1
	sameDevice27 = 1 << 2 // protocol 27
	extended     = 1 << 2 // from 28 on: a second byte of flags follows
	sameUID      = 1 << 3
	sameGID      = 1 << 4
	sameName     = 1 << 5
	longName     = 1 << 6
	sameTime     = 1 << 7
	sameMajor    = 1 << 8
	hardLinked   = 1 << 9
	userFollows  = 1 << 10
	sameDisk     = 1 << 10 // protocols 28 and 29
	groupFollows = 1 << 11
	smallMinor   = 1 << 11 // protocols 28 and 29
	linkFirst    = 1 << 12
	listErrors   = 1 << 12 // with extended alone: the end of the list, with errors
	nanoseconds  = 1 << 13
	sameATime    = 1 << 14
	sameCrTime   = 1 << 17
)

// Kinds of files in a mode.
const (
	kindMask   = 0o170000
	kindFIFO   = 0o010000
	kindChar   = 0o020000
	kindDir    = 0o040000
	kindBlock  = 0o060000
	kindFile   = 0o100000
	kindLink   = 0o120000
	kindSocket = 0o140000
)

// maxPath is the longest name (rsync.h, MAXPATHLEN).
const maxPath = 4096

// entry is one file of the list.
type entry struct {
	name string
	size int64
	kind int32
	sent bool
}

// entryCost is what an entry costs of the budget besides its name.
const entryCost = 64

// list is a part of the file list; without parts there is one.
type list struct {
	first   int32 // number of its first file
	entries []entry
	cost    int64
}

// lister reads file lists: what an entry leaves out is as in the one before, also
// across parts.
type lister struct {
	a    *agreed
	name string
	mode int32
}

// entry reads one entry (recv_file_entry) or the end of the list.
func (l *lister) entry(r *reader, part *list) (e entry, end bool) {
	flags, end := l.flags(r)
	if end || r.short {
		return entry{}, end
	}
	e.name = l.named(r, flags)
	mode := l.mode
	if first := l.twin(r, flags, part); first != nil {
		e.size, e.kind = first.size, first.kind
		mode = mode&^kindMask | first.kind
	} else {
		mode = l.attributes(r, &e, flags)
	}
	if l.a.acls && e.kind != kindLink {
		l.acls(r, e.kind == kindDir)
	}
	if l.a.xattrs {
		l.xattrs(r)
	}
	if !r.short {
		l.name, l.mode = e.name, mode
	}
	return e, false
}

// flags reads the flags of an entry; without any the list is at its end.
func (l *lister) flags(r *reader) (flags int32, end bool) {
	if l.a.varints {
		if flags = r.varint(); flags == 0 {
			r.varint() // errors of the sender
			return 0, !r.short
		}
		return flags, false
	}
	if flags = int32(r.u8()); flags == 0 {
		return 0, !r.short
	}
	if l.a.version >= 28 && flags&extended != 0 {
		flags |= int32(r.u8()) << 8
	}
	if l.a.version >= 30 && flags == extended|listErrors {
		r.varint()
		return 0, !r.short
	}
	return flags, false
}

func (l *lister) named(r *reader, flags int32) string {
	kept, n := 0, int32(0)
	if flags&sameName != 0 {
		kept = r.u8()
	}
	if flags&longName != 0 {
		n = r.varint30()
	} else {
		n = int32(r.u8())
	}
	if n < 0 || n > maxPath || kept > len(l.name) {
		r.bad = true
		return ""
	}
	return l.name[:kept] + string(r.take(int(n)))
}

// twin is the entry of this part that an entry is a hard link to, from protocol 30
// on: all that follows its name is left out.
func (l *lister) twin(r *reader, flags int32, part *list) *entry {
	if l.a.version < 30 || flags&hardLinked == 0 || flags&linkFirst != 0 {
		return nil
	}
	n := int64(r.varint()) - int64(part.first)
	if n >= int64(len(part.entries)) {
		r.bad = r.bad || !r.short
		return nil
	}
	if n < 0 || r.short {
		return nil
	}
	return &part.entries[n]
}

// attributes reads what follows the name, and gives the mode.
func (l *lister) attributes(r *reader, e *entry, flags int32) int32 {
	a, mode := l.a, l.mode
	e.size = r.size()
	if flags&sameTime == 0 {
		l.time(r)
	}
	if flags&nanoseconds != 0 && a.version >= 31 {
		r.varint()
	}
	if a.crtimes && flags&sameCrTime == 0 {
		l.time(r)
	}
	if flags&sameMode == 0 {
		mode = r.i32()
	}
	e.kind = mode & kindMask
	if !known(e.kind) {
		r.bad = r.bad || !r.short
	}
	if a.atimes && e.kind != kindDir && flags&sameATime == 0 {
		l.time(r)
	}
	if a.owner && flags&sameUID == 0 {
		l.owner(r, flags&userFollows != 0)
	}
	if a.group && flags&sameGID == 0 {
		l.owner(r, flags&groupFollows != 0)
	}
	l.device(r, e.kind, flags)
	if a.links && e.kind == kindLink {
		r.take(int(r.varint30()))
	}
	l.rest(r, e.kind, flags)
	return mode
}

// known says that a kind of file exists; 0 asks for a file to be deleted.
func known(kind int32) bool {
	switch kind {
	case 0, kindFIFO, kindChar, kindDir, kindBlock, kindFile, kindLink, kindSocket:
		return true
	}
	return false
}

func (l *lister) time(r *reader) {
	if r.old {
		r.i32()
		return
	}
	r.varlong(4)
}

// owner reads a user or group.
func (l *lister) owner(r *reader, named bool) {
	r.varint30()
	if named && !r.old {
		r.take(r.u8())
	}
}

// device reads the numbers of a device; special files had some before protocol 31.
func (l *lister) device(r *reader, kind, flags int32) {
	a := l.a
	device := a.devices && (kind == kindChar || kind == kindBlock)
	special := a.specials && (kind == kindFIFO || kind == kindSocket) && a.version < 31
	switch {
	case !device && !special:
	case a.version < 28:
		if flags&sameDevice27 == 0 {
			r.i32()
		}
	default:
		if flags&sameMajor == 0 {
			r.varint30()
		}
		l.minor(r, flags)
	}
}

func (l *lister) minor(r *reader, flags int32) {
	switch {
	case !r.old:
		r.varint()
	case flags&smallMinor != 0:
		r.u8()
	default:
		r.i32()
	}
}

// rest reads disk and inode of what is hard-linked, below protocol 30, and checksums.
func (l *lister) rest(r *reader, kind, flags int32) {
	a := l.a
	linked := flags&hardLinked != 0 || a.version < 28 && kind == kindFile
	if a.hardLinks && a.version < 30 && linked {
		if flags&sameDisk == 0 {
			r.long()
		}
		r.long()
	}
	if a.checksums && (kind == kindFile || a.version < 28) {
		r.take(a.listSum)
	}
}

// sort puts a list in the order by which both sides count (flist_sort_and_clean).
func (l *list) sort(version int) {
	if version < 29 {
		slices.SortStableFunc(l.entries, func(a, b entry) int { return cmp.Compare(a.name, b.name) })
		return
	}
	slices.SortStableFunc(l.entries, func(a, b entry) int { return compare(&a, &b) })
}

// compare is f_name_cmp from protocol 29 on: in a folder files come before folders,
// and folders compare with a slash behind them. The folder "." is before all.
func compare(a, b *entry) int {
	x, y := a.name, b.name
	if top(a) || top(b) {
		return cmp.Compare(number(!top(a)), number(!top(b)))
	}
	for {
		partX, restX, moreX := strings.Cut(x, "/")
		partY, restY, moreY := strings.Cut(y, "/")
		dirX, dirY := moreX || a.kind == kindDir, moreY || b.kind == kindDir
		if dirX != dirY {
			return cmp.Compare(number(dirX), number(dirY))
		}
		if c := compareParts(partX, partY, dirX); c != 0 {
			return c
		}
		if !moreX || !moreY {
			return cmp.Compare(number(moreX), number(moreY))
		}
		x, y = restX, restY
	}
}

func top(e *entry) bool { return e.kind == kindDir && e.name == "." }

// compareParts compares two elements of a path; those of folders end in a slash.
func compareParts(x, y string, dirs bool) int {
	n := min(len(x), len(y))
	if c := cmp.Compare(x[:n], y[:n]); c != 0 || !dirs || len(x) == len(y) {
		return cmp.Or(c, cmp.Compare(len(x), len(y)))
	}
	if len(x) > n {
		return cmp.Compare(x[n], '/')
	}
	return cmp.Compare('/', y[n])
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}
