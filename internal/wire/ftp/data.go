package ftp

import (
	"waybill/internal/model"
	"waybill/internal/wire"
)

// channel is a data connection that was agreed on.
type channel struct {
	c       *control
	at      wire.AddrPort
	also    wire.AddrPort // the address that was told
	passive bool          // the server listens
	move    *movement
	discard bool // it carries a listing
	data    *data
	used    bool // a command uses it
}

// agree announces the data connection of the next command. The address that was
// told is another one than the host's behind address translation, and between
// two servers.
func (c *control) agree(told wire.AddrPort, passive bool) {
	client, server := c.ends()
	host := client.Addr
	if passive {
		host = server.Addr
	}
	if other := c.p.active[told]; other != nil && other.c != c && other.passive && !passive && told.Addr != host {
		c.channel = other // the other server listens there
		return
	}
	c.channel = &channel{c: c, at: wire.AddrPort{Addr: host, Port: told.Port}, also: told, passive: passive}
	c.channel.expect()
}

// expect claims the next connection to the channel's addresses.
func (ch *channel) expect() {
	p := ch.c.p
	if len(p.active) >= maxStored {
		clear(p.active)
	}
	p.active[ch.at] = ch
	p.env.Expect(wire.Expectation{At: ch.at, Protocol: "ftp", Open: ch.open})
	if ch.also != ch.at && ch.data == nil {
		p.active[ch.also] = ch
		p.env.Expect(wire.Expectation{At: ch.also, Protocol: "ftp", Open: ch.open})
	}
}

// anew is the same agreement for another connection.
func (ch *channel) anew() *channel {
	next := &channel{c: ch.c, at: ch.at, also: ch.also, passive: ch.passive}
	ch.c.channel = next
	next.expect()
	return next
}

// use binds the channel to a command. A channel that a command had already, with
// no new agreement since, is opened anew on the same port (RFC 959 3.2).
func (c *control) use(m *movement) {
	ch := c.channel
	if ch == nil {
		return
	}
	if ch.used && ch.c == c {
		ch = ch.anew()
	}
	if ch.move != nil { // the other server's command came first
		m.twin = ch.move
		ch.move.between(m)
		return
	}
	ch.move, ch.used = m, true
	if ch.data != nil {
		ch.data.bind()
	}
}

// listing says that the channel carries no file.
func (c *control) listing() {
	ch := c.channel
	if ch == nil {
		return
	}
	if ch.used {
		ch = ch.anew()
	}
	ch.used, ch.discard = true, true
	if ch.data != nil {
		ch.data.bind()
	}
}

// between makes m the one transfer of a file that two servers exchange on a
// third party's order; other is what the other server was told.
func (m *movement) between(other *movement) {
	m.c.p.env.Unverified("ftp/server-to-server")
	client, _ := m.c.ends()
	who := client.Endpoint()
	from, to := m, other
	if m.verb != "RETR" {
		from, to = other, m
	}
	_, source := from.c.ends()
	_, destination := to.c.ends()
	t := m.t
	t.Source, t.Destination = source.Endpoint(), destination.Endpoint()
	t.Operation, t.Initiator, t.Client = model.Copy, model.ByOther, &who
	t.Seen.Merge(other.t.Seen)
	other.over = true
	other.file.Abandon()
	other.c.remove(other)
}

// open makes the decoder of the connection when it is there.
func (ch *channel) open(c *wire.Conn, listener wire.Side) wire.Decoder {
	delete(ch.c.p.active, ch.at)
	delete(ch.c.p.active, ch.also)
	d := &data{ch: ch, wire: c, server: listener}
	if !ch.passive {
		d.server = listener.Other()
	}
	if ch.data == nil {
		ch.data = d
		d.bind()
	} else {
		d.deaf = true
	}
	return d
}

// data decodes one data connection.
type data struct {
	ch     *channel
	wire   *wire.Conn
	server wire.Side
	deaf   bool
	bound  bool
	early  []early // what came before the command was seen
	held   int64
	ended  [2]bool
	how    [2]wire.Ending
}

// early is bytes or a gap.
type early struct {
	from wire.Side
	c    wire.Chunk
	gap  int64
}

// bind gives the connection to the command that it belongs to, once known.
func (d *data) bind() {
	ch := d.ch
	if d.bound || ch.move == nil && !ch.discard {
		return
	}
	d.bound = true
	if ch.discard {
		d.deaf = true
		d.drop()
		return
	}
	m := ch.move
	m.attached, m.data = true, d
	m.t.Conns = append(m.t.Conns, d.wire)
	for _, e := range d.early {
		if e.gap > 0 {
			d.Gap(e.from, e.gap, e.c.At)
		} else {
			d.Data(e.from, e.c)
		}
	}
	d.drop()
	if d.ended[0] && d.ended[1] {
		d.over()
	}
}

func (d *data) drop() {
	d.ch.c.p.env.Budget().Give(d.held)
	d.early, d.held = nil, 0
}

// sender is the side that sends the file.
func (d *data) sender() wire.Side {
	if d.ch.move.verb == "RETR" {
		return d.server
	}
	return d.server.Other()
}

// Data takes content.
func (d *data) Data(from wire.Side, c wire.Chunk) {
	switch {
	case d.deaf:
	case !d.bound:
		d.wait(early{from: from, c: c})
	case from == d.sender():
		d.content(c)
	}
}

func (d *data) content(c wire.Chunk) {
	m := d.ch.move
	if m.over {
		return
	}
	if !m.begun {
		if encrypted(c.Data) && d.ch.c.private {
			m.flaw = "encrypted"
		}
		if !d.wire.FromStart[d.sender()] {
			m.flaw = "its first bytes may not have been seen"
		}
		m.begun, m.t.Start, m.t.End = true, 0, 0
	}
	m.t.Seen.Add(c.At)
	wire.Stretch(&m.t.Start, &m.t.End, c.Time)
	m.file.Write(m.offset, c.Data, c.Block)
	m.offset += int64(len(c.Data))
}

// Gap leaves a hole in the content.
func (d *data) Gap(from wire.Side, n int64, at wire.At) {
	switch {
	case d.deaf:
	case !d.bound:
		d.wait(early{from: from, c: wire.Chunk{At: at}, gap: n})
	case from == d.sender():
		d.ch.move.offset += n
	}
}

// wait keeps what came before the command.
func (d *data) wait(e early) {
	n := int64(len(e.c.Data)) + 64
	if d.held+n > maxEarly || !d.ch.c.p.env.Budget().Take(n) {
		e.gap, e.c.Data = e.gap+int64(len(e.c.Data)), nil
		if k := len(d.early); k > 0 && d.early[k-1].gap > 0 && d.early[k-1].from == e.from {
			d.early[k-1].gap += e.gap
			return
		}
		n = 0
		if len(d.early) > 2*maxEarly/64 {
			return
		}
	}
	d.held += n
	e.c.Data, e.c.Block = append([]byte(nil), e.c.Data...), nil
	d.early = append(d.early, e)
}

// End ends a side; the content ends with the one that sends it.
func (d *data) End(from wire.Side, how wire.Ending, at wire.At) {
	d.ended[from], d.how[from] = true, how
	if d.bound && !d.deaf && d.ended[0] && d.ended[1] {
		d.over()
	}
	if d.ended[0] && d.ended[1] && !d.bound {
		d.ch.c.p.env.Budget().Give(d.held)
		d.held = 0
	}
}

// over tells the movement that its data is complete.
func (d *data) over() {
	m := d.ch.move
	m.dataOver, m.how = true, d.how[d.sender()]
	m.conclude(max(m.ended, m.t.End, model.Time(0)))
}
