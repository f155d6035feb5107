package winhost

import (
	"cmp"
	"slices"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/winevent"
)

// naming is a name of a host, lower case, by what tells the host.
type naming struct{ kind, key, host string }

// maxNamings bounds the names that are kept: a large domain has as many computers.
const maxNamings = 1 << 18

// named notes that a key was that of a host of a name; last is what was noted before.
func (s *Hosts) named(last **telemetry.Naming, kind, key, host string, t model.Time) {
	if n := *last; n != nil && n.Kind == kind && n.Key == key && n.Host == host {
		n.First, n.Last = min(n.First, t), max(n.Last, t)
		return
	}
	k := naming{kind, key, strings.ToLower(host)}
	n := s.namings[k]
	if n == nil {
		if s.namings == nil {
			s.namings = map[naming]*telemetry.Naming{}
		}
		if key == "" || host == "" || len(s.namings) >= maxNamings {
			return
		}
		n = &telemetry.Naming{Kind: kind, Key: strings.Clone(key), Host: strings.Clone(host), First: t, Last: t}
		s.namings[naming{kind, n.Key, strings.ToLower(n.Host)}] = n
	}
	*last = n
	n.First, n.Last = min(n.First, t), max(n.Last, t)
}

// isCalled takes what an event tells of hosts whatever they are called.
func (h *host) isCalled(e *winevent.Event) {
	addresses := 0
	for i := range min(2+maxSaid, len(e.Fields)) { // the reader puts them first
		switch f := &e.Fields[i]; f.Name {
		case "SystemId":
			h.s.named(&h.system, "host", f.Value, h.name, e.Time)
		case "AgentId":
			h.s.named(&h.agent, "agent", f.Value, h.name, e.Time)
		case winevent.SystemIP:
			h.says(addresses, f.Value, e.Time)
			addresses++
		}
	}
	switch {
	case e.Provider == winevent.Security && (e.ID == 4624 || e.ID == 4672 || e.ID == 4688):
		h.account(e.Get("SubjectUserSid"), e.Get("SubjectUserName"), e.Get("SubjectDomainName"), e.Time)
		h.account(e.Get("TargetUserSid"), e.Get("TargetUserName"), e.Get("TargetDomainName"), e.Time)
	case e.Provider == winevent.Security && e.ID == 4781: // an account's name was changed
		sid := e.Get("TargetSid")
		h.computer(sid, e.Get("OldTargetUserName"), e.Time-1)
		h.computer(sid, e.Get("NewTargetUserName"), e.Time)
	case e.Provider == winevent.Eventlog && e.ID == 6011: // NetBIOS and DNS name changed, at the next start
		from, to := e.First("Data1", "param1"), e.First("Data2", "param2")
		if from == "" || to == "" {
			return
		}
		key := strings.ToLower(from + " " + to)
		h.s.named(&h.machine, "renamed", key, from, e.Time-1)
		h.s.named(&h.machine, "renamed", key, to, e.Time)
	}
}

// maxSaid bounds the addresses that a host's collector says it has.
const maxSaid = 8

// saying is an address that a host's own collector said over a time.
type saying struct {
	ip          string
	addr        model.Addr
	first, last model.Time
}

// silence ends a saying: another host may have got the address since.
const silence = 60 * minute

// says takes the nth address that the host's own collector says it has.
func (h *host) says(n int, ip string, t model.Time) {
	for len(h.sayings) <= n {
		h.sayings = append(h.sayings, saying{})
	}
	s := &h.sayings[n]
	if s.ip == ip && t-s.last <= silence && s.first <= t {
		s.last = max(s.last, t)
		return
	}
	h.told(s)
	*s = saying{ip: strings.Clone(ip), addr: telemetry.Address(ip), first: t, last: t}
}

// told gives an address that the collector said over a time.
func (h *host) told(s *saying) {
	if !s.addr.Known() || loopback(s.addr) || s.addr.Netip().IsLinkLocalUnicast() || h.spans >= maxFacts {
		return
	}
	h.spans++
	h.s.out.Bindings = append(h.s.out.Bindings, telemetry.Binding{Addr: s.addr, Host: h.name, First: s.first, Last: s.last})
}

// account takes an account's SID (MS-DTYP 2.4.2.4: S-1-5-21, three numbers of the
// domain or machine, one of the account).
func (h *host) account(sid, user, domain string, t model.Time) {
	if !strings.HasPrefix(sid, "S-1-5-21-") {
		return
	}
	if strings.HasSuffix(user, "$") {
		h.computer(sid, user, t)
		return
	}
	if strings.EqualFold(domain, h.bare) {
		h.s.named(&h.machine, "machine", sid[:strings.LastIndexByte(sid, '-')], h.name, t)
	}
}

// computer takes the account of a computer in its domain.
func (h *host) computer(sid, user string, t model.Time) {
	if name, ok := strings.CutSuffix(user, "$"); ok && sid != "" {
		h.s.named(&h.s.lastAccount, "account", sid, name, t)
	}
}

// joined notes the domain of a computer's account, where Kerberos says it: the realm is the
// domain's DNS name (MS-KILE 3.1.5.6).
func (s *Hosts) joined(name, domain string, t model.Time) {
	if strings.Contains(domain, ".") {
		s.named(&s.lastJoined, telemetry.Realm, domain, name, t)
	}
}

// allNamings gives them in their order.
func (s *Hosts) allNamings() []telemetry.Naming {
	out := make([]telemetry.Naming, 0, len(s.namings))
	for _, n := range s.namings {
		out = append(out, *n)
	}
	slices.SortFunc(out, func(a, b telemetry.Naming) int {
		return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.Key, b.Key), cmp.Compare(a.First, b.First), strings.Compare(a.Host, b.Host))
	})
	return out
}
