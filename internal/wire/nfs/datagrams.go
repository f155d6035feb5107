package nfs

import (
	"waybill/internal/content"
	"waybill/internal/wire/framed"
)

// Bounds of what a flow of datagrams keeps.
const (
	maxDone  = 1024
	maxEarly = 256
)

// datagrams is what a flow of datagrams needs beyond a connection: they come twice,
// since calls are sent again and packets are copied, and replies come before their
// calls where two sensors' clocks differ.
type datagrams struct {
	answered map[uint32]bool // ids of calls
	last     []uint32        // the same in their order, in a ring
	next     int
	early    map[uint32]*framed.Message // replies whose calls have not come
	waiting  []uint32
}

// done notes that a call has its reply.
func (g *datagrams) done(id uint32) {
	if g.answered == nil {
		g.answered = map[uint32]bool{}
	}
	if len(g.last) < maxDone {
		g.last = append(g.last, id)
	} else {
		delete(g.answered, g.last[g.next])
		g.last[g.next] = id
		g.next = (g.next + 1) % maxDone
	}
	g.answered[id] = true
}

func (g *datagrams) wasDone(id uint32) bool { return g.answered[id] }

// hold keeps a reply until its call comes.
func (g *datagrams) hold(id uint32, m *framed.Message, b *content.Budget) {
	if g.wasDone(id) || g.early[id] != nil {
		return
	}
	for len(g.waiting) >= maxEarly || !b.Take(int64(len(m.Data))) {
		if len(g.waiting) == 0 {
			return
		}
		g.came(g.waiting[0], b)
	}
	if g.early == nil {
		g.early = map[uint32]*framed.Message{}
	}
	r := *m
	r.Data, r.Block = append([]byte(nil), m.Data...), nil
	g.early[id] = &r
	g.waiting = append(g.waiting, id)
}

// came gives the reply that came before its call, and forgets it.
func (g *datagrams) came(id uint32, b *content.Budget) *framed.Message {
	m := g.early[id]
	if m == nil {
		return nil
	}
	delete(g.early, id)
	b.Give(int64(len(m.Data)))
	for i, x := range g.waiting {
		if x == id {
			g.waiting = append(g.waiting[:i], g.waiting[i+1:]...)
			break
		}
	}
	return m
}

func (g *datagrams) forgetEarly(b *content.Budget) {
	for len(g.waiting) > 0 {
		g.came(g.waiting[0], b)
	}
}
