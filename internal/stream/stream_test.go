package stream

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"waybill/internal/content"
	"waybill/internal/model"
	"waybill/internal/packet"
	"waybill/internal/synth"
	"waybill/internal/wire"
)

const (
	second = model.Time(1e9)
	begin  = 1_700_000_000 * second
)

// net is a table under test. It records what each flow's decoder is given, as
// one text a side: bytes as they are, a hole of 3 as [3], the end as its name.
type net struct {
	t      testing.TB
	table  *Table
	budget *content.Budget
	flows  []*tape
	now    model.Time
	packet uint64
	sent   int64 // payload bytes
}

// tape is the decoder of one flow.
type tape struct {
	t      testing.TB
	flow   *Flow
	out    [2]strings.Builder
	bytes  [2]int64
	order  strings.Builder // which side each call was about
	ended  [2]bool
	closed bool
}

func newNet(t testing.TB, sensors int) *net {
	n := &net{t: t, budget: &content.Budget{Limit: 64 << 20}, now: begin}
	n.table = New(n, n.budget, sensors)
	t.Cleanup(n.everyByte)
	return n
}

// everyByte is the law of the counts: each byte of a payload went to a decoder, or
// is counted as one of those that did not, once.
func (n *net) everyByte() {
	n.table.Close()
	s := n.total()
	counted := s.Duplicate + s.Conflicting + s.Stray + s.Dropped
	for _, x := range n.flows {
		x.flow.Carried(func(_ int, b int64) { counted += b })
	}
	if counted != n.sent {
		n.t.Errorf("%d bytes sent, %d counted: %+v", n.sent, counted, s)
	}
}

// total adds the counts of all inputs.
func (n *net) total() (sum Stats) {
	for _, s := range n.table.inputs {
		sum.Duplicate += s.Duplicate
		sum.Conflicting += s.Conflicting
		sum.Stray += s.Stray
		sum.Dropped += s.Dropped
		sum.Checksum += s.Checksum
		sum.Evicted += s.Evicted
	}
	return sum
}

// give hands a packet to the table.
func (n *net) give(p *packet.Packet, at wire.At) {
	n.sent += int64(len(p.Payload))
	n.table.Packet(p, at, nil)
}

func (n *net) Open(f *Flow) wire.Decoder {
	x := &tape{t: n.t, flow: f}
	n.flows = append(n.flows, x)
	return x
}

func (n *net) Closed(f *Flow) {
	for _, x := range n.flows {
		if x.flow == f {
			x.closed = true
		}
	}
}

func (x *tape) Data(from wire.Side, c wire.Chunk) {
	if x.ended[from] {
		x.t.Errorf("bytes after the end: %q", c.Data)
	}
	if len(c.Data) == 0 && !x.flow.Conn.UDP {
		x.t.Error("no bytes")
	}
	x.out[from].Write(c.Data)
	x.bytes[from] += int64(len(c.Data))
	fmt.Fprintf(&x.order, "%d", from)
}

func (x *tape) Gap(from wire.Side, n int64, _ wire.At) {
	if x.ended[from] || n <= 0 {
		x.t.Errorf("gap of %d, ended %v", n, x.ended[from])
	}
	fmt.Fprintf(&x.out[from], "[%d]", n)
	x.bytes[from] += n
}

func (x *tape) End(from wire.Side, how wire.Ending, _ wire.At) {
	if x.ended[from] {
		x.t.Error("ended twice")
	}
	x.ended[from] = true
	fmt.Fprintf(&x.out[from], " %v", how)
}

// seg is a segment: from a (the client) or b; seq counts from the byte after the SYN.
type seg struct {
	from  byte
	flags uint8
	seq   int
	data  string
	ack   int   // of the other side's bytes; -1 is none
	input int32 // the sensor
	sleep model.Time
	len   int   // real length when snapped
	bad   bool  // wrong checksum
	isn   int64 // other than the usual
}

var ends = [2]wire.AddrPort{
	{Addr: model.AddrOf(netip.MustParseAddr("10.0.0.1")), Port: 40000},
	{Addr: model.AddrOf(netip.MustParseAddr("10.0.0.2")), Port: 445},
}

// first is the usual first sequence number of both sides: numbers wrap soon.
const first = uint32(0xffff_fff0)

func (n *net) send(s seg) {
	n.now += max(s.sleep, 1000)
	n.packet++
	side := int(s.from - 'a')
	p := packet.Packet{Src: ends[side].Addr, Dst: ends[1-side].Addr, SrcPort: ends[side].Port, DstPort: ends[1-side].Port,
		Proto: packet.TCP, Flags: s.flags, Seq: first + uint32(s.isn) + uint32(s.seq), Payload: []byte(s.data), Len: max(s.len, len(s.data))}
	if s.flags&packet.SYN != 0 {
		p.Seq--
	}
	if s.ack >= 0 {
		p.Flags |= packet.ACK
		p.Ack = first + uint32(s.isn) + uint32(s.ack)
	}
	// The checksum needs a segment: here one of the payload alone.
	p.Segment, p.SegmentLen = checked(&p, s.bad)
	p.Payload = p.Segment[20:]
	n.give(&p, wire.At{Time: n.now, Packet: n.packet, Input: s.input})
}

// checked is a TCP segment with a right or wrong checksum.
func checked(p *packet.Packet, bad bool) ([]byte, int) {
	s := append(make([]byte, 20), p.Payload...)
	sum := uint32(p.Proto) + uint32(len(s))
	for _, b := range [][]byte{p.Src[12:], p.Dst[12:], s} {
		for i, c := range b {
			sum += uint32(c) << (8 * (1 - i%2))
		}
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	if bad {
		sum ^= 1
	}
	s[16], s[17] = byte(^sum>>8), byte(^sum)
	return s, 20 + p.Len
}

const (
	syn = packet.SYN
	fin = packet.FIN
	rst = packet.RST
)

// hello opens the connection in order.
func (n *net) hello() *net {
	n.send(seg{from: 'a', flags: syn, ack: -1})
	n.send(seg{from: 'b', flags: syn})
	n.send(seg{from: 'a'})
	return n
}

func TestReassembly(t *testing.T) {
	for _, c := range []struct {
		name    string
		sensors int
		bare    bool // no handshake
		segs    []seg
		want    [2]string
	}{
		{"in order", 1, false, []seg{{from: 'a', data: "abc"}, {from: 'b', data: "xyz", ack: 3}, {from: 'a', seq: 3, data: "def", ack: 3},
			{from: 'a', seq: 6, flags: fin, ack: 3}, {from: 'b', seq: 3, flags: fin, ack: 7}}, [2]string{"abcdef closed", "xyz closed"}},
		{"reordered", 1, false, []seg{{from: 'a', seq: 3, data: "def"}, {from: 'a', seq: 6, data: "ghi"}, {from: 'a', data: "abc"}},
			[2]string{"abcdefghi end of capture", " end of capture"}},
		{"sent again", 1, false, []seg{{from: 'a', data: "abc"}, {from: 'a', data: "abc"}, {from: 'a', data: "abcdef"}, {from: 'a', seq: 2, data: "cdefgh"}},
			[2]string{"abcdefgh end of capture", " end of capture"}},
		{"overlapping ahead", 1, false, []seg{{from: 'a', seq: 2, data: "cde"}, {from: 'a', seq: 4, data: "efg"}, {from: 'a', data: "abc"}},
			[2]string{"abcdefg end of capture", " end of capture"}},
		{"a hole", 1, false, []seg{{from: 'a', data: "abc"}, {from: 'a', seq: 6, data: "ghi"}, {from: 'b', ack: 9}, {from: 'a', seq: 9, flags: fin}},
			[2]string{"abc[3]ghi closed", " end of capture"}},
		{"a hole at the end", 1, false, []seg{{from: 'a', data: "abc"}, {from: 'b', ack: 8, flags: fin}, {from: 'a', seq: 8, flags: fin, ack: 1}},
			[2]string{"abc[5] closed", " closed"}},
		{"snapped", 1, false, []seg{{from: 'a', data: "abc", len: 10}, {from: 'a', seq: 10, data: "k"}},
			[2]string{"abc[7]k end of capture", " end of capture"}},
		{"late start", 1, true, []seg{{from: 'a', seq: 100, data: "abc"}, {from: 'b', seq: 50, data: "xyz", ack: 103}, {from: 'a', seq: 103, data: "d", ack: 53}},
			[2]string{"abcd end of capture", "xyz end of capture"}},
		{"one direction", 1, true, []seg{{from: 'a', flags: syn, ack: -1}, {from: 'a', data: "abc", ack: 0}, {from: 'a', seq: 3, data: "def", ack: 700}, {from: 'a', seq: 6, flags: fin, ack: 900}},
			[2]string{"abcdef closed", " end of capture"}},
		{"reset", 1, false, []seg{{from: 'a', data: "abc"}, {from: 'b', flags: rst, ack: 3}, {from: 'a', seq: 3, data: "late"}},
			[2]string{"abc reset", " reset"}},
		{"reset out of place", 1, false, []seg{{from: 'a', data: "abc"}, {from: 'b', seq: 200_000_000, flags: rst, ack: 3}, {from: 'a', seq: 3, data: "d"}},
			[2]string{"abcd end of capture", " end of capture"}},
		{"reset ignored", 1, false, []seg{{from: 'a', flags: rst, ack: 0}, {from: 'a', data: "abc"}, {from: 'b', data: "xyz", ack: 3}},
			[2]string{"abc end of capture", "xyz end of capture"}},
		{"keep-alive", 1, false, []seg{{from: 'a', data: "abc"}, {from: 'a', seq: 2, data: "\x00"}, {from: 'a', seq: 3, data: "d"}},
			[2]string{"abcd end of capture", " end of capture"}},
		{"answer before its request", 2, false, []seg{{from: 'b', data: "xyz", ack: 3, input: 1}, {from: 'a', data: "abc", sleep: 4 * second}, {from: 'a', seq: 3, data: "d", ack: 3}},
			[2]string{"abcd end of capture", "xyz end of capture"}},
		{"request never seen", 2, false, []seg{{from: 'b', data: "xyz", ack: 3, input: 1}, {from: 'b', seq: 3, data: "w", ack: 3, sleep: 6 * second, input: 1}},
			[2]string{"[3] end of capture", "xyzw end of capture"}},
	} {
		n := newNet(t, c.sensors)
		if !c.bare {
			n.hello()
		}
		for _, s := range c.segs {
			n.send(s)
		}
		n.table.Close()
		if len(n.flows) != 1 {
			t.Errorf("%s: %d flows", c.name, len(n.flows))
			continue
		}
		for side, want := range c.want {
			if got := n.flows[0].out[side].String(); got != want {
				t.Errorf("%s: side %d got %q instead of %q", c.name, side, got, want)
			}
		}
		if n.budget.Used != 0 {
			t.Errorf("%s: %d bytes of budget not given back", c.name, n.budget.Used)
		}
	}
}

// TestCausality delivers the request before its answer, whatever came first.
func TestCausality(t *testing.T) {
	n := newNet(t, 2).hello()
	n.send(seg{from: 'b', data: "answer", ack: 7, input: 1})
	n.send(seg{from: 'a', data: "request", sleep: second})
	if got := n.flows[0].order.String(); got != "01" {
		t.Errorf("sides in the order %s", got)
	}
}

func TestReusedPorts(t *testing.T) {
	n := newNet(t, 1).hello()
	n.send(seg{from: 'a', data: "old"})
	n.send(seg{from: 'a', flags: syn, ack: -1, isn: 90_000_000})
	n.send(seg{from: 'b', flags: syn, isn: 90_000_000})
	n.send(seg{from: 'a', data: "new", isn: 90_000_000})
	n.table.Close()
	if len(n.flows) != 2 || n.flows[0].out[0].String() != "old ports reused" || n.flows[1].out[0].String() != "new end of capture" {
		t.Errorf("%d flows, %q", len(n.flows), n.flows[0].out[0].String())
	}
	if !n.flows[1].flow.Conn.FromStart[0] || !n.flows[1].flow.Conn.Opened {
		t.Error("the second connection is not known to start here")
	}
}

func TestFromStart(t *testing.T) {
	n := newNet(t, 1).hello()
	late := newNet(t, 1)
	late.send(seg{from: 'a', seq: 5, data: "x"})
	if n.flows[0].flow.Conn.FromStart != [2]bool{true, true} || late.flows[0].flow.Conn.FromStart != [2]bool{} {
		t.Errorf("%v, %v", n.flows[0].flow.Conn.FromStart, late.flows[0].flow.Conn.FromStart)
	}
}

// TestConflicts: of copies that differ the first one stands, and it is said; when
// its checksum was wrong and the later one's right, the connection is corrupt.
func TestConflicts(t *testing.T) {
	n := newNet(t, 1).hello()
	n.send(seg{from: 'a', data: "abcdef"})
	n.send(seg{from: 'a', data: "abXdef"})
	c := &n.flows[0].flow.Conn
	if n.flows[0].out[0].String() != "abcdef" || c.Conflicts[0] == 0 || n.total().Conflicting == 0 || c.Corrupt {
		t.Errorf("%q, %+v", n.flows[0].out[0].String(), c)
	}
	n = newNet(t, 1).hello()
	n.send(seg{from: 'a', data: "abcdef", bad: true})
	n.send(seg{from: 'a', data: "abXdef"})
	if c := &n.flows[0].flow.Conn; !c.Corrupt || n.total().Checksum != 1 {
		t.Errorf("%+v, %+v", c, n.total())
	}
	// While both wait behind a hole, the one with the right checksum wins.
	n = newNet(t, 1).hello()
	n.send(seg{from: 'a', seq: 3, data: "dXf", bad: true})
	n.send(seg{from: 'a', seq: 3, data: "def"})
	n.send(seg{from: 'a', data: "abc"})
	if got := n.flows[0].out[0].String(); got != "abcdef" {
		t.Errorf("waiting copies: %q", got)
	}
}

func TestDuplicates(t *testing.T) {
	n := newNet(t, 2).hello()
	n.send(seg{from: 'a', data: "abcdef"})
	n.send(seg{from: 'a', data: "abcdef", input: 1})
	if n.total().Duplicate != 6 || n.total().Conflicting != 0 {
		t.Errorf("%+v", n.total())
	}
}

func TestDatagrams(t *testing.T) {
	n := newNet(t, 2)
	send := func(data string, input int32) {
		n.packet++
		n.now += 1000
		p := packet.Packet{Src: ends[0].Addr, Dst: ends[1].Addr, SrcPort: 1, DstPort: 2, Proto: packet.UDP, Payload: []byte(data), Len: len(data)}
		n.give(&p, wire.At{Time: n.now, Packet: n.packet, Input: input})
	}
	for _, d := range []string{"one", "two", "two"} {
		send(d, 0)
		send(d, 1)
	}
	n.table.Close()
	if got := n.flows[0].out[0].String(); got != "onetwotwo end of capture" || n.total().Duplicate != 9 {
		t.Errorf("%q, %d duplicates", got, n.total().Duplicate)
	}
}

// TestTime: a stamp far ahead is damage and ends nothing; quiet ends idle flows.
func TestTime(t *testing.T) {
	n := newNet(t, 1).hello()
	now := n.now
	n.now += 40 * 24 * 3600 * second
	n.send(seg{from: 'a', data: "a"})
	n.now = now
	n.send(seg{from: 'a', seq: 1, data: "b"})
	if n.table.Now() > now+second || n.flows[0].out[0].String() != "ab" {
		t.Errorf("time went to %v, %q", n.table.Now(), n.flows[0].out[0].String())
	}
	// A hole is given up after 5 s of other traffic.
	n.send(seg{from: 'a', seq: 5, data: "f"})
	ends[0].Port++
	defer func() { ends[0].Port-- }()
	for range 8 {
		n.send(seg{from: 'a', flags: syn, ack: -1, sleep: second})
	}
	if got := n.flows[0].out[0].String(); got != "ab[3]f" && got != "ab" {
		t.Errorf("after 8 s: %q", got)
	}
}

// TestLittleMemory forgets the flows that were quiet for longest.
func TestLittleMemory(t *testing.T) {
	n := newNet(t, 1)
	n.budget.Limit = 8 << 10
	port := ends[0].Port
	defer func() { ends[0].Port = port }()
	for i := range 100 {
		ends[0].Port = uint16(1000 + i)
		n.hello()
		n.send(seg{from: 'a', seq: 3, data: strings.Repeat("x", 2000)}) // waits for three bytes
	}
	if n.budget.Used > n.budget.Limit+flowCost || n.total().Evicted == 0 {
		t.Errorf("%d of %d bytes used, %d evicted", n.budget.Used, n.budget.Limit, n.total().Evicted)
	}
	n.table.Close()
	for i, x := range n.flows {
		if !x.ended[0] || !x.ended[1] || !x.closed {
			t.Errorf("flow %d did not end", i)
		}
	}
	if n.budget.Used != 0 {
		t.Errorf("%d bytes not given back", n.budget.Used)
	}
}

// FuzzReassembly cuts a stream into segments, loses, repeats and moves some, and
// compares with the stream: what is delivered is right and in its place.
func FuzzReassembly(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(seed, uint8(seed*30), uint8(seed*20), uint16(300+seed*100))
	}
	f.Fuzz(func(t *testing.T, seed uint64, loss, again uint8, size uint16) {
		rng := rand.New(rand.NewPCG(seed, 1))
		stream := make([]byte, int(size)%3000+1)
		for i := range stream {
			stream[i] = byte(rng.Uint32())
		}
		var segs []seg
		lost := make([]bool, len(stream))
		for at := 0; at < len(stream); {
			n := min(1+rng.IntN(40), len(stream)-at)
			s := seg{from: 'a', seq: at, data: string(stream[at : at+n]), ack: 0}
			at += n
			if rng.IntN(256) < int(loss)/4 {
				for i := s.seq; i < at; i++ {
					lost[i] = true
				}
				continue
			}
			segs = append(segs, s)
			if rng.IntN(256) < int(again) {
				from := max(0, s.seq-rng.IntN(30))
				segs = append(segs, seg{from: 'a', seq: from, data: string(stream[from:at]), ack: 0})
				for i := from; i < at; i++ {
					lost[i] = false
				}
			}
		}
		for i := range segs {
			j := min(i+rng.IntN(4), len(segs)-1)
			segs[i], segs[j] = segs[j], segs[i]
		}
		n := newNet(t, 1).hello()
		for _, s := range segs {
			n.send(s)
		}
		n.send(seg{from: 'b', ack: len(stream)})
		n.send(seg{from: 'a', seq: len(stream), flags: fin, ack: 0})
		n.table.Close()
		want := expected(stream, lost)
		if got := n.flows[0].out[0].String(); got != want {
			t.Fatalf("got  %q\nwant %q", got, want)
		}
		if n.budget.Used != 0 {
			t.Errorf("%d bytes not given back", n.budget.Used)
		}
	})
}

// expected is the tape of a stream with holes.
func expected(stream []byte, lost []bool) string {
	var b strings.Builder
	for i := 0; i < len(stream); {
		j := i
		for j < len(stream) && lost[j] == lost[i] {
			j++
		}
		if lost[i] {
			fmt.Fprintf(&b, "[%d]", j-i)
		} else {
			b.Write(stream[i:j])
		}
		i = j
	}
	return b.String() + " closed"
}

// FuzzTable feeds any segments: order, ends and budget hold.
func FuzzTable(f *testing.F) {
	f.Add([]byte("abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnop"))
	f.Add(bytes.Repeat([]byte{1, 2, 0x12, 200, 5, 9}, 30))
	f.Fuzz(func(t *testing.T, script []byte) {
		script = script[:min(len(script), 6*500)]
		n := newNet(t, 1+len(script)%2)
		n.budget.Limit = 32 << 10
		port := ends[0].Port
		defer func() { ends[0].Port = port }()
		for ; len(script) >= 6; script = script[6:] {
			ends[0].Port = uint16(script[5] & 3)
			n.send(seg{from: 'a' + script[0]&1, flags: script[1] & 0x1f, seq: int(script[2]) << (script[5] >> 3), ack: int(script[3]) - 1,
				data: strings.Repeat("z", int(script[4])), sleep: model.Time(script[0]) << (script[5] & 31), input: int32(script[0] >> 7)})
		}
		n.table.Close()
		for _, x := range n.flows {
			if !x.ended[0] || !x.ended[1] || !x.closed {
				t.Error("a flow did not end")
			}
		}
		if n.budget.Used != 0 {
			t.Errorf("%d bytes not given back", n.budget.Used)
		}
	})
}

// TestAllocations: an in-order segment costs none.
func TestAllocations(t *testing.T) {
	if racing {
		t.Skip("the race detector allocates")
	}
	n := newNet(t, 1)
	n.table = New(quiet{}, n.budget, 1)
	payload := make([]byte, 1448)
	p := packet.Packet{Src: ends[0].Addr, Dst: ends[1].Addr, SrcPort: 1, DstPort: 2, Proto: packet.TCP, Flags: packet.ACK, Payload: payload, Len: len(payload), Segment: payload}
	at := wire.At{Time: begin}
	step := func() {
		n.table.Packet(&p, at, nil)
		p.Seq += uint32(len(payload))
		at.Time += 1000
	}
	for range 100 {
		step()
	}
	if got := testing.AllocsPerRun(1000, step); got != 0 {
		t.Errorf("%v allocations a segment", got)
	}
}

// quiet is an Opener whose decoders do nothing.
type quiet struct{}

func (quiet) Open(*Flow) wire.Decoder             { return quiet{} }
func (quiet) Closed(*Flow)                        {}
func (quiet) Data(wire.Side, wire.Chunk)          {}
func (quiet) Gap(wire.Side, int64, wire.At)       {}
func (quiet) End(wire.Side, wire.Ending, wire.At) {}

func TestFragments(t *testing.T) {
	payload := make([]byte, 4000)
	for i := range payload {
		payload[i] = byte(i * 7)
	}
	part := func(from, to int) *packet.Packet {
		return &packet.Packet{Src: ends[0].Addr, Dst: ends[1].Addr, Proto: packet.UDP,
			Fragment: packet.Fragment{ID: 9, Offset: from, More: to < len(payload), Data: payload[from:to]}}
	}
	for name, c := range map[string]struct {
		order [][2]int
		whole bool
	}{
		"in order":    {[][2]int{{0, 1480}, {1480, 2960}, {2960, 4000}}, true},
		"backwards":   {[][2]int{{2960, 4000}, {1480, 2960}, {0, 1480}}, true},
		"overlapping": {[][2]int{{0, 1480}, {800, 2960}, {2400, 4000}}, true},
		"twice":       {[][2]int{{0, 1480}, {0, 1480}, {1480, 4000}}, true},
		"a hole":      {[][2]int{{0, 1480}, {2960, 4000}}, false},
	} {
		budget := &content.Budget{Limit: 1 << 20}
		f := NewFragments(budget)
		var got []byte
		for _, r := range c.order {
			if d, ok := f.Add(part(r[0], r[1]), begin); ok {
				got = bytes.Clone(d)
			}
		}
		if (got != nil) != c.whole || c.whole && !bytes.Equal(got[20:], payload) {
			t.Errorf("%s: %d bytes", name, len(got))
		}
		if c.whole && budget.Used != 0 {
			t.Errorf("%s: %d bytes not given back", name, budget.Used)
		}
		f.expire(begin + 100*second)
		if budget.Used != 0 {
			t.Errorf("%s: %d bytes kept for ever", name, budget.Used)
		}
	}
}

// TestSynth runs a made conversation through packet and stream.
func TestSynth(t *testing.T) {
	n := newNet(t, 1)
	capture := synth.Record(4, func(s *synth.Net) {
		c := s.Dial(s.Host("A", "10.0.0.1"), s.Host("B", "10.0.0.2"), 80)
		c.Client(s.Text(9000))
		c.Server(s.Text(70_000))
		c.Close()
	}).Capture
	for i, f := range capture {
		var p packet.Packet
		packet.Decode(packet.Ethernet, f.Data, 0, &p)
		n.give(&p, wire.At{Time: f.Time, Packet: uint64(i + 1)})
	}
	if x := n.flows[0]; x.bytes != [2]int64{9000, 70_000} || !x.ended[0] || !x.ended[1] {
		t.Errorf("%v bytes, ended %v", x.bytes, x.ended)
	}
}

func BenchmarkSegment(b *testing.B) {
	table := New(quiet{}, &content.Budget{Limit: 1 << 20}, 1)
	payload := make([]byte, 1448)
	p := packet.Packet{Src: ends[0].Addr, Dst: ends[1].Addr, SrcPort: 1, DstPort: 2, Proto: packet.TCP, Flags: packet.ACK, Payload: payload, Len: len(payload), Segment: payload}
	at := wire.At{Time: begin}
	b.ReportAllocs()
	for b.Loop() {
		table.Packet(&p, at, nil)
		p.Seq += uint32(len(payload))
		at.Time += 1000
	}
}
