// Package hashed finds numbers by 64-bit keys that are hashes already. In come keys with
// their numbers; out come the numbers. It hashes nothing itself, so a number is found with
// one look at memory where a map needs several, and it keeps no pointers. Whoever fills it
// from hostile input has to seed the hashes.
package hashed

// Index is numbers by key. The zero value is empty. No number is 0, which stands for none.
type Index struct {
	slots []slot
	used  int
}

// slot is a key in halves, which take no room for alignment, and its number.
type slot struct{ high, low, number uint32 }

func slotOf(key uint64, number uint32) slot { return slot{uint32(key >> 32), uint32(key), number} }

func (s *slot) key() uint64 { return uint64(s.high)<<32 | uint64(s.low) }

// Len is how many keys there are.
func (x *Index) Len() int { return x.used }

// Get gives the number of a key, 0 for none.
func (x *Index) Get(key uint64) uint32 {
	if x.used == 0 {
		return 0
	}
	return x.slots[x.find(key)].number
}

// Set gives a key a number.
func (x *Index) Set(key uint64, number uint32) {
	if 4*(x.used+1) > 3*len(x.slots) {
		x.resize(max(64, 2*len(x.slots)))
	}
	s := &x.slots[x.find(key)]
	if s.number == 0 {
		x.used++
	}
	*s = slotOf(key, number)
}

// find gives the place of a key: its own, or the empty one where it belongs.
func (x *Index) find(key uint64) uint64 {
	mask := uint64(len(x.slots) - 1)
	i := key & mask
	for x.slots[i].number != 0 && x.slots[i].key() != key {
		i = (i + 1) & mask
	}
	return i
}

func (x *Index) resize(n int) {
	old := x.slots
	x.slots = make([]slot, n)
	for _, s := range old {
		if s.number != 0 {
			x.slots[x.find(s.key())] = s
		}
	}
}

// Delete drops a key, and moves up those that would have it in their way (Knuth, The Art
// of Computer Programming 3, 6.4, algorithm R).
func (x *Index) Delete(key uint64) {
	if x.used == 0 {
		return
	}
	mask := uint64(len(x.slots) - 1)
	i := x.find(key)
	if x.slots[i].number == 0 {
		return
	}
	for j := i; ; {
		j = (j + 1) & mask
		s := x.slots[j]
		if s.number == 0 {
			break
		}
		if home := s.key() & mask; (j-home)&mask >= (j-i)&mask {
			x.slots[i] = s
			i = j
		}
	}
	x.slots[i] = slot{}
	if x.used--; len(x.slots) > 1024 && 16*x.used < len(x.slots) {
		x.resize(len(x.slots) / 4)
	}
}

// Renumber gives every number the one that renamed gives for it; a key whose number
// becomes 0 is dropped. renamed gives 0 for 0.
func (x *Index) Renumber(renamed func(uint32) uint32) {
	old := x.slots
	x.used = 0
	for i := range old {
		if old[i].number = renamed(old[i].number); old[i].number != 0 {
			x.used++
		}
	}
	// All room at once: keys come in the order of their places, and would crowd a table
	// that grows with them.
	size := 64
	for 2*size < 3*x.used {
		size *= 2
	}
	x.slots = old
	x.resize(size)
}
