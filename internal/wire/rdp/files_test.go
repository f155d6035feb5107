package rdp

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/wiretest"
)

// clipMessage is one message of the clipboard.
func clipMessage(from wire.Side, kind, flags uint16, body []byte) []wiretest.Turn {
	return send(from, clip, le(kind, flags, uint32(len(body)), body))
}

// listed is a list of files as xfreerdp sends it.
func listed(from wire.Side, name string, size int) []wiretest.Turn {
	descriptor := le(uint32(0x4064), make([]byte, 60), uint32(0), uint32(size), wide(name, 520))
	return clipMessage(from, clipFormatData, 1, le(uint32(1), descriptor))
}

// fetched is one request for bytes of the first file of a list, and its answer.
func fetched(from wire.Side, stream, off, most uint32, lock []byte, answer []byte) []wiretest.Turn {
	turns := clipMessage(from, clipFileRequest, 0, le(stream, uint32(0), uint32(2), off, uint32(0), most, lock))
	return append(turns, clipMessage(from.Other(), clipFileResponse, 1, le(stream, answer))...)
}

// pasting offers a file on the client's clipboard, which the server asks for.
func pasting() []wiretest.Turn {
	data := pattern(5000)
	turns := append(connect(0, 0), listed(0, "tool.exe", len(data))...)
	size := clipMessage(1, clipFileRequest, 0, le(uint32(9), uint32(0), uint32(1), uint64(0), uint32(8)))
	turns = append(append(turns, size...), clipMessage(0, clipFileResponse, 1, le(uint32(9), uint64(len(data))))...)
	turns = append(turns, fetched(1, 1, 0, 3000, nil, data[:3000])...)
	return append(turns, fetched(1, 2, 3000, 3000, nil, data[3000:])...)
}

func TestClipboard(t *testing.T) {
	for _, size := range []int{0, 3, 1448} {
		env := wiretest.Play(t, New, ends, size, pasting())
		if len(env.Transfers) != 1 {
			t.Fatalf("%d transfers", len(env.Transfers))
		}
		x := env.Transfers[0]
		if got := env.Result(x); !got.Whole || got.SHA256 != sum(pattern(5000)) || x.Name != "tool.exe" || x.Operation != model.Push || x.User != "anna" {
			t.Errorf("%+v %+v", x.Transfer, got)
		}
	}
}

// TestLockedClipboard copies from a list after another one took its place.
func TestLockedClipboard(t *testing.T) {
	first, second := pattern(3000), pattern(900)
	lock := le(uint32(7))
	turns := append(connect(0, 0), listed(1, "first.zip", len(first))...)
	turns = append(turns, clipMessage(0, clipLock, 0, lock)...)
	turns = append(turns, listed(1, "second.zip", len(second))...)
	turns = append(turns, fetched(0, 1, 0, 3000, lock, first)...)
	turns = append(turns, fetched(0, 2, 0, 3000, nil, second)...)
	turns = append(turns, clipMessage(0, clipUnlock, 0, lock)...)
	env := wiretest.Play(t, New, ends, 1448, turns)
	want := map[string][]byte{"first.zip": first, "second.zip": second}
	if len(env.Transfers) != len(want) {
		t.Fatalf("%d transfers", len(env.Transfers))
	}
	for _, x := range env.Transfers {
		if got := env.Result(x); got.SHA256 != sum(want[x.Name]) || x.Operation != model.Pull {
			t.Errorf("%s: %+v", x.Name, got)
		}
	}
}

// session speaks on the channel of devices as xrdp and rdesktop do.
type session struct {
	turns      []wiretest.Turn
	completion uint32
}

func newSession() *session {
	s := &session{turns: connect(0, 0)}
	list := le(uint16(coreComponent), uint16(announcedList), uint32(2),
		uint32(8), uint32(1), "share\x00\x00\x00", uint32(6), "share\x00",
		uint32(4), uint32(2), "PRN1\x00\x00\x00\x00", uint32(0))
	s.turns = append(s.turns, send(0, drive, list)...)
	return s
}

func (s *session) ask(device, file, major, minor uint32, body []byte) uint32 {
	s.completion++
	s.turns = append(s.turns, send(1, drive, le(uint16(coreComponent), uint16(ioRequestID), device, file, s.completion, major, minor, body))...)
	return s.completion
}

func (s *session) say(device, completion, status uint32, body []byte) {
	s.turns = append(s.turns, send(0, drive, le(uint16(coreComponent), uint16(ioCompletion), device, completion, status, body))...)
}

func (s *session) io(device, file, major uint32, body, answer []byte) {
	s.say(device, s.ask(device, file, major, 0, body), 0, answer)
}

func create(name string, rights, disposition, options uint32) []byte {
	path := wide(name, 2*len(name)+2)
	return le(rights, uint64(0), uint32(0), uint32(7), disposition, options, uint32(len(path)), path)
}

func (s *session) open(device uint32, name string, rights, disposition, options, id uint32) {
	s.io(device, 0, majorCreate, create(name, rights, disposition, options), le(id, byte(0)))
}

func (s *session) write(device, id uint32, off uint64, data []byte, done uint32) {
	s.io(device, id, majorWrite, le(uint32(len(data)), off, make([]byte, 20), data), le(done, byte(0)))
}

func (s *session) read(device, id uint32, most uint32, off uint64, data []byte) {
	s.io(device, id, majorRead, le(most, off, make([]byte, 20)), le(uint32(len(data)), data))
}

func (s *session) close(device, id uint32) {
	s.io(device, id, majorClose, make([]byte, 32), make([]byte, 4))
}

// driving reads and writes files of the client's drive in all the ways that count.
func driving() []wiretest.Turn {
	s := newSession()
	// xrdp looks at a file under one name and reads it under another, up to the size that it was told.
	s.open(1, "up.bin", 0x80, 1, 0x10, 5)
	s.io(1, 5, majorQueryInfo, le(uint32(standardInfo), uint32(22), make([]byte, 24)), le(uint32(22), uint64(8000), uint64(8000), make([]byte, 6)))
	s.close(1, 5)
	s.open(1, "/up.bin", 0x80000001, 1, 0x20, 5)
	ahead := s.ask(1, 5, majorRead, 0, le(uint32(4000), uint64(4000), make([]byte, 20)))
	s.read(1, 5, 4000, 0, pattern(8000)[:4000])
	s.say(1, ahead, 0, le(uint32(4000), pattern(8000)[4000:]))
	s.close(1, 5)
	// a size that a folder's entry told
	s.open(1, `\docs`, 1, 1, 1, 6)
	entry := le(make([]byte, 40), uint64(2500), make([]byte, 12), uint32(8), make([]byte, 93-64), wide("a.do", 8))
	list := s.ask(1, 6, majorDirectory, queryDirectory, le(uint32(bothEntry), byte(1), uint32(16), make([]byte, 23), wide(`\docs\*`, 16)))
	s.say(1, list, 0, le(uint32(len(entry)), entry))
	s.close(1, 6)
	s.open(1, `\docs\a.do`, 0x80000000, 1, 0, 7)
	s.read(1, 7, 2500, 0, pattern(2500))
	s.close(1, 7)
	// written, cut, renamed
	s.open(1, `\out.tmp`, 0x40000000, 5, 0, 8)
	s.write(1, 8, 0, pattern(900), 900)
	s.io(1, 8, majorSetInfo, le(uint32(setEndOfFile), uint32(8), make([]byte, 24), uint64(800)), le(uint32(8)))
	name := wide(`\out.zip`, 18)
	s.io(1, 8, majorSetInfo, le(uint32(setRename), uint32(6+len(name)), make([]byte, 24), byte(0), byte(0), uint32(len(name)), name), le(uint32(0)))
	s.close(1, 8)
	// the client took less than it was given
	s.open(1, `\less.bin`, 0x40000000, 5, 0, 9)
	s.write(1, 9, 0, pattern(700), 500)
	s.close(1, 9)
	// gone again
	s.open(1, `\gone.exe`, 0x40000000, 5, 0, 10)
	s.write(1, 10, 0, pattern(100), 100)
	s.io(1, 10, majorSetInfo, le(uint32(setDisposition), uint32(0), make([]byte, 24)), le(uint32(0)))
	s.close(1, 10)
	// no transfers: a look at a large file, a shell's note, a printer
	s.open(1, `\big.iso`, 0x80000000, 1, 0, 11)
	s.io(1, 11, majorQueryInfo, le(uint32(standardInfo), uint32(22), make([]byte, 24)), le(uint32(22), uint64(1<<20), uint64(1<<20), make([]byte, 6)))
	s.read(1, 11, 4096, 0, pattern(4096))
	s.close(1, 11)
	s.open(1, `\desktop.ini`, 0x40000000, 5, 0, 12)
	s.write(1, 12, 0, []byte("[x]"), 3)
	s.close(1, 12)
	s.open(2, "", 0x40000000, 5, 0, 13)
	s.write(2, 13, 0, pattern(5000), 5000)
	s.close(2, 13)
	// refused
	s.say(1, s.ask(1, 0, majorCreate, 0, create(`\secret.txt`, 0x80000000, 1, 0)), accessDenied, le(uint32(0)))
	return s.turns
}

func TestDrives(t *testing.T) {
	want := []struct {
		name, path, operation string
		data                  []byte
		from                  uint16
		note                  string
	}{
		{"up.bin", "up.bin", model.Pull, pattern(8000), 50000, ""},
		{"a.do", `docs\a.do`, model.Pull, pattern(2500), 50000, ""},
		{"out.zip", "out.zip", model.Push, pattern(800), 3389, "was out.tmp"},
		{"less.bin", "less.bin", model.Push, pattern(500), 3389, ""},
		{"gone.exe", "gone.exe", model.Push, pattern(100), 3389, "deleted"},
		{"secret.txt", "secret.txt", model.Pull, nil, 50000, "denied"},
	}
	for _, size := range []int{0, 7, 1448} {
		env := wiretest.Play(t, New, ends, size, driving())
		if len(env.Transfers) != len(want) {
			t.Fatalf("%d transfers, want %d", len(env.Transfers), len(want))
		}
		for i, w := range want {
			x := env.Transfers[i]
			note := strings.Join(x.EarlierNames, "")
			if note != "" {
				note = "was " + note
			}
			if x.Deleted != nil {
				note = "deleted"
			}
			if x.Status == model.Denied {
				note = "denied"
			}
			got := env.Result(x)
			right := w.data == nil && x.Content == nil || got.Whole && got.SHA256 == sum(w.data)
			if !right || x.Name != w.name || x.Path != w.path || x.Operation != w.operation || x.Source.Port != w.from || x.Share != "share" || note != w.note {
				t.Errorf("want %+v, got %+v %+v", w, x.Transfer, got)
			}
		}
		var looks []string
		for _, a := range env.Accesses {
			if a.What == "rdp-session" {
				if !strings.Contains(a.Detail, "redirected drive share, printer PRN1") {
					t.Errorf("devices: %s", a.Detail)
				}
				continue
			}
			looks = append(looks, a.What+" "+a.Object)
		}
		if !slices.Equal(looks, []string{"peek big.iso", "metadata desktop.ini"}) {
			t.Errorf("accesses: %v", looks)
		}
	}
}

// TestDriveLoss loses a segment in the middle of one file: it is partial, and what
// comes after it is whole.
func TestDriveLoss(t *testing.T) {
	s := newSession()
	for id := uint32(1); id <= 3; id++ {
		s.open(1, fmt.Sprintf(`\%d.bin`, id), 0x40000000, 5, 0, id)
		s.write(1, id, 0, pattern(6000), 6000)
		s.close(1, id)
	}
	server := []byte{}
	for _, x := range s.turns {
		if x.From == 1 {
			server = append(server, x.Data...)
		}
	}
	env := wiretest.New(t)
	p := New(env)
	l := env.Dial(p, ends.Ends[0], ends.Ends[1])
	sent, lost := 0, false
	for _, x := range s.turns {
		// the middle of the second file, in the middle of a piece
		if x.From == 1 && !lost && sent > len(server)/2 {
			l.Send(1, x.Data[:700], 0)
			l.Lose(1, 500)
			l.Send(1, x.Data[1200:], 0)
			lost = true
			continue
		}
		if x.From == 1 {
			sent += len(x.Data)
		}
		l.Send(x.From, x.Data, 1448)
	}
	l.End(wire.FIN)
	got := map[string]bool{}
	for _, x := range env.Transfers {
		r := env.Result(x)
		got[x.Name] = r.Whole && r.SHA256 == sum(pattern(6000))
	}
	if !lost || !got["1.bin"] || got["2.bin"] || !got["3.bin"] {
		t.Errorf("whole: %v, lost: %v", got, lost)
	}
}

// fragmented cuts messages into X.224 packets without the mark of the last, and
// puts the shortest packets of the fast path between.
func fragmented() []wiretest.Turn {
	var out []wiretest.Turn
	for _, x := range pasting() {
		b := x.Data
		if len(b) < 20 || b[5] != dataPacket {
			out = append(out, x)
			continue
		}
		out = append(out, wiretest.Turn{From: x.From, Data: tpkt(le(byte(2), byte(dataPacket), byte(0), b[7:15]))},
			wiretest.Turn{From: x.From, Data: tpkt(le(byte(2), byte(dataPacket), byte(0x80), b[15:]))},
			wiretest.Turn{From: 0, Data: []byte{0x04, 3, 0x60}}) // one event: synchronize
	}
	return out
}

func TestFragments(t *testing.T) {
	for _, size := range []int{0, 1, 100} {
		env := wiretest.Play(t, New, ends, size, fragmented())
		if len(env.Transfers) != 1 || env.Result(env.Transfers[0]).SHA256 != sum(pattern(5000)) {
			t.Errorf("%d transfers", len(env.Transfers))
		}
	}
}

// TestInterrupted ends the capture in the middle of files, and behind one whose size
// was said and covered.
func TestInterrupted(t *testing.T) {
	s := newSession()
	s.turns = append(s.turns, listed(0, "pasted.exe", 5000)...)
	s.turns = append(s.turns, fetched(1, 1, 0, 3000, nil, pattern(3000))...)
	s.open(1, `\part.bin`, 0x40000000, 5, 0, 1)
	s.write(1, 1, 0, pattern(900), 900)
	s.open(1, `\all.bin`, 0x40000000, 5, 0, 2)
	s.io(1, 2, majorSetInfo, le(uint32(setEndOfFile), uint32(8), make([]byte, 24), uint64(800)), le(uint32(8)))
	s.write(1, 2, 0, pattern(800), 800)
	env := wiretest.New(t)
	l := env.Dial(New(env), ends.Ends[0], ends.Ends[1])
	for _, x := range s.turns {
		l.Send(x.From, x.Data, 1448)
	}
	l.End(wire.EndOfCapture)
	want := map[string]string{"pasted.exe": model.Interrupted, "part.bin": model.Interrupted, "all.bin": model.Done}
	for _, x := range env.Transfers {
		if x.Status != want[x.Name] || env.Result(x).Whole != (x.Status == model.Done) {
			t.Errorf("%s: %s, %+v", x.Name, x.Status, env.Result(x))
		}
		delete(want, x.Name)
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
}
