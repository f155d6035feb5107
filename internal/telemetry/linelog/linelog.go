// Package linelog reads logs of one record a line. In comes a file and a function
// that reads one line of it; out come the records in batches, with the numbers of
// their lines, and which lines were none of that log. It knows no log itself, and
// keeps no line.
package linelog

import (
	"bytes"
	"io"
	"strings"

	"waybill/internal/telemetry"
	"waybill/internal/telemetry/logtext"
)

// Taken says what a line was.
type Taken int

// What a line was.
const (
	Record  Taken = iota // the record is filled in
	Nothing              // a line of this log that says nothing that is used
	Broken               // no line of this log
)

// Line reads a line into a record. Parts of the line may be kept.
type Line func(line string, r *telemetry.Record) Taken

// log reads one file.
type log struct {
	logtext.Lines
	take    Line
	name    string // what a line should have been, for messages
	several bool   // lines that a message may have
}

// Open reads a text whose lines are those of a log of a name.
func Open(text *logtext.Reader, name string, take Line) telemetry.Log {
	return &log{Lines: logtext.Lines{Reader: text}, name: name, take: take}
}

// OpenMessages reads one in which messages may have several lines: those that begin
// with a blank go on with the one before.
func OpenMessages(text *logtext.Reader, name string, take Line) telemetry.Log {
	return &log{Lines: logtext.Lines{Reader: text}, name: name, take: take, several: true}
}

// Next reads the next records.
func (l *log) Next(b *telemetry.Batch) error {
	b.Reset()
	for len(b.Records) < telemetry.BatchSize && !l.Ended {
		l.line(l.Line(), b)
	}
	b.Bytes = l.Since()
	if l.Ended && len(b.Records) == 0 {
		return io.EOF
	}
	return nil
}

// blank are what lines end in, and what a host that lost its power leaves in a file.
const blank = "\r\n \t\x00"

func (l *log) line(raw []byte, b *telemetry.Batch) {
	goesOn := l.several && l.Number > 1 && len(raw) > 0 && (raw[0] == ' ' || raw[0] == '\t')
	if raw = bytes.Trim(raw, blank); len(raw) == 0 || goesOn {
		return
	}
	r := b.Next()
	r.Line = l.Number
	switch l.take(string(raw), r) {
	case Nothing:
		b.Drop()
	case Broken:
		b.Drop()
		if l.Ended {
			l.Note("line %d: the last line is cut off", l.Number)
			return
		}
		l.Note("line %d: no line of %s", l.Number, l.name)
	}
}

// looked is how many lines are looked at to tell a log.
const looked = 24

// Looks says whether most of the first lines of a head are of a form.
func Looks(head []byte, is func(line string) bool) bool {
	all, right := 0, 0
	for len(head) > 0 && all < looked {
		line, rest, whole := bytes.Cut(head, []byte{'\n'})
		head = rest
		if line = bytes.Trim(line, blank); len(line) == 0 || !whole && all > 0 {
			continue
		}
		all++
		if is(string(line)) {
			right++
		}
	}
	return right > 0 && 2*right >= all
}

// Between gives what stands in a text between two marks, and what is behind.
func Between(s, from, to string) (inner, rest string, ok bool) {
	_, s, ok = strings.Cut(s, from)
	if !ok {
		return "", "", false
	}
	return strings.Cut(s, to)
}

// Each gives the whole lines of a head.
func Each(head []byte, take func(line string)) {
	for len(head) > 0 {
		line, rest, whole := bytes.Cut(head, []byte{'\n'})
		head = rest
		if line = bytes.Trim(line, blank); len(line) > 0 && (whole || len(rest) == 0) {
			take(string(line))
		}
	}
}
