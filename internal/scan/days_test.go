package scan

import (
	"fmt"
	"testing"

	"waybill/internal/synth"
)

// days are scripts with all protocols: the tests of this package go through each.
var days = []struct {
	name   string
	script func(*synth.Net)
}{
	{"office", day},
	{"old shares", oldShares},
	{"exports", exports},
	{"datagrams", datagrams},
	{"rsync", rsyncDay},
}

func eachDay(t *testing.T, test func(t *testing.T, script func(*synth.Net))) {
	for _, d := range days {
		t.Run(d.name, func(t *testing.T) { test(t, d.script) })
	}
}

// day is an office in which somebody intrudes, and a few larger files.
func day(n *synth.Net) {
	synth.Intrusion(n)
	a, b := n.Host("WS-31", "10.20.1.31"), n.Host("FS-01", "10.20.0.5")
	s := n.SMB(a, b, synth.SMBOptions{User: "r.lang", Domain: "CORP", Shuffle: true})
	t := s.Tree("Data")
	t.Get(`large.bin`, n.Bytes(400_000))
	t.Put(`new.zip`, n.Zip("inner.txt", 150_000))
	s.Logoff()
	h := n.HTTP(a, n.Host("WEB-01", "10.20.0.40"), "intranet.corp.example")
	e := synth.Entity{Content: n.Bytes(90_000), Type: "application/octet-stream", ETag: `"7"`}
	h.GetRange("/setup.exe", e, 0, 50_000)
	h.GetRange("/setup.exe", e, 50_000, 90_000)
	h.Fetched("/setup.exe", e)
	h.Close()
	directory(n)
}

// directory is logons at a directory, with searches between them.
func directory(n *synth.Net) {
	l := n.LDAP(n.Host("WS-31", "10.20.1.31"), n.Host("DC-01", "10.20.0.2"))
	l.Negotiate("CORP", "r.lang", synth.LDAPSuccess)
	l.Search("dc=corp,dc=example", 30)
	l.Bind(`CORP\svc-scan`, "Winter2026!", synth.LDAPInvalidCredentials)
	l.Bind(`CORP\svc-scan`, "Winter2026?", synth.LDAPSuccess)
	l.Search("ou=hosts,dc=corp,dc=example", 10)
	l.Close()
}

// oldShares is what clients do by SMB 1, in each of its forms.
func oldShares(n *synth.Net) {
	server := n.Host("SRV-2003", "10.21.0.5")
	for i, o := range []synth.SMB1Options{
		{User: "a.kern", Domain: "CORP", Shuffle: true, IOSize: 64 << 10},
		{User: "op", Plain: true, Chained: true, OEM: true, DOSErrors: true, NetBIOS: true},
		{User: "b.falk", Domain: "CORP", MultiProtocol: true, Signed: true, Pad: 4, Part: 24},
	} {
		client := n.Host([]string{"XP-01", "NT-02", "W7-03"}[i], []string{"10.21.1.1", "10.21.1.2", "10.21.1.3"}[i])
		s := n.SMB1(client, server, o)
		t := s.Tree("Data")
		t.Get(`docs\plan.pdf`, n.PDF(90_000))
		t.Put(`tools\scan.exe`, n.PE(130_000))
		t.Rename(`tools\scan.exe`, `tools\svc.exe`)
		patched(t, n)
		f := t.Create(`new\kit.part`)
		f.Write(0, n.Zip("kit.bin", 5000))
		f.Rename("kit.zip")
		f.Close()
		f = t.OpenAndRead("small.ini", n.Text(3000))
		f.Close()
		f = t.Open2("second.txt", n.Text(9000))
		f.QuerySize()
		f.Read(0, 9000)
		f.Close()
		rawCopies(t, n)
		t.Refused("secret.key", synth.ReadAccess, synth.StatusAccessDenied)
		t.Refused("missing.txt", synth.ReadAccess, synth.StatusObjectNameNotFound)
		t.Put("old.txt", n.Text(500))
		t.Delete("old.txt")
		t.Disconnect()
		s.StartService("upd", "Updater", `C:\tools\svc.exe -s`)
		s.Logoff()
		n.Sleep(2e9)
	}
}

// patched writes a file with a hole in it, and its head last.
func patched(t *synth.SMB1Tree, n *synth.Net) {
	f := t.Create("disk.img")
	f.SetEnd(50_000)
	f.Write(30_000, n.Bytes(12_000))
	f.Write(0, n.Bytes(4_000))
	f.Close()
}

// rawCopies moves files by the raw commands.
func rawCopies(t *synth.SMB1Tree, n *synth.Net) {
	f := t.Open("raw-in.bin", n.Bytes(100_000))
	f.ReadRaw()
	f.Close()
	f = t.Create("raw-out.bin")
	f.WriteRaw(0, n.Bytes(80_000))
	f.Close()
}

// exports is what clients do by each version of NFS over TCP.
func exports(n *synth.Net) {
	mounts(n, synth.NFSOptions{Version: 2, UID: 500, GID: 50},
		synth.NFSOptions{UID: 1001, GID: 100, Shuffle: true, IOSize: 128 << 10},
		synth.NFSOptions{Fragment: 10_000},
		synth.NFSOptions{Version: 4, UID: 1002, GID: 100},
		synth.NFSOptions{Version: 4, Minor: 1, Shuffle: true},
		synth.NFSOptions{Version: 4, Minor: 2})
}

// datagrams is the same over UDP, in fragments.
func datagrams(n *synth.Net) {
	mounts(n, synth.NFSOptions{Version: 2, UDP: true},
		synth.NFSOptions{UDP: true, Retransmit: true, UID: 1000, GID: 100, Shuffle: true})
}

func mounts(n *synth.Net, options ...synth.NFSOptions) {
	server := n.Host("NAS-01", "10.22.0.5")
	for i, o := range options {
		m := n.NFS(n.Host("ws", fmt.Sprintf("10.22.1.%d", i+1)), server, o)
		m.Get("docs/plan.pdf", n.PDF(60_000))
		m.Put("tools/scan.bin", n.ELF(90_000))
		m.Rename("tools/scan.bin", "tools/svc.bin")
		m.List("docs", "a.txt", "b.txt")
		m.Get("docs/a.txt", n.Text(3000))
		if !o.UDP { // lost datagrams look like holes
			image(m, n)
		}
		m.Refused("secret.key", false)
		m.Refused("locked.txt", true)
		m.Put("old.txt", n.Text(500))
		m.Remove("old.txt")
		if o.Minor == 2 {
			m.Get("zeros.img", append(make([]byte, 64<<10), n.Bytes(20_000)...))
			serverCopies(m, n)
		}
		m.Unmount()
		n.Sleep(2e9)
	}
}

// image writes a file with a hole in it, and its head last.
func image(m *synth.Mount, n *synth.Net) {
	f := m.Create("disk.img")
	f.SetEnd(50_000)
	f.Write(30_000, n.Bytes(12_000))
	f.Write(0, n.Bytes(4_000))
	f.Commit()
	f.Close()
}

// serverCopies lets the server copy a file.
func serverCopies(m *synth.Mount, n *synth.Net) {
	from := m.Open("docs/b.txt", n.Text(4000))
	to := m.Create("docs/copy.txt")
	from.CopyTo(to)
	to.Close()
	to = m.Create("docs/clone.txt")
	from.CloneTo(to)
	to.Close()
	from.Close()
}
