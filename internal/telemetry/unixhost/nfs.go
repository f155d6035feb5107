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

// export is what a command mounted.
type export struct{ host, path, at string }

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
	h.unmount(at, "")
	if len(h.audit.mounts) < maxMounts && at != "/" {
		h.audit.mounts = append(h.audit.mounts, export{strings.Clone(strings.Trim(server, "[]")), "/" + strings.Clone(exported), at})
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
func (h *host) mounted(file string) (cmdline.Place, bool) {
	for _, m := range h.audit.mounts {
		if rest, ok := strings.CutPrefix(file, m.at+"/"); ok {
			return cmdline.Place{Host: m.host, Share: m.path, Path: strings.Clone(rest)}, true
		}
	}
	return cmdline.Place{}, false
}

// copiers are programs that make a file of another one.
var copiers = map[string]bool{"cp": true, "mv": true, "install": true, "dd": true, "rsync": true}

// overNFS takes a file that a copying program made to, or of one from, an export.
func (h *host) overNFS(r *telemetry.Record, p *process, file string) bool {
	if len(h.audit.mounts) == 0 || !copiers[base(p.image)] || temporary(p, file) {
		return false
	}
	mv := cmdline.Move{Tool: base(p.image), Channel: "nfs", Name: base(file)}
	to, onto := h.mounted(file)
	from, off := h.copied(r, p, file)
	if onto == off {
		return false
	}
	mv.From, mv.To = from, to
	if onto {
		mv.From = cmdline.Place{Path: h.source(r, p, file)}
	} else {
		mv.To = cmdline.Place{Path: file}
	}
	t := h.claimed(r, asker{user: strings.Clone(r.Get("AUID")), command: strings.Join(p.args, " "), process: p.image, pid: pidOf(r)}, mv)
	t.Status, t.Confidence = model.Done, "medium"
	t.Reason = "a copying program made it: " + model.ReasonLogged + "; that a command mounted the export is known, not that it came about"
	t.Evidence[0].What = "file create by " + base(p.image)
	return true
}

// source is the argument of a copying program that a file was made of: the one of its
// name, else the only one before the last.
func (h *host) source(r *telemetry.Record, p *process, file string) string {
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

// copied gives what a file was made of, where that lies below an export.
func (h *host) copied(r *telemetry.Record, p *process, file string) (cmdline.Place, bool) {
	if from := h.source(r, p, file); from != "" {
		return h.mounted(path.Clean(from))
	}
	return cmdline.Place{}, false
}
