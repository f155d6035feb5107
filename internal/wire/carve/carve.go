// Package carve finds programs and archives that cross connections of protocols
// which nobody knows: sockets opened by hand, netcat, an intruder's own. In come
// the bytes of a connection that no decoder claimed; out goes one transfer for
// each direction that begins as a program, script or archive does, to its end. It
// looks at the beginnings of directions only, never inside other content.
package carve

import (
	"encoding/binary"

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

// New makes the decoder of a connection. All of its bytes are given to it.
func New(env wire.Env, c *wire.Conn) wire.Decoder { return &conn{env: env, wire: c} }

type conn struct {
	env   wire.Env
	wire  *wire.Conn
	sides [2]side
	ended int
}

// side is one direction.
type side struct {
	begun      bool
	file       *content.File // nil where nothing is carved
	at         int64
	seq        uint32
	start, end model.Time
	seen       wire.Packets
	lost       bool
	how        wire.Ending
}

func (d *conn) Data(from wire.Side, c wire.Chunk) {
	s := &d.sides[from]
	if !s.begun {
		s.begun, s.seq = true, c.Seq
		if d.wire.FromStart[from] && Wanted(c.Data) {
			s.file = d.env.File(content.Read)
		}
	}
	if s.file == nil {
		return
	}
	wire.Stretch(&s.start, &s.end, c.Time)
	s.seen.Add(c.At)
	s.file.Write(s.at, c.Data, c.Block)
	s.at += int64(len(c.Data)) + int64(c.Cut)
	s.lost = s.lost || c.Cut > 0
}

func (d *conn) Gap(from wire.Side, n int64, _ wire.At) {
	s := &d.sides[from]
	s.begun, s.lost = true, true // a direction whose first bytes are missing is not carved
	s.at += n
}

func (d *conn) End(from wire.Side, how wire.Ending, _ wire.At) {
	d.sides[from].how = how
	if d.ended++; d.ended < 2 {
		return
	}
	for from := range d.sides {
		if s := &d.sides[from]; s.file != nil {
			d.report(wire.Side(from), s)
		}
	}
}

// report gives out what a direction carried. A connection that was closed in
// order ends its content; else the content's own headers tell its size.
func (d *conn) report(from wire.Side, s *side) {
	t := &wire.Transfer{Conns: []*wire.Conn{d.wire}, Seen: s.seen, Content: s.file, What: "raw TCP"}
	t.Channel = "tcp"
	if d.wire.UDP {
		t.Channel, t.What = "udp", "raw UDP"
	}
	t.ID = wire.ID("t", t.Channel, d.wire, from, s.seq, 0)
	t.Start, t.End, t.Status = s.start, s.end, model.Done
	t.Source, t.Destination = d.wire.Ends[from].Endpoint(), d.wire.Ends[from.Other()].Endpoint()
	t.Operation, t.Initiator = model.Push, model.BySource
	if from == 1 {
		t.Operation, t.Initiator = model.Pull, model.ByDestination
	}
	t.Confidence = "medium"
	t.Notes = append(t.Notes, "carved: the protocol is not known, all bytes of the direction were taken for the file")
	e := content.End{Size: s.at}
	stated := ownSize(s.file.Head())
	switch {
	case s.how == wire.FIN && !d.wire.UDP:
		if stated > s.at {
			e.Size, e.Incomplete = stated, "shorter than its own headers say"
		}
	case stated > 0 && stated <= s.at:
		e.Size = stated
	default:
		e.Incomplete = "interrupted: " + s.how.String()
		t.Status = model.Interrupted
	}
	s.file.Close(e)
	d.env.Transfer(t)
}

// ownSize is the size that a program's headers tell; 0 where they tell none.
func ownSize(b []byte) int64 {
	switch {
	case len(b) > 0x40 && b[0] == 'M' && b[1] == 'Z':
		return peSize(b)
	case len(b) >= 64 && string(b[:4]) == "\x7fELF":
		return elfSize(b)
	}
	return 0
}

// peSize is the end of the last section (Microsoft PE format, "Section Table"), or
// of the certificates behind it.
func peSize(b []byte) int64 {
	le := binary.LittleEndian
	at := int64(le.Uint32(b[0x3c:]))
	if at < 0 || at+24 > int64(len(b)) || string(b[at:at+4]) != "PE\x00\x00" {
		return 0
	}
	sections, optional := int(le.Uint16(b[at+6:])), int64(le.Uint16(b[at+20:]))
	table := at + 24 + optional
	end := int64(0)
	for i := range min(sections, 96) {
		s := table + int64(i)*40
		if s+40 > int64(len(b)) {
			return 0
		}
		end = max(end, int64(le.Uint32(b[s+16:]))+int64(le.Uint32(b[s+20:])))
	}
	directory := at + 24 + 96 + 4*8 // certificates of PE32
	if le.Uint16(b[at+24:]) == 0x20b {
		directory += 16
	}
	if directory+8 <= table && directory+8 <= int64(len(b)) {
		if off, n := int64(le.Uint32(b[directory:])), int64(le.Uint32(b[directory+4:])); off > 0 {
			end = max(end, off+n)
		}
	}
	return end
}

// elfSize is the end of the section headers (System V ABI, "ELF Header"), which
// linkers put last.
func elfSize(b []byte) int64 {
	var order binary.ByteOrder = binary.LittleEndian
	if b[5] == 2 {
		order = binary.BigEndian
	}
	if b[4] == 1 {
		return int64(order.Uint32(b[32:])) + int64(order.Uint16(b[46:]))*int64(order.Uint16(b[48:]))
	}
	n := order.Uint64(b[40:])
	if n > 1<<40 {
		return 0
	}
	return int64(n) + int64(order.Uint16(b[58:]))*int64(order.Uint16(b[60:]))
}
