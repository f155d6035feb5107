package logtext

import (
	"bytes"
	"io"
)

// Values reads the JSON objects of a text that stand one a line, or in a list or one
// after the other over several lines.
type Values struct {
	text   *Reader
	spread bool // values go over several lines
	number int
	value  []byte
}

// NewValues reads r.
func NewValues(r io.Reader) *Values {
	v := &Values{text: NewReader(r)}
	head, _ := v.text.Peek(HeadSize)
	v.spread = Spread(head)
	return v
}

// Spread says whether values go over several lines, as pretty-printed ones and
// lists do: the first line is no value by itself.
func Spread(head []byte) bool {
	head = bytes.TrimLeft(head, " \t\r\n")
	if len(head) == 0 || head[0] == '[' {
		return true
	}
	first, _, more := bytes.Cut(head, []byte("\n"))
	return more && len(bytes.TrimRight(first, " \t\r")) < 3
}

// Line is the number of the line that the last value ended in.
func (v *Values) Line() int {
	if v.spread { // its end was not read yet
		return v.number + 1
	}
	return v.number
}

// Since is how many bytes of the input were read since it was asked last.
func (v *Values) Since() int64 { return v.text.Since() }

// Next gives the next value, valid until the next call; it may be blank. With io.EOF
// comes what stands behind the last line break.
func (v *Values) Next() ([]byte, error) {
	if !v.spread {
		v.number++
		return v.text.Until('\n')
	}
	var s splitter
	v.value = v.value[:0]
	for {
		c, err := v.text.ReadByte()
		if err != nil {
			return v.value, err
		}
		if c == '\n' {
			v.number++
		}
		done := s.next(c)
		if s.depth > 0 || done {
			v.value = append(v.value, c)
		}
		if done {
			return v.value, nil
		}
		if len(v.value) > Max {
			v.value = nil
			return nil, ErrTooLong
		}
	}
}

// First gives the first values of a head, up to some; the last may be cut off, which
// whole tells.
func First(head []byte, some int, look func(value []byte, whole bool) bool) bool {
	if Spread(head) {
		var s splitter
		for i, c := range head {
			if s.next(c) && look(head[s.start(i):i+1], true) {
				return true
			}
			if s.values > some {
				return false
			}
		}
		return false
	}
	for range some {
		line, rest, whole := bytes.Cut(head, []byte("\n"))
		if len(line) > 0 && look(line, whole) {
			return true
		}
		head = rest
	}
	return false
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
