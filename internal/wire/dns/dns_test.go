package dns

import (
	"slices"
	"testing"

	"waybill/internal/wire"
	"waybill/internal/wire/wiretest"
)

var ends = wire.Conn{UDP: true, Ends: [2]wire.AddrPort{wiretest.Addr("10.0.0.7:50000"), wiretest.Addr("10.0.0.53:53")}}

func labels(name string) []byte {
	var b []byte
	for len(name) > 0 {
		i := slices.Index([]byte(name+"."), '.')
		b = append(append(b, byte(i)), name[:i]...)
		name = name[min(len(name), i+1):]
	}
	return append(b, 0)
}

// question and answer are messages of RFC 1035 4: the answer has an alias (type 5)
// and the addresses of the alias.
func question(name string) []byte {
	return slices.Concat([]byte{0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0}, labels(name), []byte{0, 1, 0, 1})
}

func answer(name string, addrs ...[4]byte) []byte {
	b := slices.Concat([]byte{0x12, 0x34, 0x81, 0x80, 0, 1, 0, byte(1 + len(addrs)), 0, 0, 0, 0}, labels(name), []byte{0, 1, 0, 1})
	at := len(b) + 12
	alias := labels("edge.example.net")
	b = slices.Concat(b, []byte{0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 30, 0, byte(len(alias))}, alias)
	for _, a := range addrs {
		b = slices.Concat(b, []byte{0xc0, byte(at), 0, 1, 0, 1, 0, 0, 0, 60, 0, 4}, a[:])
	}
	return b
}

func asked(name string, addrs ...[4]byte) []wiretest.Turn {
	return []wiretest.Turn{{From: 0, Data: question(name)}, {From: 1, Data: answer(name, addrs...)}}
}

var edge, other = [4]byte{162, 125, 1, 2}, [4]byte{203, 0, 113, 9}

func TestAnswer(t *testing.T) {
	turns := slices.Concat(
		asked("www.example.org", edge), // before it is known for a service's
		asked("client.dropbox.com", edge, [4]byte{162, 125, 1, 3}),
		asked("client.dropbox.com", [4]byte{162, 125, 1, 3}, edge),
		asked("www.example.org", edge, other),
		asked("www.example.org", other),
	)
	env := wiretest.Play(t, New, ends, 0, turns)
	if len(env.Accesses) != 2 {
		t.Fatalf("%d accesses", len(env.Accesses))
	}
	a, b := env.Accesses[0], env.Accesses[1]
	if a.What != "name-answer" || a.Object != "client.dropbox.com" || a.Detail != "162.125.1.2, 162.125.1.3; TTL 60 s" || a.Source.IP.String() != "10.0.0.7" ||
		a.Destination.IP.String() != "10.0.0.53" || len(a.Answers) != 2 || a.Until-a.Time != 60_002e6 {
		t.Errorf("%+v", a)
	}
	if b.Object != "www.example.org" || len(b.Answers) != 1 {
		t.Errorf("%+v", b)
	}
}

// TestTCP reads messages over TCP in any segments, and none after a loss.
func TestTCP(t *testing.T) {
	c := ends
	c.UDP = false
	framed := func(b []byte) []byte { return append([]byte{0, byte(len(b))}, b...) }
	turns := []wiretest.Turn{{From: 0, Data: framed(question("box.com"))}, {From: 1, Data: slices.Concat(framed(answer("box.com", edge)), framed(answer("app.box.com", edge)))}}
	for _, size := range []int{0, 1, 40} {
		if env := wiretest.Play(t, New, c, size, turns); len(env.Accesses) != 2 || env.Accesses[1].Object != "app.box.com" {
			t.Errorf("size %d: %d accesses", size, len(env.Accesses))
		}
	}
}

// TestNoAnswer: questions, errors, other types and broken messages say nothing.
func TestNoAnswer(t *testing.T) {
	refused := answer("box.com", edge)
	refused[3] |= 3
	text := answer("box.com", edge)
	text[12+len(labels("box.com"))+1] = 16
	for _, b := range [][]byte{question("box.com"), refused, text, answer("box.com", edge)[:30], answer("www.google.com", edge)} {
		env := wiretest.Play(t, New, ends, 0, []wiretest.Turn{{From: 0, Data: question("box.com")}, {From: 1, Data: b}})
		if len(env.Accesses) != 0 {
			t.Errorf("%x: %+v", b, env.Accesses[0].Access)
		}
	}
	p := New(wiretest.New(t))
	elsewhere := ends
	elsewhere.Ends[1].Port = 5300
	if p.Probe(&elsewhere, [2][]byte{question("box.com")}) != wire.No || p.Probe(&ends, [2][]byte{make([]byte, 40)}) != wire.No {
		t.Error("what is no DNS is taken for it")
	}
}

func FuzzUDP(f *testing.F) { wiretest.Fuzz(f, New, ends, asked("client.dropbox.com", edge)) }

func FuzzTCP(f *testing.F) {
	c := ends
	c.UDP = false
	b := answer("client.dropbox.com", edge)
	wiretest.Fuzz(f, New, c, []wiretest.Turn{{From: 1, Data: append([]byte{0, byte(len(b))}, b...)}})
}
