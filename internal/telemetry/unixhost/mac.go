package unixhost

import (
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/cmdline"
)

// What a Mac's Endpoint Security events say beyond those of the audit system: that a
// file was closed after it was written, what was mounted, and copies by copyfile(2).

// making notes that a process made a file, until it closes it.
func (p *process) making(file string) {
	if p.made == nil || len(p.made) >= maxMounts {
		p.made = map[string]bool{}
	}
	p.made[strings.Clone(file)] = true
}

// written takes the close of a file that was written to. One that the process made
// before was told then; else it wrote over a file that was there.
func (h *host) written(r *telemetry.Record, p *process, file string) {
	if p.made[file] {
		delete(p.made, file)
		if t := h.book.byPath[file]; t != nil && t.Receiver != nil && t.Receiver.PID == pidOf(r) {
			t.End = max(t.End, r.Time)
		}
		return
	}
	if ownFile(file) || h.fulfils(r, p, file) || h.synced(r, p, file) {
		return
	}
	if channel := p.receives(); channel == "" {
		h.overMount(r, p, file)
	} else if !temporary(p, file) {
		h.arrived(r, p, channel, file)
	}
}

// copyfile takes a copy by copyfile(2), whoever made it.
func (h *host) copyfile(r *telemetry.Record, p *process, source, file string) {
	if base(file) != "" && !p.made[file] && !h.fulfils(r, p, file) {
		r.Unverified = "eslogger/copyfile"
		h.copiedOver(r, p, source, file)
	}
}

// mountEvent takes what was mounted, and unmounted: "//USER@HOST/SHARE" is a share of
// an SMB server (mount_smbfs(8)), "HOST:/PATH" an export of an NFS server.
func (h *host) mountEvent(r *telemetry.Record) {
	if at := r.Get("UNMOUNT"); at != "" {
		h.unmount(at, "")
		return
	}
	m := export{at: strings.Clone(r.Get("MOUNT")), channel: "smb", sure: true}
	from := r.Get("FROM")
	if rest, ok := strings.CutPrefix(from, "//"); ok {
		server, share, _ := strings.Cut(rest, "/")
		i := strings.LastIndexByte(server, '@')
		m.host, m.path = strings.Clone(unescaped(server[i+1:])), strings.Clone(unescaped(share))
		user, _, _ := strings.Cut(server[:max(i, 0)], ":")
		m.user = strings.Clone(unescaped(user[strings.LastIndexByte(user, ';')+1:]))
		m.host = strings.TrimSuffix(m.host, "._smb._tcp.local") // as Bonjour names services
	} else if server, exported, ok := strings.Cut(from, ":/"); ok && !strings.Contains(server, "/") {
		m.host, m.path, m.channel = strings.Clone(server), "/"+strings.Clone(exported), "nfs"
	}
	m.host = strings.Trim(m.host, "[]")
	if m.host == "" || strings.Trim(m.path, "/") == "" || h.isSelf(endOf(m.host, "")) {
		h.unmount(m.at, "")
		return
	}
	r.Unverified = "eslogger/mount"
	h.mount(m)
}

// ofFinder says whether the Finder makes such a file for itself on every share:
// .DS_Store and the ._ files of resource forks.
func ofFinder(file string) bool {
	name := base(file)
	return name == ".DS_Store" || strings.HasPrefix(name, "._") || strings.Contains(file, "/.TemporaryItems/")
}

// ranFromShare takes the start of a program that lies below a mounted share: the kernel
// read it from there.
func (h *host) ranFromShare(r *telemetry.Record, p *process, who asker) {
	from, m := h.mounted(p.image)
	if m == nil || !m.sure {
		return
	}
	t := h.claimed(r, who, cmdline.Move{Name: base(p.image), Channel: m.channel, From: from, To: cmdline.Place{Path: p.image}})
	t.Status, t.Reason = model.Done, "it was run from the share: "+model.ReasonLogged
	t.Evidence[0].What = "exec from a mounted share"
	if len(t.Executed) == 0 {
		t.Executed = []model.Execution{{Time: r.Time, How: "process", Process: p.image, Command: cmdline.Redact(clip(who.command)), User: who.user, PID: who.pid, Evidence: []model.Evidence{h.evidence(r, "exec")}}}
	}
}
