// Package content puts one file together from ranges of bytes that come in any
// order: what of it was seen, its SHA-256, the hashes of its first 4 KiB, 64 KiB,
// 1 MiB and 16 MiB, and its type. In come ranges and what the protocol says of
// the end; out comes one Result a file. It never takes a name or a path from
// its callers, and never opens or runs what it holds.
//
// Bytes in order are referenced where they lie and hashed later, on a worker.
// Bytes ahead of the first hole are copied and wait within the budget, then in
// one temporary file, and are dropped beyond its limit. What a writer may still
// change waits too: everything up to 1 MiB, then the last write.
package content

import "fmt"

// Mode says which copy of a byte that was given twice counts.
type Mode uint8

// The modes.
const (
	Read  Mode = iota // the first copy wins
	Write             // the last copy wins
)

// Block is memory that others reuse once nobody retains it. Blocks are compared
// with ==, so their type is a pointer. Release may be called on any goroutine.
type Block interface {
	Retain()
	Release()
}

// Budget is the memory that buffered content and state may take, decided on
// the decoding goroutine alone so that the same input drops the same things.
type Budget struct {
	Limit, Used int64
}

// Take takes n bytes when they are there.
func (b *Budget) Take(n int64) bool {
	if b.Used+n > b.Limit {
		return false
	}
	b.Used += n
	return true
}

// Give returns n bytes.
func (b *Budget) Give(n int64) { b.Used -= n }

// Options of a Pool.
type Options struct {
	Workers int     // goroutines that hash; 0 or 1 hashes on the caller's
	Budget  *Budget // for bytes that wait; required
	// Extract is the folder that keeps whole content as <sha256>, mode 0600; ""
	// keeps none. Content that is not whole is never kept. With it, any rewrite
	// of a file can be hashed again.
	Extract   string
	MD5       bool
	SHA1      bool
	TempLimit int64  // bytes of the temporary file; 0 is 4 GiB, below 0 is none
	TempDir   string // where the temporary file is made; "" is the system's folder

	limits *limits // the defaults when nil; tests set smaller ones
}

// limits are the sizes that decide what waits where.
type limits struct {
	keep  int64 // written content up to here can be rewritten until it is closed
	tail  int64 // of longer written content, what can still be cut or rewritten at the end
	hold  int64 // the most that the last write can hold back
	job   int64 // bytes that are handed to the hash at once
	queue int64 // bytes that wait for the hash before the caller has to
	zeros int64 // unwritten zeros that are hashed, a file; four times that, a pool
}

var defaults = limits{
	keep:  1 << 20,
	tail:  64 << 10,
	hold:  8 << 20, // the largest WRITE that servers negotiate
	job:   256 << 10,
	queue: 32 << 20,
	zeros: 4 << 30,
}

// End says how a file ended.
type End struct {
	Size       int64  // stated by the protocol; -1 when it was not, and the highest byte seen is the end
	ZeroFill   bool   // bytes below Size that were never given are zeros, and count (a file made here)
	Incomplete string // why the content cannot be whole, one short sentence; "" when it can
}

// The reasons why a content is not whole that this package gives.
const (
	missing     = "bytes missing"
	overBudget  = "over the memory budget"
	sizeChanged = "size changed while it was read"
	scattered   = "too many separate ranges"
	sparse      = "too many unwritten zeros to hash"
	tempFailed  = "the temporary file failed"
)

func rewritten(at int64) string { return fmt.Sprintf("rewritten after byte %d", at) }

// Result is what is known of a closed file.
type Result struct {
	Whole  bool
	Reason string // why it is not whole
	Size   int64  // stated size, else the highest end seen
	Seen   int64  // distinct bytes given (zero-filled ones included)
	SHA256 string // only when whole
	MD5    string
	SHA1   string
	Prefix map[string]string // "4096", "65536", "1048576", "16777216": hashes of the first bytes, for each length that is fully there
	Type   string            // a word of TypeOf; "" when the first byte was not seen
	Notes  []string
}
