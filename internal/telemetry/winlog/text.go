package winlog

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"waybill/internal/telemetry/logtext"
	"waybill/internal/telemetry/winevent"
)

// jsonLog reads events that are JSON objects.
type jsonLog struct {
	values *logtext.Values
	lines  winevent.Lines
	logtext.Faults
	ended bool
}

func newJSONLog(r io.Reader) *jsonLog { return &jsonLog{values: logtext.NewValues(r)} }

func looksJSON(text []byte) bool {
	var l winevent.Lines
	return logtext.First(text, 8, func(value []byte, whole bool) bool {
		return l.Looks(value) || !whole && len(value) >= logtext.HeadSize/2 && namesEvents(value)
	})
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
		value, err := l.values.Next()
		if errors.Is(err, logtext.ErrTooLong) {
			l.Note("line %d: %v: passed over", l.values.Line(), err)
			continue
		}
		if err != nil {
			l.ended = true
			if err != io.EOF {
				l.Note("after line %d: %v", l.values.Line(), err)
			}
		}
		if value = bytes.TrimSpace(value); len(value) > 0 {
			l.take(value, b)
		}
	}
	b.Bytes = l.values.Since()
	if l.ended && len(b.Events) == 0 {
		return io.EOF
	}
	return nil
}

// take decodes one value.
func (l *jsonLog) take(value []byte, b *Batch) {
	e := b.Next()
	e.Line = l.values.Line()
	_, err := l.lines.Event(value, e)
	if err == nil && e.ID != 0 {
		return
	}
	b.drop()
	if err != nil && !errors.Is(err, winevent.ErrNoEvent) {
		l.Note("line %d: no JSON: %s", l.values.Line(), innermost(err))
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
