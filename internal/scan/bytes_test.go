package scan

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"waybill/internal/capture"
	"waybill/internal/content"
	"waybill/internal/model"
	"waybill/internal/packet"
	"waybill/internal/stream"
	"waybill/internal/synth"
)

// payload is what a plain walk over the packets of a capture finds.
type payload struct {
	all, files int64 // bytes of TCP and UDP; of these, on ports of file-carrying protocols
}

func count(t testing.TB, r io.Reader) (sum payload) {
	t.Helper()
	reader := capture.NewReader(r, capture.NewBlockPool(1<<16, 4))
	fragments := stream.NewFragments(&content.Budget{Limit: 64 << 20})
	var b capture.Batch
	var p packet.Packet
	for reader.Next(&b) == nil {
		for _, f := range b.Frames {
			if f.Len > maxFrame {
				f.Len = len(f.Data)
			}
			o := packet.Decode(packet.LinkType(f.Link), f.Data, f.Len, &p)
			for o == packet.Fragmented {
				datagram, ok := fragments.Add(&p, f.Time)
				if !ok {
					break
				}
				o = packet.DecodeIP(datagram, len(datagram), &p)
			}
			if o != packet.Segment {
				continue
			}
			sum.all += int64(len(p.Payload))
			if filePorts[p.SrcPort] || filePorts[p.DstPort] {
				sum.files += int64(len(p.Payload))
			}
		}
		b.Release()
	}
	return sum
}

// notPayload are reasons and protocols whose bytes are of no TCP or UDP payload, or
// in no packet.
var notPayload = []string{"arp", "ndp", "lost-segments", "one-direction", "snaplen", "lost-fragments", "rdma", "encrypted-ipsec", "malformed",
	"too-many-tunnels", "unknown-link-type", "icmp", "igmp", "icmpv6", "eigrp", "ospf", "pim", "vrrp"}

func total(m map[string]int64) (sum int64) {
	for k, n := range m {
		if n < 0 {
			return -1 << 40
		}
		if !slices.Contains(notPayload, k) {
			sum += n
		}
	}
	return sum
}

// everyByte holds coverage to its law: all payload is decoded, blind, of a protocol
// without files, or seen before; on ports of file-carrying protocols nothing is left
// to the third.
func everyByte(t *testing.T, what string, want payload, c *model.Coverage) {
	t.Helper()
	decoded, blind, other := total(c.Decoded), total(c.Blind), total(c.Other)
	if sum := decoded + blind + other + c.Duplicate + c.Conflicting; sum != want.all {
		t.Errorf("%s: %d bytes of payload, %d counted: decoded %v, blind %v, other %v, duplicate %d, conflicting %d",
			what, want.all, sum, c.Decoded, c.Blind, c.Other, c.Duplicate, c.Conflicting)
	}
	if sum := decoded + blind + c.Duplicate + c.Conflicting; sum < want.files {
		t.Errorf("%s: %d bytes on file-carrying ports, %d counted", what, want.files, sum)
	}
}

// accounted scans captures and checks each one's coverage and that of all.
func accounted(t *testing.T, what string, o Options, files ...[]byte) *Records {
	t.Helper()
	dir := t.TempDir()
	var all payload
	counts := map[string]payload{}
	for i, b := range files {
		path := filepath.Join(dir, fmt.Sprintf("%d.pcap", i))
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		counts[path] = count(t, bytes.NewReader(b))
		all.all += counts[path].all
		all.files += counts[path].files
	}
	o.Paths, o.All, o.Workers = []string{dir}, true, 2
	r := run(t, o)
	for _, c := range r.Coverage {
		if c.Input == "" {
			everyByte(t, what, all, c)
			continue
		}
		everyByte(t, what+" "+filepath.Base(c.Input), counts[c.Input], c)
	}
	return r
}

func TestEveryByte(t *testing.T) {
	scene := synth.Record(31, everything)
	c := scene.Capture
	directions, taps := c.Directions(2e6), c.Taps()
	for what, files := range map[string][]synth.Capture{
		"plain": {c}, "dropped": {c.Drop(1, 0.03)}, "much dropped": {c.Drop(2, 0.3)}, "snapped": {c.Snap(200)}, "headers only": {c.Snap(54)},
		"client": {c.Only(synth.Client)}, "server": {c.Only(synth.Server)}, "late": {c.From(len(c) / 2)}, "from 9": {c.From(9)},
		"duplicates": {c.Duplicate(1, 0.3)}, "reordered": {c.Reorder(1, 0.2)}, "all of it": {c.Duplicate(3, 0.1).Reorder(2, 0.1).Drop(4, 0.05)},
		"directions": directions[:], "taps": taps[:], "ring": c.Ring(4), "two sensors": {c.Drop(5, 0.02), c.Snap(700)},
	} {
		var files2 [][]byte
		for _, f := range files {
			files2 = append(files2, f.PCAP())
		}
		accounted(t, what, Options{}, files2...)
		accounted(t, what+", not carved", Options{NoCarve: true}, files2...)
		accounted(t, what+", 64 KiB", Options{Memory: 64 << 10}, files2...)
	}
	for _, name := range synth.Tunnels(false) {
		accounted(t, name, Options{}, c.Wrap(name).PCAP())
	}
	for name, script := range channels {
		c := synth.Record(32, script).Capture
		for what, damaged := range map[string]synth.Capture{"": c, ", dropped": c.Drop(6, 0.05), ", snapped": c.Snap(150), ", client": c.Only(synth.Client),
			", late": c.From(len(c) / 3), ", duplicates": c.Duplicate(6, 0.2).Reorder(6, 0.1)} {
			accounted(t, name+what, Options{}, damaged.PCAP())
		}
	}
}

// everything is a day with what is blind beside it: TLS, SSH, unknown protocols,
// and services without files.
func everything(n *synth.Net) {
	day(n)
	a, b := n.Host("WS-31", "10.20.1.31"), n.Host("SRV-9", "10.20.0.9")
	n.TLS(a, b, "mail.corp.example", 4000, 90_000)
	n.DNS(a, b, "srv-9.corp.example", b)
	for _, port := range []uint16{4444, 8080, 445, 139, 2049} {
		c := n.Dial(a, b, port)
		c.Client(n.Bytes(30_000))
		c.Server(n.Bytes(90_000))
		c.Close()
	}
	for _, port := range []uint16{53, 9999, 137, 69} {
		n.UDP(a, b, port).Client(n.Bytes(700))
	}
}

// TestNamedRight: what is blind bears its name.
func TestNamedRight(t *testing.T) {
	a := func(n *synth.Net) (*synth.Host, *synth.Host) { return n.Host("A", "10.0.0.1"), n.Host("B", "10.0.0.2") }
	for _, c := range []struct {
		name   string
		script func(n *synth.Net)
		blind  map[string]int64
		other  map[string]int64
		ports  map[string]int64
	}{
		{"unknown TCP", func(n *synth.Net) { x, y := a(n); d := n.Dial(x, y, 4444); d.Client(make([]byte, 5000)); d.Close() },
			map[string]int64{"unknown-protocol": 5000}, nil, map[string]int64{"tcp/4444": 5000}},
		{"unknown UDP", func(n *synth.Net) { x, y := a(n); n.UDP(x, y, 9999).Client(make([]byte, 700)) },
			map[string]int64{"unknown-protocol": 700}, nil, map[string]int64{"udp/9999": 700}},
		{"no DNS on its port", func(n *synth.Net) { x, y := a(n); n.UDP(x, y, 53).Client([]byte("whatever this may be..")) },
			map[string]int64{"unknown-protocol": 22}, nil, map[string]int64{"udp/53": 22}},
		{"NTP", func(n *synth.Net) { x, y := a(n); n.UDP(x, y, 123).Client(append([]byte{0x23}, make([]byte, 47)...)) },
			nil, map[string]int64{"ntp": 48}, nil},
		{"a scrap on port 445", func(n *synth.Net) { x, y := a(n); d := n.Dial(x, y, 445); d.Client(make([]byte, 100)); d.Close() },
			map[string]int64{"unknown-protocol": 100}, nil, map[string]int64{"tcp/445": 100}},
	} {
		scene := synth.Record(1, c.script)
		r := accounted(t, c.name, Options{}, scene.Capture.PCAP())
		all := r.Coverage[len(r.Coverage)-1]
		if !maps.Equal(all.Blind, c.blind) || !maps.Equal(all.Other, c.other) || !maps.Equal(all.UnknownPorts, c.ports) {
			t.Errorf("%s: blind %v, other %v, ports %v", c.name, all.Blind, all.Other, all.UnknownPorts)
		}
	}
}

// TestCorpusBytes holds the law on the public captures.
func TestCorpusBytes(t *testing.T) {
	dir := corpus(t)
	files, err := filepath.Glob(filepath.Join(dir, "*.pcap*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no captures: %v", err)
	}
	for _, path := range files {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		want := count(t, f)
		if err := errors.Join(f.Close()); err != nil {
			t.Fatal(err)
		}
		r := run(t, Options{Paths: []string{path}, All: true})
		everyByte(t, filepath.Base(path), want, r.Coverage[len(r.Coverage)-1])
	}
}

// TestOneWay: what one side alone acknowledges of the other, its FIN with it, is said
// to be unseen.
func TestOneWay(t *testing.T) {
	scene := synth.Record(5, func(n *synth.Net) {
		s := n.SMB(n.Host("A", "10.0.0.1"), n.Host("B", "10.0.0.2"), synth.SMBOptions{User: "u"})
		d := s.Tree("D")
		d.Get("down.bin", n.Bytes(100_000))
		d.Put("up.bin", n.Bytes(50_000))
		s.Logoff()
	})
	for side := range synth.Side(2) {
		unseen := count(t, bytes.NewReader(scene.Capture.Only(1-side).PCAP()))
		r := accounted(t, "one way", Options{}, scene.Capture.Only(side).PCAP())
		all := r.Coverage[len(r.Coverage)-1]
		if n := all.Blind["one-direction"]; n < unseen.all-200 || n > unseen.all+1 || all.Blind["lost-segments"] != 0 {
			t.Errorf("side %d: %d bytes of the other, blind %v", side, unseen.all, all.Blind)
		}
		if !slices.Contains(all.Advice, "of 1 of 1 connections one direction only was seen: mirror both directions of the port") {
			t.Errorf("side %d: advice %q", side, all.Advice)
		}
	}
}
