// Package framed cuts one direction of a connection into messages that state
// their own length. In come bytes in order and word of those that were not seen;
// out go whole messages, with the holes in them. After a loss it looks for the
// next message by what the protocol says of its start. It gathers within the
// budget, and knows no protocol.
package framed

import "waybill/internal/wire"

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
}

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
	hunting bool
	kept    bool
	charged int64
}

// NewReader makes a Reader. fromStart says that the first byte given starts a
// message; emit takes messages; lost is told when messages may be missing.
func NewReader(f *Format, env wire.Env, side wire.Side, fromStart bool, emit func(*Message), lost func()) *Reader {
	return &Reader{format: f, env: env, emit: emit, lost: lost, hunting: !fromStart, m: Message{From: side}}
}

// Keep lets the message being emitted outlive the call.
func (r *Reader) Keep() { r.kept = true }

// Data takes the next bytes.
func (r *Reader) Data(c wire.Chunk) {
	for len(c.Data) > 0 {
		if len(r.m.Data) == 0 {
			r.m.First, r.m.Seq, r.m.Seen = c.At, c.Seq, wire.Packets{}
		}
		r.m.Last = c.At
		r.m.Seen.Add(c.At)
		c = c.After(r.take(c.Data))
	}
}

// take adds what belongs to the message under way and gives how much that was.
func (r *Reader) take(b []byte) int {
	if r.hunting {
		r.hunt(b)
		return len(b)
	}
	if have := len(r.m.Data); have < r.format.Head {
		n := min(r.format.Head-have, len(b))
		r.m.Data = append(r.m.Data, b[:n]...)
		if len(r.m.Data) == r.format.Head {
			r.begin()
		}
		return n
	}
	n := min(r.format.Length(r.m.Data[:r.format.Head])-len(r.m.Data), len(b))
	if r.charge(int64(n)) {
		r.m.Data = append(r.m.Data, b[:n]...)
		r.complete()
		return n
	}
	r.env.Blind("over-budget", int64(n))
	r.Lose()
	return n
}

func (r *Reader) begin() {
	if r.format.Length(r.m.Data) < r.format.Head {
		r.Lose()
		return
	}
	r.complete()
}

func (r *Reader) complete() {
	if len(r.m.Data) < r.format.Length(r.m.Data[:r.format.Head]) {
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
	r.m.Data, r.m.Holes = r.m.Data[:0], nil
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
		r.lost()
		return
	}
	if have := len(r.m.Data); have >= max(r.format.Needed, r.format.Head) && len(r.m.Holes) < maxHoles {
		inside := min(n, int64(r.format.Length(r.m.Data[:r.format.Head])-have))
		if r.charge(inside) {
			n -= inside
			r.m.Holes = append(r.m.Holes, Hole{have, have + int(inside)})
			r.m.Data = append(r.m.Data, make([]byte, inside)...)
			r.complete()
			if n == 0 {
				return
			}
		}
	}
	r.Lose()
}

// Lose looks for the next message: what comes is in the middle of something.
func (r *Reader) Lose() {
	r.Reset()
	r.hunting = true
	r.lost()
}

func (r *Reader) hunt(b []byte) {
	r.m.Data = append(r.m.Data, b...)
	at := r.format.Find(r.m.Data)
	if at < 0 {
		if n := len(r.m.Data) - r.format.Needed; n > 0 {
			r.m.Data = append(r.m.Data[:0], r.m.Data[n:]...)
		}
		return
	}
	rest := append([]byte(nil), r.m.Data[at:]...)
	r.m.Data, r.hunting = r.m.Data[:0], false
	for len(rest) > 0 {
		rest = rest[r.take(rest):]
	}
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
