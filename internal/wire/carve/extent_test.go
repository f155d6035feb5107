package carve

import (
	"encoding/binary"
	"strings"
	"testing"

	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/wiretest"
)

var le = wiretest.LE

// stored is a ZIP file of one stored member.
func stored(content []byte) []byte {
	n := uint32(len(content))
	local := le("PK\x03\x04", uint16(10), uint16(0), uint16(0), uint32(0), uint32(0), n, n, uint16(1), uint16(0), "a", content)
	directory := le("PK\x01\x02", uint16(10), uint16(10), uint16(0), uint16(0), uint32(0), uint32(0), n, n, uint16(1), make([]byte, 16), "a")
	end := le("PK\x05\x06", uint32(0), uint16(1), uint16(1), uint32(len(directory)), uint32(len(local)), uint16(3), "end")
	return append(append(local, directory...), end...)
}

// zip64 is a file whose end is told by the records of 64 bits alone.
func zip64() []byte {
	b := le("PK\x03\x04", make([]byte, 300))
	at := uint64(len(b))
	b = append(b, le("PK\x06\x06", uint64(44), make([]byte, 12), uint64(0), uint64(0), uint64(0), at)...)
	return append(b, le("PK\x06\x07", uint32(0), at, uint32(1), "PK\x05\x06", make([]byte, 8), uint32(0xffffffff), uint32(0xffffffff), uint16(0))...)
}

func rar5() []byte {
	b := le("Rar!\x1a\x07\x01\x00", uint32(0), "\x03\x01\x00\x00")
	b = append(b, le(uint32(0), "\x05\x02\x02\xe8\x07\x00", make([]byte, 1000))...) // 1,000 bytes of data
	return append(b, le(uint32(0), "\x03\x05\x00\x00")...)
}

func rar4() []byte {
	b := le("Rar!\x1a\x07\x00", uint16(0), byte(0x73), uint16(0), uint16(13), make([]byte, 6))
	b = append(b, le(uint16(0), byte(0x74), uint16(0x8000), uint16(40), uint32(700), make([]byte, 29+700))...)
	return append(b, le(uint16(0), byte(0x7b), uint16(0x4000), uint16(7))...)
}

func cabinet(signature int) []byte {
	b := le("MSCF", uint32(0), uint32(500), make([]byte, 18), uint16(4), make([]byte, 4), uint16(20), uint16(0),
		uint32(0x00100000), uint32(500), uint32(signature), make([]byte, 8))
	return append(b, make([]byte, 500-len(b)+signature)...)
}

func sevenZip() []byte {
	return le("7z\xbc\xaf\x27\x1c\x00\x04", uint32(0), uint64(900), uint64(68), uint32(0), make([]byte, 968))
}

func macho() []byte {
	segment := le(uint32(0x19), uint32(72), make([]byte, 32), uint64(100), uint64(400), make([]byte, 16))
	b := le(uint32(0xfeedfacf), make([]byte, 12), uint32(1), uint32(72), uint64(0), segment)
	return append(b, make([]byte, 500-len(b))...)
}

func fat() []byte {
	b := []byte("\xca\xfe\xba\xbe\x00\x00\x00\x01")
	for _, v := range []uint32{7, 3, 100, 300, 12} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return append(b, make([]byte, 400-len(b))...)
}

func elf() []byte {
	b := le("\x7fELF\x02\x01\x01", make([]byte, 33), uint64(400), make([]byte, 10), uint16(64), uint16(2), uint16(0))
	return append(b, make([]byte, 528-len(b))...)
}

// formats are files of which all but the programs end where they say.
var formats = map[string][]byte{
	"zip": stored([]byte("hello")), "zip in zip": stored(stored(make([]byte, 700))), "zip64": zip64(), "rar5": rar5(), "rar4": rar4(),
	"cabinet": cabinet(0), "signed cabinet": cabinet(90), "7z": sevenZip(),
	"pe": program(1000, 0), "elf": elf(), "macho": macho(), "fat": fat(),
}

// sizes gives what is told of a file when it comes in pieces.
func sizes(b []byte, piece int) (exact, least int64) {
	var x extent
	for at := 0; at < len(b); at += piece {
		x.take(int64(at), b[at:min(at+piece, len(b))])
		if x.exact > 0 {
			break
		}
	}
	return x.exact, x.least
}

// TestExtents tells the end of each format, whatever the pieces and what follows.
func TestExtents(t *testing.T) {
	for name, b := range formats {
		for _, piece := range []int{64, 100, 1448, 1 << 20} {
			exact, least := sizes(append(b[:len(b):len(b)], "what follows"...), piece)
			if max(exact, least) != int64(len(b)) {
				t.Errorf("%s in pieces of %d: %d, %d instead of %d", name, piece, exact, least, len(b))
			}
		}
	}
}

// sent plays one direction of a connection, with an answer of the other side at an
// offset, and gives what was carved.
func sent(t *testing.T, b []byte, answer, piece int, how wire.Ending) *wiretest.Env {
	env := wiretest.New(t)
	conn := &wire.Conn{Ends: [2]wire.AddrPort{wiretest.Addr("10.0.0.1:40000"), wiretest.Addr("10.0.0.2:4444")}, FromStart: [2]bool{true, true}}
	l := env.Attach(conn, New(env, conn))
	l.Send(0, b[:answer], piece)
	if answer < len(b) {
		l.Send(1, []byte("ok\n"), 0)
		l.Send(0, b[answer:], piece)
	}
	l.End(how)
	return env
}

// TestWhatFollows: behind a file with a known end another one may begin; appended data
// belong to a program unless the other side spoke before them.
func TestWhatFollows(t *testing.T) {
	tail := []byte("0123456789")
	for name, b := range formats {
		exact, _ := sizes(b, 4096)
		for _, c := range []struct {
			what   string
			more   []byte
			answer bool
			want   []int
		}{
			{"nothing", nil, false, []int{len(b)}},
			{"text at once", tail, false, []int{len(b)}},
			{"text after an answer", tail, true, []int{len(b)}},
			{"another file after an answer", formats["7z"], true, []int{len(b), len(formats["7z"])}},
			{"another file at once", formats["7z"], false, []int{len(b), len(formats["7z"])}},
		} {
			all, answer := append(b[:len(b):len(b)], c.more...), len(b)+len(c.more)
			if c.answer {
				answer = len(b)
			}
			want := c.want
			if exact == 0 && !c.answer {
				want = []int{len(all)}
			}
			for _, piece := range []int{7, 200, 1448} {
				env := sent(t, all, answer, piece, wire.FIN)
				var got []int
				for _, x := range env.Transfers {
					r := env.Result(x)
					if !r.Whole {
						t.Errorf("%s, %s: %+v", name, c.what, r)
					}
					got = append(got, int(r.Size))
				}
				if used := env.Budget().Used; used != 0 {
					t.Errorf("%s, %s: %d bytes of the budget were not given back", name, c.what, used)
				}
				if len(got) != len(want) || got[0] != want[0] || got[len(got)-1] != want[len(want)-1] {
					t.Errorf("%s, %s, pieces of %d: files of %v bytes instead of %v", name, c.what, piece, got, want)
				}
			}
		}
	}
}

// TestBrokenOff: without an orderly end only what says its own size is whole.
func TestBrokenOff(t *testing.T) {
	for name, b := range formats {
		for cut, whole := range map[int]bool{0: true, 1: false} {
			env := sent(t, b[:len(b)-cut], len(b)-cut, 300, wire.RST)
			if r := env.Result(env.Transfers[0]); r.Whole != whole || !whole && !strings.HasPrefix(r.Reason, "interrupted") {
				t.Errorf("%s without %d bytes: %+v", name, cut, r)
			}
			if status := env.Transfers[0].Status; whole != (status == model.Done) {
				t.Errorf("%s without %d bytes: %s", name, cut, status)
			}
		}
	}
}

// FuzzExtent: no size is negative or before what told it, and pieces change nothing.
func FuzzExtent(f *testing.F) {
	for _, b := range formats {
		f.Add(b, uint16(100))
	}
	f.Fuzz(func(t *testing.T, b []byte, piece uint16) {
		if len(b) < 64 || len(b) > 1<<20 {
			return
		}
		exact, least := sizes(b, len(b))
		if exact < 0 || least < 0 {
			t.Fatalf("sizes of %d and %d", exact, least)
		}
		if e, l := sizes(b, max(int(piece), 64)); e != exact || l != least {
			t.Errorf("in pieces of %d: %d, %d instead of %d, %d", piece, e, l, exact, least)
		}
	})
}
