// Package wiretest drives a protocol in tests as the pipeline would: bytes and
// gaps in, transfers and accesses with resolved content out. Only tests import it.
package wiretest

import (
	"slices"
	"testing"

	"waybill/internal/content"
	"waybill/internal/model"
	"waybill/internal/wire"
)

// Env is a wire.Env that keeps what it is given.
type Env struct {
	t         testing.TB
	pool      *content.Pool
	budget    *content.Budget
	now       model.Time
	packet    uint64
	Transfers []*wire.Transfer
	Accesses  []*wire.Access
	Expected  []wire.Expectation
	BlindSeen map[string]int64
	Doubtful  []string // what Unverified was told, once each
	SMBKeys   map[uint64]wire.SessionKeys
	// Tickets answers for Kerberos tickets; nil knows none.
	Tickets interface {
		Ticket(apReq []byte) wire.Ticket
		Issued(ticket []byte, user, domain string)
	}
	closed bool
	sent   int64 // bytes that links gave to decoders
}

// New makes an Env with 64 MiB of budget and one hash worker.
func New(t testing.TB) *Env {
	e := &Env{t: t, budget: &content.Budget{Limit: 64 << 20}, now: 1_000_000_000, BlindSeen: map[string]int64{}}
	pool, err := content.NewPool(content.Options{Workers: 1, Budget: e.budget})
	if err != nil {
		t.Fatal(err)
	}
	e.pool = pool
	return e
}

func (e *Env) Transfer(t *wire.Transfer)             { e.Transfers = append(e.Transfers, t) }
func (e *Env) Access(a *wire.Access)                 { e.Accesses = append(e.Accesses, a) }
func (e *Env) File(m content.Mode) *content.File     { return e.pool.File(m) }
func (e *Env) Expect(x wire.Expectation)             { e.Expected = append(e.Expected, x) }
func (e *Env) Inner(*wire.Conn, []byte) wire.Decoder { return nil }
func (e *Env) Blind(reason string, n int64)          { e.BlindSeen[reason] += n }
func (e *Env) Now() model.Time                       { return e.now }
func (e *Env) Unverified(what string) {
	if !slices.Contains(e.Doubtful, what) {
		e.Doubtful = append(e.Doubtful, what)
	}
}
func (e *Env) Budget() *content.Budget { return e.budget }
func (e *Env) Keys(id uint64) (wire.SessionKeys, bool) {
	k, ok := e.SMBKeys[id]
	return k, ok
}

func (e *Env) Ticket(apReq []byte) (t wire.Ticket) {
	if e.Tickets != nil {
		t = e.Tickets.Ticket(apReq)
	}
	return t
}

func (e *Env) Issued(ticket []byte, user, domain string) {
	if e.Tickets != nil {
		e.Tickets.Issued(ticket, user, domain)
	}
}

// Next is the next packet, a millisecond after the last.
func (e *Env) Next() wire.At {
	e.packet++
	e.now += 1_000_000
	return wire.At{Time: e.now, Packet: e.packet}
}

// Sleep lets packet time pass.
func (e *Env) Sleep(ns int64) { e.now += model.Time(ns) }

// Done closes the pool; the results of all contents may be asked afterwards.
func (e *Env) Done() {
	if e.closed {
		return
	}
	e.closed = true
	if err := e.pool.Close(); err != nil {
		e.t.Error(err)
	}
	e.blindOnce()
}

// blindOnce says that no more bytes were called unreadable than links gave to
// decoders. What moved beside the connection was in no segment.
func (e *Env) blindOnce() {
	var blind int64
	for reason, n := range e.BlindSeen {
		if reason != "rdma" {
			blind += n
		}
	}
	if e.sent > 0 && blind > e.sent {
		e.t.Errorf("%d bytes given, more blind: %v", e.sent, e.BlindSeen)
	}
}

// Result is the content's result of a transfer.
func (e *Env) Result(t *wire.Transfer) content.Result {
	e.Done()
	if t.Content == nil {
		return content.Result{}
	}
	return t.Content.Result()
}

// Link is one connection fed by a test.
type Link struct {
	env  *Env
	Conn *wire.Conn
	Dec  wire.Decoder
	seq  [2]uint32
}

// Dial makes a connection between two addresses whose opening was seen.
func (e *Env) Dial(p wire.Protocol, client, server wire.AddrPort) *Link {
	c := &wire.Conn{Ends: [2]wire.AddrPort{client, server}, FromStart: [2]bool{true, true}, Opened: true}
	return e.Attach(c, p.Open(c))
}

// Attach makes a link of a connection with a decoder.
func (e *Env) Attach(c *wire.Conn, d wire.Decoder) *Link {
	return &Link{env: e, Conn: c, Dec: d, seq: [2]uint32{1000, 500_000}}
}

// Send gives b in segments of at most size bytes (0: all at once). Each segment
// lies in memory that is overwritten after the call, so that a decoder that
// keeps what it may not keep is caught.
func (l *Link) Send(from wire.Side, b []byte, size int) {
	if size <= 0 {
		size = max(len(b), 1)
	}
	for len(b) > 0 {
		n := min(size, len(b))
		l.env.sent += int64(n)
		seg := append([]byte(nil), b[:n]...)
		l.Dec.Data(from, wire.Chunk{Data: seg, Seq: l.seq[from], At: l.env.Next()})
		for i := range seg {
			seg[i] = 0xAA
		}
		l.seq[from] += uint32(n)
		b = b[n:]
	}
}

// Lose says that n bytes were not seen.
func (l *Link) Lose(from wire.Side, n int64) {
	l.seq[from] += uint32(n)
	l.Dec.Gap(from, n, l.env.Next())
}

// End ends both sides.
func (l *Link) End(how wire.Ending) {
	at := l.env.Next()
	l.Dec.End(0, how, at)
	l.Dec.End(1, how, at)
}
