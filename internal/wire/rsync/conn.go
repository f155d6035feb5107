package rsync

import (
	"waybill/internal/model"
	"waybill/internal/wire"
)

// conn is one connection.
type conn struct {
	p      *protocol
	wire   *wire.Conn
	client wire.Side
	sides  [2]side
	ended  int

	handshake
	a       agreed
	sender  *sender
	several bool // more than one file was listed
	status  string

	quiet bool   // nothing more is said that moves files
	blind string // why nothing more can be read
}

// side is one direction.
type side struct {
	phase phase
	held  []byte // of the hand-shake, not read yet
	at    wire.At
	end   uint32 // sequence number behind what is held

	// The messages that data are cut into (io.c, read_a_msg).
	plain bool // they are not
	head  [4]byte
	known int   // bytes of head
	left  int64 // of the message
	data  bool  // it is data
}

// maxTalk bounds what is held of a hand-shake.
const maxTalk = 64 << 10

func (d *conn) Data(from wire.Side, c wire.Chunk) {
	s := &d.sides[from]
	switch {
	case d.quiet:
	case d.blind != "":
		d.p.env.Blind(d.blind, int64(len(c.Data)))
	case s.phase == inData:
		d.messages(from, c)
	default:
		d.talk(from, c)
	}
}

// talk takes bytes of the hand-shake.
func (d *conn) talk(from wire.Side, c wire.Chunk) {
	s := &d.sides[from]
	if len(s.held)+len(c.Data) > maxTalk {
		d.p.env.Blind("unknown-protocol", int64(len(c.Data)))
		d.deaf("unknown-protocol")
		return
	}
	s.held = append(s.held, c.Data...)
	s.at, s.end = c.At, c.Seq+uint32(len(c.Data))
	d.seen.Add(c.At)
	if s.phase == inGreeting && from == d.client {
		d.first = s.end - uint32(len(s.held))
	}
	d.advance()
	if d.ready() {
		d.open()
	}
}

// deaf gives the rest of the connection up.
func (d *conn) deaf(why string) {
	d.blind = why
	d.sides[0].held, d.sides[1].held = nil, nil
}

// open begins the data; what was held of them comes first.
func (d *conn) open() {
	d.a.settle(d.offers[d.client], d.offers[d.client.Other()])
	from := d.client
	if !d.a.push {
		from = from.Other()
	}
	d.sides[d.client].plain = d.a.version < 30
	d.sender = newSender(d, from)
	for i := range d.sides {
		s := &d.sides[i]
		rest := s.held
		s.phase, s.held = inData, nil
		if len(rest) > 0 && d.blind == "" {
			d.messages(wire.Side(i), wire.Chunk{Data: rest, Seq: s.end - uint32(len(rest)), At: s.at})
		}
	}
}

// messages takes data, or the messages that they are cut into. What the receiver
// says is not read.
func (d *conn) messages(from wire.Side, c wire.Chunk) {
	if d.sender.from != from {
		return
	}
	s := &d.sides[from]
	if s.plain {
		d.sender.feed(c)
		return
	}
	for len(c.Data) > 0 && d.blind == "" {
		if s.left == 0 {
			c = d.message(s, c)
			continue
		}
		n := int(min(s.left, int64(len(c.Data))))
		if s.data {
			d.sender.feed(c.First(n))
		}
		s.left -= int64(n)
		c = c.After(n)
	}
	if d.blind != "" {
		d.p.env.Blind(d.blind, int64(len(c.Data)))
	}
}

// message reads the head of a message: its length and what it is.
func (d *conn) message(s *side, c wire.Chunk) wire.Chunk {
	n := copy(s.head[s.known:], c.Data)
	if s.known += n; s.known < len(s.head) {
		return c.After(n)
	}
	s.known = 0
	s.left = int64(s.head[0]) | int64(s.head[1])<<8 | int64(s.head[2])<<16
	tag := int(s.head[3]) - firstTag
	if s.data = tag == 0; !isTag(tag) {
		d.sender.broken("the messages make no sense")
	}
	return c.After(n)
}

// firstTag is the tag of data (rsync.h, MPLEX_BASE).
const firstTag = 7

// isTag knows the tags of messages (rsync.h, MSG_).
func isTag(tag int) bool {
	switch tag {
	case 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 22, 33, 42, 86, 100, 101, 102:
		return true
	}
	return false
}

func (d *conn) Gap(from wire.Side, n int64, _ wire.At) {
	s := &d.sides[from]
	switch {
	case d.quiet || d.blind != "":
		return
	case s.phase == inData && (d.sender.from != from || d.sender.stage == inEnd):
		return
	case s.phase == inData && d.missing(s, n):
		return
	case d.sender != nil:
		d.sender.end("messages were lost")
	}
	d.deaf("around-loss")
}

// missing goes on behind a hole of n bytes, where that can be done.
func (d *conn) missing(s *side, n int64) bool {
	if s.plain {
		return d.sender.hole(n)
	}
	if n > s.left || s.data && !d.sender.hole(n) {
		return false
	}
	s.left -= n
	return true
}

func (d *conn) End(_ wire.Side, how wire.Ending, _ wire.At) {
	if d.ended++; d.ended < 2 || d.sender == nil {
		return
	}
	d.status = model.Interrupted
	d.sender.end("interrupted: " + how.String())
}
