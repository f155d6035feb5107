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

	refusals int
	quiet    bool   // nothing more is said that moves files
	blind    string // why nothing more can be read
}

// side is one direction.
type side struct {
	phase phase
	held  []byte // of the hand-shake, not read yet
	at    wire.At
	end   uint32 // sequence number behind what is held

	// The messages that data are cut into (io.c, read_a_msg).
	plain bool // they are not
	lost  bool // where the next one begins is not known, and does not matter
	head  [4]byte
	known int    // bytes of head
	left  int64  // of the message
	tag   int    // what it is
	begun uint32 // where it begins
	text  []byte // of an error
}

// maxTalk bounds what is held of a hand-shake.
const maxTalk = 64 << 10

func (d *conn) Data(from wire.Side, c wire.Chunk) {
	s := &d.sides[from]
	switch {
	case d.blind != "":
		d.p.env.Blind(d.blind, int64(len(c.Data)))
	case d.quiet:
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
	d.hush()
}

// hush reads no more of the connection.
func (d *conn) hush() {
	d.quiet = true
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
		if len(rest) > 0 && !d.quiet {
			d.messages(wire.Side(i), wire.Chunk{Data: rest, Seq: s.end - uint32(len(rest)), At: s.at})
		}
	}
}

// messages takes data, or the messages that they are cut into. Of what the receiver
// says only errors are read.
func (d *conn) messages(from wire.Side, c wire.Chunk) {
	s := &d.sides[from]
	sends := d.sender.from == from
	switch {
	case s.plain && sends:
		d.sender.feed(c)
		return
	case s.plain || s.lost || from == d.client && !sends:
		return
	}
	for len(c.Data) > 0 && !d.quiet {
		if s.left == 0 {
			c = d.message(from, c)
			continue
		}
		n := int(min(s.left, int64(len(c.Data))))
		switch {
		case s.tag == tagData && sends:
			d.sender.feed(c.First(n))
		case s.tag == tagError || s.tag == tagFileError:
			s.text = append(s.text, c.Data[:min(n, maxText-len(s.text))]...)
		}
		if s.left -= int64(n); s.left == 0 && len(s.text) > 0 {
			d.error(from, c.At)
		}
		c = c.After(n)
	}
	if d.blind != "" {
		d.p.env.Blind(d.blind, int64(len(c.Data)))
	}
}

// error takes the text of an error.
func (d *conn) error(from wire.Side, at wire.At) {
	s := &d.sides[from]
	if from != d.client {
		d.refused(string(s.text), s.begun, at)
	}
	s.text = s.text[:0]
}

// message reads the head of a message: its length and what it is.
func (d *conn) message(from wire.Side, c wire.Chunk) wire.Chunk {
	s := &d.sides[from]
	n := copy(s.head[s.known:], c.Data)
	if s.known += n; s.known < len(s.head) {
		return c.After(n)
	}
	s.known, s.begun = 0, c.Seq+uint32(n)
	s.left = int64(s.head[0]) | int64(s.head[1])<<8 | int64(s.head[2])<<16
	s.tag = int(s.head[3]) - firstTag
	switch {
	case isTag(s.tag):
	case from == d.sender.from:
		d.sender.broken("the messages make no sense")
	default:
		s.lost = true
		return c.First(0)
	}
	return c.After(n)
}

// Tags of messages (rsync.h, MSG_), the first of which is sent as firstTag.
const (
	firstTag     = 7
	tagData      = 0
	tagFileError = 1
	tagError     = 3
	maxText      = 512 // kept of an error
)

// isTag knows the tags of messages.
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
	case d.quiet:
		return
	case s.phase == inData && (d.sender.from != from || d.sender.stage == inEnd):
		s.lost = true
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
	if n > s.left || s.tag == tagData && !d.sender.hole(n) {
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
