package unixhost

import (
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
)

// smbState is what is known of Samba's audit (vfs_full_audit, vfs_audit).
type smbState struct {
	share   map[int]int // by number of fields in the prefix: which of them is the share, 1 + its index
	open    map[string]*smbFile
	clients map[string]smbClient // by pid; vfs_audit's
	parts   []string
	prefix  []string
}

// smbFile is a file that a client reads or writes.
type smbFile struct {
	t    *model.Transfer
	last model.Time
}

// auditOps are the operations that tell something, over the releases of Samba.
var auditOps = map[string]func(*host, *telemetry.Record, *smbLine){
	"connect": (*host).smbConnect,
	"pwrite":  (*host).smbWrite, "pwrite_send": (*host).smbWrite, "pwrite_recv": (*host).smbWrite, "write": (*host).smbWrite, "recvfile": (*host).smbWrite,
	"pread": (*host).smbRead, "pread_send": (*host).smbRead, "pread_recv": (*host).smbRead, "read": (*host).smbRead, "sendfile": (*host).smbRead,
	"close": (*host).smbClose, "create_file": (*host).smbCreate,
	"rename": (*host).smbRename, "renameat": (*host).smbRename, "unlink": (*host).smbUnlink, "unlinkat": (*host).smbUnlink,
	"open": nothing, "openat": nothing, "disconnect": nothing, "mkdir": nothing, "mkdirat": nothing,
}

func nothing(*host, *telemetry.Record, *smbLine) {}

// smbLine is one line: PREFIX|OPERATION|RESULT|ARGUMENTS.
type smbLine struct {
	client      model.Endpoint
	user, share string
	ok          bool
	reason      string
	args        []string
}

// smbdAudit takes a line of vfs_full_audit. The prefix is the administrator's: the
// operation is found by its name and result, what the prefix holds by what it looks like.
func (h *host) smbdAudit(r *telemetry.Record) {
	s := &h.smb
	s.parts = appendSplit(s.parts[:0], r.Get("message"), '|')
	for i := 0; i+1 < len(s.parts); i++ {
		take, known := auditOps[s.parts[i]]
		result := s.parts[i+1]
		if !known || result != "ok" && !strings.HasPrefix(result, "fail") {
			continue
		}
		l := smbLine{ok: result == "ok", args: s.parts[i+2:], reason: strings.TrimSuffix(strings.TrimPrefix(result, "fail ("), ")")}
		s.prefix = s.parts[:i]
		l.read(s)
		take(h, r, &l)
		return
	}
	if len(s.parts) == 1 {
		h.smbdOpens(r)
	}
}

func appendSplit(out []string, s string, sep byte) []string {
	for {
		i := strings.IndexByte(s, sep)
		if i < 0 {
			return append(out, s)
		}
		out, s = append(out, s[:i]), s[i+1:]
	}
}

// read tells the fields of the prefix: the address is the client's; %u comes first in
// the default and in the common ones; the share is where connections have named it,
// or the last of four (%u|%I|%m|%S).
func (l *smbLine) read(s *smbState) {
	machine := ""
	share := s.share[len(s.prefix)] - 1
	if share < 0 && len(s.prefix) == 4 {
		share = 3
	}
	for i, f := range s.prefix {
		a := telemetry.Address(f)
		switch {
		case a.Known():
			l.client = model.Endpoint{IP: a}
		case i == share:
			l.share = f
		case l.user == "":
			l.user = f
		default:
			machine = f
		}
	}
	if !l.client.IP.Known() && machine != "" {
		l.client = model.Endpoint{Host: strings.Clone(machine)}
	}
}

// smbConnect learns which field is the share: a connection names it.
func (h *host) smbConnect(_ *telemetry.Record, l *smbLine) {
	s := &h.smb
	if len(l.args) == 0 || s.share[len(s.prefix)] != 0 {
		return
	}
	for i, f := range s.prefix {
		if i > 0 && strings.EqualFold(f, l.args[0]) {
			if s.share == nil {
				s.share = map[int]int{}
			}
			s.share[len(s.prefix)] = i + 1
		}
	}
}

func (l *smbLine) path() string {
	if len(l.args) == 0 {
		return ""
	}
	return l.args[len(l.args)-1]
}

// smbKey tells the file of a client that is read or written.
func (l *smbLine) key(operation string) string {
	return operation + "|" + l.client.Name() + "|" + l.user + "|" + l.path()
}

func (h *host) smbWrite(r *telemetry.Record, l *smbLine) { h.smbBytes(r, l, model.Push) }
func (h *host) smbRead(r *telemetry.Record, l *smbLine)  { h.smbBytes(r, l, model.Pull) }

// smbIdle is how long after its last line a file that was never closed, where closes
// are not audited, is taken for closed.
const smbIdle = minute

// smbBytes takes a read or a write: the first of an open file is a movement.
func (h *host) smbBytes(r *telemetry.Record, l *smbLine, operation string) {
	path := l.path()
	if !l.ok || !strings.HasPrefix(path, "/") && strings.HasSuffix(path, "/") || telemetry.ShellMetadata(base(path)) {
		return
	}
	s := &h.smb
	key := l.key(operation)
	if f := s.open[key]; f != nil && r.Time-f.last < smbIdle {
		f.last = r.Time
		if f.t != nil {
			f.t.End = max(f.t.End, r.Time)
		}
		return
	}
	if s.open == nil || len(s.open) >= maxFacts {
		s.open = map[string]*smbFile{}
	}
	t := h.found(r, moved{operation: operation, channel: "smb", other: l.client, share: l.share, path: path, size: -1, user: l.user, what: "Samba " + operation})
	s.open[key] = &smbFile{t, r.Time}
}

func (h *host) smbClose(r *telemetry.Record, l *smbLine) {
	for _, operation := range [...]string{model.Push, model.Pull} {
		key := l.key(operation)
		if f := h.smb.open[key]; f != nil {
			if f.t != nil {
				f.t.End = max(f.t.End, r.Time)
			}
			delete(h.smb.open, key)
		}
	}
}

// smbCreate takes an opening that was refused: MASK|file|DISPOSITION|PATH. The reason
// may be a stale one, so what would have made the file counts, whatever it says, but
// for a file that is there or a folder that is not.
func (h *host) smbCreate(r *telemetry.Record, l *smbLine) {
	if l.ok || len(l.args) < 4 || l.args[1] == "dir" || l.reason == "No such file or directory" || l.reason == "File exists" {
		return
	}
	m := moved{operation: model.Push, channel: "smb", other: l.client, share: l.share, path: l.path(), size: -1, user: l.user,
		status: model.Denied, reason: "Samba refused it", what: "Samba refused"}
	if l.args[2] == "open" {
		if l.reason != "Permission denied" && l.reason != "NT_STATUS_ACCESS_DENIED" {
			return
		}
		m.operation = model.Pull
	}
	h.found(r, m)
}

func (h *host) smbRename(r *telemetry.Record, l *smbLine) {
	if n := len(l.args); l.ok && n >= 2 {
		h.renamed(r, l.args[n-2], l.args[n-1])
	}
}

func (h *host) smbUnlink(r *telemetry.Record, l *smbLine) {
	if l.ok {
		h.removed(r, l.path())
	}
}
