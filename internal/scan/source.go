package scan

import (
	"container/heap"
	"context"
	"io"
	"math"

	"waybill/internal/capture"
	"waybill/internal/input"
	"waybill/internal/model"
)

// Memory of the blocks of one source, and how many batches its reader is ahead.
const (
	blockSize      = 1 << 20
	blockSizeMin   = 64 << 10
	blocksTogether = 64 << 20 // of all inputs that may be open at once
	readAhead      = 2
)

// source is one capture being read: its frames in file order.
type source struct {
	in *input.Input
	due
	first   model.Time // of its first frame, as far as it can be told without reading it
	blocks  *capture.BlockPool
	batches chan *capture.Batch
	spare   chan *capture.Batch
	reader  *capture.Reader
	err     error // of opening it; read after batches is closed

	batch *capture.Batch
	next  int // the next frame of batch
}

func newSource(in *input.Input, index int, inputs int) *source {
	size := min(max(blocksTogether/(16*inputs), blockSizeMin), blockSize)
	s := &source{in: in, due: due{index: int32(index)}, first: math.MinInt64, blocks: capture.NewBlockPool(size, 32)}
	if t, ok := capture.FirstTime(in.Head); ok {
		s.first = t
	}
	return s
}

// start opens the input and reads ahead.
func (s *source) start(ctx context.Context) {
	s.batches = make(chan *capture.Batch, readAhead)
	s.spare = make(chan *capture.Batch, readAhead+2)
	for range readAhead + 2 {
		s.spare <- &capture.Batch{}
	}
	r, err := s.in.Open()
	if err != nil {
		s.err = err
		close(s.batches)
		return
	}
	s.reader = capture.NewReader(r, s.blocks)
	go s.read(ctx, r)
}

func (s *source) read(ctx context.Context, r io.Closer) {
	defer close(s.batches)
	defer r.Close()
	for {
		b := <-s.spare
		if s.reader.Next(b) != nil {
			return
		}
		select {
		case s.batches <- b:
		case <-ctx.Done():
			return
		}
	}
}

// ready makes sure that there is a next frame and reports whether there is
// one. done takes the batches whose frames were all taken.
func (s *source) ready(done func(*capture.Batch)) bool {
	if s.batch != nil && s.next < len(s.batch.Frames) {
		return true
	}
	if s.batch != nil {
		done(s.batch)
		s.batch.Block = nil
		s.spare <- s.batch
		s.batch = nil
	}
	b, ok := <-s.batches
	if !ok {
		return false
	}
	s.batch, s.next = b, 0
	s.stamp()
	return true
}

// stamp sets when the next frame is due.
func (s *source) stamp() {
	frames := s.batch.Frames
	s.advance(frames[s.next].Time, frames[min(s.next+1, len(frames)-1)].Time)
}

// merge gives the frames of all sources in the order of their times.
type merge struct {
	waiting []*source // not started, by their first time
	open    byDue[*source]
}

// top is the source whose frame comes next, nil at the end. It starts sources
// whose time has come.
func (m *merge) top(ctx context.Context) *source {
	for len(m.waiting) > 0 && (len(m.open) == 0 || m.waiting[0].first <= m.open[0].key) {
		s := m.waiting[0]
		m.waiting = m.waiting[1:]
		s.start(ctx)
		if s.ready(nil) {
			heap.Push(&m.open, s)
		}
	}
	if len(m.open) == 0 {
		return nil
	}
	return m.open[0]
}

// until is the key up to which the top source may go on without a look at the others.
func (m *merge) until() (model.Time, int32) {
	t, index := model.Time(math.MaxInt64), int32(math.MaxInt32)
	for i := 1; i < len(m.open) && i <= 2; i++ {
		if s := m.open[i]; s.key < t || s.key == t && s.index < index {
			t, index = s.key, s.index
		}
	}
	if len(m.waiting) > 0 && m.waiting[0].first <= t {
		t, index = m.waiting[0].first, -1
	}
	return t, index
}

// moveOn puts the top source back in its place after its frames were taken.
func (m *merge) moveOn(more bool) {
	if more {
		heap.Fix(&m.open, 0)
		return
	}
	heap.Pop(&m.open)
}
