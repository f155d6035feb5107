package http

import (
	"fmt"
	"strings"

	"waybill/internal/model"
	"waybill/internal/wire"
)

// pushed sets the ids of uploads apart from that of the answer to the same request.
const pushed = 1

// uploadSink makes what takes the body of a request; nil when it is no file.
func (c *conn) uploadSink(x *exchange, hd *header) sink {
	if x.method != "PUT" && x.method != "POST" && x.method != "PATCH" {
		return nil
	}
	f := hd.framing(0)
	if !f.chunked && f.length == 0 && x.method != "PUT" {
		return nil
	}
	if isWinRM(x, hd) {
		return c.winrmSink(x, hd)
	}
	if b := boundary(hd.get("Content-Type"), "form-data"); b != "" {
		form := &form{c: c, x: x, hd: partHeader(hd)}
		return c.decoding(hd.codings(), newMultipart(b, form.part), nil)
	}
	m := c.newUpload(x, hd, 0)
	if r, ok := parseRange(hd.get("Content-Range")); ok && (r.from > 0 || r.to != r.total) {
		m.flaw = fmt.Sprintf("one range of the file: bytes %d to %d", r.from, r.to-1)
	}
	return c.decoding(hd.codings(), m, m)
}

// newUpload starts the transfer of a request's body, or of the ordinal-th part
// of it, whose header is hd.
func (c *conn) newUpload(x *exchange, hd *header, ordinal int) *movement {
	m := c.newMovement(x.side, x, hd)
	t := m.t
	t.Operation, t.Initiator = model.Push, model.BySource
	t.What = "HTTP " + x.method
	t.ID = wire.ID("t", "http", c.wire, x.side, x.seq, ordinal, pushed)
	m.upload = true
	m.done = func(m *movement) {
		if x.concluded {
			m.uploaded(x)
			return
		}
		x.uploads = append(x.uploads, m)
	}
	return m
}

// uploaded hands out an upload with what the server said to it.
func (m *movement) uploaded(x *exchange) {
	if m.empty() && (x.method != "PUT" && !m.part || m.end.why != "" || x.status/100 != 2) {
		m.file.Abandon()
		return
	}
	m.t.Seen.Add(x.last)
	if x.status != 0 {
		m.t.Seen.Add(x.answer)
	}
	m.session(x.agent, x.server)
	m.judge(x)
	t := m.finish()
	if x.method != "PUT" || t.Status != model.Done {
		m.c.p.env.Transfer(t)
		return
	}
	m.c.keepUpload(x, &stored{t, m.empty()})
}

// judge sets the status that the answer gives an upload.
func (m *movement) judge(x *exchange) {
	t := m.t
	switch {
	case x.status == 0 && m.end.cut:
		t.Status = model.Interrupted
	case x.status == 0 && m.end.why == "":
		m.end.why = "answers not captured"
	case x.status == 401 || x.status == 403 || x.status == 407:
		t.Status = model.Denied
	case x.status >= 400 || x.status >= 300 && x.method == "PUT":
		t.Status = model.Failed
	}
	if t.Status == model.Denied || t.Status == model.Failed {
		t.Reason = fmt.Sprintf("server answered %d", x.status)
	}
}

// partHeader is what the parts of a form take from the header of the request:
// the packets that carried it.
func partHeader(hd *header) header { return header{first: hd.first, last: hd.last, seq: hd.seq} }

// form is the multipart/form-data body of a request (RFC 7578).
type form struct {
	c  *conn
	x  *exchange
	hd header
	n  int // parts so far
}

// part makes what takes the next part: a transfer when it names a file.
func (f *form) part(fields []field) sink {
	ordinal := f.n
	f.n++
	hd := f.hd
	hd.fields = fields
	if b := boundary(hd.get("Content-Type"), "mixed"); b != "" {
		return newMultipart(b, f.part) // several files of one field (RFC 7578, 4.3)
	}
	_, _, name, ok := disposition(hd.get("Content-Disposition"))
	if !ok || name == "" {
		return nil
	}
	if len(f.x.uploads) >= maxParts {
		return &refusedPart{f.c.p.env}
	}
	m := f.c.newUpload(f.x, &hd, ordinal)
	m.part = true
	if coding := strings.ToLower(hd.get("Content-Transfer-Encoding")); coding == "base64" || coding == "quoted-printable" {
		m.note("transfer encoding " + coding + " of the part was not undone: size and hash are of the encoded bytes")
	}
	m.t.Name = lastElement(m.t.DispositionName)
	if m.t.Name == m.t.DispositionName {
		m.t.DispositionName = ""
	}
	return m
}

// refusedPart counts the bytes of parts that there is no room for.
type refusedPart struct{ env wire.Env }

func (r *refusedPart) write(c wire.Chunk) { r.env.Blind("over-budget", int64(len(c.Data))) }
func (r *refusedPart) lose(int64)         {}
func (r *refusedPart) close(closing)      {}

// abandon ends a sink whose content nobody will ask for.
func (c *conn) abandon(s sink) {
	if s != nil {
		s.close(closing{size: -1, why: "too many requests wait for answers"})
	}
}
