package unixhost

import (
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
)

// smbClient is what vfs_audit says of the connections of a process of smbd.
type smbClient struct {
	share, user string
	several     bool // connections: which of them a file is in is not said
}

// auditOpens are the calls that vfs_audit and vfs_extd_audit name, over the releases of
// Samba; their lines are words, and name no client.
var auditOpens = map[string]func(*host, *telemetry.Record, string){
	"connect": (*host).smbSession, "disconnected": (*host).smbSession,
	"open": (*host).smbOpen, "openat": (*host).smbOpen, "close": (*host).smbCloseFD,
	"rename": (*host).smbMoved, "renameat": (*host).smbMoved, "unlink": (*host).smbGone, "unlinkat": (*host).smbGone,
}

// smbdOpens takes a line of vfs_audit or vfs_extd_audit.
func (h *host) smbdOpens(r *telemetry.Record) {
	message := strings.TrimSpace(r.Get("message"))
	call, rest, _ := strings.Cut(message, " ")
	if take := auditOpens[call]; take != nil {
		take(h, r, rest)
	}
}

// smbSession takes "connect to service SHARE by user USER", and "disconnected".
func (h *host) smbSession(r *telemetry.Record, rest string) {
	s, pid := &h.smb, r.Get("pid")
	rest, connected := strings.CutPrefix(rest, "to service ")
	share, user, ok := strings.Cut(rest, " by user ")
	if !connected || !ok {
		delete(s.clients, pid)
		return
	}
	if s.clients == nil || len(s.clients) >= maxFacts {
		s.clients = map[string]smbClient{}
	}
	c := smbClient{share: strings.Clone(share), user: strings.Clone(user)}
	if before, again := s.clients[pid]; again && before.share != share {
		c.several = true
	}
	s.clients[strings.Clone(pid)] = c
}

// smbOpen takes "NAME (fd N) [for writing ][failed: REASON]". A file that is opened
// for writing is most often one that comes; opening for reading is no read, as folders
// and questions for a file's times do it too.
func (h *host) smbOpen(r *telemetry.Record, rest string) {
	at := strings.LastIndex(rest, " (fd ")
	if at < 0 {
		return
	}
	fd, how, _ := strings.Cut(rest[at+len(" (fd "):], ")")
	how, writes := strings.CutPrefix(strings.TrimSpace(how), "for writing")
	name := undoubled(rest[:at])
	if !writes || telemetry.ShellMetadata(base(name)) {
		return
	}
	c := h.smb.clients[r.Get("pid")]
	m := moved{operation: model.Push, channel: "smb", path: name, size: -1, user: c.user, confident: "medium", what: "Samba open for writing"}
	if !c.several {
		m.share = c.share
	}
	if reason, failed := strings.CutPrefix(strings.TrimSpace(how), "failed: "); failed {
		if reason == "Permission denied" {
			m.status, m.reason, m.what = model.Denied, "Samba refused it", "Samba refused"
			h.found(r, m)
		}
		return
	}
	t := h.found(r, m)
	if h.smb.open == nil || len(h.smb.open) >= maxFacts {
		h.smb.open = map[string]*smbFile{}
	}
	h.smb.open[r.Get("pid")+"|fd|"+fd] = &smbFile{t, r.Time}
}

// undoubled is a name without the doubling of Samba 4.17's vfs_extd_audit, which gives
// a file as "folder/name/name".
func undoubled(name string) string {
	if folder, last := name[:len(name)-len(base(name))], base(name); strings.HasSuffix("/"+folder, "/"+last+"/") {
		return strings.TrimSuffix(folder, "/")
	}
	return name
}

// smbCloseFD takes "fd N".
func (h *host) smbCloseFD(r *telemetry.Record, rest string) {
	fd, _ := strings.CutPrefix(rest, "fd ")
	fd, _, _ = strings.Cut(fd, " ")
	key := r.Get("pid") + "|fd|" + fd
	if f := h.smb.open[key]; f != nil && f.t != nil {
		f.t.End = max(f.t.End, r.Time)
	}
	delete(h.smb.open, key)
}

// smbMoved takes "OLD -> NEW". A name that has the arrow itself is left alone.
func (h *host) smbMoved(r *telemetry.Record, rest string) {
	if from, to, ok := strings.Cut(rest, " -> "); ok && !strings.Contains(to, " -> ") && !strings.Contains(to, " failed: ") {
		h.renamed(r, from, to)
	}
}

// smbGone takes a name that was removed.
func (h *host) smbGone(r *telemetry.Record, rest string) {
	if !strings.Contains(rest, " failed: ") {
		h.removed(r, rest)
	}
}
