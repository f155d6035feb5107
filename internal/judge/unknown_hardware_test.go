package judge

import (
	"strings"
	"testing"

	"waybill/internal/model"
)

// seen is one thing about 10.0.0.5, seconds after the begin.
type seen struct {
	at                    int
	channel, mac, details string // a binding
	moves                 bool   // a file to another host
}

func TestUnknownHardware(t *testing.T) {
	const a, b, own = "00:1b:21:00:00:01", "00:1b:21:00:00:02", "06:00:00:00:00:03"
	for _, c := range []struct {
		name   string
		assets []string
		seen   []seen
		nats   float64
		text   string
	}{
		{"nothing odd", nil, []seen{{at: 1, channel: "arp", mac: a}, {at: 2, moves: true}}, 0, ""},
		{"changed", nil, []seen{{at: 1, channel: "arp", mac: a}, {at: 2, channel: "arp", mac: b}, {at: 3, moves: true}}, 2, "changed its hardware address"},
		{"changed soon after", nil, []seen{{at: 1, channel: "arp", mac: a}, {at: 2, moves: true}, {at: 3, channel: "arp", mac: b}}, 2, "changed"},
		{"changed much later", nil, []seen{{at: 1, channel: "arp", mac: a}, {at: 2, moves: true}, {at: 3000, channel: "arp", mac: b}}, 0, ""},
		{"leased to another", nil, []seen{{at: 1, channel: "arp", mac: a}, {at: 2, channel: "dhcp", mac: b}, {at: 3, channel: "arp", mac: b}, {at: 4, moves: true}}, 0, ""},
		{"router stands in", nil, []seen{{at: 1, channel: "arp", mac: a}, {at: 2, channel: "arp", mac: "00:00:5e:00:01:07"}, {at: 3, moves: true}}, 0, ""},
		{"own address", nil, []seen{{at: 1, channel: "arp", mac: own}, {at: 3, moves: true}}, 1, "locally administered"},
		{"not an asset", []string{a}, []seen{{at: 1, channel: "arp", mac: b}, {at: 3, moves: true}}, 2, "none of the known hardware"},
		{"an asset", []string{own}, []seen{{at: 1, channel: "arp", mac: own}, {at: 3, moves: true}}, 0, ""},
		{"another client", nil, []seen{{at: 1, channel: "dhcp", mac: a, details: "vendor MSFT 5.0"}, {at: 2, channel: "dhcp", mac: a, details: "vendor udhcp"}, {at: 3, moves: true}}, 2, "DHCP client"},
	} {
		assets := map[string]bool{}
		for _, m := range c.assets {
			assets[m] = true
		}
		rule := unknownHardware(assets)
		var marks []Mark
		for _, s := range c.seen {
			at := begin + model.Time(s.at)*1e9
			e := Event{Time: at, Access: &model.Access{Time: at, What: "address-binding", Channel: s.channel, Detail: s.details,
				Source: model.Endpoint{IP: addr("10.0.0.5"), MAC: s.mac}}}
			if s.moves {
				e = Event{Time: at, Transfer: &model.Transfer{ID: "t", End: at, Status: model.Done, Operation: model.Push, Initiator: model.BySource,
					Source: model.Endpoint{IP: addr("10.0.0.5")}, Destination: model.Endpoint{IP: addr("10.0.0.6")}}}
			}
			marks = append(marks, rule.Step(e)...)
		}
		switch {
		case c.nats == 0 && len(marks) > 0:
			t.Errorf("%s: %q", c.name, marks[0].Text)
		case c.nats > 0 && (len(marks) != 1 || marks[0].Nats != c.nats || !strings.Contains(marks[0].Text, c.text)):
			t.Errorf("%s: %+v", c.name, marks)
		}
	}
}
