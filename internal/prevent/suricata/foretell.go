package suricata

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"waybill/internal/model"
	"waybill/internal/prevent"
)

// Foretold is an alert that a rule gives on recorded traffic.
type Foretold struct {
	SID      int            `json:"sid"`
	Key      string         `json:"key"`
	Kind     string         `json:"rule_kind"` // indicator, behaviour, policy
	Finding  string         `json:"finding,omitempty"`
	Time     model.Time     `json:"time"`
	Client   model.Endpoint `json:"client"`
	Server   model.Endpoint `json:"server"`
	Transfer string         `json:"transfer,omitempty"` // or
	Access   string         `json:"access,omitempty"`   // what it is of
	// AtEnd says that the rule knows the file only when all of it has moved.
	AtEnd bool `json:"at_end,omitempty"`
	// Doubt is why Suricata may stay silent, "" where it will not.
	Doubt string `json:"doubt,omitempty"`
}

// HomeNet is what Suricata takes for HOME_NET where nobody sets it (suricata.yaml).
var HomeNet = []netip.Prefix{netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12")}

// Foretell says which alerts the rules of a policy give on what the records hold, in the order
// of time, by what Suricata can see: not what went encrypted, and no hash of what was not
// whole. It knows nothing of packets: what was captured in part, or went over several
// connections, is in doubt. Rules of the policy alert on connections that moved no file, too;
// these it does not know.
func Foretell(p *prevent.Policy, c prevent.Choice, r *model.Records, home []netip.Prefix) ([]Foretold, error) {
	e, err := export(p, c)
	if err != nil {
		return nil, err
	}
	var out []Foretold
	for _, s := range sights(r, home) {
		for i, rule := range e.rules {
			if rule.sees(s) {
				out = append(out, foretold(rule, e.sids[i], s))
			}
		}
	}
	return out, nil
}

func foretold(r *rule, sid int, s *sight) Foretold {
	f := Foretold{SID: sid, Key: r.key, Kind: r.kind, Finding: r.finding, Time: s.time(), Client: s.client, Server: s.server, AtEnd: r.list != nil}
	if s.t != nil {
		f.Transfer, f.Doubt = s.t.ID, doubt(s.t)
	} else {
		f.Access = s.a.ID
		f.Doubt = doubtful(s.a)
	}
	return f
}

func doubtful(a *model.Access) string {
	switch {
	case !packets(a.Evidence):
		return "no packet of it was seen"
	case a.Status == "no answer seen":
		return a.Status
	case a.Channel == "dcerpc" && (a.User != "" || a.Status == "sealed"):
		return "a call over TCP after a logon: Suricata loses most of them"
	}
	return ""
}

// doubt is why Suricata may not see a transfer that it could.
func doubt(t *model.Transfer) string {
	switch {
	case !packets(t.Evidence):
		return "no packet of it was seen: nobody knows whether it was encrypted"
	case t.Completeness != model.Whole:
		return "not all of it was captured"
	case t.Session != nil && t.Session.Channels > 1:
		return "several connections: Suricata follows each by itself"
	case t.Session != nil && t.Session.Compressed:
		return "compressed: Suricata reads no compression of SMB"
	case t.Channel == "smb2" && t.Start == t.End:
		return "all of it in one packet: Suricata finds no file in a compound of open and read"
	case shown(t, "(ranges)"):
		return "in ranges: Suricata joins some of them"
	case shown(t, "STOU"):
		return "Suricata follows no STOU of FTP"
	case t.Channel == "tcp" && t.Type == "pe":
		return "the text before the program may be another"
	case model.ChannelFamily(t.Channel) == "nfs":
		return "Suricata follows files of NFS in part"
	}
	return ""
}

// shown says whether the evidence tells of something.
func shown(t *model.Transfer, what string) bool {
	return slices.ContainsFunc(t.Evidence, func(e model.Evidence) bool { return strings.Contains(e.What, what) })
}

func packets(evidence []model.Evidence) bool {
	return slices.ContainsFunc(evidence, func(e model.Evidence) bool { return e.Packets != nil })
}

// sights are what the records hold, in the order of time, each with the flow and pair that it
// belongs to.
func sights(r *model.Records, home []netip.Prefix) []*sight {
	var out []*sight
	for _, t := range r.Transfers {
		if client, server, ok := ends(t); ok {
			out = append(out, &sight{t: t, client: client, server: server})
		}
	}
	for _, a := range r.Accesses {
		if a.Source.IP.Known() && a.Destination.IP.Known() {
			out = append(out, &sight{a: a, client: a.Source, server: a.Destination})
		}
	}
	slices.SortStableFunc(out, func(a, b *sight) int { return cmp.Compare(a.time(), b.time()) })
	m := memory{flows: map[[2]netip.AddrPort]*flow{}, pairs: map[[2]netip.Addr]*pair{}}
	for _, s := range out {
		s.home = home
		m.recall(s)
	}
	return out
}

// ends are client and server of a transfer that went between two addresses.
func ends(t *model.Transfer) (client, server model.Endpoint, ok bool) {
	switch {
	case !t.Source.IP.Known() || !t.Destination.IP.Known() || t.Initiator == model.ByOther:
		return client, server, false
	case t.Initiator == model.BySource:
		return t.Source, t.Destination, true
	}
	return t.Destination, t.Source, true
}

// memory is the flows and pairs of hosts seen so far.
type memory struct {
	flows map[[2]netip.AddrPort]*flow
	pairs map[[2]netip.Addr]*pair
}

func (m *memory) recall(s *sight) {
	a, b := s.client.IP.Netip(), s.server.IP.Netip()
	key := [2]netip.AddrPort{netip.AddrPortFrom(a, s.client.Port), netip.AddrPortFrom(b, s.server.Port)}
	if m.flows[key] == nil {
		m.flows[key] = &flow{bound: map[string]bool{}, shown: map[string]bool{}}
	}
	s.flow = m.flows[key]
	if s.a != nil && s.a.Interface != "" {
		s.flow.bound[s.a.Interface] = true
	}
	hosts := [2]netip.Addr{a, b}
	if b.Less(a) {
		hosts = [2]netip.Addr{b, a}
	}
	if m.pairs[hosts] == nil {
		m.pairs[hosts] = &pair{}
	}
	s.pair = m.pairs[hosts]
}
