package zeek

import (
	"bytes"
	"errors"
	"io"
	"strconv"
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
	text   *logtext.Reader
	number int
	ended  bool
	logtext.Faults

	separator    string
	unset, empty string
	stream       string // of #path
	names        []string
	guessed      bool // by the rows, as there is no header
}

func openTSV(r io.Reader, _ telemetry.OpenOptions) telemetry.Log {
	return &tsv{text: logtext.NewReader(r), separator: "\t", unset: "-", empty: "(empty)"}
}

// Next reads the next rows.
func (l *tsv) Next(b *telemetry.Batch) error {
	b.Reset()
	for len(b.Records) < telemetry.BatchSize && !l.ended {
		line, err := l.text.Until('\n')
		l.number++
		switch {
		case errors.Is(err, logtext.ErrTooLong):
			l.Note("line %d: %v: passed over", l.number, err)
			continue
		case err == io.EOF && len(line) > 0 && line[0] != '#' && l.names != nil:
			l.ended = true
			if !l.row(string(line), b) {
				l.Note("line %d: the last row is cut off", l.number)
			}
			continue
		case err != nil:
			l.ended = true
			if err != io.EOF {
				l.Note("after line %d: %v", l.number, err)
			}
		}
		l.line(strings.TrimRight(string(line), "\r\n"), b)
	}
	b.Bytes = l.text.Since()
	if l.ended && len(b.Records) == 0 {
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
		l.Note("line %d: a row before #fields", l.number)
	case l.guessed || !l.row(line, b):
		l.Note("line %d: %d fields instead of %d", l.number, strings.Count(line, l.separator)+1, len(l.names))
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
		if s := unescape(v); s != "" {
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
	r.Line = l.number
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
			r.Set(name, unescape(value))
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

// unescape turns \xHH and \\ into the bytes that they stand for.
func unescape(s string) string {
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
		if s[i] == '\\' && i+1 < len(s) && s[i+1] == '\\' {
			i++
		}
		out = append(out, s[i])
	}
	return string(out)
}
