package ssh

import (
	"fmt"
	"strings"

	"waybill/internal/model"
	"waybill/internal/wire"
)

// What tells content from the rest, by sizes alone.
const (
	largeChunk = 1000     // a segment this long carries content: requests and keys typed are shorter
	longRun    = 2 << 10  // so do shorter ones that come one after the other, on a path that takes no long ones
	opaqueFrom = 16 << 10 // contract, transfer
	// packetCost is what 32 KiB of content cost beside it: header, channel, padding, MAC
	// (RFC 4253 6, RFC 4254 5.2), and what SFTP puts before it; measured with OpenSSH.
	packetCost = 72
	packetData = 32 << 10
	loginCost  = 4 << 10 // that a login and the opening of a channel may take, a side
	wellPacked = 12      // how much longer than what is sent compressed content may be: text and logs
)

type conn struct {
	p      *protocol
	wire   *wire.Conn
	client wire.Side
	halves [2]half
	seen   wire.Packets
	start  model.Time
	end    model.Time
	first  uint32 // sequence number of the first byte
	from   wire.Side
	ended  int
	how    wire.Ending
	keys   [2]int64
	typed  bool  // the last segment may be a key typed
	echoes int64 // keys with their echoes
}

func (d *conn) Data(from wire.Side, c wire.Chunk) {
	if d.start == 0 {
		d.first, d.from = c.Seq, from
	}
	wire.Stretch(&d.start, &d.end, c.Time)
	d.seen.Add(c.At)
	h := &d.halves[from]
	h.total += int64(len(c.Data))
	b := c.Data
	if h.phase != encrypted {
		b = h.feed(b)
		if h.phase == encrypted {
			h.lengths.agree(d.agreed(from))
		}
		if len(b) == 0 {
			return
		}
	}
	h.sealedBytes(int64(len(b)))
	h.lengths.feed(b)
	d.halves[from.Other()].silence()
	d.echo(from, int64(len(b)))
}

// agreed are cipher and MAC of what a side sends.
func (d *conn) agreed(from wire.Side) (cipher, mac string) {
	c, s := &d.halves[d.client].kex, &d.halves[d.client.Other()].kex
	if from == d.client {
		return agreed(c.lists[cipherToSrv], s.lists[cipherToSrv]), agreed(c.lists[macToSrv], s.lists[macToSrv])
	}
	return agreed(c.lists[cipherToCli], s.lists[cipherToCli]), agreed(c.lists[macToCli], s.lists[macToCli])
}

// sealedBytes counts what cannot be read.
func (h *half) sealedBytes(n int64) {
	h.packets++
	h.sealed += n
	h.run += n
	if n < largeChunk && !h.inBulk && h.run < longRun {
		h.waits += n
		return
	}
	if h.run >= longRun {
		h.bulk += h.waits
	}
	h.waits = 0
	h.bulk += n
	h.inBulk = n >= largeChunk || h.run >= longRun
}

// silence ends a run: the other side says something.
func (h *half) silence() { h.inBulk, h.run, h.waits = false, 0, 0 }

func (d *conn) Gap(from wire.Side, n int64, at wire.At) {
	h := &d.halves[from]
	h.lost += n
	h.total += n
	if h.phase != encrypted { // where NEWKEYS was is not known
		h.phase, h.buf = encrypted, nil
	}
	h.sealedBytes(n)
	h.lengths.known = false
}

func (d *conn) End(_ wire.Side, how wire.Ending, at wire.At) {
	if d.ended++; d.ended < 2 {
		d.how = how
		return
	}
	d.p.env.Blind("encrypted-ssh", d.halves[0].sealed+d.halves[1].sealed-d.halves[0].lost-d.halves[1].lost)
	if d.start != 0 {
		d.report()
	}
}

// loggedIn says whether the login seems to have succeeded: refusals are short,
// and what follows a login is longer than they.
func (d *conn) loggedIn() bool {
	up, down := &d.halves[d.client], &d.halves[d.client.Other()]
	return down.sealed >= 1000 && down.packets >= 4 && up.packets >= 4 || up.sealed >= loginCost || down.sealed >= loginCost
}

func (d *conn) report() {
	class := d.class()
	d.session(class)
	up, down := &d.halves[d.client], &d.halves[d.client.Other()]
	if max(up.total, down.total) >= opaqueFrom && (d.loggedIn() || max(up.bulk, down.bulk) >= opaqueFrom) {
		d.transfer(class)
	}
}

// session reports the session.
func (d *conn) session(class string) {
	client, server := d.wire.Ends[d.client], d.wire.Ends[d.client.Other()]
	up, down := &d.halves[d.client], &d.halves[d.client.Other()]
	a := &wire.Access{Conn: d.wire, Seen: d.seen}
	a.ID = wire.ID("a", channel, d.wire, d.from, d.first, 0, []byte("ssh-session")...)
	a.Time, a.What, a.Channel = d.start, "ssh-session", channel
	a.Source, a.Destination = client.Endpoint(), server.Endpoint()
	detail := []string{}
	for _, x := range [...]struct{ word, text string }{
		{"client", up.software}, {"server", down.software}, {"hassh", up.kex.hassh(true)}, {"hassh-server", down.kex.hassh(false)},
	} {
		if x.text != "" {
			detail = append(detail, x.word+" "+x.text)
		}
	}
	detail = append(detail, class, fmt.Sprintf("%d bytes sent, %d received", up.total, down.total))
	a.Object, a.Detail = class, strings.Join(detail, ", ")
	if class == unused {
		a.Status = "no login seen"
	}
	d.p.env.Access(a)
}

// transfer reports what the session moved in its heavier direction.
func (d *conn) transfer(class string) {
	up, down := &d.halves[d.client], &d.halves[d.client.Other()]
	h := down
	t := &wire.Transfer{Conns: []*wire.Conn{d.wire}, Seen: d.seen, What: "SSH session"}
	client, server := d.wire.Ends[d.client].Endpoint(), d.wire.Ends[d.client.Other()].Endpoint()
	t.Source, t.Destination, t.Operation, t.Initiator = server, client, model.Pull, model.ByDestination
	if up.total > down.total {
		h = up
		t.Source, t.Destination, t.Operation, t.Initiator = client, server, model.Push, model.BySource
	}
	t.ID = wire.ID("t", channel, d.wire, d.from, d.first, 0)
	t.Start, t.End, t.Channel = d.start, d.end, channel
	t.Completeness, t.Status = model.Opaque, model.Done
	t.Reason = "encrypted; " + map[string]string{push: "sizes are those of a file sent", pull: "sizes are those of a file fetched",
		interactive: "sizes are those of a terminal", tunnel: "sizes are those of a tunnel", unused: "no login seen"}[class]
	t.Confidence = "low"
	if class == push || class == pull {
		t.Confidence = "medium"
	}
	if h.lost > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("%d bytes of it were not captured", h.lost))
	}
	t.BytesSeen = new(int64)
	t.Estimate = h.estimate(d.packs())
	t.Session = &model.Session{Encrypted: true, ClientSoftware: up.software, ServerSoftware: down.software,
		HASSH: up.kex.hassh(true), Compressed: d.packs(), Channels: 1}
	d.p.env.Transfer(t)
}

// packs says whether the client and the server agreed on compression.
func (d *conn) packs() bool {
	c, s := &d.halves[d.client].kex, &d.halves[d.client.Other()].kex
	return strings.HasPrefix(agreed(c.lists[packToSrv], s.lists[packToSrv]), "zlib") ||
		strings.HasPrefix(agreed(c.lists[packToCli], s.lists[packToCli]), "zlib")
}

// estimate bounds the content of a direction. The point is what lay in large segments
// without what carries it, or in large messages where their lengths show; the low end
// takes a login and the requests of SFTP off it, the high end adds all that other bytes may be.
func (h *half) estimate(packed bool) *model.Estimate {
	n := h.bulk
	if n > largeChunk {
		n -= (n/packetData + 1) * packetCost
	}
	e := &model.Estimate{Size: n, Low: max(0, n-n/50-loginCost), High: h.total}
	if l := &h.lengths; l.known {
		e = &model.Estimate{Size: l.large, Low: max(0, l.large-l.large/100-l.slack-loginCost), High: l.large + l.small + l.slack}
	}
	if packed {
		e.High *= wellPacked
	}
	return e
}
