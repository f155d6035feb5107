package rsync

import (
	"testing"

	"waybill/internal/wire"
	"waybill/internal/wire/wiretest"
)

// block is memory that may be kept.
type block struct{}

func (*block) Retain()  {}
func (*block) Release() {}

// TestAllocations: content that is not compressed goes from the packet to its file
// without memory a packet.
func TestAllocations(t *testing.T) {
	k := pull29("", []named{{"a", 1 << 30}}, put(item(0, 0, 0)))
	env := wiretest.New(t)
	c := &wire.Conn{Ends: ends.Ends, FromStart: [2]bool{true, true}, Opened: true}
	d := New(env).Open(c)
	l := env.Attach(c, d)
	for _, x := range k.turns {
		l.Send(x.From, x.Data, 0)
	}
	l.Send(1, put(7<<24|0xffffff, 0x1ffffff), 0)
	data, held := make([]byte, 1400), new(block)
	at := env.Next()
	seq := uint32(1)
	allocations := testing.AllocsPerRun(5000, func() {
		d.Data(1, wire.Chunk{Data: data, Seq: seq, At: at, Block: held})
		seq += 1400
	})
	if allocations > 0.1 {
		t.Errorf("%v allocations a packet", allocations)
	}
	l.End(wire.FIN)
	if x := env.Transfers[0]; env.Result(x).Seen != 5001*1400 {
		t.Errorf("%d bytes", env.Result(x).Seen)
	}
}
