// Package content puts one file together from ranges of bytes that come in any
// order: what of it was seen, its SHA-256, the hashes of its first 4 KiB, 64 KiB,
// 1 MiB and 16 MiB, and its type. In come ranges and what the protocol says of
// the end; out comes one Result a file. It never takes a name or a path from
// its callers, and never opens or runs what it holds.
package content

// Mode says which copy of a byte that was given twice counts.
type Mode uint8

const (
	Read  Mode = iota // the first copy wins
	Write             // the last copy wins
)

// Block is memory that others reuse once nobody retains it.
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
	Extract string  // folder that keeps whole content as <sha256>; "" keeps none
	MD5     bool
	SHA1    bool
}

// Pool makes files and hashes them. All methods of Pool and File but the
// hashing itself run on one goroutine.
type Pool struct{ o Options }

// NewPool makes a pool.
func NewPool(o Options) (*Pool, error) { return &Pool{o}, nil }

// File starts a new content.
func (p *Pool) File(m Mode) *File { return &File{mode: m} }

// Flush hands all gathered bytes to the hash workers, so that no block is
// retained by gathered work. The pipeline calls it at the end of every block.
func (p *Pool) Flush() {}

// Close waits until all files that were closed are hashed, stops the workers
// and removes temporary files. Result may be asked afterwards.
func (p *Pool) Close() error { return nil }

// End says how a file ended.
type End struct {
	Size       int64  // stated by the protocol; -1 when it was not, and the highest byte seen is the end
	ZeroFill   bool   // bytes below Size that were never given are zeros, and count (a file made here)
	Incomplete string // why the content cannot be whole, one short sentence; "" when it can
}

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
	Type   string            // pe, elf, macho, script, archive, office, pdf, image, text, data, ...; "" when the first byte was not seen
	Notes  []string
}

// File is one content being put together.
type File struct {
	mode Mode
	buf  []byte
	have []bool
	end  *End
}

// Write gives data at off. With a Block, data may be kept without a copy by
// retaining it; with nil it is copied when it must outlive the call.
func (f *File) Write(off int64, data []byte, b Block) {
	end := int(off) + len(data)
	for len(f.buf) < end {
		f.buf = append(f.buf, 0)
		f.have = append(f.have, false)
	}
	for i, c := range data {
		if j := int(off) + i; !f.have[j] || f.mode == Write {
			f.buf[j], f.have[j] = c, true
		}
	}
}

// Front is how many bytes from 0 on were given without a hole.
func (f *File) Front() int64 {
	for i, h := range f.have {
		if !h {
			return int64(i)
		}
	}
	return int64(len(f.have))
}

// High is the end of the highest byte given.
func (f *File) High() int64 { return int64(len(f.buf)) }

// Seen is how many distinct bytes were given.
func (f *File) Seen() int64 {
	n := int64(0)
	for _, h := range f.have {
		if h {
			n++
		}
	}
	return n
}

// Covers says whether all bytes of [from, to) were given.
func (f *File) Covers(from, to int64) bool {
	for i := from; i < to; i++ {
		if i >= int64(len(f.have)) || !f.have[i] {
			return false
		}
	}
	return true
}

// Head is up to the first 4,096 bytes given without a hole, valid until the
// next Write.
func (f *File) Head() []byte { return f.buf[:min(f.Front(), 4096)] }

// Close ends the file. Nothing is written afterwards.
func (f *File) Close(e End) { f.end = &e }

// Abandon ends a file whose content nobody will ask for (a listing, a pipe).
func (f *File) Abandon() {}

// Result is what became of the file; only after Close, and after the Pool's Close.
func (f *File) Result() Result {
	return f.result()
}
