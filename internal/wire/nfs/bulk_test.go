package nfs

import (
	"testing"

	"waybill/internal/wire"
	"waybill/internal/wire/wiretest"
)

// memory counts how often it is retained.
type memory struct{ retained int }

func (b *memory) Retain()  { b.retained++ }
func (b *memory) Release() {}

// reads are one READ of 30,000 bytes in each version.
func reads() map[string]*script {
	data := pattern(30000)
	handle := raw("a handle of 32 bytes in version 2")[:v2Handle]
	v2, v3, v4 := &script{version: 2}, &script{version: 3}, &script{version: 4}
	attr2 := pack(1, 1, 1, 1, 1, len(data), 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0)
	v2.call(progNFS, v2Read, pack(handle, 0, len(data), 0), pack(0, raw(attr2), data))
	v3.call(progNFS, v3Read, pack(fileHandle, uint64(0), len(data)), pack(0, attr3(len(data)), len(data), 1, data))
	v4.call(progNFS, 1, pack("", 2, 3, opSequence, id4, 1, 0, 0, 0, opPutFH, fileHandle, opReadPlus, id4, uint64(0), len(data)),
		pack(0, "", 3, opSequence, 0, id4, 1, 0, 0, 0, 0, opPutFH, 0, opReadPlus, 0, 1, 1, 0, uint64(0), data))
	return map[string]*script{"2": v2, "3": v3, "4.2": v4}
}

// TestReadInPlace: what a READ gives is not copied out of the blocks of the capture.
func TestReadInPlace(t *testing.T) {
	for version, s := range reads() {
		for _, udp := range []bool{false, true} {
			env := wiretest.New(t)
			p := New(env)
			c := &wire.Conn{UDP: udp, FromStart: [2]bool{true, true}, Ends: [2]wire.AddrPort{wiretest.Addr("10.0.0.1:900"), wiretest.Addr("10.0.0.2:2049")}}
			d := p.Open(c)
			b := &memory{}
			for _, x := range s.turns {
				data := x.Data
				if udp {
					data = data[markLen:]
				}
				for size := 1448; len(data) > 0; data = data[min(size, len(data)):] {
					if udp {
						size = len(data)
					}
					d.Data(x.From, wire.Chunk{Data: data[:min(size, len(data))], At: env.Next(), Block: b})
				}
			}
			if b.retained == 0 {
				t.Errorf("version %s, udp %v: the block is not held", version, udp)
			}
			d.End(0, wire.FIN, env.Next())
			d.End(1, wire.FIN, env.Next())
			p.Flush(env.Next())
			if len(env.Transfers) != 1 {
				t.Fatalf("version %s, udp %v: %d transfers", version, udp, len(env.Transfers))
			}
			if got := env.Result(env.Transfers[0]); got.SHA256 != sum(pattern(30000)) && version != "4.2" || got.Seen != 30000 {
				t.Errorf("version %s, udp %v: %+v", version, udp, got)
			}
		}
	}
}
