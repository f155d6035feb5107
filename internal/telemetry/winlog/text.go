package winlog

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"waybill/internal/telemetry/winevent"
)

// maxText is the longest line, value or element that is read.
const maxText = 16 << 20

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

// headText is the first bytes of a text as UTF-8.
func headText(head []byte) []byte {
	head = head[:min(len(head), kindHead)]
	t := encoding(head)
	if t == nil {
		return head
	}
	out, _, _ := transform.Bytes(t, head)
	return out
}

// textReader reads a text as UTF-8 and counts what it took.
type textReader struct {
	*bufio.Reader
	taken *counter
	line  []byte // one that is longer than the buffer
}

type counter struct {
	r     io.Reader
	n     int64
	given int64
}

// since is how much was read since it was asked last.
func (c *counter) since() int64 {
	d := c.n - c.given
	c.given = c.n
	return d
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}

func newTextReader(r io.Reader) *textReader {
	c := &counter{r: r}
	raw := bufio.NewReaderSize(c, 256<<10)
	head, _ := raw.Peek(4)
	if t := encoding(head); t != nil {
		return &textReader{Reader: bufio.NewReaderSize(transform.NewReader(raw, t), 256<<10), taken: c}
	}
	return &textReader{Reader: raw, taken: c}
}

var errTooLong = errors.New("longer than 16 MiB")

// until reads up to and with the next stop byte. The result is valid until the
// next call. A text that is too long is passed over.
func (t *textReader) until(stop byte) ([]byte, error) {
	line, err := t.ReadSlice(stop)
	if err != bufio.ErrBufferFull {
		return line, err
	}
	t.line = t.line[:0]
	length := 0
	for {
		length += len(line)
		if length <= maxText {
			t.line = append(t.line, line...)
		}
		if err != bufio.ErrBufferFull {
			break
		}
		line, err = t.ReadSlice(stop)
	}
	if length > maxText {
		t.line = nil
		if err == nil {
			err = errTooLong
		}
		return nil, err
	}
	return t.line, err
}

// jsonLog reads events that stand one a line, or in a list or one after the other
// over several lines.
type jsonLog struct {
	text   *textReader
	lines  winevent.Lines
	number int  // of the line
	spread bool // values go over several lines
	value  []byte
	damage
	ended bool
}

func newJSONLog(r io.Reader) *jsonLog {
	l := &jsonLog{text: newTextReader(r)}
	head, _ := l.text.Peek(kindHead)
	l.spread = spreads(head)
	return l
}

// spreads says whether values go over several lines, as pretty-printed ones and
// lists do: the first line is no value by itself.
func spreads(head []byte) bool {
	head = bytes.TrimLeft(head, " \t\r\n")
	if len(head) == 0 || head[0] == '[' {
		return true
	}
	first, _, more := bytes.Cut(head, []byte("\n"))
	return more && len(bytes.TrimRight(first, " \t\r")) < 3
}

func looksJSON(text []byte) bool {
	var l winevent.Lines
	if spreads(text) {
		s := splitter{}
		for i, c := range text {
			if s.next(c) && l.Looks(text[s.start(i):i+1]) {
				return true
			}
			if s.values > 8 {
				return false
			}
		}
		return false
	}
	for range 8 {
		line, rest, whole := bytes.Cut(text, []byte("\n"))
		if l.Looks(line) || !whole && len(line) >= kindHead/2 && namesEvents(line) {
			return true
		}
		text = rest
	}
	return false
}

// namesEvents says whether a line that is too long to be seen whole names what
// events of Windows are made of.
func namesEvents(line []byte) bool {
	for _, name := range []string{`"winlog"`, `"EventID"`, `"EventCode"`, `"event_id"`, `"EventRecordID"`, `"EventRecordId"`} {
		if bytes.Contains(line, []byte(name)) {
			return true
		}
	}
	return false
}

// Next reads the next events.
func (l *jsonLog) Next(b *Batch) error {
	b.Events = b.Events[:0]
	for len(b.Events) < batchSize && !l.ended {
		value, err := l.nextValue()
		if errors.Is(err, errTooLong) {
			l.note("line %d: %v: passed over", l.number, err)
			continue
		}
		if err != nil {
			l.ended = true
			if err != io.EOF {
				l.note("after line %d: %v", l.number, err)
			}
		}
		if value = bytes.TrimSpace(value); len(value) > 0 {
			l.take(value, b)
		}
	}
	b.Bytes = l.text.taken.since()
	if l.ended && len(b.Events) == 0 {
		return io.EOF
	}
	return nil
}

// take decodes one value.
func (l *jsonLog) take(value []byte, b *Batch) {
	e := b.Next()
	e.Line = l.number
	_, err := l.lines.Event(value, e)
	if err == nil && e.ID != 0 {
		return
	}
	b.drop()
	if err != nil && !errors.Is(err, winevent.ErrNoEvent) {
		l.note("line %d: no JSON: %s", l.number, innermost(err))
	}
}

// innermost is the cause of a parser's error, without the path to it and the text
// that was not read.
func innermost(err error) string {
	text, _, _ := strings.Cut(err.Error(), "; unparsed tail")
	for {
		_, rest, ok := strings.Cut(text, ": ")
		if !ok || !strings.HasPrefix(text, "cannot parse") {
			return text
		}
		text = rest
	}
}

func (l *jsonLog) nextValue() ([]byte, error) {
	if !l.spread {
		l.number++
		return l.text.until('\n')
	}
	var s splitter
	l.value = l.value[:0]
	for {
		c, err := l.text.ReadByte()
		if err != nil {
			return l.value, err
		}
		if c == '\n' {
			l.number++
		}
		done := s.next(c)
		if s.depth > 0 || done {
			l.value = append(l.value, c)
		}
		if done {
			return l.value, nil
		}
		if len(l.value) > maxText {
			l.value = nil
			return nil, errTooLong
		}
	}
}

// splitter finds the objects in a text, whatever stands between them.
type splitter struct {
	depth  int
	quoted bool
	escape bool
	length int // of the current object
	values int
}

// next takes a character and says whether it ends an object.
func (s *splitter) next(c byte) bool {
	if s.depth > 0 {
		s.length++
	}
	switch {
	case s.escape:
		s.escape = false
	case s.quoted:
		s.escape, s.quoted = c == '\\', c != '"'
	case c == '"':
		s.quoted = s.depth > 0
	case c == '{':
		if s.depth == 0 {
			s.length = 1
		}
		s.depth++
	case c == '}' && s.depth > 0:
		s.depth--
		if s.depth == 0 {
			s.values++
			return true
		}
	}
	return false
}

// start is where the object began that ended at i.
func (s *splitter) start(i int) int { return i + 1 - s.length }
