package unixhost

import (
	"path"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/cmdline"
)

// NFS servers log no files. What a host's audit log shows is that a command mounted an
// export, and that a copying program made a file below it, or made one of a file below
// it: such a movement is shown, of medium confidence, as nothing says that the mount
// came about. Exports that a host mounts unseen (/etc/fstab before the audit system
// runs, automounters) are not known.

// export is what was mounted: a path of an NFS server or a share of an SMB server.
type export struct {
	host, path, at string
	channel, user  string
	sure           bool // an event says that the mount came about
}

const maxMounts = 256

// mounts takes "mount [-t nfs] HOST:/PATH DIR" and umount.
func (h *host) mounts(r *telemetry.Record, p *process) {
	name := base(p.args[0])
	if name != "mount" && name != "umount" && !strings.HasPrefix(name, "mount.nfs") {
		return
	}
	var places []string
	for i := 1; i < len(p.args); i++ {
		switch a := p.args[i]; {
		case a == "-t" || a == "-o":
			i++
		case !strings.HasPrefix(a, "-"):
			places = append(places, a)
		}
	}
	if name == "umount" && len(places) > 0 {
		h.unmount(h.absolute(r, places[0]), places[0])
		return
	}
	if len(places) != 2 {
		return
	}
	server, exported, ok := strings.Cut(places[0], ":/")
	if !ok || server == "" || strings.Contains(server, "/") || h.isSelf(endOf(server, "")) {
		return
	}
	at := h.absolute(r, places[1])
	h.mount(export{host: strings.Clone(strings.Trim(server, "[]")), path: "/" + strings.Clone(exported), at: at, channel: "nfs"})
}

func (h *host) mount(m export) {
	h.unmount(m.at, "")
	if len(h.audit.mounts) < maxMounts && m.at != "/" {
		h.audit.mounts = append(h.audit.mounts, m)
	}
}

func (h *host) unmount(at, what string) {
	var left []export
	for _, m := range h.audit.mounts {
		if m.at != at && m.host+":"+m.path != what {
			left = append(left, m)
		}
	}
	h.audit.mounts = left
}

// mounted gives a path below an export as a place on its server.
func (h *host) mounted(file string) (cmdline.Place, *export) {
	for i := range h.audit.mounts {
		m := &h.audit.mounts[i]
		if rest, ok := strings.CutPrefix(file, m.at+"/"); ok {
			if m.channel == "smb" { // as everybody writes paths of shares
				rest = strings.ReplaceAll(rest, "/", `\`)
			}
			return cmdline.Place{Host: m.host, Share: m.path, User: m.user, Path: strings.Clone(rest)}, m
		}
	}
	return cmdline.Place{}, nil
}

// copiers are programs that make a file of another one.
var copiers = map[string]bool{"cp": true, "mv": true, "install": true, "dd": true, "rsync": true,
	"ditto": true, "Finder": true, "DesktopServicesHelper": true}

// overMount takes a file that a copying program made to, or of one from, an export.
func (h *host) overMount(r *telemetry.Record, p *process, file string) bool {
	if len(h.audit.mounts) == 0 || !copiers[base(p.image)] || temporary(p, file) {
		return false
	}
	return h.copiedOver(r, p, h.source(r, p, file), file)
}

// copiedOver takes a copy of which one end lies below an export.
func (h *host) copiedOver(r *telemetry.Record, p *process, source, file string) bool {
	mv := cmdline.Move{Tool: base(p.image), Name: base(file), From: cmdline.Place{Path: source}, To: cmdline.Place{Path: file}}
	to, over := h.mounted(file)
	from, off := h.mounted(path.Clean(source))
	switch {
	case (over == nil) == (off == nil) || ofFinder(file):
		return false
	case over != nil:
		mv.To = to
	default:
		mv.From, over = from, off
	}
	mv.Channel = over.channel
	t := h.claimed(r, asker{user: strings.Clone(r.Get("AUID")), command: strings.Join(p.args, " "), process: p.image, pid: pidOf(r)}, mv)
	t.Status, t.Reason = model.Done, "a copying program made it: "+model.ReasonLogged
	if !over.sure {
		t.Confidence, t.Reason = "medium", t.Reason+"; that a command mounted the export is known, not that it came about"
	}
	t.Evidence[0].What = "file create by " + base(p.image)
	return true
}

// source is the argument of a copying program that a file was made of: the one of its
// name, else the only one before the last.
func (h *host) source(r *telemetry.Record, p *process, file string) string {
	if len(p.args) == 0 {
		return "" // its start was not logged
	}
	var sources []string
	for _, a := range p.args[1:] {
		a = strings.TrimPrefix(a, "if=")
		switch {
		case strings.HasPrefix(a, "-") || strings.HasPrefix(a, "of="):
		case base(a) == base(file) && h.absolute(r, a) != file:
			return h.absolute(r, a)
		default:
			sources = append(sources, a)
		}
	}
	if len(sources) == 2 || base(p.image) == "dd" && len(sources) == 1 {
		return h.absolute(r, sources[0])
	}
	return ""
}
