package capture

import (
	"bytes"
	"slices"
	"testing"
)

// check reads a file in several ways, which must agree, and counts its bytes.
func check(t *testing.T, file []byte, blockSize uint16) {
	if len(file) > 1<<16 {
		return
	}
	want := readAll(t, bytes.NewReader(file), 0)
	if Kind(file) != "" && want.bytes != int64(len(file)) {
		t.Fatalf("went through %d of %d bytes", want.bytes, len(file))
	}
	for i, got := range []result{
		readAll(t, bytes.NewReader(file), int(blockSize)),
		readAll(t, bytewise(bytes.NewReader(file)), 0),
	} {
		if !slices.Equal(got.frames, want.frames) || !slices.Equal(got.damages, want.damages) {
			t.Fatalf("way %d: %d packets, damage %v; want %d, %v", i, len(got.frames), got.damages, len(want.frames), want.damages)
		}
	}
	var skipped int64
	for _, d := range want.damages {
		if d.Offset < 0 || d.Skipped < 0 {
			t.Fatalf("damage %v", d)
		}
		skipped += d.Skipped
	}
	if skipped > int64(len(file)) {
		t.Fatalf("%d bytes skipped of %d", skipped, len(file))
	}
	FirstTime(file[:len(file)/2])
}

func FuzzPcap(f *testing.F) {
	list := samples(20)
	for _, v := range variants {
		file, at := v.pcapFile(list)
		f.Add(file, uint16(100))
		f.Add(overwrite(file, at[5], 20, 0xFF), uint16(1))
		f.Add(file[:at[10]+7], uint16(5000))
	}
	f.Fuzz(check)
}

func FuzzPcapng(f *testing.F) {
	list := samples(20)
	for _, o := range []ngOrder{ngLittle, ngBig} {
		file, at := o.ngFile(list)
		f.Add(file, uint16(100))
		f.Add(overwrite(file, at[5], 20, 0xFF), uint16(1))
		f.Add(file[:at[10]+7], uint16(5000))
		f.Add(slices.Concat(file, o.section(), o.netInterface(101, 64, o.option(stampResolution, []byte{0xFF})...),
			o.enhanced(0, 1<<63, []byte{1, 2, 3}, 3)), uint16(64))
	}
	f.Fuzz(check)
}
