package framed

import (
	"bytes"
	"testing"

	"waybill/internal/content"
	"waybill/internal/wire"
	"waybill/internal/wire/wiretest"
)

// record begins with 0xAA and its length in two bytes; then come how many bytes of
// content follow the head of six, and the place of these in the file.
var record = Format{
	Head:   3,
	Needed: 6,
	Length: func(b []byte) int { return int(b[1])<<8 | int(b[2]) },
	Find:   func(b []byte) int { return bytes.Index(b, []byte{0xAA, 0}) }, // of a short one
}

const headLen = 6

func message(place int, content, tail []byte) []byte {
	n := headLen + len(content) + len(tail)
	return append(append([]byte{0xAA, byte(n >> 8), byte(n), byte(len(content) >> 8), byte(len(content)), byte(place)}, content...), tail...)
}

// unit is how far apart the places of contents are in their file.
const unit = 1000

type harness struct {
	env  *wiretest.Env
	r    *Reader
	file *content.File
	got  []string
	lost int
}

func newHarness(t *testing.T) *harness {
	h := &harness{env: wiretest.New(t)}
	h.file = h.env.File(content.Read)
	h.r = NewReader(&record, h.env, 0, true, func(m *Message) { h.got = append(h.got, string(m.Data)) }, func() { h.lost++ })
	h.r.Bulk(func(m *Message, b []byte) (Bulk, bool) {
		if len(b) < headLen {
			return Bulk{}, true
		}
		return Bulk{At: headLen, Size: int(b[3])<<8 | int(b[4]), File: h.file, Off: int64(b[5]) * unit}, false
	})
	return h
}

func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*3) | 1
	}
	return b
}

// TestBulk: content goes to its file and what is around it comes as a message, in
// segments of any size.
func TestBulk(t *testing.T) {
	data := pattern(2 * unit)
	stream := append(message(1, data[unit:], []byte("tail")), message(0, data[:unit], nil)...)
	stream = append(stream, message(0, nil, []byte("no content"))...)
	for size := 1; size < len(stream); size = size*3/2 + 1 {
		h := newHarness(t)
		for rest := stream; len(rest) > 0; rest = rest[min(size, len(rest)):] {
			h.r.Data(wire.Chunk{Data: rest[:min(size, len(rest))], At: h.env.Next()})
		}
		want := []string{string(message(1, data[unit:], nil)[:headLen]) + "tail", string(message(0, data[:unit], nil)[:headLen]), string(message(0, nil, []byte("no content")))}
		want[0] = string([]byte{0xAA, byte((unit + 10) >> 8), byte((unit + 10) & 0xFF)}) + want[0][3:]
		for i := range want {
			if i >= len(h.got) || h.got[i] != want[i] {
				t.Fatalf("segments of %d: message %d is not %q: %q", size, i, want[i], h.got)
			}
		}
		h.file.Close(content.End{Size: 2 * unit})
		h.env.Done()
		if r := h.file.Result(); !r.Whole || h.lost != 0 {
			t.Errorf("segments of %d: %+v, %d losses", size, r, h.lost)
		}
		if used := h.env.Budget().Used; used != 0 {
			t.Errorf("%d bytes of budget not given back", used)
		}
	}
}

// TestBulkGap: a hole in content costs its bytes and no message; one that goes
// beyond the message costs the next ones.
func TestBulkGap(t *testing.T) {
	data := pattern(unit)
	m := message(0, data, []byte("tail"))
	next := message(1, nil, []byte("next"))
	for gap, want := range map[int]int{10: 2, unit - 100: 2, unit + 4 - 100: 2, unit + 4 - 100 + 3: 1} {
		h := newHarness(t)
		stream := append(bytes.Clone(m), next...)
		h.r.Data(wire.Chunk{Data: stream[:headLen+100], At: h.env.Next()})
		h.r.Gap(int64(gap))
		h.r.Data(wire.Chunk{Data: append(stream[headLen+100+gap:], message(2, nil, []byte("last"))...), At: h.env.Next()})
		if n := len(h.got); n != want+1 || h.got[n-1][headLen:] != "last" {
			t.Errorf("gap of %d: %q", gap, h.got)
		}
		if n := h.file.Seen(); n != int64(unit-min(gap, unit-100)) {
			t.Errorf("gap of %d: %d bytes seen", gap, n)
		}
		h.file.Abandon()
	}
}

// block counts who retains it.
type block struct{ held int }

func (b *block) Retain()  { b.held++ }
func (b *block) Release() { b.held-- }

// TestBulkInPlace: content is not copied out of the block that it lies in.
func TestBulkInPlace(t *testing.T) {
	h := newHarness(t)
	b := &block{}
	h.r.Data(wire.Chunk{Data: message(0, pattern(unit), nil), At: h.env.Next(), Block: b})
	if b.held != 1 {
		t.Errorf("the block is held %d times", b.held)
	}
	h.file.Abandon()
}

// TestHunting: bytes before a hole and behind it make no message together.
func TestHunting(t *testing.T) {
	h := newHarness(t)
	h.r.Gap(10)
	m := message(0, nil, []byte("abc"))
	h.r.Data(wire.Chunk{Data: []byte{0xAB, 0xAA}, At: h.env.Next()})
	h.r.Gap(5)
	h.r.Data(wire.Chunk{Data: append([]byte{0, 9, 0, 0, 0, 0, 0, 0}, m...), At: h.env.Next()})
	if len(h.got) != 1 || h.got[0] != string(m) {
		t.Errorf("%q", h.got)
	}
}
