package identity

import (
	"math"
	"math/bits"

	"waybill/internal/model"
)

// sketch counts distinct things in 256 bits by linear counting (Whang and others,
// "A linear-time probabilistic counting algorithm", 1990): right to a few percent for
// some hundred, and "very many" beyond.
type sketch [4]uint64

func (s *sketch) add(id uint64) { s[id>>6&3] |= 1 << (id & 63) }

func (s *sketch) merge(o *sketch) {
	for i := range s {
		s[i] |= o[i]
	}
}

func (s *sketch) count() int {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return distinct[n]
}

// distinct is how many things so many set bits mean.
var distinct = func() (out [257]int) {
	for n := range 256 {
		out[n] = int(math.Round(-256 * math.Log(1-float64(n)/256)))
	}
	out[256] = 1420 // one bit less, rounded up
	return out
}()

// hash makes an id of a text (FNV-1a, with the avalanche of MurmurHash3): it is the
// same in every run, since it is kept.
func hash(text string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * 1099511628211
	}
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// days are those of the last 64 days on which something happened.
type days struct {
	Last int64 // days since the epoch
	Bits uint64
}

const oneDay = model.Time(24 * 3600e9)

func dayOf(t model.Time) int64 { return int64(t / oneDay) }

func (d *days) set(day int64) {
	switch {
	case d.Bits == 0 || day-d.Last >= 64:
		*d = days{day, 1}
	case day > d.Last:
		*d = days{day, d.Bits<<(day-d.Last) | 1}
	case d.Last-day < 64:
		d.Bits |= 1 << (d.Last - day)
	}
}

// merge adds the days of another one.
func (d *days) merge(o days) {
	if d.Bits == 0 {
		*d = o
	}
	if o.Bits == 0 {
		return
	}
	if o.Last > d.Last {
		*d, o = o, *d
	}
	if gap := d.Last - o.Last; gap < 64 {
		d.Bits |= o.Bits << gap
	}
}

// weeks is how many weeks, counted back from the last of the days, have one.
func (d *days) weeks() int {
	n := 0
	for b := d.Bits; b != 0; b >>= 7 {
		if b&0x7f != 0 {
			n++
		}
	}
	return n
}
