package rdp

import (
	"testing"

	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/wiretest"
)

func record(n int) []byte {
	return append([]byte{0x17, 3, 3, byte(n >> 8), byte(n)}, make([]byte, n)...)
}

// copied is units of a file as TLS 1.3 records: full ones and a tail, each unit
// answered.
func copied(from wire.Side, units, full, tail int) []wiretest.Turn {
	var out []wiretest.Turn
	for range units {
		for range full {
			out = append(out, wiretest.Turn{From: from, Data: record(1640)})
		}
		out = append(out, wiretest.Turn{From: from, Data: record(tail)}, wiretest.Turn{From: from.Other(), Data: record(61)})
	}
	return out
}

// frames is what RDPEGFX makes of screens: runs of full records, no two alike.
func frames(n int) []wiretest.Turn {
	var out []wiretest.Turn
	for i := range n {
		out = append(out, copied(1, 1, 1+i*7%40, 60+i*611%1500)...)
	}
	return out
}

func TestVolumes(t *testing.T) {
	type bulks struct{ size, low, high int64 }
	for _, c := range []struct {
		name  string
		turns []wiretest.Turn
		pause int64 // between units
		want  map[string]bulks
	}{
		{"screens", frames(200), 0, nil},
		// xrdp writes 4,096 bytes at a time: two full pieces and 952 bytes
		{"a copy to the client", append(frames(20), copied(1, 500, 2, 992)...), 0, map[string]bulks{model.Pull: {500 * 4096, 1_900_000, 3_000_000}}},
		// rdesktop answers reads of 128 KiB
		{"a copy to the server", append(frames(20), copied(0, 10, 81, 1532)...), 0, map[string]bulks{model.Push: {10 * (131072 + 20), 1_200_000, 1_500_000}}},
		{"both ways", append(copied(1, 100, 2, 992), copied(0, 2, 81, 1532)...), 0, map[string]bulks{model.Push: {2 * (131072 + 20), 240_000, 400_000}, model.Pull: {409_600, 380_000, 420_000}}},
		{"sound", copied(1, 100, 10, 424), 100_000_000, nil},
		{"a microphone", append(frames(40), copied(0, 100, 10, 424)...), 100_000_000, nil},
		{"cards and certificates", append(frames(20), copied(0, 5, 2, 300)...), 0, nil},
	} {
		env := wiretest.New(t)
		p := New(env)
		l := env.Dial(p, ends.Ends[0], ends.Ends[1])
		for _, x := range connect(1, 0) {
			l.Send(x.From, x.Data, 0)
		}
		for _, x := range c.turns {
			l.Send(x.From, x.Data, 1448)
			if len(x.Data) < 100 {
				env.Sleep(c.pause)
			}
		}
		l.End(wire.FIN)
		env.Done()
		got := map[string]bulks{}
		for _, x := range env.Transfers {
			if e := x.Estimate; e.Low > 0 {
				got[x.Operation] = bulks{e.Size, e.Low, e.High}
			}
		}
		if len(got) != len(c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
		for way, w := range c.want {
			if g := got[way]; g.size != w.size || g.low < w.low || g.low > w.size || g.high < w.size || g.high > w.high {
				t.Errorf("%s, %s: got %v, want %v", c.name, way, g, w)
			}
		}
	}
}

// TestRecordsAfterLoss finds the records again at the start of a segment.
func TestRecordsAfterLoss(t *testing.T) {
	var r records
	v := &volume{}
	stream := append(record(1640), record(992)...)
	r.take(stream[:400], 1, v)
	r.lose()
	v.lose()
	r.take(stream[900:1000], 2, v) // in the middle of a record
	for range 5 {
		r.take(stream, model.Time(3), v)
	}
	v.endRow()
	if v.units != 5 || v.carried != 5*(1600+952) {
		t.Errorf("%d units, %d bytes", v.units, v.carried)
	}
}

// TestEncryptedChannels counts what standard security leaves in clear: the channel.
func TestEncryptedChannels(t *testing.T) {
	turns := connect(0, 2)
	for _, x := range send(1, drive, make([]byte, 80_000)) {
		b := append([]byte(nil), x.Data...)
		sealed := append(le("\x08\x00\x00\x00", make([]byte, 8)), b[15:]...)
		n := len(sealed)
		head := le(b[7:13], byte(0x80|n>>8), byte(n))
		turns = append(turns, wiretest.Turn{From: 1, Data: tpkt(le(byte(2), byte(dataPacket), byte(0x80), head, sealed))})
	}
	env := wiretest.Play(t, New, ends, 1448, turns)
	if len(env.Transfers) != 1 {
		t.Fatalf("%d transfers", len(env.Transfers))
	}
	x := env.Transfers[0]
	if e := x.Estimate; e.Size != 80_000 || e.Low < 70_000 || x.Operation != model.Pull || x.Confidence != "medium" {
		t.Errorf("%+v %+v", x.Transfer, x.Estimate)
	}
}
