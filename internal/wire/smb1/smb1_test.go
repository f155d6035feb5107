package smb1

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"
	"unicode/utf16"

	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/wiretest"
)

var le = wiretest.LE

func wide(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s + "\x00")) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

// script is a conversation.
type script struct {
	mid    uint16
	flags2 uint16
	turns  []wiretest.Turn
}

// part is one command of a chain: parameters and data.
type part struct {
	command byte
	words   []byte
	bytes   []byte
}

// message builds a message; AndX fields are filled in.
func (s *script) message(from wire.Side, status uint32, tree uint16, parts ...part) {
	flags := byte(0)
	if from == 1 {
		flags = flagReply
	}
	b := le(magic, parts[0].command, status, flags, s.flags2|flags2NTStatus, uint16(0), uint64(0), uint16(0), tree, uint16(1), uint16(100), s.mid)
	for i, p := range parts {
		words := append([]byte(nil), p.words...)
		next := len(b) + 1 + len(words) + 2 + len(p.bytes)
		if andX(p.command) && len(words) >= 4 {
			words[0] = cmdNone
			if i+1 < len(parts) {
				words[0] = parts[i+1].command
				binary.LittleEndian.PutUint16(words[2:], uint16(next))
			}
		}
		b = append(b, byte(len(words)/2))
		b = append(b, words...)
		b = binary.LittleEndian.AppendUint16(b, uint16(len(p.bytes)))
		b = append(b, p.bytes...)
	}
	s.raw(from, b)
}

func (s *script) raw(from wire.Side, b []byte) {
	s.turns = append(s.turns, wiretest.Turn{From: from, Data: append([]byte{0, byte(len(b) >> 16), byte(len(b) >> 8), byte(len(b))}, b...)})
}

// ask and answer one message each.
func (s *script) exchange(status uint32, tree uint16, ask, answer []part) {
	s.mid++
	s.message(0, 0, tree, ask...)
	s.message(1, status, tree, answer...)
}

var andXWords = []byte{cmdNone, 0, 0, 0}

// text is a name, aligned where it is wide; at is how far the data begin behind
// an even offset.
func (s *script) text(name string, pad bool) []byte {
	if s.flags2&flags2Unicode == 0 {
		return []byte(name + "\x00")
	}
	if pad {
		return append([]byte{0}, wide(name)...)
	}
	return wide(name)
}

func (s *script) connect(share, service string) {
	user := s.text("anna", true)
	if s.flags2&flags2Unicode == 0 {
		user = []byte("anna\x00CORP\x00Unix\x00Samba\x00")
	} else {
		user = append(user, wide("CORP")...)
		user = append(user, wide("Unix")...)
		user = append(user, wide("Samba")...)
	}
	setup := le(andXWords, uint16(16644), uint16(50), uint16(0), uint32(0), uint16(24), uint16(24), uint32(0), uint32(0))
	s.exchange(0, 0,
		[]part{{cmdSessionSetup, setup, le(make([]byte, 48), user)}},
		[]part{{cmdSessionSetup, le(andXWords, uint16(0)), s.text("Windows 5.1", true)}})
	s.exchange(0, 7,
		[]part{{cmdTreeConnectX, le(andXWords, uint16(0), uint16(1)), le(byte(0), s.text(share, false), service, byte(0))}},
		[]part{{cmdTreeConnectX, le(andXWords, uint16(0)), le(service, byte(0), s.text("NTFS", false))}})
}

func (s *script) create(fid uint16, name string, access, action uint32, size uint64, kind uint16) {
	ask := le(andXWords, byte(0), uint16(len(name)*2), uint32(0), uint32(0), access, uint64(0), uint32(0), uint32(0), uint32(5), uint32(0), uint32(2), byte(0))
	answer := le(andXWords, byte(0), fid, action, uint64(0), uint64(0), uint64(77), uint64(0), uint32(0x80), size, size, kind, uint16(0), byte(0))
	s.exchange(0, 7, []part{{cmdNTCreate, ask, s.text(name, true)}}, []part{{cmdNTCreate, answer, nil}})
}

func (s *script) write(fid uint16, off uint64, data []byte) {
	const at = headerLen + 1 + 28 + 2
	ask := le(andXWords, fid, uint32(off), uint32(0), uint16(0), uint16(0), uint16(len(data)>>16), uint16(len(data)), uint16(at), uint32(off>>32))
	s.exchange(0, 7, []part{{cmdWriteAndX, ask, data}},
		[]part{{cmdWriteAndX, le(andXWords, uint16(len(data)), uint16(0), uint16(len(data)>>16), uint16(0)), nil}})
}

func (s *script) read(fid uint16, off uint64, count int, data []byte) {
	const at = headerLen + 1 + 24 + 2
	ask := le(andXWords, fid, uint32(off), uint16(count), uint16(0), uint32(0), uint16(0), uint32(off>>32))
	answer := le(andXWords, uint16(0), uint16(0), uint16(0), uint16(len(data)), uint16(at), uint16(len(data)>>16), make([]byte, 8))
	s.exchange(0, 7, []part{{cmdReadAndX, ask, nil}}, []part{{cmdReadAndX, answer, data}})
}

func (s *script) close(fid uint16) {
	s.exchange(0, 7, []part{{cmdClose, le(fid, uint32(0)), nil}}, []part{{cmdClose, nil, nil}})
}

var ends = wire.Conn{Ends: [2]wire.AddrPort{wiretest.Addr("10.0.0.1:40000"), wiretest.Addr("10.0.0.2:445")}}

func (s *script) play(t *testing.T, size int) *wiretest.Env {
	return wiretest.Play(t, New, ends, size, s.turns)
}

func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*5 + i>>7)
	}
	return b
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// copying pushes a file in two writes out of order and pulls another one.
func copying(unicode bool) *script {
	s := &script{}
	if unicode {
		s.flags2 = flags2Unicode
	}
	s.connect(`\\SRV\ADMIN$`, "A:")
	s.create(0x4001, `\tool.exe`, accessWriteData, 2, 0, 0)
	data := pattern(9000)
	s.write(0x4001, 4000, data[4000:])
	s.write(0x4001, 0, data[:4000])
	s.close(0x4001)
	s.create(0x4002, `\docs\plan.txt`, 1, 1, 600, 0)
	s.read(0x4002, 0, 400, pattern(600)[:400])
	s.read(0x4002, 400, 400, pattern(600)[400:])
	s.close(0x4002)
	return s
}

const accessWriteData = 0x2

func TestCopies(t *testing.T) {
	for _, unicode := range []bool{false, true} {
		for _, size := range []int{0, 5, 700} {
			env := copying(unicode).play(t, size)
			if len(env.Transfers) != 2 {
				t.Fatalf("unicode %v, segments of %d: %d transfers", unicode, size, len(env.Transfers))
			}
			w, r := env.Transfers[0], env.Transfers[1]
			if got := env.Result(w); !got.Whole || got.SHA256 != sum(pattern(9000)) || w.Path != `\tool.exe` || w.Share != `\\SRV\ADMIN$` ||
				w.Operation != model.Push || w.User != "anna" || w.Domain != "CORP" {
				t.Errorf("written: %+v %+v", w.Transfer, got)
			}
			if got := env.Result(r); !got.Whole || got.SHA256 != sum(pattern(600)) || r.Name != "plan.txt" || r.Operation != model.Pull {
				t.Errorf("read: %+v %+v", r.Transfer, got)
			}
		}
	}
}

// chained opens and reads in one message (MS-CIFS 2.2.3.4).
func chained() *script {
	s := &script{}
	s.connect(`\\SRV\C$`, "A:")
	open := le(andXWords, uint16(0), uint16(0), uint16(0), uint16(0), uint32(0), uint16(1), uint32(0), uint32(0), uint32(0))
	opened := le(andXWords, uint16(9), uint16(0), uint32(0), uint32(5), uint16(0), uint16(0), uint16(0), uint16(1), uint32(0), uint16(0))
	read := le(andXWords, uint16(0xffff), uint32(0), uint16(5), uint16(0), uint32(0), uint16(0))
	at := uint16(headerLen + 1 + len(opened) + 2 + 1 + 24 + 2)
	answer := le(andXWords, uint16(0), uint16(0), uint16(0), uint16(5), at, uint16(0), make([]byte, 8))
	s.exchange(0, 7, []part{{cmdOpenAndX, open, []byte("\\a.txt\x00")}, {cmdReadAndX, read, nil}},
		[]part{{cmdOpenAndX, opened, nil}, {cmdReadAndX, answer, []byte("hello")}})
	s.close(9)
	return s
}

func TestChain(t *testing.T) {
	env := chained().play(t, 0)
	if len(env.Transfers) != 1 {
		t.Fatalf("%d transfers", len(env.Transfers))
	}
	if got := env.Result(env.Transfers[0]); !got.Whole || got.SHA256 != sum([]byte("hello")) {
		t.Errorf("%+v %+v", env.Transfers[0].Transfer, got)
	}
}

// rawCopies write and read without headers (MS-CIFS 2.2.4.22, 2.2.4.25).
func rawCopies() *script {
	s := &script{}
	s.connect(`\\SRV\D$`, "A:")
	s.create(3, `\raw.bin`, accessWriteData, 2, 0, 0)
	s.mid++
	const at = headerLen + 1 + 24 + 2
	s.message(0, 0, 7, part{cmdWriteRaw, le(uint16(3), uint16(1000), uint16(0), uint32(0), uint32(0), uint16(1), uint32(0), uint16(10), uint16(at)), pattern(1000)[:10]})
	s.message(1, 0, 7, part{cmdWriteRaw, le(uint16(0)), nil})
	s.raw(0, pattern(1000)[10:])
	s.message(1, 0, 7, part{cmdWriteComplete, le(uint16(1000)), nil})
	s.close(3)
	s.create(4, `\raw2.bin`, 1, 1, 500, 0)
	s.mid++
	s.message(0, 0, 7, part{cmdReadRaw, le(uint16(4), uint32(0), uint16(600), uint16(0), uint32(0), uint16(0)), nil})
	s.raw(1, pattern(500))
	s.close(4)
	return s
}

func TestRaw(t *testing.T) {
	env := rawCopies().play(t, 300)
	if len(env.Transfers) != 2 {
		t.Fatalf("%d transfers", len(env.Transfers))
	}
	for i, n := range []int{1000, 500} {
		if got := env.Result(env.Transfers[i]); !got.Whole || got.SHA256 != sum(pattern(n)) {
			t.Errorf("%+v %+v", env.Transfers[i].Transfer, got)
		}
	}
}

// piping asks the service control manager for its handle through a transaction.
func piping() *script {
	s := &script{}
	s.connect(`\\SRV\IPC$`, "IPC")
	s.create(5, `\svcctl`, 3, 1, 0, 2)
	rpc := append(le(byte(5), byte(0), byte(0), byte(3), uint32(0x10), uint16(24), uint16(0), uint32(1)), le(uint32(0), uint16(0), uint16(15))...)
	const at = headerLen + 1 + 32 + 2
	s.exchange(0, 7, []part{{cmdTransaction, le(uint16(0), uint16(len(rpc)), uint16(0), uint16(1024), byte(0), byte(0), uint16(0), uint32(0), uint16(0),
		uint16(0), uint16(at), uint16(len(rpc)), uint16(at), byte(2), byte(0), uint16(pipeTransact), uint16(5)), rpc}},
		[]part{{cmdTransaction, make([]byte, 20), nil}})
	s.close(5)
	return s
}

func TestPipe(t *testing.T) {
	env := piping().play(t, 0)
	var got []string
	for _, a := range env.Accesses {
		got = append(got, a.What+" "+a.Object)
	}
	want := `logon , share-connect \\SRV\IPC$, pipe-open svcctl, rpc-call svcctl`
	if all := strings.Join(got, ", "); all != want {
		t.Errorf("got  %s\nwant %s", all, want)
	}
	if len(env.Transfers) != 0 {
		t.Errorf("a pipe is no transfer: %+v", env.Transfers[0].Transfer)
	}
}

// TestRefused: access denied to data is a denied transfer; a missing file is not.
func TestRefused(t *testing.T) {
	s := &script{}
	s.connect(`\\SRV\C$`, "A:")
	for _, status := range []uint32{0xC0000022, 0xC0000034} {
		ask := le(andXWords, byte(0), uint16(6), uint32(0), uint32(0), uint32(accessWriteData), uint64(0), uint32(0), uint32(0), uint32(2), uint32(0), uint32(2), byte(0))
		s.exchange(status, 7, []part{{cmdNTCreate, ask, []byte("\\x.exe\x00")}}, []part{{cmdNTCreate, nil, nil}})
	}
	env := s.play(t, 0)
	if len(env.Transfers) != 1 || env.Transfers[0].Status != model.Denied || env.Transfers[0].Path != `\x.exe` {
		t.Errorf("%d transfers", len(env.Transfers))
	}
	if n := len(env.Accesses); n != 3 || env.Accesses[2].Status != "STATUS_OBJECT_NAME_NOT_FOUND" {
		t.Errorf("%d accesses", n)
	}
}

// TestHole: a hole in a write costs its bytes and nothing else.
func TestHole(t *testing.T) {
	s := copying(false)
	env := wiretest.New(t)
	l := env.Dial(New(env), ends.Ends[0], ends.Ends[1])
	for _, x := range s.turns {
		if len(x.Data) > 5000 {
			l.Send(0, x.Data[:2000], 0)
			l.Lose(0, 50)
			l.Send(0, x.Data[2050:], 0)
			continue
		}
		l.Send(x.From, x.Data, 0)
	}
	l.End(wire.FIN)
	if len(env.Transfers) != 2 {
		t.Fatalf("%d transfers", len(env.Transfers))
	}
	if got := env.Result(env.Transfers[0]); got.Whole || got.Seen != 8950 {
		t.Errorf("with a hole: %+v", got)
	}
	if got := env.Result(env.Transfers[1]); !got.Whole {
		t.Errorf("its neighbour: %+v", got)
	}
}

func FuzzConversation(f *testing.F) {
	wiretest.Fuzz(f, New, ends, copying(true).turns, copying(false).turns, chained().turns, rawCopies().turns, piping().turns, inParts().turns)
}
