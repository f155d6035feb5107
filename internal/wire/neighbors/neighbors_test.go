package neighbors

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"waybill/internal/model"
	"waybill/internal/wire"
)

var (
	a = [6]byte{0x00, 0x1b, 0x21, 0, 0, 0xa}
	b = [6]byte{0x00, 0x1b, 0x21, 0, 0, 0xb}
)

func ip(s string) model.Addr { return model.AddrOf(netip.MustParseAddr(s)) }

// sight is an address seen at hardware, seconds after the begin.
type sight struct {
	at  int
	mac [6]byte
}

func seen(sights ...sight) string {
	var out []string
	t := New("arp", func(a *wire.Access) {
		s := fmt.Sprintf("%s %s", a.What, a.Source.MAC[15:])
		if a.What == "address-binding" {
			s += fmt.Sprintf(" %d-%d", a.Time/1e9, a.Until/1e9)
		}
		out = append(out, strings.TrimSpace(s+" "+a.Object))
	})
	for i, s := range sights {
		t.Seen(ip("10.0.0.1"), s.mac, wire.At{Time: model.Time(s.at) * 1e9, Packet: uint64(i + 1)})
	}
	t.Flush()
	return strings.Join(out, "\n")
}

func TestRuns(t *testing.T) {
	for _, c := range []struct {
		name   string
		sights []sight
		want   string
	}{
		{"one", []sight{{1, a}, {500, a}, {9000, a}}, "address-binding 0a 1-9000"},
		{"taken over", []sight{{1, a}, {50, a}, {60, b}, {900, b}}, "address-binding 0a 1-50\naddress-binding 0b 60-900 was 00:1b:21:00:00:0a"},
		{"both", []sight{{1, a}, {60, b}, {61, a}, {62, b}, {63, a}},
			"address-binding 0a 1-63\naddress-binding 0b 60-62 was 00:1b:21:00:00:0a\n" +
				"address-conflict 0a also at 00:1b:21:00:00:0b\naddress-conflict 0b also at 00:1b:21:00:00:0a"},
		{"handed back", []sight{{1, a}, {60, b}, {4000, b}, {4100, a}},
			"address-binding 0a 1-1\naddress-binding 0b 60-4000 was 00:1b:21:00:00:0a\naddress-binding 0a 4100-4100 was 00:1b:21:00:00:0b"},
		{"nobody's", []sight{{1, [6]byte{}}, {2, [6]byte{1, 0, 0x5e}}, {3, [6]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}}, ""},
	} {
		if got := seen(c.sights...); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

// TestIDs: no two accesses share an id.
func TestIDs(t *testing.T) {
	ids := map[string]bool{}
	table := New("arp", func(a *wire.Access) {
		if ids[a.ID] {
			t.Errorf("twice: %s %s %s", a.What, a.Source.MAC, a.Object)
		}
		ids[a.ID] = true
	})
	for i, m := range [][6]byte{a, b, a, b, a, b} {
		table.Seen(ip("10.0.0.1"), m, wire.At{Time: model.Time(i/3*4000+i) * 1e9})
		table.Seen(ip("10.0.0.2"), m, wire.At{Time: model.Time(i) * 2000e9})
	}
	table.Flush()
}

// advertisement is a message of RFC 4861 4.4 with one option.
func message(kind byte, target string, option byte, mac [6]byte) []byte {
	m := []byte{kind, 0, 0, 0, 0x60, 0, 0, 0}
	if target != "" {
		b := netip.MustParseAddr(target).As16()
		m = append(m, b[:]...)
	}
	return append(append(m, option, 1), mac[:]...)
}

func TestNeighborDiscovery(t *testing.T) {
	cut := message(136, "fe80::1", 2, a)
	for _, c := range []struct {
		name, from string
		b          []byte
		want       string
	}{
		{"advertisement", "fe80::9", message(136, "fd00::7", 2, a), "fd00::7 00:1b:21:00:00:0a"},
		{"solicitation", "fe80::9", message(135, "fd00::7", 1, a), "fe80::9 00:1b:21:00:00:0a"},
		{"router solicitation", "fe80::9", message(133, "", 1, a), "fe80::9 00:1b:21:00:00:0a"},
		{"router advertisement", "fe80::9", append([]byte{134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0, 5, 1, 0, 0, 0, 0, 5, 0xdc}, message(133, "", 1, b)[8:]...), "fe80::9 00:1b:21:00:00:0b"},
		{"probe", "::", message(135, "fd00::7", 1, a), ""},
		{"option of the other kind", "fe80::9", message(136, "fd00::7", 1, a), ""},
		{"option cut off", "fe80::9", cut[:len(cut)-1], ""},
		{"option of length 0", "fe80::9", append(cut[:24:24], 9, 0, 0, 0, 0, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 1), ""},
		{"echo", "fe80::9", append([]byte{128}, cut[1:]...), ""},
	} {
		got := ""
		table := New("ndp", func(a *wire.Access) { got += a.Source.IP.String() + " " + a.Source.MAC })
		table.ICMPv6(ip(c.from), c.b, wire.At{Time: 1e9})
		table.Flush()
		if got != c.want {
			t.Errorf("%s: %q instead of %q", c.name, got, c.want)
		}
	}
}

func FuzzICMPv6(f *testing.F) {
	f.Add(message(136, "fe80::1", 2, a))
	f.Add(message(135, "fe80::1", 1, a))
	f.Add(message(133, "", 1, a))
	f.Fuzz(func(t *testing.T, m []byte) {
		table := New("ndp", func(a *wire.Access) {
			if !a.Source.IP.Known() || len(a.Source.MAC) != 17 {
				t.Errorf("%+v", a.Source)
			}
		})
		for range 2 {
			table.ICMPv6(ip("fe80::9"), m, wire.At{Time: 1e9})
		}
		table.Flush()
	})
}
