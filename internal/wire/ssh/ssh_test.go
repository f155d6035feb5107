package ssh

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/wiretest"
)

func packet(body []byte) []byte {
	pad := 8 - (len(body)+5)%8 + 4
	b := binary.BigEndian.AppendUint32(nil, uint32(len(body)+1+pad))
	b = append(b, byte(pad))
	b = append(b, body...)
	return append(b, make([]byte, pad)...)
}

func kex(lists ...string) []byte {
	b := append([]byte{msgKexInit}, make([]byte, 16)...)
	for i := range 10 {
		s := ""
		if i < len(lists) {
			s = lists[i]
		}
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	return append(b, 0, 0, 0, 0, 0)
}

// handshake is banners, key exchange and a login by password.
func handshake(compression string) []wiretest.Turn {
	return handshakeWith("hmac-sha2-256", compression)
}

func handshakeWith(mac, compression string) []wiretest.Turn {
	lists := []string{"curve25519-sha256", "ssh-ed25519", "aes128-ctr", "aes256-ctr", mac, "hmac-sha1", compression, compression}
	return []wiretest.Turn{
		{From: 0, Data: []byte("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")}, {From: 1, Data: []byte("SSH-2.0-dropbear_2022.83\r\n")},
		{From: 0, Data: packet(kex(lists...))}, {From: 1, Data: packet(kex(lists...))},
		{From: 0, Data: packet(append([]byte{30}, make([]byte, 36)...))},
		{From: 1, Data: append(packet(append([]byte{31}, make([]byte, 200)...)), packet([]byte{msgNewKeys})...)},
		{From: 0, Data: packet([]byte{msgNewKeys})},
		{From: 0, Data: make([]byte, 44)}, {From: 1, Data: make([]byte, 44)}, {From: 0, Data: make([]byte, 84)}, {From: 1, Data: make([]byte, 52)},
		{From: 0, Data: make([]byte, 148)}, {From: 1, Data: make([]byte, 28)}, {From: 0, Data: make([]byte, 112)},
		{From: 1, Data: make([]byte, 500)}, {From: 1, Data: make([]byte, 500)}, {From: 0, Data: make([]byte, 176)}, {From: 1, Data: make([]byte, 108)},
	}
}

var ends = wire.Conn{Ends: [2]wire.AddrPort{wiretest.Addr("10.0.0.1:40000"), wiretest.Addr("10.0.0.2:22")}}

// copying adds a file of n bytes as scp sends it: 32 KiB a packet, one answer now
// and then.
func copying(turns []wiretest.Turn, from wire.Side, n int) []wiretest.Turn {
	for i := 0; n > 0; i++ {
		k := min(n, packetData)
		turns = append(turns, wiretest.Turn{From: from, Data: make([]byte, k+9+5+10+32)})
		n -= k
		if i%16 == 15 {
			turns = append(turns, wiretest.Turn{From: from.Other(), Data: make([]byte, 60)})
		}
	}
	return turns
}

// TestEstimate: the estimate of what was copied is within 3 % from 100 kB on, and
// its interval holds the truth (the issue "Channels").
func TestEstimate(t *testing.T) {
	for _, from := range []wire.Side{0, 1} {
		for _, size := range []int{100_000, 250_000, 3_000_000} {
			env := wiretest.Play(t, New, ends, 1448, copying(handshake("none"), from, size))
			if len(env.Transfers) != 1 {
				t.Fatalf("%d transfers", len(env.Transfers))
			}
			x := env.Transfers[0]
			e := x.Estimate
			if off := e.Size - int64(size); off > int64(size)*3/100 || off < -int64(size)*3/100 {
				t.Errorf("side %d, %d bytes: estimate %+v", from, size, *e)
			}
			if e.Low > int64(size) || e.High < int64(size) {
				t.Errorf("side %d: %d bytes not in %+v", from, size, *e)
			}
			if want := [...]string{model.Push, model.Pull}[from]; x.Operation != want || x.Completeness != model.Opaque || x.Confidence != "medium" {
				t.Errorf("side %d: %+v", from, x.Transfer)
			}
		}
	}
}

func TestSession(t *testing.T) {
	keys := handshake("none")
	for range 300 {
		keys = append(keys, wiretest.Turn{From: 0, Data: make([]byte, 36)}, wiretest.Turn{From: 1, Data: make([]byte, 100)})
	}
	screens := handshake("none")
	for range 40 {
		screens = append(screens, wiretest.Turn{From: 0, Data: make([]byte, 64)}, wiretest.Turn{From: 1, Data: make([]byte, 64)})
		screens = append(screens, wiretest.Turn{From: 0, Data: make([]byte, 64)}, wiretest.Turn{From: 1, Data: make([]byte, 1200)})
	}
	asks := handshake("none") // a file fetched by requests that are longer than a key
	for range 40 {
		asks = append(asks, wiretest.Turn{From: 0, Data: make([]byte, 96)}, wiretest.Turn{From: 1, Data: make([]byte, 128)})
		asks = append(asks, wiretest.Turn{From: 0, Data: make([]byte, 96)}, wiretest.Turn{From: 1, Data: make([]byte, 1200)})
	}
	both := copying(copying(handshake("none"), 0, 80_000), 1, 80_000)
	for _, c := range []struct {
		name, class string
		turns       []wiretest.Turn
		transfers   int
	}{
		{"refused", unused, handshake("none")[:13], 0},
		{"keys", interactive, keys, 1},
		{"keys and screens", interactive, screens, 1},
		{"requests and answers", pull, asks, 1},
		{"both ways", tunnel, both, 1},
		{"sent", push, copying(handshake("none"), 0, 50_000), 1},
		{"a small file", push, copying(handshake("none"), 0, 6_000), 0},
		{"little", interactive, handshake("none"), 0},
	} {
		env := wiretest.Play(t, New, ends, 1448, c.turns)
		a := env.Accesses[0]
		if a.Object != c.class || len(env.Transfers) != c.transfers {
			t.Errorf("%s: %s, %d transfers: %s", c.name, a.Object, len(env.Transfers), a.Detail)
		}
		// The fingerprint of the lists above, by md5sum of the four client lists.
		for _, part := range []string{"client SSH-2.0-OpenSSH_9.2p1 Debian-2", "server SSH-2.0-dropbear_2022.83", "hassh e97d07603350d1111ec2b64bf25413c9"} {
			if !strings.Contains(a.Detail, part) {
				t.Errorf("%s: no %q in %q", c.name, part, a.Detail)
			}
		}
	}
}

// clear is a packet of n bytes of content as a MAC over what is encrypted leaves it:
// its length in clear, blocks of 16 bytes, 32 bytes of MAC.
func clear(n int) []byte {
	size := (1 + dataHead + n + 4 + 15) / 16 * 16
	return append(binary.BigEndian.AppendUint32(nil, uint32(size)), make([]byte, size+32)...)
}

// TestLengths: where lengths show, the content is known better than by segments,
// whatever these are; when a length is none, segments are all there is.
func TestLengths(t *testing.T) {
	const content = 300_000
	for _, size := range []int{0, 700, 1448} {
		turns := handshakeWith("hmac-sha2-256-etm@openssh.com", "none")[:7]
		for range 12 {
			turns = append(turns, wiretest.Turn{From: 0, Data: clear(40)}, wiretest.Turn{From: 1, Data: clear(60)})
		}
		for n := 0; n < content; n += 4000 {
			turns = append(turns, wiretest.Turn{From: 0, Data: clear(4000)}, wiretest.Turn{From: 1, Data: clear(20)})
		}
		e := wiretest.Play(t, New, ends, size, turns).Transfers[0].Estimate
		if e.Size < content*995/1000 || e.Size > content*1005/1000 || e.Low > content || e.High < content || e.High-e.Low > content/20 {
			t.Errorf("segments of %d: %+v", size, *e)
		}
		e = wiretest.Play(t, New, ends, size, append(turns, wiretest.Turn{From: 0, Data: make([]byte, 8)})).Transfers[0].Estimate
		if e.High < content*101/100 {
			t.Errorf("without lengths, segments of %d: %+v", size, *e)
		}
	}
}

// TestSealedSize: lengths of packets on the wire, as captured of OpenSSH with a key
// typed, and by RFC 4253 6.
func TestSealedSize(t *testing.T) {
	for _, c := range []struct {
		cipher, mac string
		n, want     int64
	}{
		{"chacha20-poly1305@openssh.com", "hmac-sha2-256", 10, 36},
		{"chacha20-poly1305@openssh.com", "", 12, 44},
		{"aes128-gcm@openssh.com", "", 10, 36},
		{"aes128-ctr", "hmac-sha2-256", 10, 64},
		{"aes128-ctr", "hmac-sha2-256-etm@openssh.com", 10, 52},
		{"aes256-ctr", "umac-64-etm@openssh.com", 10, 28},
		{"aes256-ctr", "hmac-sha1", 10, 52},
		{"3des-cbc", "hmac-md5", 10, 40},
	} {
		if got := sealedSize(c.cipher, c.mac, c.n); got != c.want {
			t.Errorf("%s %s: %d bytes make %d instead of %d", c.cipher, c.mac, c.n, got, c.want)
		}
	}
}

// TestShortSegments: a path of short segments changes neither class nor estimate.
func TestShortSegments(t *testing.T) {
	for _, size := range []int{536, 1448, 65160} {
		env := wiretest.Play(t, New, ends, size, copying(handshake("none"), 1, 300_000))
		x := env.Transfers[0]
		if x.Operation != model.Pull || x.Estimate.Size < 291_000 || x.Estimate.Size > 309_000 || x.Confidence != "medium" {
			t.Errorf("segments of %d: %+v %+v", size, x.Transfer, x.Estimate)
		}
	}
}

func TestCompressed(t *testing.T) {
	env := wiretest.Play(t, New, ends, 1448, copying(handshake("zlib@openssh.com"), 0, 50_000))
	if x := env.Transfers[0]; !x.Session.Compressed || x.Estimate.High < 200_000 {
		t.Errorf("%+v %+v", x.Session, x.Estimate)
	}
}

// TestOtherProtocols: what is not SSH is not claimed.
func TestOtherProtocols(t *testing.T) {
	for _, b := range []string{"GET / HTTP/1.1\r\n", "220 ftp ready\r\n", "\x16\x03\x01\x02\x00\x01"} {
		c := ends
		c.FromStart = [2]bool{true, true}
		if v := New(wiretest.New(t)).Probe(&c, [2][]byte{[]byte(b), nil}); v != wire.No {
			t.Errorf("%q: verdict %d", b, v)
		}
	}
}

func FuzzConversation(f *testing.F) {
	turns := copying(handshake("none"), 0, 40_000)
	wiretest.Fuzz(f, New, ends, turns, []wiretest.Turn{{From: 1, Data: bytes.Repeat([]byte("hello\n"), 10)}})
}

// TestAllocations: a packet of an encrypted session costs no memory.
func TestAllocations(t *testing.T) {
	c := ends
	c.FromStart = [2]bool{true, true}
	d := New(wiretest.New(t)).Open(&c)
	at := wire.At{Time: 1, Packet: 1}
	for _, x := range handshakeWith("hmac-sha2-256-etm@openssh.com", "none") {
		d.Data(x.From, wire.Chunk{Data: x.Data, At: at})
	}
	key, content := clear(1), clear(1400)
	if n := testing.AllocsPerRun(100, func() {
		d.Data(0, wire.Chunk{Data: key, At: at})
		d.Data(1, wire.Chunk{Data: content, At: at})
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
