package hashed

import (
	"math/rand/v2"
	"testing"
)

// TestIndex compares an index with a map, with keys that lie close together.
func TestIndex(t *testing.T) {
	var x Index
	want, r := map[uint64]uint32{}, rand.New(rand.NewPCG(1, 1))
	for i := range 200_000 {
		key := r.Uint64N(400) * 7 // many at home in the same slots
		if i%9 == 0 {
			key = r.Uint64()
		}
		if got := x.Get(key); got != want[key] {
			t.Fatalf("step %d: %d instead of %d", i, got, want[key])
		}
		if want[key] == 0 || i%5 == 0 {
			x.Set(key, uint32(i+1))
			want[key] = uint32(i + 1)
		} else {
			x.Delete(key)
			delete(want, key)
		}
		if i%1000 == 0 && r.IntN(3) == 0 { // it shrinks, too
			for k := range want {
				x.Delete(k)
			}
			clear(want)
		}
	}
	x.Delete(r.Uint64()) // which is not there
	equal(t, &x, want)
}

func equal(t *testing.T, x *Index, want map[uint64]uint32) {
	t.Helper()
	for k, v := range want {
		if x.Get(k) != v {
			t.Errorf("%d: %d instead of %d", k, x.Get(k), v)
		}
	}
	if x.Len() != len(want) {
		t.Errorf("%d keys instead of %d", x.Len(), len(want))
	}
}

// TestRenumber drops every third number and gives the others new ones.
func TestRenumber(t *testing.T) {
	var x Index
	want, r := map[uint64]uint32{}, rand.New(rand.NewPCG(1, 2))
	renamed := func(n uint32) uint32 {
		if n%3 == 0 { // 0 too
			return 0
		}
		return n + 7
	}
	for n := uint32(1); n < 5000; n++ {
		key := r.Uint64()
		x.Set(key, n)
		if m := renamed(n); m != 0 {
			want[key] = m
		}
	}
	x.Renumber(renamed)
	equal(t, &x, want)
}
