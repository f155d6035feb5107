package xca_test

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"testing"

	"waybill/internal/wire/xca"
	"waybill/internal/wire/xca/xcatest"

	"github.com/pierrec/lz4/v4"
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		panic(err)
	}
	return b
}

const alphabet = "abcdefghijklmnopqrstuvwxyz"

var abc = strings.Repeat("abc", 100)

// table is a Huffman table with some bytes set, and what follows it.
func table(set map[int]string, stream string) []byte {
	b := make([]byte, 256)
	for at, s := range set {
		copy(b[at:], unhex(s))
	}
	return append(b, unhex(stream)...)
}

var (
	// MS-XCA 3.1.
	lz77Alphabet = append(unhex("3f000000"), alphabet...)
	lz77ABC      = unhex("ffffff1f 616263 1700 0f ff 2601")
	// MS-XCA 3.2.
	huffmanAlphabet = table(map[int]string{48: "5055555555555555555555454404", 128: "04"},
		"d8523ed794115be9195ff9d67cdf8d04 00000000")
	huffmanABC = table(map[int]string{48: "3023", 128: "02", 143: "20"}, "a8dc0000 ff 2601")
	// MS-XCA 3.3.
	lznt1Tune = unhex(`38b0 88 46 23 20 0020 47 20 41 0010 a2 47 01a0 45 20 44 0008 45 0150
		79 00c0 45 20 0524 1388 05b4 024a 44 ef 0358 028c 0916 0148 45 00be 009e 0004 01 1890 00`)
	tune = "F# F# G A A G F# E D D E F# F# E E F# F# G A A G F# E D D E F# E D D " +
		"E E F# D E F# G F# D E F# G F# E D E A F# F# G A A G F# E D D E F# E D D\x00"
)

func TestDecompress(t *testing.T) {
	tests := []struct {
		name string
		alg  uint16
		src  []byte
		want string
	}{
		{"LZ77 literals", xca.LZ77, lz77Alphabet, alphabet},
		{"LZ77 match", xca.LZ77, lz77ABC, abc},
		{"LZ77 two matches in one length byte", xca.LZ77, unhex("ffffff5f 61 0700 21 62 0700"), strings.Repeat("a", 12) + strings.Repeat("b", 13)},
		{"LZ77 length in four bytes", xca.LZ77, unhex("ffffff7f 61 0700 0f ff 0000 00000100"), strings.Repeat("a", 65540)},
		{"LZ77+Huffman literals", xca.LZ77Huffman, huffmanAlphabet, alphabet},
		{"LZ77+Huffman match", xca.LZ77Huffman, huffmanABC, abc},
		{"LZNT1", xca.LZNT1, lznt1Tune, tune},
		{"LZNT1 stored chunk, then the end", xca.LZNT1, unhex("0230 414243 0000 ffff"), "ABC"},
		{"Pattern_V1", xca.PatternV1, unhex("41000000 07000000"), "AAAAAAA"},
		{"Pattern_V1 of nothing", xca.PatternV1, unhex("41000000 00000000"), ""},
		{"LZ4", xca.LZ4, unhex("3f 616263 0300 0b 50 7879317a7a"), strings.Repeat("abc", 11) + "xy1zz"},
		{"LZ4 long literals", xca.LZ4, append(unhex("f0 0b"), alphabet...), alphabet},
		{"none", xca.None, []byte("abc"), "abc"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := xca.Decompress([]byte("before"), tt.alg, tt.src, len(tt.want))
			if err != nil || string(got) != "before"+tt.want {
				t.Fatalf("got %q, %v\nwant %q", got, err, tt.want)
			}
		})
	}
}

func TestDecompressErrors(t *testing.T) {
	tests := []struct {
		name string
		alg  uint16
		src  []byte
		max  int
		want string
	}{
		{"LZ77 cut in the flags", xca.LZ77, unhex("3f00"), 9, "LZ77: byte 0 of 2: the data is cut short"},
		{"LZ77 cut in a literal", xca.LZ77, unhex("00000000 61"), 9, "LZ77: byte 5 of 5: the data is cut short"},
		{"LZ77 cut in a length", xca.LZ77, unhex("ffffff7f 61 0700 0f ff 26"), 999, "byte 9 of 10: the data is cut short"},
		{"LZ77 short length in two bytes", xca.LZ77, unhex("ffffff7f 61 0700 0f ff 1500"), 999, "more bytes than it needs"},
		{"LZ77 before the start", xca.LZ77, unhex("ffffff7f 61 0800"), 999, "reaches back before the start"},
		{"LZ77 past the size", xca.LZ77, lz77ABC, 299, "reaches past the original size"},
		{"LZ77 of four gigabytes", xca.LZ77, unhex("ffffff7f 61 0700 0f ff 0000 ffffffff"), 1 << 20, "reaches past the original size"},
		{"Huffman without table", xca.LZ77Huffman, make([]byte, 255), 9, "LZ77+Huffman: byte 0 of 255: the data is cut short"},
		{"Huffman without code", xca.LZ77Huffman, make([]byte, 300), 9, "code lengths do not make a code"},
		{"Huffman with too many codes", xca.LZ77Huffman, bytes.Repeat([]byte{0x11}, 300), 9, "code lengths do not make a code"},
		{"Huffman past the end", xca.LZ77Huffman, huffmanAlphabet, 1000, "the data is cut short"},
		{"Huffman cut", xca.LZ77Huffman, huffmanAlphabet[:260], 26, "the data is cut short"},
		{"LZNT1 signature", xca.LZNT1, unhex("0280 414243"), 9, "LZNT1: byte 0 of 5: this is no chunk header"},
		{"LZNT1 cut", xca.LZNT1, unhex("0330 414243"), 9, "the data is cut short"},
		{"LZNT1 over the chunk's start", xca.LZNT1, unhex("0230 414243 03b0 02 41 0010"), 99, "byte 5 of 11: a match reaches back"},
		{"Pattern_V1 cut", xca.PatternV1, unhex("41000000 070000"), 9, "the data is cut short"},
		{"Pattern_V1 of four gigabytes", xca.PatternV1, unhex("41000000 ffffffff"), 1 << 20, "reaches past"},
		{"LZ4 cut", xca.LZ4, unhex("3f 6162"), 99, "the data is cut short"},
		{"LZ4 length without end", xca.LZ4, unhex("f0 ffffff"), 99, "the data is cut short"},
		{"LZ4 distance of nothing", xca.LZ4, unhex("10 61 0000"), 99, "reaches back before the start"},
		{"unknown", 6, nil, 9, "compression algorithm 6 is unknown"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := xca.Decompress([]byte("before"), tt.alg, tt.src, tt.max)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if string(got) != "before" {
				t.Errorf("gives back %q", got)
			}
		})
	}
}

// samples are contents that reach every form of the formats.
func samples() map[string][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 70000)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	skewed := make([]byte, 200000) // Fibonacci-like counts: codes of 15 bits
	for i := range skewed {
		skewed[i] = byte(min(r.ExpFloat64()*1.5, 40))
	}
	words := []byte(strings.Repeat("the quick brown fox jumps over the lazy dog; ", 4000))
	for i := 0; i < len(words); i += 97 {
		words[i] = noise[i%len(noise)]
	}
	return map[string][]byte{
		"empty": {}, "byte": {7}, "two": {7, 7}, "tune": []byte(tune), "noise": noise, "skewed": skewed, "words": words,
		"zeros": make([]byte, 300000), "block": noise[:65536], "block and one": make([]byte, 65537),
		"mixed": append(append(append([]byte{}, noise[:5000]...), make([]byte, 90000)...), noise[:5000]...),
	}
}

func TestRoundTrip(t *testing.T) {
	for name, plain := range samples() {
		for _, alg := range []uint16{xca.None, xca.LZNT1, xca.LZ77, xca.LZ77Huffman, xca.LZ4} {
			got, err := xca.Decompress(nil, alg, xcatest.Compress(alg, plain), len(plain))
			if err != nil || !bytes.Equal(got, plain) {
				t.Errorf("%s, algorithm %d: %d bytes, %v; want %d as they were", name, alg, len(got), err, len(plain))
			}
		}
	}
}

// TestLZ4OfOthers decodes what another implementation wrote.
func TestLZ4OfOthers(t *testing.T) {
	for name, plain := range samples() {
		src := make([]byte, lz4.CompressBlockBound(len(plain)))
		n, err := lz4.CompressBlock(plain, src, nil)
		if err != nil || n == 0 {
			continue // it does not shrink
		}
		got, err := xca.Decompress(nil, xca.LZ4, src[:n], len(plain))
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
}

// TestEncoders: the encoders write the examples of MS-XCA 3.1 to the byte, and
// an LZ4 block that another implementation reads.
func TestEncoders(t *testing.T) {
	if got := xcatest.LZ77([]byte(alphabet)); !bytes.Equal(got, lz77Alphabet) {
		t.Errorf("alphabet: % x", got)
	}
	if got := xcatest.LZ77([]byte(abc)); !bytes.Equal(got, lz77ABC) {
		t.Errorf("abc: % x", got)
	}
	plain := samples()["words"]
	got := make([]byte, len(plain))
	if n, err := lz4.UncompressBlock(xcatest.LZ4(plain), got); err != nil || !bytes.Equal(got[:n], plain) {
		t.Errorf("LZ4: %d bytes, %v", n, err)
	}
}

func FuzzDecompress(f *testing.F) {
	for alg, src := range map[uint16][]byte{
		xca.LZ77: lz77ABC, xca.LZ77Huffman: huffmanABC, xca.LZNT1: lznt1Tune,
		xca.PatternV1: unhex("4100000007000000"), xca.LZ4: unhex("3f 616263 0300 0b 50 7879317a7a"), 9: nil,
	} {
		f.Add(alg, src, uint16(300))
	}
	f.Add(uint16(xca.LZ77Huffman), huffmanAlphabet, uint16(26))
	f.Fuzz(func(t *testing.T, alg uint16, src []byte, max uint16) {
		before := []byte("before")
		got, err := xca.Decompress(before[:6:6], alg, src, int(max))
		if !bytes.HasPrefix(got, before) || len(got)-6 > int(max) {
			t.Fatalf("%d bytes over what was there, at most %d allowed", len(got)-6, max)
		}
		if err != nil {
			if len(got) != 6 {
				t.Fatal("an error and output")
			}
			return
		}
		// What came before the payload is no part of its window, and less room
		// gives a prefix or an error.
		alone, err := xca.Decompress(nil, alg, src, int(max))
		if err != nil || !bytes.Equal(alone, got[6:]) {
			t.Fatalf("alone %d bytes, %v; behind others %d", len(alone), err, len(got)-6)
		}
		less, err := xca.Decompress(nil, alg, src, int(max)/2)
		if err == nil && !bytes.HasPrefix(alone, less) {
			t.Fatal("less room gives other bytes")
		}
	})
}

func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte(tune), uint16(1))
	f.Add([]byte(abc), uint16(3))
	f.Add([]byte{}, uint16(2))
	f.Add(bytes.Repeat([]byte{0}, 4100), uint16(5))
	f.Fuzz(func(t *testing.T, plain []byte, alg uint16) {
		if alg %= 6; alg == xca.PatternV1 {
			return
		}
		got, err := xca.Decompress(nil, alg, xcatest.Compress(alg, plain), len(plain))
		if err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("algorithm %d: %q, %v; want %q", alg, got, err, plain)
		}
	})
}
