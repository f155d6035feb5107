// Package tls watches TLS connections (RFC 8446, RFC 5246) and QUIC flows (RFC
// 9000) that no other protocol began. In come their bytes; out goes one opaque
// transfer for each that carried 16 KiB or more one way, with an estimate, the
// server name asked for, and the JA4 fingerprint of the client's hello. It opens
// nothing but a QUIC client's first packet, whose keys everybody knows (RFC 9001
// 5.2).
package tls

import (
	"fmt"

	"waybill/internal/model"
	"waybill/internal/wire"
)

const opaqueFrom = 16 << 10 // contract, transfer

type protocol struct{ env wire.Env }

// New makes the decoder of TLS and QUIC.
func New(env wire.Env) wire.Protocol { return &protocol{env} }

func (p *protocol) Name() string { return "tls" }

// Probe asks for a hello, for records in the middle of a connection whose start
// was not captured, or for a first packet of QUIC.
func (p *protocol) Probe(c *wire.Conn, head [2][]byte) wire.Verdict {
	verdict := wire.No
	for s, b := range head {
		switch {
		case len(b) == 0:
		case c.UDP:
			if isInitial(b) {
				return wire.Yes
			}
		case len(b) < 6:
			if b[0] >= 20 && b[0] <= 23 {
				verdict = wire.Maybe
			}
		case b[1] != 3 || b[2] > 4 || b[0] < 20 || b[0] > 23:
			return wire.No
		case b[0] == recordHandshake && (b[5] == clientHello || b[5] == serverHello):
			return wire.Yes
		case !c.FromStart[s]:
			return wire.Yes
		default:
			return wire.No
		}
	}
	return verdict
}

// Open makes the decoder of one connection.
func (p *protocol) Open(c *wire.Conn) wire.Decoder { return &conn{p: p, wire: c} }

// Flush has nothing to end: all state belongs to connections.
func (p *protocol) Flush(wire.At) {}

type conn struct {
	p     *protocol
	wire  *wire.Conn
	total [2]int64
	lost  [2]int64
	large [2]int64 // in segments that carry content
	seen  wire.Packets
	start model.Time
	end   model.Time
	first uint32
	from  wire.Side
	ended int

	hello  []byte // of the client, while it is gathered
	said   *hello // once it was read; nil where it was not seen
	client wire.Side
	done   bool // no more of hellos is looked at
}

// maxHello bounds a client's hello: post-quantum ones have 2 KiB.
const maxHello = 16 << 10

// largeSegment is the least of a segment that carries content.
const largeSegment = 600

func (d *conn) Data(from wire.Side, c wire.Chunk) {
	if d.start == 0 {
		d.first, d.from = c.Seq, from
	}
	wire.Stretch(&d.start, &d.end, c.Time)
	d.seen.Add(c.At)
	n := int64(len(c.Data) + c.Cut)
	d.total[from] += n
	if n >= largeSegment {
		d.large[from] += n
	}
	if !d.done {
		d.greet(from, c.Data)
	}
}

// greet looks for the client's hello in the first bytes.
func (d *conn) greet(from wire.Side, b []byte) {
	switch {
	case d.wire.UDP:
		if d.said = initialHello(b); d.said != nil {
			d.client = from
		}
		d.done = d.said != nil || d.total[0]+d.total[1] > maxHello
		return
	case len(d.hello) == 0 && (len(b) < 6 || b[0] != recordHandshake || b[5] != clientHello):
		d.done = d.total[0]+d.total[1] > 1<<10
		return
	case len(d.hello) > 0 && from != d.client:
		return
	}
	d.client = from
	d.hello = append(d.hello, b[:min(len(b), maxHello-len(d.hello))]...)
	body, whole := handshakeOf(d.hello)
	if whole || len(d.hello) == maxHello {
		d.said, _ = parseHello(body)
		d.done, d.hello = true, nil
	}
}

func (d *conn) Gap(from wire.Side, n int64, _ wire.At) {
	d.total[from] += n
	d.lost[from] += n
	if n >= largeSegment {
		d.large[from] += n
	}
}

func (d *conn) End(wire.Side, wire.Ending, wire.At) {
	if d.ended++; d.ended < 2 {
		return
	}
	reason := "encrypted-tls"
	if d.wire.UDP {
		reason = "encrypted-quic"
	}
	d.p.env.Blind(reason, d.total[0]+d.total[1]-d.lost[0]-d.lost[1])
	if max(d.total[0], d.total[1]) >= opaqueFrom {
		d.report()
	}
}

func (d *conn) report() {
	client := d.client
	if d.said == nil && !d.wire.Opened && d.wire.Ends[0].Port < d.wire.Ends[1].Port {
		client = 1
	}
	t := &wire.Transfer{Conns: []*wire.Conn{d.wire}, Seen: d.seen, What: "TLS connection"}
	t.Channel = "tcp"
	t.Session = &model.Session{Dialect: "TLS", Encrypted: true, Channels: 1}
	if d.wire.UDP {
		t.Channel, t.What, t.Session.Dialect = "udp", "QUIC flow", "QUIC"
	}
	if d.said != nil {
		t.Session.SNI, t.Session.JA4 = d.said.server, d.said.ja4(d.wire.UDP)
	}
	t.ID = wire.ID("t", t.Channel, d.wire, d.from, d.first, 0)
	t.Start, t.End, t.Status = d.start, d.end, model.Done
	t.Completeness, t.Reason, t.Confidence = model.Opaque, "encrypted", "low"
	heavy := client.Other()
	t.Operation, t.Initiator = model.Pull, model.ByDestination
	if d.total[client] > d.total[client.Other()] {
		heavy = client
		t.Operation, t.Initiator = model.Push, model.BySource
	}
	t.Source, t.Destination = d.wire.Ends[heavy].Endpoint(), d.wire.Ends[heavy.Other()].Endpoint()
	t.Estimate = d.estimate(heavy)
	t.BytesSeen = new(int64)
	if d.lost[heavy] > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("%d bytes of it were not captured", d.lost[heavy]))
	}
	d.p.env.Transfer(t)
}

// Costs of encryption: a handshake with certificates, and what a full record has
// beside its content (RFC 8446 5.2: 16 KiB, header, type and tag).
const (
	handshakeCost = 6 << 10
	recordData    = 16 << 10
	recordCost    = 22
)

// estimate bounds the content of a direction.
func (d *conn) estimate(side wire.Side) *model.Estimate {
	n := d.large[side]
	n -= n / (recordData + recordCost) * recordCost
	return &model.Estimate{Size: n, Low: max(0, n-n/50-handshakeCost), High: d.total[side]}
}
