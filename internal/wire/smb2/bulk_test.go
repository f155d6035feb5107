package smb2

import (
	"fmt"
	"slices"
	"testing"

	"waybill/internal/content"
	"waybill/internal/model"
	"waybill/internal/wire"
)

// sink is an environment whose contents cost nothing: only the decoder is measured.
type sink struct {
	pool   *content.Pool
	budget *content.Budget
}

func newSink(t testing.TB) *sink {
	b := &content.Budget{Limit: 64 << 20}
	pool, err := content.NewPool(content.Options{Workers: 1, Budget: b})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pool.Close() })
	return &sink{pool, b}
}

func (*sink) Transfer(*wire.Transfer)                   {}
func (*sink) Access(*wire.Access)                       {}
func (e *sink) File(m content.Mode) *content.File       { return e.pool.File(m) }
func (*sink) Expect(wire.Expectation)                   {}
func (*sink) Blind(string, int64)                       {}
func (*sink) Unverified(string)                         {}
func (*sink) Inner(*wire.Conn, []byte) wire.Decoder     { return nil }
func (*sink) Now() model.Time                           { return 1 }
func (e *sink) Budget() *content.Budget                 { return e.budget }
func (*sink) Ticket([]byte) (t wire.Ticket)             { return }
func (*sink) Issued([]byte, string, string)             {}
func (*sink) Keys(uint64) (k wire.SessionKeys, ok bool) { return }

// bulk is one open file over which reads or writes of n bytes go on and on.
type bulk struct {
	dec      wire.Decoder
	request  []byte
	response [][]byte // in segments
	mid      uint64
	at       wire.At
	block    *block
}

func newBulk(t testing.TB, env wire.Env, n int) *bulk {
	s, p := newScript(0x302)
	p.create(file{fid: 1, name: "f", access: asRead, action: 1, size: 1 << 40})
	conn := s.conns[0]
	x := &bulk{dec: New(env).Open(&conn), block: &block{}}
	for _, st := range s.steps {
		x.dec.Data(st.from, wire.Chunk{Data: st.data})
	}
	x.request = frame(p.msg(cmdRead, 0, 0, 0, readBody(1, 0, n)))
	b := frame(p.msg(cmdRead, flagResponse, 0, 0, readReply(pattern(n, 1))))
	for len(b) > 0 {
		k := min(1448, len(b))
		x.response = append(x.response, slices.Clone(b[:k]))
		b = b[k:]
	}
	return x
}

// once is one READ with its answer. All read the same place, so that the content
// has nothing to do.
func (x *bulk) once() {
	x.mid++
	x.at.Packet++
	x.at.Time++
	le64(x.request[4+24:], 100+x.mid)
	le64(x.response[0][4+24:], 100+x.mid)
	x.dec.Data(0, wire.Chunk{Data: x.request, At: x.at})
	for _, seg := range x.response {
		x.dec.Data(1, wire.Chunk{Data: seg, At: x.at, Block: x.block})
	}
}

func le64(b []byte, v uint64) {
	for i := range 8 {
		b[i] = byte(v >> (8 * i))
	}
}

func TestBulkReadAllocatesNothing(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	x := newBulk(t, newSink(t), 64<<10)
	for range 100 {
		x.once()
	}
	if n := testing.AllocsPerRun(200, x.once); n != 0 {
		t.Errorf("%v allocations for a READ of 64 KiB in %d segments", n, len(x.response))
	}
}

func BenchmarkBulkRead(b *testing.B) {
	for _, n := range []int{64 << 10, 1 << 20} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			x := newBulk(b, newSink(b), n)
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				x.once()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(x.response)), "ns/segment")
		})
	}
}
