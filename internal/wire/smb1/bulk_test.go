package smb1

import (
	"testing"

	"waybill/internal/wire"
	"waybill/internal/wire/wiretest"
)

// memory counts how often it is retained.
type memory struct{ retained int }

func (b *memory) Retain()  { b.retained++ }
func (b *memory) Release() {}

// TestReadInPlace: what a READ_ANDX gives is not copied out of the blocks of the
// capture.
func TestReadInPlace(t *testing.T) {
	s := &script{}
	s.connect(`\\SRV\C$`, "A:")
	s.create(1, `\big.bin`, 1, 1, 60000, 0)
	s.read(1, 0, 60000, pattern(60000))
	s.close(1)
	env := wiretest.New(t)
	l := env.Dial(New(env), ends.Ends[0], ends.Ends[1])
	b := &memory{}
	for _, x := range s.turns {
		for data := x.Data; len(data) > 0; data = data[min(1448, len(data)):] {
			l.Dec.Data(x.From, wire.Chunk{Data: data[:min(1448, len(data))], At: env.Next(), Block: b})
		}
	}
	if b.retained == 0 {
		t.Error("the block is not held")
	}
	l.End(wire.FIN)
	if len(env.Transfers) != 1 {
		t.Fatalf("%d transfers", len(env.Transfers))
	}
	if got := env.Result(env.Transfers[0]); !got.Whole || got.SHA256 != sum(pattern(60000)) {
		t.Errorf("%+v", got)
	}
}
