package http

import (
	"strconv"
	"strings"

	"waybill/internal/wire"
)

const (
	maxHeader = 64 << 10 // bytes of a header block
	maxFields = 1000
	maxFold   = 1024    // bytes of a folded value that are joined
	maxTarget = 8 << 10 // bytes of a request target that are kept
	maxText   = 256     // bytes of software names and the like
)

// header is the start line and the fields of one message. Its strings share
// one block; what outlives the message is cloned.
type header struct {
	request bool
	method  string
	target  string
	status  int
	fields  []field

	seq         uint32 // sequence number of the first byte
	first, last wire.At
}

type field struct{ name, value string }

// parseHeader reads a block of lines that begins with a good start line.
func parseHeader(block []byte) (h header, ok bool) {
	text := string(block)
	line, rest, _ := strings.Cut(text, "\n")
	h.startLine(strings.TrimRight(line, " \r"))
	h.fields, ok = parseFields(rest)
	return h, ok
}

func (h *header) startLine(line string) {
	if _, v := startLine([]byte(line), true); v == wire.Yes && strings.HasPrefix(line, "HTTP/1.") {
		h.status, _ = strconv.Atoi(line[9:12])
		return
	}
	h.request = true
	h.method, line, _ = strings.Cut(line, " ")
	if i := strings.LastIndexByte(line, ' '); i >= 0 {
		h.target = strings.Trim(line[:i], " ")
	}
}

// parseFields reads field lines up to an empty one or the end.
func parseFields(text string) ([]field, bool) {
	fields := make([]field, 0, 16)
	for text != "" {
		line, rest, _ := strings.Cut(text, "\n")
		text = rest
		line = strings.TrimRight(line, "\r")
		switch {
		case line == "":
			return fields, true
		case line[0] == ' ' || line[0] == '\t':
			if n := len(fields); n > 0 && len(fields[n-1].value) < maxFold {
				fields[n-1].value += " " + strings.TrimSpace(line)
			}
			continue
		case len(fields) == maxFields:
			return nil, false
		}
		if name, value, ok := strings.Cut(line, ":"); ok {
			fields = append(fields, field{strings.TrimSpace(name), strings.TrimSpace(value)})
		}
	}
	return fields, true
}

// get is the value of the first field of that name.
func (h *header) get(name string) string {
	for _, f := range h.fields {
		if strings.EqualFold(f.name, name) {
			return f.value
		}
	}
	return ""
}

// list is the values of all fields of that name, split at commas, lower case.
func (h *header) list(name string) []string {
	var out []string
	for _, f := range h.fields {
		if !strings.EqualFold(f.name, name) {
			continue
		}
		for item := range strings.SplitSeq(f.value, ",") {
			if item = strings.ToLower(strings.TrimSpace(item)); item != "" {
				out = append(out, item)
			}
		}
	}
	return out
}

// framing says how long a body is (RFC 9112, 6.3).
type framing struct {
	chunked bool
	length  int64 // without chunked; untilClose when only the end of the connection tells
}

const untilClose = -1

// framing of a message whose kind may have a body. fallback is its length when
// the header says nothing.
func (h *header) framing(fallback int64) framing {
	if codings := h.list("Transfer-Encoding"); len(codings) > 0 {
		if codings[len(codings)-1] == "chunked" {
			return framing{chunked: true}
		}
		if codings[len(codings)-1] != "identity" {
			return framing{length: fallback}
		}
	}
	lengths := h.list("Content-Length")
	if len(lengths) == 0 {
		return framing{length: fallback}
	}
	n, err := strconv.ParseInt(lengths[0], 10, 62)
	if err != nil || n < 0 || lengths[0][0] == '+' {
		return framing{length: fallback}
	}
	for _, other := range lengths[1:] {
		if other != lengths[0] {
			return framing{length: fallback}
		}
	}
	return framing{length: n}
}

// codings are the encodings of the body in the order in which they were
// applied, chunked and identity left out.
func (h *header) codings() []string {
	var out []string
	for _, name := range [...]string{"Content-Encoding", "Transfer-Encoding"} {
		for _, coding := range h.list(name) {
			if coding != "chunked" && coding != "identity" {
				out = append(out, strings.TrimPrefix(coding, "x-"))
			}
		}
	}
	return out
}

// short clones text cut to at most n bytes.
func short(text string, n int) string { return strings.Clone(text[:min(len(text), n)]) }
