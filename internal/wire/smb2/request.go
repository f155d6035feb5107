package smb2

import (
	"waybill/internal/model"
	"waybill/internal/wire"
)

// maxPending bounds the requests of one connection that wait for their answers;
// servers grant at most 8,192 credits.
const maxPending = 8192

// requestCost is what a waiting request takes of the budget.
const requestCost = 256

// request is a request that waits for its response.
type request struct {
	c       *conn
	command uint16
	message uint64
	at      place
	session *session
	tree    *tree
	open    *open

	// Of READ and WRITE.
	offset, length int64
	remote         bool // the data go by RDMA
	flows          bool // its data are under way
	start, end     model.Time
	seen           wire.Packets
	run            int64   // READ: where the data without a hole began
	pieces         []piece // WRITE: the data, until the response says that they count
	damaged        bool    // a part of the data was not seen
	answer         *writeAnswer

	detail any // of other commands: what their response needs

	links [2]links
}

// The lists that a request may be in.
const (
	inConnection = iota // requests of a connection without a response
	inOpen              // writes of an open without a response
)

type links struct{ prev, next *request }

// requests is a list of requests in the order in which they were added.
type requests struct {
	which       int
	first, last *request
}

func (l *requests) add(r *request) {
	r.links[l.which] = links{prev: l.last}
	if l.last != nil {
		l.last.links[l.which].next = r
	} else {
		l.first = r
	}
	l.last = r
}

func (l *requests) remove(r *request) {
	k := r.links[l.which]
	if k.prev == nil && l.first != r {
		return
	}
	if k.prev != nil {
		k.prev.links[l.which].next = k.next
	} else {
		l.first = k.next
	}
	if k.next != nil {
		k.next.links[l.which].prev = k.prev
	} else {
		l.last = k.prev
	}
	r.links[l.which] = links{}
}

// pendings are the requests of one connection by message id.
type pendings struct {
	byID  map[uint64]*request
	order requests
}

func (p *pendings) len() int                { return len(p.byID) }
func (p *pendings) find(id uint64) *request { return p.byID[id] }

func (p *pendings) remove(r *request) {
	if p.byID[r.message] != r {
		return
	}
	delete(p.byID, r.message)
	p.order.remove(r)
}

// await keeps a request until its response. A message id that is used again
// replaces the request that had it; when there are too many, the oldest goes.
func (c *conn) await(r *request) {
	if old := c.pending.find(r.message); old != nil {
		c.giveUp(old)
	}
	budget := c.p.env.Budget()
	for c.pending.len() >= maxPending || c.pending.order.first != nil && budget.Used+requestCost > budget.Limit {
		c.giveUp(c.pending.order.first)
	}
	budget.Used += requestCost // a connection's only request may go over the budget
	if c.pending.byID == nil {
		c.pending.byID = make(map[uint64]*request)
	}
	c.pending.byID[r.message] = r
	c.pending.order.add(r)
}

// answered takes the request that a response is for out of the waiting ones.
func (c *conn) answered(h *header) *request {
	r := c.pending.find(h.message)
	if r == nil || r.command != h.command {
		return nil
	}
	c.pending.remove(r)
	c.p.env.Budget().Give(requestCost)
	return r
}

// giveUp ends a request whose response will not be seen any more.
func (c *conn) giveUp(r *request) {
	c.pending.remove(r)
	c.p.env.Budget().Give(requestCost)
	switch r.command {
	case cmdRead:
		c.unansweredRead(r)
	case cmdWrite:
		c.unansweredWrite(r)
		return
	case cmdCreate:
		c.unansweredCreate(r)
	case cmdTreeConnect:
		if c.connecting == r {
			c.connecting = nil
		}
	case cmdClose, cmdSetInfo:
		c.assume(r)
	}
	c.p.recycle(r)
}

// assume takes a CLOSE or SET_INFO as done when the capture may lack its answer.
func (c *conn) assume(r *request) {
	switch {
	case r.open.done || !c.unheard():
	case r.command == cmdClose:
		r.open.seen.Add(r.at.first)
		r.open.finish(closed, r.at.last)
	default:
		r.open.apply(r.detail.(infoChange))
	}
}

// request gives an empty request.
func (p *protocol) request(c *conn, h *header, at place) *request {
	var r *request
	if n := len(p.idle); n > 0 {
		r = p.idle[n-1]
		p.idle = p.idle[:n-1]
	} else {
		r = &request{}
	}
	r.c, r.command, r.message, r.at = c, h.command, h.message, at
	return r
}

// recycle takes back a request that nothing refers to any more.
func (p *protocol) recycle(r *request) {
	if r.flows {
		return
	}
	for i := range r.pieces {
		p.release(&r.pieces[i])
	}
	*r = request{pieces: r.pieces[:0]}
	if len(p.idle) < 256 {
		p.idle = append(p.idle, r)
	}
}

// data takes the next chunk of a READ response or WRITE request.
func (r *request) data(h *half, c wire.Chunk) {
	if r.command == cmdRead {
		r.open.readData(r, r.offset+h.pos, c)
		return
	}
	r.touch(c.At)
	r.hold(h.pos, c.Data)
}

// touch notes that data of a WRITE were seen at at.
func (r *request) touch(at wire.At) {
	wire.Stretch(&r.start, &r.end, at.Time)
	r.seen.Add(at)
}

// hole says that n bytes of the data were not seen.
func (r *request) hole(h *half, n int) {
	r.damaged = true
	if r.command == cmdRead {
		r.covered(h.pos)
		r.run = h.pos + int64(n)
	}
}

// complete says that all data came or are known to be lost.
func (r *request) complete(pos int64) {
	r.flows = false
	if r.command == cmdRead {
		r.covered(pos)
		r.open.readDone(r, pos)
		r.c.p.recycle(r)
		return
	}
	r.c.written(r)
}
