package identity

import (
	"bytes"
	"fmt"
	"iter"
	"net/netip"
	"strings"
	"testing"

	"waybill/internal/model"
)

// office plays days of work to the roles: who does what at which hour.
type office struct {
	Roles
	t   *testing.T
	now model.Time
}

const minute = model.Time(60e9)

func newOffice(t *testing.T) *office {
	return &office{t: t, now: 20_000 * oneDay} // a midnight
}

func (o *office) end(name string) model.Endpoint { return model.Endpoint{Host: name} }

// push is a file that the source sends.
func (o *office) push(from, to, share, name, typ string, size int64) {
	o.move(model.Transfer{Source: o.end(from), Destination: o.end(to), Initiator: model.BySource, Operation: model.Push, Share: share, Name: name, Type: typ, BytesSeen: &size})
}

// pull is a file that the destination fetches.
func (o *office) pull(from, to, share, name, typ, user string, size int64) {
	o.move(model.Transfer{Source: o.end(from), Destination: o.end(to), Initiator: model.ByDestination, Operation: model.Pull, Share: share, Name: name, Type: typ, User: user, BytesSeen: &size})
}

func (o *office) move(t model.Transfer) {
	o.now++
	t.Start, t.End, t.Channel, t.Status = o.now, o.now, "smb2", model.Done
	o.Observe(&t)
}

func (o *office) access(what, from, to string, fill func(a *model.Access)) {
	o.now++
	a := model.Access{Time: o.now, What: what, Source: o.end(from), Destination: o.end(to)}
	if fill != nil {
		fill(&a)
	}
	o.ObserveAccess(&a)
}

// is compares a host's role.
func (o *office) is(host, role, confidence, why string) {
	o.t.Helper()
	got := o.Of(o.end(host))
	if got.Name != role || got.Confidence != confidence || !strings.Contains(got.Why(), why) {
		o.t.Errorf("%s: %s (%s: %s), want %s (%s: ...%s...)", host, got.Name, got.Confidence, got.Why(), role, confidence, why)
	}
}

func station(i int) string { return fmt.Sprintf("h-%c%c", 'a'+i/26, 'a'+i%26) }

// day is one day of forty workstations and their servers.
func (o *office) day(n int) {
	midnight := (20_000 + model.Time(n)) * oneDay
	at := func(hour, minutes int) {
		o.now = max(o.now, midnight+model.Time(hour)*oneHour+model.Time(minutes)*minute)
	}
	for i := range 12 {
		at(2, i)
		o.pull([]string{"stores", "mail", "books"}[i%3], "vault", "Data", fmt.Sprintf("volume%d.bak", i), "data", "svc", 200<<20)
	}
	for hour := range 24 {
		at(hour, 30)
		for i := range 20 {
			o.access("rpc-call", "watcher", station(i), nil)
			o.access("rpc-call", "giver", station(i), nil)
		}
	}
	o.now = midnight + 8*oneHour
	for i := range 40 {
		ws := station(i)
		o.access("desktop-use", "", ws, nil)
		o.access("kerberos-ticket", ws, "north", func(a *model.Access) { a.Detail = "AS-REP" })
		o.access("share-connect", ws, "north", func(a *model.Access) { a.Share = `\\north\SYSVOL` })
		for range 3 {
			o.pull("stores", ws, `\\stores\Team`, "plan.docx", "office", "user"+ws, 40_000)
		}
		o.push(ws, "stores", `\\stores\Team`, "note.docx", "office", 10_000)
		o.access("rpc-call", ws, "paper", func(a *model.Access) { a.Detail = "spoolss RpcOpenPrinter" })
		o.access("logon", ws, "books", func(a *model.Access) { a.User = ws })
	}
	if n%7 == 2 {
		for i := range 30 {
			o.push("giver", station(i), `\\x\ADMIN$`, fmt.Sprintf("agent-%d.exe", n), "pe", 5<<20)
		}
	}
	if n%7 == 3 {
		for i := range 100 {
			o.access("share-connect", "prober", fmt.Sprintf("address-%d", i), nil)
		}
	}
}

func TestRolesByBehaviour(t *testing.T) {
	o := newOffice(t)
	for n := range 21 {
		o.day(n)
		if n == 10 {
			o.is("giver", RoleDeployment, "medium", "on 2 days in 2 weeks")
		}
	}
	o.is("north", RoleController, "high", "issues Kerberos tickets")
	o.is("stores", RoleFileServer, "high", " files on it")
	o.is("giver", RoleDeployment, "high", "on 3 days in 3 weeks")
	o.is("vault", RoleBackup, "high", "nights it collected")
	o.is("prober", RoleScanner, "medium", "on 3 days it turned to 64 or more hosts")
	o.is("watcher", RoleSensor, "high", "asked 16 or more hosts")
	o.is("paper", RolePrint, "high", "for printing")
	o.is("books", RoleServer, "high", "hosts turn to it, and it to 0")
	o.is(station(3), RoleWorkstation, "high", "somebody worked at it")
	o.is("stranger", RoleUnknown, "low", "nothing")
}

// What an intruder does makes no host a distributor, and no workstation a server.
func TestRolesOfIntruders(t *testing.T) {
	o := newOffice(t)
	for n := range 14 {
		o.day(n)
		o.push(station(0), station(n+1), "ADMIN$", "tool.exe", "pe", 300_000) // one host a day
	}
	for i := range 30 {
		o.push(station(1), station(i+2), "ADMIN$", "all.exe", "pe", 300_000) // all in one day
	}
	o.is(station(0), RoleWorkstation, "high", "worked at it")
	o.is(station(1), RoleWorkstation, "high", "worked at it")
	o.is(station(12), RoleWorkstation, "high", "worked at it")
}

func TestRoleSigns(t *testing.T) {
	for _, c := range []struct {
		name, role, confidence string
		do                     func(o *office)
	}{
		{"tickets that a log shows issued", RoleController, "high", func(o *office) { o.access("tickets-issued", "", "x", nil) }},
		{"a request for a ticket that nobody answered", RoleUnknown, "low", func(o *office) {
			o.access("kerberos-ticket", "c", "x", func(a *model.Access) { a.Detail = "AS-REQ" })
		}},
		{"any directory", RoleController, "low", func(o *office) { o.access("logon", "c", "x", func(a *model.Access) { a.Channel = "ldap" }) }},
		{"a file of SYSVOL", RoleController, "medium", func(o *office) { o.pull("x", "c", `\\lan\SysVol`, "GPT.INI", "text", "c$", 22) }},
		{"a write to a share called SYSVOL", RoleUnknown, "low", func(o *office) { o.push("c", "x", `\\x\SYSVOL`, "a.exe", "pe", 22) }},
		{"LDAP and replication", RoleController, "high", func(o *office) {
			o.access("logon", "c", "x", func(a *model.Access) { a.Channel = "ldap" })
			o.access("rpc-call", "c", "x", func(a *model.Access) { a.Detail = "drsuapi DRSBind" })
		}},
		{"its own word", RoleController, "medium", func(o *office) {
			o.access("address-binding", "x", "", func(a *model.Access) { a.Object = "X<20> domain controller, version 6.1" })
		}},
		{"files for guests", RoleHypervisor, "medium", func(o *office) {
			o.Observe(&model.Transfer{Start: o.now, Source: o.end("x"), Destination: o.end("vm"), Channel: "guest", Status: model.Done})
		}},
		{"a browser", RoleWorkstation, "medium", func(o *office) {
			o.access("http-client", "x", "proxy", func(a *model.Access) { a.Object = "Windows browser" })
		}},
		{"an administrator's Remote Desktop", RoleUnknown, "low", func(o *office) {
			o.access("desktop-use", "admin", "x", func(a *model.Access) { a.Channel = "rdp" })
		}},
		{"six readers of documents", RoleFileServer, "medium", func(o *office) {
			for i := range 6 {
				o.pull("x", station(i), `\\x\Docs`, "a.pdf", "pdf", "u", 10)
			}
		}},
		{"six readers of an administrative share", RoleServer, "medium", func(o *office) {
			for i := range 6 {
				o.pull("x", station(i), `\\x\C$`, "a.pdf", "pdf", "u", 10)
			}
		}},
		{"reads of SYSVOL that a log shows", RoleController, "medium", func(o *office) {
			o.access("share-read", "", "x", func(a *model.Access) { a.Share = "SYSVOL" })
		}},
		{"a refused read of SYSVOL", RoleUnknown, "low", func(o *office) {
			o.access("refused-open", "c", "x", func(a *model.Access) { a.Share = "SYSVOL" })
		}},
		{"a controller to whom many turn", RoleController, "medium", func(o *office) {
			for i := range 30 {
				o.pull("x", station(i), `\\lan\SysVol`, "GPT.INI", "text", "c$", 22)
			}
		}},
		{"files of unknown size for everybody are no scan", RoleWorkstation, "medium", func(o *office) {
			for i := range 70 {
				o.move(model.Transfer{Source: o.end("x"), Destination: o.end(station(i)), Initiator: model.BySource, Name: "a"})
			}
		}},
		{"refused everywhere", RoleScanner, "low", func(o *office) {
			for i := range 70 {
				o.access("refused-open", "x", station(i), nil)
			}
		}},
		{"a large file for everybody is no scan", RoleWorkstation, "medium", func(o *office) {
			for i := range 70 {
				o.push("x", station(i), "ADMIN$", "a.exe", "pe", 1<<20)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := newOffice(t)
			c.do(o)
			o.is("x", c.role, c.confidence, "")
		})
	}
}

// Files that people keep on a server by day and by night make it no backup.
func TestRoleOfNightWork(t *testing.T) {
	o := newOffice(t)
	for n := range 4 {
		o.day(n)
		keep := func(files int) {
			for i := range files {
				o.push(station(i%6), "pool", "Share", "a.txt", "text", 10)
			}
		}
		keep(400)
		o.now = max(o.now, (20_000+model.Time(n))*oneDay+22*oneHour)
		keep(400)
	}
	if o.known(&model.Endpoint{Host: "pool"}).Nights.Bits == 0 {
		t.Fatal("no night was seen")
	}
	o.is("pool", RoleFileServer, "medium", "files on it")
}

// A server that turns to others is no workstation for sure, when its name says server.
func TestRoleAgainstName(t *testing.T) {
	o := newOffice(t)
	for range 40 {
		o.push("srv-7", "stores", "Data", "a.csv", "text", 10)
		o.push("anna-7", "stores", "Data", "a.csv", "text", 10)
	}
	o.is("srv-7", RoleWorkstation, "low", "turned to others")
	o.is("anna-7", RoleWorkstation, "medium", "turned to others")
}

func TestRolesByName(t *testing.T) {
	r := &Roles{}
	for host, want := range map[string]string{"DC01.corp.example": RoleController, "ber-fs-02": RoleFileServer, "SRV08": RoleServer, "WS-31": RoleWorkstation,
		"pc-0815": RoleWorkstation, "DESKTOP-4K2": RoleWorkstation, "anna": RoleUnknown, "adcs": RoleUnknown, "": RoleUnknown} {
		if got := r.Of(model.Endpoint{Host: host}); got.Name != want || got.Confidence != "low" {
			t.Errorf("%s: %s (%s), want %s", host, got.Name, got.Confidence, want)
		}
	}
	e := model.Endpoint{Host: "DC01"}
	if r.Fill(&e); e.Role != "" {
		t.Errorf("a name alone filled in %q", e.Role)
	}
	if got := r.Of(model.Endpoint{Host: "DC01", Role: "printer"}); got.Name != "printer" || got.Why() != "the inventory says so" {
		t.Errorf("the inventory's word: %+v", got)
	}
}

// What a host no longer does is forgotten in two months.
func TestRolesForget(t *testing.T) {
	o := newOffice(t)
	for i := range 12 {
		o.pull("x", station(i), `\\x\Docs`, "a.pdf", "pdf", "u", 10)
	}
	o.now += month + oneDay
	o.pull("x", "z", `\\x\Docs`, "a.pdf", "pdf", "u", 10)
	o.is("x", RoleFileServer, "medium", "files on it")
	o.now += month
	o.pull("x", "z", `\\x\Docs`, "a.pdf", "pdf", "u", 10)
	o.is("x", RoleUnknown, "low", "")
}

func TestRolesLeaveOutside(t *testing.T) {
	r := &Roles{Inside: func(e model.Endpoint) bool { return e.IP.Netip().IsPrivate() }}
	web := model.Endpoint{IP: model.AddrOf(netip.MustParseAddr("198.51.100.7"))}
	for i := range 30 {
		r.Observe(&model.Transfer{Start: model.Time(i + 1), Source: web, Destination: model.Endpoint{IP: model.AddrOf(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}))},
			Initiator: model.ByDestination, Status: model.Done, Channel: "http"})
	}
	if got := r.Of(web); got.Name != RoleUnknown || len(r.hosts) != 30 {
		t.Errorf("%+v, %d hosts", got, len(r.hosts))
	}
}

func TestSketch(t *testing.T) {
	for _, n := range []int{1, 5, 20, 100, 400} {
		var s sketch
		for i := range n {
			s.add(hash(fmt.Sprint("host-", i)))
			s.add(hash(fmt.Sprint("host-", i)))
		}
		if got := s.count(); got < n*85/100 || got > n*115/100+1 {
			t.Errorf("%d things are counted as %d", n, got)
		}
	}
}

func TestDays(t *testing.T) {
	var d days
	for _, day := range []int64{100, 93, 100, 107, 30} {
		d.set(day)
	}
	if d.weeks() != 3 || d.Bits != 1|1<<7|1<<14 {
		t.Errorf("%+v: %d weeks", d, d.weeks())
	}
	o := days{Last: 109, Bits: 1}
	o.merge(d)
	if o.Last != 109 || o.Bits != 1|1<<2|1<<9|1<<16 {
		t.Errorf("merged: %+v", o)
	}
	d.set(400)
	if d.Bits != 1 {
		t.Errorf("after a year: %+v", d)
	}
}

func BenchmarkRoles(b *testing.B) {
	r := &Roles{}
	size := int64(1000)
	var all []*model.Transfer
	for i := range 4096 {
		all = append(all, &model.Transfer{Source: model.Endpoint{Host: station(i % 600)}, Destination: model.Endpoint{Host: station((i * 7) % 600)}, Initiator: model.BySource,
			Name: "plan.docx", User: "someone", Channel: "smb2", Share: "Docs", Status: model.Done, BytesSeen: &size})
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		t := all[i%len(all)]
		t.Start = model.Time(i) * 1e6
		r.Observe(t)
		r.Of(t.Source)
	}
}

// What was kept of two halves of a time and of the whole tells the same roles, in
// whatever order the halves are put together.
func TestRolesKept(t *testing.T) {
	whole, first, second := newOffice(t), newOffice(t), newOffice(t)
	for n := range 21 {
		whole.day(n)
		half := first
		if n > 10 {
			half = second
		}
		half.day(n)
	}
	both, turned := &Roles{}, &Roles{}
	put := func(into *Roles, parts ...*Roles) {
		for _, p := range parts {
			for key, b := range p.Kept() {
				if err := into.Restore(key, b); err != nil {
					t.Fatalf("%q: %v", key, err)
				}
			}
		}
	}
	put(both, &first.Roles, &second.Roles)
	put(turned, &second.Roles, &first.Roles)
	want := whole.Seen()
	if len(want) < 140 {
		t.Fatalf("%d hosts", len(want))
	}
	for i, got := range both.Seen() {
		if got.Key != want[i].Key || got.Role.Name != want[i].Role.Name || got.First != want[i].First || got.Last != want[i].Last {
			t.Errorf("%s: %+v, want %+v", got.Key, got, want[i])
		}
	}
	next, stop := iter.Pull2(turned.Kept())
	defer stop()
	for key, b := range both.Kept() {
		if k, other, _ := next(); k != key || !bytes.Equal(b, other) {
			t.Errorf("%q differs by the order", key)
		}
	}
	if n := both.Forget(func(key string, _ model.Time) bool { return strings.HasPrefix(key, "address-") }); n != 100 || both.Of(model.Endpoint{Host: "address-1"}).Name != RoleUnknown {
		t.Errorf("%d forgotten", n)
	}
	for _, bad := range [][]byte{nil, {9}, {keptForm}, make([]byte, 800)} {
		if both.Restore("x", bad) == nil || both.Restore("", bad) == nil {
			t.Errorf("% x is taken", bad[:min(len(bad), 4)])
		}
	}
}

// FuzzRolesRestore: whatever is restored, what comes after does not panic.
func FuzzRolesRestore(f *testing.F) {
	o := newOffice(nil)
	o.day(0)
	o.day(1)
	for key, b := range o.Kept() {
		if !strings.HasPrefix(key, "address-") {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		o := newOffice(t)
		o.push("x", "other", "Docs", "a.exe", "pe", 10)
		for _, key := range []string{"x", "other", "new", ""} {
			o.Restore(key, b)
		}
		for range 3 {
			o.push("x", "other", "Docs", "a.exe", "pe", 10)
			o.pull("new", "x", "Docs", "b.docx", "office", "u", 10)
			o.now += 20 * oneDay
		}
		again := &Roles{}
		for key, b := range o.Kept() {
			if err := again.Restore(key, b); err != nil {
				t.Fatalf("%q: what was kept is refused: %v", key, err)
			}
		}
		again.Seen()
	})
}
