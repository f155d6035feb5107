package winlog

import (
	"bytes"
	"errors"
	"io"

	"waybill/internal/telemetry/logtext"
	"waybill/internal/telemetry/winevent"
)

// xmlLog reads <Event> elements, one after the other, whatever stands around them.
type xmlLog struct {
	text   *logtext.Reader
	number int // of the line
	ended  bool
	value  []byte
	logtext.Faults
}

func newXMLLog(r io.Reader) *xmlLog { return &xmlLog{text: logtext.NewReader(r), number: 1} }

// Next reads the next events.
func (l *xmlLog) Next(b *Batch) error {
	b.Events = b.Events[:0]
	for len(b.Events) < batchSize && !l.ended {
		line := l.number
		value, err := l.element()
		if err != nil {
			l.ended = true
			if err != io.EOF {
				l.Note("after line %d: %v", l.number, err)
			}
			break
		}
		e := b.Next()
		e.Line = line
		if _, err := winevent.XML(value, e); err != nil {
			b.drop()
			l.Note("line %d: %v", line, err)
		}
	}
	b.Bytes = l.text.Since()
	if l.ended && len(b.Events) == 0 {
		return io.EOF
	}
	return nil
}

var eventStart, eventEnd = []byte("<Event"), []byte("</Event>")

// element reads up to the end of the next event.
func (l *xmlLog) element() ([]byte, error) {
	l.value = l.value[:0]
	for {
		piece, err := l.text.Until('>')
		l.number += bytes.Count(piece, []byte{'\n'})
		l.value = append(l.value, piece...)
		switch {
		case bytes.HasSuffix(l.value, eventEnd):
			return l.fromStart(), nil
		case errors.Is(err, logtext.ErrTooLong) || len(l.value) > logtext.Max:
			l.value = l.value[:0]
			l.Note("line %d: an element %v: passed over", l.number, logtext.ErrTooLong)
		case err == io.EOF && len(l.fromStart()) > 0:
			l.Note("line %d: the last event is cut off", l.number)
			return nil, io.EOF
		case err != nil:
			return nil, err
		}
	}
}

// fromStart is the value from where its event begins.
func (l *xmlLog) fromStart() []byte {
	v := l.value
	for {
		i := bytes.Index(v, eventStart)
		if i < 0 {
			return nil
		}
		v = v[i:]
		if len(v) > len(eventStart) && (v[len(eventStart)] == ' ' || v[len(eventStart)] == '>') {
			return v
		}
		v = v[len(eventStart):]
	}
}
