package smb1

import (
	"cmp"
	"slices"

	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/dcerpc"
	"waybill/internal/wire/framed"
	"waybill/internal/wire/ntlm"
)

// Bounds of what one connection keeps.
const (
	maxPending = 4096
	maxUnheard = 64 // while nothing of the server was seen
	maxOpens   = 16384
	maxTrees   = 4096
	maxUsers   = 256
	maxSameID  = 16
)

// conn decodes one connection.
type conn struct {
	p      *protocol
	env    wire.Env
	wire   *wire.Conn
	halves [2]*framed.Reader
	client int // the client's side; -1 until known
	heard  [2]bool
	ended  [2]bool
	how    wire.Ending
	gaps   [2]int // times that bytes were not seen
	damage int64  // conflicting bytes noted so far
	losses int    // times that messages were lost of which nothing is known

	calling, called string // names of the NetBIOS session request
	software        [2]string
	domain          string // of the server
	signed          bool
	users           map[uint16]user
	going           map[uint16]*request // logons with a ticket that the server has not decided on
	trees           map[uint16]*tree
	opens           map[uint16]*open
	order           []*open // as they were opened, ended ones too until swept
	pending         map[uint32]*request
	raw             *request // a raw read or write that is under way
	services        dcerpc.Services
	partial         map[readKey]*flow
	held            []*held
}

// user is who a user id stands for.
type user struct {
	name, domain, workstation, auth string
}

// tree is a share that the client connected to.
type tree struct {
	share string
	pipes bool
}

// request is a request without its answer.
type request struct {
	message
	blocks   []block
	open     *open // that its first block names
	token    ntlm.Token
	user     user
	asked    body   // of a transaction
	answered body   // of its answer
	data     []byte // of a raw write
	cost     int64
	gaps     [2]int   // of the connection when it was sent
	next     *request // sent under the same id before this one was answered
}

func (c *conn) Data(from wire.Side, ch wire.Chunk) {
	c.heard[from] = true
	c.halves[from].Data(ch)
}

func (c *conn) Gap(from wire.Side, n int64, at wire.At) {
	c.gaps[from]++
	c.halves[from].Gap(n)
}

// lostMessages notes that messages were lost.
func (c *conn) lostMessages() { c.losses++ }

// frame takes one frame: a message, or one of the NetBIOS session service.
func (c *conn) frame(f *framed.Message) {
	switch {
	case f.Data[0] == 0x81:
		c.sessionRequest(f.Data[4:])
	case f.Data[0] == 0 && len(f.Data) > 4:
		for i := range f.Holes {
			f.Holes[i].From -= 4
			f.Holes[i].To -= 4
		}
		f.Bulk.At -= 4
		f.Data = f.Data[4:]
		c.message(f)
	}
}

// End ends one side. The connection ends with its second side.
func (c *conn) End(from wire.Side, how wire.Ending, at wire.At) {
	c.halves[from].Reset()
	if c.ended[from] {
		return
	}
	c.ended[from] = true
	if !c.ended[from.Other()] {
		c.how = how
		return
	}
	if c.how == wire.FIN || how == wire.FIN && c.how == wire.EndOfCapture {
		how = wire.FIN
	}
	c.unanswered()
	for _, o := range c.order {
		o.finish(how, at)
	}
	c.flushPartial()
	c.release(0)
}

// clientSide is the client's side; while no message tells, the one that does not
// use a file-sharing port.
func (c *conn) clientSide() wire.Side {
	if c.client >= 0 {
		return wire.Side(c.client)
	}
	if p := c.wire.Ends[0].Port; p == 445 || p == 139 {
		return 1
	}
	return 0
}

func (c *conn) ends() (client, server wire.AddrPort) {
	s := c.clientSide()
	return c.wire.Ends[s], c.wire.Ends[s.Other()]
}

// unheard says that answers may be missing because the capture lacks them.
func (c *conn) unheard() bool {
	s := c.clientSide().Other()
	return c.gaps[s] > 0 || !c.heard[s]
}

// message takes one whole message.
func (c *conn) message(f *framed.Message) {
	m, ok := parse(f)
	if !ok {
		c.rawData(&m)
		return
	}
	if len(f.Holes) > 0 && !m.content() {
		c.lostMessages() // what is missing may matter
		return
	}
	if c.client < 0 {
		c.client = int(m.From)
		if m.reply() {
			c.client = int(m.From.Other())
		}
	}
	c.signed = c.signed || m.flags2&flags2Signed != 0
	if int(m.From) == c.client {
		c.request(m)
		return
	}
	c.response(m)
}

// request takes a message of the client.
func (c *conn) request(m message) {
	blocks := m.blocks()
	if len(blocks) == 0 {
		return
	}
	if m.command == cmdWriteComplete {
		return
	}
	last, n := c.pending[m.id], 1
	for ; last != nil && last.next != nil; n++ {
		last = last.next
	}
	if goesOn(blocks[0].command) {
		if last != nil && last.command == blocks[0].command-1 {
			c.part(last, &blocks[0], true)
		}
		return
	}
	if n >= maxSameID {
		c.forget(c.pending[m.id])
	}
	if len(c.pending) >= maxUnheard && !c.heard[m.From.Other()] {
		c.unanswered() // no answer will come
	}
	if len(c.pending) >= maxPending || !c.env.Budget().Take(int64(len(m.b))) {
		c.env.Blind("over-budget", int64(len(m.b)))
		c.lostMessages()
		return
	}
	r := &request{message: m, blocks: blocks, cost: int64(len(m.b)), gaps: c.gaps}
	r.Block = c.halves[m.From].Keep()
	if last != nil && c.pending[m.id] != nil {
		last.next = r
	} else {
		c.pending[m.id] = r
	}
	for i := range r.blocks {
		c.ask(r, &r.blocks[i])
	}
}

// conflicts notes copies of bytes that differ, at an offset of a file that moves.
func (c *conn) conflicts(f *flow, off int64) {
	n := c.wire.Conflicts[0] + c.wire.Conflicts[1]
	f.conflict.Saw(c.damage, n, off, c.wire.Corrupt)
	c.damage = n
}

// forget takes a request out of those that wait.
func (c *conn) forget(r *request) {
	if c.pending[r.id] == r {
		c.pending[r.id] = r.next
		if r.next == nil {
			delete(c.pending, r.id)
		}
	}
	c.env.Budget().Give(r.cost)
	r.cost = 0
	if c.raw == r {
		c.raw = nil
	}
}

// ask notes what a request says before it is answered.
func (c *conn) ask(r *request, x *block) {
	switch x.command {
	case cmdSessionSetup:
		r.token, r.user = setupRequest(c.env, x)
		if s := setupSoftware(x); s != "" {
			c.software[0] = s
		}
	case cmdTransaction, cmdTransaction2, cmdNTTransact:
		c.part(r, x, false)
	case cmdWriteRaw, cmdReadRaw:
		c.raw = r
	}
}

// waiting gives the request that an answer is to. Ids are used again: where answers
// were lost, one that waits longer than the next of its id has none.
func (c *conn) waiting(id uint32) *request {
	s := c.clientSide()
	for {
		r := c.pending[id]
		if r == nil || c.gaps[s.Other()] == r.gaps[s.Other()] || r.next == nil && c.gaps[s] == r.gaps[s] {
			return r
		}
		c.forget(r)
		c.assume(r)
	}
}

// response takes a message of the server.
func (c *conn) response(m message) {
	r := c.waiting(m.id)
	if r == nil && m.command == cmdWriteComplete && c.raw != nil {
		r = c.raw
	}
	if r == nil {
		return
	}
	if m.command == cmdWriteRaw && !m.failed() && r.command == cmdWriteRaw {
		return // an interim answer; the rest of the data follows
	}
	if c.continued(&m, r) {
		r.Seen.Merge(m.Seen)
		return
	}
	c.forget(r)
	if !m.failed() && (!r.asked.whole() || !r.answered.whole()) {
		c.lostMessages()
		return
	}
	answers := m.blocks()
	for i := range r.blocks {
		x := &r.blocks[i]
		var y *block
		if i < len(answers) && (answers[i].command == x.command || m.command == cmdWriteComplete) {
			y = &answers[i]
		}
		if y == nil && !m.failed() {
			return
		}
		c.answer(r, x, y, &m)
		if m.failed() {
			return
		}
	}
}

// answer takes the answer to one command of a chain; y is nil where an error has
// no body.
func (c *conn) answer(r *request, x, y *block, m *message) {
	switch x.command {
	case cmdNegotiate:
		c.negotiated(y, m)
	case cmdSessionSetup:
		c.setup(r, y, m)
	case cmdLogoff:
		delete(c.users, r.message.user)
	case cmdTreeConnectX, cmdTreeConnect:
		c.treeConnect(r, x, y, m)
	case cmdTreeDisconnect:
		c.treeDisconnect(m)
	case cmdNTCreate, cmdOpenAndX, cmdOpen, cmdCreate, cmdCreateNew, cmdNTTransact:
		c.opened(r, x, y, m)
	case cmdClose, cmdWriteAndClose:
		c.closed(r, x, m)
	case cmdReadAndX, cmdRead, cmdLockAndRead:
		c.read(r, x, y, m)
	case cmdWriteAndX, cmdWrite, cmdWriteAndUnlock, cmdWriteRaw:
		c.written(r, x, y, m)
	case cmdTransaction2:
		if x.opens(r) {
			c.opened(r, x, y, m)
			return
		}
		c.transacted(r, x, y, m)
	case cmdTransaction:
		c.transacted(r, x, y, m)
	case cmdRename, cmdNTRename, cmdMove:
		c.renamed(x, m)
	case cmdCopy:
		c.copied(r, x, m)
	case cmdDelete:
		c.deleted(r, x, m)
	}
}

// unanswered takes the requests whose answers the capture lacks: what was to be
// written counts as seen (contract, "When it is whole").
func (c *conn) unanswered() {
	var all []*request
	for _, r := range c.pending {
		for ; r != nil; r = r.next {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b *request) int { return cmp.Compare(a.First.Packet, b.First.Packet) })
	for _, r := range all {
		c.env.Budget().Give(r.cost)
		r.cost = 0
		c.assume(r)
	}
	clear(c.pending)
	c.raw = nil
}

// assume takes a request whose answer was not captured.
func (c *conn) assume(r *request) {
	if !c.unheard() {
		return
	}
	for i := range r.blocks {
		switch x := &r.blocks[i]; x.command {
		case cmdWriteAndX, cmdWrite, cmdWriteAndUnlock:
			o := c.find(r, x)
			o.unanswered = true
			c.accept(r, x, o, -1)
		}
	}
}

// who is the user of a message.
func (c *conn) who(m *message) user { return c.users[m.user] }

// access starts an access record of a request.
func (c *conn) access(what string, m *message, ordinal int) *wire.Access {
	a := &wire.Access{Conn: c.wire}
	a.ID = wire.ID("a", channel, c.wire, m.From, m.Seq, ordinal, []byte(what)...)
	a.Time, a.What, a.Channel = m.First.Time, what, channel
	client, server := c.ends()
	a.Source, a.Destination = client.Endpoint(), server.Endpoint()
	u := c.who(m)
	a.User, a.Domain = u.name, u.domain
	a.Seen.Merge(m.Seen)
	return a
}

// session is what is known of the exchange.
func (c *conn) session(u user) *model.Session {
	return &model.Session{Dialect: "NT LM 0.12", Signed: c.signed, Channels: 1, Workstation: u.workstation,
		ClientSoftware: c.software[0], ServerSoftware: c.software[1]}
}
