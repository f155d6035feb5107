package http

import (
	"waybill/internal/model"
	"waybill/internal/wire"
)

// carries says whether an answer brings a file: a good answer to a GET or POST,
// or to a request that was not seen. Error pages and the listings of WebDAV do
// not.
func carries(x *exchange, status int) bool {
	if status != 200 && status != 203 && status != 206 {
		return false
	}
	return x == nil || x.method == "GET" || x.method == "POST"
}

// answerSink makes what takes the body of an answer; nil when it is no file.
func (c *conn) answerSink(x *exchange, h *half, hd *header) sink {
	if !carries(x, hd.status) {
		return nil
	}
	if c.isRemoteShell(x, hd) {
		return c.winrmAnswer(x, hd)
	}
	codings := hd.codings()
	if f := hd.framing(untilClose); !f.chunked && f.length >= 0 && f.length < minAnswer && len(codings) == 0 && hd.status != 206 {
		return nil
	}
	if hd.status == 206 {
		if s, ok := c.rangeSink(x, h, hd); ok {
			return s
		}
	}
	m := c.newAnswer(x, h, hd)
	m.done = c.answerDone(x, h, hd)
	if hd.status == 206 && len(codings) == 0 {
		m.flaw = "a range of unknown place"
	}
	return c.decoding(codings, m, m)
}

// newAnswer starts the transfer of an answer's content.
func (c *conn) newAnswer(x *exchange, h *half, hd *header) *movement {
	m := c.newMovement(h.side, x, hd)
	t := m.t
	t.Operation, t.Initiator = model.Pull, model.ByDestination
	t.What = "HTTP answer"
	t.ID = wire.ID("t", "http", c.wire, h.side, hd.seq, 0)
	agent := ""
	if x != nil {
		t.What = "HTTP " + x.method
		t.ID = wire.ID("t", "http", c.wire, x.side, x.seq, 0)
		agent = x.agent
	}
	m.session(agent, short(hd.get("Server"), maxText))
	if t.Name == "" && x == nil {
		t.Name = lastElement(t.DispositionName)
	}
	return m
}

// answerDone hands out an answer once its body is over. One that is not whole
// stays a while: the client may fetch the rest as a range.
func (c *conn) answerDone(x *exchange, h *half, hd *header) func(*movement) {
	key := c.entityOf(x, h, hd)
	joins := hd.status == 200 && x != nil && x.method == "GET"
	stated := hd.framing(untilClose).length
	return func(m *movement) {
		size := max(m.file.Seen(), m.end.size)
		if m.end.why != "" {
			size = max(size, stated)
		}
		switch {
		case m.empty() || size < minAnswer:
			m.file.Abandon()
		case joins && m.end.size >= 0 && !m.file.Covers(0, m.end.size) && m.t.ContentEncoding == "":
			key.total = m.end.size
			c.keepEntity(key, m)
		default:
			c.p.env.Transfer(m.finish())
		}
	}
}
