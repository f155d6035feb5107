package nfs

import (
	"testing"

	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/wiretest"
)

func wcc(n int) raw { return pack(0, attr3(n)) }

// creating makes a file in the folder, and writing writes to it.
func (s *script) creating(name string) {
	s.call(progNFS, v3Create, pack(dirHandle, name, 1, 0, 0, 0, 0, 0, 0), pack(0, 1, fileHandle, attr3(0), 0, 0))
}

func (s *script) writing(off int, data []byte, size int) {
	s.call(progNFS, v3Write, pack(fileHandle, uint64(off), len(data), 2, data), pack(0, wcc(size), len(data), 2, uint64(1)))
}

func (s *script) one(t *testing.T) (*wiretest.Env, *wire.Transfer) {
	t.Helper()
	env := s.play(t, 0)
	if len(env.Transfers) != 1 {
		t.Fatalf("%d transfers", len(env.Transfers))
	}
	return env, env.Transfers[0]
}

// TestSetEnd: a file that was made ends where its end was set, with zeros before it.
func TestSetEnd(t *testing.T) {
	s := &script{version: 3}
	s.creating("disk.img")
	s.call(progNFS, v3SetAttr, pack(fileHandle, 0, 0, 0, 1, uint64(900), 0, 0, 0), pack(0, wcc(900)))
	s.writing(0, pattern(500), 900)
	env, x := s.one(t)
	want := append(pattern(500), make([]byte, 400)...)
	if got := env.Result(x); !got.Whole || got.SHA256 != sum(want) {
		t.Errorf("%+v", got)
	}
}

// TestSentAgain: a creation that is sent again, and answered again, does not cut what
// was written meanwhile.
func TestSentAgain(t *testing.T) {
	s := &script{version: 3, udp: true}
	s.creating("a.bin")
	s.writing(0, pattern(700), 700)
	s.turns = append(s.turns, s.turns[0], s.turns[1])
	env, x := s.one(t)
	if got := env.Result(x); !got.Whole || got.SHA256 != sum(pattern(700)) {
		t.Errorf("%+v", got)
	}
}

// TestRepliesFirst: over UDP replies that come before their calls count, in any order.
func TestRepliesFirst(t *testing.T) {
	s := &script{version: 3, udp: true}
	s.creating("a.bin")
	s.writing(0, pattern(700), 700)
	s.writing(700, pattern(300), 1000)
	for i := 2; i+1 < len(s.turns); i += 2 {
		s.turns[i], s.turns[i+1] = s.turns[i+1], s.turns[i]
	}
	env, x := s.one(t)
	if got := env.Result(x); !got.Whole || got.SHA256 != sum(append(pattern(700), pattern(300)...)) {
		t.Errorf("%+v", got)
	}
}

// TestLostDatagrams: a write of which neither call nor reply was seen is no hole of
// zeros.
func TestLostDatagrams(t *testing.T) {
	s := &script{version: 3, udp: true}
	s.creating("a.bin")
	s.writing(0, pattern(700), 700)
	s.writing(900, pattern(300), 1200)
	env, x := s.one(t)
	if got := env.Result(x); got.Whole || got.Size != 1200 || got.Reason != "messages were lost" {
		t.Errorf("%+v", got)
	}
}

// TestUnansweredMany: writes to which no answer was captured count, however many.
func TestUnansweredMany(t *testing.T) {
	s := &script{version: 3}
	for i := range maxPending + 10 {
		s.call(progNFS, v3Write, pack(fileHandle, uint64(i*10), 10, 2, pattern(10)), nil)
	}
	turns := s.turns
	s.turns = nil
	for _, x := range turns {
		if x.From == 0 {
			s.turns = append(s.turns, x)
		}
	}
	env, x := s.one(t)
	if got := env.Result(x); got.Seen != (maxPending+10)*10 || got.Reason != "answers not captured" {
		t.Errorf("%+v", got)
	}
	if env.BlindSeen["over-budget"] != 0 {
		t.Error("calls were given up")
	}
}

// TestIntegrity reads a write whose arguments and results are protected by
// RPCSEC_GSS (RFC 2203 5.3.3.4.2): a length and a sequence number come first.
func TestIntegrity(t *testing.T) {
	s := &script{version: 3}
	data := pattern(600)
	args := pack(7, raw(pack(fileHandle, uint64(0), len(data), 2, data)))
	results := pack(7, raw(pack(0, wcc(600), len(data), 2, uint64(1))))
	cred := pack(1, gssData, 7, gssIntegrity, "context")
	s.turns = []wiretest.Turn{
		{From: 0, Data: s.record(pack(1, 0, 2, progNFS, 3, v3Write, 6, cred, 6, "verifier", args, "checksum"))},
		{From: 1, Data: s.record(pack(1, 1, 0, 6, "verifier", 0, results, "checksum"))}}
	env, x := s.one(t)
	if got := env.Result(x); got.SHA256 != sum(data) || x.Auth != "kerberos" {
		t.Errorf("%+v %+v", x.Transfer, got)
	}
}

// TestSealed: what RPCSEC_GSS encrypts is counted as blind, and one opaque transfer.
func TestSealed(t *testing.T) {
	s := &script{version: 3}
	cred := pack(1, gssData, 7, gssPrivacy, "context")
	for i := range 4 {
		s.turns = append(s.turns,
			wiretest.Turn{From: 0, Data: s.record(pack(i, 0, 2, progNFS, 3, v3Read, 6, cred, 6, "verifier", pattern(100)))},
			wiretest.Turn{From: 1, Data: s.record(pack(i, 1, 0, 6, "verifier", 0, pattern(30_000+200)))})
	}
	env, x := s.one(t)
	if env.BlindSeen["encrypted-nfs"] < 120_000 {
		t.Errorf("blind %v", env.BlindSeen)
	}
	e := x.Estimate
	if x.Completeness != model.Opaque || x.Operation != model.Pull || e.Size < 118_000 || e.Size > 122_000 || e.Low > 120_000 || e.High < 120_000 {
		t.Errorf("%+v %+v", x.Transfer, e)
	}
}

// TestFolderLater: a file whose folder is named only after it was found has its whole
// path; so has one in a folder that got another name.
func TestFolderLater(t *testing.T) {
	s := &script{version: 3}
	root, file := "\x09root", "\x03other"
	s.call(progNFS, v3Lookup, pack(dirHandle, "read.me"), pack(0, file, attr3(300), 0))
	s.call(progNFS, v3Read, pack(file, uint64(0), 512), pack(0, attr3(300), 300, 1, pattern(300)))
	s.call(progMount, 1, pack("/export"), pack(0, root, 0))
	s.call(progNFS, v3Lookup, pack(root, "docs"), pack(0, dirHandle, 0, 0))
	s.call(progNFS, v3Rename, pack(root, "docs", root, "papers"), pack(0, 0, 0, 0, 0))
	if _, x := s.one(t); x.Share != "/export" || x.Path != "papers/read.me" || len(x.EarlierNames) != 0 {
		t.Errorf("%+v", x.Transfer)
	}
}

// TestRemovedOpen: a client that removes a file which it has open renames it first.
func TestRemovedOpen(t *testing.T) {
	s := &script{version: 3}
	s.creating("a.bin")
	s.writing(0, pattern(700), 700)
	s.call(progNFS, v3Rename, pack(dirHandle, "a.bin", dirHandle, ".nfs000000000000a1b2"), pack(0, 0, 0, 0, 0))
	if _, x := s.one(t); x.Name != "a.bin" || x.Deleted == nil {
		t.Errorf("%+v", x.Transfer)
	}
}

// TestListing4: handles that READDIR of version 4 gives name what is read by them.
func TestListing4(t *testing.T) {
	s := &script{version: 4}
	const wanted = 1<<attrSize | 1<<attrACL | 1<<attrHandle
	values := pack(uint64(400), 1, 0, 0, 7, "OWNER@", fileHandle)
	put := pack(opPutFH, dirHandle)
	s.call(progNFS, 1, pack("", 1, 2, raw(put), opReadDir, uint64(0), uint64(0), 512, 4096, 1, wanted),
		pack(0, "", 2, opPutFH, 0, opReadDir, 0, uint64(1), 1, uint64(3), "notes.txt", 1, wanted, values, 0, 1))
	s.call(progNFS, 1, pack("", 1, 2, opPutFH, fileHandle, opRead, id4, uint64(0), 512),
		pack(0, "", 2, opPutFH, 0, opRead, 0, 1, pattern(400)))
	env, x := s.one(t)
	if got := env.Result(x); !got.Whole || x.Name != "notes.txt" {
		t.Errorf("%+v %+v", x.Transfer, got)
	}
}

// TestGrowing: a file whose size changes while it is read is not whole.
func TestGrowing(t *testing.T) {
	s := &script{version: 3}
	s.call(progNFS, v3Read, pack(fileHandle, uint64(0), 300), pack(0, attr3(600), 300, 0, pattern(600)[:300]))
	s.call(progNFS, v3Read, pack(fileHandle, uint64(300), 300), pack(0, attr3(900), 300, 0, pattern(600)[300:]))
	s.call(progNFS, v3Read, pack(fileHandle, uint64(600), 300), pack(0, attr3(900), 300, 1, pattern(300)))
	env, x := s.one(t)
	if got := env.Result(x); got.Whole || got.Reason != "size changed while it was read" || x.Operation != model.Pull {
		t.Errorf("%+v", got)
	}
}

// TestHoleInAttributes: a size that was not all seen is not known.
func TestHoleInAttributes(t *testing.T) {
	s := &script{version: 4}
	put, tag := pack(opPutFH, fileHandle), string(pattern(300))
	s.call(progNFS, 1, pack("", 1, 2, raw(put), opRead, id4, uint64(0), 300),
		pack(0, "", 2, opPutFH, 0, opRead, 0, 0, pattern(300)))
	s.call(progNFS, 1, pack(tag, 1, 2, raw(put), opGetAttr, 1, 1<<attrSize),
		pack(0, tag, 2, opPutFH, 0, opGetAttr, 0, 1, 1<<attrSize, pack(uint64(900))))
	env := wiretest.New(t)
	p := New(env)
	l := env.Dial(p, wiretest.Addr("10.0.0.1:900"), wiretest.Addr("10.0.0.2:2049"))
	for i, x := range s.turns {
		if i == 3 {
			l.Send(1, x.Data[:len(x.Data)-8], 0)
			l.Lose(1, 8)
			continue
		}
		l.Send(x.From, x.Data, 0)
	}
	l.End(wire.FIN)
	p.Flush(env.Next())
	if len(env.Transfers) != 1 {
		t.Fatalf("%d transfers", len(env.Transfers))
	}
	if got := env.Result(env.Transfers[0]); got.Whole || got.Reason != "the file's size is not known" {
		t.Errorf("%+v", got)
	}
}

// TestBehindTheEnd: reads that begin behind the end of the file say nothing of where
// that is.
func TestBehindTheEnd(t *testing.T) {
	s := &script{version: 3}
	for _, off := range []int{0, 300, 600, 900} {
		part := pattern(500)[min(off, 500):min(off+300, 500)]
		eof := 0
		if off+300 >= 500 {
			eof = 1
		}
		s.call(progNFS, v3Read, pack(fileHandle, uint64(off), 300), pack(0, attr3(500), len(part), eof, part))
	}
	env, x := s.one(t)
	if got := env.Result(x); !got.Whole || got.SHA256 != sum(pattern(500)) {
		t.Errorf("%+v", got)
	}
}

// TestConflict: copies of bytes that differ are noted, and where the wrong one was
// taken the file is not whole.
func TestConflict(t *testing.T) {
	for _, corrupt := range []bool{false, true} {
		s := version3Script(false)
		env := wiretest.New(t)
		p := New(env)
		l := env.Dial(p, wiretest.Addr("10.0.0.1:900"), wiretest.Addr("10.0.0.2:2049"))
		for i, x := range s.turns {
			if i == 6 {
				l.Conn.Conflicts[0], l.Conn.Corrupt = 3, corrupt
			}
			l.Send(x.From, x.Data, 0)
		}
		l.End(wire.FIN)
		p.Flush(env.Next())
		if got := env.Result(env.Transfers[0]); got.Whole == corrupt || len(env.Transfers[0].Notes) != 1 {
			t.Errorf("corrupt %v: %+v %v", corrupt, got, env.Transfers[0].Notes)
		}
		if len(env.Transfers[1].Notes) != 0 {
			t.Errorf("its neighbour: %v", env.Transfers[1].Notes)
		}
	}
}
