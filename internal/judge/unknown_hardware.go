package judge

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"waybill/internal/identity"
	"waybill/internal/model"
)

// unknownHardware marks files that an endpoint moves whose hardware address is none
// of the known ones, is not a maker's, or whose system changed (MITRE ATT&CK T1200).
// assets are the known ones, with the system on each, and known hosts by address
// where their hardware is not.
func unknownHardware(assets map[string]string) Analytic {
	return both{ofHardware(assets), ofAddresses()}
}

// both is an analytic in two parts, whose states belong to different things.
type both [2]Analytic

func (b both) Name() string                          { return b[0].Name() }
func (b both) Step(e Event) []Mark                   { return append(b[0].Step(e), b[1].Step(e)...) }
func (b both) Wide() bool                            { return false }
func (b both) Able(c *model.Coverage) model.Ableness { return b[0].Able(c) }

// ofHardware looks at hardware addresses.
func ofHardware(assets map[string]string) Analytic {
	return &rule[hardware]{name: "unknown-hardware", key: onHardware,
		look: func(s hardware, e Event) (hardware, []Mark) {
			if e.Transfer != nil {
				return s, s.moved(e)
			}
			return s, s.found(s.odd(assets, e.Access), e.Time)
		}, able: needsHardware}
}

// hardware is what is known of one hardware address.
type hardware struct {
	oddities
	Seen bool   `json:"seen"`
	Kind string `json:"kind"` // of its DHCP client: vendor and fingerprint
}

// oddities are what is odd about an endpoint, and what it moved.
type oddities struct {
	Signs []sign     `json:"signs"`
	Moved []movement `json:"moved"`
}

// movement is a transfer of an endpoint, and when it was done.
type movement struct {
	Transfer string     `json:"transfer"`
	Time     model.Time `json:"time"`
}

// sign is something odd about an endpoint's hardware.
type sign struct {
	Time     model.Time       `json:"time"`
	Nats     float64          `json:"nats"`
	Text     string           `json:"text"`
	Evidence []model.Evidence `json:"evidence"`
}

// Bounds of what is kept of an endpoint.
const (
	maxSigns = 16
	maxMoved = 4
	signNear = model.Time(600e9) // a sign this long after a transfer still belongs to it
)

// moved takes a transfer; what was odd before speaks against it.
func (s *oddities) moved(e Event) []Mark {
	l := movement{e.Transfer.ID, e.Transfer.End}
	if len(s.Moved) >= maxMoved {
		s.Moved = append(s.Moved[:0], s.Moved[maxMoved/2:]...)
	}
	s.Moved = append(s.Moved, l)
	if n := len(s.Signs); n > 0 && l.Time-s.Signs[n-1].Time <= e.window() {
		return []Mark{s.strongest().mark(l, l.Time)}
	}
	return nil
}

// found takes what is odd; it speaks against what was moved just before.
func (s *oddities) found(x *sign, at model.Time) []Mark {
	if x == nil {
		return nil
	}
	if len(s.Signs) >= maxSigns {
		s.Signs = s.Signs[maxSigns/2:]
	}
	s.Signs = append(s.Signs, *x)
	if n := len(s.Moved); n > 0 && at-s.Moved[n-1].Time <= signNear {
		return []Mark{x.mark(s.Moved[n-1], at)}
	}
	return nil
}

func (s *oddities) strongest() *sign {
	best := &s.Signs[0]
	for i := range s.Signs {
		if s.Signs[i].Nats >= best.Nats {
			best = &s.Signs[i]
		}
	}
	return best
}

func (x *sign) mark(l movement, at model.Time) Mark {
	return Mark{Family: "identity", Analytic: "unknown-hardware", Transfer: l.Transfer, Time: at, Nats: x.Nats,
		Text: x.Text, Evidence: x.Evidence, Techniques: []string{"T1200"}}
}

// asking is the end that asked for a transfer.
func asking(e Event) (model.Endpoint, bool) {
	switch {
	case !e.moved():
	case e.Transfer.Initiator == model.BySource:
		return e.Transfer.Source, true
	case e.Transfer.Initiator == model.ByDestination:
		return e.Transfer.Destination, true
	}
	return model.Endpoint{}, false
}

// onHardware keys what is seen of a hardware address, and what the host at it moves.
func onHardware(e Event) string {
	if end, ok := asking(e); ok {
		return end.MAC
	}
	if e.Access != nil && (e.Access.What == "address-binding" || e.Access.What == "dhcp-request") && !strings.Contains(e.Access.Detail, "DUID") {
		return e.Access.Source.MAC
	}
	return ""
}

// odd takes what was seen of a hardware address and gives what is odd about it.
func (s *hardware) odd(assets map[string]string, a *model.Access) *sign {
	first := !s.Seen
	s.Seen = true
	if changed := s.client(assets, a); changed != nil {
		return changed
	}
	mac, where := a.Source.MAC, "a host"
	if a.Source.IP.Known() {
		where = a.Source.IP.String()
	}
	_, listed := assets[mac]
	_, host := assets[where]
	switch {
	case !first || listed || host || identity.Virtual(mac):
		return nil
	case len(assets) > 0:
		return &sign{a.Time, 2, fmt.Sprintf("%s is at %s, which is none of the known hardware", where, mac), a.Evidence}
	case local(mac) && !virtual(mac):
		return &sign{a.Time, 1, fmt.Sprintf("%s is at %s, a locally administered hardware address: phones make such up, and so do intruders", where, mac), a.Evidence}
	}
	return nil
}

// client compares the DHCP client of a hardware address with the earlier one and with
// the system that the inventory names. A machine with two systems changes it too.
func (s *hardware) client(assets map[string]string, a *model.Access) *sign {
	kind := clientKind(a)
	if kind == "" {
		return nil
	}
	old := s.Kind
	s.Kind = kind
	switch {
	case old != "" && old != kind:
		return &sign{a.Time, 2, fmt.Sprintf("the DHCP client of %s changed: %s before, %s now", a.Source.MAC, old, kind), a.Evidence}
	case old == "" && windows(kind) && assets[a.Source.MAC] != "" && !strings.Contains(assets[a.Source.MAC], "windows"):
		return &sign{a.Time, 2, fmt.Sprintf("the DHCP client of %s is one of Windows, its system is known as %s", a.Source.MAC, assets[a.Source.MAC]), a.Evidence}
	case old == "" && !windows(kind) && strings.Contains(kind, "vendor ") && strings.Contains(assets[a.Source.MAC], "windows"):
		return &sign{a.Time, 2, fmt.Sprintf("the DHCP client of %s is none of Windows (%s), its system is known as %s", a.Source.MAC, kind, assets[a.Source.MAC]), a.Evidence}
	}
	return nil
}

// windows says whether a DHCP client is that of Windows (MS-DHCPE 2.2.3).
func windows(kind string) bool { return strings.Contains(kind, "vendor MSFT ") }

// clientKind is what tells a kind of DHCP client: vendor class and parameter list.
func clientKind(a *model.Access) string {
	if a.Channel != "dhcp" || !strings.HasPrefix(a.Detail, "vendor ") && !strings.HasPrefix(a.Detail, "fingerprint ") || firmware(a.Detail) {
		return ""
	}
	parts := slices.DeleteFunc(strings.Split(a.Detail, "; "), func(p string) bool {
		return !strings.HasPrefix(p, "vendor ") && !strings.HasPrefix(p, "fingerprint ")
	})
	return strings.Join(parts, "; ")
}

// firmware says whether a DHCP client is that of a machine that boots over the network
// (UEFI 2.10, 24.3): the system comes after it.
func firmware(detail string) bool {
	return strings.HasPrefix(detail, "vendor PXEClient") || strings.HasPrefix(detail, "vendor HTTPClient")
}

// local says that no maker assigned the address (IEEE 802, 8.2.2).
func local(mac string) bool {
	first, err := strconv.ParseUint(mac[:min(2, len(mac))], 16, 8)
	return err == nil && first&2 != 0
}

// virtual addresses are those of virtual machines and containers, whose makers use
// local ones: QEMU, Docker.
func virtual(mac string) bool {
	return strings.HasPrefix(mac, "52:54:00:") || strings.HasPrefix(mac, "02:42:")
}

// needsHardware says whether hardware addresses show.
func needsHardware(c *model.Coverage) model.Ableness {
	leases, tables := int64(0), c.Events["arp/table"]
	for name, n := range c.Events {
		if strings.HasPrefix(name, "dhcp/") || name == "zeek/dhcp" || name == "suricata/dhcp" {
			leases += n
		}
	}
	switch {
	case c.Decoded["arp"]+c.Decoded["dhcp"]+c.Decoded["ndp"]+leases+tables == 0:
		return model.Ableness{Able: "unable", Why: "no ARP, no neighbour discovery and no DHCP was seen: hardware addresses are not known"}
	case c.Decoded["dhcp"]+leases == 0:
		return model.Ableness{Able: "partly", Why: "no DHCP was seen: leases and kinds of clients are not known"}
	}
	return model.Ableness{Able: "able"}
}
