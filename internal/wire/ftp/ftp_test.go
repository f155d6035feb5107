package ftp

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/wiretest"
)

func at(s string) wire.AddrPort {
	a := netip.MustParseAddrPort(s)
	return wire.AddrPort{Addr: model.AddrOf(a.Addr()), Port: a.Port()}
}

var client, server = at("10.0.0.1:40000"), at("10.0.0.2:21")

// talk is a control connection under test.
type talk struct {
	*wiretest.Link
	t   *testing.T
	env *wiretest.Env
	p   wire.Protocol
}

func newTalk(t *testing.T) *talk {
	env := wiretest.New(t)
	p := New(env)
	k := &talk{t: t, env: env, p: p, Link: env.Dial(p, client, server)}
	k.lines("S 220 ready", "C USER anna", "S 331 password", "C PASS hunter2", "S 230 in", "C TYPE I", "S 200 ok")
	return k
}

// lines sends lines of the client (C) and server (S).
func (k *talk) lines(all ...string) *talk {
	for _, l := range all {
		side := wire.Side(0)
		if l[0] == 'S' {
			side = 1
		}
		k.Send(side, []byte(l[2:]+"\r\n"), 0)
	}
	return k
}

// data opens the connection that was announced last for an address, and sends
// content from one of its ends: its opener is side 0.
func (k *talk) data(opener, listener wire.AddrPort) *wiretest.Link {
	k.t.Helper()
	for i := len(k.env.Expected) - 1; i >= 0; i-- {
		if e := k.env.Expected[i]; e.At == listener {
			c := &wire.Conn{Ends: [2]wire.AddrPort{opener, listener}, FromStart: [2]bool{true, true}, Opened: true}
			return k.env.Attach(c, e.Open(c, 1))
		}
	}
	k.t.Fatalf("nothing announced at %v", listener)
	return nil
}

// finish ends everything and gives the transfers.
func (k *talk) finish() []*wire.Transfer {
	k.End(wire.FIN)
	k.p.Flush(k.env.Next())
	k.env.Done()
	for _, x := range k.env.Transfers {
		if strings.Contains(x.User+x.Path+x.Reason+strings.Join(x.Notes, " "), "hunter2") {
			k.t.Error("a password is in a record")
		}
	}
	return k.env.Transfers
}

// one checks that there is one transfer, whole, with this content.
func (k *talk) one(content string) *wire.Transfer {
	k.t.Helper()
	all := k.finish()
	if len(all) != 1 {
		k.t.Fatalf("%d transfers", len(all))
	}
	r := k.env.Result(all[0])
	sum := sha256.Sum256([]byte(content))
	if !r.Whole || r.SHA256 != hex.EncodeToString(sum[:]) || all[0].Status != model.Done {
		k.t.Errorf("status %s, whole %v, %d bytes, %q", all[0].Status, r.Whole, r.Size, r.Reason)
	}
	return all[0]
}

const pasv = "S 227 Entering Passive Mode (10,0,0,2,195,80)" // port 50000

var passive = at("10.0.0.2:50000")

func TestPassiveRead(t *testing.T) {
	k := newTalk(t).lines("C CWD /pub", "S 250 ok", "C PASV", pasv, "C RETR tools/a.bin")
	d := k.data(at("10.0.0.1:40001"), passive)
	k.lines("S 150 Opening BINARY mode data connection (11 bytes)")
	d.Send(1, []byte("hello world"), 4)
	d.End(wire.FIN)
	k.lines("S 226 done")
	x := k.one("hello world")
	if x.Operation != model.Pull || x.Source.IP != server.Addr || x.Destination.IP != client.Addr || x.Path != "tools/a.bin" ||
		x.Name != "a.bin" || x.Cwd != "/pub" || x.User != "anna" || len(x.Conns) != 2 {
		t.Errorf("%+v", x.Transfer)
	}
}

func TestActiveWrite(t *testing.T) {
	k := newTalk(t).lines("C PORT 10,0,0,1,195,81", "S 200 ok", "C STOR b.bin", "S 150 go")
	d := k.data(at("10.0.0.2:20"), at("10.0.0.1:50001"))
	d.Send(1, []byte("content"), 0)
	d.End(wire.FIN)
	k.lines("S 226 done")
	if x := k.one("content"); x.Operation != model.Push || x.Source.IP != client.Addr || x.Initiator != model.BySource {
		t.Errorf("%+v", x.Transfer)
	}
}

func TestExtended(t *testing.T) {
	k := newTalk(t).lines("C EPSV", "S 229 Entering Extended Passive Mode (|||50000|)", "C RETR a", "S 150 go")
	d := k.data(at("10.0.0.1:40001"), passive)
	d.Send(1, []byte("x"), 0)
	d.End(wire.FIN)
	k.lines("S 226 done")
	k.one("x")
	k = newTalk(t).lines("C EPRT |1|10.0.0.1|50001|", "S 200 ok", "C RETR a", "S 150 go")
	d = k.data(at("10.0.0.2:20"), at("10.0.0.1:50001"))
	d.Send(0, []byte("y"), 0)
	d.End(wire.FIN)
	k.lines("S 226 done")
	k.one("y")
}

// TestEarlyData: the data connection is there, and speaks, before the command.
func TestEarlyData(t *testing.T) {
	k := newTalk(t).lines("C PASV", pasv)
	d := k.data(at("10.0.0.1:40001"), passive)
	d.Send(0, []byte("early "), 0)
	k.lines("C STOR a")
	d.Send(0, []byte("late"), 0)
	d.End(wire.FIN)
	k.lines("S 226 done")
	k.one("early late")
}

// TestTranslated: the address that the server tells is not the one it has here.
func TestTranslated(t *testing.T) {
	k := newTalk(t).lines("C PASV", "S 227 Entering Passive Mode (192,0,2,9,195,80)", "C RETR a", "S 150 go")
	d := k.data(at("10.0.0.1:40001"), passive)
	d.Send(1, []byte("x"), 0)
	d.End(wire.FIN)
	k.lines("S 226 done")
	k.one("x")
}

func TestListing(t *testing.T) {
	k := newTalk(t).lines("C PASV", pasv, "C LIST", "S 150 go")
	d := k.data(at("10.0.0.1:40001"), passive)
	d.Send(1, []byte("-rw-r--r-- a\r\n"), 0)
	d.End(wire.FIN)
	k.lines("S 226 done")
	if all := k.finish(); len(all) != 0 {
		t.Errorf("%d transfers of a listing", len(all))
	}
}

func TestNames(t *testing.T) {
	k := newTalk(t).lines("C PASV", pasv, "C STOU", "S 150 FILE: unique.17")
	d := k.data(at("10.0.0.1:40001"), passive)
	d.Send(0, []byte("x"), 0)
	d.End(wire.FIN)
	k.lines("S 226 done", "C RNFR unique.17", "S 350 go on", "C RNTO final.exe", "S 250 ok", "C DELE final.exe", "S 250 gone")
	x := k.one("x")
	if x.Name != "final.exe" || len(x.EarlierNames) != 1 || x.EarlierNames[0] != "unique.17" || x.Deleted == nil {
		t.Errorf("%+v", x.Transfer)
	}
}

func TestNotes(t *testing.T) {
	for command, note := range map[string]string{"APPE a": "appended", "STOR a": "ASCII"} {
		k := newTalk(t).lines("C TYPE A", "S 200 ok", "C PASV", pasv, "C "+command, "S 150 go")
		d := k.data(at("10.0.0.1:40001"), passive)
		d.Send(0, []byte("a\r\n"), 0)
		d.End(wire.FIN)
		k.lines("S 226 done")
		if x := k.one("a\r\n"); !strings.Contains(strings.Join(x.Notes, ";"), note) {
			t.Errorf("%s: notes %v", command, x.Notes)
		}
	}
}

// TestResume: a transfer that was broken off and its rest are one.
func TestResume(t *testing.T) {
	k := newTalk(t).lines("C PASV", pasv, "C RETR a", "S 150 Opening (10 bytes)")
	d := k.data(at("10.0.0.1:40001"), passive)
	d.Send(1, []byte("01234"), 0)
	d.End(wire.RST)
	k.lines("S 426 broken", "C PASV", "S 227 (10,0,0,2,195,81)", "C REST 5", "S 350 go on", "C RETR a", "S 150 go")
	d = k.data(at("10.0.0.1:40002"), at("10.0.0.2:50001"))
	d.Send(1, []byte("56789"), 0)
	d.End(wire.FIN)
	k.lines("S 226 done")
	k.one("0123456789")
}

// TestResumeAfterRST: the server says that it gave up before the end of the data
// connection is certain (a RST that its receiver may have ignored), and what was in
// flight is sent after all.
func TestResumeAfterRST(t *testing.T) {
	k := newTalk(t).lines("C PASV", pasv, "C RETR a", "S 150 Opening (10 bytes)")
	old := k.data(at("10.0.0.1:40001"), passive)
	old.Send(1, []byte("0123456"), 0)
	k.lines("S 426 broken", "C PASV", "S 227 (10,0,0,2,195,81)", "C REST 5", "S 350 go on", "C RETR a", "S 150 go")
	d := k.data(at("10.0.0.1:40002"), at("10.0.0.2:50001"))
	d.Send(1, []byte("56"), 0)
	old.Send(1, []byte("late"), 0)
	old.End(wire.RST)
	d.Send(1, []byte("789"), 0)
	d.End(wire.FIN)
	k.lines("S 226 done")
	k.one("0123456789")
}

func TestNotWhole(t *testing.T) {
	for name, c := range map[string]struct {
		rest   bool
		lose   int64
		how    wire.Ending
		reply  string
		status string
		reason string
	}{
		"a hole":             {how: wire.FIN, lose: 3, reply: "S 226 done", status: model.Done, reason: "missing"},
		"server gave up":     {how: wire.FIN, reply: "S 451 disk error", status: model.Failed, reason: "451"},
		"reset":              {how: wire.RST, reply: "S 226 done", status: model.Interrupted, reason: "reset"},
		"end of capture":     {how: wire.EndOfCapture, reply: "S 226 done", status: model.Interrupted, reason: "end of capture"},
		"the rest of a file": {rest: true, how: wire.FIN, reply: "S 226 done", status: model.Done, reason: "missing"},
	} {
		k := newTalk(t).lines("C PASV", pasv)
		if c.rest {
			k.lines("C REST 100", "S 350 go on")
		}
		k.lines("C STOR a", "S 150 go")
		d := k.data(at("10.0.0.1:40001"), passive)
		d.Send(0, []byte("abc"), 0)
		if c.lose > 0 {
			d.Lose(0, c.lose)
			d.Send(0, []byte("def"), 0)
		}
		d.End(c.how)
		k.lines(c.reply)
		all := k.finish()
		if len(all) != 1 {
			t.Errorf("%s: %d transfers", name, len(all))
			continue
		}
		r := k.env.Result(all[0])
		if r.Whole || all[0].Status != c.status || !strings.Contains(r.Reason, c.reason) {
			t.Errorf("%s: whole %v, status %s, reason %q", name, r.Whole, all[0].Status, r.Reason)
		}
	}
}

func TestReplies(t *testing.T) {
	for reply, status := range map[string]string{"S 550 Permission denied.": model.Denied, "S 550 No such file.": "", "S 425 no connection": "", "S 226 done": model.Claimed} {
		k := newTalk(t).lines("C PASV", pasv, "C RETR secret", reply)
		got := ""
		if all := k.finish(); len(all) == 1 {
			got = all[0].Status
		}
		if got != status {
			t.Errorf("%s: %q instead of %q", reply, got, status)
		}
	}
}

// TestTLS: after AUTH TLS the session is one opaque transfer.
func TestTLS(t *testing.T) {
	k := newTalk(t).lines("C AUTH TLS", "S 234 go on")
	k.Send(0, []byte("\x16\x03\x01\x00\x05hello"), 0)
	c := &wire.Conn{Ends: [2]wire.AddrPort{at("10.0.0.1:40001"), at("10.0.0.2:50000")}, FromStart: [2]bool{true, true}}
	if v := k.p.Probe(c, [2][]byte{[]byte("\x16\x03\x01\x02\x00"), nil}); v != wire.Yes {
		t.Fatalf("verdict %v", v)
	}
	d := k.env.Attach(c, k.p.Open(c))
	d.Send(0, make([]byte, 50_000), 1448)
	d.End(wire.FIN)
	all := k.finish()
	if len(all) != 1 || all[0].Completeness != model.Opaque || all[0].Operation != model.Push || all[0].Estimate.High != 50_000 {
		t.Fatalf("%d transfers", len(all))
	}
}

// TestTLSTwice: a session that begins before the end of the one before was seen is
// another transfer, and its control connection is no data of that.
func TestTLSTwice(t *testing.T) {
	k := newTalk(t).lines("C AUTH TLS", "S 234 go on")
	first := &wire.Conn{Ends: [2]wire.AddrPort{at("10.0.0.1:40001"), at("10.0.0.2:50000")}, FromStart: [2]bool{true, true}}
	k.env.Attach(first, k.p.Open(first)).Send(0, make([]byte, 50_000), 1448)
	next := &talk{t: t, env: k.env, p: k.p, Link: k.env.Dial(k.p, at("10.0.0.1:40002"), server)}
	next.lines("S 220 ready", "C AUTH TLS", "S 234 go on")
	second := &wire.Conn{Ends: [2]wire.AddrPort{at("10.0.0.1:40003"), at("10.0.0.2:50001")}, FromStart: [2]bool{true, true}}
	k.env.Attach(second, k.p.Open(second)).Send(1, make([]byte, 70_000), 1448)
	next.End(wire.FIN)
	all := k.finish()
	if len(all) != 2 || all[0].Operation != model.Pull || all[0].Estimate.High != 70_000 || all[1].Operation != model.Push || all[1].Estimate.High != 50_000 {
		t.Fatalf("%d transfers", len(all))
	}
}

// TestBetweenServers: a client lets one server send to the other.
func TestBetweenServers(t *testing.T) {
	env := wiretest.New(t)
	p := New(env)
	a := &talk{t: t, env: env, p: p, Link: env.Dial(p, client, server)}
	b := &talk{t: t, env: env, p: p, Link: env.Dial(p, at("10.0.0.1:40002"), at("10.0.0.3:21"))}
	a.lines("S 220 ready", "C USER x", "S 230 in", "C PASV", pasv)
	b.lines("S 220 ready", "C USER x", "S 230 in", "C PORT 10,0,0,2,195,80", "S 200 ok")
	a.lines("C STOR a", "S 150 go")
	b.lines("C RETR a", "S 150 go")
	d := a.data(at("10.0.0.3:20"), passive)
	d.Send(0, []byte("moved"), 0)
	d.End(wire.FIN)
	a.lines("S 226 done")
	b.lines("S 226 done")
	b.End(wire.FIN)
	x := a.one("moved")
	if x.Operation != model.Copy || x.Source.IP != at("10.0.0.3:1").Addr || x.Destination.IP != server.Addr || x.Client == nil || x.Client.IP != client.Addr {
		t.Errorf("%+v", x.Transfer)
	}
}

func TestProbe(t *testing.T) {
	p := New(wiretest.New(t))
	c := &wire.Conn{Ends: [2]wire.AddrPort{client, server}}
	for _, x := range []struct {
		client, server string
		want           wire.Verdict
	}{
		{"", "220 files FTP server ready\r\n", wire.Yes},
		{"", "220 ready\r\n", wire.Maybe},
		{"USER anna\r\n", "220 ready\r\n", wire.Yes},
		{"USER anna\r\nPASS x\r\nPASV\r\n", "", wire.Yes},
		{"RETR a.bin\r\n", "", wire.Yes},
		{"EHLO host\r\n", "220 mail ESMTP Postfix\r\n", wire.No},
		{"HELO host\r\n", "220 mail ready\r\n", wire.No},
		{"", "+OK POP3 ready\r\n", wire.No},
		{"GET / HTTP/1.1\r\n", "", wire.No},
		{"\x00\x00\x00\x54\xfeSMB", "", wire.No},
		{"SSH-2.0-x\r\n", "SSH-2.0-y\r\n", wire.No},
	} {
		if got := p.Probe(c, [2][]byte{[]byte(x.client), []byte(x.server)}); got != x.want {
			t.Errorf("%q, %q: %v instead of %v", x.client, x.server, got, x.want)
		}
	}
}

func TestAddresses(t *testing.T) {
	for text, want := range map[string]string{"10,0,0,2,195,80": "10.0.0.2:50000", "Entering (10,0,0,2,0,21).": "10.0.0.2:21"} {
		if got, ok := hostPort(text); !ok || got != at(want) {
			t.Errorf("%q: %v", text, got)
		}
	}
	for _, text := range []string{"", "1,2,3", "1,2,3,4,5,6,7", "256,0,0,1,0,1", "a,b"} {
		if _, ok := hostPort(text); ok {
			t.Errorf("%q is an address", text)
		}
	}
	if got, ok := extended("|2|fd00::1|50000|"); !ok || got != at("[fd00::1]:50000") {
		t.Errorf("%v", got)
	}
	if _, ok := extended("|2|nowhere|1|"); ok {
		t.Error("nowhere is an address")
	}
	if n := statedSize("Opening BINARY mode data connection for a (1b) (1234 bytes)."); n != 1234 {
		t.Errorf("size %d", n)
	}
}

// FuzzControl feeds any bytes and gaps, in pieces of any size: it does not panic,
// and gives the budget back.
func FuzzControl(f *testing.F) {
	f.Add([]byte("USER a\r\nPASV\r\nRETR x\r\nQUIT\r\n"), []byte("220 x\r\n331 y\r\n227 (10,0,0,2,195,80)\r\n150 (5 bytes)\r\n226 z\r\n"), []byte("hello"), uint8(7))
	f.Add([]byte("REST 3\r\nSTOU\r\nRNFR a\r\nRNTO b\r\nAUTH TLS\r\n"), []byte("220-a\r\nb\r\n220 c\r\n350 d\r\n150 FILE: q\r\n234 e\r\n"), []byte("x"), uint8(3))
	f.Add([]byte("\r\nSTOU\r\n"), []byte("220 c\r\n350 d\xe8\x031 FILE: q\r\n"), []byte("2"), uint8(0))
	f.Fuzz(func(t *testing.T, commands, replies, content []byte, size uint8) {
		env := wiretest.New(t)
		p := New(env)
		l := env.Dial(p, client, server)
		for len(commands)+len(replies) > 0 {
			n, m := min(len(commands), int(size)+1), min(len(replies), int(size)+3)
			l.Send(0, commands[:n], 0)
			l.Send(1, replies[:m], 0)
			if n > 0 && commands[0] == 0 {
				l.Lose(wire.Side(size&1), int64(size)+1)
			}
			commands, replies = commands[n:], replies[m:]
			for _, e := range env.Expected {
				c := &wire.Conn{Ends: [2]wire.AddrPort{at("10.0.0.1:9"), e.At}, FromStart: [2]bool{true, true}}
				d := env.Attach(c, e.Open(c, 1))
				d.Send(wire.Side(size&1), content, 5)
				d.End(wire.FIN)
			}
			env.Expected = nil
		}
		l.End(wire.FIN)
		p.Flush(env.Next())
		env.Done()
		if used := env.Budget().Used; used != 0 {
			t.Errorf("%d bytes of budget not given back", used)
		}
	})
}
