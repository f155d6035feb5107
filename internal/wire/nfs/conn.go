package nfs

import (
	"encoding/binary"

	"waybill/internal/wire"
	"waybill/internal/wire/framed"
)

// conn is one TCP connection or one flow of datagrams.
type conn struct {
	p      *protocol
	wire   *wire.Conn
	halves [2]*framed.Reader
	parts  [2][]byte // of a record in several fragments
	client int       // -1 until known
	calls  map[uint32]*call
	order  []uint32 // ids of calls, oldest first
	lossy  bool
	heard  [2]bool
	ended  int
}

// call is a call without its reply.
type call struct {
	m             framed.Message // its data is the call itself
	program       uint32
	version, proc uint32
	args          xdr
	who           credential
	cost          int64
}

// credential is whom a call is made as (RFC 5531 appendix A).
type credential struct {
	machine  string
	uid, gid uint32
	known    bool
	gss      bool
}

func (d *conn) Data(from wire.Side, c wire.Chunk) {
	d.heard[from] = true
	if !d.wire.UDP {
		d.halves[from].Data(c)
		return
	}
	m := framed.Message{Data: c.Data, Seq: uint32(c.Packet), First: c.At, Last: c.At, From: from}
	m.Seen.Add(c.At)
	m.Block = c.Block
	if c.Cut > 0 {
		m.Data = append(append([]byte(nil), c.Data...), make([]byte, min(c.Cut, 64<<10))...)
		m.Block = nil
		m.Holes = []framed.Hole{{From: len(c.Data), To: len(m.Data)}}
	}
	d.message(&m)
}

func (d *conn) Gap(from wire.Side, n int64, at wire.At) {
	d.lossy = true
	d.halves[from].Gap(n)
}

func (d *conn) lost() { d.lossy = true }

// End ends one side. What moved goes on over other connections of the two hosts.
func (d *conn) End(from wire.Side, how wire.Ending, at wire.At) {
	d.halves[from].Reset()
	if d.ended++; d.ended < 2 {
		return
	}
	for _, id := range d.order {
		if c := d.calls[id]; c != nil {
			delete(d.calls, id)
			d.unanswered(c)
		}
	}
	d.calls, d.order = nil, nil
}

// record takes one fragment of a record.
func (d *conn) record(m *framed.Message) {
	mark := binary.BigEndian.Uint32(m.Data)
	m.Data = m.Data[markLen:]
	m.Bulk.At -= markLen
	for i := range m.Holes {
		m.Holes[i].From -= markLen
		m.Holes[i].To -= markLen
	}
	part := &d.parts[m.From]
	if mark&lastMark == 0 || len(*part) > 0 {
		if len(*part)+len(m.Data) > maxRecord || len(m.Holes) > 0 {
			*part = nil
			d.lossy = true
			return
		}
		*part = append(*part, m.Data...)
		if mark&lastMark == 0 {
			return
		}
		m.Data = *part
		*part = nil
	}
	d.message(m)
}

// message takes one call or reply.
func (d *conn) message(m *framed.Message) {
	b := m.Data
	if len(b) < replyLen {
		return
	}
	id := binary.BigEndian.Uint32(b)
	switch binary.BigEndian.Uint32(b[4:]) {
	case 0:
		d.client = int(m.From)
		d.call(id, m)
	case 1:
		if c := d.calls[id]; c != nil && c.m.From != m.From {
			d.forget(id, c)
			d.reply(c, m)
		}
	}
}

func (d *conn) forget(id uint32, c *call) {
	delete(d.calls, id)
	d.p.env.Budget().Give(c.cost)
	if len(d.order) > 2*len(d.calls)+64 {
		var live []uint32
		for _, x := range d.order {
			if d.calls[x] != nil {
				live = append(live, x)
			}
		}
		d.order = live
	}
}

// call keeps a call until its reply.
func (d *conn) call(id uint32, m *framed.Message) {
	x := xdr{b: m.Data, at: 8}
	if x.u32() != 2 {
		return
	}
	c := &call{m: *m, program: x.u32(), version: x.u32(), proc: x.u32()}
	if c.program != progNFS && c.program != progMount {
		return
	}
	c.who = x.credential()
	x.u32() // verifier
	x.opaque(400)
	if x.bad {
		return
	}
	if old := d.calls[id]; old != nil {
		if string(old.m.Data) == string(m.Data) {
			return // sent again
		}
		d.forget(id, old)
	}
	c.cost = int64(len(m.Data))
	if len(d.calls) >= maxPending || !d.p.env.Budget().Take(c.cost) {
		d.p.env.Blind("over-budget", c.cost)
		return
	}
	c.m.Data, c.m.Block = append([]byte(nil), m.Data...), nil
	c.args = xdr{b: c.m.Data, at: x.at}
	d.calls[id] = c
	d.order = append(d.order, id)
}

// reply takes an accepted, successful reply to a call (RFC 5531 9).
func (d *conn) reply(c *call, m *framed.Message) {
	x := xdr{b: m.Data, at: 8}
	if !x.accepted() {
		return
	}
	x.bulk = m.Bulk
	e := &exchange{mounted: d.mounted(c), conn: d, call: c, args: c.args, reply: m, res: x}
	e.mounted.expire(m.First.Time)
	e.run()
}

// mounted is the state of the two hosts of a call.
func (d *conn) mounted(c *call) *mounted {
	ends := d.wire.Ends
	return d.p.mounted(ends[c.m.From].Addr, ends[c.m.From.Other()].Addr)
}

// unanswered counts what was to be written as seen where the capture lacks answers.
func (d *conn) unanswered(c *call) {
	d.p.env.Budget().Give(c.cost)
	if d.lossy || !d.heard[c.m.From.Other()] {
		e := &exchange{mounted: d.mounted(c), conn: d, call: c, args: c.args, reply: &c.m, unanswered: true}
		e.run()
	}
}

// exchange is a call with its reply.
type exchange struct {
	*mounted
	conn       *conn
	call       *call
	args       xdr
	reply      *framed.Message
	res        xdr
	unanswered bool
}

func (e *exchange) run() {
	c := e.call
	switch {
	case c.program == progMount:
		if !e.unanswered {
			e.mount()
		}
	case c.version == 2:
		e.version2()
	case c.version == 3:
		e.version3()
	case c.version == 4:
		e.version4()
	}
}

// mount reads MNT of the mount protocol (RFC 1094 appendix A, RFC 1813 5.2.1): a
// path, and the handle of its root.
func (e *exchange) mount() {
	if e.call.proc != 1 {
		return
	}
	path := e.args.text()
	if e.args.bad {
		return
	}
	a := e.access("share-connect")
	a.Share, a.Object = path, path
	if status := e.res.u32(); status != 0 {
		a.Status = statusName(status)
	} else if e.call.version < 3 {
		e.root(string(e.res.fixed(32)), path)
	} else {
		e.root(string(e.res.opaque(64)), path)
	}
	e.p.env.Access(a)
}

// access starts an access record.
func (e *exchange) access(what string) *wire.Access {
	a := &wire.Access{Conn: e.conn.wire}
	m := &e.call.m
	a.ID = wire.ID("a", channel, e.conn.wire, m.From, binary.BigEndian.Uint32(m.Data), 0, []byte(what)...)
	a.Time, a.What, a.Channel = m.First.Time, what, channel
	a.Source, a.Destination = e.conn.wire.Ends[m.From].Endpoint(), e.conn.wire.Ends[m.From.Other()].Endpoint()
	a.User = e.call.who.user()
	a.Seen.Merge(m.Seen)
	a.Seen.Merge(e.reply.Seen)
	return a
}
