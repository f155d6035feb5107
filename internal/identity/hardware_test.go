package identity

import (
	"fmt"
	"testing"

	"waybill/internal/model"
)

const (
	card1 = "00:1b:21:00:00:01"
	card2 = "00:1b:21:00:00:02"
	ages  = model.Time(1) << 62
)

// at is a binding of 10.0.0.9 over hours.
func at(first, last model.Time, b Binding) Binding {
	if !b.Addr.Known() {
		b.Addr = addr("10.0.0.9")
	}
	b.First, b.Last = first*hour, last*hour
	return b
}

func TestWho(t *testing.T) {
	lease := func(host, mac string) Binding { return Binding{Host: host, MAC: mac, Lease: true} }
	seen := func(mac string) Binding { return Binding{MAC: mac, Weak: true} }
	listed := func(b Binding) Binding { b.First, b.Last = -ages, ages-1; return b }
	for _, c := range []struct {
		name     string
		bindings []Binding
		hour     model.Time
		want     string // host, hardware, role
	}{
		{"a lease", []Binding{at(8, 32, lease("ws1", card1))}, 9, "ws1 " + card1},
		{"handed on to a host without a name", []Binding{at(8, 32, lease("ws1", card1)), at(10, 34, lease("", card2))}, 12, " " + card2},
		{"before that", []Binding{at(8, 32, lease("ws1", card1)), at(10, 34, lease("", card2))}, 9, "ws1 " + card1},
		{"renewed", []Binding{at(8, 32, lease("ws1", card1)), at(20, 44, lease("ws1", card1))}, 40, "ws1 " + card1},
		{"seen at other hardware than leased to", []Binding{at(8, 32, lease("ws1", card1)), at(10, 11, seen(card2))}, 11, " " + card2},
		{"leased after it was seen elsewhere", []Binding{at(2, 3, seen(card2)), at(8, 32, lease("ws1", card1))}, 9, "ws1 " + card1},
		{"two claim it", []Binding{at(8, 32, lease("ws1", card1)), at(8, 12, seen(card1)), at(9, 12, seen(card2))}, 10, " "},
		{"two claimed it long ago", []Binding{at(8, 12, seen(card1)), at(9, 10, seen(card2))}, 12, " " + card1},
		{"a router stands in", []Binding{at(8, 32, Binding{Host: "gw", MAC: card1}), at(9, 10, seen("00:00:5e:00:01:07"))}, 10, "gw 00:00:5e:00:01:07"},
		{"the name of the hardware, at another address", []Binding{at(8, 32, Binding{Addr: addr("10.0.0.8"), Host: "ws1", MAC: card1, Lease: true}), at(9, 10, seen(card1))}, 10, "ws1 " + card1},
		{"two systems on the hardware", []Binding{at(8, 9, Binding{Addr: addr("10.0.0.7"), Host: "linux", MAC: card1, Lease: true}),
			at(8, 9, Binding{Addr: addr("10.0.0.8"), Host: "windows", MAC: card1, Lease: true}), at(9, 10, seen(card1))}, 10, " " + card1},
		{"leased to an identifier that names another card", []Binding{at(8, 9, seen(card2)), at(9, 32, Binding{Host: "ws1", MAC: card1, Lease: true, Inferred: true})}, 10, "ws1 " + card2},
		{"leased to an identifier, and never seen", []Binding{at(9, 32, Binding{Host: "ws1", MAC: card1, Lease: true, Inferred: true})}, 10, "ws1 " + card1},
		{"an inventory without addresses", []Binding{listed(Binding{Host: "ws1", MAC: card1, Role: "workstation"}), at(9, 10, seen(card1))}, 10, "ws1 " + card1 + " workstation"},
		{"an inventory, another at the address", []Binding{listed(Binding{Addr: addr("10.0.0.9"), Host: "ws1", MAC: card1, Role: "workstation"}), at(9, 10, seen(card2))}, 10, " " + card2},
		{"an inventory of names", []Binding{listed(Binding{Host: "ws1.corp.test", Role: "server"}), at(8, 32, lease("WS1", card1))}, 9, "WS1 " + card1 + " server"},
		{"the host's own word and that of others", []Binding{at(9, 10, Binding{Host: "fs1", Weak: true}), at(9, 10, Binding{Host: "files", Weak: true, Hearsay: true})}, 9, "fs1 "},
		{"others disagree", []Binding{at(9, 10, Binding{Host: "fs1", Hearsay: true}), at(9, 10, Binding{Host: "files", Hearsay: true})}, 9, " "},
		{"a name cut to 15 characters", []Binding{at(9, 10, Binding{Host: "VERYLONGHOSTNAM", Weak: true}), at(9, 10, Binding{Host: "verylonghostname.corp.test", Weak: true})}, 9, "verylonghostname.corp.test "},
	} {
		var hosts Table
		for _, b := range c.bindings {
			hosts.Add(b)
		}
		e := model.Endpoint{IP: addr("10.0.0.9")}
		hosts.Complete(&e, c.hour*hour)
		got := e.Host + " " + e.MAC
		if e.Role != "" {
			got += " " + e.Role
		}
		if got != c.want {
			t.Errorf("%s: %q instead of %q", c.name, got, c.want)
		}
	}
}

// TestEnd: an address that was given back is nobody's.
func TestEnd(t *testing.T) {
	var hosts Table
	hosts.Add(at(8, 100, Binding{Host: "ws1", MAC: card1, Lease: true}))
	hosts.End(addr("10.0.0.9"), card2, 9*hour)
	if got := hosts.Host(addr("10.0.0.9"), 50*hour); got != "ws1" {
		t.Errorf("another gave it back: %q", got)
	}
	hosts.End(addr("10.0.0.9"), card1, 9*hour)
	if got := hosts.Host(addr("10.0.0.9"), 50*hour); got != "" {
		t.Errorf("given back: %q", got)
	}
}

// TestProxy: hardware that answers for a whole network is a router's.
func TestProxy(t *testing.T) {
	var hosts Table
	for i := range proxied + 1 {
		if got := hosts.Hardware(addr("10.0.0.0"), hour); i > 0 && got != card1 {
			t.Errorf("after %d: %q", i, got)
		}
		hosts.Add(at(0, 2, Binding{Addr: addr(fmt.Sprintf("10.0.0.%d", i)), MAC: card1, Weak: true}))
	}
	if got := hosts.Hardware(addr("10.0.0.0"), hour); got != "" {
		t.Errorf("the router: %q", got)
	}
}

// TestCloned: names that come with an installation join no hosts.
func TestCloned(t *testing.T) {
	for name, want := range map[string]bool{"fs1": true, "DESKTOP-0A1B2C3": false, "kali": false} {
		var hosts Table
		a, b := model.Endpoint{IP: addr("10.0.0.1"), Host: name}, model.Endpoint{IP: addr("10.0.0.2"), Host: name}
		if same, known := hosts.Same(a, b, hour); same != want || !known {
			t.Errorf("%s: same %v", name, same)
		}
		hosts.Add(at(0, 2, Binding{Addr: b.IP, Host: name}))
		if same, _ := hosts.Same(a, b, hour); !same {
			t.Errorf("%s: not joined by a record", name)
		}
	}
}

// TestPoisoned: who answers for every name is none of these hosts.
func TestPoisoned(t *testing.T) {
	var hosts Table
	for _, name := range []string{"fs1", "wpad", "printer"} {
		hosts.Add(at(9, 10, Binding{Host: name, Weak: true}))
	}
	if got := hosts.Addr("fs1", 9*hour); got.Known() {
		t.Errorf("fs1 is %s", got)
	}
	hosts.Add(at(9, 10, Binding{Addr: addr("10.0.0.20"), Host: "fs2", Weak: true}))
	if got := hosts.Addr("fs2", 9*hour); got != addr("10.0.0.20") {
		t.Errorf("fs2 is %s", got)
	}
}
