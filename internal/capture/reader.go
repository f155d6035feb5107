package capture

import (
	"errors"
	"fmt"
	"io"

	"waybill/internal/model"
)

// ErrPoolClosed ends a reader whose pool was closed, as when the run is interrupted.
var ErrPoolClosed = errors.New("reading stopped: the block pool was closed")

// maxRecord bounds the memory of one record. Only pcapng blocks that are no
// packets (secrets, names) can be longer than a frame.
const maxRecord = 16 << 20

const maxDamages = 64

// Reader cuts one capture into frames. It is used by one goroutine at a time.
type Reader struct {
	src    io.Reader
	pool   *BlockPool
	format format
	block  *Block
	buf    []byte // what was read into block
	pos    int    // next byte of buf to look at
	base   int64  // offset of buf[0] in the capture
	ended  bool   // src has no more bytes
	err    error  // why, unless it is the end of the file
	done   bool
	hole   hole

	packets uint64
	damages []Damage
	more    int64 // damages that did not fit
}

// format is the state of one capture format.
type format interface {
	// cut appends frames from r.buf[r.pos:] to the batch until it is full or the
	// next record is incomplete; then it returns how many bytes from r.pos on it
	// needs. It calls finish where the capture ends.
	cut(r *Reader, b *Batch) (want int)
	// credible gives the size of the record at the start of buf, 0 if what is
	// there looks like none. It is asked only after damage, first for the record
	// that a chain starts with.
	credible(buf []byte, first bool) (size int)
}

// NewReader reads the capture that r gives. Its format is told from the first bytes.
func NewReader(r io.Reader, pool *BlockPool) *Reader {
	return &Reader{src: r, pool: pool, format: unknown{}}
}

// Next fills b with the next frames, reusing its slice, and hands over one
// reference of its block: the caller releases every batch. At the end it is
// io.EOF; no other error comes but ErrPoolClosed. What could not be read, an
// error of the source included, is found in Damage.
func (r *Reader) Next(b *Batch) error {
	b.Frames, b.Block = b.Frames[:0], nil
	if b.Frames == nil {
		b.Frames = make([]Frame, 0, maxBatch)
	}
	for !r.done {
		want := r.format.cut(r, b)
		if len(b.Frames) > 0 {
			r.block.Retain()
			b.Block = r.block
			return nil
		}
		if want > 0 && !r.fill(want) {
			return ErrPoolClosed
		}
	}
	r.Close()
	return io.EOF
}

// fill moves on to a new block: it takes the bytes from pos on along and reads
// until the block, of at least want bytes, is full or the source ends. It is
// false when the pool was closed.
func (r *Reader) fill(want int) bool {
	next := r.pool.get(want)
	if next == nil {
		r.Close()
		return false
	}
	n := copy(next.data, r.buf[r.pos:])
	m, err := io.ReadFull(r.src, next.data[n:])
	r.base += int64(r.pos)
	r.pos = 0
	r.buf = next.data[:n+m]
	if r.block != nil {
		r.block.Release()
	}
	r.block = next
	if err != nil {
		r.end(err)
	}
	return true
}

func (r *Reader) end(err error) {
	r.ended = true
	if err != io.EOF && err != io.ErrUnexpectedEOF {
		r.err = err
	}
}

// Close lets go of the reader's block before the end was reached. Batches that
// were handed out stay valid.
func (r *Reader) Close() {
	r.done = true
	if r.block != nil {
		r.block.Release()
	}
	r.base += int64(r.pos)
	r.block, r.buf, r.pos = nil, nil, 0
}

// frame appends a frame of data to the batch.
func (r *Reader) frame(b *Batch, t model.Time, data []byte, length uint32, link LinkType) {
	r.packets++
	b.Frames = append(b.Frames, Frame{Time: t, Number: r.packets, Data: data, Len: max(int(length), len(data)), Link: link})
}

// finish ends the capture: what is left from pos on is part of a record.
func (r *Reader) finish(cause string) {
	left := len(r.buf) - r.pos
	if r.err != nil {
		cause = r.err.Error()
	}
	if left > 0 || r.err != nil {
		r.lost(r.offset(), int64(left), cause)
	}
	r.pos = len(r.buf)
	r.done = true
}

// lost notes a damaged place.
func (r *Reader) lost(at, n int64, cause string) {
	if len(r.damages) < maxDamages {
		r.damages = append(r.damages, Damage{Offset: at, Cause: cause, Skipped: n})
		return
	}
	r.more++
	last := &r.damages[maxDamages-1]
	last.Cause = fmt.Sprintf("%d further damaged places", r.more+1)
	last.Skipped += n
}

func (r *Reader) offset() int64 { return r.base + int64(r.pos) }

// Damage lists what could not be read so far, in order; of more than 64 places
// the last entry stands for all further ones.
func (r *Reader) Damage() []Damage { return r.damages }

// Packets is how many packets were given so far.
func (r *Reader) Packets() uint64 { return r.packets }

// Bytes is how many bytes of the capture, headers included, were gone through so far.
func (r *Reader) Bytes() int64 { return r.offset() }
