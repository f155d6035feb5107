package tftp

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/wiretest"
)

func at(s string) wire.AddrPort {
	a := netip.MustParseAddrPort(s)
	return wire.AddrPort{Addr: model.AddrOf(a.Addr()), Port: a.Port()}
}

var client, server, answer = at("10.0.0.1:2000"), at("10.0.0.2:69"), at("10.0.0.2:3000")

// talk is a request and the flow of its answers.
type talk struct {
	t    testing.TB
	env  *wiretest.Env
	p    wire.Protocol
	ask  *wiretest.Link
	link *wiretest.Link // side 0 is the client
}

func newTalk(t testing.TB, request string) *talk {
	k := &talk{t: t, env: wiretest.New(t)}
	k.p = New(k.env)
	c := &wire.Conn{Ends: [2]wire.AddrPort{client, server}, UDP: true, FromStart: [2]bool{true, true}}
	k.ask = k.env.Attach(c, k.p.Open(c))
	k.ask.Send(0, []byte(request), 0)
	if len(k.env.Expected) == 1 {
		e := k.env.Expected[0]
		if e.At != client || !e.UDP {
			t.Fatalf("announced %+v", e)
		}
		c := &wire.Conn{Ends: [2]wire.AddrPort{client, answer}, UDP: true, FromStart: [2]bool{true, true}}
		k.link = k.env.Attach(c, e.Open(c, 0))
	}
	return k
}

func rrq(words ...string) string { return "\x00\x01" + strings.Join(words, "\x00") + "\x00" }
func wrq(words ...string) string { return "\x00\x02" + strings.Join(words, "\x00") + "\x00" }

func block(n int, b []byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0, opData}, uint16(n)), b...)
}

func ack(n int) []byte { return binary.BigEndian.AppendUint16([]byte{0, opAck}, uint16(n)) }

func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*31 + i>>9)
	}
	return b
}

// finish ends both flows and gives the only transfer, nil when there is none.
func (k *talk) finish() *wire.Transfer {
	k.t.Helper()
	if k.link != nil {
		k.link.End(wire.EndOfCapture)
	}
	k.ask.End(wire.EndOfCapture)
	k.p.Flush(k.env.Next())
	k.env.Done()
	if len(k.env.Transfers) > 1 {
		k.t.Fatalf("%d transfers", len(k.env.Transfers))
	}
	if len(k.env.Transfers) == 0 {
		return nil
	}
	return k.env.Transfers[0]
}

func (k *talk) whole(content []byte) *wire.Transfer {
	k.t.Helper()
	x := k.finish()
	if x == nil {
		k.t.Fatal("no transfer")
	}
	sum := sha256.Sum256(content)
	if r := k.env.Result(x); !r.Whole || r.SHA256 != hex.EncodeToString(sum[:]) || x.Status != model.Done {
		k.t.Errorf("whole %v, %d of %d bytes, status %s, %q", r.Whole, r.Size, len(content), x.Status, r.Reason)
	}
	return x
}

func TestRead(t *testing.T) {
	b := pattern(1300)
	k := newTalk(t, rrq("boot/image.bin", "octet"))
	for i := range 3 {
		k.link.Send(1, block(i+1, b[i*512:min(1300, i*512+512)]), 0)
		k.link.Send(0, ack(i+1), 0)
	}
	x := k.whole(b)
	if x.Operation != model.Pull || x.Source.IP != server.Addr || x.Name != "image.bin" || x.Path != "boot/image.bin" || x.Initiator != model.ByDestination {
		t.Errorf("%+v", x.Transfer)
	}
}

func TestWrite(t *testing.T) {
	b := pattern(512) // a last block of no bytes follows
	k := newTalk(t, wrq("config", "octet"))
	k.link.Send(1, ack(0), 0)
	k.link.Send(0, block(1, b), 0)
	k.link.Send(0, block(1, b), 0) // sent again
	k.link.Send(1, ack(1), 0)
	k.link.Send(0, block(2, nil), 0)
	if x := k.whole(b); x.Operation != model.Push || x.Source.IP != client.Addr || x.Destination.Port != answer.Port {
		t.Errorf("%+v", x.Transfer)
	}
}

// TestSamePort: some servers answer from the port of the request.
func TestSamePort(t *testing.T) {
	b := pattern(100)
	k := newTalk(t, rrq("a", "octet"))
	k.ask.Send(1, block(1, b), 0)
	k.whole(b)
}

func TestOptions(t *testing.T) {
	b := pattern(3000)
	k := newTalk(t, rrq("a", "octet", "blksize", "1400", "tsize", "0", "windowsize", "4"))
	k.link.Send(1, []byte("\x00\x06blksize\x001024\x00tsize\x003000\x00windowsize\x004\x00"), 0)
	k.link.Send(1, block(2, b[1024:2048]), 0) // out of order within the window
	k.link.Send(1, block(1, b[:1024]), 0)
	k.link.Send(1, block(3, b[2048:]), 0)
	k.whole(b)

	// The server's acknowledgement of options was not captured.
	k = newTalk(t, rrq("a", "octet", "blksize", "1400"))
	k.link.Send(1, block(1, b[:1400]), 0)
	k.link.Send(1, block(2, b[1400:2800]), 0)
	k.link.Send(1, block(3, b[2800:]), 0)
	k.whole(b)
}

func TestWrap(t *testing.T) {
	b := pattern(8*70_000 + 3)
	for name, first := range map[string]int{"to 0": 0, "to 1": 1} {
		k := newTalk(t, rrq("a", "octet", "blksize", "8"))
		k.link.Send(1, []byte("\x00\x06blksize\x008\x00"), 0)
		n := 0
		for at := 0; at <= len(b); at += 8 {
			if n++; n == 1<<16 {
				n = first
			}
			k.link.Send(1, block(n, b[at:min(len(b), at+8)]), 0)
		}
		k.whole(b)
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

func TestNetascii(t *testing.T) {
	k := newTalk(t, rrq("a.txt", "NETASCII"))
	text := append(bytes.Repeat([]byte("x"), 511), "\r\nab\r\x00c\r\n"...) // CR LF lies on the edge of a block
	k.link.Send(1, block(1, text[:512]), 0)
	k.link.Send(1, block(2, text[512:]), 0)
	x := k.whole(append(bytes.Repeat([]byte("x"), 511), "\nab\rc\n"...))
	if len(x.Notes) != 1 {
		t.Errorf("notes %v", x.Notes)
	}
	k = newTalk(t, rrq("a.txt", "netascii"))
	k.link.Send(1, block(1, text[:512]), 0)
	k.link.Send(1, block(3, []byte("end")), 0)
	if r := k.env.Result(k.finish()); r.Whole {
		t.Error("whole without its second block")
	}
}

func TestNotWhole(t *testing.T) {
	b := pattern(1300)
	send := func(k *talk, blocks ...int) *talk {
		for _, n := range blocks {
			k.link.Send(1, block(n, b[(n-1)*512:min(1300, n*512)]), 0)
		}
		return k
	}
	for name, c := range map[string]struct {
		k      *talk
		status string
		reason string
	}{
		"a hole":         {send(newTalk(t, rrq("a", "octet")), 1, 3), model.Done, "missing"},
		"end of capture": {send(newTalk(t, rrq("a", "octet")), 1, 2), model.Interrupted, "end of capture"},
	} {
		x := c.k.finish()
		if r := c.k.env.Result(x); r.Whole || x.Status != c.status || !strings.Contains(r.Reason, c.reason) {
			t.Errorf("%s: whole %v, status %s, %q", name, r.Whole, x.Status, r.Reason)
		}
	}
	k := newTalk(t, rrq("a", "octet"))
	k.link.Send(1, block(1, b[:512]), 0)
	k.link.Dec.Data(1, wire.Chunk{Data: block(2, b[512:600]), Cut: 424, At: k.env.Next()}) // snapped
	k.link.Send(1, block(3, b[1024:]), 0)
	if r := k.env.Result(k.finish()); r.Whole || r.Size != 1300 {
		t.Errorf("snapped: whole %v, size %d", r.Whole, r.Size)
	}
}

func TestErrors(t *testing.T) {
	for code, status := range map[byte]string{1: "", 2: model.Denied, 8: ""} {
		k := newTalk(t, rrq("a", "octet"))
		k.link.Send(1, []byte{0, opError, 0, code, 'n', 'o', 0}, 0)
		got := ""
		if x := k.finish(); x != nil {
			got = x.Status
		}
		if got != status {
			t.Errorf("error %d: %q instead of %q", code, got, status)
		}
	}
	k := newTalk(t, rrq("a", "octet"))
	k.link.Send(1, block(1, pattern(512)), 0)
	k.link.Send(0, []byte{0, opError, 0, 3, 0}, 0)
	if x := k.finish(); x == nil || x.Status != model.Failed {
		t.Errorf("%+v", x)
	}
	if k := newTalk(t, rrq("a", "octet")); k.finish() != nil {
		t.Error("a request alone is no transfer")
	}
}

// TestRepeated: a request that is sent again before any answer is one.
func TestRepeated(t *testing.T) {
	k := newTalk(t, rrq("a", "octet"))
	k.ask.Send(0, []byte(rrq("a", "octet")), 0)
	k.link.Send(1, block(1, []byte("x")), 0)
	k.whole([]byte("x"))
}

func TestRequests(t *testing.T) {
	for _, s := range []string{"", "\x00\x01", "\x00\x01\x00octet\x00", "\x00\x01name\x00octet", "\x00\x01name\x00mode\x00", "\x00\x03name\x00octet\x00",
		"\x00\x01na\x01me\x00octet\x00", "\x12\x34\x01\x00\x00\x01"} {
		if _, ok := parseRequest([]byte(s)); ok {
			t.Errorf("%q is a request", s)
		}
	}
	r, ok := parseRequest([]byte(wrq("x", "OCTET", "BlkSize", "1024", "tsize", "77", "odd", "1", "blksize")))
	if !ok || !r.write || r.options.blockSize != 1024 || r.options.size != 77 {
		t.Errorf("%+v", r)
	}
}

func FuzzFlow(f *testing.F) {
	f.Add(true, []byte("\x08\x00\x00\x03\x00\x01abcd"))
	f.Add(false, []byte("\x04\x80\x00\x04\x00\x00\x09\x00\x00\x03\x00\x01hello\x05\x80\x00\x05\x00\x02\x00"))
	f.Fuzz(func(t *testing.T, write bool, script []byte) {
		request := rrq("a", "netascii", "blksize", "8", "windowsize", "3")
		if write {
			request = wrq("a", "octet", "tsize", "9")
		}
		k := newTalk(t, request)
		for len(script) > 1 {
			n := min(int(script[0]), len(script)-2)
			k.link.Send(wire.Side(script[1]>>7), script[2:2+n], 0)
			script = script[2+n:]
		}
		if x := k.finish(); x != nil {
			if r := k.env.Result(x); r.Whole && r.SHA256 == "" {
				t.Error("whole without a hash")
			}
		}
		if used := k.env.Budget().Used; used != 0 {
			t.Errorf("%d bytes of budget not given back", used)
		}
	})
}
