package identity

import (
	"fmt"
	"net/netip"
	"testing"

	"waybill/internal/model"
)

const aDay = model.Time(24 * 3600e9)

func ipv4(s string) model.Addr { return model.AddrOf(netip.MustParseAddr(s)) }

func homeAt(addr, host string, first, last model.Time) Home {
	return Home{Addr: ipv4(addr), Host: host, First: first * aDay, Last: last * aDay}
}

// TestLasting: a home lasts that one host alone had for longer than a lease lasts, or in a quiet
// subnet; never one of a lease, of two hosts, or one of two of a host.
func TestLasting(t *testing.T) {
	srv, ws := "10.0.1.5", "10.0.2.5"
	lease := homeAt(ws, "", 10, 10)
	watched := homeAt("10.0.1.9", "dc", 10, 12)
	weak := homeAt(srv, "alias", 12, 12)
	weak.hearsay = true
	for name, c := range map[string]struct {
		all  []Home
		want string
	}{
		"for nine days":                        {[]Home{homeAt(srv, "wsus", 10, 10), homeAt(srv, "WSUS.corp.test", 19, 19)}, "WSUS.corp.test"},
		"for two":                              {[]Home{homeAt(srv, "wsus", 10, 10), homeAt(srv, "wsus", 12, 12)}, ""},
		"once, in a quiet subnet":              {[]Home{homeAt(srv, "wsus", 12, 12), watched, lease}, "wsus"},
		"once, in one that nobody watched":     {[]Home{homeAt(srv, "wsus", 12, 12), lease}, ""},
		"once, where others are handed out":    {[]Home{homeAt(srv, "wsus", 12, 12), watched, homeAt("10.0.1.6", "", 10, 10)}, ""},
		"handed out later":                     {[]Home{homeAt(srv, "wsus", 10, 19), homeAt(srv, "", 20, 20)}, ""},
		"handed out before":                    {[]Home{homeAt(srv, "", 9, 9), homeAt(srv, "wsus", 10, 19)}, ""},
		"another came":                         {[]Home{homeAt(srv, "wsus", 10, 19), homeAt(srv, "ws-1", 20, 40)}, ""},
		"another came, and stays for long":     {[]Home{homeAt(srv, "wsus", 10, 19), homeAt(srv, "sccm", 20, 51)}, "sccm"},
		"another came, in the other order":     {[]Home{homeAt(srv, "sccm", 20, 51), homeAt(srv, "wsus", 10, 19)}, "sccm"},
		"others call it so":                    {[]Home{homeAt(srv, "wsus", 10, 19), weak}, "wsus"},
		"it is elsewhere too":                  {[]Home{homeAt(srv, "wsus", 10, 19), homeAt("10.0.3.1", "wsus", 19, 19)}, ""},
		"one of another domain is called so":   {[]Home{homeAt(srv, "fs.a.test", 10, 19), homeAt("10.0.3.1", "fs.b.test", 10, 19)}, ""},
		"its name came with an image":          {[]Home{homeAt(srv, "DESKTOP-A1B2C3D", 10, 30)}, ""},
		"another came where all else is quiet": {[]Home{homeAt(srv, "wsus", 10, 11), homeAt(srv, "ws-1", 12, 12), watched, lease}, ""},
	} {
		homes := Homes{}
		for _, x := range c.all {
			homes.Add(x)
		}
		got := ""
		for _, x := range homes.Lasting() {
			if x.Addr == ipv4(srv) {
				got = x.Host
			}
		}
		if got != c.want {
			t.Errorf("%s: %q instead of %q (%+v)", name, got, c.want, homes.Sorted())
		}
	}
}

func TestHomesFade(t *testing.T) {
	homes := Homes{}
	homes.Add(homeAt("10.0.0.1", "old", 10, 10))
	for i := range model.Time(9) {
		homes.Add(homeAt(fmt.Sprintf("10.0.1.%d", i), fmt.Sprintf("h%d", int(i)), 71+i, 71+i))
	}
	homes.Add(homeAt("10.0.0.1", "", 10, 10))
	homes.Add(homeAt("10.0.0.1", "old", 71, 71)) // that it is no more handed out, it must be for long
	homes.Fade(71*aDay, 100)
	if _, known := homes[ipv4("10.0.0.1")]; known || len(homes) != 9 {
		t.Errorf("%+v", homes.Sorted())
	}
	homes.Fade(71*aDay, 3)
	if all := homes.Sorted(); len(all) != 3 || all[0].Host != "h6" {
		t.Errorf("%+v", all)
	}
}

// TestRecall: what was known before names an address that nothing of this run names; whatever
// else this run shows wins.
func TestRecall(t *testing.T) {
	ip, other := ipv4("10.0.1.5"), ipv4("10.0.2.5")
	seen := func(host string, a model.Addr) Binding {
		return Binding{Addr: a, Host: host, First: 20 * aDay, Last: 20 * aDay, Weak: true}
	}
	lease := func(a model.Addr) Binding {
		return Binding{Addr: a, MAC: "00:00:00:00:00:01", First: 20 * aDay, Last: 28 * aDay, Lease: true}
	}
	home := homeAt("10.0.1.5", "fs1.corp.test", 17, 19)
	for name, c := range map[string]struct {
		all      []Binding
		at       model.Time
		want     string
		recalled bool
	}{
		"nothing":                             {nil, 20, "fs1.corp.test", true},
		"nothing, months later":               {nil, 90, "", false},
		"the same, without its domain":        {[]Binding{seen("FS1", ip)}, 20, "fs1.corp.test", false},
		"another":                             {[]Binding{seen("ws-7", ip)}, 20, "ws-7", false},
		"another, by the word of others":      {[]Binding{{Addr: ip, Host: "ws-7", First: 20*aDay + aDay/2, Last: 20*aDay + aDay/2, Weak: true, Hearsay: true}}, 20, "ws-7", false},
		"it is elsewhere":                     {[]Binding{seen("fs1", other)}, 20, "", false},
		"one of another domain":               {[]Binding{seen("fs1.else.test", other)}, 20, "", false},
		"it is handed out":                    {[]Binding{lease(ip)}, 20, "", false},
		"others of its subnet are handed out": {[]Binding{lease(ipv4("10.0.1.9"))}, 20, "", false},
		"others of another are handed out":    {[]Binding{lease(other)}, 20, "fs1.corp.test", true},
	} {
		var hosts Table
		for _, b := range c.all {
			hosts.Add(b)
		}
		hosts.Recall([]Home{home}, c.at*aDay)
		if got := hosts.Host(ip, c.at*aDay); got != c.want || len(hosts.Recalled()) == 1 != c.recalled {
			t.Errorf("%s: %q instead of %q, recalled %v", name, got, c.want, hosts.Recalled())
		}
		if got := hosts.Addr("fs1.corp.test", c.at*aDay); (got == ip) != (c.want == "fs1.corp.test") {
			t.Errorf("%s: fs1 is at %s", name, got)
		}
	}
	var once, long Table
	once.Recall([]Home{homeAt("10.0.1.5", "fs1", 17, 17)}, 20*aDay)
	if got := once.Host(ip, 20*aDay); got != "fs1" {
		t.Errorf("seen once: %q", got)
	}
	long.Add(lease(ip))
	long.Recall([]Home{homeAt("10.0.1.5", "fs1", 1, 19)}, 20*aDay)
	if got := long.Addr("fs1", 20*aDay); got.Known() || len(long.Recalled()) != 0 {
		t.Errorf("seen for long, and handed out: %s", got)
	}
	var others Table
	others.AddName("fs1.else.test") // of whom no address is known
	if others.Recall([]Home{home}, 20*aDay); others.Host(ip, 20*aDay) != "" {
		t.Errorf("another domain's: %q", others.Host(ip, 20*aDay))
	}
	var renamed Table
	renamed.AddNaming(Naming{Kind: "machine", Key: "S-1-5-21-1", Host: "fs1", First: 19 * aDay, Last: 19 * aDay})
	renamed.AddNaming(Naming{Kind: "machine", Key: "S-1-5-21-1", Host: "fs2", First: 19*aDay + aDay/2, Last: 20 * aDay})
	if renamed.Recall([]Home{home}, 20*aDay); renamed.Host(ip, 20*aDay) != "" {
		t.Errorf("renamed: %q", renamed.Host(ip, 20*aDay))
	}
}

// TestTableHomes: the best word counts; two hosts of one address, and leases, are no host's.
// What was recalled, what an inventory says and IPv6 are not said again.
func TestTableHomes(t *testing.T) {
	var hosts Table
	add := func(addr, host string, at model.Time, b Binding) {
		b.Addr, b.Host, b.First, b.Last = ipv4(addr), host, at*aDay, at*aDay
		hosts.Add(b)
	}
	add("10.0.0.1", "fs1.corp.test", 20, Binding{Weak: true})
	add("10.0.0.1", "alias", 20, Binding{Weak: true, Hearsay: true})
	add("10.0.0.1", "FS1", 21, Binding{Weak: true})
	add("10.0.0.2", "ws-1", 20, Binding{Weak: true})
	add("10.0.0.2", "ws-2", 21, Binding{Weak: true})
	add("10.0.0.3", "one", 20, Binding{Weak: true, Hearsay: true})
	add("10.0.0.3", "two", 20, Binding{Weak: true, Hearsay: true})
	add("10.0.0.4", "ws-4", 20, Binding{Lease: true, MAC: "00:00:00:00:00:04"})
	add("127.0.0.1", "fs1", 20, Binding{})
	add("2001:db8::1", "fs6", 20, Binding{})
	hosts.Add(Binding{Addr: ipv4("10.0.0.6"), Host: "asset", First: -1 << 62, Last: 1 << 62})
	hosts.Recall([]Home{homeAt("10.1.0.5", "kept", 10, 19)}, 20*aDay)
	homes := Homes{}
	for _, x := range hosts.Homes() {
		homes.Add(x)
	}
	want := []Home{homeAt("10.0.0.1", "fs1.corp.test", 20, 21), homeAt("10.0.0.2", "", 20, 21), homeAt("10.0.0.4", "", 20, 20)}
	if got := homes.Sorted(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v\nwant\n%v", got, want)
	}
}
