package judge

import (
	"fmt"
	"strings"

	"waybill/internal/identity"
	"waybill/internal/model"
)

// ofAddresses is the part of unknown-hardware that looks at addresses: one that is
// taken over by other hardware, or that two claim.
func ofAddresses() Analytic {
	return &rule[place]{name: "unknown-hardware", key: onAddress,
		look: func(s place, e Event) (place, []Mark) {
			if e.Transfer != nil {
				return s, s.moved(e)
			}
			return s, s.found(s.odd(e.Access), e.Time)
		}, able: needsHardware}
}

// place is what is known of one address.
type place struct {
	oddities
	MAC    string     `json:"mac"`
	Until  model.Time `json:"until"`
	Leased string     `json:"leased"` // to which hardware
}

// quiet is how long an address must have been silent that it may belong to another
// host without a word: leases that were not seen are handed on.
const quiet = model.Time(3600e9)

// onAddress keys what is seen of an address, and what the host that has it moves.
func onAddress(e Event) string {
	if end, ok := asking(e); ok {
		return end.IP.String()
	}
	if e.Access != nil && e.Access.Source.MAC != "" && (e.Access.What == "address-binding" || e.Access.What == "address-conflict") {
		return e.Access.Source.IP.String()
	}
	return ""
}

// odd takes what was seen of an address and gives what is odd about it.
func (s *place) odd(a *model.Access) *sign {
	mac, ip := a.Source.MAC, a.Source.IP
	if a.What == "address-conflict" {
		other := strings.TrimPrefix(a.Object, "also at ")
		if identity.Virtual(mac) || identity.Virtual(other) {
			return nil
		}
		return &sign{a.Time, 2, fmt.Sprintf("two hosts claim %s: %s and %s", ip, other, mac), a.Evidence}
	}
	switch a.Channel {
	case "dhcp":
		s.Leased = mac
		return nil
	case "arp", "ndp":
	default:
		return nil
	}
	old, until := s.MAC, s.Until
	s.MAC, s.Until = mac, a.Until
	if old == "" || old == mac || s.Leased == mac || a.Time-until > quiet || identity.Virtual(mac) || identity.Virtual(old) {
		return nil
	}
	return &sign{a.Time, 2, fmt.Sprintf("%s changed its hardware address from %s to %s without a new lease", ip, old, mac), a.Evidence}
}
