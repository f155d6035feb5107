package unixhost

import (
	"cmp"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
)

// vsftpd takes a message of vsftpd's own log (its logging.c):
// [USER] OK|FAIL VERB: Client "IP"[, "PATH"[, N bytes][, K Kbyte/sec]].
func (h *host) vsftpd(r *telemetry.Record) {
	m := r.Get("message")
	user := ""
	if strings.HasPrefix(m, "[") {
		var ok bool
		if user, m, ok = strings.Cut(m[1:], "] "); !ok {
			return
		}
	}
	verb, rest, ok := strings.Cut(m, `: Client "`)
	client, rest, ok2 := strings.Cut(rest, `"`)
	if !ok || !ok2 {
		return
	}
	from := endOf(client, "")
	path, bytes := vsftpdPath(rest)
	switch verb {
	case "OK LOGIN", "FAIL LOGIN":
		a := h.access(r, "logon", "ftp", from)
		a.User, a.Detail = strings.Clone(user), "FTP"
		if verb == "FAIL LOGIN" {
			a.Status = "refused"
		}
	case "OK UPLOAD", "FAIL UPLOAD":
		h.ftpMoved(r, moved{operation: model.Push, other: from, path: path, size: bytes, user: user}, verb == "OK UPLOAD")
	case "OK DOWNLOAD", "FAIL DOWNLOAD":
		h.ftpMoved(r, moved{operation: model.Pull, other: from, path: path, size: bytes, user: user}, verb == "OK DOWNLOAD")
	case "OK DELETE":
		h.removed(r, path)
	case "OK RENAME":
		if from, to, ok := halves(path); ok {
			h.renamed(r, from, to)
		}
	}
}

// vsftpdPath reads , "PATH", N bytes, ... behind a client.
func vsftpdPath(rest string) (path string, bytes int64) {
	rest, ok := strings.CutPrefix(rest, `, "`)
	end := strings.LastIndexByte(rest, '"')
	if !ok || end < 0 {
		return "", -1
	}
	n, _, ok := strings.Cut(strings.TrimPrefix(rest[end+1:], ", "), " bytes")
	if !ok {
		return rest[:end], 0 // an empty file has no count
	}
	return rest[:end], telemetry.Count(n)
}

// halves parts "A B", both absolute, where only one way to do so is there.
func halves(s string) (from, to string, ok bool) {
	i := strings.Index(s, " /")
	if i < 0 || strings.LastIndex(s, " /") != i {
		return "", "", false
	}
	return s[:i], s[i+1:], true
}

// ftpMoved takes a movement of an FTP server; names in vsftpd's logs have ? for
// letters outside ASCII.
func (h *host) ftpMoved(r *telemetry.Record, m moved, ok bool) {
	m.channel, m.auth, m.what = "ftp", "ftp", "FTP "+m.operation
	m.loose = m.loose || strings.Contains(m.path, "?")
	if !ok {
		m.status, m.reason, m.size = model.Denied, "the FTP server refused it", -1
	}
	h.found(r, m)
}

// xferlog takes a line of a transfer log (xferlog(5)).
func (h *host) xferlog(r *telemetry.Record) {
	m := moved{other: endOf(r.Get("remote-host"), ""), path: r.Get("filename"), size: telemetry.Count(r.Get("file-size")), user: r.Get("username"), loose: true}
	if r.Get("access-mode") == "a" {
		m.user = "anonymous" // the field is the password that was typed
	}
	if n := telemetry.Count(r.Get("transfer-time")); n > 0 {
		m.start = r.Time - model.Time(min(n, 1<<20))*1e9
	}
	switch r.Get("direction") {
	case "i":
		m.operation = model.Push
	case "o":
		m.operation = model.Pull
	default:
		h.removed(r, m.path)
		return
	}
	cut := r.Get("completion-status") == "i"
	if cut && m.size > 0 {
		m.size, m.status, m.reason = -1, model.Interrupted, "the FTP server says that it is not complete"
	}
	h.ftpMoved(r, m, !cut || m.status != "")
}

// proFTPD takes a command of an ExtendedLog with its reply (mod_log). The path is as
// it was typed, where the form has no %f.
func (h *host) proFTPD(r *telemetry.Record) {
	reply, size := telemetry.Count(r.Get("status")), telemetry.Count(r.Get("bytes"))
	from, path := endOf(r.Get("client"), ""), cmp.Or(r.Get("file"), r.Get("target"))
	m := moved{operation: model.Push, other: from, path: path, size: size, user: r.Get("user")}
	switch r.Get("method") {
	case "STOR", "STOU", "APPE":
		if r.Get("method") == "APPE" {
			m.size = -1
		}
	case "RETR":
		m.operation = model.Pull
	case "RNFR":
		if h.ftpFrom == nil || len(h.ftpFrom) >= maxFacts {
			h.ftpFrom = map[string]string{}
		}
		h.ftpFrom[from.Name()] = strings.Clone(path)
		return
	case "RNTO":
		if reply == 250 {
			h.renamed(r, h.ftpFrom[from.Name()], path)
		}
		return
	case "DELE":
		if reply == 250 {
			h.removed(r, path)
		}
		return
	default:
		return
	}
	switch {
	case reply == 226 || reply == 250:
		h.ftpMoved(r, m, true)
	case reply == 426 || reply == 451:
		m.size, m.status, m.reason = -1, model.Interrupted, "the FTP server: the transfer was broken off"
		h.ftpMoved(r, m, true)
	case m.operation == model.Push && reply >= 500:
		h.ftpMoved(r, m, false)
	}
}

// pureCLF takes a line of pure-ftpd's log in the common form (pure-ftpd(8), -O clf).
func (h *host) pureCLF(r *telemetry.Record) {
	m := moved{operation: model.Pull, other: endOf(r.Get("client"), ""), path: unescaped(r.Get("target")), size: telemetry.Count(r.Get("bytes")), user: r.Get("user")}
	if r.Get("method") == "PUT" {
		m.operation = model.Push
	}
	if r.Get("status") == "200" {
		h.ftpMoved(r, m, true)
	}
}
