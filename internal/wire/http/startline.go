package http

import (
	"bytes"

	"waybill/internal/wire"
)

// kind is what a side of a connection sends.
type kind uint8

const (
	unknown kind = iota
	requests
	responses
)

const (
	maxMethod  = 24 // longest registered method is 17 letters (UPDATEREDIRECTREF)
	plainStart = 64 // bytes of a start line that are looked at for control characters
)

// startLine tells from the beginning of a line what message it starts. Without
// whole, more of the line may follow; a No then holds whatever follows.
func startLine(line []byte, whole bool) (kind, wire.Verdict) {
	if v := statusLine(line, whole); v != wire.No {
		return responses, v
	}
	return requests, requestLine(line, whole)
}

// statusLine looks for "HTTP/1.d ddd" (RFC 9112, 4), the code at least 100.
func statusLine(b []byte, whole bool) wire.Verdict {
	const form = "HTTP/1.d ddd"
	for i := range len(form) {
		if i == len(b) {
			return unless(whole)
		}
		if digit := form[i] == 'd'; digit && (b[i] < '0' || b[i] > '9') || !digit && b[i] != form[i] {
			return wire.No
		}
	}
	if b[9] == '0' {
		return wire.No
	}
	if len(b) == len(form) {
		if whole {
			return wire.Yes
		}
		return wire.Maybe
	}
	if c := b[len(form)]; c != ' ' && c != '\r' && c != '\n' {
		return wire.No
	}
	return wire.Yes
}

// requestLine looks for "METHOD target HTTP/1.d" (RFC 9112, 3). Targets with
// spaces, and none at all, are met in practice.
func requestLine(b []byte, whole bool) wire.Verdict {
	n := 0
	for n < len(b) && n <= maxMethod && (b[n] >= 'A' && b[n] <= 'Z' || b[n] == '-' || b[n] == '_') {
		n++
	}
	if n > maxMethod {
		return wire.No
	}
	if n == len(b) {
		return unless(whole)
	}
	if n == 0 || b[n] != ' ' || !plain(b) {
		return wire.No
	}
	if !whole {
		return wire.Maybe
	}
	if !endsInVersion(b) {
		return wire.No
	}
	return wire.Yes
}

func unless(whole bool) wire.Verdict {
	if whole {
		return wire.No
	}
	return wire.Maybe
}

// plain says that the line does not begin as binary data would.
func plain(b []byte) bool {
	b = b[:min(len(b), plainStart)]
	for i, c := range b {
		lineEnd := c == '\n' || c == '\r' && (i+1 == len(b) || b[i+1] == '\n')
		if c < ' ' && !lineEnd || c == 0x7f {
			return false
		}
	}
	return true
}

// endsInVersion says whether a line ends in " HTTP/1.d".
func endsInVersion(line []byte) bool {
	const version = " HTTP/1."
	line = bytes.TrimRight(line, " \r\n")
	n := len(line) - len(version) - 1
	return n >= 0 && string(line[n:n+len(version)]) == version && line[len(line)-1] >= '0' && line[len(line)-1] <= '9'
}

// methods that start a request which is looked for in the middle of other bytes.
var methods = [...]string{"GET ", "PUT ", "POST ", "HEAD ", "DELETE ", "OPTIONS ", "PATCH ", "CONNECT ",
	"PROPFIND ", "PROPPATCH ", "MKCOL ", "COPY ", "MOVE ", "LOCK ", "UNLOCK "}

// findStart looks for the start of a message of kind k (or of any) in a whole
// line that may begin with the rest of something else. It gives the offset.
func findStart(line []byte, k kind) (int, bool) {
	if k != requests {
		if i := bytes.LastIndex(line, []byte("HTTP/1.")); i >= 0 && statusLine(line[i:], true) == wire.Yes {
			return i, true
		}
	}
	if k == responses || !endsInVersion(line) {
		return 0, false
	}
	first := -1
	for _, m := range methods {
		i := bytes.Index(line, []byte(m))
		if i >= 0 && (first < 0 || i < first) && targetStart(line[i+len(m):]) {
			first = i
		}
	}
	return first, first >= 0
}

// targetStart says whether b begins as a request target does (RFC 9112, 3.2).
func targetStart(b []byte) bool {
	return len(b) > 0 && (b[0] == '/' || b[0] == '*' || len(b) > 4 && bytes.EqualFold(b[:4], []byte("http")))
}

// fieldLine says whether a line has the form of a header field.
func fieldLine(line []byte) bool {
	if line[0] == ' ' || line[0] == '\t' {
		return true // obsolete line folding (RFC 9112, 5.2)
	}
	name, _, ok := bytes.Cut(line, []byte(":"))
	if !ok || len(name) == 0 {
		return false
	}
	for _, c := range name {
		if c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}

// blank says whether a line is empty but for its end.
func blank(line []byte) bool {
	return len(line) == 0 || string(line) == "\n" || string(line) == "\r" || string(line) == "\r\n"
}

// Probe looks for a request or status line at the start of either side, and
// where a side was joined late also further on.
func (p *Protocol) Probe(c *wire.Conn, head [2][]byte) wire.Verdict {
	if c.UDP {
		return wire.No
	}
	open := false
	for side, b := range head {
		v := probeStart(b)
		if v == wire.No && !c.FromStart[side] {
			v = probeLate(b)
		}
		if v == wire.Yes {
			return wire.Yes
		}
		open = open || v == wire.Maybe && len(b) > 0 && len(b) < maxHeader
	}
	if open {
		return wire.Maybe
	}
	return wire.No
}

// probeStart looks at the first line that is not empty.
func probeStart(b []byte) wire.Verdict {
	b = bytes.TrimLeft(b, "\r\n")
	line, _, whole := bytes.Cut(b, []byte("\n"))
	_, v := startLine(line, whole)
	return v
}

// probeLate looks for a message that starts after the rest of another one: a
// start line with a field below it.
func probeLate(b []byte) wire.Verdict {
	for {
		line, rest, whole := bytes.Cut(b, []byte("\n"))
		if !whole {
			return wire.Maybe
		}
		next, _, over := bytes.Cut(rest, []byte("\n"))
		if _, ok := findStart(line, unknown); ok && over && len(next) > 0 && (blank(next) || fieldLine(next)) {
			return wire.Yes
		}
		b = rest
	}
}
