package capture

import (
	"bytes"
	"io"
	"slices"
	"testing"
	"time"
)

// Blocks of any size, and sources that give a byte at a time, change nothing.
func TestBlockSizes(t *testing.T) {
	list := samples(3000) // more than a batch
	list[7].data = bytes.Repeat([]byte{7}, 100_000)
	list[7].length = 100_000
	for _, w := range bothFormats(list) {
		file := overwrite(w.file, w.at[1500], 2000, 0xEE)
		want := readAll(t, bytes.NewReader(file), 0)
		if len(want.frames) < 2900 {
			t.Fatalf("%s: %d packets", w.name, len(want.frames))
		}
		for _, size := range []int{1, 1000, 65536} {
			got := readAll(t, bytes.NewReader(file), size)
			if !slices.Equal(got.frames, want.frames) || !slices.Equal(got.damages, want.damages) {
				t.Fatalf("%s: blocks of %d bytes: %d packets of %d, damage %v, want %v", w.name, size,
					len(got.frames), len(want.frames), got.damages, want.damages)
			}
		}
		if got := readAll(t, bytewise(bytes.NewReader(file)), 0); !slices.Equal(got.frames, want.frames) {
			t.Fatalf("%s: byte by byte: %d packets", w.name, len(got.frames))
		}
	}
}

// A block that is retained is not written to while the reader goes on.
func TestRetain(t *testing.T) {
	list := samples(5000)
	file, _ := variants[0].pcapFile(list)
	pool := NewBlockPool(4096, 3)
	r := NewReader(bytes.NewReader(file), pool)
	var b Batch
	if err := r.Next(&b); err != nil {
		t.Fatal(err)
	}
	kept, block := b.Frames[0].Data, b.Block
	block.Retain()
	b.Release()
	for r.Next(&b) == nil {
		b.Release()
	}
	if !bytes.Equal(kept, list[0].data) {
		t.Fatal("a retained block was overwritten")
	}
	block.Release()
	if len(pool.free) != pool.made || pool.made > 3 {
		t.Fatalf("%d of %d blocks came back", len(pool.free), pool.made)
	}
}

// A reader without a free block waits for one, and Close ends the wait.
func TestPoolWaits(t *testing.T) {
	pool := NewBlockPool(64, 2)
	held := []*Block{pool.get(1), pool.get(1)}
	file, _ := variants[0].pcapFile(samples(2))
	ended := make(chan error)
	read := func() {
		var b Batch
		ended <- NewReader(bytes.NewReader(file), pool).Next(&b)
	}
	go read()
	select {
	case err := <-ended:
		t.Fatalf("did not wait: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	held[0].Release()
	held[1].Release()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	pool = NewBlockPool(64, 2)
	pool.get(1)
	pool.get(1)
	go read()
	time.Sleep(10 * time.Millisecond)
	pool.Close()
	if err := <-ended; err != ErrPoolClosed {
		t.Fatalf("after Close: %v", err)
	}
}

func TestReleasedTooOften(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a second release was not noticed")
		}
	}()
	b := NewBlockPool(64, 2).get(1)
	b.Release()
	b.Release()
}

// The memory of a long record does not stay in the pool.
func TestLongRecordIsNotKept(t *testing.T) {
	pool := NewBlockPool(64, 2)
	b := pool.get(maxRecord)
	if len(b.data) != maxRecord {
		t.Fatal("the block is too short")
	}
	b.Release()
	if again := pool.get(1); len(again.data) != 64 {
		t.Fatalf("%d bytes were kept", len(again.data))
	}
}

func TestCloseEarly(t *testing.T) {
	file, _ := variants[0].pcapFile(samples(5000))
	pool := NewBlockPool(4096, 2)
	r := NewReader(bytes.NewReader(file), pool)
	var b Batch
	if err := r.Next(&b); err != nil {
		t.Fatal(err)
	}
	r.Close()
	b.Release()
	if err := r.Next(&b); err != io.EOF || len(pool.free) != pool.made {
		t.Fatalf("%v, %d of %d blocks came back", err, len(pool.free), pool.made)
	}
}
