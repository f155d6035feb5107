package ledger

import (
	"strings"

	"waybill/internal/model"
)

// A sensor that saw content pass without its name, and a host that noted a file with
// its name and without a connection, may have seen one movement. That both ends, the
// channel and the time agree is enough only where nothing else fits either of them.

// pairKey is what the two must have in common.
type pairKey struct {
	source, destination model.Addr
	channel, content    string
	span                int64
}

// pairs are transfers by what they must have in common.
type pairs map[pairKey][]int

// few is how many of one pair, content and span are looked at: in a crowd none is the
// only one that fits.
const few = 32

// anything stands for content of every kind.
const anything = "*"

// nameless joins those of the two kinds that fit only each other.
func nameless(all []*model.Transfer, b *book) []*model.Transfer {
	passed, noted := pairs{}, pairs{}
	for i, t := range all {
		switch {
		case !t.Source.IP.Known() || !t.Destination.IP.Known():
		case passedNameless(t):
			passed.add(t, i)
		case notedOnly(t):
			noted.add(t, i)
		}
	}
	if len(passed) == 0 || len(noted) == 0 {
		return all
	}
	gone := map[int]bool{}
	for i, t := range all {
		if gone[i] || !passedNameless(t) {
			continue
		}
		j := noted.only(all, t, b)
		if j < 0 || passed.only(all, all[j], b) != i {
			continue
		}
		merge(all[min(i, j)], all[max(i, j)])
		gone[max(i, j)] = true
	}
	out := all[:0:0]
	for i, t := range all {
		if !gone[i] {
			out = append(out, t)
		}
	}
	return out
}

func passedNameless(t *model.Transfer) bool {
	return len(names(t)) == 0 && connection(t) != "" && passedBy(t)
}

func notedOnly(t *model.Transfer) bool {
	return t.Name != "" && t.Completeness == model.Logged && t.Status == model.Done && connection(t) == "" && !passedBy(t)
}

func (p pairs) add(t *model.Transfer, i int) {
	from, to := spans(t, 0)
	for span := from; span <= min(to, from+maxSpans); span++ {
		for _, content := range [...]string{contentOf(t), anything} {
			k := pairKey{t.Source.IP, t.Destination.IP, family(t.Channel), content, span}
			p[k] = append(p[k], i)
		}
	}
}

// only gives the one that fits t, -1 where there is none or another.
func (p pairs) only(all []*model.Transfer, t *model.Transfer, b *book) int {
	found := -1
	kinds := []string{contentOf(t), ""}
	if kinds[0] == "" {
		kinds = []string{anything}
	}
	from, to := spans(t, 1)
	for span := from; span <= min(to, from+maxSpans); span++ {
		for _, content := range kinds {
			list := p[pairKey{t.Source.IP, t.Destination.IP, family(t.Channel), content, span}]
			if len(list) > few {
				return -1
			}
			for _, i := range list {
				if i == found || !sameNoted(all[i], t, b) {
					continue
				}
				if found >= 0 {
					return -1
				}
				found = i
			}
		}
	}
	return found
}

func sameNoted(o, t *model.Transfer, b *book) bool {
	return b.same(o, t) && (!sized(o, t) || *o.Size == *t.Size)
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
