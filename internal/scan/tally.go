package scan

import (
	"maps"
	"slices"
	"strings"

	"waybill/internal/packet"
	"waybill/internal/stream"
)

// tally counts the payload of one input. Each byte is counted once: as decoded, as
// blind for one reason, as of a protocol without files, or by the streams as seen
// before.
type tally struct {
	carried map[string]int64            // what decoders were given, by protocol
	unread  map[string]map[string]int64 // of that, what they could not read, by protocol and reason
	decoded map[string]int64
	blind   map[string]int64
	other   map[string]int64

	unverified map[string]bool // what was read in ways that no real sample confirms
}

func newTally() tally {
	return tally{carried: map[string]int64{}, unread: map[string]map[string]int64{},
		decoded: map[string]int64{}, blind: map[string]int64{}, other: map[string]int64{}}
}

// Tags of flows that nobody decodes start with one of these; their rest is the
// reason of blindness, or the protocol that carries no files.
const (
	blindTag = "!"
	otherTag = "~"
)

// notCaptured says of a reason that its bytes are in no packet of the input, so that
// no decoder was given them.
func notCaptured(reason string) bool {
	return reason == "rdma" || reason == "lost-segments" || reason == "snaplen" || reason == "one-direction"
}

// blame counts bytes that a protocol could not read.
func (t *tally) blame(protocol, reason string, n int64) {
	if notCaptured(reason) || n <= 0 { // none: state was given up, and no byte with it

		t.blind[reason] += max(n, 0)
		return
	}
	m := t.unread[protocol]
	if m == nil {
		m = map[string]int64{}
		t.unread[protocol] = m
	}
	m[reason] += n
}

// Closed counts what a flow carried.
func (d *detector) Closed(f *stream.Flow) {
	name := d.tags[f.Tag]
	if !f.Conn.UDP && f.HasData() {
		d.p.connections++
		if f.OneSided() {
			d.p.oneSided++
		}
	}
	f.Carried(func(input int, n int64) {
		c := &d.p.coverage[input]
		if reason, ok := strings.CutPrefix(name, blindTag); ok {
			c.blind[reason] += n
			d.p.unknown(&f.Conn, n)
		} else if other, ok := strings.CutPrefix(name, otherTag); ok {
			c.other[other] += n
		} else {
			c.carried[name] += n
		}
	})
}

// settle makes decoded and blind of what each protocol was given and could not
// read. What a decoder gives up may have come in another input than the packet at
// which it did: it is moved there. More than was given is never counted.
func (p *pipeline) settle() {
	names := map[string]bool{}
	for i := range p.coverage {
		for name := range p.coverage[i].carried {
			names[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		over := map[string]int64{}
		for i := range p.coverage {
			p.coverage[i].settle(name, over)
		}
		for i := range p.coverage {
			p.coverage[i].take(name, over)
		}
	}
}

// settle fills in what of a protocol was decoded, and leaves in over what is blamed
// beyond what this input had.
func (t *tally) settle(name string, over map[string]int64) {
	room := t.carried[name]
	for _, reason := range slices.Sorted(maps.Keys(t.unread[name])) {
		n := t.unread[name][reason]
		fits := min(n, room)
		over[reason] += n - fits
		room -= fits
		t.count(reason, fits)
	}
	t.decoded[name] = room
}

// take moves to this input what is left of others.
func (t *tally) take(name string, over map[string]int64) {
	for _, reason := range slices.Sorted(maps.Keys(over)) {
		n := min(over[reason], t.decoded[name])
		over[reason] -= n
		t.decoded[name] -= n
		t.count(reason, n)
	}
}

func (t *tally) count(reason string, n int64) {
	if n > 0 {
		t.blind[reason] += n
	}
}

// streams adds what the streams counted.
func (t *tally) streams(s stream.Stats) {
	t.count("snaplen", s.Snapped)
	t.count("lost-segments", s.Lost)
	t.count("one-direction", s.OneWay)
	t.count("out-of-sequence", s.Stray)
	t.count("over-budget", s.Dropped)
}

// frames of these outcomes carry something that could not be looked into.
var unreadFrames = map[packet.Outcome]string{
	packet.Malformed: "malformed", packet.TooDeep: "too-many-tunnels", packet.UnknownLink: "unknown-link-type",
}

// IP protocols beside TCP and UDP.
var ipBlind = map[uint8]string{50: "encrypted-ipsec", 132: "unknown-protocol"}

var ipOther = map[uint8]string{1: "icmp", 2: "igmp", 88: "eigrp", 89: "ospf", 103: "pim", 112: "vrrp"}

// frameBytes counts a frame that gives no segment.
func (t *tally) frameBytes(o packet.Outcome, k *packet.Packet, frame int) {
	if reason := unreadFrames[o]; reason != "" {
		t.count(reason, int64(frame))
	}
	if o != packet.OtherIP {
		return
	}
	if reason := ipBlind[k.Proto]; reason != "" {
		t.count(reason, int64(len(k.Payload)))
	} else if name := ipOther[k.Proto]; name != "" {
		t.other[name] += int64(len(k.Payload))
	}
}
