package content

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// extract is the folder that keeps whole content under the name of its SHA-256.
// Content grows in temporary files beside it and gets its name when it is whole.
type extract struct {
	dir string

	mu    sync.Mutex
	err   error // the first one
	parts map[*part]bool
}

// newExtract makes the folder when it is absent, for its owner only.
func newExtract(dir string) (*extract, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("folder for extracted content: %w", err)
	}
	return &extract{dir: dir, parts: map[*part]bool{}}, nil
}

func (x *extract) fail(err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.err == nil {
		x.err = fmt.Errorf("extracting content to %s: %w", x.dir, err)
	}
}

// close removes what is left of content that never ended.
func (x *extract) close() error {
	for p := range x.parts {
		p.err = errors.Join(p.err, os.Remove(p.name))
	}
	clear(x.parts)
	return x.err
}

// part is the temporary file of one content. It is open only while a job runs:
// there can be more contents than a process may have open files.
type part struct {
	x     *extract
	name  string
	file  *os.File
	size  int64  // bytes, those in buf included
	buf   []byte // the last bytes, not written yet
	dirty bool   // bytes before the last ones were changed
	err   error
}

// resume opens a part to go on with it, or makes a new one when p is nil.
func (x *extract) resume(p *part) *part {
	if p == nil {
		p = &part{x: x}
		p.file, p.err = os.CreateTemp(x.dir, ".part-*") // mode 0600
		if p.err == nil {
			p.name = p.file.Name()
			x.mu.Lock()
			x.parts[p] = true
			x.mu.Unlock()
		}
	} else if p.err == nil {
		p.file, p.err = os.OpenFile(p.name, os.O_RDWR, 0)
	}
	p.buf = newBuffer(segmentSize)
	return p
}

// pause closes the part until its next job.
func (p *part) pause() {
	p.flush()
	freeBuffer(p.buf)
	p.buf = nil
	if p.file != nil {
		p.keep(p.file.Close())
		p.file = nil
	}
}

// keep keeps the first error.
func (p *part) keep(err error) {
	if p.err == nil && err != nil {
		p.err = err
	}
}

func (p *part) add(b []byte) {
	if len(p.buf)+len(b) > cap(p.buf) {
		p.flush()
	}
	p.buf = append(p.buf, b...)
	p.size += int64(len(b))
}

func (p *part) flush() {
	if p.err == nil && len(p.buf) > 0 {
		_, err := p.file.WriteAt(p.buf, p.size-int64(len(p.buf)))
		p.keep(err)
	}
	p.buf = p.buf[:0]
}

// patch replaces bytes that were added before.
func (p *part) patch(off int64, b []byte) {
	p.flush()
	p.dirty = true
	if p.err == nil {
		_, err := p.file.WriteAt(b, off)
		p.keep(err)
	}
}

// cut forgets the bytes from n on.
func (p *part) cut(n int64) {
	p.flush()
	p.dirty = true
	p.size = n
	if p.err == nil {
		p.keep(p.file.Truncate(n))
	}
}

// read gives the first n bytes to take.
func (p *part) read(n int64, take func([]byte)) error {
	p.flush()
	b := newBuffer(segmentSize)
	b = b[:cap(b)]
	defer freeBuffer(b)
	for off := int64(0); off < n && p.err == nil; {
		k, err := p.file.ReadAt(b[:min(n-off, segmentSize)], off)
		take(b[:k])
		off += int64(k)
		if k == 0 || err != nil && !errors.Is(err, io.EOF) {
			p.keep(err)
		}
	}
	return p.err
}

// finish gives the part its name when it is to be kept, and removes it otherwise.
func (p *part) finish(whole bool, sum [32]byte) {
	p.pause()
	p.x.mu.Lock()
	delete(p.x.parts, p)
	p.x.mu.Unlock()
	if p.name != "" && (!whole || p.err != nil || !p.rename(hex.EncodeToString(sum[:]))) {
		p.keep(os.Remove(p.name))
	}
	if p.err != nil {
		p.x.fail(p.err)
	}
}

// rename gives the part its name. It says false when there is such a file already
// (the same content) or when it failed.
func (p *part) rename(name string) bool {
	to := filepath.Join(p.x.dir, name)
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		p.keep(err)
		return false
	}
	err := os.Rename(p.name, to)
	p.keep(err)
	return err == nil
}
