package content

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"hash"
	"slices"
	"sync"
)

// Pool makes files and hashes them. All methods of Pool and File but the
// hashing itself run on one goroutine.
type Pool struct {
	limits  limits
	budget  *Budget
	spill   *spill
	extract *extract // nil when content is not kept
	md5     bool
	sha1    bool

	open     []*assembly // files that Flush has to visit
	loans    int64       // bytes in buffers that no budget counts
	zeros    int64       // unwritten zeros that may still be hashed
	scratch  []byte      // for File.Head
	slices   []segments  // to be used again
	batch    []*job      // gathered for the workers
	gathered int64       // bytes in batch
	queue    *queue      // nil when hashing on the caller's goroutine
	closed   bool
	hashes   sync.Pool
}

// NewPool makes a pool. The only error is an Extract folder that cannot be made.
func NewPool(o Options) (*Pool, error) {
	p := &Pool{limits: defaults, budget: o.Budget, spill: newSpill(o), md5: o.MD5, sha1: o.SHA1}
	if o.limits != nil {
		p.limits = *o.limits
	}
	p.zeros = 4 * p.limits.zeros
	p.hashes.New = func() any { return sha256.New() }
	if o.Extract != "" {
		x, err := newExtract(o.Extract)
		if err != nil {
			return nil, err
		}
		p.extract = x
	}
	if o.Workers > 1 {
		p.queue = newQueue(o.Workers, p.limits.queue)
	}
	return p, nil
}

// File starts a new content.
func (p *Pool) File(m Mode) *File {
	return &File{pool: p, mode: m, a: newAssembly(p, m)}
}

// Flush hands all gathered bytes to the hash workers, so that no block is
// retained by gathered work. The pipeline calls it at the end of every block.
func (p *Pool) Flush() {
	for i, a := range p.open {
		a.flush()
		p.open[i] = nil
	}
	p.open = p.open[:0]
	p.hand(blockSize)
}

// Close waits until all files that were closed are hashed, stops the workers
// and removes temporary files. Result may be asked afterwards.
func (p *Pool) Close() error {
	if p.closed {
		return nil
	}
	p.closed = true
	p.Flush()
	if p.queue != nil {
		p.queue.stop()
	}
	err := p.spill.close()
	if p.extract != nil {
		err = errors.Join(err, p.extract.close())
	}
	return err
}

// maxLoans bounds the copies that wait for a Flush.
const maxLoans = 4 << 20

// relieve flushes when too many copies wait.
func (p *Pool) relieve() {
	if p.loans > maxLoans {
		p.Flush()
	}
}

// dispatch hands one job over: hashed at once without workers, else gathered.
func (p *Pool) dispatch(j *job) {
	if p.queue == nil {
		j.run()
		return
	}
	p.batch = append(p.batch, j)
	p.gathered += j.weigh()
	if p.gathered >= p.limits.job {
		p.hand(0)
	}
}

// blockSize is about the memory that a block takes: what a batch of small jobs
// keeps from being used again.
const blockSize = 1 << 20

// hand gives the gathered jobs to the workers. Together they weigh at least the
// given number of bytes, so that many small jobs cannot keep many blocks.
func (p *Pool) hand(least int64) {
	if len(p.batch) == 0 {
		return
	}
	p.batch[len(p.batch)-1].charge += max(least-p.gathered, 0)
	p.queue.add(p.batch)
	clear(p.batch)
	p.batch, p.gathered = p.batch[:0], 0
}

// takeZeros says whether n unwritten zeros may be hashed. What a pool hashes of
// them stays in proportion to what it was given, so that a few packets that
// state huge sizes cost no more than that.
func (p *Pool) takeZeros(n int64) bool {
	if n > p.limits.zeros || n > p.zeros {
		return false
	}
	p.zeros -= n
	return true
}

// The lists of segments that are long are used again: their length comes from
// the packets of one block, not from what a file holds.
const (
	longList  = 64
	maxSlices = 64
)

// grow gives a list with room for more.
func (p *Pool) grow(l segments) segments {
	n := len(p.slices) - 1
	if n < 0 || len(l) >= cap(p.slices[n]) {
		return slices.Grow(l, 1)
	}
	out := append(p.slices[n], l...)
	p.slices[n] = nil
	p.slices = p.slices[:n]
	p.reuse(l)
	return out
}

// reuse takes a list back whose segments are in use elsewhere.
func (p *Pool) reuse(l segments) {
	if cap(l) >= longList && len(p.slices) < maxSlices {
		clear(l)
		p.slices = append(p.slices, l[:0])
	}
}

// trim gives a list that is not much longer than it needs to be.
func (p *Pool) trim(l segments) segments {
	switch {
	case len(l) == 0:
		p.reuse(l)
		return nil
	case cap(l) > 4*len(l)+16:
		out := slices.Clone(l)
		p.reuse(l)
		return out
	}
	return l
}

// sums gives the hashes that one file needs, SHA-256 first.
func (p *Pool) sums() []hash.Hash {
	h := p.hashes.Get().(hash.Hash)
	h.Reset()
	all := []hash.Hash{h}
	if p.md5 {
		all = append(all, md5.New())
	}
	if p.sha1 {
		all = append(all, sha1.New())
	}
	return all
}
