package http

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"waybill/internal/model"
	"waybill/internal/wire"
)

const (
	maxEntityConns = 64 // connections named in one transfer
	touchEvery     = model.Time(10e9)
)

// entityKey is what the ranges of one entity have in common (contract, "What
// is one transfer").
type entityKey struct {
	client, server model.Addr
	host, target   string
	validator      string // ETag, else Last-Modified
	total          int64  // -1 when not stated
}

// entity is one entity whose ranges are being gathered.
type entity struct {
	key     entityKey
	m       *movement
	ranges  int
	touched model.Time
	over    bool // handed out
}

// byteRange is a Content-Range (RFC 9110, 14.4).
type byteRange struct {
	from, to int64 // first byte, and the one after the last
	total    int64 // -1 when not stated
}

// parseRange reads "bytes 0-99/1000" or "bytes 0-99/*".
func parseRange(value string) (r byteRange, ok bool) {
	unit, rest, _ := strings.Cut(strings.TrimSpace(value), " ")
	span, size, found := strings.Cut(rest, "/")
	first, last, dash := strings.Cut(span, "-")
	if !strings.EqualFold(unit, "bytes") || !found || !dash {
		return r, false
	}
	from, err1 := strconv.ParseUint(strings.TrimSpace(first), 10, 61)
	to, err2 := strconv.ParseUint(strings.TrimSpace(last), 10, 61)
	if err1 != nil || err2 != nil || to < from {
		return r, false
	}
	r = byteRange{from: int64(from), to: int64(to) + 1, total: -1}
	if size = strings.TrimSpace(size); size == "*" {
		return r, true
	}
	total, err := strconv.ParseUint(size, 10, 61)
	r.total = int64(total)
	return r, err == nil && r.to <= r.total
}

// entityOf is what identifies the entity of an answer, its total length apart.
func (c *conn) entityOf(x *exchange, h *half, hd *header) entityKey {
	key := entityKey{client: c.wire.Ends[h.side.Other()].Addr, server: c.wire.Ends[h.side].Addr, total: -1}
	key.validator = short(hd.get("ETag"), maxText)
	if key.validator == "" {
		key.validator = short(hd.get("Last-Modified"), maxText)
	}
	switch {
	case x != nil:
		key.host, key.target = x.host, pathOf(x.target)
	case key.validator == "":
		key.target = fmt.Sprintf("#%d", hd.seq) // nothing ties it to another answer
	}
	return key
}

// rangeSink makes what takes the body of a 206 answer. ok is false when the
// answer is to be taken as any other: it has no readable range, or it is the
// whole of an encoded entity.
func (c *conn) rangeSink(x *exchange, h *half, hd *header) (s sink, ok bool) {
	part := partHeader(hd)
	part.fields = slices.Clone(hd.fields)
	open := func(fields []field) sink {
		r, ok := parseRange((&header{fields: fields}).get("Content-Range"))
		if !ok {
			return nil
		}
		return c.rangeOf(x, h, &part, r)
	}
	if b := boundary(hd.get("Content-Type"), "byteranges"); b != "" {
		return newMultipart(b, open), true
	}
	r, ok := parseRange(hd.get("Content-Range"))
	if !ok || len(hd.codings()) > 0 && r.from == 0 && r.to == r.total {
		return nil, false
	}
	return c.rangeOf(x, h, hd, r), true
}

// rangeOf makes what takes one range.
func (c *conn) rangeOf(x *exchange, h *half, hd *header, r byteRange) sink {
	now := c.p.env.Now()
	key := c.entityOf(x, h, hd)
	key.total = r.total
	e, known := c.p.entities.get(key, now)
	if !known {
		e = &entity{key: key, m: c.newAnswer(x, h, hd), touched: now}
		e.m.t.What += " (ranges)"
		if codings := hd.codings(); len(codings) > 0 {
			e.m.note("ranges of the encoded content (" + short(strings.Join(codings, ", "), maxText) + "): size and hash are of that")
		}
		c.p.entities.put(key, e, now)
	}
	e.join(c, x, hd)
	return &rangeBody{c: c, e: e, r: r, pos: r.from}
}

// join adds the packets of one more range to the transfer.
func (e *entity) join(c *conn, x *exchange, hd *header) {
	t := e.m.t
	e.ranges++
	t.Seen.Add(hd.first)
	t.Seen.Add(hd.last)
	if x != nil {
		t.Seen.Add(x.first)
		t.Seen.Add(x.last)
	}
	if len(t.Conns) < maxEntityConns && !slices.Contains(t.Conns, c.wire) {
		t.Conns = append(t.Conns, c.wire)
	}
}

// rangeBody puts one range in its place.
type rangeBody struct {
	c   *conn
	e   *entity
	r   byteRange
	pos int64
}

func (b *rangeBody) write(c wire.Chunk) {
	if b.e.over {
		b.c.p.env.Blind("over-budget", int64(len(c.Data)))
		return
	}
	n := min(int64(len(c.Data)), max(b.r.to-b.pos, 0))
	b.e.m.touch(c.At)
	b.e.m.file.Write(b.pos, c.Data[:n], c.Block)
	b.pos += n
	if now := b.c.p.env.Now(); now-b.e.touched > touchEvery {
		b.e.touched = now
		b.c.p.entities.get(b.e.key, now)
	}
}

func (b *rangeBody) lose(n int64) { b.pos += n }

func (b *rangeBody) close(e closing) {
	if !b.e.over {
		b.e.m.end.cut = e.cut
		b.e.m.checkCopies()
	}
}

// keepEntity keeps an answer that is not all there: ranges may bring the rest.
func (c *conn) keepEntity(key entityKey, m *movement) {
	now := c.p.env.Now()
	if _, known := c.p.entities.get(key, now); known {
		c.p.env.Transfer(m.finish())
		return
	}
	c.p.entities.put(key, &entity{key: key, m: m, touched: now}, now)
}

// emitEntity hands an entity out.
func (p *Protocol) emitEntity(e *entity) {
	e.over = true
	m := e.m
	if e.ranges > 0 {
		if m.file.Seen() < minAnswer {
			m.file.Abandon()
			return
		}
		m.end = e.closing()
	}
	p.env.Transfer(m.finish())
}

// closing is how an entity ends of which ranges were fetched.
func (e *entity) closing() closing {
	end := closing{size: e.key.total}
	switch file := e.m.file; {
	case end.size < 0:
		end.why = "total length not stated"
	case !file.Covers(0, end.size):
		end.why = fmt.Sprintf("the ranges seen cover %d of %d bytes", file.Seen(), end.size)
		end.cut = e.m.end.cut
	case e.m.flaw != "":
		end.why = e.m.flaw
	}
	return end
}
