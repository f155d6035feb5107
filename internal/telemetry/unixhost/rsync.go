package unixhost

import (
	"fmt"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
)

// rsyncSession is one connection of the rsync daemon.
type rsyncSession struct {
	client        model.Endpoint
	push          bool
	opened        bool // the opening line was seen
	module, path  string
	user          string
	begun         model.Time
	files         bool // single files are logged
	evidence      model.Evidence
	refusedAnswer bool
}

// rsyncd takes a line of the daemon (rsyncd.conf(5), "log format").
func (h *host) rsyncd(r *telemetry.Record) {
	m := r.Get("message")
	first, rest, _ := strings.Cut(m, " ")
	switch first {
	case "connect":
		s := h.rsyncOf(r)
		s.client = hostAndAddress(strings.TrimPrefix(rest, "from "))
	case "rsync":
		h.rsyncOpens(r, rest)
	case "sent":
		h.rsyncEnds(r, rest)
	case "recv", "send", "del.":
		h.rsyncFile(r, first, rest)
	case "auth":
		h.rsyncRefused(r, "auth failed "+rest)
	case "@ERROR:", "ERROR:":
		h.rsyncRefused(r, rest)
	default:
		h.rsyncOwnForm(r, m)
	}
}

func (h *host) rsyncOf(r *telemetry.Record) *rsyncSession {
	pid := r.Get("pid")
	if h.rsync == nil || len(h.rsync) >= maxFacts {
		h.rsync = map[string]*rsyncSession{}
	}
	s := h.rsync[pid]
	if s == nil {
		s = &rsyncSession{begun: r.Time}
		h.rsync[strings.Clone(pid)] = s
	}
	return s
}

// hostAndAddress reads "NAME (IP)".
func hostAndAddress(s string) model.Endpoint {
	name, ip, _ := strings.Cut(strings.TrimSpace(s), " (")
	if a := telemetry.Address(strings.TrimSuffix(ip, ")")); a.Known() {
		return model.Endpoint{IP: a}
	}
	return endOf(name, "")
}

// rsyncOpens takes "to|on MODULE/PATH from [USER@]NAME (IP)".
func (h *host) rsyncOpens(r *telemetry.Record, rest string) {
	way, rest, _ := strings.Cut(rest, " ")
	at := strings.LastIndex(rest, " from ")
	if way != "to" && way != "on" || at < 0 {
		return
	}
	s := h.rsyncOf(r)
	target, from := rest[:at], rest[at+6:]
	if i := strings.Index(from, "@"); i >= 0 {
		s.user, from = strings.Clone(from[:i]), from[i+1:]
	}
	s.client, s.push, s.opened = hostAndAddress(from), way == "to", true
	s.module, s.path, _ = strings.Cut(strings.Clone(target), "/")
	s.evidence = h.evidence(r, "rsync "+way)
	s.begun = r.Time
}

// rsyncFile takes the default form: %o %h [%a] %m (%u) %f %l.
func (h *host) rsyncFile(r *telemetry.Record, operation, rest string) {
	_, rest, ok := strings.Cut(rest, " [")
	ip, rest, ok2 := strings.Cut(rest, "] ")
	module, rest, ok3 := strings.Cut(rest, " (")
	user, rest, ok4 := strings.Cut(rest, ") ")
	at := strings.LastIndexByte(rest, ' ')
	if !ok || !ok2 || !ok3 || !ok4 || at < 0 || telemetry.Count(rest[at+1:]) < 0 {
		h.rsyncOwnForm(r, operation+" "+rest)
		return
	}
	h.rsyncMoved(r, operation, moved{other: endOf(ip, ""), share: module, user: user, path: rsyncName(rest[:at]), size: telemetry.Count(rest[at+1:])})
}

// rsyncOwnForm takes a form of the administrator's that begins with the operation and
// has one mark between its fields: the name is the field before the first count.
func (h *host) rsyncOwnForm(r *telemetry.Record, m string) {
	for _, operation := range [...]string{"recv", "send", "del."} {
		rest, ok := strings.CutPrefix(m, operation)
		if !ok || len(rest) < 2 || !strings.ContainsRune("|,;\t", rune(rest[0])) {
			continue
		}
		s := h.rsyncOf(r)
		w := strings.Split(rest[1:], rest[:1])
		for i := 1; i < len(w); i++ {
			if n := telemetry.Count(w[i]); n >= 0 && w[i-1] != "" && !telemetry.Address(w[i-1]).Known() {
				h.rsyncMoved(r, operation, moved{other: s.client, share: s.module, user: s.user, path: rsyncName(w[i-1]), size: n})
				return
			}
		}
	}
}

func (h *host) rsyncMoved(r *telemetry.Record, operation string, m moved) {
	s := h.rsyncOf(r)
	s.files = true
	m.channel, m.what = "rsync", "rsync "+operation
	if m.user != "" {
		m.auth = "rsync"
	}
	if !m.other.IP.Known() && s.client != (model.Endpoint{}) {
		m.other = s.client
	}
	if strings.HasSuffix(m.path, "/") {
		return // a folder
	}
	m.start = s.begun
	switch operation {
	case "recv":
		m.operation = model.Push
	case "send":
		m.operation = model.Pull
	default:
		h.removed(r, m.path)
		return
	}
	h.found(r, m)
}

// rsyncName turns \#ooo into the bytes that they stand for (rsync's log.c).
func rsyncName(s string) string {
	if !strings.Contains(s, `\#`) {
		return strings.ToValidUTF8(s, "\ufffd")
	}
	return plain(strings.ReplaceAll(s, `\#`, `\`))
}

// rsyncEnds takes "sent N bytes  received M bytes  total size T". Where single files
// are not logged, the path that was asked for is all that is known: a claim.
func (h *host) rsyncEnds(r *telemetry.Record, rest string) {
	s := h.rsync[r.Get("pid")]
	if s == nil {
		return
	}
	delete(h.rsync, r.Get("pid"))
	if s.files || !s.opened || s.refusedAnswer || base(s.path) == "" || strings.HasSuffix(s.path, "/") {
		return
	}
	m := moved{operation: model.Pull, channel: "rsync", other: s.client, share: s.module, path: s.path, size: -1, start: s.begun, user: s.user,
		status: model.Claimed, reason: "a client asked the rsync daemon for it; single files are not logged (transfer logging = yes)", what: "rsync session"}
	if s.push {
		m.operation = model.Push
	}
	if t := h.found(r, m); t != nil {
		t.Notes = append(t.Notes, fmt.Sprintf("the session: sent %s", strings.Join(strings.Fields(rest), " ")))
	}
}

// rsyncRefused takes what the daemon refuses.
func (h *host) rsyncRefused(r *telemetry.Record, why string) {
	s := h.rsyncOf(r)
	s.refusedAnswer = true
	a := h.access(r, "share-connect", "rsync", s.client)
	a.Share, a.User, a.Object, a.Status, a.Detail = s.module, s.user, s.path, "refused", strings.Clone(why)
}
