package smb1

import (
	"testing"

	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/wiretest"
)

// transact2 sends a TRANSACTION2 in one message each.
func (s *script) transact2(setup uint16, params, data, answerParams, answerData []byte) {
	const at = headerLen + 1 + 30 + 2
	ask := le(uint16(len(params)), uint16(len(data)), uint16(64), uint16(1024), byte(0), byte(0), uint16(0), uint32(0), uint16(0),
		uint16(len(params)), uint16(at), uint16(len(data)), uint16(at+len(params)), byte(1), byte(0), setup)
	const back = headerLen + 1 + 20 + 2
	answer := le(uint16(len(answerParams)), uint16(len(answerData)), uint16(0), uint16(len(answerParams)), uint16(back), uint16(0),
		uint16(len(answerData)), uint16(back+len(answerParams)), uint16(0), byte(0), byte(0))
	s.exchange(0, 7, []part{{cmdTransaction2, ask, le(params, data)}}, []part{{cmdTransaction2, answer, le(answerParams, answerData)}})
}

// TestOpen2 opens by TRANS2_OPEN2 (MS-CIFS 2.2.6.1) and by a POSIX open.
func TestOpen2(t *testing.T) {
	open2 := le(uint16(1), uint16(0), uint16(0), uint16(0), uint32(0), uint16(1), uint32(0), make([]byte, 10), "\\a.txt\x00")
	opened := le(uint16(9), uint16(0), uint32(0), uint32(300), uint16(0), uint16(0), uint16(0), uint16(1), uint32(0), uint16(0), uint32(0))
	posix := le(uint16(posixOpen), uint32(0), "\\b.txt\x00")
	how := le(uint32(0), uint32(2|0x10|0x40), uint64(0o644), uint16(0x0200))
	made := le(uint16(0), uint16(10), uint32(2), uint16(0x0200), uint16(0), uint64(0))
	s := &script{}
	s.connect(`\\SRV\D`, "A:")
	s.transact2(trans2Open, open2, nil, opened, nil)
	s.read(9, 0, 300, pattern(300))
	s.close(9)
	s.transact2(trans2SetPathInfo, posix, how, []byte{0, 0}, made)
	s.write(10, 0, pattern(400))
	s.close(10)
	env := s.play(t, 0)
	if len(env.Transfers) != 2 {
		t.Fatalf("%d transfers", len(env.Transfers))
	}
	for i, want := range []struct {
		path string
		size int
	}{{`\a.txt`, 300}, {`\b.txt`, 400}} {
		x := env.Transfers[i]
		if got := env.Result(x); !got.Whole || got.SHA256 != sum(pattern(want.size)) || x.Path != want.path {
			t.Errorf("%+v %+v", x.Transfer, got)
		}
	}
}

// inParts sets a new name by a transaction in two parts (MS-CIFS 3.2.4.1.5).
func inParts() *script {
	s := &script{}
	s.connect(`\\SRV\D`, "A:")
	s.create(3, `\new\a.part`, accessWriteData, 2, 0, 0)
	s.write(3, 0, pattern(200))
	params, data := le(uint16(3), uint16(passRename), uint16(0)), le(uint32(0), uint32(0), uint32(10), wide("b.exe")[:10])
	const at, later = headerLen + 1 + 30 + 2, headerLen + 1 + 18 + 2
	s.mid++
	s.message(0, 0, 7, part{cmdTransaction2, le(uint16(6), uint16(len(data)), uint16(2), uint16(0), byte(0), byte(0), uint16(0), uint32(0), uint16(0),
		uint16(6), uint16(at), uint16(15), uint16(at+6), byte(1), byte(0), uint16(trans2SetFileInfo)), le(params, data[:15])})
	s.message(1, 0, 7, part{cmdTransaction2, nil, nil}) // the server asks for the rest
	s.message(0, 0, 7, part{cmdTransaction2 + 1, le(uint16(6), uint16(len(data)), uint16(0), uint16(0), uint16(0),
		uint16(len(data)-15), uint16(later), uint16(15), uint16(3)), data[15:]})
	s.message(1, 0, 7, part{cmdTransaction2, le(uint16(2), uint16(0), uint16(0), uint16(2), uint16(headerLen+1+20+2), uint16(0), uint16(0), uint16(0), uint16(0), uint16(0)), []byte{0, 0}})
	s.close(3)
	return s
}

func TestParts(t *testing.T) {
	env := inParts().play(t, 0)
	if len(env.Transfers) != 1 {
		t.Fatalf("%d transfers", len(env.Transfers))
	}
	if x := env.Transfers[0]; x.Path != `\new\b.exe` || x.EarlierNames[0] != "a.part" {
		t.Errorf("%+v", x.Transfer)
	}
}

// TestRenameWithSlashes sets a new path as clients with UNIX extensions write it.
func TestRenameWithSlashes(t *testing.T) {
	s := &script{}
	s.connect(`\\SRV\D`, "A:")
	s.create(3, "/new/a.part", accessWriteData, 2, 0, 0)
	s.write(3, 0, pattern(200))
	s.transact2(trans2SetFileInfo, le(uint16(3), uint16(passRename), uint16(0)), le(uint32(0), uint32(0), uint32(16), wide("/b/c.exe")[:16]), []byte{0, 0}, nil)
	s.close(3)
	if env := s.play(t, 0); len(env.Transfers) != 1 || env.Transfers[0].Path != "/b/c.exe" {
		t.Errorf("%d transfers, %+v", len(env.Transfers), env.Transfers[0].Transfer)
	}
}

// TestMoves renames by NT_RENAME and MOVE, and copies by COPY (MS-CIFS 2.2.4.35,
// 2.2.4.36, 2.2.4.66). A link is no new name.
func TestMoves(t *testing.T) {
	s := &script{}
	s.connect(`\\SRV\D`, "A:")
	s.create(3, `\a`, accessWriteData, 2, 0, 0)
	s.write(3, 0, pattern(200))
	s.close(3)
	names := func(from, to string) []byte { return le(byte(4), from, byte(0), byte(4), to, byte(0)) }
	ntRename := func(level uint16, from, to string) {
		s.exchange(0, 7, []part{{cmdNTRename, le(uint16(0), level, uint32(0)), names(from, to)}}, []part{{cmdNTRename, nil, nil}})
	}
	ntRename(0x0103, `\a`, `\link`)
	ntRename(ntRenames, `\a`, `\b`)
	s.exchange(0, 7, []part{{cmdMove, le(uint16(7), uint16(0), uint16(0)), names(`\b`, `\c`)}}, []part{{cmdMove, le(uint16(1)), []byte{0}}})
	s.exchange(0, 7, []part{{cmdCopy, le(uint16(7), uint16(0), uint16(0)), names(`\c`, `\d`)}}, []part{{cmdCopy, le(uint16(1)), []byte{0}}})
	env := s.play(t, 0)
	if len(env.Transfers) != 2 {
		t.Fatalf("%d transfers", len(env.Transfers))
	}
	if x := env.Transfers[0]; x.Path != `\c` || len(x.EarlierNames) != 2 {
		t.Errorf("%+v", x.Transfer)
	}
	if x := env.Transfers[1]; x.Path != `\d` || x.Operation != model.Copy || x.Source != x.Destination || x.Client == nil || x.Notes[0] != `copied from \c` {
		t.Errorf("%+v", x.Transfer)
	}
}

// TestHoleInSetting: a new end of file that was not all seen is no end at 0.
func TestHoleInSetting(t *testing.T) {
	s := &script{}
	s.connect(`\\SRV\D`, "A:")
	s.create(3, `\a`, accessWriteData, 2, 0, 0)
	s.write(3, 0, pattern(2000))
	s.transact2(trans2SetFileInfo, le(uint16(3), uint16(setEndOfFile), make([]byte, 22)), le(uint64(2000)), []byte{0, 0}, nil)
	s.close(3)
	env := wiretest.New(t)
	l := env.Dial(New(env), ends.Ends[0], ends.Ends[1])
	for i, x := range s.turns {
		if i == len(s.turns)-4 {
			l.Send(0, x.Data[:len(x.Data)-8], 0)
			l.Lose(0, 8)
			continue
		}
		l.Send(x.From, x.Data, 0)
	}
	l.End(wire.FIN)
	if len(env.Transfers) != 1 {
		t.Fatalf("%d transfers", len(env.Transfers))
	}
	if got := env.Result(env.Transfers[0]); got.Seen != 2000 || got.Whole {
		t.Errorf("%+v", got)
	}
}

// TestIDsAgain: where the answer to a request was lost, one to a later request of the
// same id is not taken for it.
func TestIDsAgain(t *testing.T) {
	s := &script{}
	s.connect(`\\SRV\D`, "A:")
	s.create(3, `\a`, 1, 1, 3000, 0)
	s.read(3, 0, 1000, pattern(3000)[:1000])
	s.mid--
	s.read(3, 2000, 1000, pattern(3000)[2000:])
	s.close(3)
	env := wiretest.New(t)
	l := env.Dial(New(env), ends.Ends[0], ends.Ends[1])
	for i, x := range s.turns {
		if i == len(s.turns)-5 {
			l.Lose(1, int64(len(x.Data)))
			continue
		}
		l.Send(x.From, x.Data, 0)
	}
	l.End(wire.FIN)
	if len(env.Transfers) != 1 {
		t.Fatalf("%d transfers", len(env.Transfers))
	}
	if f := env.Transfers[0].Content; f.Front() != 0 || f.High() != 3000 || f.Seen() != 1000 {
		t.Errorf("from the front %d, up to %d, %d bytes", f.Front(), f.High(), f.Seen())
	}
}

// TestOneSide: writes to which no answer was captured count, however many.
func TestOneSide(t *testing.T) {
	const n = maxPending + 100
	s := &script{}
	s.create(3, `\a`, accessWriteData, 2, 0, 0)
	for i := range n {
		s.write(3, uint64(i)*10, pattern(10))
	}
	env := wiretest.New(t)
	l := env.Dial(New(env), ends.Ends[0], ends.Ends[1])
	for _, x := range s.turns {
		if x.From == 0 {
			l.Send(0, x.Data, 0)
		}
	}
	l.End(wire.FIN)
	if len(env.Transfers) != 1 {
		t.Fatalf("%d transfers", len(env.Transfers))
	}
	if got := env.Result(env.Transfers[0]); got.Seen != 10*n || got.Whole || env.BlindSeen["over-budget"] != 0 {
		t.Errorf("%+v, blind %v", got, env.BlindSeen)
	}
}

// TestBehindTheEnd: reads that begin behind the end of the file bring nothing and say
// nothing of where that is.
func TestBehindTheEnd(t *testing.T) {
	s := &script{}
	s.connect(`\\SRV\D`, "A:")
	s.create(3, `\a`, 1, 1, 1500, 0)
	for off := 0; off < 4000; off += 1000 {
		s.read(3, uint64(off), 1000, pattern(1500)[min(off, 1500):min(off+1000, 1500)])
	}
	s.close(3)
	env := s.play(t, 0)
	if len(env.Transfers) != 1 {
		t.Fatalf("%d transfers", len(env.Transfers))
	}
	if got := env.Result(env.Transfers[0]); !got.Whole || got.SHA256 != sum(pattern(1500)) {
		t.Errorf("%+v", got)
	}
}

// TestConflict: copies of bytes that differ are noted, and where the wrong one was
// taken the file is not whole.
func TestConflict(t *testing.T) {
	for _, corrupt := range []bool{false, true} {
		s := copying(false)
		env := wiretest.New(t)
		l := env.Dial(New(env), ends.Ends[0], ends.Ends[1])
		for i, x := range s.turns {
			if i == 8 {
				l.Conn.Conflicts[0], l.Conn.Corrupt = 3, corrupt
			}
			l.Send(x.From, x.Data, 0)
		}
		l.End(wire.FIN)
		if got := env.Result(env.Transfers[0]); got.Whole == corrupt || len(env.Transfers[0].Notes) != 1 {
			t.Errorf("corrupt %v: %+v %v", corrupt, got, env.Transfers[0].Notes)
		}
		if len(env.Transfers[1].Notes) != 0 {
			t.Errorf("its neighbour: %v", env.Transfers[1].Notes)
		}
	}
}
