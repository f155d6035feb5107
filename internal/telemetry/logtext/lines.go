// Package logtext reads logs that are text. In comes a file in any encoding; out come
// its lines, or the JSON objects in it, as UTF-8, one at a time and each with the
// number of its line; what is too long is passed over and named. It knows no log,
// and keeps no more than one line.
package logtext

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// Max is the longest line, value or element that is read.
const Max = 16 << 20

// HeadSize is how much of a text is looked at to tell what it is.
const HeadSize = 64 << 10

// ErrTooLong says that a line or value was longer than Max.
var ErrTooLong = errors.New("longer than 16 MiB")

// encoding tells how a text is encoded by its first bytes: by its mark, or, for
// UTF-16 without one, by the zeros of its first ASCII characters.
func encoding(head []byte) transform.Transformer {
	utf16 := func(e unicode.Endianness) transform.Transformer { return unicode.UTF16(e, unicode.UseBOM).NewDecoder() }
	switch {
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}), bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return utf16(unicode.LittleEndian)
	case len(head) >= 4 && head[0] != 0 && head[1] == 0 && head[2] != 0 && head[3] == 0:
		return utf16(unicode.LittleEndian)
	case len(head) >= 4 && head[0] == 0 && head[1] != 0 && head[2] == 0 && head[3] != 0:
		return utf16(unicode.BigEndian)
	case bytes.HasPrefix(head, []byte{0xef, 0xbb, 0xbf}):
		return unicode.UTF8BOM.NewDecoder()
	}
	return nil
}

// Head is the first bytes of a text as UTF-8.
func Head(head []byte) []byte {
	head = head[:min(len(head), HeadSize)]
	t := encoding(head)
	if t == nil {
		return head
	}
	out, _, _ := transform.Bytes(t, head)
	return out
}

// Reader reads a text as UTF-8 and counts what it took.
type Reader struct {
	*bufio.Reader
	taken *counter
	line  []byte // one that is longer than the buffer
}

type counter struct {
	r     io.Reader
	n     int64
	given int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}

// NewReader reads r.
func NewReader(r io.Reader) *Reader {
	c := &counter{r: r}
	raw := bufio.NewReaderSize(c, 256<<10)
	head, _ := raw.Peek(4)
	if t := encoding(head); t != nil {
		return &Reader{Reader: bufio.NewReaderSize(transform.NewReader(raw, t), 256<<10), taken: c}
	}
	return &Reader{Reader: raw, taken: c}
}

// Since is how many bytes of the input were read since it was asked last.
func (t *Reader) Since() int64 {
	d := t.taken.n - t.taken.given
	t.taken.given = t.taken.n
	return d
}

// Until reads up to and with the next stop byte. The result is valid until the
// next call. A text that is too long is passed over: ErrTooLong.
func (t *Reader) Until(stop byte) ([]byte, error) {
	line, err := t.ReadSlice(stop)
	if err != bufio.ErrBufferFull {
		return line, err
	}
	t.line = t.line[:0]
	length := 0
	for {
		length += len(line)
		if length <= Max {
			t.line = append(t.line, line...)
		}
		if err != bufio.ErrBufferFull {
			break
		}
		line, err = t.ReadSlice(stop)
	}
	if length > Max {
		t.line = nil
		if err == nil {
			err = ErrTooLong
		}
		return nil, err
	}
	return t.line, err
}
