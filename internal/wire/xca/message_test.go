package xca_test

import (
	"bytes"
	"strings"
	"testing"

	"waybill/internal/wire/xca"
	"waybill/internal/wire/xca/xcatest"
)

func TestMessage(t *testing.T) {
	tests := []struct {
		name, src, want string
	}{
		{"unchained", "fc534d42 2c010000 0200 0000 00000000 ffffff1f 616263 1700 0f ff 2601", abc},
		{"unchained with plain start", "fc534d42 2c010000 0200 0000 03000000 fe534d ffffff1f 616263 1700 0f ff 2601", "\xfeSM" + abc},
		{"chained", `fc534d42 35010000
			0000 0100 03000000 fe534d
			0200 0000 11000000 2c010000 ffffff1f 616263 1700 0f ff 2601
			0400 0000 08000000 5a000000 06000000`, "\xfeSM" + abc + "ZZZZZZ"},
		{"chained, nothing in it", "fc534d42 00000000 0000 0100 00000000", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := xca.Message([]byte("before"), unhex(tt.src), len(tt.want))
			if err != nil || string(got) != "before"+tt.want {
				t.Errorf("got %q, %v\nwant %q", got, err, tt.want)
			}
			if _, err := xca.Message(nil, unhex(tt.src), len(tt.want)-1); err == nil {
				t.Error("a limit below the size is no error")
			}
		})
	}
}

func TestMessageErrors(t *testing.T) {
	tests := []struct {
		name, src, want string
	}{
		{"short", "fc534d42 2c010000", "8 bytes that start with fc 53 4d 42"},
		{"plain", "fe534d42 40000000 00000000 00000000", "start with fe 53 4d 42"},
		{"start outside", "fc534d42 00000000 0200 0000 05000000 fe534d42", "5 bytes after the header, but 4 follow"},
		{"start at four gigabytes", "fc534d42 01000000 0200 0000 ffffffff 00", "4294967296 bytes long, the limit is 1048576"},
		{"no algorithm", "fc534d42 02000000 0000 0000 00000000 4141", "algorithm 0, which needs a chain"},
		{"unknown algorithm", "fc534d42 02000000 0900 0000 00000000 4141", "algorithm 9 is unknown"},
		{"less than it says", "fc534d42 05000000 0400 0100 08000000 41000000 04000000", "it says 5 bytes, but holds 4"},
		{"more than it says", "fc534d42 03000000 0400 0100 08000000 41000000 04000000", "byte 8: Pattern_V1: byte 4 of 8: a match reaches past"},
		{"payload outside", "fc534d42 03000000 0000 0100 04000000 414141", "byte 8: a payload of 4 bytes, but 3 follow"},
		{"payload header cut", "fc534d42 03000000 0000 0100 03000000 414141 0000", "byte 19: the payload header is cut short"},
		{"payload without size", "fc534d42 03000000 0200 0100 03000000 414141", "3 bytes has no original size"},
		{"payload too long", "fc534d42 03000000 0200 0100 04000000 04000000", "a payload of 4 bytes, but the message has 3 left"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := xca.Message([]byte("before"), unhex(tt.src), 1<<20)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if string(got) != "before" {
				t.Errorf("gives back %q", got)
			}
		})
	}
}

// message is an SMB2 message of n bytes that compresses partly.
func message(n int) []byte {
	return append([]byte("\xfeSMB"), bytes.Repeat([]byte("0123456789abcdef\x00\x00\x00\x00"), n/20)...)
}

func TestMessageRoundTrip(t *testing.T) {
	m := message(200_000)
	for _, alg := range []uint16{xca.LZNT1, xca.LZ77, xca.LZ77Huffman, xca.LZ4} {
		in := xcatest.Unchained(alg, m, 80)
		if got, err := xca.Message(nil, in, len(m)); err != nil || !bytes.Equal(got, m) {
			t.Errorf("unchained, algorithm %d: %d bytes, %v", alg, len(got), err)
		}
		in = xcatest.Chained(
			xcatest.Part{Alg: xca.None, Bytes: m[:80]}, xcatest.Part{Alg: alg, Bytes: m[80:]},
			xcatest.Part{Alg: xca.PatternV1, Bytes: make([]byte, 5000)})
		want := append(bytes.Clone(m), make([]byte, 5000)...)
		if got, err := xca.Message(nil, in, len(want)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("chained, algorithm %d: %d bytes, %v", alg, len(got), err)
		}
	}
}

func TestMessageAllocates(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	m := message(100_000)
	buf := make([]byte, 0, len(m))
	for _, alg := range []uint16{xca.LZNT1, xca.LZ77, xca.LZ77Huffman, xca.LZ4} {
		in := xcatest.Unchained(alg, m, 80)
		n := testing.AllocsPerRun(5, func() {
			if _, err := xca.Message(buf, in, len(m)); err != nil {
				t.Fatal(err)
			}
		})
		if n != 0 {
			t.Errorf("algorithm %d: %v allocations a message, want none", alg, n)
		}
	}
}

func BenchmarkMessage(b *testing.B) {
	m := message(1 << 20)
	buf := make([]byte, 0, len(m))
	for _, alg := range []uint16{xca.LZNT1, xca.LZ77, xca.LZ77Huffman, xca.LZ4} {
		in := xcatest.Unchained(alg, m, 80)
		b.Run([]string{"", "LZNT1", "LZ77", "LZ77Huffman", "", "LZ4"}[alg], func(b *testing.B) {
			b.SetBytes(int64(len(m)))
			for b.Loop() {
				if _, err := xca.Message(buf, in, len(m)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func FuzzMessage(f *testing.F) {
	m := message(3000)
	for _, alg := range []uint16{xca.LZNT1, xca.LZ77, xca.LZ77Huffman, xca.LZ4} {
		f.Add(xcatest.Unchained(alg, m, 80))
		f.Add(xcatest.Chained(xcatest.Part{Alg: alg, Bytes: m[:1000]}, xcatest.Part{Alg: xca.None, Bytes: m[1000:]},
			xcatest.Part{Alg: xca.PatternV1, Bytes: make([]byte, 500)}))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		const max = 1 << 16
		got, err := xca.Message(nil, b, max)
		if err != nil {
			if got != nil {
				t.Fatal("an error and output")
			}
			return
		}
		if len(got) > max {
			t.Fatalf("%d bytes, at most %d allowed", len(got), max)
		}
		// The limit decides only whether there is an output, never which.
		if exact, err := xca.Message(nil, b, len(got)); err != nil || !bytes.Equal(exact, got) {
			t.Fatalf("with its own size as limit: %d bytes, %v", len(exact), err)
		}
	})
}
