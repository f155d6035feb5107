package judge

import (
	"slices"
	"strings"
	"testing"

	"waybill/internal/model"
)

// seen is one thing about 10.0.0.5, seconds after the begin.
type seen struct {
	at                   int
	channel, mac, detail string // a binding until a second later, or with what else
	what                 string
	until                int
	moves                bool // a file to another host, from the host at mac
}

func (s seen) event() Event {
	at := begin + model.Time(s.at)*1e9
	if s.moves {
		return Event{Time: at, Transfer: &model.Transfer{ID: "t", End: at, Status: model.Done, Operation: model.Push, Initiator: model.BySource,
			Source: model.Endpoint{IP: addr("10.0.0.5"), MAC: s.mac}, Destination: model.Endpoint{IP: addr("10.0.0.6")}}}
	}
	a := &model.Access{Time: at, Until: begin + model.Time(max(s.until, s.at+1))*1e9, What: "address-binding", Channel: s.channel, Detail: s.detail,
		Source: model.Endpoint{IP: addr("10.0.0.5"), MAC: s.mac}}
	if s.what != "" {
		a.What, a.Object, a.Detail = s.what, s.detail, ""
	}
	return Event{Time: at, Access: a}
}

// TestUnknownHardware: what is marked, and the look-alikes that are not.
func TestUnknownHardware(t *testing.T) {
	const a, b, own, vrrp = "00:1b:21:00:00:01", "00:1b:21:00:00:02", "06:00:00:00:00:03", "00:00:5e:00:01:07"
	const windows10, linux = "vendor MSFT 5.0; fingerprint 1,3,6,15", "vendor dhcpcd-9.4; fingerprint 1,3,6"
	arp := func(at int, mac string) seen { return seen{at: at, channel: "arp", mac: mac} }
	dhcp := func(at int, mac, detail string) seen { return seen{at: at, channel: "dhcp", mac: mac, detail: detail} }
	moves := func(at int, mac string) seen { return seen{at: at, mac: mac, moves: true} }
	known := map[string]string{a: "", own: "windows 11"}
	for _, c := range []struct {
		name   string
		assets map[string]string
		seen   []seen
		nats   float64
		text   string
	}{
		{"nothing odd", nil, []seen{arp(1, a), moves(2, a)}, 0, ""},
		{"taken over", nil, []seen{arp(1, a), arp(2, b), moves(3, b)}, 2, "changed its hardware address"},
		{"taken over soon after", nil, []seen{arp(1, a), moves(2, a), arp(3, b)}, 2, "changed"},
		{"taken over much later", nil, []seen{arp(1, a), moves(2, a), arp(3000, b)}, 0, ""},
		{"taken over and nothing moved", nil, []seen{arp(1, a), arp(2, b)}, 0, ""},
		{"leased to another machine", nil, []seen{arp(1, a), dhcp(2, b, ""), arp(3, b), moves(4, b)}, 0, ""},
		{"another machine, a day later", nil, []seen{arp(1, a), arp(80000, b), moves(80002, b)}, 0, ""},
		{"router stands in", nil, []seen{arp(1, a), arp(2, vrrp), moves(3, vrrp)}, 0, ""},
		{"router and its stand-in", nil, []seen{{at: 1, channel: "arp", mac: vrrp, what: "address-conflict", detail: "also at " + a}, moves(3, a)}, 0, ""},
		{"two claim it", nil, []seen{arp(1, a), {at: 2, channel: "arp", mac: a, what: "address-conflict", detail: "also at " + b}, moves(3, a)}, 2, "two hosts claim 10.0.0.5"},
		{"docking station", nil, []seen{dhcp(1, a, windows10), arp(2, a), dhcp(3, b, windows10), arp(4, b), moves(5, b)}, 0, ""},
		{"made-up address", nil, []seen{arp(1, own), moves(3, own)}, 1, "locally administered"},
		{"made-up address of another host", nil, []seen{{at: 1, channel: "arp", mac: own}, moves(3, a)}, 0, ""},
		{"container", nil, []seen{arp(1, "02:42:ac:11:00:02"), moves(3, "02:42:ac:11:00:02")}, 0, ""},
		{"none of the known", known, []seen{arp(1, b), moves(3, b)}, 2, "none of the known hardware"},
		{"container that is none of the known", known, []seen{arp(1, "02:42:ac:11:00:02"), moves(3, "02:42:ac:11:00:02")}, 2, "none of the known hardware"},
		{"known, also made up", known, []seen{arp(1, own), moves(3, own)}, 0, ""},
		{"known by its address", map[string]string{a: "", "10.0.0.5": ""}, []seen{arp(1, b), moves(3, b)}, 0, ""},
		{"two systems on one machine", nil, []seen{dhcp(1, a, windows10), dhcp(2, a, linux), moves(3, a)}, 2, "DHCP client of " + a + " changed"},
		{"booted over the network", nil, []seen{dhcp(1, a, "vendor PXEClient:Arch:00007; fingerprint 1,2,3"), dhcp(2, a, windows10), moves(3, a)}, 0, ""},
		{"another id, the same system", nil, []seen{dhcp(1, a, windows10), dhcp(2, a, windows10+"; client id ff01"), moves(3, a)}, 0, ""},
		{"not the known system", known, []seen{dhcp(1, own, linux), moves(3, own)}, 2, "none of Windows"},
		{"the known system", known, []seen{dhcp(1, own, windows10), moves(3, own)}, 0, ""},
	} {
		var marks []Mark
		rule := unknownHardware(c.assets)
		for _, s := range c.seen {
			marks = append(marks, rule.Step(s.event())...)
			throughJSON(t, rule)
		}
		switch {
		case c.nats == 0 && len(marks) > 0:
			t.Errorf("%s: %q", c.name, marks[0].Text)
		case c.nats > 0 && (len(marks) != 1 || marks[0].Nats != c.nats || !strings.Contains(marks[0].Text, c.text) || !slices.Contains(marks[0].Techniques, "T1200")):
			t.Errorf("%s: %+v", c.name, marks)
		}
	}
}
