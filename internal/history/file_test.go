package history

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"iter"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"waybill/internal/identity"
	"waybill/internal/model"
)

// somethingOfAll is a memory with a bit of everything.
func somethingOfAll(seed int) *Memory {
	m := NewMemory()
	n := m.Normal
	for d := range 5 {
		at := start + model.Time(d+seed)*day
		for i := range 20 {
			host := fmt.Sprintf("ws-%d", i+seed)
			n.Learn(Host, host, "", "", at)
			n.Learn(Pair, host, "smb push", "fs-1", at)
			n.Learn(AccountOn, `corp\anna`, "", host, at)
			n.Learn(FamilyTo, "fs-1", `docs\*.docx`, host, at)
			m.Roles.Observe(&model.Transfer{Start: at, Source: model.Endpoint{Host: "fs-1"}, Destination: model.Endpoint{Host: host}, Initiator: model.ByDestination,
				Channel: "smb2", Share: "Docs", Name: "a.docx", Status: model.Done})
		}
	}
	m.Mark(Mark{ID: fmt.Sprintf("f-%04d", seed), Verdict: Benign, Reason: "ours", Until: start + 30*day, Covers: []Work{workOf(seed), workOf(seed + 1)}})
	m.Inputs[fmt.Sprint("xxh64:", seed)] = Input{fmt.Sprint("day", seed, ".pcap"), start + 5*day}
	m.Mark(Mark{ID: fmt.Sprintf("t-%04d", seed), Verdict: Malicious, Reason: "seen before", Until: start + 30*day})
	m.Hold(Held{fmt.Sprintf("t-%04d", seed+1), "a-1", "f-1", start, []Entry{{Kind: Pair, A: "x", B: "smb push", C: "y", Use: Use{start, start, 1, 1}, Recent: 1}}, workOf(seed)})
	at := start + model.Time(seed)*day
	m.Locate([]identity.Home{{Addr: ip("10.0.0.5"), Host: "fs-1", First: at, Last: at + 5*day}, {Addr: ip("10.0.0.6"), Host: fmt.Sprint("ws-", seed), First: at, Last: at + day},
		{Addr: ip("10.0.7.7"), First: at, Last: at}})
	return m
}

func ip(s string) model.Addr { return model.AddrOf(netip.MustParseAddr(s)) }

func workOf(seed int) Work {
	return Work{"x", `corp\anna`, "smb push admin program", `\windows\temp\*.exe`, "service", fmt.Sprint("c-", seed)}
}

func save(t testing.TB, path string, change func(*Memory) *Memory) *Memory {
	t.Helper()
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := f.Load()
	if err != nil {
		t.Fatal(err)
	}
	m = change(m)
	if err := f.Save(m); err != nil {
		t.Fatal(err)
	}
	return m
}

func load(t testing.TB, path string) *Memory {
	t.Helper()
	f, err := OpenToRead(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := f.Load()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// same compares two memories by all that is kept of them.
func same(t *testing.T, got, want *Memory) {
	t.Helper()
	if g, w := got.Normal.Entries(), want.Normal.Entries(); !reflect.DeepEqual(g, w) {
		t.Errorf("%d uses, want %d: %+v\n%+v", len(g), len(w), g[:min(3, len(g))], w[:min(3, len(w))])
	}
	if !reflect.DeepEqual(got.Normal.peers, want.Normal.peers) && got.Normal.rewrite == want.Normal.rewrite {
		t.Errorf("peers %v\n%v", got.Normal.peers, want.Normal.peers)
	}
	gf, gl, gd := got.Normal.Span()
	if wf, wl, wd := want.Normal.Span(); gf != wf || gl != wl || gd != wd {
		t.Errorf("span %v %v %d, want %v %v %d", gf, gl, gd, wf, wl, wd)
	}
	if !reflect.DeepEqual(got.Inputs, want.Inputs) || !reflect.DeepEqual(got.Marks, want.Marks) || !reflect.DeepEqual(got.Held, want.Held) {
		t.Errorf("inputs, marks, held:\n%+v %+v %+v\nwant\n%+v %+v %+v", got.Inputs, got.Marks, got.Held, want.Inputs, want.Marks, want.Held)
	}
	if !reflect.DeepEqual(got.Homes, want.Homes) {
		t.Errorf("homes\n%+v\nwant\n%+v", got.Homes.Sorted(), want.Homes.Sorted())
	}
	next, stop := iter.Pull2(got.Roles.Kept())
	defer stop()
	for host, seen := range want.Roles.Kept() {
		if h, s, _ := next(); h != host || !bytes.Equal(s, seen) {
			t.Errorf("role of %q differs", host)
		}
	}
}

func TestSavedAndLoaded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "h.waybill")
	want := save(t, path, func(*Memory) *Memory { return somethingOfAll(0) })
	same(t, load(t, path), want)

	// What changes in a loaded one is written, and nothing is lost.
	want = save(t, path, func(m *Memory) *Memory {
		m.Normal.Learn(Pair, "ws-1", "smb push", "fs-1", start+9*day)
		m.Normal.Learn(Pair, "new", "smb push", "other", start+9*day)
		m.Normal.Forget(func(e *Entry, _ Use) bool { return e.Kind == FamilyTo && e.C == "ws-3" })
		return m
	})
	same(t, load(t, path), want)

	// So does what is left when most of the names are gone.
	want = save(t, path, func(m *Memory) *Memory {
		m.Normal.Forget(func(e *Entry, _ Use) bool { return e.A != "new" })
		if len(m.Normal.texts) > 8 {
			t.Errorf("%d names are left of one use", len(m.Normal.texts))
		}
		return m
	})
	if got := load(t, path); got.Normal.Len() != 1 || got.Normal.Peers(Pair, "new", "smb push") != 1 {
		t.Errorf("%+v", got.Normal.Entries())
	} else {
		same(t, got, want)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}

// What is not saved is gone, and a file that was never saved is no file.
func TestNotSaved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "h.waybill")
	f, err := Open(path)
	if err != nil || !f.Fresh() {
		t.Fatal(err)
	}
	f.Close()
	if _, err := os.Stat(path); err == nil {
		t.Error("an empty file stays")
	}
	want := save(t, path, func(*Memory) *Memory { return somethingOfAll(0) })
	if f, err = Open(path); err != nil {
		t.Fatal(err)
	}
	if err := f.write(somethingOfAll(7)); err != nil {
		t.Fatal(err)
	}
	f.Close()
	same(t, load(t, path), want)
}

// TestFades: what counts next to nothing is gone when it is saved; what is beyond the
// bound goes by what it counts.
func TestFadesFromTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "h.waybill")
	save(t, path, func(m *Memory) *Memory {
		m.Normal.Learn(Host, "long ago", "", "", start)
		m.Normal.Learn(Host, "lately", "", "", start+7*HalfLife)
		return m
	})
	if e := load(t, path).Normal.Entries(); len(e) != 1 || e[0].A != "lately" {
		t.Errorf("%+v", e)
	}
	n := New()
	n.Most = 80
	for i := range 100 {
		host := fmt.Sprintf("h-%03d", i)
		n.Learn(Host, host, "", "", start+model.Time(i)*day/100)
		n.Learn(Host, "busy", "", "", start+model.Time(i)*day/100)
	}
	if n.Len() > 80 || n.Len() < 70 || !n.Use(Host, "busy", "", "", start+2*day).Known() || n.Use(Host, "h-000", "", "", start+2*day).Known() || !n.Use(Host, "h-099", "", "", start+2*day).Known() {
		t.Errorf("%d uses", n.Len())
	}
}

// Two runs at once: the second one says so; a look at it meanwhile sees what was saved.
func TestHeldByAnother(t *testing.T) {
	defer func(w int) { wait = w }(wait)
	wait = 50
	path := filepath.Join(t.TempDir(), "h.waybill")
	want := save(t, path, func(*Memory) *Memory { return somethingOfAll(0) })
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), "another run holds it: wait for its end") {
		t.Errorf("second run: %v", err)
	}
	same(t, load(t, path), want)
}

// Errors say what the file is and what to do.
func TestErrors(t *testing.T) {
	database := func(path string, statements ...string) {
		db, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		for _, s := range statements {
			if _, err := db.Exec(s); err != nil {
				t.Fatal(s, err)
			}
		}
	}
	good := func(path string) { save(t, path, func(*Memory) *Memory { return somethingOfAll(0) }) }
	for _, c := range []struct {
		name, want string
		make       func(path string)
	}{
		{"none", "there is none", func(string) {}},
		{"text", "this is no history: name another file", func(p string) { os.WriteFile(p, bytes.Repeat([]byte("ip,mac,name\n"), 500), 0o600) }},
		{"another program's", "a database of another program", func(p string) { database(p, "CREATE TABLE a (b)") }},
		{"newer", "a newer waybill wrote it (form 9, this one knows 3)", func(p string) { good(p); database(p, "PRAGMA user_version = 9") }},
		{"with a trigger", `its table "more" is not one of a history`, func(p string) {
			good(p)
			database(p, "CREATE TRIGGER more AFTER INSERT ON marks BEGIN DELETE FROM uses; END")
		}},
		{"with a view for a table", `its table "uses" is not one of a history`, func(p string) {
			good(p)
			database(p, "DROP TABLE uses", "CREATE VIEW uses AS SELECT 1 AS kind")
		}},
		{"without a table", "its table works is missing", func(p string) { good(p); database(p, "DROP TABLE works") }},
		{"with a use of no name", "table uses: row 21 is damaged", func(p string) { good(p); database(p, "INSERT INTO uses VALUES (1, 9999, 1, 1, 1, 1, 1, 0, 1)") }},
		{"with text for a number", "table uses: row", func(p string) { good(p); database(p, "UPDATE uses SET first = 'x'") }},
		{"with a cover of no mark", "table covers: row 1 is damaged", func(p string) { good(p); database(p, "UPDATE covers SET mark = 'f-9'") }},
		{"with work of no transfer", "table works: row 1 is damaged", func(p string) { good(p); database(p, "UPDATE works SET transfer = 't-9'") }},
		{"with a home of no address", "table homes: row 1 is damaged", func(p string) { good(p); database(p, "UPDATE homes SET addr = '10.0.0.05' WHERE host = 'fs-1'") }},
		{"with a home of no time", "table homes: row", func(p string) { good(p); database(p, "UPDATE homes SET first = last + 1") }},
		{"with another verdict", "table marks: row 1 is damaged", func(p string) { good(p); database(p, "UPDATE marks SET verdict = 'maybe'") }},
		{"with a role of no form", "table roles: row 1 is damaged", func(p string) { good(p); database(p, "UPDATE roles SET seen = x'00'") }},
		{"cut", "damaged", func(p string) {
			good(p)
			b, _ := os.ReadFile(p)
			os.WriteFile(p, b[:len(b)/2], 0o600)
		}},
		{"overwritten in the middle", "damaged", func(p string) {
			good(p)
			b, _ := os.ReadFile(p)
			for i := len(b) / 4; i < len(b); i++ {
				b[i] ^= 0x5a
			}
			os.WriteFile(p, b, 0o600)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "h.waybill")
			c.make(path)
			before, _ := os.ReadFile(path)
			f, err := OpenToRead(path)
			if err == nil {
				_, err = f.Load()
				f.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("to read: %v, want ...%s...", err, c.want)
			}
			if c.name == "none" {
				return
			}
			if f, err = Open(path); err == nil {
				_, err = f.Load()
				f.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("to save: %v, want ...%s...", err, c.want)
			}
			if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
				t.Error("the file was changed")
			}
		})
	}
}

func TestReadOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "h.waybill")
	want := save(t, path, func(*Memory) *Memory { return somethingOfAll(0) })
	if os.Chmod(path, 0o400); os.Getuid() == 0 {
		t.Skip("to root nothing is read-only")
	}
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), "cannot be written") {
		t.Errorf("%v", err)
	}
	same(t, load(t, path), want)
}

const childFile = "WAYBILL_TEST_HISTORY"

// TestKilled kills a process again and again while it saves: what is there then is what
// it saved last or what it was saving, never a part. Each save counts all hosts once more.
func TestKilled(t *testing.T) {
	const hosts = 8_000
	if path := os.Getenv(childFile); path != "" {
		cached = 10 // so that it writes all the time
		for {
			save(t, path, func(m *Memory) *Memory {
				_, last, _ := m.Normal.Span()
				for i := range hosts {
					m.Normal.Learn(Host, fmt.Sprintf("host-%d", i), "", "", max(last, start)+60e9)
				}
				fmt.Println("saving")
				return m
			})
		}
	}
	path := filepath.Join(t.TempDir(), "h.waybill")
	before := 0.0
	for round := range 10 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		child := exec.CommandContext(ctx, os.Args[0], "-test.run", "^TestKilled$")
		child.Env = append(os.Environ(), childFile+"="+path)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		// In the middle of a save: how long one takes is not known beforehand.
		line := make([]byte, 7)
		for range 1 + round%2 {
			if _, err := out.Read(line); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Duration(round*9) * time.Millisecond)
		child.Process.Kill()
		child.Wait()
		cancel()
		if _, err := os.Stat(path); err != nil {
			continue
		}
		f, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		m, err := f.Load()
		f.Close()
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		counts := map[string]int{}
		for _, e := range m.Normal.Entries() {
			counts[strconv.FormatFloat(float64(e.Count), 'f', 1, 32)]++
			if n := float64(e.Count); n < before-1 {
				t.Fatalf("round %d: %v saves after %v", round, n, before)
			}
			before = max(before, float64(e.Count))
		}
		if n := m.Normal.Len(); n != 0 && n != hosts || len(counts) > 1 {
			t.Fatalf("round %d: %d hosts, counted %v", round, n, counts)
		}
	}
	if before == 0 {
		t.Error("nothing was ever saved")
	}
}

func TestMerge(t *testing.T) {
	put := func(parts ...*Memory) *Memory {
		m := NewMemory()
		for _, p := range parts {
			if _, err := m.Merge(p); err != nil {
				t.Fatal(err)
			}
		}
		return m
	}
	a, b, c := somethingOfAll(0), somethingOfAll(3), somethingOfAll(70)
	c.Mark(Mark{ID: "t-0000", Verdict: Malicious, Reason: "longer", Until: start + 90*day})
	want := put(a, b, c)
	for _, got := range []*Memory{put(c, b, a), put(put(a, b), c), put(a, put(b, c)), put(b, put(c, a))} {
		for i, e := range got.Normal.Entries() {
			w := want.Normal.Entries()[i]
			if d := e.Count - w.Count; d > 1e-4 || d < -1e-4 {
				t.Fatalf("%+v, want %+v", e, w)
			}
		}
		for k, u := range got.Normal.uses {
			u.count = 1
			got.Normal.uses[k] = u
		}
		flat := put(want)
		for k, u := range flat.Normal.uses {
			u.count = 1
			flat.Normal.uses[k] = u
		}
		got.Normal.peers, flat.Normal.peers = nil, nil
		same(t, got, flat)
	}
	u := want.Normal.Use(Pair, "ws-4", "smb push", "fs-1", start+100*day)
	if u.Days != 8 { // days 0 to 4 and 3 to 7
		t.Errorf("days %d", u.Days)
	}
	if all := want.Homes.Sorted(); len(all) != 3 || all[0].Last != start+75*day || all[1].Host != "ws-70" || !all[1].Moved {
		t.Errorf("%+v", all)
	}
	if len(want.Marks) != 6 || want.Marks[3].Reason != "longer" {
		t.Errorf("%+v", want.Marks)
	}
	if twice, err := want.Merge(a); twice != 1 || err != nil {
		t.Errorf("%d inputs twice, %v", twice, err)
	}
}

func TestMarks(t *testing.T) {
	for id, want := range map[string]int{"t-0001": 1, "a-1": 1, "f-1": 1, "f-2": 0} {
		m := somethingOfAll(0)
		if got := m.Mark(Mark{ID: id, Verdict: Benign, Reason: "ours", Until: start + day}); got != want || m.Normal.Use(Pair, "x", "smb push", "y", start+day).Known() != (want == 1) || len(m.Held) != 1-want {
			t.Errorf("%s: learned %d, held %+v", id, got, m.Held)
		}
	}
	m := somethingOfAll(0)
	if m.Mark(Mark{ID: "f-1", Verdict: Benign, Reason: "ours", Until: start - day}) != 0 || m.Mark(Mark{ID: "f-1", Verdict: Malicious, Reason: "theirs", Until: start + day}) != 0 || len(m.Held) != 1 {
		t.Error("a mark that ends before, or of malice, lets it be learned")
	}
}

func TestForget(t *testing.T) {
	m := somethingOfAll(0)
	m.Normal.Learn(Utility, `corp\anna`, "scp", "srv", start)
	got := m.Forget(func(e *Entry) bool {
		hosts, account, _ := e.Names()
		return hosts[0] == "ws-3" || hosts[1] == "ws-3" || account == `corp\anna` || hosts[0] == "x"
	}, func(key string, _ model.Time) bool { return key == "ws-3" || key == "fs-1" || key == "10.0.7.7" })
	if got != (Forgotten{Uses: 1 + 1 + 20 + 1 + 1, Hosts: 2, Held: 1, Marks: 1, Homes: 2}) || len(m.Homes) != 1 {
		t.Errorf("%+v", got)
	}
	if m.Normal.Peers(FamilyTo, "fs-1", `docs\*.docx`) != 19 {
		t.Error("peers are not counted down")
	}
}

func TestLongNames(t *testing.T) {
	n := New()
	long := strings.Repeat("ä", 4000)
	n.Learn(Content, long, "", "", start)
	n.Learn(Content, "\xff\xfe", "", "", start)
	if !n.Use(Content, long, "", "", start+1e9).Known() || !n.Use(Content, "\xff\xfe", "", "", start+1e9).Known() || len(n.Entries()[1].A) > longestName+3 {
		t.Error("a name that is cut is not found")
	}
	m := NewMemory()
	m.Normal = n
	path := filepath.Join(t.TempDir(), "h")
	save(t, path, func(*Memory) *Memory { return m })
	same(t, load(t, path), m)
}
