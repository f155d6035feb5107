package ledger

// index finds the oldest link of a key. The keys are hashes already, so a slot is found
// at once; links are numbered from 1, and 0 is an empty slot.
type index struct {
	slots []slot
	used  int
}

type slot struct {
	key    uint64
	oldest int32
}

// find gives the slot of a key: its own, or the empty one where it belongs.
func (x *index) find(key uint64) *slot {
	if len(x.slots) == 0 {
		x.slots = make([]slot, 64)
	}
	mask := uint64(len(x.slots) - 1)
	for i := key & mask; ; i = (i + 1) & mask {
		if s := &x.slots[i]; s.key == key || s.oldest == 0 {
			return s
		}
	}
}

// put fills an empty slot.
func (x *index) put(s *slot, key uint64, oldest int32) {
	*s = slot{key, oldest}
	if x.used++; 4*x.used > 3*len(x.slots) {
		x.resize(2 * len(x.slots))
	}
}

func (x *index) resize(n int) {
	old := x.slots
	x.slots = make([]slot, n)
	for _, s := range old {
		if s.oldest != 0 {
			*x.find(s.key) = s
		}
	}
}

// remove empties the slot of a key, and moves up those that would have it in their way
// (Knuth, The Art of Computer Programming 3, 6.4, algorithm R).
func (x *index) remove(key uint64) {
	mask := uint64(len(x.slots) - 1)
	i := key & mask
	for x.slots[i].key != key || x.slots[i].oldest == 0 {
		i = (i + 1) & mask
	}
	for j := i; ; {
		j = (j + 1) & mask
		s := x.slots[j]
		if s.oldest == 0 {
			break
		}
		if home := s.key & mask; (j-home)&mask >= (j-i)&mask {
			x.slots[i] = s
			i = j
		}
	}
	x.slots[i] = slot{}
	if x.used--; len(x.slots) > 1024 && 16*x.used < len(x.slots) {
		x.resize(len(x.slots) / 4)
	}
}
