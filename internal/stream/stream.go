// Package stream turns packets into connections. In come decoded packets in
// time order, from one capture or from several that saw the same network; out
// go the bytes of each side of each TCP connection in order, each run with its
// packet, and word of every byte that was not seen. UDP datagrams pass through
// by flow. It understands no application protocol, never reads the clock, and
// never verifies a checksum but where two copies of a byte differ.
//
// Order is kept across the two sides: data that acknowledge bytes of the other
// side wait for these bytes, so that an answer never comes before its request,
// also when each direction was captured by another sensor with another clock.
package stream

import (
	"waybill/internal/content"
	"waybill/internal/model"
	"waybill/internal/packet"
	"waybill/internal/wire"
)

// Times are of packets.
const (
	waitTime   = model.Time(5e9)   // an answer up to 5 s before its request waits for it (contract)
	idleTime   = model.Time(300e9) // buffers of a flow go after 5 minutes without packets
	closedTime = model.Time(60e9)  // a closed flow absorbs late copies this long
	timeJump   = model.Time(3600e9)
)

const (
	farAhead       = 64 << 20 // a sequence number further ahead is damage until proven
	flowCost       = 1024     // bytes of budget a flow takes
	historyEntries = 16
	historyBlocks  = 4
)

// HistoryBlocks is how many blocks the caller of NextBlock keeps readable.
const HistoryBlocks = historyBlocks

// Opener gives each new flow its decoder.
type Opener interface {
	Open(f *Flow) wire.Decoder
	// Closed says that a flow is over and forgotten.
	Closed(f *Flow)
}

// Table holds all flows.
type Table struct {
	opener Opener
	budget *content.Budget
	many   bool
	flows4 map[key4]*Flow
	flows6 map[key6]*Flow
	last   *Flow // the flow of the last packet: bulk comes in runs
	live   list  // all flows, least recently used first
	wait   waitList
	now    model.Time
	jump   model.Time // a stamp far ahead of now that no other has confirmed
	epoch  uint32
	inputs []Stats
}

// New makes a table. sensors is the number of captures that are read together.
func New(o Opener, b *content.Budget, sensors int) *Table {
	t := &Table{opener: o, budget: b, many: sensors > 1,
		flows4: map[key4]*Flow{}, flows6: map[key6]*Flow{}, inputs: make([]Stats, sensors)}
	t.live.init()
	return t
}

// Now is the highest packet time seen, jumps of damaged stamps left out.
func (t *Table) Now() model.Time { return t.now }

// NextBlock says that the caller is done with one more block. It keeps the
// last HistoryBlocks of them readable, which lets copies of bytes be compared
// without keeping any.
func (t *Table) NextBlock() { t.epoch++ }

// Packet takes one TCP or UDP packet, which lies in block.
func (t *Table) Packet(p *packet.Packet, at wire.At, block content.Block) {
	t.tick(at.Time)
	f, side := t.find(p)
	if f == nil || f.replacedBy(p, side) {
		f, side = t.open(p, at, f)
	}
	t.touch(f, at.Time)
	if f.Conn.UDP {
		if t.many && f.repeated(p, at) {
			t.stats(at).Duplicate += int64(len(p.Payload))
			return
		}
		f.lastAt = at
		f.count(at, len(p.Payload))
		cut := p.Len - len(p.Payload)
		t.stats(at).Snapped += int64(cut)
		f.dec.Data(side, wire.Chunk{Data: p.Payload, At: at, Cut: cut, Block: block})
		return
	}
	f.segment(p, side, at, block)
}

// tick moves the table's time on, and ends what waited too long.
func (t *Table) tick(now model.Time) {
	if now <= t.now {
		return
	}
	if t.now != 0 && now-t.now > timeJump && (now < t.jump || now-t.jump > timeJump) {
		t.jump = now // one stamp far ahead is damage until the next one agrees
		return
	}
	t.now = now
	for f := t.wait.due(now); f != nil; f = t.wait.due(now) {
		f.waiting = false
		f.timeout()
	}
}

// touch makes f the most recently used flow and forgets old ones.
func (t *Table) touch(f *Flow, now model.Time) {
	f.seen = now
	if t.last == f {
		return
	}
	t.last = f
	t.live.moveToBack(f)
	for old := t.live.front(); old != nil && old != f && t.expired(old); old = t.live.front() {
		t.forget(old, wire.FIN)
	}
}

// expired says whether a flow can be forgotten without loss.
func (t *Table) expired(f *Flow) bool {
	idle := t.now - f.seen
	return f.over() && idle > closedTime || f.Conn.UDP && idle > idleTime
}

// forget drops a flow, ending what has not ended.
func (t *Table) forget(f *Flow, how wire.Ending) {
	t.remove(f)
	f.finish(how, f.lastAt)
	t.opener.Closed(f)
}

func (t *Table) remove(f *Flow) {
	t.live.remove(f)
	t.budget.Give(flowCost)
	if t.last == f {
		t.last = nil
	}
	if f.v4 && t.flows4[f.key4] == f {
		delete(t.flows4, f.key4)
	} else if !f.v4 && t.flows6[f.key6] == f {
		delete(t.flows6, f.key6)
	}
}

// CutOff gives the flow of the last packet to another decoder: its own failed.
func (t *Table) CutOff(d wire.Decoder) {
	if t.last != nil {
		t.last.dec = d
	}
}

// Close ends all flows: the input is at its end.
func (t *Table) Close() {
	for f := t.live.front(); f != nil; f = t.live.front() {
		t.forget(f, wire.EndOfCapture)
	}
}

// open makes the flow of a packet, in place of old when the ports are reused.
func (t *Table) open(p *packet.Packet, at wire.At, old *Flow) (*Flow, wire.Side) {
	if old != nil {
		t.forget(old, wire.Reused)
	}
	for !t.budget.Take(flowCost) {
		oldest := t.live.front()
		if oldest == nil {
			t.budget.Used += flowCost // nothing left to forget: one flow more than the budget
			break
		}
		t.stats(at).Evicted++
		t.forget(oldest, wire.Dropped)
	}
	f := &Flow{table: t, seen: at.Time, lastAt: at}
	f.Conn.UDP = p.Proto == packet.UDP
	side := wire.Side(0)
	if p.Flags&(packet.SYN|packet.ACK) == packet.SYN|packet.ACK && !f.Conn.UDP {
		side = 1 // who answers a SYN did not open the connection
	}
	f.Conn.Ends[side] = wire.AddrPort{Addr: p.Src, Port: p.SrcPort}
	f.Conn.Ends[side.Other()] = wire.AddrPort{Addr: p.Dst, Port: p.DstPort}
	t.insert(f)
	t.live.pushBack(f)
	f.start(p, side)
	f.dec = t.opener.Open(f)
	return f, side
}
