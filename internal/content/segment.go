package content

import (
	"slices"
	"sort"
	"sync"
)

// kind says where the bytes of a segment lie.
type kind uint8

const (
	borrowed kind = iota // in a block that is retained
	loan                 // in a buffer that goes to the hash soon, and that no budget counts
	owned                // in a buffer that the budget counts
	spilled              // in a slot of the temporary file
	zeros                // nowhere: they are zeros
	patch                // in a job only: a loan that replaces bytes already hashed
	cut                  // in a job only: what was hashed from off on is no more
)

// segmentSize is the most that one segment holds, but for borrowed ones and zeros.
const segmentSize = 64 << 10

// overhead is what a segment costs beside its buffer.
const overhead = 64

// segment is a run of n bytes of a file at off.
type segment struct {
	off  int64
	n    int64
	data []byte // its capacity is the buffer's; nil when spilled or zeros
	slot int32
	kind kind
}

func (s *segment) end() int64 { return s.off + s.n }

// cost is what a segment takes of the budget.
func (s *segment) cost() int64 { return int64(cap(s.data)) + overhead }

// room is how many bytes can be added behind the segment.
func (s *segment) room() int {
	switch s.kind {
	case loan, owned:
		return cap(s.data) - len(s.data)
	case spilled:
		return segmentSize - int(s.n)
	}
	return 0
}

// shorten cuts the segment down to n bytes.
func (s *segment) shorten(n int64) {
	s.n = n
	if s.data != nil {
		s.data = s.data[:n]
	}
}

// segments are sorted by offset and do not overlap.
type segments []segment

// after is the index of the first segment that ends behind off.
func (l segments) after(off int64) int {
	return sort.Search(len(l), func(i int) bool { return l[i].end() > off })
}

// dropFirst takes the first n segments out.
func (l segments) dropFirst(n int) segments {
	if len(l)-n <= 64 {
		return slices.Delete(l, 0, n)
	}
	clear(l[:n]) // moving a long rest for every packet would be quadratic
	return l[n:]
}

// Buffers come in four sizes, so that a small file costs little.
type (
	buf256 = [256]byte
	buf2k  = [2 << 10]byte
	buf16k = [16 << 10]byte
	buf64k = [segmentSize]byte
)

var (
	pool256 = sync.Pool{New: func() any { return new(buf256) }}
	pool2k  = sync.Pool{New: func() any { return new(buf2k) }}
	pool16k = sync.Pool{New: func() any { return new(buf16k) }}
	pool64k = sync.Pool{New: func() any { return new(buf64k) }}
)

// bufferSize is the size of the smallest buffer that holds n bytes, or of the largest.
func bufferSize(n int64) int64 {
	switch {
	case n <= 256:
		return 256
	case n <= 2<<10:
		return 2 << 10
	case n <= 16<<10:
		return 16 << 10
	}
	return segmentSize
}

// newBuffer gives an empty buffer with a capacity of bufferSize(n).
func newBuffer(n int64) []byte {
	switch bufferSize(n) {
	case 256:
		return pool256.Get().(*buf256)[:0]
	case 2 << 10:
		return pool2k.Get().(*buf2k)[:0]
	case 16 << 10:
		return pool16k.Get().(*buf16k)[:0]
	}
	return pool64k.Get().(*buf64k)[:0]
}

// freeBuffer takes back a buffer of newBuffer.
func freeBuffer(b []byte) {
	b = b[:cap(b)]
	switch len(b) {
	case 256:
		pool256.Put((*buf256)(b))
	case 2 << 10:
		pool2k.Put((*buf2k)(b))
	case 16 << 10:
		pool16k.Put((*buf16k)(b))
	case segmentSize:
		pool64k.Put((*buf64k)(b))
	}
}
