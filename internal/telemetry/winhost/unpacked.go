package winhost

import (
	"slices"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry/cmdline"
)

// An archive that came to a host is used when it is taken apart: by another host's word
// that counts as a start. What came out of it and is started stands for the archive,
// which is what moved.

// unpacking is a command that takes an archive apart, or the mount of a disk image.
type unpacking struct {
	cmdline.Unpacking
	start  start
	folder string  // where to, lower case with a backslash; "" unknown
	from   *landed // nil while it is not known to have come
	mount  bool
}

// maxUnpackings bounds what is remembered of a host.
const maxUnpackings = 64

// unpacks takes such a command.
func (h *host) unpacks(x *start, u cmdline.Unpacking) {
	u.Archive = strings.Clone(u.Archive)
	p := &unpacking{Unpacking: u, start: *x}
	if u.Folder != "" {
		p.folder = strings.ToLower(strings.Clone(u.Folder)) + `\`
	}
	h.takeApart(p)
}

// imageMounted takes the mount of a disk image: programs that are started from a drive which
// was none before come out of it.
func (h *host) imageMounted(x *start) {
	h.takeApart(&unpacking{Unpacking: cmdline.Unpacking{Archive: x.image}, start: *x, mount: true})
}

func (h *host) takeApart(p *unpacking) {
	if len(h.unpackings) >= maxUnpackings {
		h.unpackings = slices.Delete(h.unpackings, 0, maxUnpackings/2)
	}
	h.unpackings = append(h.unpackings, p)
	for _, path := range slices.Backward(h.landedQ) {
		if l := h.landed[path]; l != nil && p.names(l) {
			h.opened(p, l)
			return
		}
	}
}

// names says whether the command names an archive that came before: its path, or its name
// alone.
func (p *unpacking) names(l *landed) bool {
	archive := rooted(strings.ToLower(strings.ReplaceAll(p.Archive, "/", `\`)))
	return !l.inner && p.start.time >= l.time-2e9 && p.start.time-l.time < landedFor && (archive == l.path || archive == baseName(l.path))
}

// opened says that an archive that came was taken apart, and looks for what came out of it
// before this was known.
func (h *host) opened(p *unpacking, l *landed) {
	p.from = l
	h.confirm(l.transfer)
	if !p.mount {
		h.noteUnpacked(p, l)
	}
	for i := range h.created {
		h.cameOut(&h.created[i])
	}
	for i := range h.starts {
		h.startedOut(&h.starts[i])
	}
}

func (h *host) noteUnpacked(p *unpacking, l *landed) {
	note := "unpacked there with " + p.Tool
	if p.Password {
		note += " and a password"
	}
	if all := &l.transfer.Notes; !slices.Contains(*all, note) && len(*all) < maxExecutions {
		*all = append(*all, note)
	}
	l.transfer.Evidence = appendEvidence(l.transfer.Evidence, p.start.evidence)
	if p.start.by != "" {
		x := p.start
		x.how = "unpack"
		h.executed(l, &x)
	}
}

// unpackedSince ties an archive that is only now known to have come to what took it apart.
func (h *host) unpackedSince(l *landed) {
	for _, p := range h.unpackings {
		if p.from == nil && p.names(l) {
			h.opened(p, l)
		}
	}
}

// cameOut takes a file that one of the programs created which took an archive apart.
func (h *host) cameOut(c *creation) {
	if !runnable[extension(c.path)] {
		return
	}
	for _, p := range h.unpackings {
		if p.from != nil && !p.mount && p.wrote(c) && h.landed[c.path] == nil {
			h.lands(&landed{transfer: p.from.transfer, path: c.path, time: c.time, inner: true})
			p.from.transfer.Evidence = appendEvidence(p.from.transfer.Evidence, c.evidence)
			return
		}
	}
}

func (p *unpacking) wrote(c *creation) bool {
	program := strings.TrimSuffix(baseName(c.image), ".exe")
	return (c.image == p.start.image || program == p.Tool) && c.time >= p.start.time-2e9 && c.time-p.start.time < patience && strings.HasPrefix(c.path, p.folder)
}

// startedOut takes a program that another host had started out of the folder to which an
// archive was unpacked shortly before, where no log shows what came out of it; or one of a
// drive that there was not before a disk image was mounted.
func (h *host) startedOut(x *start) {
	if len(x.image) < 3 || h.landed[x.image] != nil || h.local[x.image] {
		return
	}
	for _, p := range h.unpackings {
		if p.from != nil && x.time >= p.start.time && x.time-p.start.time < recent && h.outOf(p, x) {
			h.lands(&landed{transfer: p.from.transfer, path: x.image, time: p.start.time, inner: true})
			return
		}
	}
}

func (h *host) outOf(p *unpacking, x *start) bool {
	folder, name := splitPath(x.image)
	if p.mount {
		return x.how != "mount" && h.removableDrive(x.image) && h.firstUse[x.image[0]] >= p.start.time
	}
	return x.by != "" && p.folder == folder && runnable[extension(name)]
}

// usesDrive remembers since when programs are started from a drive.
func (h *host) usesDrive(x *start) {
	if len(x.image) < 3 || !h.removableDrive(x.image) {
		return
	}
	if _, known := h.firstUse[x.image[0]]; known {
		return
	}
	if h.firstUse == nil {
		h.firstUse = map[byte]model.Time{}
	}
	h.firstUse[x.image[0]] = x.time
}
