package history

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzLoad reads databases that were damaged, or made by somebody hostile. Whatever is
// read without an error can be used, saved and read again.
func FuzzLoad(f *testing.F) {
	dir := f.TempDir()
	path := filepath.Join(dir, "seed")
	save(f, path, func(m *Memory) *Memory {
		small := NewMemory()
		small.Normal.Learn(Pair, "a", "smb push", "b", start)
		small.Normal.Learn(Pair, "a", "smb push", "b", start+day)
		small.Mark(Mark{ID: "f-1", Verdict: Benign, Reason: "ours", Until: start, Covers: []Work{workOf(1)}})
		small.Hold(somethingOfAll(0).Held...)
		small.Locate(somethingOfAll(0).Homes.Sorted())
		small.Inputs["x"] = Input{"a.pcap", start}
		return small
	})
	seed, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed, uint32(0), uint64(0))
	f.Add(seed[:len(seed)/2], uint32(100), uint64(7))
	for at := uint32(0); at < uint32(len(seed)); at += 4096 {
		f.Add(seed, at+8, uint64(1)<<63|0xffff)
	}
	file := filepath.Join(dir, "fuzzed")
	f.Fuzz(func(t *testing.T, b []byte, at uint32, value uint64) {
		if len(b) > 1<<17 {
			return
		}
		b = append([]byte{}, b...)
		for i := range 8 { // what a mutation of a few bytes hits is mostly free space
			if p := int(at) + i; p < len(b) {
				b[p] ^= byte(value >> (8 * i))
			}
		}
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		os.Remove(file + "-journal")
		os.Remove(file + "-wal")
		h, err := Open(file)
		if err != nil {
			return
		}
		defer h.Close()
		m, err := h.Load()
		if err != nil {
			return
		}
		m.Normal.Learn(Pair, "a", "smb push", "b", start+2*day)
		m.Mark(Mark{ID: "f-1", Verdict: Benign, Reason: "ours", Until: start})
		again := NewMemory()
		if _, err := again.Merge(m); err != nil {
			t.Fatal(err)
		}
		if err := h.Save(m); err != nil {
			return // the damage lies in what reading does not touch
		}
		load(t, file)
	})
}
