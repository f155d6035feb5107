package judge

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"waybill/internal/model"
)

// unknownHardware marks files that an endpoint moves whose hardware address is not
// one of the known ones, is not a maker's, or changed (MITRE ATT&CK T1200).
func unknownHardware(assets map[string]bool) Analytic {
	return &rule[hardware]{name: "unknown-hardware", key: onAddress,
		look: func(s hardware, e Event) (hardware, []Mark) { return lookHardware(assets, s, e) }, able: needsHardware}
}

// hardware is what is known of one address.
type hardware struct {
	MAC   string            `json:"mac"`
	Kinds map[string]string `json:"kinds"` // DHCP vendor and fingerprint by hardware address
	Signs []sign            `json:"signs"`
	Moved []landing         `json:"moved"`
}

// sign is something odd about an endpoint's hardware.
type sign struct {
	Time     model.Time       `json:"time"`
	Nats     float64          `json:"nats"`
	Text     string           `json:"text"`
	Evidence []model.Evidence `json:"evidence"`
}

// Bounds of what is kept of an address.
const (
	maxSigns = 16
	maxMoved = 64
	signNear = model.Time(600e9) // a sign this long after a transfer still belongs to it
)

// onAddress keys transfers by the address that asked for them.
func onAddress(e Event) string {
	switch {
	case e.Access != nil && e.Access.What == "address-binding" && e.Access.Source.MAC != "":
		return e.Access.Source.IP.String()
	case e.moved() && e.Transfer.Initiator == model.BySource:
		return e.Transfer.Source.IP.String()
	case e.moved() && e.Transfer.Initiator == model.ByDestination:
		return e.Transfer.Destination.IP.String()
	}
	return ""
}

func lookHardware(assets map[string]bool, s hardware, e Event) (hardware, []Mark) {
	if e.Transfer != nil {
		l := landed(e.Transfer)
		if len(s.Moved) >= maxMoved {
			s.Moved = s.Moved[maxMoved/2:]
		}
		s.Moved = append(s.Moved, l)
		if n := len(s.Signs); n > 0 && l.Time-s.Signs[n-1].Time <= e.window() {
			return s, []Mark{s.strongest().mark(l, l.Time)}
		}
		return s, nil
	}
	found := s.binding(assets, e.Access)
	if found == nil {
		return s, nil
	}
	if len(s.Signs) >= maxSigns {
		s.Signs = s.Signs[maxSigns/2:]
	}
	s.Signs = append(s.Signs, *found)
	if n := len(s.Moved); n > 0 && e.Time-s.Moved[n-1].Time <= signNear {
		return s, []Mark{found.mark(s.Moved[n-1], e.Time)}
	}
	return s, nil
}

func (s *hardware) strongest() *sign {
	best := &s.Signs[0]
	for i := range s.Signs {
		if s.Signs[i].Nats > best.Nats {
			best = &s.Signs[i]
		}
	}
	return best
}

// binding takes an address with its hardware and gives what is odd about it.
func (s *hardware) binding(assets map[string]bool, a *model.Access) *sign {
	mac, ip := a.Source.MAC, a.Source.IP.String()
	old := s.MAC
	s.MAC = mac
	if mac == old {
		return s.kind(a)
	}
	found := &sign{Time: a.Time, Nats: 2, Evidence: a.Evidence}
	switch {
	case len(assets) > 0 && !assets[strings.ToLower(mac)]:
		found.Text = fmt.Sprintf("%s is at %s, which is none of the known hardware", ip, mac)
	case old != "" && a.Channel == "arp" && !virtual(mac) && !virtual(old):
		found.Text = fmt.Sprintf("%s changed its hardware address from %s to %s without a new lease", ip, old, mac)
	case local(mac) && !virtual(mac) && !assets[strings.ToLower(mac)]:
		found.Nats = 1
		found.Text = fmt.Sprintf("%s is at %s, a locally administered hardware address", ip, mac)
	default:
		return s.kind(a)
	}
	s.kind(a)
	return found
}

// kind compares the DHCP fingerprint of a hardware address with the earlier one.
func (s *hardware) kind(a *model.Access) *sign {
	if a.Channel != "dhcp" || a.Detail == "" {
		return nil
	}
	old, known := s.Kinds[a.Source.MAC]
	if s.Kinds == nil || len(s.Kinds) > 64 {
		s.Kinds = map[string]string{}
	}
	s.Kinds[a.Source.MAC] = a.Detail
	if !known || old == a.Detail {
		return nil
	}
	return &sign{Time: a.Time, Nats: 2, Evidence: a.Evidence,
		Text: fmt.Sprintf("the DHCP client of %s changed: %s before, %s now", a.Source.MAC, old, a.Detail)}
}

// local says that no maker assigned the address (IEEE 802, 8.2.2).
func local(mac string) bool {
	first, err := strconv.ParseUint(mac[:min(2, len(mac))], 16, 8)
	return err == nil && first&2 != 0
}

// virtual addresses belong to routers that stand in for each other (RFC 5798 7.3,
// Cisco HSRP) and to virtual machines and containers, whose makers use local ones.
func virtual(mac string) bool {
	return slices.ContainsFunc([]string{"00:00:5e:00:01:", "00:00:5e:00:02:", "00:00:0c:07:ac:", "52:54:00:", "02:42:"},
		func(p string) bool { return strings.HasPrefix(mac, p) })
}

func (x *sign) mark(l landing, at model.Time) Mark {
	return Mark{Family: "identity", Analytic: "unknown-hardware", Transfer: l.Transfer, Time: at, Nats: x.Nats,
		Text: x.Text, Evidence: x.Evidence, Techniques: []string{"T1200"}}
}

// needsHardware says whether hardware addresses show.
func needsHardware(c *model.Coverage) model.Ableness {
	if c.Decoded["arp"]+c.Decoded["dhcp"] == 0 {
		return model.Ableness{Able: "unable", Why: "no ARP and no DHCP was seen: hardware addresses are not known"}
	}
	return model.Ableness{Able: "able"}
}
