package capture

import (
	"bytes"
	"io"
	"testing"
)

// endless gives a file header once and the same records for ever.
type endless struct {
	head, body []byte
	at         int
}

func (e *endless) Read(b []byte) (int, error) {
	n := copy(b, e.head)
	e.head = e.head[n:]
	for n < len(b) {
		m := copy(b[n:], e.body[e.at:])
		n += m
		e.at = (e.at + m) % len(e.body)
	}
	return n, nil
}

func endlessFiles(size int) map[string]func() io.Reader {
	list := samples(64)
	for i := range list {
		list[i].data = make([]byte, size)
		list[i].length = uint32(size)
	}
	file, at := variants[0].pcapFile(list)
	ng, ngAt := ngLittle.ngFile(list)
	return map[string]func() io.Reader{
		"pcap":   func() io.Reader { return &endless{head: file[:at[0]], body: file[at[0]:]} },
		"pcapng": func() io.Reader { return &endless{head: ng[:ngAt[0]], body: ng[ngAt[0]:]} },
	}
}

func TestNoAllocations(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	for name, open := range endlessFiles(60) {
		r := NewReader(open(), NewBlockPool(1<<16, 4))
		var b Batch
		next := func() {
			if err := r.Next(&b); err != nil {
				t.Fatal(err)
			}
			b.Release()
		}
		for range 10 {
			next()
		}
		if n := testing.AllocsPerRun(200, next); n > 0 {
			t.Errorf("%s: %v allocations a batch", name, n)
		}
	}
}

// BenchmarkReader reads 512 MiB of full segments from memory.
func BenchmarkReader(b *testing.B) {
	const size = 512 << 20
	for name, open := range endlessFiles(1514) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(size)
			b.ReportAllocs()
			for range b.N {
				readOnly(b, io.LimitReader(open(), size))
			}
		})
	}
}

func readOnly(b *testing.B, src io.Reader) {
	r := NewReader(src, NewBlockPool(0, 4))
	var batch Batch
	for r.Next(&batch) == nil {
		batch.Release()
	}
	if r.Packets() < 1000 {
		b.Fatal("too few packets")
	}
}

// BenchmarkResync searches damage that looks like records over and over.
func BenchmarkResync(b *testing.B) {
	v := variants[0]
	file, _ := v.pcapFile(samples(100))
	tiny := v.record(sample{1_700_000_000, 1, []byte{1}, 1})
	for range 1000 {
		file = append(file, bytes.Repeat(tiny, 20)...)
		file = append(file, bytes.Repeat([]byte{0xFF}, 20)...)
	}
	b.SetBytes(int64(len(file)))
	for range b.N {
		r := NewReader(bytes.NewReader(file), NewBlockPool(0, 4))
		var batch Batch
		for r.Next(&batch) == nil {
			batch.Release()
		}
	}
}
