package smb2

import (
	"slices"

	"waybill/internal/content"
	"waybill/internal/model"
	"waybill/internal/wire"
)

// maxOpens bounds the opens that are known at a time, openCost is what one
// takes of the budget.
const (
	maxOpens = 1 << 16
	openCost = 1 << 10
)

// fileID names an open within its session (MS-SMB2 2.2.14.1).
type fileID struct{ persistent, volatile uint64 }

// sameFile stands for the file of the request before in a compound.
var sameFile = fileID{^uint64(0), ^uint64(0)}

// direction is which way the bytes of an open went.
type direction int

// The directions, in the order of the ordinals in transfer ids.
const (
	reading direction = iota
	writing
	copying
)

// open is one open of a file, over all connections and reconnects.
type open struct {
	p       *protocol
	session *session
	tree    *tree
	id      fileID
	serial  uint64
	conn    *conn // on which it was opened
	at      place // of the CREATE's header, or of the first message seen of it
	seen    wire.Packets

	known     bool // its CREATE request was seen
	granted   bool // and answered, or messages name it
	guessed   bool // its CREATE was told by the order of requests
	done      bool
	durable   bool
	orphaned  bool // durable, and waiting for a reconnect
	guid      guid
	access    uint32
	options   uint32
	path      string
	earlier   []string
	directory bool
	pipe      *pipe

	made     bool   // the file was made, or its content thrown away, by the CREATE
	fresh    bool   // nothing of older content is left
	oldSize  int64  // of the file when opened; -1 unknown
	size     int64  // of the file now; -1 unknown
	modified uint64 // last-write time when opened
	end      int64  // the last SET_INFO end-of-file; -1 none
	closing  int64  // the end-of-file in CLOSE's answer; -1 none
	eof      int64  // where a short READ or an end-of-file error says the end is; -1 none

	lost          bool // messages may have been lost before a reconnect
	losses        int  // the session's count when it was opened
	asksLost      int  // the same
	unknownWrites int  // the same
	changes       int  // own writes and cuts so far
	remove        bool

	read, write *flow
	copies      []*serverCopy
	asked       ranges   // reads asked for
	unread      int      // reads without an answer
	waiting     requests // writes without an answer
	unanswered  bool     // writes counted although their answers were not captured
	stale       span     // cut off and perhaps grown over: what is there is old

	newer, older *open // least recently used
}

// openTable orders all opens by use.
type openTable struct {
	serial         uint64
	n              int
	newest, oldest *open
}

// newOpen makes an open that the request r makes or names first.
func (p *protocol) newOpen(r *request) *open {
	p.opens.serial++
	o := &open{
		p: p, session: r.session, tree: r.tree, serial: p.opens.serial, conn: r.c, at: r.at,
		oldSize: -1, size: -1, end: -1, closing: -1, eof: -1, losses: r.session.losses, asksLost: r.session.asksLost, unknownWrites: r.session.unknownWrites,
	}
	o.waiting.which = inOpen
	return o
}

// register makes an open known by its file id. One that had the id before was
// closed without being seen to be.
func (p *protocol) register(o *open) {
	if o.session.ended { // answered after its LOGOFF: messages lost or out of order
		o.session = o.conn.session(o.session.id)
	}
	if old := o.session.opens[o.id]; old != nil && old != o {
		old.finish(closed, wire.At{Time: p.env.Now()})
	}
	t := &p.opens
	for t.n >= maxOpens || t.n > 0 && p.env.Budget().Used+openCost > p.env.Budget().Limit {
		p.env.Blind("over-budget", 0)
		t.oldest.finish(wire.Dropped, wire.At{Time: p.env.Now()})
	}
	p.env.Budget().Used += openCost // the only open there is may go over the budget
	o.session.opens[o.id] = o
	t.n++
	t.front(o)
}

// touch makes the open the most recently used one.
func (t *openTable) touch(o *open) {
	if t.newest == o || o.newer == nil && o.older == nil {
		return
	}
	t.unlink(o)
	t.front(o)
}

func (t *openTable) front(o *open) {
	o.older, o.newer = t.newest, nil
	if t.newest != nil {
		t.newest.newer = o
	} else {
		t.oldest = o
	}
	t.newest = o
}

func (t *openTable) unlink(o *open) {
	if o.newer != nil {
		o.newer.older = o.older
	} else {
		t.newest = o.older
	}
	if o.older != nil {
		o.older.newer = o.newer
	} else {
		t.oldest = o.newer
	}
	o.newer, o.older = nil, nil
}

// forget takes an open out of its session and the table.
func (p *protocol) forget(o *open) {
	if o.session.opens[o.id] != o {
		return
	}
	delete(o.session.opens, o.id)
	p.opens.unlink(o)
	p.opens.n--
	p.env.Budget().Give(openCost)
}

// lossy says that messages to the open may have been lost since it was opened.
func (o *open) lossy() bool { return o.lost || o.session.losses != o.losses }

// stated keeps the file's size as the server states it. A size that changes
// while the file is read, not by the open's own writes, is a flaw.
func (o *open) stated(size int64) {
	if size < 0 {
		return
	}
	if f := o.read; f != nil && o.size >= 0 && size != o.size && f.changes == o.changes {
		f.flaw = "size changed while it was read"
	}
	o.size = size
}

// closedAt keeps the end-of-file of CLOSE's answer.
func (o *open) closedAt(size int64) {
	o.stated(size)
	o.closing = size
}

// flow is what moved of an open in one direction.
type flow struct {
	file    *content.File
	base    int64  // offset in the file of the content's first byte (appends)
	moved   ranges // what this open alone moved
	high    int64  // writes: end of the highest byte accepted, in the file
	size    int64  // reads: the file's size at the last of them; -1 unknown
	changes int    // reads: the open's count at the last of them
	calls   int    // READs or WRITEs that moved something
	atZero  int    // those of them at offset 0
	loss    bool   // some of it may not have been seen
	start   model.Time
	end     model.Time
	seen    wire.Packets
	conns   []*wire.Conn
	notes   []string

	flaw     string // why the content cannot be whole
	conflict bool
	refusal  uint32 // status of a refused READ or WRITE
	refused  place
	joins    *readGroup // partial reads of the same file that this one goes on with
}

// carried notes that c moved a part of the flow.
func (f *flow) carried(c *conn) { f.carriedBy(c.wire) }

func (f *flow) carriedBy(c *wire.Conn) {
	if !slices.Contains(f.conns, c) {
		f.conns = append(f.conns, c)
	}
}

// conflicts notes copies that differed, at offset off of the file.
func (f *flow) conflicts(c *conn, off int64) {
	if c.wire.Corrupt {
		f.flaw = "a damaged copy of a packet was taken for it"
	}
	if !f.conflict {
		f.conflict = true
		f.notes = append(f.notes, note("conflicting bytes at", off))
	}
}
