package nfs

import (
	"encoding/binary"

	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/framed"
)

// conn is one TCP connection or one flow of datagrams.
type conn struct {
	p      *protocol
	wire   *wire.Conn
	halves [2]*framed.Reader
	parts  [2]part
	calls  map[uint32]*call
	order  []uint32 // ids of calls, oldest first; of answered ones too until they are swept
	at     *mounted // what the calls are about, once there was one
	secret *mounted // the same, once there was one that was encrypted
	lossy  bool     // answers may be missing
	damage int64    // conflicting bytes noted so far
	heard  [2]bool
	ended  int
	logons map[uint32]*wire.Access // without an answer, by the number of their call
	datagrams
}

// part is a record of which more fragments are to come.
type part struct {
	framed.Message
	cost int64
}

// call is a call without its reply.
type call struct {
	m             framed.Message // its data is the call itself
	id            uint32
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
	handle   string  // of the security context
	account  account // that it is of, where its logon was seen
	wrapped  bool    // arguments and results lie inside an integrity-protected body
	sealed   bool    // they are encrypted
	control  bool    // the call is about the security context, and no call of NFS
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

// lost notes that messages were lost.
func (d *conn) lost() {
	d.lossy = true
	if d.at != nil {
		d.at.losses++
	}
}

// End ends one side. What moved goes on over other connections of the two hosts.
func (d *conn) End(from wire.Side, how wire.Ending, at wire.At) {
	d.halves[from].Reset()
	d.drop(from)
	if d.ended++; d.ended < 2 {
		return
	}
	for d.unanswer() {
	}
	d.unheard()
	d.order = nil
	d.forgetEarly(d.p.env.Budget())
}

// drop gives up the fragments of a record.
func (d *conn) drop(from wire.Side) {
	d.p.env.Budget().Give(d.parts[from].cost)
	d.parts[from] = part{}
}

// record takes one fragment of a record.
func (d *conn) record(m *framed.Message) {
	last := binary.BigEndian.Uint32(m.Data)&lastMark != 0
	m.Data = m.Data[markLen:]
	m.Bulk.At -= markLen
	for i := range m.Holes {
		m.Holes[i].From -= markLen
		m.Holes[i].To -= markLen
	}
	x := &d.parts[m.From]
	if last && len(x.Data) == 0 {
		d.message(m)
		return
	}
	if !d.add(x, m) {
		d.drop(m.From)
		d.lost()
		return
	}
	if last {
		d.message(&x.Message)
		d.drop(m.From)
	}
}

// add adds a fragment to what came of its record.
func (d *conn) add(x *part, m *framed.Message) bool {
	if len(x.Data)+len(m.Data) > maxRecord || !d.p.env.Budget().Take(int64(len(m.Data))) {
		return false
	}
	if len(x.Data) == 0 {
		x.Message = *m
		x.Data, x.Holes = nil, nil
	}
	x.cost += int64(len(m.Data))
	for _, h := range m.Holes {
		x.Holes = append(x.Holes, framed.Hole{From: h.From + len(x.Data), To: h.To + len(x.Data)})
	}
	x.Data = append(x.Data, m.Data...)
	x.Last = m.Last
	x.Seen.Merge(m.Seen)
	return true
}

// message takes one call or reply.
func (d *conn) message(m *framed.Message) {
	b := m.Data
	if len(b) < replyLen {
		return
	}
	id := idOf(m)
	switch binary.BigEndian.Uint32(b[4:]) {
	case 0:
		d.call(id, m)
	case 1:
		c := d.calls[id]
		switch {
		case d.loggedOn(id, m):
		case c != nil && c.m.From != m.From:
			d.forget(c)
			d.done(id)
			d.reply(c, m)
		case c == nil && d.secret != nil:
			d.sawSealed(nil, m)
		case c == nil && d.wire.UDP:
			d.hold(id, m, d.p.env.Budget())
		}
	}
}

// conflicts notes copies of bytes that differ, at an offset of a file that moves.
func (d *conn) conflicts(f *flow, off int64) {
	n := d.wire.Conflicts[0] + d.wire.Conflicts[1]
	f.conflict.Saw(d.damage, n, off, d.wire.Corrupt)
	d.damage = n
}

// idOf is the id of a call or reply.
func idOf(m *framed.Message) uint32 { return binary.BigEndian.Uint32(m.Data) }

func (d *conn) forget(c *call) {
	delete(d.calls, c.id)
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
	c := &call{m: *m, id: id}
	if !c.parse() || c.program != progNFS && c.program != progMount {
		return
	}
	if c.who.control {
		d.logon(c)
		return
	}
	if d.repeats(c) {
		return
	}
	if c.who.gss {
		c.who.account = d.mounted(c).accounts[c.who.handle]
	}
	if c.who.sealed {
		d.sawSealed(c, m)
		return
	}
	d.overdue(m.First.Time)
	c.cost = int64(len(m.Data))
	if !d.room(c.cost) {
		d.p.env.Blind("over-budget", c.cost)
		d.lost()
		return
	}
	d.keep(c)
	d.calls[id] = c
	d.order = append(d.order, id)
	if r := d.came(id, d.p.env.Budget()); r != nil {
		d.message(r)
	}
}

// keep lets a call outlive the packet that brought it.
func (d *conn) keep(c *call) {
	if !d.wire.UDP {
		c.m.Block = d.halves[c.m.From].Keep()
		return
	}
	c.m.Data, c.m.Block = append([]byte(nil), c.m.Data...), nil
	c.args.b = c.m.Data
}

// parse reads the head of a call (RFC 5531 9).
func (c *call) parse() bool {
	x := xdr{b: c.m.Data, at: 8, holes: c.m.Holes}
	if x.u32() != 2 {
		return false
	}
	c.program, c.version, c.proc = x.u32(), x.u32(), x.u32()
	c.who = x.credential()
	x.u32() // verifier
	x.opaque(400)
	if c.who.wrapped {
		x.skip(2)
	}
	c.args = x
	return !x.bad
}

// repeats says that a call was sent before.
func (d *conn) repeats(c *call) bool {
	if d.wire.UDP && d.wasDone(c.id) {
		return true
	}
	old := d.calls[c.id]
	if old == nil {
		return false
	}
	if string(old.m.Data) == string(c.m.Data) {
		return true
	}
	d.forget(old)
	return false
}

// room makes room for a call: the oldest ones are not waited for any more.
func (d *conn) room(cost int64) bool {
	for len(d.calls) >= maxPending || !d.p.env.Budget().Take(cost) {
		if !d.unanswer() {
			return false
		}
	}
	return true
}

// overdue ends the wait for replies after half of the time after which a file is
// idle.
func (d *conn) overdue(now model.Time) {
	for len(d.order) > 0 {
		switch c := d.calls[d.order[0]]; {
		case c == nil:
			d.order = d.order[1:]
		case now-c.m.First.Time < idle/2:
			return
		default:
			d.unanswer()
		}
	}
}

// unanswer ends the wait for the reply to the oldest call. What was to be written
// counts as seen where the capture lacks answers.
func (d *conn) unanswer() bool {
	for len(d.order) > 0 {
		c := d.calls[d.order[0]]
		d.order = d.order[1:]
		if c == nil {
			continue
		}
		delete(d.calls, c.id)
		d.p.env.Budget().Give(c.cost)
		if d.lossy || d.wire.UDP || !d.heard[c.m.From.Other()] {
			e := &exchange{mounted: d.mounted(c), conn: d, call: c, args: c.args, reply: &c.m, unanswered: true}
			e.run()
		}
		return true
	}
	return false
}

// reply takes an accepted, successful reply to a call (RFC 5531 9).
func (d *conn) reply(c *call, m *framed.Message) {
	x := xdr{b: m.Data, at: 8, bulk: m.Bulk, holes: m.Holes}
	if !x.accepted(c) {
		return
	}
	e := &exchange{mounted: d.mounted(c), conn: d, call: c, args: c.args, reply: m, res: x}
	e.mounted.expire(m.First.Time)
	e.run()
}

// mounted is the state of the two hosts of a call.
func (d *conn) mounted(c *call) *mounted {
	ends := d.wire.Ends
	d.at = d.p.mounted(ends[c.m.From].Addr, ends[c.m.From.Other()].Addr)
	return d.at
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
		e.names.root(string(e.res.fixed(32)), path)
	} else {
		e.names.root(string(e.res.opaque(64)), path)
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
	a.User, a.Domain = e.call.who.user(), e.call.who.account.domain
	a.Seen.Merge(m.Seen)
	a.Seen.Merge(e.reply.Seen)
	return a
}
