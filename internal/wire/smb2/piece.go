package smb2

import (
	"sync"
	"sync/atomic"
)

// The sizes of the buffers that hold written data until the server accepts them.
const (
	smallBuffer = 4 << 10
	largeBuffer = 64 << 10
)

var bufferPools = [2]sync.Pool{
	{New: func() any { return &buffer{data: make([]byte, smallBuffer)} }},
	{New: func() any { return &buffer{data: make([]byte, largeBuffer)} }},
}

// buffer is pooled memory that a content may keep: a content.Block.
type buffer struct {
	data []byte
	refs atomic.Int32
}

func newBuffer(size int64) *buffer {
	pool := 0
	if size > smallBuffer {
		pool = 1
	}
	b := bufferPools[pool].Get().(*buffer)
	b.refs.Store(1)
	return b
}

// Retain keeps the buffer from being used again.
func (b *buffer) Retain() { b.refs.Add(1) }

// Release gives the buffer back once everybody who kept it did.
func (b *buffer) Release() {
	if b.refs.Add(-1) != 0 {
		return
	}
	if len(b.data) == smallBuffer {
		bufferPools[0].Put(b)
	} else {
		bufferPools[1].Put(b)
	}
}

// piece is a run of the data of a WRITE request.
type piece struct {
	off int64 // within the request's data
	buf *buffer
	n   int
}

func (p *piece) bytes() []byte { return p.buf.data[:p.n] }

// hold copies b, which starts at off within the request's data, until the
// response. Over budget the bytes are lost.
func (r *request) hold(off int64, b []byte) {
	for len(b) > 0 {
		p := r.room(off)
		if p == nil {
			r.damaged = true
			r.c.p.env.Blind("over-budget", int64(len(b)))
			return
		}
		n := copy(p.buf.data[p.n:], b)
		p.n += n
		off += int64(n)
		b = b[n:]
	}
}

// room gives a piece that goes on at off and is not full.
func (r *request) room(off int64) *piece {
	if k := len(r.pieces); k > 0 {
		p := &r.pieces[k-1]
		if p.off+int64(p.n) == off && p.n < len(p.buf.data) {
			return p
		}
	}
	size := int64(smallBuffer)
	if r.length-off > smallBuffer {
		size = largeBuffer
	}
	if !r.c.p.env.Budget().Take(size) {
		return nil
	}
	r.pieces = append(r.pieces, piece{off: off, buf: newBuffer(size)})
	return &r.pieces[len(r.pieces)-1]
}

// release gives a piece's buffer back.
func (p *protocol) release(x *piece) {
	p.env.Budget().Give(int64(len(x.buf.data)))
	x.buf.Release()
	*x = piece{}
}
