// Package carve finds programs and archives that cross connections of protocols
// which nobody knows: sockets opened by hand, netcat, an intruder's own. In come
// the bytes of a connection that no decoder claimed; out goes one transfer for
// each direction that begins as a program, script or archive does, to the end that
// its own headers tell, else to that of the direction. What follows such an end at
// once and begins so too is the next one. It looks at beginnings only, never inside
// other content.
package carve

import (
	"fmt"

	"waybill/internal/content"
	"waybill/internal/model"
	"waybill/internal/wire"
)

// Wanted says whether a direction that begins so is worth carving. Fewer bytes
// than headLen may not tell yet.
func Wanted(head []byte) bool {
	typ := content.TypeOf(head[:min(len(head), headLen)])
	return content.Executable(typ) || typ == "archive"
}

// headLen is what the type is told by.
const headLen = 4096

// tells says whether a head is long enough to tell its format, and is wanted.
func tells(head []byte) bool { return len(head) >= 64 && Wanted(head) }

// New makes the decoder of a connection. All of its bytes are given to it.
func New(env wire.Env, c *wire.Conn) wire.Decoder {
	d := &conn{env: env, wire: c}
	for s := range d.sides {
		d.sides[s].over, d.sides[s].lost = !c.FromStart[s], !c.FromStart[s]
	}
	return d
}

type conn struct {
	env   wire.Env
	wire  *wire.Conn
	sides [2]side
	ended int
}

// side is one direction.
type side struct {
	head    []byte // copied, while it does not tell what begins here
	file    *content.File
	extent  extent
	at      int64 // bytes of the file so far, holes included
	over    bool  // nothing more begins in this direction
	lost    bool  // something of the direction was not seen
	spoken  bool  // the other side spoke since this one did
	ordinal int

	seq        uint32
	start, end model.Time
	seen       wire.Packets
	how        wire.Ending
}

func (d *conn) Data(from wire.Side, c wire.Chunk) {
	s := &d.sides[from]
	d.sides[from.Other()].spoken = true
	if s.spoken && s.file != nil && s.extent.least > 0 && s.at >= s.extent.least {
		d.finish(from, content.End{Size: s.at}) // a program is there, and then there was an answer
	}
	s.spoken = false
	d.feed(from, c)
	if c.Cut > 0 {
		d.Gap(from, int64(c.Cut), c.At)
	}
}

func (d *conn) feed(from wire.Side, c wire.Chunk) {
	for len(c.Data) > 0 && !d.sides[from].over {
		c = c.After(d.take(from, c))
	}
}

// take gives bytes to the file under way, or to the head of the next one, and says
// how many it took.
func (d *conn) take(from wire.Side, c wire.Chunk) int {
	s := &d.sides[from]
	if s.file == nil && len(s.head) == 0 {
		s.seq, s.start, s.end, s.seen = c.Seq, 0, 0, wire.Packets{}
	}
	wire.Stretch(&s.start, &s.end, c.Time)
	s.seen.Add(c.At)
	if s.file == nil {
		return d.begin(from, c)
	}
	n := len(c.Data)
	s.extent.take(s.at, c.Data)
	if end := s.extent.exact; end > 0 {
		n = int(min(int64(n), max(end-s.at, 0)))
	}
	s.file.Write(s.at, c.Data[:n], c.Block)
	s.at += int64(n)
	if end := s.extent.exact; end > 0 && s.at >= end {
		d.finish(from, content.End{Size: end})
	}
	return n
}

// begin looks at the first bytes of what may be a file.
func (d *conn) begin(from wire.Side, c wire.Chunk) int {
	s := &d.sides[from]
	if len(s.head) == 0 && tells(c.Data) {
		d.open(s)
		return 0
	}
	n := min(len(c.Data), headLen-len(s.head))
	if !d.env.Budget().Take(int64(n)) {
		d.stop(s)
		return n
	}
	s.head = append(s.head, c.Data[:n]...)
	if tells(s.head) || len(s.head) == headLen {
		d.decide(from, c.At)
	}
	return n
}

// decide makes a file of the head that was gathered, or gives the direction up.
func (d *conn) decide(from wire.Side, at wire.At) {
	s := &d.sides[from]
	head := s.head
	if len(head) == 0 || !Wanted(head) {
		d.stop(s)
		return
	}
	d.env.Budget().Give(int64(len(head)))
	s.head = nil
	d.open(s)
	d.feed(from, wire.Chunk{Data: head, At: at})
}

func (d *conn) open(s *side) {
	s.file, s.extent, s.at = d.env.File(content.Read), extent{}, 0
	s.ordinal++
}

func (d *conn) stop(s *side) {
	d.env.Budget().Give(int64(len(s.head)))
	s.head, s.over = nil, true
}

// Gap is a hole: nothing is told by a beginning with one, and a file goes on behind
// it, unless it ended inside.
func (d *conn) Gap(from wire.Side, n int64, _ wire.At) {
	s := &d.sides[from]
	s.lost = true
	if s.file == nil {
		d.stop(s)
		return
	}
	s.extent.lose(s.at, n)
	s.at += n
	if end := s.extent.exact; end > 0 && s.at >= end {
		d.finish(from, content.End{Size: end})
		d.stop(s)
	}
}

func (d *conn) End(from wire.Side, how wire.Ending, at wire.At) {
	d.sides[from].how = how
	if d.ended++; d.ended < 2 {
		return
	}
	for from := range d.sides {
		d.conclude(wire.Side(from), at)
	}
}

// conclude ends a direction. One that was closed in order ends its file; else the
// file's own headers tell whether all of it came.
func (d *conn) conclude(from wire.Side, at wire.At) {
	s := &d.sides[from]
	for s.file == nil && len(s.head) > 0 {
		d.decide(from, at)
	}
	if s.file == nil {
		return
	}
	closed := s.how == wire.FIN && !d.wire.UDP
	e := content.End{Size: s.at}
	switch stated := max(s.extent.exact, s.extent.least); {
	case closed && stated > s.at:
		e.Size, e.Incomplete = stated, "shorter than its own headers say"
	case closed && s.appended() > 0 && d.sides[from.Other()].lost:
		e.Incomplete = "what follows the program may be another thing: the other direction was not captured"
	case closed, stated == s.at:
	default:
		e.Incomplete = "interrupted: " + s.how.String()
	}
	d.finish(from, e)
}

// finish gives out the file of a direction.
func (d *conn) finish(from wire.Side, e content.End) {
	s := &d.sides[from]
	t := &wire.Transfer{Conns: []*wire.Conn{d.wire}, Seen: s.seen, Content: s.file, What: "raw TCP"}
	t.Channel, t.Confidence = "tcp", "medium"
	if d.wire.UDP {
		t.Channel, t.What, t.Confidence = "udp", "raw UDP", "low"
		t.Notes = append(t.Notes, "datagrams in the order in which they came")
	}
	t.ID = wire.ID("t", t.Channel, d.wire, from, s.seq, s.ordinal-1)
	t.Start, t.End, t.Status = s.start, s.end, model.Done
	if e.Incomplete != "" && s.how != wire.FIN {
		t.Status = model.Interrupted
	}
	t.Source, t.Destination = d.wire.Ends[from].Endpoint(), d.wire.Ends[from.Other()].Endpoint()
	t.Operation, t.Initiator = model.Push, model.BySource
	if from == 1 {
		t.Operation, t.Initiator = model.Pull, model.ByDestination
	}
	t.Notes = append(t.Notes, s.note())
	s.file.Close(e)
	d.env.Transfer(t)
	s.file = nil
}

// note says why the file ends where it does.
func (s *side) note() string {
	const carved = "carved from a protocol that is not known: "
	switch {
	case s.extent.exact > 0:
		return carved + "its own headers tell its end"
	case s.appended() > 0:
		return fmt.Sprintf("%sall bytes of the direction, %d more than its own headers tell", carved, s.appended())
	}
	return carved + "all bytes of the direction"
}

// appended is how much follows the end of what a program's headers name.
func (s *side) appended() int64 {
	if s.extent.least == 0 {
		return 0
	}
	return max(s.at-s.extent.least, 0)
}
