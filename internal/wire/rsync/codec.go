package rsync

import (
	"bufio"
	"errors"
	"io"
	"iter"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"waybill/internal/wire"
)

const (
	maxRatio    = 1100      // deflate reaches 1,032; zstd more, where all is one byte
	freeOpened  = 1 << 30   // bytes that a connection may expand to whatever the ratio
	maxWindow   = 128 << 20 // of zstd, by its highest level
	smallWindow = 128 << 10 // memory of a decompressor without a large window
	outputSize  = 32 << 10
	lz4Output   = 64 << 10 // a block of it holds less than 16 KiB (token.c)
)

var (
	errStopped = errors.New("stopped")
)

// Why something compressed cannot be opened.
const (
	whyUnknown = "compressed in a way that is not known"
	whyWindow  = "what follows a block that the receiver had is compressed against it and cannot be opened"
	whyHole    = "bytes missing in the compressed content"
	whyBroken  = "the compressed content cannot be opened"
	whyEndless = "expands without end"
	whyMemory  = "over the memory budget"
)

// blindness is what coverage calls bytes that cannot be opened, by why.
var blindness = map[string]string{
	whyUnknown: "compressed-unknown", whyWindow: "compressed-unknown", whyHole: "around-loss",
	whyBroken: "around-loss", whyEndless: "over-budget", whyMemory: "over-budget",
}

// codec opens what a connection compresses. zlib starts anew with each file, zstd is
// one stream over all of them, lz4 one a run of bytes. The decompressors, which want
// to read, run as a coroutine: it hands out what it opened, and nothing when it wants
// more.
type codec struct {
	env  wire.Env
	name string
	out  func(b []byte)

	why    string // why nothing more of the file can be opened
	broken string // nothing more of the connection
	begun  bool   // deflate: bytes since the last flush

	in   source
	pull func() ([]byte, bool)
	stop func()

	inflater io.ReadCloser
	block    []byte // lz4: what of a run has come
	buf      []byte
	cost     int64
	took     int64 // bytes in
	made     int64 // bytes out
}

// source is what the decompressors read.
type source struct {
	data []byte
	end  error
	want func([]byte) bool
}

func (s *source) Read(p []byte) (int, error) {
	if err := s.wait(); err != nil {
		return 0, err
	}
	n := copy(p, s.data)
	s.data = s.data[n:]
	return n, nil
}

// ReadByte lets flate do without a buffer of its own.
func (s *source) ReadByte() (byte, error) {
	if err := s.wait(); err != nil {
		return 0, err
	}
	b := s.data[0]
	s.data = s.data[1:]
	return b, nil
}

func (s *source) wait() error {
	for len(s.data) == 0 {
		if s.end != nil {
			return s.end
		}
		if !s.want(nil) {
			s.end = errStopped
		}
	}
	return nil
}

func newCodec(name string, env wire.Env, out func([]byte)) *codec {
	c := &codec{env: env, name: name, out: out}
	cost := int64(smallWindow)
	switch {
	case name != "zlib" && name != "zlibx" && name != "zstd" && name != "lz4":
		c.broken = whyUnknown
	case !env.Budget().Take(cost):
		c.broken = whyMemory
	default:
		c.cost = cost
	}
	return c
}

// file begins a file.
func (c *codec) file() {
	c.why, c.begun = c.broken, false
	if c.name != "zstd" {
		c.halt()
	}
}

// write opens some bytes of a run.
func (c *codec) write(b []byte) {
	c.took += int64(len(b))
	if c.why != "" {
		c.env.Blind(blindness[c.why], int64(len(b)))
		return
	}
	if c.begun = true; c.name == "lz4" {
		c.block = append(c.block, b...)
		return
	}
	c.drain(b)
}

// run ends a run of bytes.
func (c *codec) run() {
	if c.name != "lz4" || c.why != "" {
		return
	}
	if c.buf == nil {
		c.buf = make([]byte, lz4Output)
	}
	n, err := lz4.UncompressBlock(c.block, c.buf)
	c.block = c.block[:0]
	if err != nil {
		c.lose(whyBroken)
		return
	}
	c.out(c.buf[:n])
}

// syncMark ends what is flushed; both sides know it, and it is not sent (token.c).
var syncMark = []byte{0, 0, 0xff, 0xff}

// flush says that the sender flushed: a block that the receiver has, or the end of
// the file, comes next.
func (c *codec) flush() {
	if c.begun && c.why == "" && c.inflater != nil {
		c.drain(syncMark)
	}
	c.begun = false
}

// matched says that the receiver took a block that it had. zlib counts it among what
// later bytes refer to.
func (c *codec) matched() {
	c.flush()
	if c.name == "zlib" {
		c.lose(whyWindow)
	}
}

// hole says that bytes of a run were not seen.
func (c *codec) hole() {
	c.lose(whyHole)
	if c.name == "zstd" {
		c.broken = whyHole
	}
}

// lose gives the rest of the file up.
func (c *codec) lose(why string) {
	if c.why == "" {
		c.why = why
	}
	c.block = c.block[:0]
	c.halt()
}

// drain gives the coroutine its next bytes and hands out what it makes of them.
func (c *codec) drain(b []byte) {
	if c.pull == nil {
		c.in = source{}
		c.pull, c.stop = iter.Pull(c.open)
	}
	c.in.data = b
	for {
		out, ok := c.pull()
		if !ok {
			c.fail(whyBroken)
			return
		}
		if len(out) == 0 {
			return
		}
		if c.made += int64(len(out)); c.made > freeOpened+maxRatio*c.took {
			c.fail(whyEndless)
			return
		}
		c.out(out)
	}
}

func (c *codec) fail(why string) {
	if c.lose(why); c.name == "zstd" {
		c.broken = c.why
	}
}

// open is the coroutine.
func (c *codec) open(yield func([]byte) bool) {
	c.in.want = yield
	if c.name == "zstd" {
		c.zstd(yield)
		return
	}
	if c.inflater == nil {
		c.inflater, c.buf = flate.NewReader(&c.in), make([]byte, outputSize)
	} else if err := c.inflater.(flate.Resetter).Reset(&c.in, nil); err != nil {
		return
	}
	for {
		n, err := c.inflater.Read(c.buf)
		if n > 0 && !yield(c.buf[:n]) || err != nil {
			return
		}
	}
}

// zstd opens a stream whose window its first bytes state (RFC 8878 3.1.1.1).
func (c *codec) zstd(yield func([]byte) bool) {
	in := bufio.NewReader(&c.in)
	head, err := in.Peek(6)
	if err != nil {
		return
	}
	window := int64(1<<10) << (head[5] >> 3)
	if window += window / 8 * int64(head[5]&7); head[4]&0x20 != 0 {
		window = maxWindow >> 4 // one segment: its size stands there instead
	}
	if window > maxWindow || !c.env.Budget().Take(window) {
		c.why = whyMemory
		return
	}
	c.cost += window
	z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(uint64(window)))
	if err != nil {
		return
	}
	defer z.Close()
	z.WriteTo(yielding(yield)) // its error is that the stream is over
}

// yielding hands out what is written to it.
type yielding func([]byte) bool

func (y yielding) Write(b []byte) (int, error) {
	if len(b) > 0 && !y(b) {
		return 0, errStopped
	}
	return len(b), nil
}

// halt ends the coroutine.
func (c *codec) halt() {
	if c.pull != nil {
		c.stop()
		c.pull, c.stop = nil, nil
	}
}

func (c *codec) close() {
	c.halt()
	c.env.Budget().Give(c.cost)
	c.cost = 0
}
