package content

import (
	"fmt"
	"os"
	"sync"
)

// spill is the one temporary file of a pool, cut into slots of segmentSize.
// What is used against the limit is decided on the decoding goroutine; a slot
// itself is free again only once a worker has read it.
type spill struct {
	dir         string
	limit, used int64 // slots
	file        *os.File
	name        string // "" once the file has no name any more

	mu   sync.Mutex
	free []int32
	next int32
}

func newSpill(o Options) *spill {
	limit := o.TempLimit
	if limit == 0 {
		limit = 4 << 30
	}
	return &spill{dir: o.TempDir, limit: min(max(limit, 0)/segmentSize, 1<<30)}
}

// take gives a slot, or false when the file is full or cannot be made.
func (s *spill) take() (int32, bool) {
	if s.used >= s.limit || !s.open() {
		return 0, false
	}
	s.used++
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.free); n > 0 {
		slot := s.free[n-1]
		s.free = s.free[:n-1]
		return slot, true
	}
	s.next++
	return s.next - 1, true
}

// open makes the file when it is first needed, readable by its owner only, and
// takes its name away so that nothing is left behind whatever happens.
func (s *spill) open() bool {
	if s.file != nil {
		return true
	}
	f, err := os.CreateTemp(s.dir, "waybill-*")
	if err != nil {
		s.limit = 0
		return false
	}
	s.file = f
	if os.Remove(f.Name()) != nil {
		s.name = f.Name() // some systems keep the name of an open file
	}
	return true
}

// give returns a slot's share of the limit; recycle returns the slot itself.
func (s *spill) give() { s.used-- }

func (s *spill) recycle(slot int32) {
	s.mu.Lock()
	s.free = append(s.free, slot)
	s.mu.Unlock()
}

// write puts b into a slot. After a failure (a full disk) no more slots are given.
func (s *spill) write(slot int32, at int64, b []byte) bool {
	_, err := s.file.WriteAt(b, int64(slot)*segmentSize+at)
	if err != nil {
		s.limit = 0
	}
	return err == nil
}

func (s *spill) read(slot int32, b []byte) error {
	_, err := s.file.ReadAt(b, int64(slot)*segmentSize)
	return err
}

func (s *spill) close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	if s.name != "" {
		err = os.Remove(s.name)
	}
	s.file, s.limit = nil, 0
	if err != nil {
		return fmt.Errorf("temporary file %s: %w; remove it by hand", s.name, err)
	}
	return nil
}
