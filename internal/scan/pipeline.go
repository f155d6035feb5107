package scan

import (
	"context"
	"fmt"
	"runtime/debug"
	"sort"
	"strings"

	"waybill/internal/capture"
	"waybill/internal/content"
	"waybill/internal/input"
	"waybill/internal/model"
	"waybill/internal/packet"
	"waybill/internal/stream"
	"waybill/internal/wire"
	"waybill/internal/wire/neighbors"
	"waybill/internal/wire/sealed"
	"waybill/internal/wire/ticket"
)

// pipeline decodes all inputs on one goroutine.
type pipeline struct {
	o         Options
	pool      *content.Pool
	budget    *content.Budget
	sources   []*source
	table     *stream.Table
	fragments *stream.Fragments
	detector  *detector
	arp, ndp  *neighbors.Table
	esp       *sealed.ESP
	tickets   *ticket.Table
	packet    packet.Packet

	history               []*capture.Block // the last blocks, kept readable for the stream's comparisons
	coverage              []inputCoverage  // by input
	pairs                 map[pair]struct{}
	lastPair              pair
	unknownPorts          map[string]int64 // bytes in flows that nobody knows
	connections, oneSided int              // TCP connections with data; of these, those with one direction
	faults                []string
	at                    wire.At // the packet being decoded
	done                  int64
	total                 int64

	transfers []*wire.Transfer
	accesses  []*wire.Access
}

// inputCoverage is what one input had.
type inputCoverage struct {
	start, end model.Time
	packets    int64
	bytes      int64
	tally
}

// pair is two hosts that spoke with each other.
type pair struct{ a, b model.Addr }

func newPipeline(o Options, budget *content.Budget, pool *content.Pool, inputs []*input.Input) *pipeline {
	p := &pipeline{o: o, pool: pool, budget: budget, pairs: map[pair]struct{}{}, unknownPorts: map[string]int64{}}
	for i, in := range inputs {
		p.sources = append(p.sources, newSource(in, i, len(inputs)))
		p.coverage = append(p.coverage, inputCoverage{tally: newTally()})
		p.total += max(in.Size, 0)
	}
	p.tickets = ticket.NewTable(o.Keytab, budget)
	p.detector = newDetector(p)
	p.arp, p.ndp = neighbors.New("arp", (&env{p: p}).Access), neighbors.New("ndp", (&env{p: p}).Access)
	p.esp = sealed.NewESP((&env{p: p}).Transfer)
	p.table = stream.New(p.detector, budget, len(inputs))
	p.fragments = stream.NewFragments(budget)
	return p
}

// run decodes all inputs. It gives ctx's error when it was cut short.
func (p *pipeline) run(ctx context.Context) error {
	order := append([]*source(nil), p.sources...)
	sort.SliceStable(order, func(i, j int) bool { return order[i].first < order[j].first })
	readers, stop := context.WithCancel(ctx)
	defer stop()
	m := &merge{waiting: order}
	for ctx.Err() == nil {
		s := m.top(readers)
		if s == nil {
			break
		}
		m.moveOn(p.take(s, m))
	}
	for closed := false; !closed; {
		p.guard(func() { p.table.Close(); closed = true })
	}
	for _, proto := range p.detector.protocols {
		p.guard(func() { proto.Flush(p.at) })
	}
	p.detector.reportSealed()
	p.esp.Flush()
	p.arp.Flush()
	p.ndp.Flush()
	p.fragments.Flush()
	p.pool.Flush()
	return ctx.Err()
}

// take decodes frames of s as long as they come before those of the others. It
// reports whether s has more.
func (p *pipeline) take(s *source, m *merge) bool {
	until, index := m.until()
	for {
		if p.frames(s, until, index) {
			return true
		}
		if !s.ready(p.release) {
			return false
		}
	}
}

// frames decodes the frames of the batch up to a key. It reports whether it
// stopped before the end of the batch. After a panic of a decoder it goes on
// with the next frame.
func (p *pipeline) frames(s *source, until model.Time, index int32) bool {
	for s.next < len(s.batch.Frames) {
		if s.key > until || s.key == until && s.index > index {
			return true
		}
		p.guard(func() { p.someFrames(s, until, index) })
	}
	return false
}

func (p *pipeline) someFrames(s *source, until model.Time, index int32) {
	b := s.batch
	for s.next < len(b.Frames) && (s.key < until || s.key == until && s.index <= index) {
		f := &b.Frames[s.next]
		if s.next++; s.next < len(b.Frames) {
			s.stamp()
		}
		p.frame(s, f, b.Block)
	}
}

// arpBytes is the length of a request or reply (RFC 826).
const arpBytes = 28

// maxFrame is more than any link carries: a frame that says it was longer has a
// damaged header, and counts as what was captured of it.
const maxFrame = 1 << 20

// frame decodes one frame.
func (p *pipeline) frame(s *source, f *capture.Frame, block *capture.Block) {
	p.at = wire.At{Time: f.Time, Packet: f.Number, Input: s.index}
	if f.Len > maxFrame {
		f.Len = len(f.Data)
	}
	c := &p.coverage[s.index]
	c.packets++
	c.bytes += int64(f.Len)
	if c.start == 0 || f.Time < c.start {
		c.start = f.Time
	}
	c.end = max(c.end, f.Time)
	o := packet.Decode(packet.LinkType(f.Link), f.Data, f.Len, &p.packet)
	if o == packet.Truncated {
		c.blind["snaplen"] += int64(f.Len - len(f.Data))
	}
	c.frameBytes(o, &p.packet, f.Len)
	p.outcome(c, o, block)
}

func (p *pipeline) outcome(c *inputCoverage, o packet.Outcome, block content.Block) {
	for depth := 0; o == packet.Fragmented && depth < 4; depth++ {
		datagram, ok := p.fragments.Add(&p.packet, p.at.Time)
		if !ok {
			return
		}
		o, block = packet.DecodeIP(datagram, len(datagram), &p.packet), nil
	}
	if o == packet.ARP {
		c.decoded["arp"] += arpBytes
		p.arp.Seen(p.packet.Src, p.packet.SrcMAC, p.at)
		return
	}
	if o == packet.OtherIP && p.packet.Proto == packet.ESP {
		p.espPacket(&p.packet)
	}
	if o == packet.OtherIP && p.packet.Proto == packet.ICMPv6 {
		p.neighborDiscovery(c)
	}
	if o != packet.Segment {
		return
	}
	p.notePair(&p.packet)
	p.table.Packet(&p.packet, p.at, block)
}

// neighborDiscovery counts a message of ICMPv6, and takes who is at which hardware.
func (p *pipeline) neighborDiscovery(c *inputCoverage) {
	n := int64(len(p.packet.Payload))
	if p.ndp.ICMPv6(p.packet.Src, p.packet.Payload, p.at) {
		c.decoded["ndp"] += n
		return
	}
	c.other["icmpv6"] += n
}

func (p *pipeline) notePair(k *packet.Packet) {
	n := pair{k.Src, k.Dst}
	if n == p.lastPair || n == (pair{p.lastPair.b, p.lastPair.a}) {
		return
	}
	p.lastPair = n
	if string(n.b[:]) < string(n.a[:]) {
		n.a, n.b = n.b, n.a
	}
	if _, ok := p.pairs[n]; !ok && len(p.pairs) < 1<<20 {
		p.pairs[n] = struct{}{}
	}
}

// guard runs f. A panic in it is a fault of the program: it is named, and the
// flow that it happened on is cut off.
func (p *pipeline) guard(f func()) {
	defer func() {
		if r := recover(); r != nil {
			p.fault(r)
		}
	}()
	f()
}

const maxFaults = 20

func (p *pipeline) fault(r any) {
	if len(p.faults) < maxFaults {
		name := "end of input"
		if int(p.at.Input) < len(p.sources) {
			name = p.sources[p.at.Input].in.Name
		}
		p.faults = append(p.faults, fmt.Sprintf("%s: packet %d: %v at %s", name, p.at.Packet, r, where(debug.Stack())))
	}
	p.table.CutOff(deaf{})
}

// where is the place of a panic: the first line of this program below it.
func where(stack []byte) string {
	lines := strings.Split(string(stack), "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, "panic(") && i+3 < len(lines) {
			place := strings.TrimSpace(lines[i+3])
			if _, after, ok := strings.Cut(place, "internal/"); ok {
				place = after
			}
			place, _, _ = strings.Cut(place, " ")
			return place
		}
	}
	return "an unknown place"
}

// deaf is the decoder of a flow that was cut off.
type deaf struct{}

func (deaf) Data(wire.Side, wire.Chunk)          {}
func (deaf) Gap(wire.Side, int64, wire.At)       {}
func (deaf) End(wire.Side, wire.Ending, wire.At) {}

// release is called when the frames of a batch were taken.
func (p *pipeline) release(b *capture.Batch) {
	p.pool.Flush()
	p.table.NextBlock()
	p.history = append(p.history, b.Block)
	if len(p.history) > stream.HistoryBlocks {
		p.history[0].Release()
		copy(p.history, p.history[1:])
		p.history = p.history[:stream.HistoryBlocks]
	}
	if p.o.Progress != nil {
		for _, f := range b.Frames {
			p.done += int64(len(f.Data)) + 16
		}
		p.o.Progress(Progress{Read: p.done, Total: p.total})
	}
}
