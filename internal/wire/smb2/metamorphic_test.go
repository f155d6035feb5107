package smb2

import (
	"slices"
	"strings"
	"testing"

	"waybill/internal/model"
	"waybill/internal/wire"
)

// everyday is a conversation with a bit of everything.
func everyday() (*script, map[string]string) {
	s, p := newScript(0x311)
	a, b, c := pattern(70_000, 1), pattern(66_001, 2), pattern(900, 3)
	p.pulled(1, "a.bin", a)
	p.pushed(2, "b.bin", b)
	// Reads in flight, answered out of order.
	p.create(file{fid: 3, name: "c.bin", access: asRead, action: 1, size: 900})
	m1 := p.ask(cmdRead, readBody(3, 0, 300))
	m2 := p.ask(cmdRead, readBody(3, 300, 300))
	m3 := p.ask(cmdRead, readBody(3, 600, 300))
	p.reply(m3, cmdRead, 0, readReply(c[600:]))
	p.reply(m1, cmdRead, statusPending, body9())
	p.reply(m2, cmdRead, 0, readReply(c[300:600]))
	p.reply(m1, cmdRead, 0, readReply(c[:300]))
	p.close(3, 900)
	// A compound of open, write and close.
	p.compoundWrite(4, "d.txt", c)
	p.end(wire.FIN)
	return s, map[string]string{"a.bin": digest(a), "b.bin": digest(b), "c.bin": digest(c), "d.txt": digest(c)}
}

// compoundWrite opens, writes and closes in one compound.
func (p *peer) compoundWrite(fid uint64, name string, data []byte) {
	f := file{fid: fid, name: name, access: asWrite, action: 2}
	related := *p
	related.flags = flagRelated
	m := p.mid + 1
	p.mid += 3
	p.raw(0, chainOf(
		p.msg(cmdCreate, 0, 0, m, f.asked()),
		related.msg(cmdWrite, 0, 0, m+1, slices.Concat(writeBody(0, 0, data)[:16], le("8:%d 8:%d", ^uint64(0), ^uint64(0)), writeBody(0, 0, data)[32:])),
		related.msg(cmdClose, 0, 0, m+2, append(le("2:24 2:1 4:0"), le("8:%d 8:%d", ^uint64(0), ^uint64(0))...)),
	))
	p.raw(1, chainOf(
		p.msg(cmdCreate, flagResponse, 0, m, f.granted()),
		p.msg(cmdWrite, flagResponse, 0, m+1, writeReply(len(data))),
		p.msg(cmdClose, flagResponse, 0, m+2, closeReply(int64(len(data)))),
	))
}

func TestSegmentation(t *testing.T) {
	s, _ := everyday()
	want := s.run(t)
	if len(want.Transfers) != 4 {
		t.Fatalf("transfers: %q", want.lines())
	}
	for _, size := range []int{1, 3, 17, 64, 68, 1448, 9000} {
		for _, blocks := range []bool{false, true} {
			how := plainly
			how.size, how.blocks = size, blocks
			got := s.play(t, how)
			got.want(want.lines()...)
			for i, tr := range got.Transfers {
				if tr.ID != want.Transfers[i].ID {
					t.Errorf("segments of %d: id %s, want %s", size, tr.ID, want.Transfers[i].ID)
				}
			}
			if a, b := got.accesses("logon", "share-connect"), want.accesses("logon", "share-connect"); !slices.Equal(a, b) {
				t.Errorf("segments of %d: accesses %q, want %q", size, a, b)
			}
		}
	}
}

// TestDropAnySegment loses each segment once: no hash may ever be wrong, and
// files that the segment has no part in stay whole.
func TestDropAnySegment(t *testing.T) {
	s, hashes := everyday()
	segments := 0
	for _, st := range s.steps {
		segments += (len(st.data) + 1447) / 1448
	}
	for i := range segments {
		how := plainly
		how.size, how.drop = 1448, i
		got := s.play(t, how)
		wholes := 0
		for _, tr := range got.Transfers {
			if tr.Content == nil {
				continue
			}
			r := tr.Content.Result()
			if r.Whole && r.SHA256 != hashes[tr.Name] && tr.Name != "" {
				t.Errorf("segment %d lost: wrong hash: %s", i, line(tr))
			}
			if r.Whole && tr.Name == "" && !slices.Contains(mapValues(hashes), r.SHA256) {
				t.Errorf("segment %d lost: wrong hash of a nameless file: %s", i, line(tr))
			}
			if r.Whole {
				wholes++
			}
		}
		if wholes < len(hashes)-1 {
			t.Errorf("segment %d lost: only %d whole: %s", i, wholes, strings.Join(got.lines(), "\n"))
		}
	}
}

func mapValues(m map[string]string) []string {
	var out []string
	for _, v := range m {
		out = append(out, v)
	}
	return out
}

// TestLateStart plays only the end of a conversation: what was opened before is
// adopted, what is opened later is whole.
func TestLateStart(t *testing.T) {
	s, hashes := everyday()
	for skip := range len(s.steps) - 1 {
		late := &script{conns: slices.Clone(s.conns), steps: s.steps[skip:]}
		late.conns[0].FromStart, late.conns[0].Opened = [2]bool{}, false
		for _, tr := range late.run(t).Transfers {
			r := tr.Content.Result()
			if r.Whole && !slices.Contains(mapValues(hashes), r.SHA256) {
				t.Errorf("from step %d on: wrong hash: %s", skip, line(tr))
			}
		}
	}
	late := &script{conns: slices.Clone(s.conns), steps: s.steps[8:]}
	late.conns[0].FromStart, late.conns[0].Opened = [2]bool{}, false
	got := late.run(t)
	if n := wholes(got); n != 4 {
		t.Errorf("session setup not seen: %d whole of 4: %q", n, got.lines())
	}
	for _, tr := range got.Transfers {
		if tr.Share != "" || tr.Channel != "smb2" {
			t.Errorf("share %q, channel %q of a tree and dialect not seen", tr.Share, tr.Channel)
		}
	}
}

func wholes(p *played) int {
	n := 0
	for _, tr := range p.Transfers {
		if tr.Content != nil && tr.Content.Result().Whole {
			n++
		}
	}
	return n
}

// TestMiddleOfMessage starts a capture inside a bulk read.
func TestMiddleOfMessage(t *testing.T) {
	s := &script{}
	p := s.late(clientEnd, serverEnd)
	s.conns[0].Opened = true
	b := pattern(5000, 4)
	p.raw(1, frame(p.msg(cmdRead, flagResponse, 0, 9, readReply(pattern(9000, 5))))[1000:])
	p.pushed(2, "b.bin", b)
	p.end(wire.FIN)
	for _, size := range []int{0, 1, 50, 1448} {
		how := plainly
		how.size = size
		s.play(t, how).want(whole("push", `\b.bin`, b))
	}
}

// TestOneDirection captures only one side.
func TestOneDirection(t *testing.T) {
	s, p := newScript(0x210)
	b := pattern(100_000, 2)
	p.pushed(2, "b.bin", b)
	p.pulled(3, "c.bin", b[:5000])
	p.end(wire.FIN)
	how := plainly
	how.side = 0
	got := s.play(t, how)
	got.want(
		`push \\srv\data\b.bin partial done (answers not captured) [name told by the order of requests]`,
		`pull \\srv\data\c.bin partial claimed (answers not captured) [name told by the order of requests]`,
	)
	for _, tr := range got.Transfers {
		if tr.Operation == model.Push && tr.Content.Result().Seen != 100_000 {
			t.Errorf("seen %d of the requested bytes", tr.Content.Result().Seen)
		}
		if tr.Operation == model.Pull && *tr.BytesSeen != 65_536 {
			t.Errorf("asked for %d", *tr.BytesSeen)
		}
	}
	how.side = 1
	got = s.play(t, how).want()
	if got.BlindSeen["around-loss"] != 5000 {
		t.Errorf("blind: %v", got.BlindSeen)
	}
}

// TestForgedHeaders: file content that looks like messages is never taken for
// some while framing is known.
func TestForgedHeaders(t *testing.T) {
	s, p := newScript(0x210)
	forged := frame(p.msg(cmdClose, 0, 0, 99, closeBody(2)))
	b := slices.Concat(pattern(100, 1), forged, pattern(3000, 2), forged, pattern(500, 3))
	p.pushed(2, "b.bin", b)
	p.pulled(3, "c.bin", b)
	p.end(wire.FIN)
	s.run(t).want(whole("push", share+`\b.bin`, b), whole("pull", share+`\c.bin`, b))
}

// TestBadMessageCostsItself puts damage between good messages.
func TestBadMessageCostsItself(t *testing.T) {
	b := pattern(3000, 2)
	for name, bad := range map[string][]byte{
		"no header":       frame([]byte("\xfeSMB\x40\x00 but then it ends")),
		"structure size":  frame(append([]byte("\xfeSMB\x41\x00"), make([]byte, 100)...)),
		"not SMB":         frame(pattern(200, 7)),
		"empty":           {0, 0, 0, 0},
		"keep-alive":      {0x85, 0, 0, 0},
		"chain loop":      frame(append([]byte("\xfeSMB\x40\x00"), slices.Concat(make([]byte, 14), []byte{1, 0, 0, 0}, make([]byte, 80))...)),
		"long write":      frame((&peer{}).msg(cmdWrite, 0, 0, 50, slices.Concat(le("2:49 2:112 4:4294967295 8:0"), id(2), make([]byte, 20)))),
		"bad compression": frame(slices.Concat([]byte("\xfcSMB"), le("4:100 2:9 2:0 4:0"), make([]byte, 80))),
		"bad framing":     pattern(333, 9),
	} {
		t.Run(name, func(t *testing.T) {
			s, p := newScript(0x210)
			p.create(file{fid: 2, name: "b.bin", access: asWrite, action: 2})
			p.write(2, 0, b[:1000])
			p.raw(0, bad)
			p.write(2, 1000, b[1000:])
			p.raw(1, bad)
			p.close(2, 3000)
			p.end(wire.FIN)
			for _, size := range []int{0, 1, 100} {
				how := plainly
				how.size = size
				s.play(t, how).want(whole("push", share+`\b.bin`, b))
			}
		})
	}
}
