package content

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func hashOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// pattern is n bytes that differ everywhere.
func pattern(n int, seed byte) []byte {
	b := make([]byte, n)
	x := uint32(seed) + 1
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}

// one runs a script on a file of its own pool and gives the result.
func one(t testing.TB, o Options, m Mode, script func(*File)) Result {
	t.Helper()
	if o.Budget == nil {
		o.Budget = &Budget{Limit: 64 << 20}
	}
	p, err := NewPool(o)
	if err != nil {
		t.Fatal(err)
	}
	f := p.File(m)
	script(f)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if o.Budget.Used != 0 {
		t.Errorf("%d bytes of budget not given back", o.Budget.Used)
	}
	return f.Result()
}

func wantWhole(t *testing.T, what string, r Result, content []byte) {
	t.Helper()
	if !r.Whole || r.SHA256 != hashOf(content) || r.Size != int64(len(content)) || r.Reason != "" {
		t.Errorf("%s: whole %v, %d of %d bytes, %q", what, r.Whole, r.Size, len(content), r.Reason)
	}
}

func wantPartial(t *testing.T, what string, r Result, reason string) {
	t.Helper()
	if r.Whole || r.SHA256 != "" || !strings.Contains(r.Reason, reason) {
		t.Errorf("%s: whole %v, hash %q, reason %q instead of %q", what, r.Whole, r.SHA256, r.Reason, reason)
	}
}

func TestReads(t *testing.T) {
	a := pattern(10_000, 1)
	size := int64(len(a))
	for name, ranges := range map[string][][2]int{
		"in order":   {{0, 4000}, {4000, 10_000}},
		"backwards":  {{8000, 10_000}, {4000, 8000}, {0, 4000}},
		"overlapped": {{0, 5000}, {3000, 9000}, {2000, 10_000}},
	} {
		r := one(t, Options{}, Read, func(f *File) {
			for _, x := range ranges {
				f.Write(int64(x[0]), a[x[0]:x[1]], nil)
			}
			f.Close(End{Size: size})
		})
		wantWhole(t, name, r, a)
		if r.Seen != size || r.Prefix["4096"] != hashOf(a[:4096]) || len(r.Prefix) != 1 {
			t.Errorf("%s: %d bytes seen, prefixes %v", name, r.Seen, r.Prefix)
		}
	}
	r := one(t, Options{}, Read, func(f *File) {
		f.Write(0, a[:5000], nil)
		f.Write(6000, a[6000:], nil)
		f.Close(End{Size: size})
	})
	wantPartial(t, "a hole", r, missing)
	if r.Prefix["4096"] != hashOf(a[:4096]) || r.Seen != 9000 {
		t.Errorf("a hole: prefix %v, %d seen", r.Prefix, r.Seen)
	}
	first := bytes.Clone(a)
	r = one(t, Options{}, Read, func(f *File) {
		f.Write(0, a, nil)
		f.Write(100, pattern(500, 9), nil)
		f.Close(End{Size: size})
	})
	wantWhole(t, "the first copy wins", r, first)
	wantPartial(t, "size changed", one(t, Options{}, Read, func(f *File) {
		f.Write(0, a, nil)
		f.Close(End{Size: 5000})
	}), sizeChanged)
	wantWhole(t, "empty", one(t, Options{}, Read, func(f *File) { f.Close(End{Size: 0}) }), nil)
	wantPartial(t, "said to be incomplete", one(t, Options{}, Read, func(f *File) {
		f.Write(0, a, nil)
		f.Close(End{Size: size, Incomplete: "interrupted"})
	}), "interrupted")
}

func TestWrites(t *testing.T) {
	a := pattern(3<<20, 2)
	write := func(f *File, from, to int) { f.Write(int64(from), a[from:to], nil) }
	all := func(f *File) {
		for at := 0; at < len(a); at += 64 << 10 {
			write(f, at, min(at+64<<10, len(a)))
		}
	}
	wantWhole(t, "in order", one(t, Options{}, Write, func(f *File) { all(f); f.Close(End{Size: -1}) }), a)

	small := pattern(900<<10, 3)
	patched := bytes.Clone(small)
	copy(patched[10:], "PATCHED")
	wantWhole(t, "up to 1 MiB anything can be rewritten", one(t, Options{}, Write, func(f *File) {
		f.Write(0, small, nil)
		f.Write(10, []byte("PATCHED"), nil)
		f.Close(End{Size: -1})
	}), patched)

	r := one(t, Options{}, Write, func(f *File) {
		all(f)
		f.Write(10, []byte("PATCHED"), nil)
		f.Close(End{Size: -1})
	})
	wantPartial(t, "rewritten above 1 MiB", r, "rewritten after byte 10")
	if len(r.Prefix) != 0 {
		t.Errorf("prefixes of rewritten content: %v", r.Prefix)
	}
	r = one(t, Options{}, Write, func(f *File) {
		all(f)
		f.Write(1<<20+10, []byte("PATCHED"), nil)
		f.Close(End{Size: -1})
	})
	wantPartial(t, "rewritten later", r, "rewritten after byte 1048586")
	if r.Prefix["1048576"] != hashOf(a[:1<<20]) {
		t.Errorf("the prefix before the rewritten byte: %v", r.Prefix)
	}

	// Unbuffered copies round the last write up, then set the end.
	cut := len(a) - 1000
	wantWhole(t, "tail cut by the end", one(t, Options{}, Write, func(f *File) { all(f); f.Close(End{Size: int64(cut)}) }), a[:cut])
	wantWhole(t, "tail cut before", one(t, Options{}, Write, func(f *File) { all(f); f.Truncate(int64(cut)); f.Close(End{Size: -1}) }), a[:cut])
	wantWhole(t, "emptied and written again", one(t, Options{}, Write, func(f *File) {
		all(f)
		f.Truncate(0)
		f.Write(0, small, nil)
		f.Close(End{Size: -1})
	}), small)

	sparse := append(append(pattern(100, 1), make([]byte, 5000)...), pattern(100, 2)...)
	script := func(zero bool) func(*File) {
		return func(f *File) {
			f.Write(0, sparse[:100], nil)
			f.Write(5100, sparse[5100:], nil)
			f.Close(End{Size: int64(len(sparse)), ZeroFill: zero})
		}
	}
	wantWhole(t, "unwritten bytes are zeros", one(t, Options{}, Write, script(true)), sparse)
	wantPartial(t, "unwritten bytes are unknown", one(t, Options{}, Write, script(false)), missing)
	wantWhole(t, "only the end was set", one(t, Options{}, Write, func(f *File) { f.Close(End{Size: 70_000, ZeroFill: true}) }), make([]byte, 70_000))
	wantPartial(t, "a huge hole", one(t, Options{}, Write, func(f *File) {
		f.Write(0, sparse[:100], nil)
		f.Close(End{Size: 1 << 50, ZeroFill: true})
	}), "zeros")
}

func TestLadder(t *testing.T) {
	a := pattern(17<<20, 4)
	r := one(t, Options{Workers: 3}, Read, func(f *File) {
		for at := 0; at < len(a); at += 100_000 {
			f.Write(int64(at), a[at:min(at+100_000, len(a))], nil)
		}
		f.Close(End{Size: int64(len(a))})
	})
	wantWhole(t, "17 MiB", r, a)
	for name, n := range map[string]int{"4096": 4096, "65536": 65536, "1048576": 1 << 20, "16777216": 16 << 20} {
		if r.Prefix[name] != hashOf(a[:n]) {
			t.Errorf("prefix %s: %q", name, r.Prefix[name])
		}
	}
}

func TestMoreHashes(t *testing.T) {
	a := pattern(5000, 5)
	r := one(t, Options{MD5: true, SHA1: true}, Read, func(f *File) { f.Write(0, a, nil); f.Close(End{Size: 5000}) })
	m, s := md5.Sum(a), sha1.Sum(a)
	if r.MD5 != hex.EncodeToString(m[:]) || r.SHA1 != hex.EncodeToString(s[:]) {
		t.Errorf("md5 %s, sha1 %s", r.MD5, r.SHA1)
	}
}

// TestBudget: what does not fit waits in the temporary file; without one it is
// dropped, and said.
func TestBudget(t *testing.T) {
	a := pattern(2<<20, 6)
	script := func(f *File) {
		for at := len(a) - 65536; at >= 0; at -= 65536 {
			f.Write(int64(at), a[at:at+65536], nil)
		}
		f.Close(End{Size: int64(len(a))})
	}
	dir := t.TempDir()
	wantWhole(t, "spilled", one(t, Options{Budget: &Budget{Limit: 200 << 10}, TempDir: dir}, Read, script), a)
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("%d files left behind", len(left))
	}
	r := one(t, Options{Budget: &Budget{Limit: 200 << 10}, TempLimit: -1}, Read, script)
	wantPartial(t, "no room", r, overBudget)
	wantPartial(t, "no folder", one(t, Options{Budget: &Budget{Limit: 200 << 10}, TempDir: filepath.Join(dir, "absent")}, Read, script), overBudget)
}

func TestExtract(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	a := pattern(3<<20, 7)
	patched := bytes.Clone(a)
	copy(patched[500:], "patched")
	r := one(t, Options{Extract: dir, Workers: 2}, Write, func(f *File) {
		for at := 0; at < len(a); at += 65536 {
			f.Write(int64(at), a[at:at+65536], nil)
		}
		f.Write(500, []byte("patched"), nil)
		f.Close(End{Size: -1})
	})
	wantWhole(t, "with the content kept, anything can be rewritten", r, patched)
	one(t, Options{Extract: dir}, Read, func(f *File) { f.Write(10, a[:500], nil); f.Close(End{Size: 600}) })
	one(t, Options{Extract: dir}, Read, func(f *File) { f.Write(0, a, nil); f.Abandon() })
	names, err := os.ReadDir(dir)
	if err != nil || len(names) != 1 || names[0].Name() != hashOf(patched) {
		t.Fatalf("%v, %v", names, err)
	}
	info, _ := names[0].Info()
	if info.Mode() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	if got, _ := os.ReadFile(filepath.Join(dir, names[0].Name())); !bytes.Equal(got, patched) {
		t.Error("another content was kept")
	}
}

func TestAccessors(t *testing.T) {
	a := pattern(9000, 8)
	one(t, Options{}, Read, func(f *File) {
		f.Write(0, a[:5000], nil)
		f.Write(6000, a[6000:9000], nil)
		if f.Front() != 5000 || f.High() != 9000 || f.Seen() != 8000 || f.Covers(0, 5001) || !f.Covers(6000, 9000) {
			t.Errorf("front %d, high %d, seen %d", f.Front(), f.High(), f.Seen())
		}
		if !bytes.Equal(f.Head(), a[:4096]) {
			t.Error("another head")
		}
		f.Write(-5, a, nil)
		f.Write(1<<63-10, a, nil)
		f.Close(End{Size: -1})
		f.Write(0, a, nil)
		if f.Front() != 5000 || f.High() != 9000 || f.Seen() != 8000 {
			t.Error("changed after Close")
		}
	})
}

func TestRanges(t *testing.T) {
	var r Ranges
	for _, s := range [][2]int64{{10, 20}, {30, 40}, {20, 30}, {5, 12}, {50, 60}, {0, 1}} {
		r.Add(s[0], s[1])
	}
	if r.Len() != 46 || r.High() != 60 || r.Front() != 1 || !r.Covers(5, 40) || r.Covers(0, 6) || r.Covers(39, 51) {
		t.Errorf("%+v", r)
	}
	r.Cut(35)
	if r.Len() != 31 || r.High() != 35 {
		t.Errorf("after Cut: %+v", r)
	}
	for i := int64(0); i < 2*maxRanges; i++ {
		r.Add(100+2*i, 101+2*i)
	}
	if len(r.spans) > maxRanges {
		t.Errorf("%d ranges", len(r.spans))
	}
}

// block counts who holds it.
type block struct{ held int }

func (b *block) Retain()  { b.held++ }
func (b *block) Release() { b.held-- }

func TestAllocations(t *testing.T) {
	if racing {
		t.Skip("the race detector allocates")
	}
	budget := &Budget{Limit: 1 << 20}
	p, err := NewPool(Options{Budget: budget})
	if err != nil {
		t.Fatal(err)
	}
	f, b, data, off := p.File(Read), &block{}, make([]byte, 1448), int64(0)
	step := func() {
		for range 700 {
			f.Write(off, data, b)
			off += int64(len(data))
		}
		p.Flush()
	}
	for range 20 {
		step()
	}
	if n := testing.AllocsPerRun(50, step); n > 2 {
		t.Errorf("%v allocations for 700 segments", n)
	}
	f.Close(End{Size: off})
	p.Close()
	if b.held != 0 || budget.Used != 0 {
		t.Errorf("block held %d times, %d bytes of budget", b.held, budget.Used)
	}
}

func BenchmarkHash(b *testing.B) {
	p, err := NewPool(Options{Budget: &Budget{Limit: 1 << 20}})
	if err != nil {
		b.Fatal(err)
	}
	f, blk, data, off := p.File(Read), &block{}, make([]byte, 1448), int64(0)
	b.SetBytes(1448)
	b.ReportAllocs()
	for b.Loop() {
		f.Write(off, data, blk)
		if off += 1448; off%(700*1448) == 0 {
			p.Flush()
		}
	}
	f.Close(End{Size: off})
	p.Close()
}
