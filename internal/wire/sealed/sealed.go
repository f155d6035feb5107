// Package sealed watches flows between inside hosts that no decoder knows. In come
// their bytes, of which a bounded part of the beginning is looked at; out goes one
// opaque transfer for each that carried 16 KiB or more one way and whose bytes look
// like random ones, as those of encryption and compression do. It names WireGuard,
// IPsec and OpenVPN where their messages show it for certain, and opens nothing.
package sealed

import (
	"cmp"
	"fmt"
	"math"

	"waybill/internal/content"
	"waybill/internal/model"
	"waybill/internal/wire"
)

const opaqueFrom = 16 << 10 // contract, transfer

// Bounds of what is looked at of a side. Greetings in clear come first, headers of
// datagrams before what they carry.
const (
	sampleSkip   = 2 << 10
	sampleMost   = 16 << 10
	sampleLeast  = 4 << 10
	datagramSkip = 32
	firstBytes   = 4 << 10 // by which the type of content is told
)

// Look is what is known of a flow.
type Look struct {
	c     *wire.Conn
	least float64 // entropy of what looks random
	sides [2]side
	guess guess
	seen  wire.Packets
	start model.Time
	end   model.Time
	first uint32
	from  wire.Side
}

// side is what one end sent.
type side struct {
	total, lost int64
	large       int64 // in datagrams that carry content
	pieces      int64 // that is how many of them
	skipped     int
	sampled     int
	counts      *[256]uint32 // until enough was looked at
	entropy     float64
	typ         string // of a file that it begins as
}

// Threshold is the entropy in bits a byte from which bytes count as random when the user
// says nothing else: those of a good cipher have 8.
const Threshold = 7.95

// Cost is the memory that a flow takes.
const Cost = 3 << 10

// New begins to watch a flow, whose bytes look random from an entropy on; 0 is Threshold.
func New(c *wire.Conn, threshold float64) *Look {
	return &Look{c: c, least: cmp.Or(threshold, Threshold)}
}

// Data takes the next bytes of a side.
func (l *Look) Data(from wire.Side, c wire.Chunk) {
	if l.start == 0 {
		l.first, l.from = c.Seq, from
	}
	wire.Stretch(&l.start, &l.end, c.Time)
	l.seen.Add(c.At)
	s := &l.sides[from]
	if s.sampled < sampleMost {
		l.sample(from, c)
	}
	n := int64(len(c.Data) + c.Cut)
	s.total += n
	if n >= largeDatagram {
		s.large += n
		s.pieces++
	}
}

// Gap takes word of bytes that were not seen.
func (l *Look) Gap(from wire.Side, n int64) {
	l.sides[from].total += n
	l.sides[from].lost += n
}

// sample counts the bytes of the beginning.
func (l *Look) sample(from wire.Side, c wire.Chunk) {
	s, b := &l.sides[from], c.Data
	if s.total == 0 && l.c.FromStart[from] {
		s.typ = content.TypeOf(b[:min(len(b), firstBytes)])
	}
	l.guess.take(l.c.UDP, from, b, len(b)+c.Cut)
	if l.c.UDP {
		b = b[min(len(b), datagramSkip):]
	} else if skip := min(len(b), sampleSkip-s.skipped); skip > 0 {
		s.skipped += skip
		b = b[skip:]
	}
	s.add(b[:min(len(b), sampleMost-s.sampled)])
}

func (s *side) add(b []byte) {
	if s.counts == nil {
		s.counts = new([256]uint32)
	}
	for _, v := range b {
		s.counts[v]++
	}
	if s.sampled += len(b); s.sampled == sampleMost {
		s.entropy, s.counts = s.measure(), nil
	}
}

// random says whether a side sent what looks like random bytes, and is no file of a
// known type.
func (s *side) random(least float64) bool {
	if s.typ != "" && s.typ != "data" && s.typ != "text" {
		return false
	}
	return max(s.entropy, s.measure()) >= least
}

// measure is the entropy of the sample in bits a byte, 8 for random bytes however many
// there are (Miller and Madow's correction); 0 while there are too few.
func (s *side) measure() float64 {
	if s.counts == nil || s.sampled < sampleLeast {
		return 0
	}
	n, bits := float64(s.sampled), 0.0
	for _, c := range s.counts {
		if c > 0 {
			p := float64(c) / n
			bits -= p * math.Log2(p)
		}
	}
	return bits + 255/(2*n*math.Ln2)
}

// heavy is the side that sent more.
func (l *Look) heavy() wire.Side {
	if l.sides[1].total > l.sides[0].total {
		return 1
	}
	return 0
}

// Protocol is what the flow is for certain; "" where that is not known.
func (l *Look) Protocol() string { return l.guess.name(l.c.UDP) }

// Sealed says whether the flow carried much that nobody can read.
func (l *Look) Sealed() bool {
	h := l.heavy()
	s := &l.sides[h]
	if s.total-s.lost < opaqueFrom || l.guess.media(l.c.UDP) {
		return false
	}
	return l.Protocol() != "" || s.random(l.least)
}

// Transfer is the record of a flow that is Sealed.
func (l *Look) Transfer() *wire.Transfer {
	h := l.heavy()
	s, o := &l.sides[h], &l.sides[h.Other()]
	t := &wire.Transfer{Conns: []*wire.Conn{l.c}, Seen: l.seen, What: "encrypted flow"}
	t.Channel = "tcp"
	if l.c.UDP {
		t.Channel = "udp"
	}
	t.ID = wire.ID("t", t.Channel, l.c, l.from, l.first, 0)
	t.Start, t.End, t.Status = l.start, l.end, model.Done
	t.Completeness, t.Confidence = model.Opaque, "low"
	t.Session = &model.Session{Dialect: "unknown", Encrypted: true}
	t.Reason = "encrypted or compressed: the bytes look random, and no decoder knows the protocol"
	if name := l.Protocol(); name != "" {
		t.Session.Dialect, t.Reason = name, "encrypted"
	}
	t.Source, t.Destination = l.c.Ends[h].Endpoint(), l.c.Ends[h.Other()].Endpoint()
	t.Operation, t.Initiator = model.Push, model.BySource
	if h != l.client() {
		t.Operation, t.Initiator = model.Pull, model.ByDestination
	}
	t.Estimate = &model.Estimate{Size: l.volume(s), High: s.total}
	if t.Session.Dialect == "unknown" && !l.c.UDP && o.total < answers {
		t.Estimate.Low = s.total - s.total/50
	}
	t.BytesSeen = new(int64)
	if s.lost > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("%d bytes of it were not captured", s.lost))
	}
	return t
}

// What datagrams of a tunnel have beside the content: its own header and tag, about
// 32 bytes in WireGuard, ESP and OpenVPN, and those of IP and TCP inside, 52.
const (
	largeDatagram = 600
	tunnelCost    = 84
)

// volume is what a side sent, of a tunnel without what it costs. What is sent again
// inside it cannot be told.
func (l *Look) volume(s *side) int64 {
	if !l.c.UDP || l.Protocol() == "" {
		return s.total
	}
	return s.large - s.pieces*tunnelCost
}

// answers is less than a side sends that does more than to take a file.
const answers = 1 << 10

// client is who opened the flow, or began it as far as was seen.
func (l *Look) client() wire.Side {
	if l.c.Opened || l.c.UDP || l.c.Ends[0].Port >= l.c.Ends[1].Port {
		return 0
	}
	return 1
}
