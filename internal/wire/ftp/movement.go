package ftp

import (
	"fmt"
	"strings"

	"waybill/internal/content"
	"waybill/internal/model"
	"waybill/internal/wire"
)

// movement is one file on its way: a command, its replies and its data.
type movement struct {
	p        *Protocol
	c        *control
	t        *wire.Transfer
	file     *content.File
	verb     string
	client   model.Addr
	server   model.Addr
	absolute string // path on the server
	offset   int64  // where the next byte goes
	rest     int64  // where the command said to begin
	stated   int64  // size by a reply, -1 without
	flaw     string // why the content cannot be whole

	attached bool // a data connection is there
	data     *data
	parked   bool // it may go on, though its data connection was not seen to end
	begun    bool // a byte was seen
	dataOver bool
	how      wire.Ending
	replied  bool
	code     int // of the final reply; 0 without
	text     string
	ended    model.Time
	over     bool
	twin     *movement // the other half of a transfer between two servers
}

// begin starts the movement of a command, on the data connection agreed on.
func (c *control) begin(x *command) *movement {
	client, server := c.ends()
	m := &movement{p: c.p, c: c, verb: x.verb, client: client.Addr, server: server.Addr, absolute: c.absolute(x.arg),
		offset: c.rest, rest: c.rest, stated: -1, t: &wire.Transfer{Conns: []*wire.Conn{c.wire}, What: "FTP " + x.verb}}
	c.rest = 0
	t := m.t
	t.ID = wire.ID("t", "ftp", c.wire, wire.Side(c.client), x.seq, 0)
	t.Channel, t.Path, t.Name, t.Cwd = "ftp", x.arg, baseName(x.arg), c.cwd
	if c.user != "" {
		t.User, t.Auth = c.user, "ftp"
	}
	t.Start, t.End = x.at.Time, x.at.Time
	t.Seen.Add(x.at)
	m.direct(client, server)
	m.notes(c)
	if n, ok := c.size[x.arg]; ok && x.verb == "RETR" && !c.ascii {
		m.stated = n
	}
	if old := c.p.resume(m); old != nil {
		old.goOn(m)
		m = old
	} else {
		m.file = c.p.env.File(content.Read)
	}
	m.t.Content = m.file
	c.open = append(c.open, m)
	c.use(m)
	return m
}

// direct says who sends and who gets.
func (m *movement) direct(client, server wire.AddrPort) {
	t := m.t
	t.Source, t.Destination, t.Operation, t.Initiator = client.Endpoint(), server.Endpoint(), model.Push, model.BySource
	if m.verb == "RETR" {
		t.Source, t.Destination, t.Operation, t.Initiator = server.Endpoint(), client.Endpoint(), model.Pull, model.ByDestination
	}
}

func (m *movement) notes(c *control) {
	if c.ascii {
		m.t.Notes = append(m.t.Notes, "ASCII mode: line ends may differ from those of the file")
	}
	if m.verb == "APPE" {
		m.t.Notes = append(m.t.Notes, "appended")
	}
	m.flaw = ""
	if c.odd != "" {
		m.flaw = "sent with " + c.odd + ", which is not decoded"
	}
}

// continues says whether another command goes on where m was broken off.
func (m *movement) continues(next *movement) bool {
	return next.rest > 0 && m.verb == next.verb && m.client == next.client && m.server == next.server &&
		m.absolute == next.absolute && next.rest <= m.file.High()
}

// goOn makes m wait for the rest of its content.
func (m *movement) goOn(next *movement) {
	if m.data != nil {
		m.data.deaf = true
	}
	m.offset, m.rest, m.c, m.data, m.parked = next.rest, 0, next.c, nil, false
	m.attached, m.dataOver, m.replied, m.code = false, false, false, 0
	m.stated = max(m.stated, next.stated)
	m.t.Seen.Merge(next.t.Seen)
	m.t.Conns = append(m.t.Conns, next.t.Conns...)
	m.t.Notes = append(m.t.Notes, fmt.Sprintf("went on at %d", next.rest))
	if next.flaw != "" {
		m.flaw = next.flaw
	}
}

// moveReply takes a reply to the command.
func (c *control) moveReply(m *movement, code int, text string, at wire.At) {
	m.t.Seen.Add(at)
	if n := statedSize(text); n >= 0 && code < 300 && m.verb == "RETR" && !c.ascii {
		m.stated = n + m.rest
		if m.begun && m.offset > m.stated || m.rest > n {
			m.stated = n
		}
	}
	if m.verb == "STOU" {
		m.storedAs(text)
	}
	if code < 200 {
		return
	}
	m.replied, m.code, m.text = true, code, text
	m.conclude(at.Time)
}

// storedAs takes the name that the server chose: RFC 1123 4.1.2.9 asks for
// "FILE: name", others quote it or say it last.
func (m *movement) storedAs(text string) {
	name := ""
	low := lowerASCII(text)
	for _, mark := range []string{"file: ", "unique file name:", "file name:"} {
		if i := strings.LastIndex(low, mark); i >= 0 {
			name = strings.TrimSpace(text[i+len(mark):])
		}
	}
	if name == "" {
		return
	}
	name, _, _ = strings.Cut(name, " ")
	name = strings.Trim(name, `"'.,()`)
	if name != "" {
		m.t.Path, m.t.Name, m.absolute = name, baseName(name), m.c.absolute(name)
	}
}

// lowerASCII is text in lower case, byte for byte.
func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c | 0x20
		}
	}
	return string(b)
}

// conclude ends the movement once its data and its reply are known.
func (m *movement) conclude(at model.Time) {
	if m.over || !m.replied {
		return
	}
	m.ended = at
	switch {
	case m.attached && !m.dataOver:
		m.park()
	case m.attached || m.begun:
		m.finish()
	case m.code/100 == 2:
		m.c.remove(m)
		if len(m.c.unproved) == maxUnproved {
			m.c.unproved[0].claim()
			m.c.unproved = m.c.unproved[1:]
		}
		m.c.unproved = append(m.c.unproved, m)
	default:
		m.refuse()
	}
}

// park lets another command go on with what the server gave up, before the end of
// its data connection is known: who breaks it off with a RST may not have been
// obeyed, for all that the capture shows.
func (m *movement) park() {
	if m.code >= 400 && m.begun && !m.parked {
		m.parked = true
		m.c.remove(m)
		m.p.broken = append(m.p.broken, m)
	}
}

// remove takes m off the list of those under way.
func (c *control) remove(m *movement) {
	for i, x := range c.open {
		if x == m {
			c.open = append(c.open[:i], c.open[i+1:]...)
			return
		}
	}
}

// finish settles a movement of which data was seen. One that was broken off may
// still go on.
func (m *movement) finish() {
	if m.parked {
		return
	}
	m.c.remove(m)
	if !m.begun && m.code >= 400 {
		m.refuse()
		return
	}
	if m.broken() && m.begun {
		m.p.broken = append(m.p.broken, m)
		return
	}
	m.settle()
}

// broken says whether the data ended before the file did.
func (m *movement) broken() bool {
	return m.code >= 400 || m.how != wire.FIN && !(m.stated >= 0 && m.file.Covers(0, m.stated)) ||
		m.stated > m.file.High() && m.verb == "RETR"
}

// settle closes the content and hands the transfer out.
func (m *movement) settle() {
	if m.over {
		return
	}
	m.over = true
	e := content.End{Size: -1, Incomplete: m.flaw}
	m.t.Status = model.Done
	switch {
	case m.code >= 400:
		m.t.Status = model.Failed
		e.Incomplete = fmt.Sprintf("the server ended it with %d", m.code)
	case m.how != wire.FIN && m.stated >= 0 && m.file.Covers(0, m.stated):
		e.Size = m.stated
	case m.how != wire.FIN:
		m.t.Status = model.Interrupted
		e.Incomplete = "interrupted: " + m.how.String()
	}
	if e.Incomplete != "" && m.stated > m.file.High() {
		e.Size = m.stated
	}
	m.file.Close(e)
	m.hand()
}

// hand gives the transfer out. An upload waits, since it may be renamed.
func (m *movement) hand() {
	if m.verb == "RETR" || m.t.Operation == model.Copy {
		m.p.env.Transfer(m.t)
		return
	}
	m.p.stored = append(m.p.stored, m)
}

// claim hands out what the replies confirm and no packet shows.
func (m *movement) claim() {
	if m.over {
		return
	}
	if m.attached { // its data connection came after all
		m.finish()
		return
	}
	m.over = true
	m.file.Abandon()
	t := m.t
	t.Content, t.Status, t.Completeness, t.BytesSeen = nil, model.Claimed, model.Partial, new(int64)
	t.Reason = "the data connection was not captured"
	if m.stated >= 0 {
		t.Size = &m.stated
	}
	m.hand()
}

// refuse hands out a refusal of access; other errors moved nothing and say little.
func (m *movement) refuse() {
	if m.over {
		return
	}
	m.over = true
	m.c.remove(m)
	m.file.Abandon()
	if !denial(m.code, m.text) {
		return
	}
	t := m.t
	t.Content, t.Status, t.Completeness, t.BytesSeen = nil, model.Denied, model.Partial, new(int64)
	t.Reason = fmt.Sprintf("refused: %d", m.code)
	m.p.env.Transfer(t)
}

// denial says whether a reply refuses access, and not for another reason.
func denial(code int, text string) bool {
	if code == 530 || code == 532 || code == 553 {
		return true
	}
	low := strings.ToLower(text)
	for _, word := range []string{"denied", "permission", "not permitted", "forbidden", "not authorized", "privilege"} {
		if code >= 500 && strings.Contains(low, word) {
			return true
		}
	}
	return false
}
