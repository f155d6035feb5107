package capture

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// written is a capture with the offset of each record, and of its end.
type written struct {
	name string
	file []byte
	at   []int
}

func bothFormats(list []sample) []written {
	out := []written{}
	for _, v := range variants {
		file, at := v.pcapFile(list)
		out = append(out, written{v.name, file, at})
	}
	for name, o := range map[string]ngOrder{"pcapng little": ngLittle, "pcapng big": ngBig} {
		file, at := o.ngFile(list)
		out = append(out, written{name, file, at})
	}
	return out
}

// contents are frames without their numbers, which damage shifts.
func contents(frames []string) []string {
	out := make([]string, len(frames))
	for i, f := range frames {
		_, out[i], _ = strings.Cut(f, " ")
	}
	return out
}

// A prefix of the file gives a prefix of the packets: all that it holds whole.
func TestEveryPrefix(t *testing.T) {
	for _, w := range bothFormats(samples(12)) {
		whole := readAll(t, bytes.NewReader(w.file), 0)
		if len(whole.frames) != 12 || len(whole.damages) > 0 {
			t.Fatalf("%s: %d packets, damage %v", w.name, len(whole.frames), whole.damages)
		}
		for n := range w.file {
			got := readAll(t, bytes.NewReader(w.file[:n]), 0)
			fits := 0
			for fits < 12 && w.at[fits+1] <= n {
				fits++
			}
			if !slices.Equal(got.frames, whole.frames[:fits]) {
				t.Fatalf("%s: %d bytes give %d packets, want %d", w.name, n, len(got.frames), fits)
			}
			if edge := slices.Contains(w.at, n); edge != (len(got.damages) == 0) && n >= w.at[0] {
				t.Fatalf("%s: %d bytes: damage %v", w.name, n, got.damages)
			}
		}
	}
}

// One place is damaged: all packets but those it touches come, and it is named.
func TestDamageInTheMiddle(t *testing.T) {
	const at = 20 // the packet that is damaged, of 60
	tests := []struct {
		name   string
		damage func(w written) []byte
		lost   int // packets that are not given at most
	}{
		{"header overwritten", func(w written) []byte { return overwrite(w.file, w.at[at], 16, 0xFF) }, 1},
		{"header zeroed", func(w written) []byte { return overwrite(w.file, w.at[at], 16, 0) }, 1},
		{"three packets overwritten", func(w written) []byte { return overwrite(w.file, w.at[at], w.at[at+3]-w.at[at], 0xEE) }, 3},
		{"bytes missing", func(w written) []byte { return slices.Delete(slices.Clone(w.file), w.at[at]+30, w.at[at]+130) }, 4},
		{"bytes too many", func(w written) []byte {
			return slices.Insert(slices.Clone(w.file), w.at[at], bytes.Repeat([]byte{0xDD}, 1000)...)
		}, 0},
		{"a sector of zeros", func(w written) []byte { return overwrite(w.file, w.at[at]+5, 512, 0) }, 12},
	}
	for _, w := range bothFormats(samples(60)) {
		whole := contents(readAll(t, bytes.NewReader(w.file), 0).frames)
		for _, test := range tests {
			t.Run(w.name+"/"+test.name, func(t *testing.T) {
				file := test.damage(w)
				got := readAll(t, bytes.NewReader(file), 0)
				frames := contents(got.frames)
				if len(frames) < len(whole)-test.lost || !slices.Equal(frames[:at-1], whole[:at-1]) {
					t.Fatalf("%d of %d packets", len(frames), len(whole))
				}
				if tail := whole[at+15:]; !slices.Equal(frames[len(frames)-len(tail):], tail) {
					t.Fatal("packets after the damage differ")
				}
				if len(got.damages) == 0 {
					t.Fatal("the damage is not named")
				}
				if d := got.damages[0]; d.Offset < int64(w.at[at-1]) || d.Offset > int64(w.at[at+1]) || d.Skipped <= 0 || d.Cause == "" {
					t.Fatalf("damage %v, near byte %d", d, w.at[at])
				}
				if got.bytes != int64(len(file)) {
					t.Fatalf("went through %d of %d bytes", got.bytes, len(file))
				}
			})
		}
	}
}

func overwrite(file []byte, at, n int, with byte) []byte {
	out := slices.Clone(file)
	copy(out[at:], bytes.Repeat([]byte{with}, n))
	return out
}

// A damaged length costs its own packet, wherever it leads: into this packet,
// into a later one, or past the end of the file, which is no end of the file.
func TestDamagedLength(t *testing.T) {
	list := samples(60)
	for _, more := range []uint32{4, 24, 1000, 200_000, 1 << 31} {
		for _, v := range variants {
			file, at := v.pcapFile(list)
			whole := contents(readAll(t, bytes.NewReader(file), 0).frames)
			copy(file[at[20]+8:], v.order.AppendUint32(nil, uint32(len(list[20].data))+more))
			wantWithout(t, v.name, file, whole, 20)
		}
		for _, o := range []ngOrder{ngLittle, ngBig} {
			file, at := o.ngFile(list)
			whole := contents(readAll(t, bytes.NewReader(file), 0).frames)
			copy(file[at[20]+4:], o.AppendUint32(nil, uint32(at[21]-at[20])+more))
			wantWithout(t, "pcapng", file, whole, 20)
		}
	}
}

// wantWithout wants all packets but one, and one damage.
func wantWithout(t *testing.T, name string, file []byte, whole []string, without int) {
	t.Helper()
	got := readAll(t, bytes.NewReader(file), 0)
	want := slices.Delete(slices.Clone(whole), without, without+1)
	if !slices.Equal(contents(got.frames), want) || len(got.damages) != 1 {
		t.Errorf("%s: %d packets of %d, damage %v", name, len(got.frames), len(want), got.damages)
	}
}

// A length that is too small cuts its packet short and costs no other.
func TestShortenedLength(t *testing.T) {
	list := samples(60)
	for _, v := range variants {
		file, at := v.pcapFile(list)
		whole := contents(readAll(t, bytes.NewReader(file), 0).frames)
		copy(file[at[20]+8:], v.order.AppendUint32(nil, 11))
		got := readAll(t, bytes.NewReader(file), 0)
		frames := contents(got.frames)
		if len(frames) != 60 || len(got.damages) != 1 || !strings.HasPrefix(whole[20], frames[20]) {
			t.Fatalf("%s: %d packets, damage %v", v.name, len(frames), got.damages)
		}
		frames[20] = whole[20]
		if !slices.Equal(frames, whole) {
			t.Errorf("%s: other packets differ", v.name)
		}
	}
}

// What some writers do is odd but no damage: fractions over a second, lengths
// under the captured ones, long pauses, clocks that jump.
func TestOddRecords(t *testing.T) {
	tests := map[string]func(i int, s *sample){
		"fraction over a second": func(_ int, s *sample) { s.frac = 2_000_000_000 },
		"length under captured":  func(_ int, s *sample) { s.length = 1 },
		"years between packets":  func(i int, s *sample) { s.sec = uint32(i) * 40_000_000 },
		"one stamp of 1970":      func(i int, s *sample) { s.sec *= uint32(min(1, (i-30)*(i-30))) },
		"nothing captured":       func(_ int, s *sample) { s.data = nil },
	}
	for name, change := range tests {
		list := samples(60)
		for i := range list {
			change(i, &list[i])
		}
		for _, v := range variants {
			file, at := v.pcapFile(list)
			for _, cut := range []int{60, 40} {
				got := readAll(t, bytes.NewReader(file[:at[cut]]), 0)
				if len(got.frames) != cut || len(got.damages) > 0 {
					t.Errorf("%s, %s: %d packets of %d, damage %v", name, v.name, len(got.frames), cut, got.damages)
				}
			}
		}
	}
}

// A capture that someone copied lies in the packets of this one. After damage
// the reader does not take its records for this one's.
func TestCaptureInPackets(t *testing.T) {
	inner, _ := variants[0].pcapFile(samples(12))
	list := samples(30)
	list[20].data = inner[:len(inner)-20]
	list[20].length = uint32(len(inner))
	file, at := variants[0].pcapFile(list)
	whole := contents(readAll(t, bytes.NewReader(file), 0).frames)
	for _, more := range []uint32{3, 23} { // the second is more than the length on the wire
		copy(file[at[20]+8:], variants[0].order.AppendUint32(nil, uint32(len(list[20].data))+more))
		wantWithout(t, "pcap", file, whole, 20)
	}

	inner, _ = ngLittle.ngFile(samples(12))
	list[20].data = inner[:len(inner)-20]
	file, at = ngLittle.ngFile(list)
	whole = contents(readAll(t, bytes.NewReader(file), 0).frames)
	wantWithout(t, "pcapng", overwrite(file, at[21]-4, 4, 0xFF), whole, 20)
}

// The chain that ends a long hole may be longer than what is left of the block.
func TestLongHole(t *testing.T) {
	list := samples(40)
	for i := range list {
		list[i].data = bytes.Repeat([]byte{byte(i)}, 50_000)
		list[i].length = 50_000
	}
	for _, w := range bothFormats(list) {
		whole := contents(readAll(t, bytes.NewReader(w.file), 0).frames)
		for _, short := range []int{10, 60_000, 120_000, lookAhead} {
			junk := bytes.Repeat([]byte{0xFF}, 2*lookAhead-short)
			got := readAll(t, bytes.NewReader(slices.Insert(slices.Clone(w.file), w.at[0], junk...)), 0)
			if !slices.Equal(contents(got.frames), whole) || len(got.damages) != 1 || got.damages[0].Skipped != int64(len(junk)) {
				t.Errorf("%s: %d packets of %d, damage %v", w.name, len(got.frames), len(whole), got.damages)
			}
		}
	}
}

// A file that was made larger than it was filled ends in zeros.
func TestZeroTail(t *testing.T) {
	for _, w := range bothFormats(samples(5)) {
		file := append(w.file, make([]byte, 100_000)...)
		got := readAll(t, bytes.NewReader(file), 0)
		if len(got.frames) != 5 || len(got.damages) != 1 || got.damages[0].Skipped != 100_000 {
			t.Errorf("%s: %d packets, damage %v", w.name, len(got.frames), got.damages)
		}
	}
}

// The error of the source is the damage, after all that was read before it.
func TestSourceError(t *testing.T) {
	broken := errors.New("the gzip stream is cut")
	for _, w := range bothFormats(samples(5)) {
		for _, n := range []int{w.at[5], w.at[4] + 3} {
			got := readAll(t, io.MultiReader(bytes.NewReader(w.file[:n]), iotest.ErrReader(broken)), 0)
			if want := 5; n == w.at[5] && len(got.frames) != want {
				t.Errorf("%s: %d packets of %d", w.name, len(got.frames), want)
			}
			if len(got.damages) != 1 || got.damages[0].Cause != broken.Error() {
				t.Errorf("%s: damage %v", w.name, got.damages)
			}
		}
	}
}

// The list of damages is bounded; what does not fit is summed up.
func TestManyDamages(t *testing.T) {
	file := slices.Concat(ngLittle.section(), ngLittle.netInterface(1, 0))
	bad := ngLittle.block(enhancedPacket, make([]byte, 8))
	for range 200 {
		file = append(file, bad...)
	}
	got := readAll(t, bytes.NewReader(file), 0)
	var skipped int64
	for _, d := range got.damages {
		skipped += d.Skipped
	}
	last := got.damages[len(got.damages)-1].Cause
	if len(got.damages) != maxDamages || skipped != int64(200*len(bad)) || last != "137 further damaged places" {
		t.Fatalf("%d damages, %d bytes, last %q", len(got.damages), skipped, last)
	}
}
