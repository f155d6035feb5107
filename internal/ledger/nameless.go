package ledger

import (
	"hash/maphash"
	"strings"

	"waybill/internal/model"
)

// A sensor that saw content pass without its name, and a host that noted a file with
// its name and without a connection, may have seen one movement. That both ends, the
// channel and the time agree is enough only where nothing else fits either of them.

// few is how many of one pair of hosts are compared: in a crowd none is the only one
// that fits.
const few = 32

// noted gives what a host noted of what passed without a name, if nothing else fits
// either of them.
func (b *book) noted(passed *entry) *entry {
	kind, hosts := passedNameless, notedOnly
	if sealedLogin(passed.t) {
		kind, hosts = sealedLogin, overSSH
	}
	if passed.gone || !kind(passed.t) {
		return nil
	}
	noted := b.only(passed, hosts)
	if noted == nil || b.only(noted, kind) != passed {
		return nil
	}
	return noted
}

// sealedLogin says whether an SSH session moved something, of which nobody knows the size:
// what hosts noted of it lies within it.
func sealedLogin(t *model.Transfer) bool { return t.Channel == "ssh" && sealedNameless(t) }

func overSSH(t *model.Transfer) bool {
	return t.Channel == "ssh" && mayBeNoted(t) && t.Size == nil && (t.Status == model.Done || t.Status == model.Claimed)
}

// within is how far from an SSH session the hosts at its ends may date what went over it:
// the program that asks for it starts before it.
const within model.Time = 10e9

// only gives the one of a kind that fits e, nil where there is none or another.
func (b *book) only(e *entry, kind func(*model.Transfer) bool) *entry {
	var found *entry
	fit, near := 0, 0
	b.each(b.pairKey(e.t), func(x *entry) {
		if near > few || !kind(x.t) || !fitContent(contentOf(x.t), contentOf(e.t)) || apart(x, e) > Slack || e.t.Channel == "ssh" && apart(x, e) > within {
			return
		}
		near++
		if b.same(x, e) && (!sized(x.t) || !sized(e.t) || *x.t.Size == *e.t.Size) {
			found = x
			fit++
		}
	})
	if fit != 1 || near > few {
		return nil
	}
	return found
}

func fitContent(a, b string) bool { return a == b || a == "" || b == "" }

// pairKey is the key of what went from one address to another over a channel.
func (b *book) pairKey(t *model.Transfer) uint64 {
	b.text = append(append(append(b.text[:0], 'p'), t.Source.IP[:]...), t.Destination.IP[:]...)
	b.text = append(b.text, model.ChannelFamily(t.Channel)...)
	return maphash.Bytes(b.seed, b.text)
}

func passedNameless(t *model.Transfer) bool {
	return t.Completeness == model.Logged && connected(t) && !eachName(t, anyName) && passedBy(t)
}

func notedOnly(t *model.Transfer) bool { return mayBeNoted(t) && t.Status == model.Done }

// sealed gives the encrypted session that carried what a host noted: the only one of
// its ends and channel whose size fits.
func (b *book) sealed(noted *entry) *entry {
	if noted.t.Size == nil || !noted.t.Source.IP.Known() || !noted.t.Destination.IP.Known() {
		return nil
	}
	var one nearest
	b.each(b.pairKey(noted.t), func(e *entry) {
		if sealedNameless(e.t) && *noted.t.Size >= e.t.Estimate.Low && *noted.t.Size <= e.t.Estimate.High && b.same(e, noted) {
			one.offer(e, noted)
		}
	})
	if one.others > 0 {
		return nil
	}
	return one.e
}

// sealedNameless says whether packets show an encrypted session, and about how much
// went over it.
func sealedNameless(t *model.Transfer) bool {
	return t.Completeness == model.Opaque && t.Estimate != nil && t.Size == nil && !eachName(t, anyName)
}

// mayBeNoted says whether a host noted a file without a connection.
func mayBeNoted(t *model.Transfer) bool {
	return t.Completeness == model.Logged && t.Name != "" && t.Source.IP.Known() && t.Destination.IP.Known() && !connected(t) && !passedBy(t)
}

// contentOf is the kind of content that a transfer is known to have, else that its
// name says, "" where neither tells.
func contentOf(t *model.Transfer) string {
	switch t.Type {
	case "script":
		return "text"
	case "data":
		return ""
	case "":
		return kinds[strings.ToLower(t.Name[strings.LastIndexByte(t.Name, '.')+1:])]
	}
	return t.Type
}

// kinds are the kinds of content by the endings of names.
var kinds = map[string]string{
	"exe": "pe", "dll": "pe", "sys": "pe", "scr": "pe", "cpl": "pe", "ocx": "pe",
	"zip": "archive", "7z": "archive", "rar": "archive", "cab": "archive", "gz": "archive", "tgz": "archive", "tar": "archive", "xz": "archive", "bz2": "archive",
	"docx": "office", "xlsx": "office", "pptx": "office", "docm": "office", "xlsm": "office", "doc": "office", "xls": "office", "ppt": "office",
	"pdf": "pdf", "png": "image", "jpg": "image", "jpeg": "image", "gif": "image", "bmp": "image", "ico": "image",
	"txt": "text", "csv": "text", "log": "text", "htm": "text", "html": "text", "xml": "text", "json": "text",
	"ps1": "text", "bat": "text", "cmd": "text", "vbs": "text", "js": "text", "hta": "text", "py": "text", "sh": "text",
}
