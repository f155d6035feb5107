package unixhost

import (
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
)

// pureFTPd takes "(USER@HOST) [NOTICE] PATH uploaded  (N bytes, K/sec)".
func (h *host) pureFTPd(r *telemetry.Record) {
	m := r.Get("message")
	who, rest, ok := strings.Cut(m, ") [")
	level, rest, ok2 := strings.Cut(rest, "] ")
	if !ok || !ok2 || !strings.HasPrefix(who, "(") {
		return
	}
	at := strings.LastIndexByte(who, '@')
	user, from := who[1:max(at, 1)], endOf(who[at+1:], "")
	if name, ok := strings.CutSuffix(rest, " is now logged in"); ok && level == "INFO" {
		a := h.access(r, "logon", "ftp", from)
		a.User, a.Detail = strings.Clone(name), "FTP"
		return
	}
	operation, mark := model.Push, " uploaded  ("
	i := strings.LastIndex(rest, mark)
	if i < 0 {
		operation, mark = model.Pull, " downloaded  ("
		i = strings.LastIndex(rest, mark)
	}
	if i < 0 {
		return
	}
	n, _, _ := strings.Cut(rest[i+len(mark):], " bytes")
	h.ftpMoved(r, moved{operation: operation, other: from, path: "/" + strings.TrimLeft(rest[:i], "/"), size: telemetry.Count(n), user: user}, true)
}

// tftpd takes "WRQ|RRQ from IP filename NAME": a request, of which tftpd-hpa logs
// neither size nor end, and what it answers when it refuses one.
func (h *host) tftpd(r *telemetry.Record) {
	m := r.Get("message")
	if code, ok := strings.CutPrefix(m, "sending NAK ("); ok {
		h.tftpRefused(r, code)
		return
	}
	from, name, ok := strings.Cut(m[min(len(m), 4):], " filename ")
	if !ok || !strings.HasPrefix(m, "WRQ from ") && !strings.HasPrefix(m, "RRQ from ") {
		return
	}
	x := moved{operation: model.Pull, channel: "tftp", other: endOf(strings.TrimPrefix(from, "from "), ""), path: name, size: -1,
		status: model.Claimed, reason: "a client asked the TFTP server for it; nothing shows that bytes moved", what: "TFTP " + m[:3]}
	if m[0] == 'W' {
		x.operation = model.Push
	}
	t := h.found(r, x)
	if h.tftp == nil || len(h.tftp) >= maxFacts {
		h.tftp = map[string]*model.Transfer{}
	}
	h.tftp[strings.Clone(r.Get("pid"))] = t
}

// tftpRefused takes the code and text of an answer (RFC 1350, "Error Codes").
func (h *host) tftpRefused(r *telemetry.Record, code string) {
	t := h.tftp[r.Get("pid")]
	if t == nil {
		return
	}
	text, _, _ := strings.Cut(code, ")")
	t.Status, t.Reason = model.Failed, "the TFTP server: "+strings.Clone(text)
	if strings.HasPrefix(code, "2,") {
		t.Status = model.Denied
	}
	t.Evidence = append(t.Evidence, h.evidence(r, "TFTP refused"))
}
