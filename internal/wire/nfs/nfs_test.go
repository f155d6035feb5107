package nfs

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"testing"

	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/wiretest"
)

// pack writes external data representation (RFC 4506): numbers of 4 bytes, uint64
// of 8, strings and bytes with their length and padding.
func pack(values ...any) []byte {
	var b []byte
	for _, v := range values {
		switch v := v.(type) {
		case int:
			b = binary.BigEndian.AppendUint32(b, uint32(v))
		case uint64:
			b = binary.BigEndian.AppendUint64(b, v)
		case string:
			b = append(b, pack([]byte(v))...)
		case []byte:
			b = binary.BigEndian.AppendUint32(b, uint32(len(v)))
			b = append(b, v...)
			b = append(b, make([]byte, -len(v)&3)...)
		case raw:
			b = append(b, v...)
		}
	}
	return b
}

// raw is bytes as they are.
type raw []byte

// script is a conversation of calls and their replies.
type script struct {
	xid     int
	version int
	udp     bool
	turns   []wiretest.Turn
}

func (s *script) record(b []byte) []byte {
	if s.udp {
		return b
	}
	return append(binary.BigEndian.AppendUint32(nil, lastMark|uint32(len(b))), b...)
}

// call adds a call as uid 1000 of host ws1, and its reply.
func (s *script) call(program, proc int, args, results []byte) {
	s.xid++
	cred := pack(7, "ws1", 1000, 100, 0)
	s.turns = append(s.turns,
		wiretest.Turn{From: 0, Data: s.record(pack(s.xid, 0, 2, program, s.version, proc, 1, cred, 0, 0, raw(args)))},
		wiretest.Turn{From: 1, Data: s.record(pack(s.xid, 1, 0, 0, 0, 0, raw(results)))})
}

func (s *script) play(t *testing.T, size int) *wiretest.Env {
	c := wire.Conn{Ends: [2]wire.AddrPort{wiretest.Addr("10.0.0.1:900"), wiretest.Addr("10.0.0.2:2049")}, UDP: s.udp}
	return wiretest.Play(t, New, c, size, s.turns)
}

func attr3(size int) raw {
	return pack(1, 1, 0o644, 1, 1000, 100, uint64(size), uint64(size), uint64(0), uint64(1), uint64(9), uint64(0), uint64(0), uint64(0))
}

// handles of the scripts.
const dirHandle, fileHandle = "\x01dir handle", "\x02file handle"

func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8)
	}
	return b
}

// version3Script mounts an export, writes a file out of order, renames it, and
// reads another one.
func version3Script(udp bool) *script {
	s := &script{version: 3, udp: udp}
	s.call(progMount, 1, pack("/export"), pack(0, dirHandle, 0))
	data := pattern(5000)
	s.call(progNFS, v3Create, pack(dirHandle, "tool.tmp", 0, 0, 0, 0, 0, 0, 0), pack(0, 1, fileHandle, attr3(0), 0, 0))
	wcc := func(n int) raw { return pack(0, attr3(n)) }
	s.call(progNFS, v3Write, pack(fileHandle, uint64(3000), 2000, 2, data[3000:]), pack(0, wcc(5000), 2000, 2, uint64(1)))
	s.call(progNFS, v3Write, pack(fileHandle, uint64(0), 3000, 2, data[:3000]), pack(0, wcc(5000), 3000, 2, uint64(1)))
	s.call(progNFS, v3Rename, pack(dirHandle, "tool.tmp", dirHandle, "tool.exe"), pack(0, 0, 0, 0, 0))
	other := "\x03other"
	s.call(progNFS, v3Lookup, pack(dirHandle, "read.me"), pack(0, other, attr3(700), 0))
	s.call(progNFS, v3Read, pack(other, uint64(0), 512), pack(0, attr3(700), 512, 0, pattern(700)[:512]))
	s.call(progNFS, v3Read, pack(other, uint64(512), 512), pack(0, attr3(700), 188, 1, pattern(700)[512:]))
	s.call(progNFS, v3Read, pack("\x04secret", uint64(0), 512), pack(13, 0))
	return s
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

func TestVersion3(t *testing.T) {
	for _, udp := range []bool{false, true} {
		for _, size := range []int{0, 7, 1000} {
			env := version3Script(udp).play(t, size)
			if len(env.Transfers) != 3 {
				t.Fatalf("udp %v, segments of %d: %d transfers", udp, size, len(env.Transfers))
			}
			w, r, d := env.Transfers[0], env.Transfers[1], env.Transfers[2]
			if got := env.Result(w); !got.Whole || got.SHA256 != sum(pattern(5000)) || w.Name != "tool.exe" || w.EarlierNames[0] != "tool.tmp" ||
				w.Share != "/export" || w.Operation != model.Push || w.User != "uid 1000 gid 100" || w.Session.Workstation != "ws1" {
				t.Errorf("written: %+v %+v", w.Transfer, got)
			}
			if got := env.Result(r); !got.Whole || got.SHA256 != sum(pattern(700)) || r.Name != "read.me" || r.Operation != model.Pull {
				t.Errorf("read: %+v %+v", r.Transfer, got)
			}
			if d.Status != model.Denied || d.Reason != "refused: NFSERR_ACCES" {
				t.Errorf("refused: %+v", d.Transfer)
			}
		}
	}
}

// TestLostReply: bytes asked for count where the capture lacks the answer.
func TestLostReply(t *testing.T) {
	s := version3Script(true)
	turns := s.turns[:0:0]
	for i, x := range s.turns {
		if x.From == 0 && i < 8 {
			turns = append(turns, x)
		}
	}
	s.turns = turns
	env := s.play(t, 0)
	if len(env.Transfers) != 1 {
		t.Fatalf("%d transfers", len(env.Transfers))
	}
	if got := env.Result(env.Transfers[0]); got.Whole || got.Reason != "answers not captured" || got.Seen != 5000 {
		t.Errorf("%+v", got)
	}
}

// state and sequence of version 4 are not looked at.
var id4 = raw(make([]byte, 16))

// version4Script opens, writes and closes a file in compounds of NFS 4.1.
func version4Script() *script {
	s := &script{version: 4}
	data := pattern(4000)
	sequence, sequenced := pack(opSequence, id4, 1, 0, 0, 0), pack(opSequence, 0, id4, 1, 0, 0, 0, 0)
	put, wasPut := pack(opPutFH, dirHandle), pack(opPutFH, 0)
	size0 := pack(1, 1<<attrSize, pack(uint64(0)))
	open := pack(opOpen, 0, 2, 0, uint64(5), "owner", 1, 0, raw(size0), 0, "new.bin")
	opened := pack(opOpen, 0, id4, 1, uint64(1), uint64(2), 0, 0, 0)
	s.call(progNFS, 1, pack("", 1, 4, raw(sequence), raw(put), raw(open), opGetFH),
		pack(0, "", 4, raw(sequenced), raw(wasPut), raw(opened), opGetFH, 0, fileHandle))
	write := func(off int, b []byte) {
		s.call(progNFS, 1, pack("", 1, 3, raw(sequence), opPutFH, fileHandle, opWrite, id4, uint64(off), 2, b),
			pack(0, "", 3, raw(sequenced), raw(wasPut), opWrite, 0, len(b), 2, uint64(0)))
	}
	write(0, data[:1000])
	write(1000, data[1000:])
	s.call(progNFS, 1, pack("", 1, 3, raw(sequence), opPutFH, fileHandle, opClose, 0, id4),
		pack(0, "", 3, raw(sequenced), raw(wasPut), opClose, 0, id4))
	return s
}

func TestVersion4(t *testing.T) {
	for _, size := range []int{0, 3, 999} {
		env := version4Script().play(t, size)
		if len(env.Transfers) != 1 {
			t.Fatalf("%d transfers", len(env.Transfers))
		}
		w := env.Transfers[0]
		if got := env.Result(w); !got.Whole || got.SHA256 != sum(pattern(4000)) || w.Name != "new.bin" {
			t.Errorf("%+v %+v", w.Transfer, got)
		}
	}
}

// TestEmpty: a file that was made and nothing written to is one that moved, unless
// it was removed again (lock files).
func TestEmpty(t *testing.T) {
	for _, removed := range []bool{false, true} {
		s := &script{version: 3}
		s.call(progMount, 1, pack("/export"), pack(0, dirHandle, 0))
		s.call(progNFS, v3Create, pack(dirHandle, "empty", 0, 0, 0, 0, 0, 0, 0), pack(0, 1, fileHandle, attr3(0), 0, 0))
		if removed {
			s.call(progNFS, v3Remove, pack(dirHandle, "empty"), pack(0, 0, 0))
		}
		env := s.play(t, 0)
		if removed && len(env.Transfers) != 0 || !removed && len(env.Transfers) != 1 {
			t.Fatalf("removed %v: %d transfers", removed, len(env.Transfers))
		}
		if removed {
			continue
		}
		w := env.Transfers[0]
		if got := env.Result(w); !got.Whole || got.SHA256 != sum(nil) || w.Name != "empty" || w.Operation != model.Push {
			t.Errorf("%+v %+v", w.Transfer, got)
		}
	}
}

// TestHole: a hole in a write costs its bytes and nothing else.
func TestHole(t *testing.T) {
	s := version3Script(false)
	env := wiretest.New(t)
	p := New(env)
	l := env.Dial(p, wiretest.Addr("10.0.0.1:900"), wiretest.Addr("10.0.0.2:2049"))
	for i, x := range s.turns {
		if i == 6 { // the write of the first 3,000 bytes
			l.Send(x.From, x.Data[:1200], 0)
			l.Lose(x.From, 100)
			l.Send(x.From, x.Data[1300:], 0)
			continue
		}
		l.Send(x.From, x.Data, 100)
	}
	l.End(wire.FIN)
	p.Flush(env.Next())
	if len(env.Transfers) != 3 {
		t.Fatalf("%d transfers", len(env.Transfers))
	}
	if got := env.Result(env.Transfers[0]); got.Whole || got.Seen != 4900 {
		t.Errorf("with a hole: %+v", got)
	}
	if got := env.Result(env.Transfers[1]); !got.Whole || got.SHA256 != sum(pattern(700)) {
		t.Errorf("its neighbour: %+v", got)
	}
}

func FuzzConversation(f *testing.F) {
	c := wire.Conn{Ends: [2]wire.AddrPort{wiretest.Addr("10.0.0.1:900"), wiretest.Addr("10.0.0.2:2049")}}
	wiretest.Fuzz(f, New, c, version3Script(false).turns, version4Script().turns, secured(f).turns)
}

func FuzzDatagrams(f *testing.F) {
	c := wire.Conn{UDP: true, Ends: [2]wire.AddrPort{wiretest.Addr("10.0.0.1:900"), wiretest.Addr("10.0.0.2:2049")}}
	v2 := &script{version: 2, udp: true}
	handle := raw(bytes.Repeat([]byte{7}, v2Handle))
	v2.call(progNFS, v2Write, pack(handle, 0, 0, 5, "hello"), pack(0, raw(make([]byte, 68))))
	wiretest.Fuzz(f, New, c, version3Script(true).turns, v2.turns)
}
