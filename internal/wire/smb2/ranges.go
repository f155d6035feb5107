package smb2

import "slices"

// maxRanges bounds the separate ranges that one open's reads are counted in;
// beyond it they are too scattered for the open to be whole by itself.
const maxRanges = 4096

// ranges is a set of bytes of a file, in order and without touching neighbours.
type ranges struct {
	spans []span
}

type span struct{ from, to int64 }

// add puts [from, to) into the set.
func (r *ranges) add(from, to int64) {
	if from >= to {
		return
	}
	if n := len(r.spans); n > 0 && from >= r.spans[n-1].from && from <= r.spans[n-1].to {
		r.spans[n-1].to = max(r.spans[n-1].to, to)
		return
	}
	i, _ := slices.BinarySearchFunc(r.spans, from, func(s span, v int64) int {
		if s.to < v {
			return -1
		}
		return 1
	})
	j := i
	for j < len(r.spans) && r.spans[j].from <= to {
		from, to = min(from, r.spans[j].from), max(to, r.spans[j].to)
		j++
	}
	if i == j && len(r.spans) >= maxRanges {
		return
	}
	r.spans = slices.Replace(r.spans, i, j, span{from, to})
}

// size is how many bytes are in the set.
func (r *ranges) size() int64 {
	n := int64(0)
	for _, s := range r.spans {
		n += s.to - s.from
	}
	return n
}

// covers says whether all of [from, to) is in the set.
func (r *ranges) covers(from, to int64) bool {
	if from >= to {
		return true
	}
	for _, s := range r.spans {
		if s.from <= from && to <= s.to {
			return true
		}
	}
	return false
}

// high is the end of the highest byte.
func (r *ranges) high() int64 {
	if len(r.spans) == 0 {
		return 0
	}
	return r.spans[len(r.spans)-1].to
}
