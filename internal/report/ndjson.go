package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf8"

	"waybill/internal/model"
)

// NDJSON writes one JSON object a line. The summary is always the last.
func NDJSON(w io.Writer, r model.Records, s Selection) error {
	out := lines{w: bufio.NewWriterSize(w, 1<<16)}
	out.json = json.NewEncoder(&out.buf)
	out.json.SetEscapeHTML(false)
	r = s.Select(r)
	each(&out, r.Transfers)
	each(&out, r.Accesses)
	each(&out, r.Artifacts)
	each(&out, r.Findings)
	each(&out, r.Incidents)
	each(&out, r.Coverage)
	if s.wants("summary") {
		out.line(r.Summary)
	}
	if out.err == nil {
		out.err = out.w.Flush()
	}
	return out.err
}

func each[T any](out *lines, records []T) {
	for _, r := range records {
		out.line(r)
	}
}

// lines writes objects and remembers the first error.
type lines struct {
	w    *bufio.Writer
	buf  bytes.Buffer
	json *json.Encoder
	err  error
}

func (l *lines) line(v any) {
	if l.err != nil {
		return
	}
	l.buf.Reset()
	if l.err = l.json.Encode(v); l.err == nil {
		_, l.err = l.w.Write(inert(l.buf.Bytes()))
	}
}

// inert escapes what JSON allows in strings but a terminal acts on: DEL and the
// C1 controls, and the marks that turn the direction of text around.
func inert(line []byte) []byte {
	if !bytes.ContainsFunc(line, acts) {
		return line
	}
	out := make([]byte, 0, len(line)+64)
	for _, r := range string(line) {
		if acts(r) {
			out = fmt.Appendf(out, `\u%04x`, r)
			continue
		}
		out = utf8.AppendRune(out, r)
	}
	return out
}

// acts says whether a terminal does something else with a character than to
// show it. The line feed that ends a line is none of these.
func acts(r rune) bool {
	return r >= 0x7f && r <= 0x9f || r == 0x61c || r >= 0x200b && r <= 0x200f || r >= 0x2028 && r <= 0x202e ||
		r >= 0x2066 && r <= 0x2069 || r == 0xfeff
}
