package winhost

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/cmdline"
	"waybill/internal/telemetry/winevent"
)

// How long things wait for each other. Events of one host come out of order by
// what their collectors and channels differ; a movement is judged when all that
// belongs to it must have come.
const (
	patience model.Time = 5 * 60e9  // after the last event of a movement
	recent   model.Time = 30 * 60e9 // how long facts are kept
	minute   model.Time = 60e9
)

// Bounds of what is kept of a host.
const (
	maxFacts  = 1 << 14
	maxLogons = 4096
	maxLanded = 4096
	maxOpen   = 1 << 14
)

// host is the state of one host.
type host struct {
	s    *Hosts
	name string // as its events write it
	bare string // lower case, without domain

	now     model.Time // the highest time of its events
	due     model.Time // when the next look at what is open is due
	sayings []saying   // what its collector says of its addresses
	spans   int        // of its addresses, that are told
	addrs   map[model.Addr]*own
	logons  map[string]logon // by logon id

	remotes   []remote       // signs that another host is there
	starts    []start        // of processes
	loads     []start        // of modules
	loopback  []fact         // names that were written, or named, through loopback
	created   []creation     // files that System created, and others
	writes    []*write       // open ones, by 5145
	open      map[string]int // local paths of both
	downloads []*download
	landed    map[string]*landed // by local path, lower case
	stems     map[string]*landed // by local path without extension
	landedQ   []string
	pulled    map[string]*model.Transfer
	services  []start

	claims   []*claim
	drives   map[string]cmdline.Place // mapped drive letters
	blocks   map[string][]string      // parts of script blocks
	sessions []remote                 // clients of Remote Desktop sessions on this host

	spoke    map[string]spoken // inside connections by process GUID
	ordered  map[string]string // what started a process, of those that start others, by process GUID
	asking   []*model.Access   // what this host asked others for
	wrote    map[string]int    // programs that each program wrote while connected
	pipes    int
	made     map[string]*madePipe // by name, lower case
	said     []later              // of files that may have come
	media    []fact               // removable media, by serial
	reads    []*model.Access
	put      map[string]bool // programs that others put on its shares
	accesses []*model.Access

	unpackings []*unpacking
	firstUse   map[byte]model.Time // since when programs are started from a drive

	jobs       map[string]*model.Transfer // BITS jobs
	jobFolder  jobFolder                  // where BITS wrote last
	desktops   []remote                   // servers of Remote Desktop sessions that began here
	local      map[string]bool            // programs that a process of this host wrote
	startsDone model.Time

	used   map[used]bool // how the host was used on a day
	usedOn int32

	system, agent, machine *telemetry.Naming // what it was called last

	channels map[string]*channel
	end      *model.Endpoint
	mine     []side0
}

// own is how sure it is that an address is the host's.
type own struct {
	votes       int
	days        map[int32]int // votes of each day
	first, last model.Time
}

// logon is a session of an account.
type logon struct {
	user, domain string
	kind         int
	from         model.Addr
	time         model.Time
}

// remote is a sign that another host is connected: an inbound connection to a
// file-sharing port, or a network logon.
type remote struct {
	time         model.Time
	addr         model.Addr
	name         string // where only a name is known
	own          model.Addr
	port         uint16 // its own, 0 for a logon
	user, domain string
	rpc          bool   // a connection to the endpoint mapper: a sign that something was ordered, not that a file came
	id           string // logon id
	evidence     model.Evidence
}

// start is a start of a process, a load of a module, or a service's making.
type start struct {
	time     model.Time
	image    string // lower case
	shown    string
	command  string
	parent   string // lower case
	by       string // what the parent is (startedBy)
	user     string
	pid      uint64
	original string
	company  string
	system   bool // under the local system account
	hashes   []model.Hash
	how      string
	evidence model.Evidence
}

// fact is a lower-case text at a time.
type fact struct {
	time model.Time
	text string
}

// landed is a file that came from another host.
type landed struct {
	transfer *model.Transfer
	path     string // lower case
	stem     string // without extension
	time     model.Time
	inner    bool // it came out of the archive that the transfer moved
}

func newHost(s *Hosts, name, bare string) *host {
	return &host{s: s, name: name, bare: bare, addrs: map[model.Addr]*own{}, logons: map[string]logon{}, landed: map[string]*landed{}, stems: map[string]*landed{},
		pulled: map[string]*model.Transfer{}, jobs: map[string]*model.Transfer{}, local: map[string]bool{},
		drives: map[string]cmdline.Place{}, blocks: map[string][]string{}, open: map[string]int{}, spoke: map[string]spoken{}, channels: map[string]*channel{}, end: &model.Endpoint{}}
}

// isOwn says whether an address is the host's at a time, as far as is known by now.
// What was seen within a day counts before what was seen at other times: leases end.
func (h *host) isOwn(a model.Addr, t model.Time) bool {
	if loopback(a) {
		return true
	}
	for i := range h.sayings {
		if a.Known() && h.sayings[i].addr == a {
			return true
		}
	}
	o := h.addrs[a]
	if o == nil {
		return false
	}
	near, seen := 0, false
	for d := day(t) - 1; d <= day(t)+1; d++ {
		if v, ok := o.days[d]; ok {
			near, seen = near+v, true
		}
	}
	if seen {
		return near > 0
	}
	return o.votes > 0
}

func day(t model.Time) int32 { return int32(t / (24 * 60 * minute)) }

// isSelf says whether a name in a UNC path is the host itself.
func (h *host) isSelf(name string) bool {
	name = strings.ToLower(strings.Trim(name, "[]"))
	if name == "localhost" || name == "." || name == h.bare || name == strings.ToLower(h.name) {
		return true
	}
	name = strings.TrimSuffix(strings.ReplaceAll(name, "-", ":"), ".ipv6:literal.net")
	if a := telemetry.Address(name); a.Known() {
		return h.isOwn(a, h.now)
	}
	return false
}

// maxDays bounds the days of an address whose votes are kept apart.
const maxDays = 1024

// vote notes that an address seems to be the host's, or another's.
func (h *host) vote(a model.Addr, votes int, t model.Time) {
	if !a.Known() || loopback(a) {
		return
	}
	o := h.addrs[a]
	if o == nil {
		if len(h.addrs) >= maxFacts {
			return
		}
		o = &own{first: t, last: t, days: map[int32]int{}}
		h.addrs[a] = o
	}
	o.votes += votes
	if len(o.days) < maxDays {
		o.days[day(t)] += votes
	}
	o.first, o.last = min(o.first, t), max(o.last, t)
}

// address is the host's address at a time: the nearest, of equals the one that was
// seen most; a link-local one only when there is no other.
func (h *host) address(t model.Time) model.Addr {
	var best model.Addr
	var its *own
	for _, a := range sortedAddrs(h.addrs) {
		o := h.addrs[a]
		if o.votes <= 0 && !h.isOwn(a, t) || t != 0 && !h.isOwn(a, t) {
			continue
		}
		local, bestLocal := a.Netip().IsLinkLocalUnicast(), its != nil && best.Netip().IsLinkLocalUnicast()
		switch {
		case its == nil, bestLocal && !local:
		case local && !bestLocal, o.away(t) > its.away(t), o.away(t) == its.away(t) && o.votes <= its.votes:
			continue
		}
		best, its = a, o
	}
	return best
}

// away is how far a time is from those at which the address was seen, in hours.
func (o *own) away(t model.Time) model.Time {
	if t == 0 {
		return 0
	}
	return max(0, o.first-t, t-o.last) / (60 * minute)
}

// evidence names an event.
func (h *host) evidence(e *winevent.Event, what string) model.Evidence {
	v := model.Evidence{Input: h.s.o.Inputs[e.Input], Kind: "event", Computer: h.name, Channel: strings.Clone(e.Channel),
		Record: e.Record, Line: e.Line, What: what}
	if e.Line == 0 {
		v.Offset = e.Offset
	}
	return v
}

// trim forgets facts that are older than keep, or too many.
func trim[T any](all []T, time func(T) model.Time, now, keep model.Time) []T {
	if len(all) < maxFacts && (len(all) == 0 || now-time(all[0]) < 2*keep) {
		return all
	}
	kept := slices.DeleteFunc(all, func(x T) bool { return now-time(x) > keep })
	if len(kept) >= maxFacts {
		kept = slices.Delete(kept, 0, len(kept)/2)
	}
	return kept
}

// tick moves the host's clock, and settles what is due.
func (h *host) tick(t model.Time) {
	if t <= h.now && t < h.due {
		return
	}
	h.now = max(h.now, t)
	if h.now < h.due {
		return
	}
	h.settle(h.now - patience)
	h.due = h.now + patience/5
	h.remotes = trim(h.remotes, func(x remote) model.Time { return x.time }, h.now, recent)
	h.starts = trim(h.starts, func(x start) model.Time { return x.time }, h.now, 2*patience)
	h.loads = trim(h.loads, func(x start) model.Time { return x.time }, h.now, 2*patience)
	h.services = trim(h.services, func(x start) model.Time { return x.time }, h.now, 2*patience)
	h.said = trim(h.said, func(x later) model.Time { return x.time }, h.now, 2*patience)
	h.claims = trim(h.claims, func(x *claim) model.Time { return x.time }, h.now, recent)
	h.loopback = trim(h.loopback, func(x fact) model.Time { return x.time }, h.now, recent)
}

// settle decides on all that began before t.
func (h *host) settle(t model.Time) {
	h.settleWrites(t)
	h.settleCreations(t)
	h.settleStarts(t)
	h.settleDownloads(t)
}

// complete fills in the host's end of its transfers, when its addresses are known.
func (h *host) complete() {
	h.end.Host, h.end.IP = h.name, h.address(0)
	h.finish()
	for i := range h.sayings {
		h.told(&h.sayings[i])
	}
	for _, a := range sortedAddrs(h.addrs) {
		h.s.out.Bindings = append(h.s.out.Bindings, h.addrs[a].bindings(a, h.name)...)
	}
}

// bindings are the times over which the address was the host's, by whole days.
func (o *own) bindings(a model.Addr, host string) []telemetry.Binding {
	var out []telemetry.Binding
	for _, d := range slices.Sorted(maps.Keys(o.days)) {
		if o.days[d] <= 0 {
			continue
		}
		begin, end := max(o.first, model.Time(d)*24*60*minute), min(o.last, model.Time(d+1)*24*60*minute)
		if n := len(out); n > 0 && begin-out[n-1].Last <= 24*60*minute {
			out[n-1].Last = end
			continue
		}
		out = append(out, telemetry.Binding{Addr: a, Host: host, First: begin, Last: end})
	}
	return out
}

func sortedAddrs(m map[model.Addr]*own) []model.Addr {
	var out []model.Addr
	for a := range m {
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b model.Addr) int { return cmp.Compare(string(a[:]), string(b[:])) })
	return out
}

// splitPath cuts a path at its last backslash.
func splitPath(path string) (folder, name string) {
	i := strings.LastIndexAny(path, `\/`)
	return path[:i+1], path[i+1:]
}

// extension is the last extension of a path, lower case, without dot.
func extension(path string) string {
	_, name := splitPath(path)
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return ""
	}
	return strings.ToLower(name[i+1:])
}

// unc takes a path on another host apart.
func unc(path string) (server, share, rest string, ok bool) {
	p := strings.ReplaceAll(path, "/", `\`)
	for _, prefix := range []string{`\\?\unc\`, `\\?\UNC\`, `\device\mup\`, `\Device\Mup\`} {
		if r, found := strings.CutPrefix(p, prefix); found {
			p = `\\` + r
		}
	}
	if !strings.HasPrefix(p, `\\`) || strings.HasPrefix(p, `\\.\`) || strings.HasPrefix(p, `\\?\`) {
		return "", "", "", false
	}
	server, rest, _ = strings.Cut(p[2:], `\`)
	share, rest, _ = strings.Cut(rest, `\`)
	server, _, _ = strings.Cut(server, "@") // WebDAV: host@SSL@port
	return server, share, rest, server != "" && share != "" && rest != ""
}
