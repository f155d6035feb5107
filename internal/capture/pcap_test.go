package capture

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Captures written out by hand, so that the reader is held against the format
// and not against the builder of the other tests.
func TestPcapBytes(t *testing.T) {
	tests := []struct{ name, file, want string }{
		{"us little", `d4c3b2a1 0200 0400 00000000 00000000 ffff0000 01000000
			00f15365 40420f00 02000000 3c000000 abcd`, "1 1700000001000000000 60 ethernet abcd"},
		{"us big", `a1b2c3d4 0002 0004 00000000 00000000 0000ffff 00000065
			6553f100 00000001 00000002 00000002 abcd`, "1 1700000000000001000 2 raw abcd"},
		{"ns little", `4d3cb2a1 0200 0400 00000000 00000000 ffff0000 71000000
			00f15365 01000000 02000000 02000000 abcd`, "1 1700000000000000001 2 linux-sll abcd"},
		{"ns big", `a1b23c4d 0002 0004 00000000 00000000 0000ffff 00000114
			6553f100 3b9ac9ff 00000001 00000002 ab`, "1 1700000000999999999 2 linux-sll2 ab"},
		{"modified", `34cdb2a1 0200 0400 00000000 00000000 ffff0000 01000000
			00f15365 01000000 02000000 02000000 07000000 0800 04 00 abcd`, "1 1700000000000001000 2 ethernet abcd"},
		{"frame check sequence in the link type", `a1b2c3d4 0002 0004 00000000 00000000 0000ffff 24000001
			6553f100 00000000 00000001 00000001 ab`, "1 1700000000000000000 1 ethernet ab"},
		{"captured length above length", `a1b2c3d4 0002 0004 00000000 00000000 0000ffff 00000001
			6553f100 00000000 00000002 00000001 abcd`, "1 1700000000000000000 2 ethernet abcd"},
		{"no bytes captured", `a1b2c3d4 0002 0004 00000000 00000000 0000ffff 00000001
			6553f100 00000000 00000000 00000040`, "1 1700000000000000000 64 ethernet "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := unhex(t, test.file)
			got := readAll(t, bytes.NewReader(file), 0)
			if !slices.Equal(got.frames, []string{test.want}) || len(got.damages) > 0 {
				t.Fatalf("got %q, damage %v, want %q", got.frames, got.damages, test.want)
			}
			if got.bytes != int64(len(file)) {
				t.Fatalf("Bytes says %d of %d", got.bytes, len(file))
			}
			if kind, ok := IsCapture(file); kind != PCAP || !ok {
				t.Fatalf("taken for %q", kind)
			}
			if first, ok := FirstTime(file); !ok || !strings.HasPrefix(test.want, fmt.Sprintf("1 %d ", first)) {
				t.Fatalf("first time %d", first)
			}
		})
	}
}

func TestHeaderOnly(t *testing.T) {
	for _, v := range variants {
		got := readAll(t, bytes.NewReader(v.fileHeader(1)), 0)
		if len(got.frames) > 0 || len(got.damages) > 0 {
			t.Errorf("%s: %v %v", v.name, got.frames, got.damages)
		}
		if _, ok := FirstTime(v.fileHeader(1)); ok {
			t.Errorf("%s: a first time without a packet", v.name)
		}
	}
}

func TestNoCapture(t *testing.T) {
	for _, file := range []string{"", "x", "no capture at all", "\x0a\x0d\x0d\x0a1234567890123456"} {
		if kind := Kind([]byte(file)); kind != "" {
			t.Errorf("%q is taken for %s", file, kind)
		}
		got := readAll(t, strings.NewReader(file), 0)
		if len(got.damages) != 1 || len(got.frames) > 0 || got.bytes != 0 {
			t.Errorf("%q: damage %v", file, got.damages)
		}
	}
}

// The head of a file stops inside a packet; the ones before tell the time.
func TestFirstTimeOfHead(t *testing.T) {
	list := samples(20)
	file, _ := variants[0].pcapFile(list)
	ng, _ := ngLittle.ngFile(list)
	for _, head := range [][]byte{file[:300], ng[:300]} {
		if first, ok := FirstTime(head); !ok || first != 1_700_000_000e9 {
			t.Errorf("first time %d, %v", first, ok)
		}
	}
}
