package content

import (
	"crypto/sha256"
	"hash"
	"sync"
)

// ladder is the lengths of which every content has a hash of its first bytes.
var ladder = [...]int64{4 << 10, 64 << 10, 1 << 20, 16 << 20}

var zeroBytes [segmentSize]byte

// ending says what comes after a job.
type ending uint8

const (
	goesOn ending = iota
	endsWhole
	endsPartial
	abandoned // nobody will ask
)

// job is some bytes in order for one tally.
type job struct {
	tally  *tally
	segs   segments
	lent   []Block // what borrowed segments lie in
	end    ending
	charge int64
	next   *job
}

var jobs = sync.Pool{New: func() any { return new(job) }}

func newJob(t *tally, e ending) *job {
	j := jobs.Get().(*job)
	j.tally, j.end = t, e
	return j
}

// weigh counts the memory that the job keeps.
func (j *job) weigh() int64 {
	j.charge = overhead
	for i := range j.segs {
		if j.segs[i].kind != zeros {
			j.charge += j.segs[i].n
		}
	}
	return j.charge
}

// run hashes the job and frees what it holds.
func (j *job) run() {
	t := j.tally
	t.take(j.segs, j.end)
	for i := range j.segs {
		j.segs[i].recycle(t.pool)
	}
	for _, b := range j.lent {
		b.Release()
	}
	clear(j.segs)
	clear(j.lent)
	*j = job{segs: j.segs[:0], lent: j.lent[:0]}
	jobs.Put(j)
}

// recycle gives a segment's buffer or slot to whoever needs it next.
func (s *segment) recycle(p *Pool) {
	switch s.kind {
	case loan, owned, patch:
		freeBuffer(s.data)
	case spilled:
		p.spill.recycle(s.slot)
	}
}

// tally is the hash of one file. Its jobs run one after the other, on whichever
// worker; nothing else touches it before they have ended.
type tally struct {
	pool        *Pool
	first, last *job // waiting; the queue guards them
	queued      bool

	hashes []hash.Hash // SHA-256 first; nil before the first byte and after the end
	n      int64       // bytes hashed
	part   *part       // the extracted content, with --extract

	sum       [sha256.Size]byte
	rungs     [][sha256.Size]byte // of the ladder, as far as reached
	md5, sha1 []byte
	broken    string // why the content is not whole after all
}

// take hashes segments.
func (t *tally) take(segs segments, e ending) {
	if t.hashes == nil {
		t.hashes = t.pool.sums()
	}
	if t.pool.extract != nil {
		t.part = t.pool.extract.resume(t.part)
	}
	for i := range segs {
		t.segment(&segs[i])
	}
	if e != goesOn {
		t.finish(e)
	}
	if t.part != nil {
		t.part.pause()
	}
}

func (t *tally) segment(s *segment) {
	switch s.kind {
	case zeros:
		t.addZeros(s.n)
	case spilled:
		b := newBuffer(segmentSize)[:s.n]
		if t.pool.spill.read(s.slot, b) != nil {
			t.broken = tempFailed
		}
		t.add(b)
		freeBuffer(b)
	case patch:
		t.part.patch(s.off, s.data)
	case cut:
		t.part.cut(s.off)
	default:
		t.add(s.data)
	}
}

func (t *tally) addZeros(n int64) {
	for n > 0 {
		k := min(n, segmentSize)
		t.add(zeroBytes[:k])
		n -= k
	}
}

// add hashes bytes, and takes the hash so far at each step of the ladder.
func (t *tally) add(b []byte) {
	if t.part != nil {
		t.part.add(b)
		if t.part.dirty {
			return
		}
	}
	for i := len(t.rungs); i < len(ladder) && t.n+int64(len(b)) >= ladder[i]; i++ {
		k := ladder[i] - t.n
		t.hash(b[:k])
		b = b[k:]
		var sum [sha256.Size]byte
		t.hashes[0].Sum(sum[:0])
		t.rungs = append(t.rungs, sum)
	}
	t.hash(b)
}

func (t *tally) hash(b []byte) {
	for _, h := range t.hashes {
		h.Write(b)
	}
	t.n += int64(len(b))
}

// finish takes the last hash.
func (t *tally) finish(e ending) {
	if t.part != nil && t.part.dirty && e != abandoned {
		t.again(e)
	}
	if e == endsWhole {
		t.sums()
	}
	if t.part != nil {
		keep := e == endsWhole && t.broken == ""
		t.part.finish(keep, t.sum)
		t.part = nil
	}
	t.pool.hashes.Put(t.hashes[0])
	t.hashes = nil
}

func (t *tally) sums() {
	t.hashes[0].Sum(t.sum[:0])
	more := t.hashes[1:]
	if t.pool.md5 {
		t.md5 = more[0].Sum(nil)
		more = more[1:]
	}
	if t.pool.sha1 {
		t.sha1 = more[0].Sum(nil)
	}
}

// again hashes the extracted file, because bytes were rewritten in it: all of it,
// or what the ladder needs.
func (t *tally) again(e ending) {
	t.hashes, t.n, t.rungs = t.pool.sums(), 0, nil
	part := t.part
	t.part = nil // what is read is not to be written again
	defer func() { t.part = part }()
	limit := part.size
	if e != endsWhole {
		limit = min(limit, ladder[len(ladder)-1])
	}
	if err := part.read(limit, t.add); err != nil {
		t.broken = "rewritten, and the extracted file could not be read again"
		t.rungs = nil
	}
}
