package sealed

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/wiretest"
)

var (
	tcp = wire.Conn{Ends: [2]wire.AddrPort{wiretest.Addr("10.0.0.1:50000"), wiretest.Addr("10.0.0.2:4444")}, Opened: true, FromStart: [2]bool{true, true}}
	udp = wire.Conn{UDP: true, Ends: [2]wire.AddrPort{wiretest.Addr("10.0.0.1:50000"), wiretest.Addr("10.0.0.2:51820")}, FromStart: [2]bool{true, true}}
)

var source = rand.NewChaCha8([32]byte{1})

func random(n int) []byte {
	b := make([]byte, n)
	source.Read(b)
	return b
}

func text(n int) []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "row %d: %x\n", i, i*i)
	}
	return b.Bytes()[:n]
}

func packed(n int) []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, 9)
	fmt.Fprintf(w, "%x", random(n/2))
	w.Close()
	return b.Bytes()
}

// turn is what a side sends.
type turn struct {
	from wire.Side
	data []byte
}

// segments parts a side's bytes.
func segments(from wire.Side, b []byte, size int) []turn {
	var out []turn
	for part := range slices.Chunk(b, size) {
		out = append(out, turn{from, part})
	}
	return out
}

func look(c wire.Conn, turns []turn) *Look { return watched(New(&c, 0), turns) }

func watched(l *Look, turns []turn) *Look {
	for i, x := range turns {
		l.Data(x.from, wire.Chunk{Data: x.data, Seq: uint32(i), At: wire.At{Time: model.Time(i+1) * 1e6, Packet: uint64(i + 1)}})
	}
	return l
}

// TestBytes: what looks random from 16 KiB on, and what is none of it.
func TestBytes(t *testing.T) {
	program := append([]byte("\x7fELF\x02\x01\x01\x00"), random(50_000)...)
	for _, c := range []struct {
		name string
		b    []byte
		want bool
	}{
		{"random", random(50_000), true},
		{"16 KiB", random(16 << 10), true},
		{"less", random(16<<10 - 1), false},
		{"greeting in clear", append(text(1500), random(20_000)...), true},
		{"compressed", packed(400_000), true},
		{"text", text(50_000), false},
		{"base64", []byte(base64.StdEncoding.EncodeToString(random(50_000))), false},
		{"numbers", binary.BigEndian.AppendUint32(bytes.Repeat([]byte{0, 0, 1, 2, 3, 4, 5, 6}, 8000), 9), false},
		{"program", program, false},
		{"archive", append([]byte("PK\x03\x04"), random(50_000)...), false},
	} {
		if got := look(tcp, segments(0, c.b, 1448)).Sealed(); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// TestThreshold: from which entropy on bytes look random is the user's to say.
func TestThreshold(t *testing.T) {
	c := tcp
	lines := segments(0, []byte(base64.StdEncoding.EncodeToString(random(50_000))), 1448) // 6 bits a byte
	for threshold, want := range map[float64]bool{5.9: true, 6.1: false} {
		if got := watched(New(&c, threshold), lines).Sealed(); got != want {
			t.Errorf("%v: %v", threshold, got)
		}
	}
}

func TestRecord(t *testing.T) {
	l := look(tcp, append(segments(0, []byte("hello"), 9), segments(1, random(100_000), 1448)...))
	l.Gap(1, 5000)
	x := l.Transfer()
	if x.Source.IP.String() != "10.0.0.2" || x.Operation != model.Pull || x.Initiator != model.ByDestination || x.Session.Dialect != "unknown" || x.Channel != "tcp" ||
		x.Estimate.Size != 105_000 || x.Estimate.Low != 102_900 || x.Confidence != "low" || len(x.Notes) != 1 || x.End <= x.Start {
		t.Errorf("%+v %+v", x.Transfer, x.Estimate)
	}
	both := look(tcp, append(segments(0, random(50_000), 1448), segments(1, random(20_000), 1448)...)).Transfer()
	if both.Operation != model.Push || both.Estimate.Low != 0 || both.Estimate.High != 50_000 {
		t.Errorf("%+v %+v", both.Transfer, both.Estimate)
	}
}

// wireguard is a handshake and data as WireGuard's paper has them (5.4.2, 5.4.3,
// 5.4.6), one of them out of order, and full ones without padding.
func wireguard() []turn {
	message := func(kind byte, n int) []byte { return append([]byte{kind, 0, 0, 0}, random(n-4)...) }
	data := func(receiver byte, number uint64, n int) []byte {
		b := binary.LittleEndian.AppendUint64([]byte{4, 0, 0, 0, receiver, 1, 2, 3}, number)
		return append(b, random(n-16)...)
	}
	turns := []turn{{0, message(1, 148)}, {1, message(2, 92)}, {0, data(7, 0, 32)}}
	for i := range uint64(20) {
		turns = append(turns, turn{1, data(8, i^1, 1452)}, turn{0, data(7, i+1, 96)})
	}
	return append(turns, turn{0, message(1, 148)}, turn{1, message(2, 92)}, turn{0, data(9, 0, 32)})
}

// esp is IKE and then ESP on one flow (RFC 3948 2.1, 2.2, 2.3).
func esp() []turn {
	ike := append(make([]byte, 4), random(200)...)
	ike[4+17], ike[4+18] = 0x20, 34
	binary.BigEndian.PutUint32(ike[4+24:], 200)
	turns := []turn{{0, ike}, {1, ike}, {0, []byte{0xff}}}
	for i := range 20 {
		b := binary.BigEndian.AppendUint32([]byte{0xc1, 2, 3, 4}, uint32(i+1))
		turns = append(turns, turn{1, append(b, random(1400)...)})
	}
	return turns
}

// openvpn is the reset of both sides, the server's with an acknowledgement.
func openvpn(framed bool) []turn {
	id := []byte("clientid")
	reset := append(append([]byte{resetClient2}, id...), 0, 0, 0, 0, 0)
	answer := slices.Concat([]byte{resetServer2}, []byte("serverid"), []byte{1, 0, 0, 0, 0}, id, []byte{0, 0, 0, 0})
	turns := []turn{{0, reset}, {1, answer}}
	for range 20 {
		turns = append(turns, turn{1, append([]byte{6 << 3}, random(1300)...)})
	}
	for i := range turns {
		if framed {
			turns[i].data = append(binary.BigEndian.AppendUint16(nil, uint16(len(turns[i].data))), turns[i].data...)
		}
	}
	return turns
}

// rtp is a call (RFC 3550 5.1).
func rtp() []turn {
	var turns []turn
	for i := range 40 {
		head := binary.BigEndian.AppendUint16([]byte{0x80, 96}, uint16(65530+i))
		turns = append(turns, turn{1, slices.Concat(head, random(4), []byte{9, 9, 9, 9}, random(1100))})
	}
	return turns
}

func TestProtocols(t *testing.T) {
	for _, c := range []struct {
		name   string
		conn   wire.Conn
		turns  []turn
		want   string
		sealed bool
	}{
		{"WireGuard", udp, wireguard(), "WireGuard", true},
		{"ESP", udp, esp(), "IPsec ESP in UDP", true},
		{"OpenVPN", udp, openvpn(false), "OpenVPN", true},
		{"OpenVPN over TCP", tcp, openvpn(true), "OpenVPN", true},
		{"a call", udp, rtp(), "", false},
		{"random datagrams", udp, segments(0, random(40_000), 1200), "", true},
		{"WireGuard for another receiver", udp, slices.Insert(wireguard(), 6, turn{0, append([]byte{4, 0, 0, 0, 1}, random(91)...)}), "", true},
		{"WireGuard of an odd length", udp, slices.Insert(wireguard(), 6, turn{0, append([]byte{4, 0, 0, 0, 7, 1, 2, 3, 2, 0, 0, 0}, random(90)...)}), "", true},
		{"WireGuard with a strange message", udp, slices.Insert(wireguard(), 6, turn{0, random(100)}), "", true},
		{"ESP that jumps", udp, slices.Insert(esp(), 6, turn{1, append([]byte{0xc1, 2, 3, 4, 0xff, 0, 0, 0}, random(1400)...)}), "", true},
		{"OpenVPN's first byte alone", udp, append([]turn{{0, append([]byte{resetClient2}, random(60)...)}, {1, append([]byte{resetServer2}, random(60)...)}}, segments(1, random(30_000), 1200)...), "", true},
		{"text in datagrams", udp, segments(0, text(40_000), 1200), "", false},
	} {
		l := look(c.conn, c.turns)
		if l.Protocol() != c.want || l.Sealed() != c.sealed {
			t.Errorf("%s: %q, %v", c.name, l.Protocol(), l.Sealed())
		}
	}
}

// TestTunnel: of a tunnel the point is what it carried, and the high end all bytes.
func TestTunnel(t *testing.T) {
	e := look(udp, wireguard()).Transfer().Estimate
	if want := int64(20 * (1452 - tunnelCost)); e.Size != want || e.High != 20*1452+2*92 || e.Low != 0 {
		t.Errorf("%+v instead of %d", e, want)
	}
}

func TestESP(t *testing.T) {
	var got []*wire.Transfer
	e := NewESP(func(x *wire.Transfer) { got = append(got, x) })
	a, b, c := tcp.Ends[0].Addr, tcp.Ends[1].Addr, wiretest.Addr("10.0.0.3:0").Addr
	for i := range 20 {
		at := wire.At{Time: model.Time(i+1) * 1e6, Packet: uint64(i + 1)}
		e.Packet(a, b, 100, at)
		e.Packet(b, a, 1408, at)
		e.Packet(a, c, 100, at)
	}
	e.Flush()
	e.Flush()
	if len(got) != 1 || got[0].Source.IP != b || got[0].Operation != model.Pull || got[0].Estimate.Size != 28_000 || got[0].Session.Dialect != "IPsec ESP" || got[0].ID == "" {
		t.Fatalf("%d: %+v", len(got), got)
	}
}

// FuzzLook: any bytes in any turns; what is reported has its ends and its size.
func FuzzLook(f *testing.F) {
	for _, turns := range [][]turn{wireguard(), esp(), openvpn(false), openvpn(true), rtp()} {
		var b []byte
		for _, x := range turns[:4] {
			b = append(append(b, byte(x.from), byte(len(x.data))), x.data[:min(len(x.data), 255)]...)
		}
		f.Add(b, true)
		f.Add(b, false)
	}
	f.Fuzz(func(t *testing.T, b []byte, datagrams bool) {
		c := tcp
		if datagrams {
			c = udp
		}
		var turns []turn
		total := 0
		for len(b) >= 2 {
			n := min(int(b[1]), len(b)-2)
			turns = append(turns, turn{wire.Side(b[0] & 1), b[2 : 2+n]})
			total += n
			b = b[2+n:]
		}
		l := look(c, turns)
		if l.Sealed() && total < opaqueFrom {
			t.Errorf("%d bytes are sealed", total)
		}
		if x := l.Transfer(); x.Estimate.Size > int64(total) || x.Estimate.Low > x.Estimate.High {
			t.Errorf("%+v", x.Estimate)
		}
	})
}
