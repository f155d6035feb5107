package smb1

import (
	"encoding/binary"
	"strings"

	"waybill/internal/model"
	"waybill/internal/wire/fileshare"
)

// Subcommands of TRANSACTION (MS-CIFS 2.2.5) and TRANSACTION2 (2.2.6).
const (
	pipeTransact = 0x26
	pipeRawWrite = 0x31
	pipeRawRead  = 0x11

	trans2Open          = 0x00
	trans2SetPathInfo   = 0x06
	trans2QueryFileInfo = 0x07
	trans2SetFileInfo   = 0x08
)

// setupWord is the n-th word of a transaction's setup.
func (x *block) setupWord(n int) uint16 { return x.u16(28 + 2*n) }

// transactFunction is the function of NT_TRANSACT (MS-CIFS 2.2.4.62.1).
func (x *block) transactFunction() uint16 { return x.u16(36) }

// partLayout is where in the words of a message the lengths, offsets and
// displacements of a transaction's parts lie; none is -1.
type partLayout struct {
	wide                                                 bool // numbers of 4 bytes
	allParams, allData                                   int
	params, paramsAt, paramsFrom, data, dataAt, dataFrom int
}

var (
	transRequest   = partLayout{false, 0, 2, 18, 20, -1, 22, 24, -1} // MS-CIFS 2.2.4.33.1, 2.2.4.46.1
	transSecondary = partLayout{false, 0, 2, 4, 6, 8, 10, 12, 14}    // 2.2.4.34.1, 2.2.4.47.1
	transReply     = partLayout{false, 0, 2, 6, 8, 10, 12, 14, 16}   // 2.2.4.33.2, 2.2.4.46.2
	ntRequest      = partLayout{true, 3, 7, 19, 23, -1, 27, 31, -1}  // 2.2.4.62.1
	ntSecondary    = partLayout{true, 3, 7, 11, 15, 19, 23, 27, 31}  // 2.2.4.63.1
	ntReply        = ntSecondary                                     // 2.2.4.62.2
)

// requestLayout is that of the first request of a command, or of a later one.
func requestLayout(command byte, later bool) *partLayout {
	switch {
	case command == cmdNTTransact && later:
		return &ntSecondary
	case command == cmdNTTransact:
		return &ntRequest
	case later:
		return &transSecondary
	}
	return &transRequest
}

func replyLayout(command byte) *partLayout {
	if command == cmdNTTransact {
		return &ntReply
	}
	return &transReply
}

func (l *partLayout) number(x *block, at int) int {
	switch {
	case at < 0:
		return 0
	case l.wide:
		return int(x.u32(at))
	}
	return int(x.u16(at))
}

// maxTransaction bounds the parameters and the data of one transaction.
const maxTransaction = 1 << 20

// body is the parameters and data of a transaction, of which the parts come one by
// one.
type body struct{ params, data parts }

// parts is bytes that come in parts.
type parts struct {
	b     []byte
	have  int
	total int
}

// put takes a part. It says whether it fits.
func (p *parts) put(from int, part []byte, total int) bool {
	if from < 0 || total > maxTransaction || from+len(part) > total {
		return false
	}
	if n := from + len(part); n > len(p.b) {
		p.b = append(p.b, make([]byte, n-len(p.b))...)
	}
	copy(p.b[from:], part)
	p.have, p.total = p.have+len(part), total
	return true
}

// add takes the parts of one message. It says whether they fit.
func (b *body) add(x *block, l *partLayout) bool {
	return b.params.put(l.number(x, l.paramsFrom), x.span(l.number(x, l.paramsAt), l.number(x, l.params)), l.number(x, l.allParams)) &&
		b.data.put(l.number(x, l.dataFrom), x.span(l.number(x, l.dataAt), l.number(x, l.data)), l.number(x, l.allData))
}

// whole says that all parts came.
func (b *body) whole() bool { return b.params.have >= b.params.total && b.data.have >= b.data.total }

func transacts(command byte) bool {
	return command == cmdTransaction || command == cmdTransaction2 || command == cmdNTTransact
}

// goesOn says whether a request is a later part of a transaction (MS-CIFS 2.2.4.34).
func goesOn(command byte) bool { return transacts(command - 1) }

// part takes a part of a transaction's request. When it was the last one, the
// request is whole.
func (c *conn) part(r *request, x *block, later bool) {
	if r.asked.whole() && later {
		return
	}
	if !c.charge(r, len(x.m.b)) || !r.asked.add(x, requestLayout(r.command, later)) {
		c.forget(r)
		return
	}
	if later {
		r.Seen.Merge(x.m.Seen)
	}
	if r.asked.whole() {
		c.pipeRequest(r, &r.blocks[0])
	}
}

// charge counts n more bytes that a request keeps.
func (c *conn) charge(r *request, n int) bool {
	if !c.env.Budget().Take(int64(n)) {
		c.env.Blind("over-budget", int64(n))
		return false
	}
	r.cost += int64(n)
	return true
}

// continued takes a part of a transaction's answer, and says whether more is to
// come: parts of the request that the server asks for, or of the answer.
func (c *conn) continued(m *message, r *request) bool {
	answers := m.blocks()
	if m.failed() || !transacts(r.command) || m.command != r.command || len(answers) == 0 {
		return false
	}
	y := &answers[0]
	if len(y.words) == 0 && !r.asked.whole() {
		return true
	}
	return len(y.words) > 0 && c.charge(r, len(m.b)) && r.answered.add(y, replyLayout(r.command)) && !r.answered.whole()
}

// pipeRequest takes what a transaction writes to a pipe: it counts when asked,
// for the answer carries what the pipe gave back.
func (c *conn) pipeRequest(r *request, x *block) {
	if x.command != cmdTransaction || len(x.words) < 32 {
		return
	}
	switch x.setupWord(0) {
	case pipeTransact, pipeRawWrite:
		o := c.openOf(r, x.setupWord(1))
		if o.isPipe(r.asked.data.b) {
			r.open = o
			o.pipe.feed(true, r.asked.data.b, &r.message)
		}
	case pipeRawRead:
		r.open = c.openOf(r, x.setupWord(1))
	}
}

// transacted takes the answer to a transaction.
func (c *conn) transacted(r *request, x, y *block, m *message) {
	if m.failed() || y == nil {
		return
	}
	params, data := r.asked.params.b, r.answered.data.b
	if x.command == cmdTransaction {
		if r.open != nil && r.open.pipe != nil {
			r.open.pipe.feed(false, data, m)
		}
		return
	}
	switch x.setupWord(0) {
	case trans2SetFileInfo:
		if len(params) >= 4 {
			c.setInfo(r, m)
		}
	case trans2QueryFileInfo:
		if len(params) >= 4 {
			c.fileInfo(r, data)
		}
	}
}

// Information levels (MS-CIFS 2.2.8, MS-SMB 2.2.2.3; the pass-through ones are
// those of MS-FSCC plus 1000).
const (
	setDisposition  = 0x0102
	setEndOfFile    = 0x0104
	queryStandard   = 0x0102
	queryAll        = 0x0107
	queryEndOfFile  = 0x0104
	passRename      = 1010
	passDisposition = 1013
	passAll         = 1018
	passStandard    = 1005
	passEndOfFile   = 1020
)

func (c *conn) setInfo(r *request, m *message) {
	params, data := r.asked.params.b, r.asked.data.b
	o := c.openOf(r, binary.LittleEndian.Uint16(params))
	switch binary.LittleEndian.Uint16(params[2:]) {
	case setEndOfFile, passEndOfFile:
		if len(data) >= 8 {
			o.setEnd(int64(binary.LittleEndian.Uint64(data)))
		}
	case setDisposition, passDisposition:
		o.remove = len(data) > 0 && data[0] != 0
	case passRename: // MS-SMB 2.2.8.4
		if len(data) >= 12 {
			n := int(binary.LittleEndian.Uint32(data[8:]))
			o.rename(decode(data[12:min(12+max(n, 0), len(data))], true))
		}
	}
	o.seen.Merge(r.Seen)
	o.seen.Merge(m.Seen)
}

// setEnd takes an end of file that the client set.
func (o *open) setEnd(n int64) {
	if n < 0 {
		return
	}
	o.end = n
	if n == 0 {
		o.fresh = true
	}
	if o.write != nil {
		o.write.file.Truncate(n)
		o.write.high = min(o.write.high, n)
	}
}

// rename takes a new name; a bare one stays in its folder.
func (o *open) rename(to string) {
	if to == "" || o.path == "" {
		return
	}
	old := o.path
	if !strings.ContainsAny(to, `\/`) { // the UNIX extensions have slashes
		to = old[:len(old)-len(fileshare.LastElement(old))] + to
	}
	o.path = to
	o.earlier = append(o.earlier[:min(len(o.earlier), 15)], fileshare.LastElement(old))
}

// fileInfo takes the size that a query of an open file gives.
func (c *conn) fileInfo(r *request, data []byte) {
	at := 0
	switch binary.LittleEndian.Uint16(r.asked.params.b[2:]) {
	case queryStandard, passStandard:
		at = 8
	case queryAll, passAll:
		at = 48
	case queryEndOfFile:
		at = 0
	default:
		return
	}
	if len(data) < at+8 {
		return
	}
	o := c.openOf(r, binary.LittleEndian.Uint16(r.asked.params.b))
	if n := int64(binary.LittleEndian.Uint64(data[at:])); n >= 0 && o.write == nil {
		o.size = n
	}
}

// ntRenames is the level of NT_RENAME that renames (MS-CIFS 2.2.4.66.1); others make
// links.
const ntRenames = 0x0104

// renamed takes RENAME (MS-CIFS 2.2.4.8), NT_RENAME and MOVE (2.2.4.36).
func (c *conn) renamed(x *block, m *message) {
	if m.failed() || x.command == cmdNTRename && x.u16(2) != ntRenames {
		return
	}
	if x.command == cmdMove {
		c.env.Unverified("smb1/move")
	}
	old, at := x.core(0)
	to, _ := x.core(at)
	c.renamedPath(c.tree(m.tree).share, old, to)
}

// copied takes COPY (MS-CIFS 2.2.4.35): the server copied by itself.
func (c *conn) copied(r *request, x *block, m *message) {
	if m.failed() {
		return
	}
	c.env.Unverified("smb1/copy")
	from, at := x.core(0)
	to, _ := x.core(at)
	o := &open{c: c, tree: c.tree(r.tree), user: c.who(&r.message), at: r.message, path: to}
	f := &flow{start: r.First.Time, end: m.Last.Time, seen: r.Seen}
	f.seen.Merge(m.Seen)
	t := o.record(f, true)
	client := t.Source
	t.Client, t.Source = &client, t.Destination
	t.Initiator, t.Operation, t.Completeness = model.ByOther, model.Copy, model.Inferred
	t.Reason, t.What = "copied on the server, no bytes on the wire", "SMB1 COPY"
	t.Notes = append(t.Notes, "copied from "+from)
	c.hold(o, t)
}

// deleted takes DELETE (MS-CIFS 2.2.4.7).
func (c *conn) deleted(r *request, x *block, m *message) {
	if m.failed() {
		return
	}
	path, _ := x.core(0)
	c.removed(c.tree(r.tree).share, path, m.Last)
}
