package smb1

import (
	"encoding/binary"
	"strings"

	"waybill/internal/wire/fileshare"
)

// Subcommands of TRANSACTION (MS-CIFS 2.2.5) and TRANSACTION2 (2.2.6).
const (
	pipeTransact = 0x26
	pipeRawWrite = 0x31
	pipeRawRead  = 0x11

	trans2Open          = 0x00
	trans2QueryFileInfo = 0x07
	trans2SetFileInfo   = 0x08
)

// transaction gives the parameters and data of a request (MS-CIFS 2.2.4.33.1).
func transaction(x *block) (params, data []byte) {
	return x.span(int(x.u16(20)), int(x.u16(18))), x.span(int(x.u16(24)), int(x.u16(22)))
}

// setupWord is the n-th word of a transaction's setup.
func (x *block) setupWord(n int) uint16 { return x.u16(28 + 2*n) }

// transactionReply gives the parameters and data of an answer (MS-CIFS 2.2.4.33.2).
func transactionReply(y *block) (params, data []byte) {
	return y.span(int(y.u16(8)), int(y.u16(6))), y.span(int(y.u16(14)), int(y.u16(12)))
}

// ntTransaction gives those of NT_TRANSACT (MS-CIFS 2.2.4.62.1).
func ntTransaction(x *block) (params, data []byte) {
	return x.span(int(x.u32(23)), int(x.u32(19))), x.span(int(x.u32(31)), int(x.u32(27)))
}

func (x *block) transactFunction() uint16 { return x.u16(36) }

func ntReply(y *block) (params, data []byte) {
	return y.span(int(y.u32(15)), int(y.u32(11))), y.span(int(y.u32(27)), int(y.u32(23)))
}

// more says whether a request goes on with an earlier one: the secondary
// messages of a transaction (MS-CIFS 2.2.4.34), whose data are not put together.
func more(old *request, x block) bool {
	switch x.command {
	case cmdTransaction + 1, cmdTransaction2 + 1, cmdNTTransact + 1:
		return old.command == x.command-1
	}
	return false
}

// continued says whether more parts of a transaction's answer follow. What is read
// through pipes comes in order.
func continued(m *message, r *request) bool {
	if m.failed() || m.command != cmdTransaction && m.command != cmdTransaction2 {
		return false
	}
	answers := m.blocks()
	if len(answers) == 0 {
		return false
	}
	y := &answers[0]
	total, count, at := y.u16(2), y.u16(12), y.u16(16)
	if len(y.words) < 20 || at+count >= total || r.open == nil || r.open.pipe == nil {
		return false
	}
	_, data := transactionReply(y)
	r.open.pipe.feed(false, data, m)
	return true
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
		if o.isPipe(r.data) {
			r.open = o
			o.pipe.feed(true, r.data, &r.message)
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
	params, data := transactionReply(y)
	if x.command == cmdTransaction {
		if r.open != nil && r.open.pipe != nil {
			r.open.pipe.feed(false, data, m)
		}
		return
	}
	_ = params
	switch x.setupWord(0) {
	case trans2SetFileInfo:
		if len(r.params) >= 4 {
			c.setInfo(r, m)
		}
	case trans2QueryFileInfo:
		if len(r.params) >= 4 {
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
	o := c.openOf(r, binary.LittleEndian.Uint16(r.params))
	switch binary.LittleEndian.Uint16(r.params[2:]) {
	case setEndOfFile, passEndOfFile:
		if len(r.data) >= 8 {
			o.setEnd(int64(binary.LittleEndian.Uint64(r.data)))
		}
	case setDisposition, passDisposition:
		o.remove = len(r.data) > 0 && r.data[0] != 0
	case passRename: // MS-SMB 2.2.8.4
		if len(r.data) >= 12 {
			n := int(binary.LittleEndian.Uint32(r.data[8:]))
			o.rename(decode(r.data[12:min(12+max(n, 0), len(r.data))], true))
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
	if !strings.Contains(to, `\`) {
		to = old[:len(old)-len(fileshare.LastElement(old))] + to
	}
	o.path = to
	o.earlier = append(o.earlier[:min(len(o.earlier), 15)], fileshare.LastElement(old))
}

// fileInfo takes the size that a query of an open file gives.
func (c *conn) fileInfo(r *request, data []byte) {
	at := 0
	switch binary.LittleEndian.Uint16(r.params[2:]) {
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
	o := c.openOf(r, binary.LittleEndian.Uint16(r.params))
	if n := int64(binary.LittleEndian.Uint64(data[at:])); n >= 0 && o.write == nil {
		o.size = n
	}
}

// renamed takes RENAME (MS-CIFS 2.2.4.8).
func (c *conn) renamed(x *block, m *message) {
	if m.failed() {
		return
	}
	old, at := x.core(0)
	to, _ := x.core(at)
	c.renamedPath(c.tree(m.tree).share, old, to)
}

// deleted takes DELETE (MS-CIFS 2.2.4.7).
func (c *conn) deleted(r *request, x *block, m *message) {
	if m.failed() {
		return
	}
	path, _ := x.core(0)
	c.removed(c.tree(r.tree).share, path, m.Last)
}
