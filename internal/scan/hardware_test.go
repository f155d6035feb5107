package scan

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"waybill/internal/model"
	"waybill/internal/synth"
)

// Hardware of makers, and one that a program made up.
var (
	card1  = [6]byte{0x00, 0x1b, 0x21, 0, 0, 1}
	card2  = [6]byte{0x00, 0x1b, 0x21, 0, 0, 2}
	madeUp = [6]byte{0x06, 0x5a, 0x33, 0, 0, 3}
	vrrp   = [6]byte{0x00, 0x00, 0x5e, 0x00, 0x01, 0x07}
)

const minute = model.Time(60e9)

// push sends a program to an administrative share.
func push(n *synth.Net, from, to *synth.Host, name string) {
	s := n.SMB(from, to, synth.SMBOptions{User: "admin", Domain: "CORP"})
	s.Tree("ADMIN$").Put(`Temp\`+name, n.PE(20_000))
	s.Logoff()
}

// hardwareScene is who has which address when, and what must come of it.
type hardwareScene struct {
	name   string
	assets []Asset
	script func(n *synth.Net, server *synth.Host)
	from   []string // host and hardware at the source of each transfer
	nats   float64  // of unknown-hardware, in the finding of the last transfer
	text   string
}

var hardwareScenes = []hardwareScene{
	{"lease handed on while the earlier one runs", nil, func(n *synth.Net, server *synth.Host) {
		push(n, n.Lease(server, "WS-1", "10.0.0.9", card1, 86400), server, "a.exe")
		n.Sleep(30 * minute)
		h := n.Lease(server, "WS-2", "10.0.0.9", card2, 86400)
		n.ARP(h, server)
		push(n, h, server, "b.exe")
	}, []string{"WS-1 00:1b:21:00:00:01", "WS-2 00:1b:21:00:00:02"}, 0, ""},
	{"docking station", nil, func(n *synth.Net, server *synth.Host) {
		push(n, n.Lease(server, "WS-1", "10.0.0.9", card1, 86400), server, "a.exe")
		n.Sleep(10 * minute)
		push(n, n.Lease(server, "WS-1", "10.0.0.10", card2, 86400), server, "b.exe")
	}, []string{"WS-1 00:1b:21:00:00:01", "WS-1 00:1b:21:00:00:02"}, 0, ""},
	{"routers stand in for each other", nil, func(n *synth.Net, server *synth.Host) {
		gateway := n.Host("GW", "10.0.0.1")
		gateway.MAC = vrrp
		n.ARP(gateway, server)
		gateway.MAC = card1 // its own address for a while, then the common one again
		n.ARP(gateway, server)
		gateway.MAC = vrrp
		n.ARP(gateway, server)
		push(n, gateway, server, "a.exe")
	}, []string{"GW 00:00:5e:00:01:07"}, 0, ""},
	{"a box takes a host's address", nil, func(n *synth.Net, server *synth.Host) {
		h := n.Lease(server, "WS-1", "10.0.0.9", card1, 86400)
		n.ARP(h, server)
		push(n, h, server, "a.exe")
		n.Sleep(10 * minute)
		h.MAC, h.Name = madeUp, "BOX"
		n.ARP(h, server)
		push(n, h, server, "b.exe")
	}, []string{"WS-1 00:1b:21:00:00:01", "BOX 06:5a:33:00:00:03"}, 2, "changed its hardware address from 00:1b:21:00:00:01 to 06:5a:33:00:00:03 without a new lease"},
	{"a box with made-up hardware", nil, func(n *synth.Net, server *synth.Host) {
		h := n.Host("BOX", "10.0.0.66")
		h.MAC = madeUp
		n.ARP(h, server)
		push(n, h, server, "a.exe")
	}, []string{"BOX 06:5a:33:00:00:03"}, 1, "locally administered"},
	{"a box that is in no inventory", []Asset{{MAC: "00:1b:21:00:00:01", Name: "ws-1", Role: "workstation"}}, func(n *synth.Net, server *synth.Host) {
		h := n.Host("WS-1", "10.0.0.9")
		h.MAC = card1
		n.ARP(h, server)
		push(n, h, server, "a.exe")
		box := n.Host("BOX", "10.0.0.66")
		box.MAC = card2
		n.ARP(box, server)
		push(n, box, server, "b.exe")
	}, []string{"ws-1 00:1b:21:00:00:01", "BOX 00:1b:21:00:00:02"}, 2, "none of the known hardware"},
	{"two hosts claim an address", nil, func(n *synth.Net, server *synth.Host) {
		h := n.Lease(server, "WS-1", "10.0.0.9", card1, 86400)
		for i := range 6 {
			h.MAC = [...][6]byte{card1, card2}[i%2]
			n.ARP(h, server)
		}
		push(n, h, server, "a.exe")
	}, []string{"WS-1 "}, 2, "two hosts claim 10.0.0.9"},
}

// TestHardware plays who has which address when: leases that are handed on, machines
// with two cards, routers that stand in for each other, boxes that nobody knows.
func TestHardware(t *testing.T) {
	for _, c := range hardwareScenes {
		scene := synth.Record(3, func(n *synth.Net) { c.script(n, n.Host("SRV", "10.0.0.5")) })
		r := run(t, Options{Paths: []string{captureFile(t, scene.Capture)}, Assets: c.assets,
			Internal: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
		var from []string
		for _, x := range r.Transfers {
			from = append(from, x.Source.Host+" "+x.Source.MAC)
		}
		if !slices.Equal(from, c.from) {
			t.Errorf("%s: from %q, want %q", c.name, from, c.from)
		}
		var nats float64
		var text string
		for _, f := range r.Findings {
			for _, x := range f.Reasons {
				if x.Analytic == "unknown-hardware" && slices.Contains(f.Transfers, r.Transfers[len(r.Transfers)-1].ID) {
					nats, text = x.Nats, x.Text
				}
			}
		}
		if nats != c.nats || !strings.Contains(text, c.text) {
			t.Errorf("%s: %v nats, %q", c.name, nats, text)
		}
	}
}

// TestNeighborDiscovery: an advertisement (RFC 4861 4.4) binds an IPv6 address to
// hardware, which the lease of the IPv4 address on it names.
func TestNeighborDiscovery(t *testing.T) {
	scene := synth.Record(4, func(n *synth.Net) {
		n.Lease(n.Host("SRV", "10.0.0.5"), "WS-1", "10.0.0.9", card1, 86400)
		n.V6 = true
		push(n, n.Host("WS-1", "10.0.0.9"), n.Host("SRV", "10.0.0.5"), "a.exe")
	})
	address := netip.MustParseAddr("fd20::a00:9").As16()
	frame := slices.Concat([]byte{0x33, 0x33, 0, 0, 0, 1}, card1[:], []byte{0x86, 0xdd, 0x60, 0, 0, 0, 0, 32, 58, 255}, address[:], make([]byte, 16),
		[]byte{136, 0, 0, 0, 0x20, 0, 0, 0}, address[:], []byte{2, 1}, card1[:])
	c := append(synth.Capture{{Time: synth.Begin, Data: frame, Link: synth.LinkEthernet}}, scene.Capture...)
	r := run(t, Options{Paths: []string{captureFile(t, c)}})
	if len(r.Transfers) != 1 {
		t.Fatalf("%d transfers", len(r.Transfers))
	}
	if from := r.Transfers[0].Source; from.MAC != "00:1b:21:00:00:01" || from.Host != "WS-1" {
		t.Errorf("from %+v", from)
	}
	if n := r.Coverage[len(r.Coverage)-1].Decoded["ndp"]; n != 32 {
		t.Errorf("%d bytes of neighbour discovery", n)
	}
}
