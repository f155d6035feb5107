// Package unixhost follows Unix hosts through their logs: sshd with its SFTP server,
// FTP, TFTP and rsync servers, Samba's audit, web servers, the Linux audit system,
// sudo and shell histories. In come records, about in the order of time; out come the
// movements that they show as logged, what commands ask for as claims, accesses and
// starts of programs. Lines of one session are joined by its process; one movement
// that several logs of a host show is one transfer. It reads no file and no packet,
// and what it keeps of a host is bounded.
package unixhost

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/leases"
)

// Family is the family of formats whose records are followed here.
const Family = "unixhost"

// Bounds of what is kept.
const (
	maxHosts    = 1 << 12
	maxFacts    = 1 << 14 // of one kind on a host
	maxEvidence = 8       // of one movement
	maxAccesses = 1 << 17 // of a run
	minute      = model.Time(60e9)
)

// Hosts is the state of all hosts of a run.
type Hosts struct {
	o     telemetry.FollowerOptions
	hosts map[string]*host // by bare name, lower case
	last  *host            // of the last record
	out   telemetry.Result
	ids   map[string]int

	syncedIn  map[string][]placed // what programs laid into synced folders, by name
	laid      int                 // how many
	syncedOut []placed            // what sync clients wrote

	leases telemetry.Follower // what DHCP servers say
}

// New makes a state without records.
func New(o telemetry.FollowerOptions) telemetry.Follower {
	return &Hosts{o: o, out: telemetry.Result{Room: o.Room}, hosts: map[string]*host{}, ids: map[string]int{}, syncedIn: map[string][]placed{}, leases: leases.New(o)}
}

// host is one host as its logs show it.
type host struct {
	s    *Hosts
	key  string
	name string // the longest that its logs give it

	channels map[string]*model.LogCoverage
	own      map[model.Addr]bool // addresses that it is known to have
	book     book
	ssh      sshState
	smb      smbState
	rsync    map[string]*rsyncSession   // by pid
	tftp     map[string]*model.Transfer // what was asked for last, by pid
	web      webState
	ftpFrom  map[string]string // what a client of ProFTPD wants to rename
	audit    auditState
	guest    guestCopy
	disks    map[string][]string  // of virtual machines, that came: paths by folder
	drop     *model.Transfer      // what came last by AirDrop
	drops    map[string]*dropping // exchanges by AirDrop that are under way
	dropLast string
	managers map[model.Addr]string // who is logged in to the hypervisor from an address; "" is several
	claims   map[string]claim      // by what is asked for
	starts   []telemetry.Start

	startsLogged bool
	notKept      int // accesses beyond what a run keeps
}

// streams are the records that are followed.
var streams = map[string]func(*host, *telemetry.Record){
	"sshd":        (*host).sshd,
	"sftp-server": (*host).sftp,
	"vsftpd":      (*host).vsftpd,
	"xferlog":     (*host).xferlog,

	"smbd_audit":     (*host).smbdAudit,
	"rsyncd":         (*host).rsyncd,
	"in.tftpd":       (*host).tftpd,
	"pure-ftpd":      (*host).pureFTPd,
	"weblog":         (*host).request,
	"proftpd":        (*host).proFTPD,
	"pure-ftpd-clf":  (*host).pureCLF,
	"auditd":         (*host).auditd,
	"sudo":           (*host).sudo,
	"sysmon":         (*host).sysmon,
	"shell-history":  (*host).history,
	"eslogger":       (*host).auditd,
	"screensharingd": (*host).screenSharing,
	"sharingd":       (*host).sharing,
	"quarantine":     (*host).quarantine,
	"esxi/shell":     (*host).esxiShell,
	"esxi/hostd":     (*host).hostd,
	"esxi/vmkernel":  (*host).vmkernel,
	"esxi/web":       (*host).esxiWeb,

	"dhcp/isc":     (*host).lease,
	"dhcp/dnsmasq": (*host).lease,
	"dhcp/kea":     (*host).lease,
}

// Record takes a record.
func (s *Hosts) Record(r *telemetry.Record) {
	h := s.host(r.Host)
	if h == nil {
		return
	}
	h.cover(r)
	if take := streams[r.Stream]; take != nil {
		take(h, r)
	}
}

// host gives the host of a name; nil when there are too many.
func (s *Hosts) host(name string) *host {
	if s.last != nil && s.last.name == name {
		return s.last
	}
	key := bare(name)
	h := s.hosts[key]
	if h == nil {
		if len(s.hosts) >= maxHosts {
			return nil
		}
		h = &host{s: s, key: strings.Clone(key), name: strings.Clone(name), channels: map[string]*model.LogCoverage{}, own: map[model.Addr]bool{}}
		s.hosts[h.key] = h
	}
	if len(name) > len(h.name) {
		h.name = strings.Clone(name)
	}
	s.last = h
	return h
}

// bare is a host's name without its domain, lower case; an address stays.
func bare(name string) string {
	if _, err := netip.ParseAddr(name); err == nil {
		return name
	}
	name, _, _ = strings.Cut(strings.ToLower(name), ".")
	return name
}

// cover counts a record for coverage.
func (h *host) cover(r *telemetry.Record) {
	c := h.channels[r.Stream]
	if c == nil {
		c = &model.LogCoverage{Channel: r.Stream}
		h.channels[r.Stream] = c
	}
	c.Events++
	if r.Time != 0 && (c.First == 0 || r.Time < c.First) {
		c.First = r.Time
	}
	c.Last = max(c.Last, r.Time)
}

// Close gives what the logs showed.
func (s *Hosts) Close() *telemetry.Result {
	for _, key := range slices.Sorted(maps.Keys(s.hosts)) {
		h := s.hosts[key]
		h.close()
		s.out.Hosts = append(s.out.Hosts, h.name)
		for _, name := range slices.Sorted(maps.Keys(h.channels)) {
			c := h.channels[name]
			c.Host = h.name
			s.out.Logs = append(s.out.Logs, *c)
		}
	}
	s.carried()
	s.out.Add(s.leases.Close())
	return &s.out
}

// lease takes a message of a DHCP server.
func (h *host) lease(r *telemetry.Record) {
	leases.Message(r, r.Get("message"))
	h.s.leases.Record(r)
}

// close ends what is open, and says by its full name whose the movements were.
func (h *host) close() {
	h.web.sizes()
	for _, t := range h.book.all {
		for _, e := range []*model.Endpoint{&t.Source, &t.Destination} {
			if e.Host == h.key {
				e.Host = h.name
			}
		}
		for i := range t.Evidence {
			t.Evidence[i].Computer = h.name
		}
	}
	for _, x := range h.starts {
		x.Host.Host = h.name
	}
	h.s.out.Starts = append(h.s.out.Starts, h.starts...)
	if h.startsLogged {
		if h.s.out.StartsLogged == nil {
			h.s.out.StartsLogged = map[string]bool{}
		}
		h.s.out.StartsLogged[strings.ToLower(h.name)] = true
	}
	for _, a := range slices.SortedFunc(maps.Keys(h.own), func(a, b model.Addr) int { return slices.Compare(a[:], b[:]) }) {
		first, last := h.span()
		h.s.out.Bindings = append(h.s.out.Bindings, telemetry.Binding{Addr: a, Host: h.name, First: first, Last: last})
	}
	h.silent()
}

// span is the time that the host's logs cover.
func (h *host) span() (first, last model.Time) {
	for _, c := range h.channels {
		if c.First != 0 && (first == 0 || c.First < first) {
			first = c.First
		}
		last = max(last, c.Last)
	}
	return first, last
}

// silent says what the host did not log.
func (h *host) silent() {
	never := func(what string) { h.s.out.NeverLogged = append(h.s.out.NeverLogged, h.name+": "+what) }
	if h.notKept > 0 {
		never(strconv.Itoa(h.notKept) + " logons and other accesses are not kept: more than a run holds")
	}
	if n := h.web.pages - maxPages; n > 0 {
		never(strconv.Itoa(n) + " more answers of its web server that are parts of pages are not kept")
	}
	if h.ssh.logins > 0 && h.channels["sftp-server"] == nil {
		never("no SFTP transactions beside " + strconv.Itoa(h.ssh.logins) + " SSH logins: what scp and sftp moved to and from it is not shown (sftp-server -l INFO)")
	}
}

// self is the host as an end; its full name is filled in at the end.
func (h *host) self() model.Endpoint { return model.Endpoint{Host: h.key} }

// isSelf says whether an end is the host itself.
func (h *host) isSelf(e model.Endpoint) bool {
	if e.IP.Known() {
		return e.IP.Netip().IsLoopback() || h.own[e.IP]
	}
	return e.Host != "" && (e.Host == "localhost" || bare(e.Host) == h.key)
}

// evidence cites a record.
func (h *host) evidence(r *telemetry.Record, what string) model.Evidence {
	return model.Evidence{Input: h.s.o.Inputs[r.Input], Kind: "event", Computer: h.name, Channel: strings.Clone(r.Stream), Line: r.Line, What: what}
}

// id is an observation's id: by what it says and not by where the log lay. What is
// said again in the same second gets a number.
func (h *host) id(kind string, r *telemetry.Record, parts ...string) string {
	sum := sha256.Sum256([]byte("unixhost\x00" + h.key + "\x00" + r.Stream + "\x00" + strconv.FormatInt(int64(r.Time), 10) + "\x00" + strings.Join(parts, "\x00")))
	id := kind + "-" + hex.EncodeToString(sum[:8])
	h.s.ids[id]++
	if n := h.s.ids[id]; n > 1 {
		id += "-" + strconv.Itoa(n)
	}
	return id
}

// access reports an access to the host.
func (h *host) access(r *telemetry.Record, what, channel string, from model.Endpoint) *model.Access {
	a := &model.Access{Kind: "access", Time: r.Time, What: what, Channel: channel, Source: from, Destination: h.self(), Evidence: []model.Evidence{h.evidence(r, what)}}
	a.ID = h.id("a", r, what, from.Name(), r.Get("pid"), r.Get("message"))
	switch {
	case h.isSelf(from):
	case len(h.s.out.Accesses) >= maxAccesses:
		h.notKept++
	default:
		h.s.out.Accessed(a)
	}
	return a
}

// endOf is the end that a log names, by address or name.
func endOf(text, port string) model.Endpoint {
	n, _ := strconv.ParseUint(port, 10, 16)
	if a := telemetry.Address(text); a.Known() {
		return model.Endpoint{IP: a, Port: uint16(n)}
	}
	if text == "UNKNOWN" || text == "?" || text == "-" {
		return model.Endpoint{}
	}
	return model.Endpoint{Host: strings.Clone(text), Port: uint16(n)}
}

// base is the name in a path.
func base(path string) string {
	path = strings.TrimRight(path, "/")
	return path[strings.LastIndexByte(path, '/')+1:]
}
