package content

import (
	"slices"
	"sort"
)

// maxRanges bounds the separate ranges of one Ranges: 256 KiB of memory. A file
// read in no order at all stays far below.
const maxRanges = 16 << 10

// Ranges is a set of byte offsets, kept as sorted ranges that neither overlap
// nor touch. The zero value is empty and ready. It holds at most 16,384 ranges.
type Ranges struct {
	spans []span
	total int64
	last  int // the span that was added to last, where the next bytes most likely go
	limit int // at most so many spans; 0 is maxRanges
}

// span is [from, to).
type span struct{ from, to int64 }

// Add adds [from, to). It says false, and adds nothing, when that would need one
// range too many, or when from is negative.
func (r *Ranges) Add(from, to int64) bool {
	if from < 0 || from >= to {
		return from >= 0
	}
	if r.extend(from, to) {
		return true
	}
	i := sort.Search(len(r.spans), func(i int) bool { return r.spans[i].to >= from })
	j := i + sort.Search(len(r.spans)-i, func(k int) bool { return r.spans[i+k].from > to })
	if i == j && len(r.spans) >= r.most() {
		return false
	}
	s := span{from, to}
	if i < j {
		s = span{min(from, r.spans[i].from), max(to, r.spans[j-1].to)}
	}
	for _, old := range r.spans[i:j] {
		r.total -= old.to - old.from
	}
	r.total += s.to - s.from
	r.spans = slices.Replace(r.spans, i, j, s)
	r.last = i
	return true
}

// extend is Add for the common case: bytes that touch the last span only.
func (r *Ranges) extend(from, to int64) bool {
	if r.last >= len(r.spans) {
		return false
	}
	s := &r.spans[r.last]
	if from < s.from || from > s.to || !r.freeBefore(to) {
		return false
	}
	if to > s.to {
		r.total += to - s.to
		s.to = to
	}
	return true
}

// freeBefore says whether the span after the last one starts behind to.
func (r *Ranges) freeBefore(to int64) bool {
	return r.last+1 >= len(r.spans) || to < r.spans[r.last+1].from
}

func (r *Ranges) most() int {
	if r.limit > 0 {
		return r.limit
	}
	return maxRanges
}

// Covers says whether all of [from, to) is in the set. An empty range is.
func (r *Ranges) Covers(from, to int64) bool {
	if from >= to {
		return true
	}
	i := r.after(from)
	return i < len(r.spans) && r.spans[i].from <= from && to <= r.spans[i].to
}

// Len is how many offsets are in the set.
func (r *Ranges) Len() int64 { return r.total }

// High is the end of the highest range, 0 when there is none.
func (r *Ranges) High() int64 {
	if len(r.spans) == 0 {
		return 0
	}
	return r.spans[len(r.spans)-1].to
}

// Front is the end of the range that starts at 0, 0 when there is none.
func (r *Ranges) Front() int64 {
	if len(r.spans) == 0 || r.spans[0].from > 0 {
		return 0
	}
	return r.spans[0].to
}

// Cut takes n and all offsets above it out of the set.
func (r *Ranges) Cut(n int64) {
	i := r.after(n)
	for _, s := range r.spans[i:] {
		r.total -= s.to - max(s.from, n)
	}
	if i < len(r.spans) && r.spans[i].from < n {
		r.spans[i].to = n
		i++
	}
	r.spans = r.spans[:i]
	r.last = 0
}

// hole is the first part of [from, to) that is not in the set; empty when all is.
func (r *Ranges) hole(from, to int64) (int64, int64) {
	if r.last < len(r.spans) && r.spans[r.last].to == from && r.freeBefore(to) {
		return from, to
	}
	i := r.after(from)
	if i < len(r.spans) && r.spans[i].from <= from {
		from = min(r.spans[i].to, to)
		i++
	}
	if i < len(r.spans) {
		to = min(to, r.spans[i].from)
	}
	return from, max(from, to)
}

// after is the index of the first span that ends behind off.
func (r *Ranges) after(off int64) int {
	return sort.Search(len(r.spans), func(i int) bool { return r.spans[i].to > off })
}
