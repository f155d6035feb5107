package ledger

import (
	"math/rand/v2"
	"testing"
)

// TestIndex compares an index with a map, with keys that lie close together.
func TestIndex(t *testing.T) {
	var x index
	want, r := map[uint64]int32{}, rand.New(rand.NewPCG(1, 1))
	for i := range 200_000 {
		key := r.Uint64N(400) * 7 // many at home in the same slots
		if i%9 == 0 {
			key = r.Uint64()
		}
		s := x.find(key)
		if s.oldest != want[key] {
			t.Fatalf("step %d: %d instead of %d", i, s.oldest, want[key])
		}
		if s.oldest == 0 {
			x.put(s, key, int32(i+1))
			want[key] = int32(i + 1)
		} else {
			x.remove(key)
			delete(want, key)
		}
		if i%1000 == 0 && r.IntN(3) == 0 { // it shrinks, too
			for k := range want {
				x.remove(k)
			}
			clear(want)
		}
	}
	for k, v := range want {
		if x.find(k).oldest != v {
			t.Errorf("%d: %d instead of %d", k, x.find(k).oldest, v)
		}
	}
	if x.used != len(want) {
		t.Errorf("%d used instead of %d", x.used, len(want))
	}
}
