package synth

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"

	"waybill/internal/model"
)

// Begin is the time at which every script starts: 2026-03-17 09:00:00 UTC, a Tuesday.
const Begin model.Time = 1773738000_000_000_000

// Net is a network with a clock. Its hosts talk, and it keeps every frame and
// the truth. The fields may be set at any time and hold for what comes after.
type Net struct {
	Now     model.Time // time of the next frame
	Step    model.Time // between frames of one sender
	Delay   model.Time // before the other side answers
	V6      bool       // hosts get IPv6 addresses that embed the IPv4 ones
	MSS     int        // payload bytes of a TCP segment
	Offload bool       // segments of up to 60 KiB in packets with a total length of 0
	ISN     [2]uint32  // first sequence numbers of both sides; zero is random

	Truth Truth
	Logs  Logs // what the hosts' event logs hold

	records map[string]uint64 // the last record number of each log
	logons  int

	rng   *rand.ChaCha8
	hosts map[netip.Addr]*Host
	out   Capture
	arena []byte
	flows int
}

// Scene is a capture and what is true of it.
type Scene struct {
	Capture Capture
	Truth   Truth
	Logs    Logs
}

// Record runs a script and gives what it made, sorted by time.
func Record(seed uint64, script func(*Net)) Scene {
	n := New(seed)
	script(n)
	return Scene{n.Take(), n.Truth, n.Logs.Sorted()}
}

// New makes an empty network.
func New(seed uint64) *Net {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	copy(key[8:], "waybill synth")
	return &Net{
		Now: Begin, Step: 12_000, Delay: 250_000, MSS: 1448,
		rng: rand.NewChaCha8(key), hosts: map[netip.Addr]*Host{},
	}
}

// Take gives the frames made since the last call, sorted by time.
func (n *Net) Take() Capture {
	c := n.out
	n.out = nil
	c.Sort()
	return c
}

// Sleep lets d nanoseconds pass.
func (n *Net) Sleep(d model.Time) { n.Now += d }

// Together runs scripts that begin at the same time; their frames interleave.
// The clock goes on from the end of the longest.
func (n *Net) Together(scripts ...func()) {
	begin, end := n.Now, n.Now
	for i, script := range scripts {
		n.Now = begin + model.Time(i)*3_700
		script()
		end = max(end, n.Now)
	}
	n.Now = end
}

// Host is an interface of a machine; two of one name are two cards.
type Host struct {
	Name string
	Addr netip.Addr
	MAC  [6]byte

	ipID uint16
	port uint16
}

// Model is the host's address as records carry it.
func (h *Host) Model() model.Addr { return model.AddrOf(h.Addr) }

// Host gives the host with the address, made at its first use. With V6 an IPv4
// address becomes the last four bytes of one in fd20::/96.
func (n *Net) Host(name, addr string) *Host {
	a := netip.MustParseAddr(addr)
	if n.V6 && a.Is4() {
		b, v4 := [16]byte{0: 0xfd, 1: 0x20}, a.As4()
		copy(b[12:], v4[:])
		a = netip.AddrFrom16(b)
	}
	if h, ok := n.hosts[a]; ok {
		return h
	}
	b := a.As16()
	h := &Host{Name: name, Addr: a, MAC: [6]byte{0x02, b[11] ^ b[10], b[12], b[13], b[14], b[15]}}
	h.ipID, h.port = uint16(n.random()), 49152+uint16(n.Intn(8000))
	n.hosts[a] = h
	return h
}

// ephemeral is the host's next client port.
func (h *Host) ephemeral() uint16 {
	h.port++
	if h.port < 49152 {
		h.port = 49152
	}
	return h.port
}

// frame records a frame: an arena holds it, so that one allocation serves many.
func (n *Net) frame(b []byte, flow int, from Side) {
	if len(n.arena)+len(b) > cap(n.arena) {
		n.arena = make([]byte, 0, max(1<<20, len(b)))
	}
	at := len(n.arena)
	n.arena = append(n.arena, b...)
	n.out = append(n.out, Frame{
		Time: n.Now, Data: slices.Clip(n.arena[at:]), Link: LinkEthernet, Flow: flow, From: from,
	})
	n.Now += n.Step
}

func (n *Net) nextFlow() int {
	n.flows++
	return n.flows
}

func (n *Net) random() uint64 { return n.rng.Uint64() }

// Intn is a random number in [0, max).
func (n *Net) Intn(max int) int { return int(n.rng.Uint64() % uint64(max)) }

// Bytes is random content of a size: no file type, not compressible.
func (n *Net) Bytes(size int) []byte {
	b := make([]byte, size)
	n.rng.Read(b)
	return b
}

// guid is a random GUID.
func (n *Net) guid() []byte { return n.Bytes(16) }

// hex is random text of 2*size hex digits.
func (n *Net) hex(size int) string { return fmt.Sprintf("%x", n.Bytes(size)) }
