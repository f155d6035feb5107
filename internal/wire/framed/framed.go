// Package framed cuts one direction of a connection into messages that state
// their own length. In come bytes in order and word of those that were not seen;
// out go whole messages, with the holes in them. After a loss it looks for the
// next message by what the protocol says of its start. Content that a message
// carries can go to its file as it comes, without being gathered. It gathers
// within the budget, and knows no protocol.
package framed

import (
	"waybill/internal/content"
	"waybill/internal/wire"
)

// Hole is the bytes [From, To) of a message, which were not seen and are zero.
type Hole struct{ From, To int }

// Message is one message.
type Message struct {
	Data        []byte // valid until Emit returns, unless kept with Keep
	Holes       []Hole
	Seq         uint32 // of the first byte
	First, Last wire.At
	Seen        wire.Packets
	From        wire.Side
	// Block is the memory that holds Data where it is not the reader's own.
	Block content.Block
	// Bulk is where in Data content was left out: it went to its file.
	Bulk Bulk
}

// Bulk is content inside a message: Size bytes from At on, that belong to a file
// at an offset. The zero value is none.
type Bulk struct {
	At, Size int
	File     *content.File
	Off      int64
}

// left is where the content ends in a message.
func (b *Bulk) left() int { return b.At + b.Size }

// Format says how messages begin.
type Format struct {
	Head   int // bytes that tell the length
	Needed int // bytes from the start that have to be there for a message with holes to be of use
	// Length is the whole length of a message by its first Head bytes; below Head
	// it is no message.
	Length func(head []byte) int
	// Find gives where in b a message starts after a loss, -1 where none does; the
	// last Needed bytes are looked at again together with what follows.
	Find func(b []byte) int
}

// undecided bounds how much of a message is looked at for bulk content.
const undecided = 1024

// smallMessage is what is gathered without asking the budget.
const smallMessage = 64 << 10

// maxHoles bounds the holes of one message.
const maxHoles = 64

// Reader gathers the messages of one side.
type Reader struct {
	format  *Format
	env     wire.Env
	emit    func(*Message)
	lost    func()
	m       Message
	at      int // how much of the message came or was lost, with content that was left out
	size    int // of the message, once its head came
	hunting bool
	kept    bool
	charged int64

	bulk    func(m *Message, b []byte) (Bulk, bool)
	decided bool // whether the message has bulk content
}

// NewReader makes a Reader. fromStart says that the first byte given starts a
// message; emit takes messages; lost is told when messages may be missing.
func NewReader(f *Format, env wire.Env, side wire.Side, fromStart bool, emit func(*Message), lost func()) *Reader {
	return &Reader{format: f, env: env, emit: emit, lost: lost, hunting: !fromStart, m: Message{From: side}}
}

// Bulk makes the reader ask of each message, by its first bytes, for content that is
// to go to a file as it comes. find says whether more bytes may tell; b is valid
// during the call, and m has no data yet.
func (r *Reader) Bulk(find func(m *Message, b []byte) (x Bulk, more bool)) { r.bulk = find }

// Keep lets the message being emitted outlive the call. It gives the memory that
// holds its data.
func (r *Reader) Keep() content.Block {
	r.kept = true
	return new(ownMemory)
}

// ownMemory is the memory of one message: nobody uses it again.
type ownMemory struct{ _ byte }

func (*ownMemory) Retain()  {}
func (*ownMemory) Release() {}

// Data takes the next bytes.
func (r *Reader) Data(c wire.Chunk) {
	for len(c.Data) > 0 {
		if r.at == 0 && !r.hunting || len(r.m.Data) == 0 && r.hunting {
			r.m.First, r.m.Seq, r.m.Seen = c.At, c.Seq, wire.Packets{}
		}
		r.m.Last = c.At
		r.m.Seen.Add(c.At)
		c = c.After(r.take(c))
	}
}

// take adds what belongs to the message under way and gives how much that was.
func (r *Reader) take(c wire.Chunk) int {
	switch b := c.Data; {
	case r.hunting:
		r.hunt(b)
		return len(b)
	case r.at < r.format.Head:
		return r.begin(b)
	case r.at >= r.m.Bulk.At && r.at < r.m.Bulk.left():
		return r.flow(c)
	default:
		return r.gather(b)
	}
}

// begin takes the bytes that tell the length.
func (r *Reader) begin(b []byte) int {
	n := min(r.format.Head-r.at, len(b))
	first := r.at == 0
	r.m.Data = append(r.m.Data, b[:n]...)
	r.at += n
	if r.at < r.format.Head {
		return n
	}
	r.size = r.format.Length(r.m.Data)
	if r.size < r.format.Head {
		r.Lose()
		return n
	}
	if first {
		r.find(b[:min(len(b), r.size)])
	}
	r.complete()
	return n
}

// find asks for bulk content by the message's first bytes.
func (r *Reader) find(b []byte) {
	if r.bulk == nil || r.decided {
		return
	}
	x, more := r.bulk(&r.m, b)
	r.decided = !more || len(b) >= undecided
	if x.Size > 0 && x.At >= r.format.Head && x.Size <= r.size-x.At {
		r.m.Bulk, r.decided = x, true
	}
}

// gather keeps bytes of the message up to the bulk content, or up to its end.
func (r *Reader) gather(b []byte) int {
	end := r.size
	if r.at < r.m.Bulk.At {
		end = r.m.Bulk.At
	}
	n := min(end-r.at, len(b))
	if !r.charge(int64(n)) {
		r.env.Blind("over-budget", int64(n))
		r.Lose()
		return n
	}
	r.grow(n)
	r.m.Data = append(r.m.Data, b[:n]...)
	r.at += n
	r.find(r.m.Data)
	r.spill()
	r.complete()
	return n
}

// grow makes room for n more bytes: twice as much as there is, and no more than the
// message needs.
func (r *Reader) grow(n int) {
	have := len(r.m.Data)
	if have+n <= cap(r.m.Data) {
		return
	}
	size := max(have+n, min(2*cap(r.m.Data), r.size))
	r.m.Data = append(make([]byte, 0, size), r.m.Data...)
}

// spill gives the file what was gathered of its content before it was known to be
// that.
func (r *Reader) spill() {
	x := &r.m.Bulk
	if x.Size == 0 || len(r.m.Data) <= x.At || r.at != len(r.m.Data) {
		return
	}
	b := r.m.Data[x.At:]
	x.File.Write(x.Off, b[:min(len(b), x.Size)], nil)
	r.m.Data = append(r.m.Data[:x.At], b[min(len(b), x.Size):]...)
}

// flow gives content to its file.
func (r *Reader) flow(c wire.Chunk) int {
	x := &r.m.Bulk
	n := min(x.left()-r.at, len(c.Data))
	x.File.Write(x.Off+int64(r.at-x.At), c.Data[:n], c.Block)
	r.at += n
	r.complete()
	return n
}

func (r *Reader) complete() {
	if r.at < r.size {
		return
	}
	m := r.m
	r.emit(&m)
	r.Reset()
}

// Reset begins a new message; what was gathered is given up.
func (r *Reader) Reset() {
	r.env.Budget().Give(r.charged)
	r.charged = 0
	if r.kept || cap(r.m.Data) > 4*smallMessage {
		r.m.Data = nil
	}
	r.kept = false
	r.m.Data, r.m.Holes, r.m.Bulk = r.m.Data[:0], nil, Bulk{}
	r.at, r.size, r.decided = 0, 0, false
}

// charge takes memory for n more bytes.
func (r *Reader) charge(n int64) bool {
	have := int64(len(r.m.Data))
	if have+n <= smallMessage || r.charged >= have+n {
		return true
	}
	n = max(n, smallMessage)
	if !r.env.Budget().Take(n) {
		return false
	}
	r.charged += n
	return true
}

// Gap says that n bytes were not seen. One inside a message whose start is there
// costs its bytes; any other costs messages.
func (r *Reader) Gap(n int64) {
	if r.hunting {
		r.m.Data = r.m.Data[:0] // no message goes on behind it
		r.lost()
		return
	}
	if x := &r.m.Bulk; r.at >= x.At && r.at < x.left() {
		k := min(n, int64(x.left()-r.at))
		r.at += int(k)
		n -= k
		r.complete()
	}
	if n > 0 && r.at >= max(r.format.Needed, r.format.Head) && len(r.m.Holes) < maxHoles {
		n -= r.skip(n)
	}
	if n > 0 {
		r.Lose()
	}
}

// skip leaves a hole of up to n bytes in the message under way and gives how many.
func (r *Reader) skip(n int64) int64 {
	n = min(n, int64(r.size-r.at))
	if !r.charge(n) {
		return 0
	}
	have := len(r.m.Data)
	r.m.Holes = append(r.m.Holes, Hole{have, have + int(n)})
	r.m.Data = append(r.m.Data, make([]byte, n)...)
	r.at += int(n)
	r.decided = true
	r.complete()
	return n
}

// Lose looks for the next message: what comes is in the middle of something.
func (r *Reader) Lose() {
	r.blind(len(r.m.Data) - r.m.lost())
	r.Reset()
	r.hunting = true
	r.lost()
}

func (r *Reader) hunt(b []byte) {
	r.m.Data = append(r.m.Data, b...)
	at := r.format.Find(r.m.Data)
	if at < 0 {
		if n := len(r.m.Data) - r.format.Needed; n > 0 {
			r.blind(n)
			r.m.Data = append(r.m.Data[:0], r.m.Data[n:]...)
		}
		return
	}
	r.blind(at)
	rest := append([]byte(nil), r.m.Data[at:]...)
	r.m.Data, r.hunting = r.m.Data[:0], false
	for len(rest) > 0 {
		rest = rest[r.take(wire.Chunk{Data: rest, At: r.m.Last}):]
	}
}

func (r *Reader) blind(n int) {
	if n > 0 {
		r.env.Blind(wire.AroundLoss, int64(n))
	}
}

// lost is how many bytes of the message lie in holes.
func (m *Message) lost() (n int) {
	for _, h := range m.Holes {
		n += h.To - h.From
	}
	return n
}

// Around gives the parts of a run of a message's data that were seen: data begins
// at offset at of the message, and each part is given with its offset in data.
func (m *Message) Around(at int, data []byte, each func(off int, part []byte)) {
	from := 0
	for _, h := range m.Holes {
		a, b := max(h.From-at, from), min(h.To-at, len(data))
		if b <= from || a >= len(data) {
			continue
		}
		if a > from {
			each(from, data[from:a])
		}
		from = b
	}
	if from < len(data) {
		each(from, data[from:])
	}
}
