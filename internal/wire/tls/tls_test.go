package tls

import (
	"encoding/binary"
	"slices"
	"testing"

	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/wiretest"
)

// The ciphers, extensions and signatures of the example of the JA4 specification.
var (
	ciphers    = []uint16{0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035}
	extensions = []uint16{0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012, 0x002b, 0xff01, 0x000b, 0x000a, 0x0015}
	signatures = []uint16{0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601}
)

const example = "t13d1516h2_8daaf6152771_e5627efa2ab1"

func numbers(all []uint16) []byte {
	var b []byte
	for _, v := range all {
		b = binary.BigEndian.AppendUint16(b, v)
	}
	return b
}

func sized(b []byte) []byte { return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...) }

// helloMessage is a client's hello (RFC 8446 4.1.2) for a server.
func helloMessage(server string) []byte {
	var ext []byte
	for _, kind := range append([]uint16{0x3a3a}, extensions...) {
		var body []byte
		switch kind {
		case extServerName:
			body = sized(append([]byte{0}, sized([]byte(server))...))
		case extALPN:
			body = sized([]byte("\x02h2\x08http/1.1"))
		case extVersions:
			body = []byte{6, 0xfa, 0xfa, 3, 4, 3, 3}
		case extSignatures:
			body = sized(numbers(signatures))
		}
		ext = append(ext, numbers([]uint16{kind})...)
		ext = append(ext, sized(body)...)
	}
	b := slices.Concat([]byte{3, 3}, make([]byte, 32), []byte{0}, sized(numbers(append([]uint16{0x1a1a}, ciphers...))), []byte{1, 0}, sized(ext))
	return append([]byte{clientHello, 0, byte(len(b) >> 8), byte(len(b))}, b...)
}

func recordsOf(kind byte, b []byte) []byte {
	var out []byte
	for len(b) > 0 {
		n := min(len(b), recordFull)
		out = append(out, kind, 3, 3)
		out = append(out, sized(b[:n])...)
		b = b[n:]
	}
	return out
}

var ends4 = wire.Conn{Ends: [2]wire.AddrPort{wiretest.Addr("10.0.0.1:50000"), wiretest.Addr("10.0.0.2:8443")}}

// uploading sends n bytes of content over TLS.
func uploading(n int) []wiretest.Turn {
	return []wiretest.Turn{
		{From: 0, Data: recordsOf(recordHandshake, helloMessage("srv.corp"))},
		{From: 1, Data: recordsOf(recordHandshake, append([]byte{serverHello, 0, 0, 100}, make([]byte, 100)...))},
		{From: 0, Data: recordsOf(23, make([]byte, n+(n/recordFull+1)*17))},
	}
}

func TestConnection(t *testing.T) {
	for _, size := range []int{1448, 7, 1, 0} {
		env := wiretest.Play(t, New, ends4, size, uploading(300_000))
		if len(env.Transfers) != 1 {
			t.Fatalf("%d transfers", len(env.Transfers))
		}
		x := env.Transfers[0]
		if x.Session.SNI != "srv.corp" || x.Session.JA4 != example || x.Operation != model.Push || x.Completeness != model.Opaque {
			t.Errorf("%+v %+v", x.Transfer, x.Session)
		}
		if e := x.Estimate; size == 1448 && (e.Low > 300_000 || e.High < 300_000 || e.Size < 294_000 || e.Size > 306_000) {
			t.Errorf("estimate %+v", *e)
		}
	}
	if env := wiretest.Play(t, New, ends4, 1448, uploading(10_000)); len(env.Transfers) != 0 {
		t.Errorf("little is reported: %+v", env.Transfers[0].Transfer)
	}
}

var endsQUIC = wire.Conn{UDP: true, Ends: [2]wire.AddrPort{wiretest.Addr("10.0.0.1:50000"), wiretest.Addr("10.0.0.2:443")}}

// TestLateStart: a connection whose start was not captured begins anywhere in a record.
// Its records tell it, and what only looks a little like them does not.
func TestLateStart(t *testing.T) {
	late := ends4
	b := recordsOf(23, make([]byte, 60_000))
	p := New(wiretest.New(t))
	for _, c := range []struct {
		name string
		b    []byte
		want wire.Verdict
	}{
		{"at a record", b, wire.Yes},
		{"in a record", b[7000:], wire.Yes},
		{"one record is not over yet", b[9000:25_000], wire.Maybe},
		{"a header that no other follows", slices.Concat(make([]byte, 9), recordsOf(23, make([]byte, 500)), make([]byte, 900)), wire.Maybe},
		{"other bytes", make([]byte, 40_000), wire.Maybe},
	} {
		if v := p.Probe(&late, [2][]byte{nil, c.b}); v != c.want {
			t.Errorf("%s: %v", c.name, v)
		}
	}
	late.FromStart = [2]bool{true, true}
	if v := p.Probe(&late, [2][]byte{nil, b}); v != wire.No {
		t.Errorf("data where a hello should be: %v", v)
	}
}

// datagrams is n datagrams of a server's.
func datagrams(n int) []wiretest.Turn {
	var turns []wiretest.Turn
	for range n {
		turns = append(turns, wiretest.Turn{From: 1, Data: append([]byte{0x4a}, make([]byte, 1249)...)})
	}
	return turns
}

func quicTurns() []wiretest.Turn {
	return append([]wiretest.Turn{{From: 0, Data: initial(1, 0, cut(helloMessage("drive.corp"), 120)...)}}, datagrams(30)...)
}

func FuzzConnection(f *testing.F) {
	wiretest.Fuzz(f, New, ends4, uploading(20_000), certified(20_000, "srv.corp"))
}
func FuzzQUIC(f *testing.F) { wiretest.Fuzz(f, New, endsQUIC, quicTurns(), dtlsTurns()) }
