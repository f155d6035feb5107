package sealed

import (
	"waybill/internal/model"
	"waybill/internal/wire"
)

// maxTunnels bounds the pairs of hosts that are known at a time.
const maxTunnels = 1 << 14

// espHead is the index and the number before what ESP encrypts (RFC 4303 2).
const espHead = 8

// ESP watches IPsec's packets that lie in IP directly. It knows pairs of hosts.
type ESP struct {
	emit  func(*wire.Transfer)
	pairs map[[2]model.Addr]*Look
	order []*Look
}

// NewESP makes a table that gives what a pair exchanged to emit.
func NewESP(emit func(*wire.Transfer)) *ESP {
	return &ESP{emit: emit, pairs: map[[2]model.Addr]*Look{}}
}

// Packet takes the size of what one packet carried.
func (e *ESP) Packet(src, dst model.Addr, size int, at wire.At) {
	key, from := [2]model.Addr{src, dst}, wire.Side(0)
	l := e.pairs[key]
	if l == nil {
		if l = e.pairs[[2]model.Addr{dst, src}]; l != nil {
			from = 1
		}
	}
	if l == nil {
		if len(e.pairs) >= maxTunnels {
			return
		}
		l = New(&wire.Conn{Ends: [2]wire.AddrPort{{Addr: src}, {Addr: dst}}, UDP: true}, 0)
		e.pairs[key] = l
		e.order = append(e.order, l)
	}
	wire.Stretch(&l.start, &l.end, at.Time)
	l.seen.Add(at)
	l.sides[from].total += int64(max(0, size-espHead))
}

// Flush gives out all pairs that exchanged much, in the order in which they began.
func (e *ESP) Flush() {
	for _, l := range e.order {
		if l.sides[l.heavy()].total < opaqueFrom {
			continue
		}
		t := l.Transfer()
		t.ID = wire.ID("t", "esp", l.c, 0, 0, 0)
		t.Conns, t.Channel, t.What = nil, "unknown", "IPsec ESP"
		t.Session.Dialect, t.Reason = "IPsec ESP", "encrypted"
		e.emit(t)
	}
	e.order, e.pairs = nil, map[[2]model.Addr]*Look{}
}
