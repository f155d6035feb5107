package zeek

import (
	"bytes"
	"io"
	"strings"

	"waybill/internal/telemetry"
	"waybill/internal/telemetry/logtext"
)

// looksTSV asks for the header that Zeek writes, at the start or, where a piece without
// one was put before another, later on.
func looksTSV(head []byte) bool {
	for len(head) > 0 {
		line, rest, _ := bytes.Cut(head, []byte{'\n'})
		if bytes.HasPrefix(line, []byte("#separator \\x")) || bytes.HasPrefix(line, []byte("#fields\tts\t")) {
			return true
		}
		head = rest
	}
	return false
}

func looksRows(head []byte) bool { return looksTSV(head) || looksBare(head) }

// tsv reads one file. Its header may come again where files were put together.
type tsv struct {
	logtext.Lines

	separator    string
	unset, empty string
	stream       string // of #path
	names        []string
	guessed      bool // by the rows, as there is no header
}

func openTSV(r io.Reader, _ telemetry.OpenOptions) telemetry.Log {
	return &tsv{Lines: logtext.Lines{Reader: logtext.NewReader(r)}, separator: "\t", unset: "-", empty: "(empty)"}
}

// Next reads the next rows.
func (l *tsv) Next(b *telemetry.Batch) error {
	b.Reset()
	for len(b.Records) < telemetry.BatchSize && !l.Ended {
		line := l.Line()
		if l.Ended && len(line) > 0 && line[0] != '#' && l.names != nil {
			if !l.row(string(line), b) {
				l.Note("line %d: the last row is cut off", l.Number)
			}
			continue
		}
		l.line(strings.TrimRight(string(line), "\r\n"), b)
	}
	b.Bytes = l.Since()
	if l.Ended && len(b.Records) == 0 {
		return io.EOF
	}
	return nil
}

func (l *tsv) line(line string, b *telemetry.Batch) {
	switch {
	case line == "":
	case line[0] == '#':
		l.header(line)
	case l.guess(line) && l.row(line, b):
	case l.names == nil:
		l.Note("line %d: a row before #fields", l.Number)
	case l.guessed || !l.row(line, b):
		l.Note("line %d: %d fields instead of %d", l.Number, strings.Count(line, l.separator)+1, len(l.names))
	}
}

// guess tells by a row without header which log it is of; false when a header said it.
func (l *tsv) guess(line string) bool {
	if l.names != nil && !l.guessed {
		return false
	}
	at := layoutOf(line)
	if at == nil {
		return false
	}
	l.stream, l.names, l.guessed = stream(at.name), at.names, true
	return true
}

// header takes a line of the header (Zeek manual, "Zeek TSV Format Logs").
func (l *tsv) header(line string) {
	if v, ok := strings.CutPrefix(line, "#separator "); ok { // another file begins
		l.stream, l.names, l.guessed = "", nil, false
		if s := logtext.Unescape(v); s != "" {
			l.separator = s
		}
		return
	}
	name, value, _ := strings.Cut(line, l.separator)
	switch name {
	case "#path":
		l.stream = stream(value)
	case "#unset_field":
		l.unset = value
	case "#empty_field":
		l.empty = value
	case "#fields":
		l.names, l.guessed = strings.Split(strings.Clone(value), l.separator), false
	}
}

// row takes a row; false when it has not as many fields as the header.
func (l *tsv) row(line string, b *telemetry.Batch) bool {
	r := b.Next()
	r.Line = l.Number
	i := 0
	for value := range strings.SplitSeq(line, l.separator) {
		if i >= len(l.names) {
			b.Drop()
			return false
		}
		name := l.names[i]
		i++
		switch {
		case value == l.unset || value == l.empty:
		case name == "ts":
			r.Time, _ = stamp(value)
		default:
			r.Set(name, logtext.Unescape(value))
		}
	}
	if i != len(l.names) {
		b.Drop()
		return false
	}
	if r.Stream = l.stream; r.Stream == "" {
		r.Stream = stream(pathOf(r))
	}
	return true
}
