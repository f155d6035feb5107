package capture

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"waybill/internal/model"
)

func TestPcapngBytes(t *testing.T) {
	const (
		section = `0a0d0d0a 1c000000 4d3c2b1a 0100 0000 ffffffffffffffff 1c000000`
		plain   = `01000000 14000000 0100 0000 00000000 14000000`
	)
	tests := []struct{ name, file, want string }{
		{"enhanced packet with a comment", section + plain + `06000000 30000000 00000000 430a0600 40420f00 02000000 3c000000 abcd0000
			0100 0300 68690000 00000000 30000000`, fmt.Sprintf("1 %d 60 ethernet abcd", (0x060a43<<32|0x0f4240)*1000)},
		{"big-endian", `0a0d0d0a 0000001c 1a2b3c4d 0001 0000 ffffffffffffffff 0000001c
			00000001 00000014 0065 0000 00000000 00000014
			00000006 00000024 00000000 00000000 00000005 00000001 00000009 ff000000 00000024`, "1 5000 9 raw ff"},
		{"nanoseconds", section + `01000000 20000000 0100 0000 00000000 0900 0100 09000000 00000000 20000000
			06000000 24000000 00000000 01000000 05000000 01000000 01000000 ff000000 24000000`, "1 4294967301 1 ethernet ff"},
		{"simple packet, cut to the snap length", section + `01000000 14000000 7100 0000 02000000 14000000
			03000000 14000000 09000000 abcd0000 14000000`, "1 0 9 linux-sll abcd"},
		{"obsolete packet block", section + plain + `02000000 24000000 0000 ffff 00000000 05000000 01000000 01000000 ff000000 24000000`,
			"1 5000 1 ethernet ff"},
		{"unknown blocks", section + `efbeadde 10000000 01020304 10000000` + plain + `0a000000 0c000000 0c000000
			06000000 24000000 00000000 00000000 05000000 01000000 01000000 ff000000 24000000`, "1 5000 1 ethernet ff"},
		{"length without the padding", section + plain + `06000000 21000000 00000000 00000000 05000000 01000000 01000000 ff000000 21000000`,
			"1 5000 1 ethernet ff"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := unhex(t, test.file)
			got := readAll(t, bytes.NewReader(file), 0)
			if !slices.Equal(got.frames, []string{test.want}) || len(got.damages) > 0 {
				t.Fatalf("got %q, damage %v, want %q", got.frames, got.damages, test.want)
			}
			if kind, ok := IsCapture(file); kind != PCAPNG || !ok {
				t.Fatalf("taken for %q", kind)
			}
		})
	}
}

// Each section has its own byte order and interfaces; packets count on.
func TestSections(t *testing.T) {
	file := slices.Concat(
		ngLittle.section(), ngLittle.netInterface(1, 0), ngLittle.netInterface(101, 0),
		ngLittle.enhanced(1, 5, []byte{0xAA}, 1), ngLittle.enhanced(0, 6, []byte{0xBB}, 1),
		ngBig.section(), ngBig.netInterface(113, 0, ngBig.option(stampResolution, []byte{0})...),
		ngBig.enhanced(0, 7, []byte{0xCC}, 1))
	want := []string{"1 5000 1 raw aa", "2 6000 1 ethernet bb", "3 7000000000 1 linux-sll cc"}
	if got := readAll(t, bytes.NewReader(file), 0); !slices.Equal(got.frames, want) || len(got.damages) > 0 {
		t.Fatalf("got %q, damage %v", got.frames, got.damages)
	}
}

// Packets that cannot be placed are left out and named; the others stay.
func TestUnreadablePackets(t *testing.T) {
	good := ngLittle.enhanced(0, 5, []byte{1}, 1)
	broken := ngLittle.enhanced(0, 5, []byte{1}, 1)
	broken[20] = 0xFF // captured length
	orphan := ngLittle.enhanced(3, 5, []byte{1}, 1)
	huge := ngLittle.enhanced(0, 5, make([]byte, MaxFrame+1), MaxFrame+1)
	short := ngLittle.block(enhancedPacket, make([]byte, 8))
	file := slices.Concat(ngLittle.section(), ngLittle.netInterface(1, 0), good, broken, orphan, orphan, huge, short, good)
	got := readAll(t, bytes.NewReader(file), 0)
	if want := []string{"1 5000 1 ethernet 01", "2 5000 1 ethernet 01"}; !slices.Equal(got.frames, want) {
		t.Fatalf("got %q", got.frames)
	}
	causes := []string{"a packet of 255 bytes", "interface 3", "a packet of 262145 bytes", "too short"}
	if len(got.damages) != len(causes) {
		t.Fatalf("damage %v", got.damages)
	}
	for i, c := range causes {
		if !strings.Contains(got.damages[i].Cause, c) {
			t.Errorf("cause %q, want %q", got.damages[i].Cause, c)
		}
	}
	if n := got.damages[1].Skipped; n != int64(2*len(orphan)) {
		t.Errorf("%d bytes of the unknown interface", n)
	}
}

func TestClock(t *testing.T) {
	tests := []struct {
		resolution byte
		offset     int64
		ticks      uint64
		want       model.Time
	}{
		{6, 0, 1, 1000},
		{9, 0, 1, 1},
		{0, 0, 3, 3e9},
		{3, 2, 5, 2_005_000_000},
		{12, 0, 1999, 1},
		{28, 0, math.MaxUint64, 1},
		{127, 0, math.MaxUint64, 0},
		{0x80, 0, 3, 3e9},
		{0x80 | 1, 0, 3, 1_500_000_000},
		{0x80 | 10, 0, 1024, 1e9},
		{0x80 | 64, 0, math.MaxUint64, 999_999_999},
		{0x80 | 127, 0, math.MaxUint64, 0},
		{9, 0, math.MaxInt64, math.MaxInt64},
		{9, 0, math.MaxInt64 + 1, 0}, // after 2262
		{9, 1, math.MaxInt64, 0},     // after 2262
		{0, 0, math.MaxUint64, 0},    // overflow of the product
		{6, math.MinInt64, 5, 0},     // hostile offset
		{6, math.MaxInt64, 5, 0},     // hostile offset
		{6, -2, 1_000_000, 0},        // before 1970
		{6, -1, 3_000_000, 2_000_000_000},
	}
	for _, test := range tests {
		c := clock{test.resolution, test.offset}
		if got := c.time(test.ticks); got != test.want {
			t.Errorf("resolution %#x, offset %d, %d ticks: %d, want %d", test.resolution, test.offset, test.ticks, got, test.want)
		}
	}
}

// Options that lie about their length do not carry the reader away.
func TestClockOptions(t *testing.T) {
	offset := ngBig.option(stampOffset, []byte{0, 0, 0, 0, 0, 0, 0, 9})
	resolution := ngBig.option(stampResolution, []byte{9})
	tests := []struct {
		name    string
		options []byte
		want    clock
	}{
		{"none", nil, clock{6, 0}},
		{"both", slices.Concat(resolution, offset), clock{9, 9}},
		{"after the end of options", slices.Concat(offset, []byte{0, 0, 0, 0}, resolution), clock{6, 9}},
		{"length past the block", []byte{0, stampResolution, 0xFF, 0xFF, 9}, clock{6, 0}},
		{"length of another type", []byte{0, stampResolution, 0, 2, 9, 9, 0, 0}, clock{6, 0}},
		{"no padding at the end", []byte{0, stampResolution, 0, 1, 9}, clock{9, 0}},
	}
	for _, test := range tests {
		if got := clockOf(endian{big: true}, test.options); got != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
	}
}
