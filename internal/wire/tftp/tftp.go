// Package tftp decodes TFTP (RFC 1350) with its options (RFC 2347 to 2349 and
// 7440) on any UDP port. In come the datagrams of flows; out goes one transfer a
// request, with blocks put at their places whatever order they came in. It never
// joins two requests, and never guesses at blocks that were not seen.
package tftp

import (
	"waybill/internal/wire"
)

// The opcodes of RFC 1350 5 and RFC 2347.
const (
	opRead  = 1
	opWrite = 2
	opData  = 3
	opAck   = 4
	opError = 5
	opOAck  = 6
)

// Protocol makes decoders of TFTP flows.
type Protocol struct {
	env  wire.Env
	open []*session // oldest first, ended ones included until they are swept
}

// maxSessions bounds the transfers under way.
const maxSessions = 4096

// New makes the protocol.
func New(env wire.Env) wire.Protocol { return &Protocol{env: env} }

// Name is "tftp".
func (p *Protocol) Name() string { return "tftp" }

// Probe says yes to a flow that begins with a request, and maybe to one that
// could be the answer to a request that is still to come.
func (p *Protocol) Probe(c *wire.Conn, head [2][]byte) wire.Verdict {
	if !c.UDP {
		return wire.No
	}
	verdict := wire.No
	for _, h := range head {
		if _, ok := parseRequest(h); ok {
			return wire.Yes
		}
		if len(h) >= 4 && h[0] == 0 && h[1] >= opData && h[1] <= opOAck {
			verdict = wire.Maybe
		}
	}
	return verdict
}

// Open makes the decoder of a flow.
func (p *Protocol) Open(c *wire.Conn) wire.Decoder { return &flow{p: p, conn: c} }

// Flush ends what is under way.
func (p *Protocol) Flush(wire.At) {
	for _, s := range p.open {
		s.end("end of capture")
	}
	p.open = nil
}

// keep remembers a session until it ends.
func (p *Protocol) keep(s *session) {
	if len(p.open) >= maxSessions {
		p.open[0].end("over budget")
	}
	n := 0
	for _, old := range p.open {
		if !old.over {
			p.open[n] = old
			n++
		}
	}
	clear(p.open[n:])
	p.open = append(p.open[:n], s)
}

// flow is one UDP flow: the one of the request, and mostly another one, from the
// port that the server chose (RFC 1350 4).
type flow struct {
	p       *Protocol
	conn    *wire.Conn
	s       *session
	request string // the last request, to tell a repetition from another one
	ordinal int
}

// Data takes one datagram.
func (f *flow) Data(from wire.Side, c wire.Chunk) {
	if r, ok := parseRequest(c.Data); ok {
		f.asked(r, from, c)
		return
	}
	if f.s != nil {
		f.s.datagram(f.conn, from, c)
	}
}

// asked begins a transfer. A request that is repeated before any answer is one.
func (f *flow) asked(r request, from wire.Side, c wire.Chunk) {
	if f.s != nil && !f.s.over && !f.s.answered && f.request == string(c.Data) {
		f.s.t.Seen.Add(c.At)
		return
	}
	if f.s != nil {
		f.s.end("another request followed")
	}
	f.request = string(c.Data)
	f.s = newSession(f, r, from, c)
	f.ordinal++
	s := f.s
	f.p.env.Expect(wire.Expectation{UDP: true, At: f.conn.Ends[from], Protocol: "tftp",
		Open: func(c *wire.Conn, listener wire.Side) wire.Decoder {
			s.t.Conns = append(s.t.Conns, c)
			return &flow{p: f.p, conn: c, s: s}
		}})
}

// Gap cannot happen to datagrams.
func (f *flow) Gap(wire.Side, int64, wire.At) {}

// End ends the transfer, but for the flow of a request that another one answers.
func (f *flow) End(_ wire.Side, how wire.Ending, _ wire.At) {
	if f.s != nil && (f.conn != f.s.asked || !f.s.answered) {
		f.s.end(how.String())
	}
}
