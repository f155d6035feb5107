package prevent

import (
	"math/bits"
	"net/netip"
	"slices"
	"strings"

	"waybill/internal/identity"
	"waybill/internal/model"
)

// LearnOptions say how a policy is learned.
type LearnOptions struct {
	// Management are the sources that may administer any host, as networks, addresses or
	// names of hosts; when there is none, they are proposed.
	Management []string
	// PairRules bounds the rules between two single hosts, 0 for DefaultPairRules.
	PairRules int
}

// DefaultPairRules is how many rules between two single hosts a policy has at most. More
// than a screen or two of them nobody reads, and nobody keeps right.
const DefaultPairRules = 64

// Learn makes a policy of moves in the order of time.
func Learn(moves []Move, o LearnOptions) *Policy {
	l := NewLearner(o)
	for i := range moves {
		l.Add(&moves[i])
	}
	return l.Policy()
}

// Learner takes moves in the order of time and gives the policy of those up to then. What
// it keeps is a tally of each pair of hosts and service, no moves.
type Learner struct {
	o        LearnOptions
	hosts    []member
	ends     map[end]int32 // by how records write them
	byKey    map[string]int32
	holder   map[netip.Addr]int32
	pairs    map[pair]*tally
	services names
	channels names
	roles    identity.Roles

	from, to model.Time
	day      int64 // UTC, of the last move
	first    int64 // of the first
	days     int   // with moves
	moves    int
	leftOut  int  // findings hold them
	packets  bool // some were seen in packets, so all services are
	lost     int  // past the bounds
}

// The bounds of what a learner keeps.
const (
	maxHosts     = 1 << 18
	maxPairs     = 1 << 22
	maxAddresses = 32 // of one host
	maxChannels  = 32
	maxServices  = 1 << 12
)

// NewLearner gives a learner that has seen nothing.
func NewLearner(o LearnOptions) *Learner {
	if o.PairRules == 0 {
		o.PairRules = DefaultPairRules
	}
	return &Learner{o: o, ends: map[end]int32{}, byKey: map[string]int32{}, holder: map[netip.Addr]int32{}, pairs: map[pair]*tally{}}
}

// end is what tells hosts apart in a record.
type end struct {
	ip   model.Addr
	host string
}

// member is a host that moves were seen of.
type member struct {
	end       model.Endpoint // as last seen
	addresses []netip.Addr
	moved     bool  // it had several addresses of a network, or one that was another host's
	admin     habit // it administered others
}

// pair is who turned to whom, over what.
type pair struct {
	client, server int32
	service        int32
}

// tally is what a pair did.
type tally struct {
	good, bad  habit // bad: findings of low or above hold it
	push, pull bool
	channels   uint32
	needed     bool // SYSVOL: members of a domain cannot do without
	admin      bool
	finding    string // the first of the bad
	worst      model.Severity
}

// habit counts moves and the days with them.
type habit struct {
	moves int
	on    uint64 // days of the window, the last bit for all from the 64th on
}

func (h *habit) add(day int) {
	h.moves++
	h.on |= 1 << min(day, 63)
}

func (h *habit) merge(o habit) {
	h.moves += o.moves
	h.on |= o.on
}

func (h *habit) days() int { return bits.OnesCount64(h.on) }

// names numbers words.
type names struct {
	list []string
	at   map[string]int32
}

// number gives the number of a word, at most max words, else -1.
func (n *names) number(word string, most int) int32 {
	if i, ok := n.at[word]; ok {
		return i
	}
	if len(n.list) >= most {
		return -1
	}
	if n.at == nil {
		n.at = map[string]int32{}
	}
	word = strings.Clone(word)
	n.at[word] = int32(len(n.list))
	n.list = append(n.list, word)
	return int32(len(n.list) - 1)
}

func dayOf(t model.Time) int64 { return int64(t) / int64(24*3600e9) }

// Add takes the next move.
func (l *Learner) Add(m *Move) {
	day := l.moment(m.Time)
	l.moves++
	l.packets = l.packets || inPackets(m)
	bad := m.Bad()
	if bad {
		l.leftOut++
	} else if m.Transfer != nil {
		l.roles.Observe(m.Transfer)
	} else if m.Access != nil {
		l.roles.ObserveAccess(m.Access)
	}
	if m.Service == "" {
		return
	}
	p := pair{l.number(&m.Client), l.number(&m.Server), l.services.number(m.Service, maxServices)}
	if p.client == nameless || p.server == nameless {
		return // no rule can name it
	}
	t := l.tally(p)
	if t == nil {
		l.lost++
		return
	}
	if bad {
		t.bad.add(day)
		t.worst = max(t.worst, m.Finding.Severity)
		if t.finding == "" {
			t.finding = m.Finding.ID
		}
		return
	}
	t.learn(m, day, l.channels.number(m.Channel, maxChannels))
	if t.admin && administers(m) {
		l.hosts[p.client].admin.add(day)
	}
}

// moment notes the window, and gives the number of the day in it.
func (l *Learner) moment(at model.Time) int {
	day := dayOf(at)
	if l.moves == 0 {
		l.from, l.first = at, day
	}
	l.to = max(l.to, at)
	if l.days == 0 || day != l.day {
		l.day = day
		l.days++
	}
	return int(max(day-l.first, 0))
}

func (l *Learner) tally(p pair) *tally {
	if p.client < 0 || p.server < 0 || p.service < 0 {
		return nil
	}
	t := l.pairs[p]
	if t == nil && len(l.pairs) < maxPairs {
		t = &tally{}
		l.pairs[p] = t
	}
	return t
}

// learn takes a move that no finding holds.
func (t *tally) learn(m *Move, day int, channel int32) {
	t.good.add(day)
	if m.Transfer != nil {
		t.push, t.pull = t.push || m.Push, t.pull || !m.Push
	}
	if channel >= 0 {
		t.channels |= 1 << channel
	}
	t.needed = t.needed || ofDomain(m)
	t.admin = t.admin || administers(m)
}

// nameless is the number of a host without name and address.
const nameless = -2

// number gives the number of a host, -1 when there are too many.
func (l *Learner) number(e *model.Endpoint) int32 {
	i, ok := l.ends[end{e.IP, e.Host}]
	if !ok {
		i = l.newEnd(e)
	}
	if i >= 0 && e.Role != "" {
		l.hosts[i].end.Role = e.Role
	}
	return i
}

func (l *Learner) newEnd(e *model.Endpoint) int32 {
	name := plain(e.Host) // else it is known by its address only
	key := strings.ToLower(name)
	if key == "" && e.IP.Known() {
		key = e.IP.String()
	}
	i, ok := l.byKey[key]
	if !ok {
		if key == "" {
			return nameless
		}
		if len(l.hosts) >= maxHosts {
			return -1
		}
		i = int32(len(l.hosts))
		l.byKey[key] = i
		l.hosts = append(l.hosts, member{end: model.Endpoint{IP: e.IP, Host: name}})
	}
	if e.IP.Known() {
		l.hold(i, e.IP.Netip())
	}
	if len(l.ends) < 2*maxHosts {
		l.ends[end{e.IP, e.Host}] = i
	}
	return i
}

// hold gives an address to a host. It has one holder: the last one with a name.
func (l *Learner) hold(i int32, a netip.Addr) {
	h := &l.hosts[i]
	old, held := l.holder[a]
	switch {
	case held && (old == i || h.end.Host == ""), len(h.addresses) >= maxAddresses:
		return
	case held:
		o := &l.hosts[old]
		o.addresses = slices.DeleteFunc(o.addresses, func(x netip.Addr) bool { return x == a })
		o.moved, h.moved = o.moved || o.end.Host != "", h.moved || o.end.Host != ""
	}
	h.moved = h.moved || a.Is4() && slices.ContainsFunc(h.addresses, func(x netip.Addr) bool { return segment(x) == segment(a) })
	h.addresses = append(h.addresses, a)
	l.holder[a] = i
}

// shareOf is the share of a move, lower case, without its server.
func shareOf(m *Move) string {
	share := ""
	if m.Transfer != nil {
		share = m.Transfer.Share
	} else if m.Access != nil {
		share = m.Access.Share
	}
	return strings.ToLower(share[strings.LastIndexAny(share, `\/`)+1:])
}

// ofDomain says whether a move is what each member of a domain does with its controllers:
// it reads policies (MS-GPOL 3.2.5.1).
func ofDomain(m *Move) bool {
	return model.PolicyShare(shareOf(m)) || m.Channel == "gpo"
}

// administers says whether a move is one of administration: over a share that is there for
// it, by remote calls or Remote Management.
func administers(m *Move) bool {
	switch m.Service {
	case "rpc", "winrm":
		return true
	case "smb":
		return adminShare(shareOf(m)) || m.Access != nil && strings.HasPrefix(m.Access.What, "service-")
	}
	return false
}

// adminShare says whether a share is one of those that Windows has for administration
// (ADMIN$, and one for each drive).
func adminShare(share string) bool {
	return share == "admin$" || len(share) == 2 && share[1] == '$' && share[0] >= 'a' && share[0] <= 'z'
}

// inPackets says whether a capture vouches for a move.
func inPackets(m *Move) bool {
	return m.Transfer != nil && len(m.Transfer.Evidence) > 0 && m.Transfer.Evidence[0].Kind == "packets"
}
