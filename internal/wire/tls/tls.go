// Package tls watches TLS connections (RFC 8446, RFC 5246), QUIC (RFC 9000, RFC
// 9369) and DTLS (RFC 6347, RFC 9147) flows that no other protocol began. In come
// their bytes; out goes one opaque transfer for each that carried 16 KiB or more one
// way, with an estimate, the server name asked for, the JA4 fingerprint of the
// client's hello, and the bursts in which bytes came. It opens nothing but a QUIC
// client's first packets, whose keys everybody knows (RFC 9001 5.2).
package tls

import (
	"encoding/binary"
	"fmt"

	"waybill/internal/model"
	"waybill/internal/wire"
)

const opaqueFrom = 16 << 10 // contract, transfer

type protocol struct {
	env    wire.Env
	within bool // a proxy passes the connections on: they are not between their ends
}

// New makes the decoder of TLS, QUIC and DTLS.
func New(env wire.Env) wire.Protocol { return &protocol{env: env} }

// Within makes the decoder of TLS that a proxy passes on.
func Within(env wire.Env) wire.Protocol { return &protocol{env: env, within: true} }

func (p *protocol) Name() string { return "tls" }

// Probe asks for a hello, for records in the middle of a connection whose start
// was not captured, or for a first packet of QUIC.
func (p *protocol) Probe(c *wire.Conn, head [2][]byte) wire.Verdict {
	verdict := wire.No
	for s, b := range head {
		switch {
		case len(b) == 0:
		case c.UDP:
			if isInitial(b) || isDTLS(b) {
				return wire.Yes
			}
		case !c.FromStart[s]:
			if isRecord(b) || midway(b) {
				return wire.Yes
			}
			verdict = wire.Maybe
		case len(b) < 6:
			if b[0] >= 20 && b[0] <= 23 {
				verdict = wire.Maybe
			}
		case isRecord(b) && b[0] == recordHandshake && (b[5] == clientHello || b[5] == serverHello):
			return wire.Yes
		default:
			return wire.No
		}
	}
	return verdict
}

// recordHead is the length of a record's header, recordMost the most that it has
// behind it (RFC 5246 6.2.3; RFC 8446 5.2 allows less).
const (
	recordHead = 5
	recordMost = 16<<10 + 2048
)

// isRecord says whether bytes begin as a record of TLS.
func isRecord(b []byte) bool {
	return len(b) >= recordHead && b[0] >= 20 && b[0] <= 23 && b[1] == 3 && b[2] <= 4 && binary.BigEndian.Uint16(b[3:]) <= recordMost
}

// midway looks for records in a connection whose start was not captured, which begins
// anywhere in one: a header of data, and another header where it ends.
func midway(b []byte) bool {
	for i := 0; i+recordHead < len(b); i++ {
		if b[i] != recordData || !isRecord(b[i:]) {
			continue
		}
		next := i + recordHead + int(binary.BigEndian.Uint16(b[i+3:]))
		if next+recordHead <= len(b) && next > i+recordHead && isRecord(b[next:]) {
			return true
		}
	}
	return false
}

// IsHello says whether bytes begin with a client's hello, as they do in the middle of
// a connection whose ends agreed to go on under TLS.
func IsHello(b []byte) bool {
	return len(b) >= 6 && b[0] == recordHandshake && b[1] == 3 && b[2] <= 4 && b[5] == clientHello
}

// Open makes the decoder of one connection.
func (p *protocol) Open(c *wire.Conn) wire.Decoder {
	d := &conn{p: p, wire: c, greeting: greeting{budget: p.env.Budget()}}
	d.greeter = &records{}
	if c.UDP {
		d.greeter = &initials{}
	}
	return d
}

// Flush has nothing to end: all state belongs to connections.
func (p *protocol) Flush(wire.At) {}

type conn struct {
	greeting
	p     *protocol
	wire  *wire.Conn
	total [2]int64
	lost  [2]int64
	large [2]int64 // in segments that carry content
	run   [2]bool  // the last segment was full: what follows it is the same message
	seen  wire.Packets
	start model.Time
	end   model.Time
	first uint32
	from  wire.Side
	ended int

	burst  burst // under way
	bursts []wire.Burst
}

// largeSegment is the least of a segment that carries content.
const largeSegment = 600

func (d *conn) Data(from wire.Side, c wire.Chunk) {
	if d.start == 0 {
		d.first, d.from = c.Seq, from
	}
	wire.Stretch(&d.start, &d.end, c.Time)
	d.seen.Add(c.At)
	d.pause(c.Time)
	n := int64(len(c.Data) + c.Cut)
	d.count(from, n, c.At)
	if !d.done {
		d.greet(from, c)
	}
}

// count adds the size of a segment. A short one carries content when it is the end
// of what large ones began.
func (d *conn) count(from wire.Side, n int64, at wire.At) {
	d.total[from] += n
	if n >= largeSegment || d.run[from] {
		d.large[from] += n
		d.burst.add(from, n, at)
	}
	d.run[from], d.run[from.Other()] = n >= largeSegment, false
}

func (d *conn) Gap(from wire.Side, n int64, at wire.At) {
	d.lost[from] += n
	d.count(from, n, at)
	d.miss(from)
}

func (d *conn) End(wire.Side, wire.Ending, wire.At) {
	if d.ended++; d.ended < 2 {
		return
	}
	d.close()
	d.flushBurst()
	d.p.env.Blind("encrypted-"+d.blindAs(), d.total[0]+d.total[1]-d.lost[0]-d.lost[1])
	if max(d.total[0], d.total[1]) >= opaqueFrom {
		d.report()
	}
}

// blindAs is the protocol's name in reasons of blindness.
func (d *conn) blindAs() string {
	switch d.dialect() {
	case "QUIC":
		return "quic"
	case "DTLS":
		return "dtls"
	}
	return "tls"
}

func (d *conn) dialect() string {
	switch {
	case !d.wire.UDP:
		return "TLS"
	case d.datagramTLS:
		return "DTLS"
	}
	return "QUIC"
}

func (d *conn) report() {
	client := d.client
	if d.said == nil && !d.wire.Opened && d.wire.Ends[0].Port < d.wire.Ends[1].Port {
		client = 1
	}
	t := &wire.Transfer{Conns: []*wire.Conn{d.wire}, Seen: d.seen, What: "TLS connection", Bursts: d.bursts}
	t.Channel = "tcp"
	t.Session = &model.Session{Dialect: d.dialect(), Encrypted: true, Channels: 1, Certificate: d.certificate}
	if d.wire.UDP {
		t.Channel, t.What = "udp", d.dialect()+" flow"
	}
	if d.said != nil {
		t.Session.SNI, t.Session.JA4 = d.said.server, d.said.ja4(t.Session.Dialect)
	}
	t.ID = wire.ID("t", t.Channel, d.wire, d.from, d.first, 0)
	t.Start, t.End, t.Status = d.start, d.end, model.Done
	t.Completeness, t.Reason, t.Confidence = model.Opaque, "encrypted", "low"
	if t.PagePart = d.p.within; d.p.within {
		t.Reason = "encrypted, through a proxy"
	}
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
	recordFull    = 16 << 10
	recordCost    = 22
)

// carried is what lay in large segments without what carries it.
func carried(n int64) int64 { return n - n/(recordFull+recordCost)*recordCost }

// estimate bounds the content of a direction.
func (d *conn) estimate(side wire.Side) *model.Estimate {
	n := carried(d.large[side])
	return &model.Estimate{Size: n, Low: max(0, n-n/50-handshakeCost), High: d.total[side]}
}
