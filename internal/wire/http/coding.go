package http

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"

	"waybill/internal/wire"
)

const (
	maxCodings  = 3         // encodings of one body that are undone
	maxDecoded  = 4 << 30   // bytes of one decoded body
	maxRatio    = 1100      // deflate reaches 1,032
	freeDecoded = 1 << 20   // bytes that any body may expand to
	maxWindow   = 8 << 20   // zstd (RFC 9659, 3)
	smallWindow = 128 << 10 // memory of a decoder without a large window
	outputSize  = 32 << 10
)

var (
	errHole    = errors.New("bytes missing")
	errStopped = errors.New("stopped")
)

// spare keeps what is costly to make and was given back.
type spare struct {
	gzip   []*gzip.Reader
	output [][]byte
}

// decoded is a sink that undoes the encodings of a body. The decompressors,
// which want to read, run as a coroutine: it hands out each run of decoded
// bytes, and an empty one when it wants more input.
type decoded struct {
	c       *conn
	next    sink
	m       *movement // next, when that is one content
	codings []string

	source source
	pull   func() ([]byte, bool)
	stop   func()
	at     wire.At
	in     int64
	out    int64
	cost   int64  // budget taken
	over   bool   // the coroutine is done
	err    error  // why it ended early
	plain  string // the encoding that the content turned out not to have
}

// source is what the decompressors read.
type source struct {
	data []byte
	end  error // what to say after data; nil when more may come
	want func([]byte) bool
}

func (s *source) Read(p []byte) (int, error) {
	for len(s.data) == 0 {
		if s.end != nil {
			return 0, s.end
		}
		if !s.want(nil) {
			s.end = errStopped
		}
	}
	n := copy(p, s.data)
	s.data = s.data[n:]
	return n, nil
}

// decoding puts a decoder before next when there are encodings that can be
// undone. m is next when it is one content, else nil.
func (c *conn) decoding(codings []string, next sink, m *movement) sink {
	if len(codings) == 0 {
		return next
	}
	known := len(codings) <= maxCodings && !slices.ContainsFunc(codings, func(name string) bool {
		return !slices.Contains([]string{"gzip", "deflate", "br", "zstd"}, name)
	})
	if !known {
		if m != nil {
			m.note(fmt.Sprintf("encoding %q was not undone: size and hash are of the encoded bytes", codings))
		}
		return next
	}
	d := &decoded{c: c, next: next, m: m, codings: slices.Clone(codings)}
	d.pull, d.stop = iter.Pull(d.run)
	return d
}

// run is the coroutine.
func (d *decoded) run(yield func([]byte) bool) {
	d.source.want = yield
	var r io.Reader = &d.source
	var closers []func()
	defer func() {
		for _, end := range closers {
			end()
		}
	}()
	for _, coding := range slices.Backward(d.codings) {
		next, end, err := d.reader(coding, bufio.NewReader(r))
		if err != nil {
			d.err = err
			return
		}
		r = next
		if end != nil {
			closers = append(closers, end)
		}
	}
	d.copyOut(r, yield)
}

// copyOut hands out all that r gives.
func (d *decoded) copyOut(r io.Reader, yield func([]byte) bool) {
	buf := take(&d.c.p.spare.output, func() []byte { return make([]byte, outputSize) })
	defer func() { d.c.p.spare.output = append(d.c.p.spare.output, buf) }()
	for {
		n, err := r.Read(buf)
		if n > 0 && !yield(buf[:n]) {
			return
		}
		if err == io.EOF {
			return
		}
		if err != nil {
			d.err = err
			return
		}
	}
}

// take takes the last of a list of spare things, or makes one.
func take[T any](list *[]T, make func() T) T {
	n := len(*list)
	if n == 0 {
		return make()
	}
	v := (*list)[n-1]
	*list = (*list)[:n-1]
	return v
}

// reader opens the decompressor of one encoding; end gives back what it holds.
func (d *decoded) reader(coding string, in *bufio.Reader) (r io.Reader, end func(), err error) {
	head, _ := in.Peek(4)
	if len(head) == 0 {
		return in, nil, nil // an empty body, also where the encoding would need a header
	}
	cost := int64(smallWindow)
	switch coding {
	case "br":
		cost += brotliWindow(head[0])
	case "zstd":
		cost += maxWindow
	}
	if !d.c.p.env.Budget().Take(cost) {
		return nil, nil, errors.New("no memory left in the budget to decode it")
	}
	d.cost += cost
	switch coding {
	case "gzip":
		return d.gzip(head, in)
	case "zstd":
		return d.zstd(head, in)
	case "br":
		return brotli.NewReader(in), nil, nil
	}
	if len(head) > 1 && head[0]&0x0f == 8 && (int(head[0])<<8|int(head[1]))%31 == 0 {
		r, err = zlib.NewReader(in)
		return r, nil, err
	}
	return flate.NewReader(in), nil, nil // raw deflate, as some servers send it
}

// gzip opens a gzip stream (RFC 1952). Bytes after its last member are ignored,
// as browsers do.
func (d *decoded) gzip(head []byte, in *bufio.Reader) (io.Reader, func(), error) {
	if head[0] != 0x1f || len(head) > 1 && head[1] != 0x8b {
		d.plain = "gzip"
		return in, nil, nil
	}
	z := take(&d.c.p.spare.gzip, func() *gzip.Reader { return new(gzip.Reader) })
	end := func() { d.c.p.spare.gzip = append(d.c.p.spare.gzip, z) }
	if err := z.Reset(in); err != nil {
		return nil, end, err
	}
	return members{z}, end, nil
}

// members reads all members of a gzip stream.
type members struct{ z *gzip.Reader }

func (m members) Read(p []byte) (int, error) {
	n, err := m.z.Read(p)
	if errors.Is(err, gzip.ErrHeader) {
		err = io.EOF // what follows the first member is no other one
	}
	return n, err
}

func (d *decoded) zstd(head []byte, in *bufio.Reader) (io.Reader, func(), error) {
	magic := len(head) == 4 && head[1] == 0xb5 && head[2] == 0x2f && head[3] == 0xfd && head[0] == 0x28
	skippable := len(head) == 4 && head[0]&0xf0 == 0x50 && head[1] == 0x2a && head[2] == 0x4d && head[3] == 0x18
	if !magic && !skippable {
		d.plain = "zstd"
		return in, nil, nil
	}
	z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, nil, err
	}
	return z, z.Close, nil
}

// brotliWindow is the window that a Brotli stream's first bits ask for (RFC
// 7932, 9.1).
func brotliWindow(b byte) int64 {
	bits := 16
	switch {
	case b&1 == 0:
	case b>>1&7 != 0:
		bits = 17 + int(b>>1&7)
	case b>>4&7 == 0:
		bits = 17
	default:
		bits = 8 + int(b>>4&7)
	}
	return 1 << bits
}

func (d *decoded) write(c wire.Chunk) {
	d.in += int64(len(c.Data))
	d.at = c.At
	if d.m != nil {
		d.m.touch(c.At)
	}
	if d.over || d.source.end != nil {
		return
	}
	d.source.data = c.Data
	d.drain()
}

// drain runs the coroutine until it wants more input or is done.
func (d *decoded) drain() {
	for {
		out, ok := d.pull()
		if !ok {
			d.over, d.source.data = true, nil
			return
		}
		if len(out) == 0 {
			return
		}
		d.next.write(wire.Chunk{Data: out, At: d.at})
		d.out += int64(len(out))
		if d.out > maxDecoded || d.out > freeDecoded+maxRatio*d.in {
			d.halt(fmt.Errorf("expands without end: decoding stopped at %d bytes", d.out))
			return
		}
	}
}

// halt ends the coroutine before its time.
func (d *decoded) halt(why error) {
	d.stop()
	d.over, d.err, d.source.data = true, why, nil
}

func (d *decoded) lose(n int64) {
	d.in += n
	d.finish(errHole)
}

// finish gives the decompressors their last input and lets them end.
func (d *decoded) finish(end error) {
	if d.over {
		return
	}
	if d.source.end == nil {
		d.source.end = end
	}
	d.drain()
	if !d.over {
		d.halt(io.ErrUnexpectedEOF)
	}
}

func (d *decoded) close(e closing) {
	if e.why == "" {
		d.finish(io.EOF)
	} else {
		d.finish(errHole)
	}
	d.c.p.env.Budget().Give(d.cost)
	d.cost = 0
	e.size = -1
	switch {
	case d.err == nil && e.why == "":
		e.size = d.out
	case e.why == "" && errors.Is(d.err, errHole):
		e.why = "bytes missing in the encoded content"
	case e.why == "":
		e.why = fmt.Sprintf("encoded content cannot be decoded: %v", d.err)
	}
	if d.m != nil {
		d.encoded()
	}
	d.next.close(e)
}

// encoded notes what was undone.
func (d *decoded) encoded() {
	if d.plain != "" {
		d.m.note("the content is not " + d.plain + " although the header says so: bytes as sent")
		if len(d.codings) == 1 {
			return
		}
	}
	d.m.coded(d.codings, d.in)
}
