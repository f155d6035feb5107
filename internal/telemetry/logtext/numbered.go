package logtext

import (
	"errors"
	"io"
	"strconv"
	"strings"
)

// Lines are those of a text, with their numbers; what cannot be read is noted.
type Lines struct {
	*Reader
	Number int  // of the last line, from 1
	Ended  bool // the last line was the text's last, or what is left of it
	Faults
}

// Line is the next line with its end, valid until the next call. One that is too long is
// passed over.
func (l *Lines) Line() []byte {
	for {
		line, err := l.Until('\n')
		l.Number++
		if errors.Is(err, ErrTooLong) {
			l.Note("line %d: %v: passed over", l.Number, err)
			continue
		}
		if err != nil {
			l.Ended = true
			if err != io.EOF {
				l.Note("after line %d: %v", l.Number, err)
			}
		}
		return line
	}
}

// Unescape turns \xHH, \\ and \" into the bytes that they stand for, as Zeek, nginx and
// Apache write what would break a line.
func Unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) && s[i+1] == 'x' {
			if n, err := strconv.ParseUint(s[i+2:i+4], 16, 8); err == nil {
				out = append(out, byte(n))
				i += 3
				continue
			}
		}
		if s[i] == '\\' && i+1 < len(s) && (s[i+1] == '\\' || s[i+1] == '"') {
			i++
		}
		out = append(out, s[i])
	}
	return string(out)
}
