package packet

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"waybill/internal/model"
	"waybill/internal/synth"
)

// b reads hex digits; blanks and bars part them for readers.
func b(s string) []byte {
	out, err := hex.DecodeString(strings.NewReplacer(" ", "", "|", "", "\n", "", "\t", "").Replace(s))
	if err != nil {
		panic(err)
	}
	return out
}

func cat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func addr(s string) model.Addr { return model.AddrOf(netip.MustParseAddr(s)) }

// The packets that the tables below put into headers: 10.1.2.3:1000 sends "data!"
// to 10.1.2.4:445 in TCP with sequence number 0x11223344.
var (
	tcp4 = cat(b("4500 002d 0001 4000 40 06 0000 0a010203 0a010204"), tcpData)
	tcp6 = cat(b("60000000 0019 06 40 fd000000000000000000000000000001 fd000000000000000000000000000002"), tcpData)

	tcpData = b("03e8 01bd 11223344 55667788 50 18 ffff 0000 0000 | 64 61 74 61 21")
	macs    = b("020000000002 020000000001")
)

func eth(kind string, rest ...[]byte) []byte { return cat(append([][]byte{macs, b(kind)}, rest...)...) }

func TestDecode(t *testing.T) {
	v4options := cat(b("4600 0031 0001 4000 40 06 0000 0a010203 0a010204 01010101"), tcpData)
	gre := func(head string, inner []byte) []byte {
		body := cat(b(head), inner)
		n := 20 + len(body)
		return eth("0800", b("4500"), []byte{byte(n >> 8), byte(n)}, b("0001 0000 40 2f 0000 c0000201 c0000202"), body)
	}
	udp := func(port string, body []byte) []byte {
		n := 28 + len(body)
		return eth("0800", b("4500"), []byte{byte(n >> 8), byte(n)}, b("0001 0000 40 11 0000 c0000201 c0000202 c000"), b(port),
			[]byte{byte((n - 20) >> 8), byte(n - 20)}, b("0000"), body)
	}
	inner := eth("0800", tcp4)
	for _, c := range []struct {
		name  string
		link  LinkType
		frame []byte
	}{
		{"ethernet", Ethernet, inner},
		{"ethernet, padded", Ethernet, cat(inner, make([]byte, 11))},
		{"ethernet, options", Ethernet, eth("0800", v4options)},
		{"802.3 with SNAP", Ethernet, eth("0035", b("aaaa03 000000 0800"), tcp4)},
		{"vlan", Ethernet, eth("8100 0007 0800", tcp4)},
		{"qinq", Ethernet, eth("88a8 0001 8100 0007 0800", tcp4)},
		{"qinq, old type", Ethernet, eth("9100 0001 8100 0007 0800", tcp4)},
		{"mpls", Ethernet, eth("8847 00001 0 40 00002 1 40", tcp4)},
		{"mpls, control word", Ethernet, eth("8847 00002 1 40 00000000", inner)},
		{"mpls, ethernet", Ethernet, eth("8847 00002 1 40", inner)},
		{"pppoe", Ethernet, eth("8864 11 00 0001 002f 0021", tcp4)},
		{"raw", Raw, tcp4},
		{"raw 12", RawDLT12, tcp4},
		{"raw v4", RawIPv4, tcp4},
		{"null, little", Null, cat(b("02000000"), tcp4)},
		{"null, big", Null, cat(b("00000002"), tcp4)},
		{"loop", Loop, cat(b("00000002"), tcp4)},
		{"sll", LinuxSLL, cat(b("0000 0001 0006 020000000001 0000 0800"), tcp4)},
		{"sll2", LinuxSLL2, cat(b("0800 0000 00000002 0001 00 06 020000000001 0000"), tcp4)},
		{"sll, vlan", LinuxSLL, cat(b("0000 0001 0006 020000000001 0000 8100 0007 0800"), tcp4)},
		{"ppp", PPP, cat(b("0021"), tcp4)},
		{"ppp, address", PPP, cat(b("ff03 0021"), tcp4)},
		{"ppp, short protocol", PPP, cat(b("ff03 21"), tcp4)},
		{"cisco hdlc", CiscoHDLC, cat(b("0f00 0800"), tcp4)},
		{"gre", Ethernet, gre("0000 0800", tcp4)},
		{"gre, checksum, key, sequence", Ethernet, gre("b000 0800 12340000 00000001 00000002", tcp4)},
		{"gre, ethernet", Ethernet, gre("0000 6558", inner)},
		{"pptp", Ethernet, gre("3081 880b 00310001 00000001 00000002 ff03 0021", tcp4)},
		{"erspan 1", Ethernet, gre("0000 88be", inner)},
		{"erspan 2", Ethernet, gre("1000 88be 00000001 10010001 00000000", inner)},
		{"erspan 3", Ethernet, gre("1000 22eb 00000001 20010001 00000005 00000000", inner)},
		{"erspan 3, sub-header", Ethernet, gre("1000 22eb 00000001 20010001 00000005 00000001 0000000000000000", inner)},
		{"vxlan", Ethernet, udp("12b5", cat(b("08000000 00002a00"), inner))},
		{"geneve", Ethernet, udp("17c1", cat(b("0000 6558 00002a00"), inner))},
		{"geneve, options", Ethernet, udp("17c1", cat(b("0200 6558 00002a00 0000000000000000"), inner))},
		{"ip in ip", Ethernet, eth("0800", b("4500 0041 0001 0000 40 04 0000 c0000201 c0000202"), tcp4)},
	} {
		var p Packet
		if o := Decode(c.link, c.frame, 0, &p); o != Segment {
			t.Errorf("%s: %v", c.name, o)
			continue
		}
		if p.Src != addr("10.1.2.3") || p.Dst != addr("10.1.2.4") || p.SrcPort != 1000 || p.DstPort != 445 || p.Proto != TCP ||
			p.Seq != 0x11223344 || p.Ack != 0x55667788 || p.Flags != PSH|ACK || string(p.Payload) != "data!" || p.Len != 5 {
			t.Errorf("%s: %+v", c.name, p)
		}
	}
}

func TestDecodeIPv6(t *testing.T) {
	ext := func(first string, chain string) []byte {
		n := 25 + len(b(chain))
		return cat(b("60000000 00"), []byte{byte(n)}, b(first), b("40 fd000000000000000000000000000001 fd000000000000000000000000000002"), b(chain), tcpData)
	}
	for name, frame := range map[string][]byte{
		"plain":           eth("86dd", tcp6),
		"hop by hop":      eth("86dd", ext("00", "06 00 0000 0000 0000")),
		"routing, dest":   eth("86dd", ext("2b", "3c 00 0000 0000 0000 | 06 00 0000 0000 0000")),
		"atomic fragment": eth("86dd", ext("2c", "06 00 0000 00000007")),
		"6in4":            eth("0800", b("4500 0055 0001 0000 40 29 0000 c0000201 c0000202"), tcp6),
		"teredo":          eth("0800", b("4500 005d 0001 0000 40 11 0000 c0000201 c0000202 c000 0dd8 0049 0000"), tcp6),
		"teredo, origin":  eth("0800", b("4500 0065 0001 0000 40 11 0000 c0000201 c0000202 0dd8 c000 0051 0000 | 0000 1234 c0000203"), tcp6),
		"length 0":        eth("86dd", b("60000000 0000 06 40 fd000000000000000000000000000001 fd000000000000000000000000000002"), tcpData),
		"4 in 6 and back": eth("86dd", b("60000000 0055 04 40 fd000000000000000000000000000009 fd000000000000000000000000000008 4500 0055 0001 0000 40 29 0000 c0000201 c0000202"), tcp6),
	} {
		var p Packet
		if o := Decode(Ethernet, frame, 0, &p); o != Segment || p.Src != addr("fd00::1") || p.Dst != addr("fd00::2") || string(p.Payload) != "data!" || p.Len != 5 {
			t.Errorf("%s: %v %+v", name, o, p)
		}
	}
}

func TestLengths(t *testing.T) {
	// Total length 0: the frame gives the length.
	zero := bytes.Clone(tcp4)
	zero[2], zero[3] = 0, 0
	var p Packet
	if o := Decode(Ethernet, eth("0800", zero), 0, &p); o != Segment || p.Len != 5 {
		t.Errorf("total length 0: %v, %d bytes", o, p.Len)
	}
	// Snapped: the real length is known.
	frame := eth("0800", tcp4)
	if o := Decode(Ethernet, frame[:len(frame)-3], len(frame), &p); o != Segment || p.Len != 5 || string(p.Payload) != "da" {
		t.Errorf("snapped: %v %d %q", o, p.Len, p.Payload)
	}
	if _, known := p.ChecksumOK(); known {
		t.Error("the checksum of a snapped segment cannot be known")
	}
	// A datagram that says less than IP does has padding.
	dgram := eth("0800", b("4500 0020 0001 0000 40 11 0000 0a010203 0a010204 1000 1001 000a 0000 6869 ffff"))
	if o := Decode(Ethernet, dgram, 0, &p); o != Segment || p.Proto != UDP || string(p.Payload) != "hi" || p.Len != 2 {
		t.Errorf("datagram: %v %q", o, p.Payload)
	}
}

func TestNotDecoded(t *testing.T) {
	deep := tcp4
	for range 12 {
		n := len(deep) + 20
		deep = cat(b("4500"), []byte{byte(n >> 8), byte(n)}, b("0001 0000 40 04 0000 c0000201 c0000202"), deep)
	}
	for name, c := range map[string]struct {
		frame []byte
		want  Outcome
	}{
		"arp":            {eth("0806", make([]byte, 28)), NotIP},
		"icmp":           {eth("0800", b("4500 001c 0001 0000 40 01 0000 0a010203 0a010204 0800000000000000")), OtherIP},
		"too deep":       {eth("0800", deep), TooDeep},
		"header length":  {eth("0800", b("4400"), tcp4[2:]), Malformed},
		"version 5":      {eth("0800", b("5500"), tcp4[2:]), Malformed},
		"short":          {eth("0800", tcp4[:25]), Truncated},
		"tcp offset":     {eth("0800", tcp4[:32], b("10"), tcp4[33:]), Malformed},
		"first fragment": {eth("0800", tcp4[:6], b("2000"), tcp4[8:]), Fragmented},
		"later fragment": {eth("0800", tcp4[:6], b("0003"), tcp4[8:]), Fragmented},
	} {
		var p Packet
		if got := Decode(Ethernet, c.frame, 0, &p); got != c.want {
			t.Errorf("%s: %v instead of %v", name, got, c.want)
		}
	}
	// A tunnel's port without the tunnel is a datagram.
	var p Packet
	plain := eth("0800", b("4500 0020 0001 0000 40 11 0000 0a010203 0a010204 1000 12b5 000c 0000 01020304"))
	if o := Decode(Ethernet, plain, 0, &p); o != Segment || p.DstPort != 4789 || p.Tunnels != 0 || p.Src != addr("10.1.2.3") {
		t.Errorf("VXLAN's port: %v %+v", o, p)
	}
}

// TestEveryCut decodes each frame cut off at each byte: never more than there is.
func TestEveryCut(t *testing.T) {
	for name, frame := range frames() {
		for n := range frame {
			var p Packet
			if o := Decode(Ethernet, frame[:n], len(frame), &p); o == Segment && len(p.Payload) > n {
				t.Fatalf("%s cut to %d: %d bytes of payload", name, n, len(p.Payload))
			}
		}
	}
}

// frames are one data packet in every tunnel that fits into Ethernet.
func frames() map[string][]byte {
	out := map[string][]byte{}
	for _, v6 := range []bool{false, true} {
		c := synth.Record(1, func(n *synth.Net) {
			n.V6 = v6
			n.Dial(n.Host("A", "10.0.0.1"), n.Host("B", "10.0.0.2"), 445).Client([]byte("hello"))
		}).Capture
		for _, name := range synth.Tunnels(v6) {
			if w := c.Wrap(name)[3]; w.Link == synth.LinkEthernet {
				out[name] = w.Data
			}
		}
	}
	return out
}

func TestChecksum(t *testing.T) {
	for name, frame := range frames() {
		var p Packet
		Decode(Ethernet, frame, 0, &p)
		if ok, known := p.ChecksumOK(); !ok || !known {
			t.Errorf("%s: a right checksum is %v, known %v", name, ok, known)
		}
		wrong := bytes.Clone(frame)
		wrong[len(wrong)-1] ^= 1
		Decode(Ethernet, wrong, 0, &p)
		if ok, _ := p.ChecksumOK(); ok {
			t.Errorf("%s: a wrong checksum passes", name)
		}
	}
}

// The values are those that the specification's reference implementation gives
// for its sample captures (github.com/corelight/community-id-spec).
func TestCommunityID(t *testing.T) {
	for _, c := range []struct {
		proto    uint8
		src, dst string
		sp, dp   uint16
		want     string
	}{
		{TCP, "128.232.110.120", "66.35.250.204", 34855, 80, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
		{TCP, "66.35.250.204", "128.232.110.120", 80, 34855, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
		{UDP, "192.168.1.52", "8.8.8.8", 54585, 53, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="},
	} {
		if got := CommunityID(c.proto, addr(c.src), addr(c.dst), c.sp, c.dp); got != c.want {
			t.Errorf("%s:%d > %s:%d: %s instead of %s", c.src, c.sp, c.dst, c.dp, got, c.want)
		}
	}
}

func TestAllocations(t *testing.T) {
	if racing {
		t.Skip("the race detector allocates")
	}
	var p Packet
	for name, frame := range frames() {
		if n := testing.AllocsPerRun(100, func() { Decode(Ethernet, frame, len(frame), &p) }); n != 0 {
			t.Errorf("%s: %v allocations a packet", name, n)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, frame := range frames() {
		f.Add(uint16(Ethernet), frame, 0)
	}
	f.Add(uint16(Null), cat(b("02000000"), tcp4), 0)
	f.Add(uint16(LinuxSLL2), cat(b("0800 0000 00000002 0001 00 06 020000000001 0000"), tcp4), 90)
	f.Fuzz(func(t *testing.T, link uint16, frame []byte, length int) {
		var p Packet
		switch o := Decode(LinkType(link), frame, length, &p); o {
		case Segment:
			if p.Len < len(p.Payload) || p.SegmentLen < len(p.Segment) || len(p.Segment) < len(p.Payload) {
				t.Errorf("lengths: %+v", p)
			}
			if p.Proto != TCP && p.Proto != UDP {
				t.Errorf("protocol %d", p.Proto)
			}
			p.ChecksumOK()
		case Fragmented:
			if len(p.Fragment.Data) > len(frame) || p.Fragment.Offset < 0 || p.Fragment.Offset > 65535 {
				t.Errorf("fragment: %+v", p.Fragment)
			}
		}
	})
}

func BenchmarkDecode(bench *testing.B) {
	frame := eth("0800", tcp4)
	var p Packet
	bench.ReportAllocs()
	for bench.Loop() {
		Decode(Ethernet, frame, len(frame), &p)
	}
}
