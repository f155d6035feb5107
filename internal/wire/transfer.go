package wire

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"waybill/internal/content"
	"waybill/internal/model"
)

// Transfer is a transfer as its decoder leaves it.
//
// The decoder fills in the record all that the protocol says: ends, initiator,
// operation, channel, names, user, session, status, reason, Start and End. What
// the content decides is left empty and filled when its hash is done: size,
// bytes seen, hashes, type, and completeness with its reason unless the decoder
// set them. Kind, scope, evidence, community id and techniques are not the
// decoder's either.
type Transfer struct {
	model.Transfer
	// Content is what moved; nil for opaque, denied and inferred transfers.
	Content *content.File
	// Seen gathers the packets that the transfer rests on.
	Seen Packets
	// Conns are the connections that carried it, the one that opened it first.
	Conns []*Conn
	// What is one line for the evidence: "SMB2 WRITE", "RETR", "GET".
	What string
	// Bursts are the parts of an opaque exchange between which nothing was sent: a
	// connection that stays open carries many files.
	Bursts []Burst
	// PagePart marks web content that the default print rules leave out.
	PagePart bool
}

// Burst is content that crossed an encrypted connection without a pause.
type Burst struct {
	Start, End model.Time
	Content    [2]int64 // by sizes, of each end of the first of Conns
	Seen       Packets
}

// Access is an access with the packets that it rests on.
type Access struct {
	model.Access
	Seen Packets
	Conn *Conn
	// Answers are the addresses that a name-answer gives.
	Answers []model.Addr
}

// Packets is a range of packets an input. The zero value is empty.
type Packets struct {
	spans []Span
}

// Span is the first and last packet of one input.
type Span struct {
	Input       int32
	First, Last uint64
}

// Add widens the range of at's input to hold at.
func (p *Packets) Add(at At) {
	for i := range p.spans {
		s := &p.spans[i]
		if s.Input == at.Input {
			s.First, s.Last = min(s.First, at.Packet), max(s.Last, at.Packet)
			return
		}
	}
	p.spans = append(p.spans, Span{at.Input, at.Packet, at.Packet})
}

// Merge adds all of other's packets.
func (p *Packets) Merge(other Packets) {
	for _, s := range other.spans {
		p.Add(At{Input: s.Input, Packet: s.First})
		p.Add(At{Input: s.Input, Packet: s.Last})
	}
}

// Spans gives the ranges, one an input, in the order of first sight.
func (p *Packets) Spans() []Span { return p.spans }

// Stretch widens [start, end] to hold t; a zero start is unset.
func Stretch(start, end *model.Time, t model.Time) {
	if *start == 0 || t < *start {
		*start = t
	}
	if t > *end {
		*end = t
	}
}

// ID is the id of a transfer or access (contract, transfer): a digest of kind
// ("t" or "a"), channel, addresses, ports, the side that sent the opening
// message, its TCP sequence number and the ordinal within it. No clock, packet
// number or content is in it, so that sensors that saw the message agree.
func ID(kind, channel string, c *Conn, from Side, seq uint32, ordinal int, extra ...byte) string {
	b := append([]byte(channel), 0)
	for _, s := range [2]Side{from, from.Other()} {
		b = append(b, c.Ends[s].Addr[:]...)
		b = binary.BigEndian.AppendUint16(b, c.Ends[s].Port)
	}
	b = binary.BigEndian.AppendUint32(b, seq)
	b = binary.BigEndian.AppendUint32(b, uint32(ordinal))
	b = append(b, extra...)
	sum := sha256.Sum256(b)
	return kind + "-" + hex.EncodeToString(sum[:8])
}
