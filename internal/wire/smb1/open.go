package smb1

import (
	"strings"

	"waybill/internal/content"
	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/fileshare"
	"waybill/internal/wire/rpc"
)

// closed is how an open ends that was closed in order.
const closed = wire.FIN

// The rights that read or write data (MS-CIFS 2.2.4.64.1), and the generic ones.
const (
	accessRead    = 0x1 | 0x20 | 0x80000000 | 0x10000000
	accessWrite   = 0x2 | 0x4 | 0x40000000 | 0x10000000
	deleteOnClose = 0x00001000
)

// open is one open of a file or pipe.
type open struct {
	c      *conn
	id     uint16
	treeID uint16
	tree   *tree
	user   user
	at     message // the request
	known  bool    // its open was seen
	path   string
	pipe   *pipe
	folder bool

	access   uint32
	fresh    bool // made, overwritten or cut to nothing here
	made     bool
	size     int64 // as the server states it; -1 unknown
	eof      int64 // end of file as a short read shows it; -1 unknown
	end      int64 // as the client set it; -1 not set
	modified uint64
	remove   bool
	losses   int
	seen     wire.Packets
	earlier  []string
	done     bool

	unanswered  bool
	read, write *flow
}

// flow is what moved of an open in one direction.
type flow struct {
	file       *content.File
	start, end model.Time
	seen       wire.Packets
	calls      int
	high       int64
	refusal    uint32
	flaw       string
	conflict   fileshare.Conflict
	holed      bool  // bytes of what was written were not seen: no zeros
	first      *open // the open that it began with
	last       model.Time
}

func (f *flow) touch(m *message, t model.Time) {
	f.calls++
	f.seen.Merge(m.Seen)
	wire.Stretch(&f.start, &f.end, t)
}

// request of an open, as any of its commands says it.
type opening struct {
	path         string
	access       uint32
	options      uint32
	size         int64
	fresh, made  bool
	pipe, folder bool
	modified     uint64
	id           uint16
}

// asked reads what an open asks for.
func (x *block) asked(r *request) (o opening) {
	o.size = -1
	unicode := x.m.unicode()
	switch x.command {
	case cmdNTCreate: // MS-CIFS 2.2.4.64.1
		o.path, _ = x.text(0, unicode)
		o.access, o.options = x.u32(15), x.u32(39)
	case cmdNTTransact: // NT_TRANSACT_CREATE, MS-CIFS 2.2.7.1.1
		params := r.asked.params.b
		p := block{m: x.m, words: params}
		n := int(p.u32(44))
		o.access, o.options = p.u32(8), p.u32(32)
		if name := params[min(53, len(params)):]; len(name) > 0 {
			if unicode && len(name) > n {
				name = name[1:] // aligned
			}
			o.path = decode(name[:min(n, len(name))], unicode)
		}
	case cmdOpenAndX: // MS-CIFS 2.2.4.41.1
		o.path, _ = x.text(0, unicode)
		o.access = dosAccess(x.u16(6))
	case cmdTransaction2:
		o.asked2(x, r)
	case cmdOpen:
		o.path, _ = x.core(0)
		o.access = dosAccess(x.u16(0))
	case cmdCreate, cmdCreateNew:
		o.path, _ = x.core(0)
		o.access = accessRead | accessWrite
	}
	return o
}

// posixOpen is the level at which TRANS2_SET_PATH_INFORMATION opens a file
// (SMB_POSIX_PATH_OPEN of Samba's UNIX extensions).
const posixOpen = 0x0209

// opens says that a TRANSACTION2 opens a file.
func (x *block) opens(r *request) bool {
	p := block{words: r.asked.params.b}
	return x.setupWord(0) == trans2Open || x.setupWord(0) == trans2SetPathInfo && p.u16(0) == posixOpen
}

// asked2 reads TRANS2_OPEN2 (MS-CIFS 2.2.6.1.1) or a POSIX open, which says behind
// its flags how the file is opened: 1 reading, 2 writing, 4 both, 0x40 cut to
// nothing, 0x200 a folder.
func (o *opening) asked2(x *block, r *request) {
	params, data := block{words: r.asked.params.b}, block{words: r.asked.data.b}
	at := 28
	if x.setupWord(0) == trans2Open {
		o.access = dosAccess(params.u16(2))
	} else {
		at = 6
		mode := data.u32(4)
		o.access = dosAccess(uint16(mode >> 1 & 3))
		o.folder = mode&0x200 != 0
	}
	if name := params.words[min(at, len(params.words)):]; len(name) > 0 {
		o.path = decode(name[:ended(name, x.m.unicode())], x.m.unicode())
	}
}

// answered2 reads the answer of either (MS-CIFS 2.2.6.1.2).
func (o *opening) answered2(x *block, r *request) {
	p, at := block{words: r.answered.params.b}, 18
	if x.setupWord(0) == trans2Open {
		o.id, o.size = p.u16(0), int64(p.u32(8))
		o.pipe = p.u16(14) == 1 || p.u16(14) == 2
	} else {
		p, at = block{words: r.answered.data.b}, 4
		o.id, o.size = p.u16(2), -1
		if p.u16(8) == 0x0200 { // SMB_QUERY_FILE_UNIX_BASIC follows
			o.size = int64(p.u64(12))
		}
	}
	action := p.u16(at) & 3
	o.made, o.fresh = action == 2, action == 2 || action == 3
}

// dosAccess turns an access mode (MS-CIFS 2.2.4.3.1) into rights.
func dosAccess(mode uint16) uint32 {
	switch mode & 7 {
	case 1:
		return 2
	case 2:
		return 3
	}
	return 1
}

// answered adds what the server says.
func (o *opening) answered(r *request, y *block) {
	switch y.command {
	case cmdNTCreate: // MS-CIFS 2.2.4.64.2
		o.created(y, 0)
	case cmdNTTransact: // MS-CIFS 2.2.7.1.2: the same in the parameters, without AndX
		params := r.answered.params.b
		p := block{m: y.m, words: append([]byte{0, 0, 0, 0}, params...)}
		if len(params) >= 69 {
			o.id = p.u16(6)
			o.created(&p, 1)
		}
	case cmdOpenAndX: // MS-CIFS 2.2.4.41.2
		o.id, o.size, o.pipe = y.u16(4), int64(y.u32(12)), y.u16(18) == 2 || y.u16(18) == 1
		action := y.u16(22) & 3
		o.made, o.fresh = action == 2, action == 2 || action == 3
	case cmdOpen:
		o.id, o.size = y.u16(0), int64(y.u32(8))
	case cmdTransaction2:
		o.answered2(&r.blocks[0], r)
	case cmdCreate, cmdCreateNew:
		o.id, o.size, o.made, o.fresh = y.u16(0), 0, true, true
	}
}

// created reads the answer of NT_CREATE_ANDX; off is how much further its fields
// lie behind the file id.
func (o *opening) created(y *block, off int) {
	if off == 0 {
		o.id = y.u16(5)
	}
	at := 7 + off
	if off != 0 {
		at = 12
	}
	action := y.u32(at)
	o.made, o.fresh = action == 2, action == 0 || action == 2 || action == 3
	o.modified = y.u64(at + 20)
	o.size = int64(y.u64(at + 48))
	kind := y.u16(at + 56)
	o.pipe = kind == 1 || kind == 2
	o.folder = at+60 < len(y.words) && y.words[at+60] != 0
}

// opened takes an open that succeeded or was refused.
func (c *conn) opened(r *request, x, y *block, m *message) {
	if x.command == cmdNTTransact && x.transactFunction() != 1 {
		return
	}
	a := x.asked(r)
	if m.failed() {
		c.refusedOpen(r, a, m)
		return
	}
	if y == nil {
		return
	}
	switch x.command {
	case cmdNTTransact:
		c.env.Unverified("smb1/nt-transact-create")
	case cmdTransaction2:
		if x.setupWord(0) == trans2Open {
			c.env.Unverified("smb1/open2")
		}
	}
	a.answered(r, y)
	o := &open{c: c, id: a.id, treeID: r.tree, tree: c.tree(r.tree), user: c.who(&r.message), at: r.message, known: true,
		path: a.path, access: a.access, fresh: a.fresh, made: a.made, size: a.size, eof: -1, end: -1, modified: a.modified,
		folder: a.folder || a.options&1 != 0, remove: a.options&deleteOnClose != 0, losses: c.losses}
	if r.blocks[0].command != x.command { // chained to a tree connect: its answer names the tree
		o.treeID, o.tree = m.tree, c.tree(m.tree)
	}
	o.seen.Merge(r.Seen)
	o.seen.Merge(m.Seen)
	o.at.b, o.at.Data = nil, nil
	r.open = o
	c.register(o)
	if a.pipe || o.tree.pipes || strings.HasPrefix(strings.ToUpper(a.path), `\PIPE\`) {
		o.pipe = newPipe(o)
		p := c.access("pipe-open", &r.message, 0)
		p.Share, p.Object = o.tree.share, strings.TrimPrefix(a.path, `\`)
		p.Seen.Merge(m.Seen)
		c.env.Access(p)
	}
}

func (c *conn) register(o *open) {
	if old := c.opens[o.id]; old != nil {
		old.finish(closed, o.at.Last)
	}
	if len(c.opens) >= maxOpens {
		c.env.Blind("over-budget", 0)
		c.order[0].finish(wire.Dropped, o.at.Last)
	}
	c.opens[o.id] = o
	if len(c.order) > 2*len(c.opens)+64 {
		var live []*open
		for _, x := range c.order {
			if !x.done {
				live = append(live, x)
			}
		}
		c.order = live
	}
	c.order = append(c.order, o)
}

// refusedOpen reports an open that was refused: a transfer where access to data
// was denied, else an access (contract, "What is one transfer").
func (c *conn) refusedOpen(r *request, a opening, m *message) {
	t := c.tree(r.tree)
	if fileshare.Refuses(m.status) && a.access&(accessRead|accessWrite) != 0 && !t.pipes && a.options&1 == 0 {
		o := &open{c: c, tree: t, user: c.who(&r.message), at: r.message, known: true, path: a.path}
		f := &flow{refusal: m.status, start: r.First.Time, end: m.Last.Time, seen: r.Seen}
		f.seen.Merge(m.Seen)
		o.refusal(f, a.access&accessWrite != 0)
		return
	}
	x := c.access("refused-open", &r.message, 0)
	x.Seen.Merge(m.Seen)
	x.Share, x.Object, x.Status = t.share, a.path, m.statusName()
	c.env.Access(x)
}

// find gives the open that a command names: by its id, or in a chain the one
// that the chain opened (MS-CIFS 2.2.3.4).
func (c *conn) find(r *request, x *block) *open {
	if r.open != nil && x.m == &r.message && &r.blocks[0] != x {
		return r.open
	}
	at := 0
	if andX(x.command) {
		at = 4
	}
	return c.openOf(r, x.u16(at))
}

// openOf gives the open with an id, adopting one that was made before the capture.
func (c *conn) openOf(r *request, id uint16) *open {
	if r.open != nil {
		return r.open
	}
	o := c.opens[id]
	if o == nil {
		o = &open{c: c, id: id, treeID: r.tree, tree: c.tree(r.tree), user: c.who(&r.message), at: r.message,
			size: -1, eof: -1, end: -1, losses: c.losses}
		o.at.b, o.at.Data = nil, nil
		c.register(o)
	}
	return o
}

// pipe is an open of a named pipe: no transfer, but what is called through it is
// evidence.
type pipe struct {
	open    *open
	calls   *rpc.Calls
	at      *message
	ordinal int
	losses  int
}

func newPipe(o *open) *pipe {
	p := &pipe{open: o, losses: o.c.losses, at: &o.at}
	p.calls = rpc.New(o.c.env, &o.c.services, p.access)
	p.calls.Pipe(o.path)
	return p
}

func (p *pipe) feed(fromClient bool, b []byte, m *message) {
	if p.losses != p.open.c.losses {
		p.losses = p.open.c.losses
		p.calls.Lost(true)
		p.calls.Lost(false)
	}
	p.at, p.ordinal = m, 0
	p.calls.Feed(fromClient, b)
}

func (p *pipe) access(what string) *wire.Access {
	p.ordinal++
	o := p.open
	a := o.c.access(what, p.at, p.ordinal)
	a.User, a.Domain = o.user.name, o.user.domain
	a.Share, a.Object = o.tree.share, strings.TrimPrefix(o.path, `\`)
	return a
}

// isPipe looks at the first data of an open whose kind is not known.
func (o *open) isPipe(b []byte) bool {
	if o.pipe == nil && !o.known && o.read == nil && o.write == nil && len(b) >= 16 && b[0] == 5 && b[1] <= 1 && b[2] <= 19 && b[3] != 0 {
		o.pipe = newPipe(o)
	}
	return o.pipe != nil
}
