package http

import (
	"fmt"
	"strings"

	"waybill/internal/content"
	"waybill/internal/model"
	"waybill/internal/wire"
)

// minAnswer is how many bytes an answer must have to count as a file.
const minAnswer = 512

// movement is one content on its way, as a sink.
type movement struct {
	c     *conn
	side  wire.Side // that sends it
	t     *wire.Transfer
	file  *content.File
	pos   int64
	end   closing
	begun bool // some content was seen

	media      string // media type that the header states
	attachment bool
	upload     bool
	part       bool   // of a form
	flaw       string // why the content cannot be whole even if all of its body is seen
	conflicts  int64  // of the side when the content began
	corrupt    bool   // the connection already held wrong bytes when it began
	done       func(m *movement)
}

// newMovement starts the transfer of a content that side sends. x is its
// request, nil when that was not seen.
func (c *conn) newMovement(side wire.Side, x *exchange, hd *header) *movement {
	m := &movement{c: c, side: side, file: c.p.env.File(content.Read), t: &wire.Transfer{}}
	m.conflicts, m.corrupt = c.wire.Conflicts[side], c.wire.Corrupt
	m.media = short(mediaType(hd.get("Content-Type")), maxText)
	t := m.t
	t.Content, t.Conns = m.file, []*wire.Conn{c.wire}
	t.Source = c.wire.Ends[side].Endpoint()
	t.Destination = c.wire.Ends[side.Other()].Endpoint()
	t.Seen.Add(hd.first)
	t.Seen.Add(hd.last)
	if x != nil {
		m.requested(x)
	}
	if kind, _, name, _ := disposition(hd.get("Content-Disposition")); kind != "" {
		m.attachment = kind == "attachment"
		t.DispositionName = short(name, maxTarget)
	}
	return m
}

// requested fills in what the request says.
func (m *movement) requested(x *exchange) {
	t := m.t
	t.Share, t.Path, t.Name = x.host, x.target, nameOf(x.target)
	t.User, t.Domain, t.Auth = x.user, x.domain, x.auth
	t.Seen.Add(x.first)
	t.Seen.Add(x.last)
	t.Start, t.End = x.first.Time, x.last.Time
}

// session names the software at both ends.
func (m *movement) session(client, server string) {
	if client != "" || server != "" {
		m.t.Session = &model.Session{ClientSoftware: client, ServerSoftware: server}
	}
}

// touch notes a packet that carried content.
func (m *movement) touch(at wire.At) {
	if !m.begun { // until then the times are those of the request
		m.begun, m.t.Start, m.t.End = true, 0, 0
	}
	m.t.Seen.Add(at)
	wire.Stretch(&m.t.Start, &m.t.End, at.Time)
}

func (m *movement) write(c wire.Chunk) {
	m.touch(c.At)
	m.file.Write(m.pos, c.Data, c.Block)
	m.pos += int64(len(c.Data))
}

func (m *movement) lose(n int64) { m.pos += n }

func (m *movement) close(e closing) {
	m.checkCopies()
	if e.why == "" {
		e.why = m.flaw
	}
	m.end = e
	m.done(m)
}

// empty says that no byte of the content was on the wire, seen or lost.
func (m *movement) empty() bool {
	return m.pos == 0 && (m.t.WireSize == nil || *m.t.WireSize == 0)
}

// checkCopies notes bytes that were seen in differing copies while the content
// was on its way.
func (m *movement) checkCopies() {
	if m.c.wire.Conflicts[m.side] > m.conflicts {
		m.note(fmt.Sprintf("conflicting bytes at %d", m.pos))
	}
	if m.c.wire.Corrupt && !m.corrupt {
		m.flaw = "bytes with a wrong checksum"
	}
}

func (m *movement) note(text string) { m.t.Notes = append(m.t.Notes, text) }

// coded notes the encodings that were undone and the bytes before that.
func (m *movement) coded(codings []string, size int64) {
	m.t.ContentEncoding = short(strings.Join(codings, ", "), maxText)
	m.t.WireSize = &size
}

// finish closes the content; the transfer is ready to be handed out.
func (m *movement) finish() *wire.Transfer {
	t := m.t
	t.Channel = m.c.channel()
	if t.Status == "" {
		t.Status = model.Done
	}
	if m.end.cut && t.Status == model.Done {
		t.Status = model.Interrupted
	}
	t.PagePart = m.pagePart()
	m.file.Close(content.End{Size: m.end.size, Incomplete: m.end.why})
	return t
}

// channel is what this connection carries.
func (c *conn) channel() string {
	if c.dav {
		return "webdav"
	}
	return "http"
}
