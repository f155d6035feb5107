package ftp

import (
	"slices"

	"waybill/internal/model"
	"waybill/internal/wire"
)

// tunnel is a session whose control connection is encrypted (RFC 4217). Its data
// connections are those between the same two hosts that start with TLS.
type tunnel struct {
	c          *control
	bytes      [2]int64 // to the server, to the client
	start, end [2]model.Time
	seen       wire.Packets
	conns      []*wire.Conn
	id         string
}

// handshakeCost is between what a side sends in a handshake that resumes a session, as
// servers of FTP ask for (0.8 KiB), and in one with its certificate (2.5 KiB).
const handshakeCost = 1536

// maxTunnels bounds the encrypted sessions between two hosts.
const maxTunnels = 256

// leastOpaque is the volume from which an encrypted session is reported (contract).
const leastOpaque = 16 << 10

func (p *Protocol) openTunnel(c *control) {
	client, server := c.ends()
	key := hosts{client.Addr, server.Addr}
	if len(p.secret) >= maxStored || len(p.secret[key]) >= maxTunnels {
		return
	}
	t := &tunnel{c: c, conns: []*wire.Conn{c.wire}}
	t.id = wire.ID("t", "ftp", c.wire, wire.Side(c.client), c.half[c.client].seq, 0, []byte("tls")...)
	p.secret[key] = append(p.secret[key], t)
}

// tunnelOf finds the session that a connection may carry data of, the latest between
// its hosts, and the side of its client. A connection to the port of the control
// connection is another one of these.
func (p *Protocol) tunnelOf(c *wire.Conn) (*tunnel, wire.Side) {
	if len(p.secret) == 0 || c.UDP {
		return nil, 0
	}
	for side := wire.Side(0); side < 2; side++ {
		all := p.secret[hosts{c.Ends[side].Addr, c.Ends[side.Other()].Addr}]
		if len(all) == 0 {
			continue
		}
		t := all[len(all)-1]
		_, control := t.c.ends()
		if c.Ends[side.Other()] != control && c.Ends[0].Port > 19 && c.Ends[1].Port > 19 && c.Ends[0].Port != 443 && c.Ends[1].Port != 443 {
			return t, side
		}
	}
	return nil, 0
}

// tunnelled tells TLS by its first record.
func tunnelled(head [2][]byte) wire.Verdict {
	for _, h := range head {
		if len(h) > 0 {
			if encrypted(h) {
				return wire.Yes
			}
			return wire.No
		}
	}
	return wire.Maybe
}

// encrypted says whether bytes start a TLS handshake (RFC 8446 5.1).
func encrypted(b []byte) bool { return len(b) >= 3 && b[0] == 0x16 && b[1] == 3 && b[2] <= 4 }

// carry makes the decoder of a data connection.
func (t *tunnel) carry(c *wire.Conn, client wire.Side) wire.Decoder {
	t.conns = append(t.conns, c)
	return &sealed{t: t, client: client}
}

// sealed counts the bytes of an encrypted data connection.
type sealed struct {
	t      *tunnel
	client wire.Side
}

func (s *sealed) Data(from wire.Side, c wire.Chunk) {
	i := s.way(from)
	s.t.bytes[i] += int64(len(c.Data))
	wire.Stretch(&s.t.start[i], &s.t.end[i], c.Time)
	s.t.seen.Add(c.At)
}

func (s *sealed) Gap(from wire.Side, n int64, _ wire.At) { s.t.bytes[s.way(from)] += n }

func (s *sealed) End(wire.Side, wire.Ending, wire.At) {}

// way is 0 to the server, 1 to the client.
func (s *sealed) way(from wire.Side) int {
	if from == s.client {
		return 0
	}
	return 1
}

// closeTunnel reports the session's one opaque transfer.
func (p *Protocol) closeTunnel(c *control) {
	if !c.secure || c.client < 0 {
		return
	}
	client, server := c.ends()
	key := hosts{client.Addr, server.Addr}
	all := p.secret[key]
	i := slices.IndexFunc(all, func(t *tunnel) bool { return t.c == c })
	if i < 0 {
		return
	}
	q := all[i]
	if p.secret[key] = slices.Delete(all, i, i+1); len(all) == 1 {
		delete(p.secret, key)
	}
	way := 0
	if q.bytes[1] > q.bytes[0] {
		way = 1
	}
	n := q.bytes[way]
	p.env.Blind("encrypted-tls", q.bytes[0]+q.bytes[1])
	if n < leastOpaque {
		return
	}
	t := &wire.Transfer{Conns: q.conns, Seen: q.seen, What: "FTP over TLS"}
	t.ID, t.Channel = q.id, "ftp"
	t.Start, t.End = q.start[way], q.end[way]
	t.Source, t.Destination, t.Operation, t.Initiator = client.Endpoint(), server.Endpoint(), model.Push, model.BySource
	if way == 1 {
		t.Source, t.Destination, t.Operation, t.Initiator = t.Destination, t.Source, model.Pull, model.ByDestination
	}
	t.Status, t.Completeness, t.Reason, t.Confidence = model.Done, model.Opaque, "encrypted", "medium"
	// A TLS record of up to 16 KiB adds 22 to 40 bytes (RFC 8446 5.2, RFC 5246 6.2.3).
	// Listings count too, so that nothing may have moved.
	t.Estimate = &model.Estimate{Size: max(n-n/600-handshakeCost*int64(len(q.conns)-1), 0), Low: 0, High: n}
	p.env.Transfer(t)
}
