package identity

import (
	"net/netip"
	"testing"

	"waybill/internal/model"
)

// TestRenamed: a host stays one under its names, each in its time.
func TestRenamed(t *testing.T) {
	add := func(kind, key, host string, first, last model.Time) func(*Table) {
		return func(t *Table) { t.AddNaming(Naming{kind, key, host, first * hour, last * hour}) }
	}
	bound := func(a, host string, first, last model.Time) func(*Table) {
		return func(t *Table) { t.Add(Binding{Addr: addr(a), Host: host, First: first * hour, Last: last * hour}) }
	}
	for name, c := range map[string]struct {
		given []func(*Table)
		host  string
		at    model.Time
		want  string
	}{
		"by its system":           {[]func(*Table){add("host", "1", "OLD.corp.test", 1, 10), add("host", "1", "NEW.corp.test", 11, 20)}, "old", 5, "NEW.corp.test"},
		"the new name":            {[]func(*Table){add("host", "1", "OLD.corp.test", 1, 10), add("host", "1", "NEW.corp.test", 11, 20)}, "NEW", 15, "NEW"},
		"another has the old one": {[]func(*Table){add("host", "1", "OLD.corp.test", 1, 10), add("host", "1", "NEW.corp.test", 11, 20)}, "OLD", 15, "OLD"},
		"by its account":          {[]func(*Table){add("account", "S-1-5-21-1-2-3-1105", "OLD", 5, 5), add("account", "S-1-5-21-1-2-3-1105", "NEW", 6, 6)}, "OLD.corp.test", 1, "NEW"},
		"twice":                   {[]func(*Table){add("host", "1", "A", 1, 2), add("host", "1", "B", 3, 4), add("host", "1", "C", 5, 6)}, "a", 1, "C"},
		"by one key and another":  {[]func(*Table){add("host", "1", "A", 1, 2), add("host", "1", "B", 3, 4), add("agent", "9", "B", 3, 4), add("agent", "9", "C", 5, 6)}, "a", 1, "C"},
		"an id of a collector":    {[]func(*Table){add("agent", "1", "A", 1, 10), add("agent", "1", "B", 3, 12)}, "A", 1, "A"},
		"an image, days later":    {[]func(*Table){add("machine", "S-1-5-21-1-2-3", "LAB1", 1, 9), add("machine", "S-1-5-21-1-2-3", "LAB2", 60, 70)}, "LAB1", 2, "LAB1"},
		"an account, days later":  {[]func(*Table){add("account", "S-1-5-21-1-2-3-1105", "OLD", 1, 9), add("account", "S-1-5-21-1-2-3-1105", "NEW", 60, 70)}, "OLD", 2, "NEW"},
		"a name written later":    {[]func(*Table){add("host", "1", "A", 1, 10), add("host", "1", "B", 10, 20)}, "A", 10, "B"},
		"an image's names":        {[]func(*Table){add("machine", "S-1-5-21-1-2-3", "DESKTOP-1", 1, 9), add("machine", "S-1-5-21-1-2-3", "DESKTOP-2", 2, 9), add("machine", "S-1-5-21-1-2-3", "DESKTOP-3", 3, 9)}, "DESKTOP-1", 2, "DESKTOP-1"},
	} {
		var hosts Table
		for _, f := range c.given {
			f(&hosts)
		}
		if got := hosts.Now(c.host, c.at*hour); got != c.want {
			t.Errorf("%s: %q instead of %q", name, got, c.want)
		}
	}
	var hosts Table
	for _, f := range []func(*Table){bound("10.0.0.1", "OLD.corp.test", 1, 10), add("host", "1", "OLD.corp.test", 1, 10), bound("10.0.0.1", "NEW.corp.test", 11, 20), add("host", "1", "NEW.corp.test", 11, 20),
		bound("10.0.0.2", "OLD.corp.test", 15, 20)} {
		f(&hosts)
	}
	for _, c := range []struct {
		e    model.Endpoint
		at   model.Time
		want string
	}{
		{model.Endpoint{IP: addr("10.0.0.1")}, 5, "10.0.0.1 NEW.corp.test"}, {model.Endpoint{IP: addr("10.0.0.1")}, 10, "10.0.0.1 NEW.corp.test"},
		{model.Endpoint{IP: addr("10.0.0.1")}, 12, "10.0.0.1 NEW.corp.test"}, {model.Endpoint{Host: "OLD"}, 5, "10.0.0.1 NEW.corp.test"},
		{model.Endpoint{Host: "OLD"}, 16, "10.0.0.2 OLD.corp.test"}, {model.Endpoint{IP: addr("10.0.0.2")}, 16, "10.0.0.2 OLD.corp.test"},
	} {
		e := c.e
		hosts.Complete(&e, c.at*hour)
		if got := e.IP.String() + " " + e.Host; got != c.want {
			t.Errorf("%v at %d: %s instead of %s", c.e, c.at, got, c.want)
		}
	}
	if same, known := hosts.Same(model.Endpoint{Host: "old"}, model.Endpoint{Host: "NEW.corp.test"}, 5*hour); !same || !known {
		t.Error("the old name and the new are two hosts")
	}
	if same, _ := hosts.Same(model.Endpoint{Host: "old"}, model.Endpoint{Host: "NEW.corp.test"}, 16*hour); same {
		t.Error("a host with the old name is the renamed one")
	}
	if r := hosts.Renamed(); len(r) != 1 || r[0].Host != "NEW.corp.test" || len(r[0].Names) != 2 || r[0].Names[0].Last != 10*hour {
		t.Errorf("%+v", r)
	}
}

// TestTwins: two systems that have one name at a time are joined by records only, as
// are hosts of two domains by a name without one.
func TestTwins(t *testing.T) {
	var hosts Table
	a, b := model.Endpoint{IP: addr("10.0.0.1"), Host: "lab"}, model.Endpoint{IP: addr("10.0.0.2"), Host: "lab"}
	hosts.AddNaming(Naming{"host", "1", "lab", hour, 9 * hour})
	hosts.AddNaming(Naming{"host", "2", "lab", 20 * hour, 29 * hour}) // set up anew
	if same, _ := hosts.Same(a, b, hour); !same {
		t.Error("set up anew, and another host")
	}
	hosts.AddNaming(Naming{"host", "3", "lab", 2 * hour, 8 * hour})
	if same, known := hosts.Same(a, b, hour); same || !known {
		t.Error("two systems are one host")
	}
	hosts.Add(Binding{Addr: addr("10.0.0.5"), Host: "srv.a.test", Last: 9 * hour})
	hosts.Add(Binding{Addr: addr("10.0.0.6"), Host: "srv.b.test", Last: 9 * hour})
	if same, _ := hosts.Same(model.Endpoint{Host: "srv"}, model.Endpoint{Host: "srv.a.test"}, hour); same {
		t.Error("a name without domain joins where there are two domains")
	}
	if same, _ := hosts.Same(model.Endpoint{Host: "srv", IP: addr("10.0.0.5")}, model.Endpoint{Host: "srv.a.test"}, hour); !same {
		t.Error("an address that a record ties to it does not join")
	}
}

// TestTwoDomains: FILE1 is that of the other end's domain, and at an address what that address
// was called in full.
func TestTwoDomains(t *testing.T) {
	ip := model.AddrOf(netip.MustParseAddr("10.0.0.9"))
	var hosts Table
	hosts.AddName("FILE1.north.test")
	hosts.AddName("FILE1.south.test")
	hosts.Add(Binding{Addr: ip, Host: "FILE1.south.test", First: 1e18, Last: 1e18, Weak: true})
	hosts.Add(Binding{Addr: ip, Host: "FILE1", First: 3e18, Last: 3e18, Hearsay: true})
	for _, c := range []struct {
		e, other model.Endpoint
		want     string
	}{
		{model.Endpoint{Host: "file1"}, model.Endpoint{Host: "ws1.north.test"}, "FILE1.north.test"},
		{model.Endpoint{Host: "file1"}, model.Endpoint{Host: "ws1.SOUTH.test"}, "FILE1.south.test"},
		{model.Endpoint{Host: "file1"}, model.Endpoint{Host: "ws1.lab.test"}, "file1"},
		{model.Endpoint{Host: "file1"}, model.Endpoint{Host: "ws1"}, "file1"},
		{model.Endpoint{IP: ip}, model.Endpoint{Host: "ws1.north.test"}, "FILE1.south.test"},
	} {
		if hosts.Ends(&c.e, &c.other, 3e18); c.e.Host != c.want {
			t.Errorf("%q instead of %q, with %s", c.e.Host, c.want, c.other.Host)
		}
	}
}

// TestDomainOfAccount: a computer that no record names in full is of its account's domain; a
// record's word counts before, and two domains tell nothing.
func TestDomainOfAccount(t *testing.T) {
	var hosts Table
	for _, c := range [][2]string{{"PC1", "NORTH.TEST"}, {"PC2", "NORTH.TEST"}, {"PC3", "NORTH.TEST"}, {"PC3", "SOUTH.TEST"}, {"PC4", "NORTH"}, {"A-NAME-CUT-OFF1", "NORTH.TEST"}} {
		hosts.AddDomain(c[0], c[1])
	}
	hosts.AddName("pc2.apart.test")
	for host, want := range map[string]string{"PC1": "PC1.north.test", "PC2": "pc2.apart.test", "PC3": "PC3", "PC4": "PC4", "A-NAME-CUT-OFF1": "A-NAME-CUT-OFF1", "PC5": "PC5"} {
		e := model.Endpoint{Host: host}
		if hosts.Complete(&e, 1e18); e.Host != want {
			t.Errorf("%s: %q instead of %q", host, e.Host, want)
		}
	}
}
