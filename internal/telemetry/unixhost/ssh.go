package unixhost

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
)

// sshState is what is known of the SSH server.
type sshState struct {
	logins  int
	clients []login
	at      map[model.Endpoint]model.Endpoint // the host's end of a connection, by the client's
	sftp    map[string]*sftpSession           // by pid
}

// login is one session of a client.
type login struct {
	time     model.Time
	client   model.Endpoint
	user     string
	evidence model.Evidence
	sftp     bool // it asked for the SFTP server
	used     bool // an SFTP session was found to be its
}

// sftpSession is one process of the SFTP server.
type sftpSession struct {
	client model.Endpoint
	server model.Endpoint // address and port, where they are known
	user   string
	open   map[string]*sftpFile
	last   *sftpFile         // what was opened last
	before []*model.Transfer // movements whose client is not known yet
	seen   model.Time
}

type sftpFile struct {
	path  string
	time  model.Time
	flags string
	mode  string // that the client asks for: its own file's bits
}

// sshd takes a message of the SSH server; internal-sftp has lines of it as well.
func (h *host) sshd(r *telemetry.Record) {
	m := r.Get("message")
	switch {
	case strings.HasPrefix(m, "Accepted "):
		h.accepted(r, strings.Fields(m))
	case strings.HasPrefix(m, "Starting session: subsystem "):
		h.asksSFTP(strings.Fields(m))
	case strings.HasPrefix(m, "Failed "):
		h.refused(r, m)
	case strings.HasPrefix(m, "Connection from "):
		h.connected(r, strings.Fields(m))
	default:
		h.sftp(r)
	}
}

// connected learns the host's own address: "Connection from A port N on B port 22".
func (h *host) connected(r *telemetry.Record, w []string) {
	if len(w) < 9 || w[3] != "port" || w[5] != "on" {
		return
	}
	to := endOf(w[6], w[8])
	if a := to.IP; !a.Known() || a.Netip().IsLoopback() || a.Netip().IsUnspecified() || len(h.own) >= 64 && !h.own[a] {
		return
	}
	h.own[to.IP] = true
	if h.ssh.at == nil || len(h.ssh.at) >= maxFacts {
		h.ssh.at = map[model.Endpoint]model.Endpoint{}
	}
	h.ssh.at[endOf(w[2], w[4])] = to
}

// asksSFTP takes "Starting session: subsystem 'sftp' for USER from IP port N id 0".
func (h *host) asksSFTP(w []string) {
	if len(w) < 10 || w[3] != "'sftp'" || w[len(w)-4] != "port" {
		return
	}
	from := endOf(w[len(w)-5], w[len(w)-3])
	for i := len(h.ssh.clients) - 1; i >= max(0, len(h.ssh.clients)-64); i-- {
		if l := &h.ssh.clients[i]; l.client == from {
			l.sftp = true
			return
		}
	}
}

// connection is the client's connection that an SFTP session of it runs over: the
// one that it logged in with just before, when there is no other.
func (h *host) connection(client model.Endpoint, user string, t model.Time) (from, to model.Endpoint) {
	const before = 10e9
	var all, asked []*login
	for i := len(h.ssh.clients) - 1; i >= 0 && t-h.ssh.clients[i].time <= before; i-- {
		l := &h.ssh.clients[i]
		if l.used || l.client.IP != client.IP || l.user != user {
			continue
		}
		all = append(all, l)
		if l.sftp {
			asked = append(asked, l)
		}
	}
	if len(asked) > 0 {
		all = asked
	}
	if len(all) != 1 {
		return client, model.Endpoint{}
	}
	all[0].used = true
	return all[0].client, h.ssh.at[all[0].client]
}

// accepted takes "Accepted METHOD for USER from IP port N ssh2".
func (h *host) accepted(r *telemetry.Record, w []string) {
	if len(w) < 8 || w[2] != "for" || w[len(w)-1] == "" {
		return
	}
	at := 4
	for at < len(w)-3 && w[at] != "from" { // a user's name may hold blanks
		at++
	}
	if w[at] != "from" || w[at+2] != "port" {
		return
	}
	user, client := strings.Clone(strings.Join(w[3:at], " ")), endOf(w[at+1], w[at+3])
	h.login(r, client, user)
	a := h.access(r, "logon", "ssh", client)
	a.User, a.Detail = user, "SSH, "+strings.Clone(w[1])
}

// login keeps a session of a client.
func (h *host) login(r *telemetry.Record, client model.Endpoint, user string) {
	if h.isSelf(client) {
		return
	}
	h.ssh.logins++
	if len(h.ssh.clients) >= maxFacts {
		h.ssh.clients = append(h.ssh.clients[:0], h.ssh.clients[maxFacts/2:]...)
	}
	h.ssh.clients = append(h.ssh.clients, login{time: r.Time, client: client, user: user, evidence: h.evidence(r, "SSH login")})
}

// refused takes "Failed METHOD for [invalid user] USER from IP port N ssh2". Logins
// from outside are tried all day: only those from inside are told.
func (h *host) refused(r *telemetry.Record, m string) {
	at := strings.LastIndex(m, " from ")
	_, user, ok := strings.Cut(m[:max(at, 0)], " for ")
	if at < 0 || !ok {
		return
	}
	w := strings.Fields(m[at+6:])
	if len(w) < 3 || w[1] != "port" {
		return
	}
	client := endOf(w[0], w[2])
	if h.s.o.Inside != nil && !h.s.o.Inside(client.IP) {
		return
	}
	a := h.access(r, "logon", "ssh", client)
	a.User, a.Status, a.Detail = strings.Clone(strings.TrimPrefix(user, "invalid user ")), "refused", "SSH"
}

// session gives the process of a record.
func (h *host) session(r *telemetry.Record) *sftpSession {
	pid := r.Get("pid")
	if h.ssh.sftp == nil || len(h.ssh.sftp) >= maxFacts {
		h.ssh.sftp = map[string]*sftpSession{}
	}
	s := h.ssh.sftp[pid]
	if s == nil {
		s = &sftpSession{open: map[string]*sftpFile{}}
		h.ssh.sftp[strings.Clone(pid)] = s
	}
	s.seen = r.Time
	return s
}

// sftp takes a message of the SFTP server (OpenSSH's sftp-server.c).
func (h *host) sftp(r *telemetry.Record) {
	m := r.Get("message")
	verb, rest, _ := strings.Cut(m, " ")
	if s := h.ssh.sftp[r.Get("pid")]; s != nil && verb != "sent" {
		s.last = nil // what is answered next is not the opening
	}
	switch verb {
	case "session":
		h.sftpSession(r, rest)
	case "open":
		h.sftpOpen(r, rest)
	case "close":
		h.sftpClose(r, rest, false)
	case "forced":
		h.sftpClose(r, strings.TrimPrefix(rest, "close "), true)
	case "sent":
		h.sftpStatus(r, rest)
	case "rename", "posix-rename":
		if from, to, ok := quoted(strings.TrimPrefix(rest, "old "), `" new "`); ok {
			h.renamed(r, from, plain(strings.TrimSuffix(to, `"`)))
		}
	case "remove":
		if path, ok := strings.CutPrefix(rest, `name "`); ok {
			h.removed(r, plain(strings.TrimSuffix(path, `"`)))
		}
	}
}

// quoted reads "PATH" and what follows a mark; quotes in names are not escaped.
func quoted(s, mark string) (path, rest string, ok bool) {
	if s == "" || s[0] != '"' {
		return "", "", false
	}
	i := strings.LastIndex(s, mark)
	if i < 1 {
		return "", "", false
	}
	return plain(s[1:i]), s[i+len(mark):], true
}

// plain turns \ooo into the bytes that they stand for (vis(3)).
func plain(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				out = append(out, byte(n))
				i += 3
				continue
			}
		}
		if s[i] == '\\' && i+1 < len(s) && s[i+1] == '\\' {
			i++
		}
		out = append(out, s[i])
	}
	return strings.ToValidUTF8(string(out), "\ufffd")
}

// sftpSession takes "session opened for local user USER from [IP]" and its end, which
// tells as well from where a session was whose beginning is not in the log.
func (h *host) sftpSession(r *telemetry.Record, rest string) {
	what, rest, _ := strings.Cut(rest, " ")
	_, rest, ok := strings.Cut(rest, "for local user ")
	at := strings.LastIndex(rest, " from [")
	if !ok || at < 0 || what != "opened" && what != "closed" {
		return
	}
	if what == "opened" {
		delete(h.ssh.sftp, r.Get("pid"))
	}
	s := h.session(r)
	s.user, s.client = strings.Clone(rest[:at]), endOf(strings.TrimSuffix(rest[at+7:], "]"), "")
	if what == "opened" {
		s.client, s.server = h.connection(s.client, s.user, r.Time)
	}
	for _, t := range s.before {
		s.complete(t)
	}
	s.before = nil
	if what == "closed" {
		delete(h.ssh.sftp, r.Get("pid"))
	}
}

// complete names the client of a movement.
func (s *sftpSession) complete(t *model.Transfer) {
	t.User = cmp.Or(t.User, s.user)
	if t.Operation == model.Pull {
		t.Destination = s.client
		return
	}
	t.Source = s.client
}

func (h *host) sftpOpen(r *telemetry.Record, rest string) {
	path, rest, ok := quoted(rest, `" flags `)
	if !ok {
		return
	}
	flags, mode, _ := strings.Cut(rest, " mode ")
	s := h.session(r)
	if len(s.open) >= maxFacts {
		clear(s.open)
	}
	f := &sftpFile{path: strings.Clone(path), time: r.Time, flags: strings.Clone(flags), mode: permissions(mode)}
	s.open[f.path], s.last = f, f
}

// sftpStatus takes the answer to what was opened last: it is logged when it was
// refused.
func (h *host) sftpStatus(r *telemetry.Record, rest string) {
	s := h.session(r)
	f := s.last
	if f == nil || !strings.HasPrefix(rest, "status ") {
		return
	}
	s.last = nil
	if rest == "status Permission denied" {
		delete(s.open, f.path)
		m := s.moved(f, "sftp open refused")
		m.status, m.reason = model.Denied, "the SFTP server: permission denied"
		s.keep(h.found(r, m))
	}
}

func (s *sftpSession) moved(f *sftpFile, what string) moved {
	m := moved{operation: model.Pull, channel: "ssh", other: s.client, at: s.server, path: f.path, size: -1, start: f.time, user: s.user, auth: "ssh", what: what}
	if strings.Contains(f.flags, "WRITE") || strings.Contains(f.flags, "APPEND") {
		m.operation, m.mode = model.Push, f.mode
	}
	return m
}

// permissions are the bits of a mode in octal; "" when it is none.
func permissions(mode string) string {
	n, err := strconv.ParseUint(mode, 8, 16)
	if err != nil || n == 0 {
		return ""
	}
	return fmt.Sprintf("%04o", n&0o7777)
}

// keep remembers a movement until its client is known.
func (s *sftpSession) keep(t *model.Transfer) {
	if t != nil && s.client == (model.Endpoint{}) && len(s.before) < maxFacts {
		s.before = append(s.before, t)
	}
}

// sftpClose takes "PATH" bytes read N written N: bytes that were read or written show
// the movement.
func (h *host) sftpClose(r *telemetry.Record, rest string, forced bool) {
	path, rest, ok := quoted(rest, `" bytes read `)
	if !ok {
		return
	}
	w := strings.Fields(rest)
	if len(w) != 3 || w[1] != "written" {
		return
	}
	read, written := telemetry.Count(w[0]), telemetry.Count(w[2])
	s := h.session(r)
	f := s.open[path]
	delete(s.open, path)
	if f == nil {
		f = &sftpFile{path: path, flags: "READ", time: r.Time}
		if written > 0 {
			f.flags = "WRITE"
		}
	}
	m := s.moved(f, "sftp close")
	bytes := read
	if m.operation == model.Push {
		bytes = written
	}
	if bytes < 0 || bytes == 0 && !strings.Contains(f.flags, "CREATE") {
		return
	}
	m.size = bytes
	note := ""
	switch {
	case forced:
		m.size, m.status, m.reason = -1, model.Interrupted, fmt.Sprintf("the session broke off after %d bytes", bytes)
	case strings.Contains(f.flags, "APPEND"):
		m.size, note = -1, fmt.Sprintf("the last %d bytes were appended to what was there", bytes)
	}
	t := h.found(r, m)
	s.keep(t)
	if t != nil && note != "" {
		t.Notes = append(t.Notes, note)
	}
}
