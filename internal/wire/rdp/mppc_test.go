package rdp

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"waybill/internal/wire/wiretest"
)

// TestBells decodes the example of MS-RDPBCGR 3.1.8.4.1 and 3.1.8.4.2.
func TestBells(t *testing.T) {
	const want = "for.whom.the.bell.tolls,.the.bell.tolls.for.thee!"
	const literal = "for.whom.the.bell.tolls,"
	for _, c := range []struct {
		flags byte
		data  string
	}{
		{mppcCompressed | mppcAtFront | mppc8K, literal + "\xf4\x37\x2e\x66\xfa\x1f\x19\x94\x84"},
		{mppcCompressed | mppcAtFront | mppc64K, literal + "\xfa\x1b\x97\x33\x7e\x87\xe3\x32\x90\x80"},
	} {
		m := mppc{history: make([]byte, historyLen)}
		if got, ok := m.take(c.flags, []byte(c.data)); string(got) != want || !ok {
			t.Errorf("flags %#x: %q, %v", c.flags, got, ok)
		}
	}
}

// packer is an encoder that is only meant to be right: it looks for a copy at every
// place of the history.
type packer struct {
	history []byte
	large   bool
	out     []byte
	n       int
}

func (p *packer) bits(v, n int) {
	for n--; n >= 0; n-- {
		if p.n%8 == 0 {
			p.out = append(p.out, 0)
		}
		p.out[p.n/8] |= byte(v>>n&1) << (7 - p.n%8)
		p.n++
	}
}

func (p *packer) offset(off int) {
	forms := smallOffsets
	if p.large {
		forms = largeOffsets
	}
	for _, f := range forms {
		if off < f.base+1<<f.bits {
			p.bits(f.prefix, f.prefixLen)
			p.bits(off-f.base, f.bits)
			return
		}
	}
}

func (p *packer) length(n int) {
	if n == 3 {
		p.bits(0, 1)
		return
	}
	ones := 1
	for n >= 1<<(ones+2) {
		ones++
	}
	p.bits(1<<(ones+1)-2, ones+1)
	p.bits(n-1<<(ones+1), ones+1)
}

// pack compresses b behind what was packed before.
func (p *packer) pack(b []byte) []byte {
	p.out, p.n = nil, 0
	from := len(p.history)
	p.history = append(p.history, b...)
	for at := from; at < len(p.history); {
		off, n := 0, 0
		for o := 1; o <= at; o++ {
			k := 0
			for at+k < len(p.history) && p.history[at+k-o] == p.history[at+k] {
				k++
			}
			if k > n {
				off, n = o, k
			}
		}
		switch c := p.history[at]; {
		case n >= 3:
			p.offset(off)
			p.length(n)
			at += n
		case c < 0x80:
			p.bits(int(c), 8)
			at++
		default:
			p.bits(2, 2)
			p.bits(int(c&0x7f), 7)
			at++
		}
	}
	return p.out
}

// words is text that repeats itself near and far.
func words(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	var b []byte
	for len(b) < n {
		switch {
		case len(b) > 100 && r.IntN(4) == 0:
			at := r.IntN(len(b) - 50)
			b = append(b, b[at:at+r.IntN(50)]...)
		default:
			b = append(b, byte(r.IntN(256)), byte(r.IntN(256)))
		}
	}
	return b[:n]
}

func TestCompression(t *testing.T) {
	for kind, size := range map[byte]int{mppc8K: 8 << 10, mppc64K: 20 << 10} {
		m := mppc{history: make([]byte, historyLen)}
		p := packer{large: kind == mppc64K}
		data, flags := words(size), mppcCompressed|mppcFlushed|kind
		for at := 0; at < size; at += 1600 {
			part := data[at:min(at+1600, size)]
			if got, ok := m.take(flags, p.pack(part)); !ok || !bytes.Equal(got, part) {
				t.Fatalf("kind %d at %d: %v", kind, at, ok)
			}
			flags = mppcCompressed | kind
		}
		if _, ok := m.take(mppcCompressed|2, nil); ok {
			t.Error("NCRUSH was taken for something that can be read")
		}
		if _, ok := m.take(mppcCompressed|kind, nil); ok {
			t.Error("goes on behind what was not read")
		}
	}
}

// compressed sends a file to the client in pieces that share their history with the
// screens between, by both paths.
func compressed() []wiretest.Turn {
	p := &packer{large: true}
	s := newSession()
	s.open(1, `\words.txt`, 0x40000000, 5, 0, 9)
	data := words(6000)
	s.completion++
	turns := s.turns
	b := le(uint16(coreComponent), uint16(ioRequestID), uint32(1), uint32(9), s.completion, uint32(majorWrite), uint32(0), uint32(len(data)), uint64(0), make([]byte, 20), data)
	first := uint32(mppcFlushed)
	flags := func(kind uint32) uint32 { f := kind | mppcCompressed | mppc64K | first; first = 0; return f }
	for at := 0; at < len(b); at += 1600 {
		screen := p.pack(words(300 + at))
		update := le(byte(updateCompression), byte(flags(0)), uint16(len(screen)), screen)
		n := len(update) + 3
		turns = append(turns, wiretest.Turn{From: 1, Data: le(byte(0), byte(0x80|n>>8), byte(n), update)})
		slow := p.pack(words(200))
		share := le(uint16(len(slow)+18), uint16(0x17), uint16(1002), uint32(0x103ea), uint16(0x100), uint16(0), byte(2), byte(flags(0)), uint16(0), slow)
		turns = append(turns, wiretest.Turn{From: 1, Data: data70(1003, share)})
		piece := b[at:min(at+1600, len(b))]
		where := uint32(0)
		if at == 0 {
			where |= pieceFirst
		}
		if at+1600 >= len(b) {
			where |= pieceLast
		}
		turns = append(turns, wiretest.Turn{From: 1, Data: data70(drive, le(uint32(len(b)), where|flags(0)<<16, p.pack(piece)))})
	}
	s.turns = turns
	s.say(1, s.completion, 0, le(uint32(len(data)), byte(0)))
	s.close(1, 9)
	return s.turns
}

// data70 is one MCS packet to the client.
func data70(id uint16, b []byte) []byte {
	mcs := le(byte(sendDataIndication), uint16(0x0100), byte(id>>8), byte(id), byte(0x70), byte(0x80|len(b)>>8), byte(len(b)), b)
	return tpkt(le(byte(2), byte(dataPacket), byte(0x80), mcs))
}

func TestCompressedFile(t *testing.T) {
	env := wiretest.Play(t, New, ends, 1448, compressed())
	if len(env.Transfers) != 1 {
		t.Fatalf("%d transfers", len(env.Transfers))
	}
	if got := env.Result(env.Transfers[0]); !got.Whole || got.SHA256 != sum(words(6000)) || len(env.BlindSeen) != 0 {
		t.Errorf("%+v, blind %v", got, env.BlindSeen)
	}
}

// TestBlindOnce counts bytes once that are compressed, in a session that turns to TLS.
func TestBlindOnce(t *testing.T) {
	piece := le(uint32(500), uint32(pieceFirst|pieceLast)|(mppcCompressed|2)<<16, make([]byte, 100)) // NCRUSH
	turns := append(newSession().turns, wiretest.Turn{From: 1, Data: data70(drive, piece)}, wiretest.Turn{From: 1, Data: record(300)})
	given, blind := int64(0), int64(0)
	for _, x := range turns {
		given += int64(len(x.Data))
	}
	env := wiretest.Play(t, New, ends, 1448, turns)
	for _, n := range env.BlindSeen {
		blind += n
	}
	if env.BlindSeen["compressed-unknown"] != 100 || blind != given {
		t.Errorf("%d bytes given, blind %v", given, env.BlindSeen)
	}
}

func FuzzMPPC(f *testing.F) {
	f.Add(byte(mppcCompressed|mppcFlushed|mppc64K), []byte("for.whom.the.bell.tolls,\xfa\x1b\x97\x33\x7e\x87\xe3\x32\x90\x80"), []byte("\xf8"))
	f.Fuzz(func(t *testing.T, flags byte, first, second []byte) {
		m := mppc{history: make([]byte, historyLen)}
		for _, b := range [][]byte{first, second} {
			if got, ok := m.take(flags, b); ok && len(got) > historyLen && flags&mppcCompressed != 0 {
				t.Errorf("%d bytes of a history of %d", len(got), historyLen)
			}
		}
	})
}
