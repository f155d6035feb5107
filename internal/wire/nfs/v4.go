package nfs

import (
	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/fileshare"
)

// Operations of version 4 (RFC 7530 16, RFC 8881 18, RFC 7862 15).
const (
	opAccess        = 3
	opClose         = 4
	opCommit        = 5
	opCreate        = 6
	opDelegReturn   = 8
	opGetAttr       = 9
	opGetFH         = 10
	opLink          = 11
	opLock          = 12
	opLockT         = 13
	opLockU         = 14
	opLookup        = 15
	opLookupP       = 16
	opNVerify       = 17
	opOpen          = 18
	opOpenAttr      = 19
	opOpenConfirm   = 20
	opOpenDowngrade = 21
	opPutFH         = 22
	opPutPubFH      = 23
	opPutRootFH     = 24
	opRead          = 25
	opReadDir       = 26
	opReadLink      = 27
	opRemove        = 28
	opRename        = 29
	opRenew         = 30
	opRestoreFH     = 31
	opSaveFH        = 32
	opSecInfo       = 33
	opSetAttr       = 34
	opVerify        = 37
	opWrite         = 38
	opFreeStateID   = 45
	opLayoutCommit  = 49
	opLayoutGet     = 50
	opLayoutReturn  = 51
	opSequence      = 53
	opReclaimDone   = 58
	opAllocate      = 59
	opCopy          = 60
	opDeallocate    = 62
	opReadPlus      = 68
	opSeek          = 69
	opClone         = 71

	v4Handle   = 128
	stateID    = 4 // words
	maxOps     = 64
	changeInfo = 5 // words of change_info4
)

// operation is one operation of a compound as it was asked for.
type operation struct {
	op         uint32
	handle     string
	name, to   string
	off, count int64
	data       payload // of WRITE
	size       int64   // that attributes set; -1 where they do not
	made       bool    // OPEN that fails or makes the file
	create     bool
}

// compound is the state of a run through a compound: the current and the saved
// handle (RFC 7530 1.4.3).
type compound struct {
	*exchange
	current, saved string
	pending        *operation // LOOKUP or OPEN whose handle GETFH will tell
	folder         string     // that it looked in
	fresh          bool
	closing        string // a file that was closed: its attributes may follow
}

// version4 takes one COMPOUND (RFC 7530 15.2).
func (e *exchange) version4() {
	if e.call.proc != 1 {
		return
	}
	a, r := &e.args, &e.res
	a.opaque(1024) // tag
	a.u32()        // minor version
	n := a.u32()
	if !e.unanswered {
		r.u32()
		r.opaque(1024)
		r.u32()
	}
	c := &compound{exchange: e}
	c.steps(min(n, maxOps))
	if c.closing != "" {
		c.closeFile(c.closing)
	}
}

func (c *compound) steps(n uint32) {
	for range n {
		o, ok := c.args.operation()
		if !ok {
			return
		}
		if c.unanswered {
			c.assume(&o)
			continue
		}
		op, status := c.res.u32(), c.res.u32()
		if c.res.bad || op != o.op || !c.step(&o, status) {
			return
		}
	}
}

// operation reads the arguments of one operation; false for those that are not
// needed and whose length is not known.
func (x *xdr) operation() (o operation, ok bool) {
	o = operation{op: x.u32(), size: -1}
	switch o.op {
	case opAccess, opOpenAttr, opReclaimDone:
		x.u32()
	case opGetFH, opLookupP, opPutPubFH, opPutRootFH, opReadLink, opRestoreFH, opSaveFH:
	case opClose:
		x.skip(1 + stateID)
	case opCommit:
		x.skip(3)
	case opDelegReturn, opFreeStateID:
		x.skip(stateID)
	case opCreate:
		x.createArgs(&o)
	case opGetAttr:
		x.bitmap()
	case opLink, opLookup, opRemove, opSecInfo:
		o.name = x.text()
	case opLock:
		x.lockArgs()
	case opLockT:
		x.skip(7)
		x.opaque(1024)
	case opLockU:
		x.skip(2 + stateID + 4)
	case opNVerify, opVerify:
		x.attributes()
	case opOpen:
		x.openArgs(&o)
	case opOpenConfirm:
		x.skip(stateID + 1)
	case opOpenDowngrade:
		x.skip(stateID + 3)
	case opPutFH:
		o.handle = string(x.opaque(v4Handle))
	case opRead, opReadPlus:
		x.skip(stateID)
		o.off, o.count = int64(x.u64()), int64(x.u32())
	case opReadDir:
		x.skip(6)
		x.bitmap()
	case opRename:
		o.name, o.to = x.text(), x.text()
	case opRenew:
		x.skip(2)
	case opSetAttr:
		x.skip(stateID)
		o.size = x.attributes().size
	case opWrite:
		x.skip(stateID)
		o.off = int64(x.u64())
		x.u32()
		o.data = x.payload()
	case opSequence:
		x.skip(8)
	case opAllocate, opDeallocate:
		x.skip(stateID + 4)
	case opCopy, opClone:
		x.skip(2*stateID + 4)
		o.count = int64(x.u64())
		if o.op == opCopy {
			x.skip(2)
			if x.u32() != 0 {
				return o, false // from another server
			}
		}
	case opSeek:
		x.skip(stateID + 3)
	case opLayoutCommit, opLayoutGet, opLayoutReturn:
		x.layoutArgs(o.op)
	default:
		return o, false
	}
	return o, !x.bad
}

func (x *xdr) createArgs(o *operation) {
	switch x.u32() {
	case 5:
		x.opaque(maxName)
	case 3, 4:
		x.skip(2)
	}
	o.name = x.text()
	x.attributes()
}

func (x *xdr) lockArgs() {
	x.skip(6)
	if x.u32() == 0 {
		x.skip(stateID + 1)
		return
	}
	x.skip(1 + stateID + 1 + 2)
	x.opaque(1024)
}

// openArgs reads OPEN (RFC 7530 16.16.1, RFC 8881 18.16.1).
func (x *xdr) openArgs(o *operation) {
	x.skip(5) // sequence, access, deny, client
	x.opaque(1024)
	if x.u32() == 1 {
		o.create = true
		switch x.u32() {
		case 0:
			o.size = x.attributes().size
		case 1:
			o.made = true
			o.size = x.attributes().size
		case 2:
			o.made = true
			x.skip(2)
		case 3:
			o.made = true
			x.skip(2)
			o.size = x.attributes().size
		}
	}
	switch x.u32() {
	case 0, 3:
		o.name = x.text()
	case 1:
		x.u32()
	case 2:
		x.skip(stateID)
		o.name = x.text()
	case 5:
		x.skip(stateID)
	}
}

// assume takes an operation whose answer was not captured.
func (c *compound) assume(o *operation) {
	switch o.op {
	case opPutFH:
		c.current = c.p.layouts.file(o.handle)
	case opWrite:
		c.write(c.current, o.off, o.data, o.data.size, -1)
	}
}

// step takes one operation with its result. It says whether the next one can be
// read.
func (c *compound) step(o *operation, status uint32) bool {
	r := &c.res
	if status != 0 {
		c.failed(o, status)
		return false // a compound ends with its first failure
	}
	switch o.op {
	case opAccess:
		r.skip(2)
	case opClose:
		r.skip(stateID)
		c.closing = c.current
	case opCommit:
		r.skip(2)
	case opCreate:
		r.skip(changeInfo)
		r.bitmap()
		c.look(o, false)
	case opGetAttr:
		c.stated(c.current, r.attributes().size)
	case opGetFH:
		c.handle(string(r.opaque(v4Handle)))
	case opLink:
		r.skip(changeInfo)
	case opLock, opLockU, opOpenConfirm, opOpenDowngrade:
		r.skip(stateID)
	case opLookup:
		c.look(o, false)
	case opLookupP, opPutPubFH:
		c.current, c.pending = "", nil
	case opPutRootFH:
		c.current, c.pending = "", nil
	case opOpen:
		c.open(o)
	case opPutFH:
		c.current, c.pending = c.p.layouts.file(o.handle), nil
	case opRead:
		eof := r.u32() != 0
		if p := r.payload(); !r.bad {
			c.read(c.current, o.off, p, eof, -1)
		}
	case opReadPlus:
		c.readPlus(o)
	case opReadDir:
		c.listed()
	case opReadLink:
		r.opaque(maxName)
	case opRemove:
		r.skip(changeInfo)
		c.removed(entry{c.current, o.name}, c.reply.First.Time)
	case opRename:
		r.skip(2 * changeInfo)
		c.moved(entry{c.saved, o.name}, entry{c.current, o.to}, c.reply.First.Time)
	case opRestoreFH:
		c.current, c.pending = c.saved, nil
	case opSaveFH:
		c.saved = c.current
	case opSetAttr:
		r.bitmap()
		if o.size >= 0 {
			c.truncated(c.current, o.size)
		}
	case opWrite:
		if count := int64(r.u32()); !r.bad {
			r.skip(3)
			c.write(c.current, o.off, o.data, count, -1)
		}
	case opSequence:
		r.skip(9)
	case opCopy:
		if r.u32() != 0 {
			r.skip(stateID)
		}
		n := int64(r.u64())
		r.skip(5)
		c.copied(n)
	case opClone:
		c.copied(o.count)
	case opSeek:
		r.skip(3)
	case opLayoutGet:
		c.layout()
	case opLayoutCommit:
		if r.u32() != 0 {
			c.stated(c.current, int64(r.u64()))
		}
	case opLayoutReturn:
		if r.u32() != 0 {
			r.skip(stateID)
		}
	case opSecInfo:
		return false
	}
	return !r.bad
}

func (c *compound) failed(o *operation, status uint32) {
	switch o.op {
	case opRead:
		c.refused(c.current, false, status)
	case opWrite:
		c.refused(c.current, true, status)
	}
}

// look goes down to a name; GETFH tells its handle.
func (c *compound) look(o *operation, fresh bool) {
	c.pending, c.folder, c.fresh = o, c.current, fresh
	c.current = ""
	if c.pending.name == "" {
		c.pending, c.current = nil, c.folder
	}
}

// open takes OPEN (RFC 7530 16.16.2).
func (c *compound) open(o *operation) {
	r := &c.res
	r.skip(stateID + 1)
	before, after := r.u64(), r.u64()
	r.u32()
	r.bitmap()
	r.delegation()
	fresh := o.made || o.size == 0 || o.create && before != after
	if o.name == "" { // by handle
		if fresh {
			c.truncated(c.current, 0)
		}
		return
	}
	c.look(o, fresh)
}

// delegation passes open_delegation4.
func (x *xdr) delegation() {
	kind := x.u32()
	switch kind {
	case 1, 2, 4, 5: // reading and writing, with and without times delegated (RFC 9754 7)
		x.skip(stateID + 1)
		if kind == 2 || kind == 5 {
			x.skip(3)
		}
		x.skip(3)
		x.opaque(1024)
	case 3:
		if why := x.u32(); why == 1 || why == 2 {
			x.u32()
		}
	}
}

// handle is what GETFH gives: the current handle's bytes.
func (c *compound) handle(h string) {
	c.current = h
	if c.pending == nil || h == "" {
		return
	}
	c.found(entry{c.folder, c.pending.name}, h, -1, c.fresh)
	c.pending = nil
}

// readPlus takes READ_PLUS: data, and zeros that the server did not send (RFC 7862
// 15.10).
func (c *compound) readPlus(o *operation) {
	r := &c.res
	eof := r.u32() != 0
	left := min(o.count, maxRecord) // of what was asked for
	for n := r.u32(); n > 0 && !r.bad; n-- {
		kind, off := r.u32(), int64(r.u64())
		if kind == 0 {
			if p := r.payload(); !r.bad {
				c.read(c.current, off, p, eof && n == 1, -1)
				left -= p.size
			}
			continue
		}
		size := max(min(int64(r.u64()), left), 0)
		left -= size
		for size > 0 {
			k := min(size, int64(len(zeros)))
			c.read(c.current, off, payload{data: zeros[:k], at: len(c.reply.Data), size: k}, eof && n == 1 && k == size, -1)
			off, size = off+k, size-k
		}
	}
}

var zeros [64 << 10]byte

// copied reports a copy that the server made by itself from the saved file to the
// current one.
func (c *compound) copied(n int64) {
	f := &flow{m: c.mounted, key: flowKey{c.current, true}, who: c.call.who, version: 4, from: c.call.m.From,
		conns: []*wire.Conn{c.conn.wire}, start: c.call.m.First.Time, end: c.reply.First.Time}
	f.seen.Merge(c.call.m.Seen)
	f.seen.Merge(c.reply.Seen)
	t := f.record()
	client := t.Source
	t.Client, t.Source = &client, t.Destination
	t.Initiator, t.Operation, t.Completeness = model.ByOther, model.Copy, model.Inferred
	t.Reason, t.What = "copied on the server, no bytes on the wire", "NFS COPY"
	if n > 0 {
		t.Size = &n
	}
	if _, from := c.names.path(c.saved); from != "" {
		t.Notes = append(t.Notes, "copied from "+from)
	}
	t.Name = fileshare.LastElement(t.Path)
	c.p.env.Unverified("nfs/server-copy")
	c.p.env.Transfer(t)
}
