package content

import (
	"encoding/hex"
	"math"
	"strconv"
)

// File is one content being put together. All its methods run on the goroutine
// that owns the Pool. A File takes no buffers before it is given bytes, and
// keeps only its Result and a few numbers after Close.
type File struct {
	pool *Pool
	mode Mode
	a    *assembly // nil once closed or abandoned
	closing
}

// closing is what is known of a file when it is closed, before its hash is.
type closing struct {
	tally  *tally
	whole  bool
	reason string
	size   int64
	seen   int64
	front  int64
	high   int64
	right  int64 // up to here the bytes that were hashed are the file's
	typ    string
}

// Write gives data at off. With a Block, data may be kept without a copy by
// retaining it; with nil it is copied when it must outlive the call. Data at
// offsets that no file has (negative, or past the largest int64) are ignored,
// and so is what comes after Close.
func (f *File) Write(off int64, data []byte, b Block) {
	if f.a == nil || len(data) == 0 || off < 0 || off > math.MaxInt64-int64(len(data)) {
		return
	}
	f.pool.zeros += int64(len(data))
	if f.mode == Read {
		f.a.read(off, data, b)
	} else {
		f.a.write(off, data, b)
	}
	f.pool.relieve()
}

// Begin says that a write of the protocol starts with the next Write. All of the
// last write, up to 8 MiB, can still be cut (Truncate, End.Size) or rewritten.
// Without Begin each Write counts as one, and 64 KiB at the least.
func (f *File) Begin() {
	if f.a != nil {
		f.a.begun, f.a.lastTo = true, -1
	}
}

// Truncate forgets all bytes from n on: the file's end was set there in the
// middle of the exchange. It does nothing when n is the end or beyond.
func (f *File) Truncate(n int64) {
	if f.a != nil {
		f.a.truncate(max(n, 0))
	}
}

// Front is how many bytes from 0 on were given without a hole.
func (f *File) Front() int64 {
	if f.a == nil {
		return f.front
	}
	return f.a.cov.Front()
}

// High is the end of the highest byte given.
func (f *File) High() int64 {
	if f.a == nil {
		return f.high
	}
	return f.a.cov.High()
}

// Seen is how many distinct bytes were given.
func (f *File) Seen() int64 {
	if f.a == nil {
		return f.seen
	}
	return f.a.cov.Len()
}

// Covers says whether all bytes of [from, to) were given. After Close only the
// bytes before the first hole are known.
func (f *File) Covers(from, to int64) bool {
	if f.a == nil {
		return from >= to || from >= 0 && to <= f.front
	}
	return f.a.cov.Covers(from, to)
}

// Head is up to the first 4,096 bytes given without a hole, valid until the next
// call of any File's method; nil after Close. It can be shorter than Front says
// when the memory budget is used up, or when content was lost or rewritten.
func (f *File) Head() []byte {
	if f.a == nil {
		return nil
	}
	return f.a.first()
}

// Close ends the file. Nothing is written afterwards.
func (f *File) Close(e End) {
	if f.a == nil {
		return
	}
	a := f.a
	f.front, f.high, f.seen = a.cov.Front(), a.cov.High(), a.cov.Len()
	f.close(a, e)
	f.a = nil
	a.free()
}

// Abandon ends a file whose content nobody will ask for (a listing, a pipe).
func (f *File) Abandon() {
	if f.a == nil {
		return
	}
	f.front, f.high, f.seen = f.a.cov.Front(), f.a.cov.High(), f.a.cov.Len()
	f.size, f.reason = f.high, "abandoned"
	f.a.forget()
	f.a.free()
	f.a = nil
}

// close decides whether the content is whole and sends the rest to the hash.
func (f *File) close(a *assembly, e End) {
	f.size = e.Size
	if f.size < 0 {
		f.size = a.cov.High()
	}
	if f.mode == Write {
		a.truncate(f.size)
		f.seen = a.cov.Len()
	}
	f.reason = a.verdict(f.size, e)
	f.whole = f.reason == ""
	if f.whole && a.cov.Len() < f.size {
		a.fill(f.size)
		f.seen = f.size
	}
	f.right = min(a.stop, f.size)
	f.typ = a.typeOf()
	f.tally = a.finish(f.whole, f.right)
}

// Result is what became of the file; only after Close, and after the Pool's Close.
func (f *File) Result() Result {
	r := Result{Whole: f.whole, Reason: f.reason, Size: f.size, Seen: f.seen, Type: f.typ, Prefix: map[string]string{}}
	t := f.tally
	if t == nil {
		return r
	}
	for i, sum := range t.rungs {
		if ladder[i] <= f.right {
			r.Prefix[strconv.FormatInt(ladder[i], 10)] = hex.EncodeToString(sum[:])
		}
	}
	if t.broken != "" {
		r.Whole, r.Reason = false, t.broken
	}
	if r.Whole {
		r.SHA256 = hex.EncodeToString(t.sum[:])
		r.MD5, r.SHA1 = hex.EncodeToString(t.md5), hex.EncodeToString(t.sha1)
	}
	return r
}
