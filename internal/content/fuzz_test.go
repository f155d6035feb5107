package content

import (
	"math/rand/v2"
	"reflect"
	"strconv"
	"testing"
)

// truth is a file kept the plain way: all bytes, and which of them are there.
type truth struct {
	mode Mode
	data []byte
	have []bool
}

func (m *truth) write(off int, b []byte) {
	for len(m.data) < off+len(b) {
		m.data, m.have = append(m.data, 0), append(m.have, false)
	}
	for i, c := range b {
		if m.mode == Write || !m.have[off+i] {
			m.data[off+i], m.have[off+i] = c, true
		}
	}
}

func (m *truth) cut(n int) {
	if n < len(m.data) {
		m.data, m.have = m.data[:n], m.have[:n]
	}
}

// full says whether the first n bytes are there.
func (m *truth) full(n int) bool {
	if n > len(m.have) {
		return false
	}
	for _, ok := range m.have[:n] {
		if !ok {
			return false
		}
	}
	return true
}

// script is a sequence of operations that a seed makes.
type script struct {
	seed     uint64
	mode     Mode
	reach    int // offsets lie below
	zeroFill bool
}

// way is how a script is run: none of it may change the result.
type way struct {
	workers int
	blocks  bool
	flush   int // one in so many operations is followed by a Flush; 0 is never
	extract string
}

// run runs a script and gives the result beside the truth.
func (s script) run(t *testing.T, w way, budget *Budget) (Result, *truth, End) {
	rng := rand.New(rand.NewPCG(s.seed, 1))
	flushes := rand.New(rand.NewPCG(s.seed, 2))
	small := &limits{keep: 2000, tail: 300, hold: 1500, job: 512, queue: 1 << 20, zeros: 1 << 20}
	p, err := NewPool(Options{Workers: w.workers, Budget: budget, TempDir: t.TempDir(), TempLimit: 3 * segmentSize, Extract: w.extract, limits: small})
	if err != nil {
		t.Fatal(err)
	}
	f, m, b := p.File(s.mode), &truth{mode: s.mode}, &lockedBlock{}
	next := 0
	for range rng.IntN(60) {
		data := pattern(1+rng.IntN(700), byte(rng.Uint32()))
		off := next
		if rng.IntN(4) == 0 {
			off = rng.IntN(s.reach)
		}
		next = off + len(data)
		if s.mode == Write && rng.IntN(3) == 0 {
			f.Begin()
		}
		if s.mode == Write && rng.IntN(30) == 0 {
			n := rng.IntN(s.reach)
			f.Truncate(int64(n))
			m.cut(n)
		}
		m.write(off, data)
		if w.blocks {
			f.Write(int64(off), data, b)
		} else {
			f.Write(int64(off), data, nil)
			clear(data) // the caller's memory is its own again
		}
		if w.flush > 0 && flushes.IntN(w.flush) == 0 {
			p.Flush()
		}
	}
	e := End{Size: -1, ZeroFill: s.zeroFill}
	if rng.IntN(2) == 0 {
		e.Size = int64(rng.IntN(s.reach))
		if rng.IntN(2) == 0 {
			e.Size = int64(len(m.data))
		}
	}
	f.Close(e)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if budget.Used != 0 || b.count() != 0 {
		t.Errorf("%d bytes of budget not given back, block held %d times", budget.Used, b.count())
	}
	return f.Result(), m, e
}

// check says that a result is true.
func check(t *testing.T, r Result, m *truth, e End) {
	t.Helper()
	for len(m.have) > 0 && !m.have[len(m.have)-1] {
		m.cut(len(m.have) - 1) // what a cut left without any byte
	}
	size := len(m.data)
	if e.Size >= 0 {
		size = int(e.Size)
	}
	if m.mode == Write {
		m.cut(size)
	}
	if r.Whole {
		for len(m.data) < size {
			m.data, m.have = append(m.data, 0), append(m.have, false)
		}
		if !e.ZeroFill && !m.full(size) || len(m.data) != size || r.SHA256 != hashOf(m.data) || r.Size != int64(size) {
			t.Fatalf("whole with %d of %d bytes, hash right %v", r.Size, size, r.SHA256 == hashOf(m.data))
		}
	} else if r.SHA256 != "" || r.Reason == "" {
		t.Fatalf("not whole, hash %q, reason %q", r.SHA256, r.Reason)
	}
	for name, sum := range r.Prefix {
		n, err := strconv.Atoi(name)
		if err != nil || n > len(m.data) || sum != hashOf(m.data[:n]) || !r.Whole && !m.full(n) {
			t.Fatalf("prefix %s of %d bytes is wrong", name, len(m.data))
		}
	}
}

// FuzzFile compares with the truth, and the ways to run a script with each other.
func FuzzFile(f *testing.F) {
	for seed := range uint64(40) {
		f.Add(seed, seed%2 == 0, uint16(600*(seed%20)+1), seed%3 == 0)
	}
	f.Fuzz(func(t *testing.T, seed uint64, write bool, reach uint16, zeroFill bool) {
		s := script{seed: seed, reach: int(reach) + 1, zeroFill: zeroFill}
		if write {
			s.mode = Write
		}
		var want Result
		for i, w := range []way{{}, {workers: 3, blocks: true}, {workers: 2, flush: 3}, {blocks: true, flush: 2}} {
			r, m, e := s.run(t, w, &Budget{Limit: 64 << 20})
			check(t, r, m, e)
			if i == 0 {
				want = r
			} else if !reflect.DeepEqual(r, want) {
				t.Fatalf("%+v gives\n%+v instead of\n%+v", w, r, want)
			}
		}
		r, m, e := s.run(t, way{workers: 2, flush: 2, blocks: true}, &Budget{Limit: 4 << 10})
		check(t, r, m, e)
		r, m, e = s.run(t, way{workers: 2, flush: 4, extract: t.TempDir()}, &Budget{Limit: 64 << 20})
		check(t, r, m, e)
		if want.Whole && !r.Whole {
			t.Fatalf("whole without extraction, with it %q", r.Reason)
		}
	})
}

func FuzzTypeOf(f *testing.F) {
	for _, c := range typeCases {
		f.Add([]byte(c.head))
	}
	f.Fuzz(func(t *testing.T, head []byte) {
		if got := TypeOf(head); (got == "") != (len(head) == 0) {
			t.Errorf("%q for %d bytes", got, len(head))
		}
	})
}
