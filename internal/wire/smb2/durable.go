package smb2

import (
	"waybill/internal/model"
	"waybill/internal/wire"
)

// durableTime is how long an open waits for its client to reconnect: the longest
// that servers grant by default (16 minutes). unverified for persistent handles
// with a longer time-out.
const durableTime = 16 * 60 * 1e9

// maxOrphans bounds the opens that wait.
const maxOrphans = 1 << 12

// orphan is a durable open whose last connection is gone.
type orphan struct {
	open  *open
	how   wire.Ending
	at    wire.At
	since model.Time
}

// durableOpens are the opens that a reconnect may go on with, on any connection,
// session or server (design, rule 1).
type durableOpens struct {
	queue []*orphan // in the order in which they lost their connection
}

// keep lets an open wait.
func (l *durableOpens) keep(o *open, how wire.Ending, at wire.At) {
	o.settle()
	o.p.forget(o)
	o.orphaned = true
	l.queue = append(l.queue, &orphan{o, how, at, o.p.env.Now()})
	if len(l.queue) > maxOrphans {
		l.pop()
	}
}

// pop ends the open that waited longest, as its connection ended.
func (l *durableOpens) pop() {
	x := l.queue[0]
	l.queue[0] = nil
	l.queue = l.queue[1:]
	if x.open.orphaned {
		x.open.orphaned = false
		x.open.finish(x.how, x.at)
	}
}

// find gives the open that a reconnect context names: by its create GUID, or by
// the persistent part of the file id, of the same client. A client that lost its
// connection without anybody seeing it end may still have it.
func (l *durableOpens) find(c *conn, x *createContexts) *open {
	for i := len(l.queue) - 1; i >= 0; i-- {
		if o := l.queue[i].open; o.orphaned && o.reconnects(c, x) {
			return o
		}
	}
	client, _ := c.ends()
	n := 0
	for o := c.p.opens.newest; o != nil && n < maxOrphans; o, n = o.older, n+1 {
		if o.durable && !o.done && o.session.client.Addr == client.Addr && o.reconnects(c, x) {
			return o
		}
	}
	return nil
}

func (o *open) reconnects(c *conn, x *createContexts) bool {
	old, now := &o.session.neg, &c.negotiated
	client, _ := c.ends()
	if old.known() && now.known() && old.client != [16]byte{} {
		if old.client != now.client {
			return false
		}
	} else if o.session.client.Addr != client.Addr {
		return false
	}
	if x.guid != (guid{}) {
		return o.guid == x.guid
	}
	return o.id.persistent == x.old.persistent
}

// resume takes an open back from the waiting ones.
func (o *open) resume(s *session, t *tree) {
	o.p.forget(o)
	o.orphaned, o.lost = false, o.lossy()
	o.session, o.tree = s, t
	o.losses, o.asksLost, o.unknownWrites = s.losses, s.asksLost, s.unknownWrites
}

func (l *durableOpens) expire(now model.Time) {
	for len(l.queue) > 0 && (!l.queue[0].open.orphaned || now-l.queue[0].since > durableTime) {
		l.pop()
	}
}

func (l *durableOpens) flush(wire.At) {
	for len(l.queue) > 0 {
		l.pop()
	}
}
