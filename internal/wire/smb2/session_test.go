package smb2

import (
	"fmt"
	"slices"
	"testing"

	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/smbcrypt"
)

// ipv6 is an end of a third channel.
var clientSix, serverSix = wire.AddrPort{Addr: addr("fd00::1"), Port: 50002}, wire.AddrPort{Addr: addr("fd00::2"), Port: 445}

// TestMultichannel moves one file over two IPv4 and one IPv6 address pair.
func TestMultichannel(t *testing.T) {
	s, p := newScript(0x302)
	second := s.dial(wire.AddrPort{Addr: addr("10.0.1.1"), Port: 50001}, wire.AddrPort{Addr: addr("10.0.1.2"), Port: 445})
	third := s.dial(clientSix, serverSix)
	for _, x := range []*peer{second, third} {
		x.negotiate(0x302)
		x.setup(setupBinding, type3("CORP", "anna", "WS1"), 0)
	}
	a, b := pattern(300_000, 1), pattern(90_000, 2)
	p.create(file{fid: 1, name: "a", access: asRead, action: 1, size: 300_000})
	second.read(1, 0, 100_000, a[:100_000])
	third.read(1, 200_000, 100_000, a[200_000:])
	p.read(1, 100_000, 100_000, a[100_000:200_000])
	third.create(file{fid: 2, name: "b", access: asWrite, action: 2})
	p.write(2, 60_000, b[60_000:])
	second.write(2, 0, b[:60_000])
	p.close(1, 300_000)
	p.end(wire.FIN)
	second.close(2, 90_000)
	second.end(wire.FIN)
	third.end(wire.FIN)
	for _, size := range []int{0, 1448} {
		how := plainly
		how.size = size
		got := s.play(t, how).want(whole("pull", share+`\a`, a), whole("push", share+`\b`, b))
		for _, tr := range got.Transfers {
			if tr.Session.Channels != 3 || tr.User != "anna" {
				t.Errorf("session: %+v user %q", tr.Session, tr.User)
			}
		}
		if n := len(got.Transfers[0].Conns); n != 3 {
			t.Errorf("the read went over %d connections", n)
		}
		if tr := got.Transfers[1]; tr.Source.IP != clientSix.Addr || tr.Conns[0].Ends[0] != clientSix {
			t.Errorf("the write's ends are not those of the connection that opened it: %v", tr.Source)
		}
	}
	// A gap on one channel means that holes of a new file may not be zeros.
	lossy, p := newScript(0x302)
	second = lossy.dial(wire.AddrPort{Addr: addr("10.0.1.1"), Port: 50001}, serverEnd)
	second.negotiate(0x302)
	second.setup(setupBinding, nil, 0)
	p.create(file{fid: 1, name: "a", access: asWrite, action: 2})
	second.write(1, 0, a[:1000])
	n := segments(lossy)
	p.raw(0, frame(p.msg(cmdEcho, 0, 0, 900, le("2:4 2:0"))))
	p.write(1, 2000, a[2000:3000])
	p.close(1, 3000)
	p.end(wire.FIN)
	second.end(wire.FIN)
	how := plainly
	how.drop = n
	lossy.play(t, how).want(`push \\srv\data\a partial done (bytes missing)`)
	how.drop = -1
	lossy.play(t, how).want(whole("push", share+`\a`, slices.Concat(a[:1000], make([]byte, 1000), a[2000:3000])))
}

// segments is how many segments a script has when it is played plainly.
func segments(s *script) int {
	n := 0
	for _, st := range s.steps {
		if len(st.data) > 0 {
			n++
		}
	}
	return n
}

// TestSameSessionElsewhere: one session id between other addresses is another
// session, as on the second hop of a forward; but a forward on one of the hosts,
// between the same two addresses, moves the file once.
func TestSameSessionElsewhere(t *testing.T) {
	b, c := pattern(3000, 1), pattern(3000, 2)
	s, p := newScript(0x210)
	hop := s.dial(wire.AddrPort{Addr: serverEnd.Addr, Port: 50009}, wire.AddrPort{Addr: addr("10.0.0.8"), Port: 445}).logon(0x210, share)
	local := s.dial(wire.AddrPort{Addr: clientEnd.Addr, Port: 50009}, wire.AddrPort{Addr: serverEnd.Addr, Port: 4445}).logon(0x210, share)
	other := s.late(wire.AddrPort{Addr: addr("10.0.0.7"), Port: 1}, serverEnd)
	f := file{fid: 1, name: "f", access: asWrite, action: 2}
	// Each request crosses both hops before its answer does.
	for _, m := range []struct {
		command     uint16
		ask, answer []byte
	}{
		{cmdCreate, f.asked(), f.granted()},
		{cmdWrite, writeBody(1, 0, b), writeReply(3000)},
		{cmdClose, closeBody(1), closeReply(3000)},
	} {
		m1, m2, m3 := p.ask(m.command, m.ask), hop.ask(m.command, m.ask), local.ask(m.command, m.ask)
		local.reply(m3, m.command, 0, m.answer)
		hop.reply(m2, m.command, 0, m.answer)
		p.reply(m1, m.command, 0, m.answer)
	}
	other.write(1, 0, c)
	other.close(1, 3000)
	for _, x := range []*peer{p, hop, local, other} {
		x.end(wire.FIN)
	}
	got := s.run(t).want(whole("push", share+`\f`, b), whole("push", share+`\f`, b), whole("push", `\`, c))
	if got.Transfers[0].ID == got.Transfers[1].ID {
		t.Error("two hops, one id")
	}
}

// TestLateChannels joins connections of one late session by their addresses.
func TestLateChannels(t *testing.T) {
	b := pattern(6000, 1)
	s := &script{}
	p := s.late(clientEnd, serverEnd)
	q := s.late(wire.AddrPort{Addr: clientEnd.Addr, Port: 50001}, serverEnd)
	p.write(1, 0, b[:3000])
	q.write(1, 3000, b[3000:])
	p.end(wire.FIN)
	q.close(1, 6000)
	q.end(wire.FIN)
	s.run(t).want(whole("push", `\`, b))
}

// TestReconnect goes on with a durable open on another connection, in another
// session, and on another server.
func TestReconnect(t *testing.T) {
	b := pattern(9000, 1)
	v2 := func(g byte) []byte { return append(le("4:0 4:2 8:0"), slices.Repeat([]byte{g}, 16)...) }
	for name, c := range map[string]struct {
		ask, grant, again []byte
		server            wire.AddrPort
		guid              bool
	}{
		"durable":    {createContext("DHnQ", make([]byte, 16)), createContext("DHnQ", make([]byte, 8)), createContext("DHnC", id(1)), serverEnd, true},
		"persistent": {createContext("DH2Q", v2(7)), createContext("DH2Q", make([]byte, 8)), createContext("DH2C", slices.Concat(id(99), slices.Repeat([]byte{7}, 16), le("4:2"))), wire.AddrPort{Addr: addr("10.0.0.3"), Port: 445}, true},
	} {
		t.Run(name, func(t *testing.T) {
			s, p := newScript(0x302)
			p.create(file{fid: 1, name: "f", access: asWrite, action: 2, request: c.ask, response: c.grant})
			p.write(1, 0, b[:4000])
			p.end(wire.RST)
			s.nap(30e9)
			q := s.dial(wire.AddrPort{Addr: clientEnd.Addr, Port: 50001}, c.server)
			q.session = 0x77
			q.logon(0x302, share)
			q.create(file{fid: 1, name: "f", access: asWrite, action: 1, size: 4000, request: c.again})
			q.write(1, 4000, b[4000:])
			q.close(1, 9000)
			q.end(wire.FIN)
			s.run(t).want(whole("push", share+`\f`, b))
		})
	}
	// Nobody reconnects: the open ends as its connection did.
	s, p := newScript(0x302)
	p.create(file{fid: 1, name: "f", access: asWrite, action: 2, request: createContext("DHnQ", make([]byte, 16)), response: createContext("DHnQ", make([]byte, 8))})
	p.write(1, 0, b)
	p.end(wire.RST)
	s.run(t).want(`push \\srv\data\f partial interrupted (interrupted: reset)`)
}

// TestRejoin joins opens that read parts of one file.
func TestRejoin(t *testing.T) {
	b := pattern(100_000, 1)
	open := func(p *peer, fid uint64, modified uint64, parts ...int) {
		p.create(file{fid: fid, name: "f.exe", access: asRead, action: 1, size: 100_000, modified: modified})
		for i := 0; i < len(parts); i += 2 {
			p.read(fid, int64(parts[i]), parts[i+1]-parts[i], b[parts[i]:parts[i+1]])
		}
		p.close(fid, 100_000)
	}
	partial := `pull \\srv\data\f.exe partial done (bytes missing)`
	all := whole("pull", share+`\f.exe`, b)
	for _, c := range []struct {
		name   string
		script func(p *peer)
		want   []string
		peeks  int
	}{
		{"a cache keeps the head", func(p *peer) {
			open(p, 1, 7, 0, 4096)
			open(p, 2, 7, 4096, 100_000)
		}, []string{all + " [read in parts by opens: 2]"}, 0},
		{"three parts", func(p *peer) {
			open(p, 1, 7, 0, 20_000)
			p.s.nap(4 * 60e9)
			open(p, 2, 7, 90_000, 100_000)
			p.s.nap(4 * 60e9)
			open(p, 3, 7, 20_000, 90_000)
		}, []string{all + " [read in parts by opens: 3]"}, 0},
		{"whole alone after a peek", func(p *peer) {
			open(p, 1, 7, 0, 4096)
			open(p, 2, 7, 0, 100_000)
		}, []string{all}, 1},
		{"whole alone after a part", func(p *peer) {
			open(p, 1, 7, 0, 50_000)
			open(p, 2, 7, 0, 100_000)
		}, []string{all, partial}, 0},
		{"another last-write time", func(p *peer) {
			open(p, 1, 7, 0, 50_000)
			open(p, 2, 8, 50_000, 100_000)
		}, []string{partial, partial}, 0},
		{"too late", func(p *peer) {
			open(p, 1, 7, 0, 50_000)
			p.s.nap(301e9)
			open(p, 2, 7, 50_000, 100_000)
		}, []string{partial, partial}, 0},
		{"never whole", func(p *peer) {
			open(p, 1, 7, 0, 50_000)
			open(p, 2, 7, 60_000, 100_000)
		}, []string{partial + " [read in parts by opens: 2]"}, 0},
		{"two peeks", func(p *peer) {
			open(p, 1, 7, 0, 4096)
			open(p, 2, 7, 4096, 8192)
		}, nil, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, p := newScript(0x210)
			c.script(p)
			p.end(wire.FIN)
			got := s.run(t).want(c.want...)
			if n := len(got.accesses("peek")); n != c.peeks {
				t.Errorf("%d peeks, want %d", n, c.peeks)
			}
			for _, a := range got.Accesses {
				if a.What == "peek" && a.Object == "f.exe" && a.Detail == "bytes read: 4096 of 100000" && a.Prefix != digest(b[:4096]) && a.Prefix != "" {
					t.Errorf("prefix %s", a.Prefix)
				}
			}
		})
	}
	// A peek with loss is no peek.
	s, p := newScript(0x210)
	p.create(file{fid: 1, name: "f.exe", access: asRead, action: 1, size: 100_000})
	m := p.ask(cmdRead, readBody(1, 0, 4096))
	n := segments(s)
	p.reply(m, cmdRead, 0, readReply(b[:4096]))
	p.read(1, 4096, 100, b[4096:4196])
	p.close(1, 100_000)
	p.end(wire.FIN)
	how := plainly
	how.drop = n
	s.play(t, how).want(`pull \\srv\data\f.exe partial done (answers not captured)`)
}

// TestAnswersLost: where the capture lacks answers, what was asked for counts.
func TestAnswersLost(t *testing.T) {
	b := pattern(3000, 1)
	for _, c := range []struct {
		name string
		end  int64
		want string
	}{
		{"a CLOSE with the right end makes it good", 3000, whole("push", share+`\f`, b)},
		{"another end does not", 2000, `push \\srv\data\f partial done (answers not captured)`},
		{"none does not", -1, `push \\srv\data\f partial done (answers not captured)`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, p := newScript(0x210)
			p.create(file{fid: 1, name: "f", access: asWrite, action: 2})
			p.write(1, 0, b[:1000])
			m := p.ask(cmdWrite, writeBody(1, 1000, b[1000:]))
			n := segments(s)
			p.reply(m, cmdWrite, 0, writeReply(2000))
			p.close(1, c.end)
			p.end(wire.FIN)
			how := plainly
			how.drop = n
			s.play(t, how).want(c.want)
		})
	}
}

// TestLostRewrite: a write that was not seen may have changed what was.
func TestLostRewrite(t *testing.T) {
	b := pattern(3000, 1)
	s, p := newScript(0x210)
	p.create(file{fid: 1, name: "f", access: asWrite, action: 2})
	p.write(1, 0, b)
	n := segments(s)
	p.write(1, 0, b[1000:1200])
	p.close(1, 3000)
	p.pushed(2, "g", b)
	p.end(wire.FIN)
	how := plainly
	how.drop = n
	s.play(t, how).want(`push \\srv\data\f partial done (a write was not seen)`, whole("push", share+`\g`, b))
}

// seal encrypts what p sends in both directions from now on.
func sealed(t testing.TB, key []byte, session uint64, n byte, m []byte) []byte {
	t.Helper()
	out, err := smbcrypt.Seal(smbcrypt.AES128GCM, key, session, slices.Repeat([]byte{n}, 16), m)
	if err != nil {
		t.Fatal(err)
	}
	return frame(out)
}

// encrypted is a 3.1.1 session whose messages after the log-on are encrypted.
// It gives the session key.
func encrypted(t testing.TB, s *script, move func(p *peer)) []byte {
	p := s.dial(clientEnd, serverEnd)
	p.negotiate(0x311, append(le("2:2 2:4 4:0"), le("2:1 2:2")...))
	p.setup(0, type3("CORP", "anna", "WS1"), sessionEncrypt)
	key := slices.Repeat([]byte{0x4B}, 16)
	var hash smbcrypt.Preauth
	for i, st := range s.steps {
		if i < len(s.steps)-1 {
			hash.Update(st.data[4:])
		}
	}
	toServer, toClient := smbcrypt.DeriveKeys(0x311, key, hash.Sum(), smbcrypt.AES128GCM)
	from := len(s.steps)
	p.connect(share, 1)
	move(p)
	for i := from; i < len(s.steps); i++ {
		k := toServer
		if s.steps[i].from == 1 {
			k = toClient
		}
		s.steps[i].data = sealed(t, k, p.session, byte(i), s.steps[i].data[4:])
	}
	p.end(wire.FIN)
	return key
}

func TestEncrypted(t *testing.T) {
	a, b := pattern(300_000, 1), pattern(1000, 2)
	s := &script{}
	key := encrypted(t, s, func(p *peer) {
		p.pulled(1, "a", a)
		p.pushed(2, "b", b)
	})
	how := plainly
	for _, size := range []int{0, 1, 1448} {
		how.size = size
		how.keys = map[uint64]wire.SessionKeys{0x4000_0000_0011: {Session: key}}
		got := s.play(t, how).want(whole("pull", share+`\a`, a), whole("push", share+`\b`, b))
		if !got.Transfers[0].Session.Encrypted || got.BlindSeen["encrypted-smb3"] != 0 {
			t.Errorf("session %+v blind %v", got.Transfers[0].Session, got.BlindSeen)
		}
		for name, keys := range map[string]map[uint64]wire.SessionKeys{"no keys": nil, "wrong keys": {0x4000_0000_0011: {Session: make([]byte, 16)}}} {
			how.keys = keys
			got := s.play(t, how).want(`pull \ opaque done (encrypted)`)
			tr := got.Transfers[0]
			if e := tr.Estimate; e == nil || e.Low > 300_000 || e.High < 300_000 || e.Low < 285_000 || e.High > 310_000 {
				t.Errorf("%s: estimate %+v", name, tr.Estimate)
			}
			if tr.Size != nil || tr.User != "anna" || tr.Channel != "smb2" || got.BlindSeen["encrypted-smb3"] < 300_000 {
				t.Errorf("%s: %+v", name, tr.Transfer)
			}
		}
	}
}

// TestEstimates: the true size lies in the interval, in the heavier direction.
func TestEstimates(t *testing.T) {
	for _, n := range []int{0, 500, 4000, 50_000, 1_000_000} {
		for _, push := range []bool{false, true} {
			t.Run(fmt.Sprint(n, push), func(t *testing.T) {
				s := &script{}
				b := pattern(n, 3)
				encrypted(t, s, func(p *peer) {
					if push {
						p.pushed(1, "f", b)
					} else {
						p.pulled(1, "f", b)
					}
				})
				tr := s.run(t).Transfers[0]
				if e := tr.Estimate; int64(n) < e.Low || int64(n) > e.High || n < 5000 && e.Low != 0 {
					t.Errorf("estimate %+v of %d", e, n)
				}
				if want := map[bool]string{false: model.Pull, true: model.Push}[push]; n > 1000 && tr.Operation != want {
					t.Errorf("%s, want %s", tr.Operation, want)
				}
			})
		}
	}
}

// TestCompressed reads messages in LZNT1 whose payload is not compressible.
func TestCompressed(t *testing.T) {
	b := pattern(3000, 1)
	s, p := newScript(0x311)
	p.create(file{fid: 1, name: "f", access: asRead, action: 1, size: 3000})
	m := p.ask(cmdRead, readBody(1, 0, 65536))
	plain := p.msg(cmdRead, flagResponse, 0, m, readReply(b))
	// Chained: a header as it is, then a run of the pattern algorithm would do;
	// here one payload without compression (MS-SMB2 2.2.42.2).
	p.raw(1, frame(slices.Concat([]byte("\xfcSMB"), le("4:%d 2:0 2:1 4:%d", len(plain), len(plain)), plain)))
	p.close(1, 3000)
	p.end(wire.FIN)
	got := s.run(t).want(whole("pull", share+`\f`, b))
	if !got.Transfers[0].Session.Compressed {
		t.Error("session is not marked as compressed")
	}
}
