package ftp

import (
	"bytes"
	"path"
	"strconv"
	"strings"

	"waybill/internal/model"
	"waybill/internal/wire"
)

// control decodes one control connection.
type control struct {
	p      *Protocol
	wire   *wire.Conn
	client int // the client's side; -1 until known
	half   [2]lines
	ended  int

	pending []*command // without a final reply, oldest first
	lossy   bool       // commands or replies were lost

	user     string
	cwd      string
	ascii    bool
	odd      string // a mode or structure that changes the bytes
	rest     int64  // of the last REST
	size     map[string]int64
	from     string // of the last RNFR
	private  bool   // PROT P
	secure   bool   // AUTH TLS: what follows cannot be read
	channel  *channel
	unproved []*movement // confirmed, without a data connection
	open     []*movement // under way
}

// command is a command that waits for its reply. A password is not in it.
type command struct {
	verb, arg string
	seq       uint32
	at        wire.At
	move      *movement // of a command that moves data
}

// lines cuts a side into lines.
type lines struct {
	buf  []byte
	seq  uint32 // of the first byte in buf
	skip bool   // until the end of the line
	more string // code of a reply of several lines under way
}

func newControl(p *Protocol, c *wire.Conn) *control {
	return &control{p: p, wire: c, client: -1, size: map[string]int64{}}
}

// Data takes bytes of a side.
func (c *control) Data(from wire.Side, ch wire.Chunk) {
	c.p.tick()
	h := &c.half[from]
	for b := ch; len(b.Data) > 0 && !c.secure; {
		i := bytes.IndexByte(b.Data, '\n')
		if i < 0 {
			h.keep(b)
			return
		}
		line, seq := b.Data[:i], b.Seq
		if len(h.buf) > 0 {
			h.keep(b.First(i))
			line, seq = h.buf, h.seq
		}
		if !h.skip {
			c.line(from, bytes.TrimRight(line, "\r"), seq, b.At)
		}
		h.buf, h.skip = h.buf[:0], false
		b = b.After(i + 1)
	}
}

// keep holds the beginning of a line.
func (h *lines) keep(c wire.Chunk) {
	if len(h.buf) == 0 {
		h.seq = c.Seq
	}
	if len(h.buf)+len(c.Data) > maxLine {
		h.buf, h.skip = h.buf[:0], true
		return
	}
	h.buf = append(h.buf, c.Data...)
}

// Gap loses the line that it lies in, and perhaps others.
func (c *control) Gap(from wire.Side, _ int64, _ wire.At) {
	c.half[from] = lines{skip: true}
	c.lossy = true
}

// End ends a side. With the second one all is settled.
func (c *control) End(_ wire.Side, _ wire.Ending, at wire.At) {
	if c.ended++; c.ended < 2 {
		return
	}
	for _, m := range c.open {
		m.replied = true // no reply will come any more
		m.conclude(at.Time)
	}
	for _, m := range c.unproved {
		m.claim()
	}
	c.open, c.unproved, c.pending = nil, nil, nil
	c.p.closeTunnel(c)
}

// line takes one line.
func (c *control) line(from wire.Side, line []byte, seq uint32, at wire.At) {
	for len(line) > 0 && line[0] >= 0xf0 { // Telnet commands before ABOR (RFC 959 4.1.3)
		line, seq = line[1:], seq+1
	}
	if c.client < 0 && !c.meet(from, line) {
		return
	}
	if int(from) == c.client {
		c.command(string(line), seq, at)
		return
	}
	c.replyLine(line, at)
}

// meet learns which side is the client.
func (c *control) meet(from wire.Side, line []byte) bool {
	verb, _, _ := strings.Cut(string(line), " ")
	if _, known := verbs[strings.ToUpper(verb)]; known {
		c.client = int(from)
		return true
	}
	if _, _, ok := replyCode(line); ok {
		c.client = int(from.Other())
	}
	return c.client >= 0
}

func (c *control) ends() (client, server wire.AddrPort) {
	return c.wire.Ends[c.client], c.wire.Ends[1-c.client]
}

// replyLine joins replies of several lines (RFC 959 4.2).
func (c *control) replyLine(line []byte, at wire.At) {
	h := &c.half[1-c.client]
	code, text, ok := replyCode(line)
	if h.more != "" {
		if ok && string(line[:3]) == h.more && (len(line) == 3 || line[3] == ' ') {
			h.more = ""
			c.reply(code, text, at)
		}
		return
	}
	if !ok {
		return
	}
	if len(line) > 3 && line[3] == '-' {
		h.more = string(line[:3])
		return
	}
	c.reply(code, text, at)
}

// command takes a command of the client.
func (c *control) command(line string, seq uint32, at wire.At) {
	verb, arg, _ := strings.Cut(strings.TrimLeft(line, " "), " ")
	x := &command{verb: strings.ToUpper(verb), arg: arg, seq: seq, at: at}
	switch x.verb {
	case "PASS", "ACCT", "ADAT":
		x.arg = ""
	case "USER":
		c.user = arg
	case "PORT":
		if a, ok := hostPort(arg); ok {
			c.agree(a, false)
		}
	case "EPRT":
		if a, ok := extended(arg); ok {
			c.agree(a, false)
		}
	case "REST":
		c.rest, _ = strconv.ParseInt(strings.TrimSpace(arg), 10, 62)
		c.rest = max(c.rest, 0)
	case "RETR", "STOR", "APPE", "STOU":
		x.move = c.begin(x)
	case "LIST", "NLST", "MLSD":
		c.listing()
	}
	if len(c.pending) >= maxPending {
		c.pending = c.pending[1:]
		c.lossy = true
	}
	c.pending = append(c.pending, x)
}

// answered finds the command that a reply belongs to, and drops those whose
// replies were lost.
func (c *control) answered(code int) *command {
	if c.lossy {
		for i, x := range c.pending {
			if suits(x.verb, code) {
				c.pending = c.pending[i:]
				break
			}
		}
	}
	if len(c.pending) == 0 {
		return nil
	}
	x := c.pending[0]
	if code >= 200 {
		c.pending = c.pending[1:]
	}
	return x
}

// suits says whether only this command gets such a reply.
func suits(verb string, code int) bool {
	switch code {
	case 227:
		return verb == "PASV"
	case 229:
		return verb == "EPSV"
	case 125, 150, 226:
		return verb == "RETR" || verb == "STOR" || verb == "APPE" || verb == "STOU" || verb == "LIST" || verb == "NLST" || verb == "MLSD"
	}
	return false
}

// reply takes a whole reply.
func (c *control) reply(code int, text string, at wire.At) {
	if code == 220 && len(c.pending) == 0 {
		return // the greeting
	}
	x := c.answered(code)
	_, server := c.ends()
	switch code {
	case 227:
		if a, ok := hostPort(text); ok {
			c.agree(a, true)
		}
	case 229:
		if port, ok := extendedPort(text); ok {
			c.agree(wire.AddrPort{Addr: server.Addr, Port: port}, true)
		}
	}
	if x == nil {
		return
	}
	if x.move != nil {
		c.moveReply(x.move, code, text, at)
		return
	}
	if code/100 == 2 || code/100 == 3 {
		c.accepted(x, code, text, at)
	}
}

// accepted notes what an accepted command changes.
func (c *control) accepted(x *command, code int, text string, at wire.At) {
	switch x.verb {
	case "CWD", "XCWD":
		c.cwd = c.absolute(x.arg)
	case "CDUP":
		c.cwd = path.Dir(cmpPath(c.cwd))
	case "PWD", "XPWD":
		if parts := strings.SplitN(text, `"`, 3); len(parts) == 3 {
			c.cwd = parts[1]
		}
	case "TYPE":
		c.ascii = strings.HasPrefix(strings.ToUpper(x.arg), "A") || strings.HasPrefix(strings.ToUpper(x.arg), "E")
	case "MODE", "STRU":
		c.setOdd(x)
	case "SIZE":
		if n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 62); err == nil && code == 213 && len(c.size) < maxPending {
			c.size[x.arg] = n
		}
	case "RNFR":
		c.from = c.absolute(x.arg)
	case "RNTO":
		c.renamed(c.from, x)
	case "DELE":
		c.deleted(c.absolute(x.arg), at)
	case "PROT":
		c.private = strings.EqualFold(strings.TrimSpace(x.arg), "P")
	case "AUTH":
		c.secure = code == 234
		if c.secure {
			c.p.openTunnel(c)
		}
	case "REIN":
		c.user, c.cwd, c.ascii, c.odd = "", "", false, ""
	}
}

// setOdd notes a mode or structure in which the bytes are not the file's.
func (c *control) setOdd(x *command) {
	c.odd = ""
	if a := strings.ToUpper(strings.TrimSpace(x.arg)); a != "S" && x.verb == "MODE" || a != "F" && x.verb == "STRU" {
		c.odd = x.verb + " " + a
	}
}

// absolute is the path that an argument means, as far as the folder is known.
func (c *control) absolute(arg string) string {
	if strings.HasPrefix(arg, "/") || c.cwd == "" {
		return path.Clean(arg)
	}
	return path.Join(c.cwd, arg)
}

func cmpPath(p string) string {
	if p == "" {
		return "/"
	}
	return p
}

// renamed gives an upload its new name.
func (c *control) renamed(from string, x *command) {
	for _, m := range c.p.stored {
		if m.client == c.wire.Ends[c.client].Addr && m.absolute == from {
			m.t.EarlierNames = append(m.t.EarlierNames, m.t.Name)
			m.t.Path, m.t.Name, m.absolute = x.arg, baseName(x.arg), c.absolute(x.arg)
			m.t.Seen.Add(x.at)
			return
		}
	}
}

// deleted notes that an upload was removed again.
func (c *control) deleted(name string, at wire.At) {
	for _, m := range c.p.stored {
		if m.client == c.wire.Ends[c.client].Addr && m.absolute == name {
			m.t.Deleted = &model.Deleted{Time: at.Time}
		}
	}
}

// baseName is the last element of a path as clients of any system write it.
func baseName(p string) string {
	p = strings.TrimRight(p, `/`)
	return p[strings.LastIndexAny(p, `/\`)+1:]
}
