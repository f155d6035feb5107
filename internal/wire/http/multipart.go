package http

import (
	"bytes"

	"waybill/internal/wire"
)

// multipart cuts a multipart body (RFC 2046, 5.1) into its parts.
type multipart struct {
	delimiter []byte // CR LF "--" boundary
	open      func(fields []field) sink

	state   partState
	matched int     // bytes of the delimiter that the last chunk ended in
	text    []byte  // lines of a part's header
	line    int     // start of the last one
	part    sink    // takes the part's body; nil when nobody wants it
	size    int64   // of the part so far
	at      wire.At // of the last chunk
}

// partState is what the next bytes of a multipart body are.
type partState uint8

const (
	partBody   partState = iota // a part's body, or the preamble
	partLine                    // the rest of a delimiter line
	partHeads                   // a part's header
	partsEnded                  // the epilogue
)

// newMultipart makes the sink of a multipart body. open is called with the
// header of each part and gives what takes its body, or nil.
func newMultipart(boundary string, open func([]field) sink) *multipart {
	// The first delimiter has no end of line before it: it counts as seen.
	return &multipart{delimiter: []byte("\r\n--" + boundary), open: open, matched: 2}
}

func (m *multipart) write(c wire.Chunk) {
	m.at = c.At
	for len(c.Data) > 0 && m.state != partsEnded {
		n := 0
		if m.state == partBody {
			n = m.body(c)
		} else {
			n = m.header(c)
		}
		c = c.After(n)
	}
}

// body takes bytes of a part up to a delimiter, and says how many.
func (m *multipart) body(c wire.Chunk) int {
	if m.matched > 0 {
		return m.resume(c)
	}
	i := bytes.Index(c.Data, m.delimiter)
	if i >= 0 {
		m.give(c.First(i))
		m.endPart(closing{size: m.size})
		return i + len(m.delimiter)
	}
	m.matched = overlap(c.Data, m.delimiter)
	m.give(c.First(len(c.Data) - m.matched))
	return len(c.Data)
}

// resume goes on where an earlier chunk ended in the beginning of a delimiter.
// That has its only CR first, so when it does not go on, none of it can be the
// beginning of another one.
func (m *multipart) resume(c wire.Chunk) int {
	rest := m.delimiter[m.matched:]
	n := min(len(rest), len(c.Data))
	if !bytes.Equal(c.Data[:n], rest[:n]) {
		m.giveMatched(c)
		return 0
	}
	m.matched += n
	if m.matched == len(m.delimiter) {
		m.matched = 0
		m.endPart(closing{size: m.size})
	}
	return n
}

// giveMatched hands on what only looked like a delimiter.
func (m *multipart) giveMatched(c wire.Chunk) {
	held := c
	held.Data, held.Block = m.delimiter[:m.matched], nil
	m.matched = 0
	m.give(held)
}

func (m *multipart) give(c wire.Chunk) {
	m.size += int64(len(c.Data))
	if m.part != nil && len(c.Data) > 0 {
		m.part.write(c)
	}
}

// overlap is how many bytes at the end of b are the beginning of delimiter.
func overlap(b, delimiter []byte) int {
	i := bytes.LastIndexByte(b, delimiter[0])
	if i >= 0 && bytes.HasPrefix(delimiter, b[i:]) {
		return len(b) - i
	}
	return 0
}

// endPart ends the part before a delimiter.
func (m *multipart) endPart(e closing) {
	if m.part != nil {
		m.part.close(e)
	}
	m.part, m.size, m.state, m.text, m.line = nil, 0, partLine, m.text[:0], 0
}

// header takes bytes of a delimiter line or a part's header.
func (m *multipart) header(c wire.Chunk) int {
	n := bytes.IndexByte(c.Data, '\n') + 1
	over := n > 0
	if !over {
		n = len(c.Data)
	}
	m.text = append(m.text, c.Data[:n]...)
	if m.state == partLine && bytes.HasPrefix(m.text, []byte("--")) {
		m.state, m.text = partsEnded, nil
		return n
	}
	if len(m.text) > maxHeader {
		m.state, m.text = partBody, nil
		return n
	}
	if over {
		m.headerLine()
	}
	return n
}

// headerLine takes a whole line.
func (m *multipart) headerLine() {
	line := m.text[m.line:]
	m.line = len(m.text)
	if m.state == partLine {
		m.state, m.text, m.line = partHeads, m.text[:0], 0
		return
	}
	if !blank(line) {
		return
	}
	if fields, ok := parseFields(string(m.text)); ok {
		m.part = m.open(fields)
	}
	m.state, m.text, m.line = partBody, m.text[:0], 0
}

func (m *multipart) lose(n int64) {
	switch m.state {
	case partBody:
		m.giveMatched(wire.Chunk{At: m.at})
		m.size += n
		if m.part != nil {
			m.part.lose(n)
		}
	case partLine, partHeads:
		m.state, m.text, m.line = partBody, m.text[:0], 0
	}
}

func (m *multipart) close(e closing) {
	if m.state != partsEnded && e.why == "" {
		e.why = "the multipart body has no closing boundary"
	}
	if m.state == partBody {
		m.giveMatched(wire.Chunk{At: m.at})
	}
	if m.part != nil {
		e.size = -1
		m.part.close(e)
		m.part = nil
	}
	m.state, m.text = partsEnded, nil
}
