package tls

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"math/big"
	"slices"
	"testing"

	"waybill/internal/wire"
	"waybill/internal/wire/wiretest"
)

// certificateOf is a certificate for a name, made here.
func certificateOf(names ...string) []byte {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "common.corp"}, DNSNames: names}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	return der
}

func message(kind byte, body []byte) []byte {
	return append([]byte{kind, byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))}, body...)
}

func sized24(b []byte) []byte { return message(0, b)[1:] }

// anonymous is a hello of TLS 1.2 that names no server.
func anonymous() []byte {
	return message(clientHello, slices.Concat([]byte{3, 3}, make([]byte, 32), []byte{0}, sized(numbers(ciphers)), []byte{1, 0}))
}

// certified is a connection of TLS 1.2 whose server shows a certificate.
func certified(n int, names ...string) []wiretest.Turn {
	server := slices.Concat(message(serverHello, make([]byte, 70)), message(certificates, sized24(sized24(certificateOf(names...)))), message(14, nil))
	return []wiretest.Turn{
		{From: 0, Data: recordsOf(recordHandshake, anonymous())},
		{From: 1, Data: recordsOf(recordHandshake, server)},
		{From: 0, Data: slices.Concat(recordsOf(recordHandshake, message(16, make([]byte, 66))), []byte{20, 3, 3, 0, 1, 1})},
		{From: 1, Data: recordsOf(23, make([]byte, n))},
	}
}

// TestCertificate: who names no server is told by the server's certificate, where
// the version shows it.
func TestCertificate(t *testing.T) {
	for _, c := range []struct {
		names []string
		want  string
	}{{[]string{"*.example.com", "example.com"}, "*.example.com"}, {nil, "common.corp"}} {
		for _, size := range []int{1448, 3, 0} {
			env := wiretest.Play(t, New, ends4, size, certified(30_000, c.names...))
			if len(env.Transfers) != 1 || env.Transfers[0].Session.Certificate != c.want || env.Transfers[0].Session.SNI != "" {
				t.Errorf("size %d: %+v", size, env.Transfers[0].Session)
			}
			if size > 0 && size < 100 {
				continue
			}
			if ja4 := env.Transfers[0].Session.JA4; ja4 != "t12i150000_8daaf6152771_000000000000" {
				t.Errorf("%s", ja4)
			}
		}
	}
	named := wiretest.Play(t, New, ends4, 1448, append([]wiretest.Turn{{From: 0, Data: recordsOf(recordHandshake, helloMessage("srv.corp"))}}, certified(30_000, "other.corp")[1:]...))
	if s := named.Transfers[0].Session; s.Certificate != "" || s.SNI != "srv.corp" {
		t.Errorf("%+v", s)
	}
}

// TestLongHello reads one that is cut into several records.
func TestLongHello(t *testing.T) {
	hello := helloMessage("srv.corp")
	turns := uploading(20_000)
	turns[0].Data = nil
	for _, part := range cut(hello, 50) {
		turns[0].Data = append(turns[0].Data, recordsOf(recordHandshake, part.data)...)
	}
	for _, size := range []int{1448, 1} {
		env := wiretest.Play(t, New, ends4, size, turns)
		if s := env.Transfers[0].Session; s.SNI != "srv.corp" || s.JA4 != example {
			t.Errorf("size %d: %+v", size, s)
		}
	}
}

// TestBrokenHello: of one whose end was lost the name stands, and no fingerprint does.
func TestBrokenHello(t *testing.T) {
	env := wiretest.New(t)
	c := ends4
	c.FromStart, c.Opened = [2]bool{true, true}, true
	p := New(env)
	l := env.Attach(&c, p.Open(&c))
	hello := recordsOf(recordHandshake, helloMessage("srv.corp"))
	l.Send(0, hello[:130], 0)
	l.Lose(0, int64(len(hello)-130))
	l.Send(1, recordsOf(23, make([]byte, 30_000)), 1448)
	l.End(wire.FIN)
	if s := env.Transfers[0].Session; s.SNI != "srv.corp" || s.JA4 != "" {
		t.Errorf("%+v", s)
	}
	if used := env.Budget().Used; used != 0 {
		t.Errorf("%d bytes of budget not given back", used)
	}
}

// TestBursts parts what a connection carried at its pauses.
func TestBursts(t *testing.T) {
	env := wiretest.New(t)
	c := ends4
	c.FromStart, c.Opened = [2]bool{true, true}, true
	l := env.Attach(&c, New(env).Open(&c))
	l.Send(0, recordsOf(recordHandshake, helloMessage("srv.corp")), 1448)
	for i, n := range []int{200_000, 10_000, 400_000} {
		env.Sleep(int64(20e9))
		l.Send(wire.Side(i/2), recordsOf(23, make([]byte, n)), 1448)
	}
	l.End(wire.FIN)
	b := env.Transfers[0].Bursts
	if len(b) != 2 {
		t.Fatalf("%+v", b)
	}
	if b[0].Content[1] != 0 || b[0].Content[0] < 198_000 || b[0].Content[0] > 200_100 || b[1].Content[0] != 0 || b[1].Content[1] < 397_000 || b[1].Content[1] > 400_200 {
		t.Errorf("%+v", b)
	}
	if b[1].Start-b[0].End < 40e9 || b[0].Seen.Spans()[0].Last >= b[1].Seen.Spans()[0].First {
		t.Errorf("%+v", b)
	}
}

// TestTails: the short end of a message that long segments began is content too; short
// messages by themselves are none.
func TestTails(t *testing.T) {
	env := wiretest.New(t)
	c := ends4
	c.FromStart, c.Opened = [2]bool{true, true}, true
	l := env.Attach(&c, New(env).Open(&c))
	for range 20 {
		l.Send(0, recordsOf(23, make([]byte, 2000)), 1448)
		l.Send(1, recordsOf(23, make([]byte, 50)), 1448)
		l.Send(0, recordsOf(23, make([]byte, 50)), 1448)
	}
	l.End(wire.FIN)
	if e := env.Transfers[0].Estimate; e.Size < 40_000 || e.Size > 40_200 {
		t.Errorf("%+v", e)
	}
}

// TestEnds is the table of JA4's own examples.
func TestEnds(t *testing.T) {
	for alpn, want := range map[string]string{"": "00", "h2": "h2", "http/1.1": "h1", "x": "xx", "\xab": "ab", "\x20": "20", "\xab\xcd": "ad", "\x20\x61": "21",
		"\x30\xab": "3b", "\x61\x20": "60", "\x30\x31\xab\xcd": "3d", "\x30\xab\xcd\x31": "01"} {
		if got := ends(alpn); got != want {
			t.Errorf("%q: %s instead of %s", alpn, got, want)
		}
	}
}

// TestJA4 holds the rules that the example does not show.
func TestJA4(t *testing.T) {
	for _, c := range []struct {
		name string
		h    hello
		want string
	}{
		{"nothing", hello{version: 0x0301}, "t10i000000_000000000000_000000000000"},
		{"name without text", hello{version: 0x0303, named: true, extensions: []uint16{0}}, "t12d000100_000000000000_000000000000"},
		{"GREASE counts nowhere", hello{version: 0x0304, ciphers: []uint16{0x0a0a, 0xfafa}, extensions: []uint16{0x1a1a}}, "t13i000000_000000000000_000000000000"},
		{"unknown version", hello{version: 0x0399}, "t00i000000_000000000000_000000000000"},
		{"its end was lost", hello{version: 0x0304, cut: true}, ""},
	} {
		if got := c.h.ja4("TLS"); got != c.want {
			t.Errorf("%s: %s instead of %s", c.name, got, c.want)
		}
	}
	var h hello
	h.version = 0x0303
	h.versions(cursor{b: numbers([]uint16{0x4a4a, 0x0303, 0x0304, 0x0302})})
	if h.version != 0x0304 {
		t.Errorf("version %04x", h.version)
	}
	h.versions(cursor{b: numbers([]uint16{0xfefd, 0xfefc})})
	if h.version != 0xfefc {
		t.Errorf("version %04x", h.version)
	}
}

// dtlsTurns is a hello of DTLS in two fragments, and data.
func dtlsTurns() []wiretest.Turn {
	hello := helloMessage("call.corp")[4:]
	at := 2 + 32 + 1
	hello = slices.Concat([]byte{0xfe, 0xfd}, hello[2:at], []byte{0}, hello[at:]) // an empty cookie
	half := len(hello) / 2
	var turns []wiretest.Turn
	for i, part := range [][]byte{hello[:half], hello[half:]} {
		body := slices.Concat([]byte{clientHello}, sized24(hello)[:3], []byte{0, 0}, sized24(make([]byte, i*half))[:3], sized24(part))
		record := slices.Concat([]byte{recordHandshake, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, byte(i)}, binary.BigEndian.AppendUint16(nil, uint16(len(body))), body)
		turns = append(turns, wiretest.Turn{From: 0, Data: record})
	}
	return append(turns, datagrams(30)...)
}

func TestDTLS(t *testing.T) {
	env := wiretest.Play(t, New, endsQUIC, 0, dtlsTurns())
	if len(env.Transfers) != 1 {
		t.Fatalf("%d transfers", len(env.Transfers))
	}
	x := env.Transfers[0]
	if x.Session.Dialect != "DTLS" || x.Session.SNI != "call.corp" || x.Session.JA4 != "d"+example[1:] || env.BlindSeen["encrypted-dtls"] == 0 {
		t.Errorf("%+v %v", x.Session, env.BlindSeen)
	}
}
