package http

import (
	"slices"

	"waybill/internal/wire"
)

const maxQueue = 1000 // requests that wait for their answers

// conn decodes one connection: it pairs answers with requests.
type conn struct {
	p    *Protocol
	wire *wire.Conn
	half [2]half

	queue     []*exchange // requests without an answer, oldest first
	unkept    int         // requests after those, which there was no room for
	pipelined bool        // the client does not wait for answers
	lossy     bool        // a header was lost since the queue was last empty
	dav       bool        // WebDAV was seen here
	tunnel    bool        // after CONNECT
	asked     bool        // whether others know what is in the tunnel
	inner     wire.Decoder
	stopped   bool    // another protocol took over
	ended     int     // sides
	winrm     *winrm  // WS-Management, once seen
	who       account // that the client logged on as, for the whole connection (RFC 4559)
}

func newConn(p *Protocol, w *wire.Conn) *conn {
	c := &conn{p: p, wire: w}
	for i := range c.half {
		c.half[i].c, c.half[i].side = c, wire.Side(i)
	}
	return c
}

// Data decodes the next bytes of a side.
func (c *conn) Data(from wire.Side, chunk wire.Chunk) {
	if c.tunnel && !c.asked {
		c.asked, c.inner = true, c.p.env.Inner(c.wire, chunk.Data)
	}
	if c.inner != nil {
		c.inner.Data(from, chunk)
		return
	}
	c.half[from].data(chunk)
}

// Gap goes on after bytes that were not seen.
func (c *conn) Gap(from wire.Side, n int64, at wire.At) {
	if c.inner != nil {
		c.inner.Gap(from, n, at)
		return
	}
	if n > 0 && !c.stopped {
		c.half[from].gap(n)
	}
}

// End ends a side; after the second one no answer can come any more.
func (c *conn) End(from wire.Side, how wire.Ending, at wire.At) {
	if c.inner != nil {
		c.inner.End(from, how, at)
	}
	c.half[from].end(how)
	if c.ended++; c.ended < 2 {
		return
	}
	for _, x := range c.queue {
		c.conclude(x)
	}
	c.queue = nil
	if c.winrm != nil {
		c.winrm.end()
	}
}

// message takes a message's header.
func (c *conn) message(h *half, hd *header) {
	c.p.tick()
	if hd.request {
		c.request(h, hd)
		return
	}
	c.challenged(h, hd)
	c.answer(h, hd)
}

// request queues a request and takes its body.
func (c *conn) request(h *half, hd *header) {
	x := newExchange(h, hd)
	c.dav = c.dav || davMethods[x.method] || davClient(hd)
	if len(c.queue) > 0 && !c.lossy {
		c.pipelined = true
	}
	c.loggedOn(x, hd)
	c.agent(x)
	s := c.uploadSink(x, hd)
	if !c.enqueue(x) {
		c.outcome(x)
		c.abandon(s)
		s, x = nil, nil
	}
	h.body(hd.framing(0), s, x)
}

// enqueue keeps a request for its answer. Past the bounds requests are only
// counted, so that the answers to the kept ones still find them.
func (c *conn) enqueue(x *exchange) bool {
	x.cost = exchangeCost + int64(len(x.target)+len(x.host)+len(x.agent)+len(x.destination))
	if c.unkept > 0 || len(c.queue) >= maxQueue || !c.p.env.Budget().Take(x.cost) {
		c.unkept++
		return false
	}
	c.queue = append(c.queue, x)
	return true
}

// next is the request that an answer belongs to; nil when it was not seen.
//
// A client that does not pipeline has one request under way: earlier ones
// without answer lost theirs.
func (c *conn) next() *exchange {
	if len(c.queue) == 0 {
		c.unkept = max(c.unkept-1, 0)
		return nil
	}
	n := 1
	if !c.pipelined {
		n = len(c.queue)
	}
	for _, x := range c.queue[:n-1] {
		c.conclude(x)
	}
	x := c.queue[n-1]
	c.queue = slices.Delete(c.queue, 0, n)
	if len(c.queue) == 0 {
		c.lossy = false
	}
	if x.unseen {
		c.conclude(x)
		return nil
	}
	return x
}

// answer takes an answer's header and its body.
func (c *conn) answer(h *half, hd *header) {
	c.dav = c.dav || hd.get("DAV") != "" || hd.get("MS-Author-Via") != ""
	if hd.status/100 == 1 {
		c.stopped = hd.status == 101
		return
	}
	x := c.next()
	if x != nil {
		x.answered(hd)
		c.refused(x)
		c.settle(x)
		if x.method == "CONNECT" && hd.status/100 == 2 {
			c.enterTunnel()
			return
		}
	}
	if bodyless(x, hd.status) {
		h.body(framing{}, nil, nil)
		return
	}
	h.body(hd.framing(untilClose), c.answerSink(x, h, hd), nil)
}

// bodyless says that an answer has no body whatever its header says (RFC 9112, 6.3).
func bodyless(x *exchange, status int) bool {
	return status == 204 || status == 304 || x != nil && x.method == "HEAD"
}

// enterTunnel looks whether what follows a CONNECT is HTTP again.
func (c *conn) enterTunnel() {
	c.tunnel = true
	for i := range c.half {
		if h := &c.half[i]; h.state == inHeader {
			h.kind = unknown
		}
	}
}

// strange is called for bytes that start no message where one should be.
func (c *conn) strange() { c.stopped = c.stopped || c.tunnel }

// refused ends the body of a request whose client asked first and was told no
// before it sent any of it (RFC 9110, 10.1.1).
func (c *conn) refused(x *exchange) {
	h := &c.half[x.side]
	if !x.expect || h.x != x || h.pos > 0 || x.status < 300 {
		return
	}
	h.state, h.lost = inHeader, true // should the body come all the same, it is passed over
	h.finish(closing{size: -1, why: "refused before it was sent"})
}

// lostHeader notes that a header may have been lost on a side.
func (c *conn) lostHeader(h *half) {
	c.lossy = true
	if h.wanted() == requests && len(c.queue) < maxQueue {
		c.queue = append(c.queue, &exchange{unseen: true, bodyOver: true})
	}
}

// settle concludes an exchange once both its request and its answer are known.
func (c *conn) settle(x *exchange) {
	if x.bodyOver && x.status != 0 {
		c.conclude(x)
	}
}
