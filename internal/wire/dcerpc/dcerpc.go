// Package dcerpc follows the remote procedure calls of one pipe or connection
// (C706 chapter 12, MS-RPCE, connection-oriented). In come the bytes of both
// directions in order; out go calls: interface, operation number, and the stubs
// of request and response where they are in clear. For the service control
// manager it also reads what the calls do (MS-SCMR). It keeps bounded amounts,
// finds the next message after damage, opens nothing that is sealed, and never
// fails.
package dcerpc

import "slices"

// The bounds of what a conversation keeps.
const (
	maxStub     = 1 << 20 // bytes of one stub
	maxHeld     = 2 << 20 // bytes of all stubs of calls without their answer
	maxPending  = 64      // calls without their answer
	maxContexts = 256     // presentation contexts
)

// Call is one remote procedure call.
type Call struct {
	Interface string // lower-case UUID; empty where the bind was not seen
	Name      string // of the interface, as in "svcctl"; empty if unknown
	Opnum     int
	CallID    uint32
	// Request and Response are the stubs without authentication, or the start of
	// them: at most 1 MiB each is kept, and nothing of a sealed call.
	Request, Response []byte
	// RequestCut and ResponseCut say that a stub went on: it was longer than what
	// is kept, or a fragment was lost.
	RequestCut, ResponseCut bool
	// HaveResponse says that an answer was seen, perhaps only a fault.
	HaveResponse bool
	Fault        uint32 // status of a fault; 0: none
	Sealed       bool   // encrypted (authentication level privacy)
	// How the stubs are written (C706 14.1, MS-RPCE 2.2.5).
	NDR64             bool
	BigEndian         bool // of the request
	ResponseBigEndian bool
}

// Conversation follows the calls of one pipe.
type Conversation struct {
	// Assumed is the interface of calls whose bind was not seen: the one that is
	// known to lie behind the pipe (PipeInterface); empty when none is.
	Assumed string

	emit func(Call)
	// Token takes the security tokens of binds and what follows them (MS-RPCE
	// 2.2.2.12); may be nil.
	Token    func(fromClient bool, token []byte)
	sides    [2][]byte // bytes of a message that has not all come, by direction
	hunting  [2]bool   // after damage: where the next message starts is not known
	contexts map[uint16]context
	binds    []bind // that have no answer yet
	calls    []*pending
	held     int
}

// pending is a call whose answer has not all come.
type pending struct {
	Call
	asked bool // the request is complete
}

// New makes a Conversation that hands each complete call to emit.
func New(emit func(Call)) *Conversation {
	return &Conversation{emit: emit, contexts: map[uint16]context{}}
}

// Held is the number of bytes that the conversation keeps at the moment.
func (c *Conversation) Held() int {
	return c.held + len(c.sides[0]) + len(c.sides[1])
}

// Feed takes the next bytes of one direction: whole messages or any parts. It
// keeps no reference to b.
func (c *Conversation) Feed(fromClient bool, b []byte) {
	side := &c.sides[sideOf(fromClient)]
	waiting := len(*side) > 0
	if waiting {
		*side = append(*side, b...)
		b = *side
	}
	n := c.consume(fromClient, b)
	if waiting && n == 0 {
		return // it lies where it should
	}
	*side = append((*side)[:0], b[n:]...)
}

// Lost says that bytes of one direction were not seen before what comes next.
func (c *Conversation) Lost(fromClient bool) {
	side := sideOf(fromClient)
	c.sides[side], c.hunting[side] = nil, false
	for _, call := range c.calls {
		if fromClient {
			call.RequestCut = call.RequestCut || !call.asked
		} else {
			call.ResponseCut = call.ResponseCut || call.HaveResponse
		}
	}
}

// Close ends the conversation: calls without an answer are handed out.
func (c *Conversation) Close() {
	for len(c.calls) > 0 {
		c.abandon(c.calls[0])
	}
	c.sides = [2][]byte{}
	c.binds = nil
}

func sideOf(fromClient bool) int {
	if fromClient {
		return 0
	}
	return 1
}

// consume reads the whole messages at the front of b and gives their length.
// Bytes that cannot start a message are skipped; then only the first fragment of
// one is trusted to be a start, for in other data zeros after a 5 are common.
func (c *Conversation) consume(fromClient bool, b []byte) int {
	hunting := &c.hunting[sideOf(fromClient)]
	at := 0
	for len(b)-at >= headerSize {
		h, ok := parseHeader(b[at:])
		if !ok || *hunting && h.flags&flagFirst == 0 {
			*hunting = true
			at++
			continue
		}
		*hunting = false
		if h.length > len(b)-at {
			break
		}
		c.message(fromClient, pdu{header: h, b: b[at : at+h.length]})
		at += h.length
	}
	return at
}

func (c *Conversation) message(fromClient bool, p pdu) {
	if t := p.token(); t != nil && c.Token != nil {
		c.Token(fromClient, t)
	}
	if fromClient {
		switch p.kind {
		case kindBind, kindAlterContext:
			c.propose(p)
		case kindRequest:
			c.request(p)
		case kindOrphaned:
			if call := c.find(p.callID); call != nil {
				c.abandon(call)
			}
		}
		return
	}
	switch p.kind {
	case kindBindAck, kindAlterContextResp:
		c.bindAck(p)
	case kindBindNak:
		c.bindNak(p)
	case kindResponse, kindFault:
		c.response(p)
	}
}

// request takes a fragment of a request (C706 12.6.4.9).
func (c *Conversation) request(p pdu) {
	if len(p.b) < requestSize {
		return
	}
	call := c.find(p.callID)
	if p.flags&flagFirst != 0 || call == nil || call.asked {
		if call != nil {
			c.abandon(call)
		}
		call = c.begin(p)
	}
	start := requestSize
	if p.flags&flagObject != 0 {
		start += uuidSize
	}
	c.keep(call, &call.Request, &call.RequestCut, p, start)
	call.asked = p.flags&flagLast != 0
}

func (c *Conversation) begin(p pdu) *pending {
	if len(c.calls) == maxPending {
		c.abandon(c.calls[0])
	}
	ctx, bound := c.contexts[p.u16(20)]
	if !bound {
		ctx.iface = c.Assumed
	}
	call := &pending{Call: Call{
		Interface:  ctx.iface,
		Name:       interfaceNames[ctx.iface],
		Opnum:      int(p.u16(22)),
		CallID:     p.callID,
		NDR64:      ctx.ndr64,
		BigEndian:  p.big,
		RequestCut: p.flags&flagFirst == 0,
	}}
	c.calls = append(c.calls, call)
	return call
}

// response takes a fragment of a response or a fault (C706 12.6.4.10, 12.6.4.7).
func (c *Conversation) response(p pdu) {
	call := c.find(p.callID)
	if call == nil || len(p.b) < responseSize {
		return
	}
	if (p.flags&flagFirst != 0) == call.HaveResponse {
		call.ResponseCut = true // the first fragment, or the end of an earlier answer, is missing
	}
	call.HaveResponse = true
	call.ResponseBigEndian = p.big
	if p.kind == kindFault {
		call.Fault = p.u32(24)
		c.finish(call)
		return
	}
	c.keep(call, &call.Response, &call.ResponseCut, p, responseSize)
	if p.flags&flagLast != 0 {
		c.finish(call)
	}
}

// keep adds the stub of a fragment, from start on, to what is there, unless
// something before it is missing.
func (c *Conversation) keep(call *pending, stub *[]byte, cut *bool, p pdu, start int) {
	b, sealed := p.stub(start)
	if sealed {
		call.Sealed = true
		return
	}
	if *cut {
		return
	}
	n := min(len(b), maxStub-len(*stub), maxHeld-c.held)
	*cut = n < len(b)
	*stub = append(*stub, b[:n]...)
	c.held += n
}

func (c *Conversation) find(id uint32) *pending {
	for _, p := range c.calls {
		if p.CallID == id {
			return p
		}
	}
	return nil
}

// abandon hands out a call of which nothing more is expected.
func (c *Conversation) abandon(call *pending) {
	call.RequestCut = call.RequestCut || !call.asked
	call.ResponseCut = call.ResponseCut || call.HaveResponse
	c.finish(call)
}

// finish hands a call out and forgets it.
func (c *Conversation) finish(call *pending) {
	at := slices.Index(c.calls, call)
	c.calls = slices.Delete(c.calls, at, at+1)
	c.held -= len(call.Request) + len(call.Response)
	if call.Sealed {
		call.Request, call.Response = nil, nil
	}
	c.emit(call.Call)
}
