package rsync

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"waybill/internal/wire"
)

// TestNumbers reads numbers as write_varint, write_varlong and write_ndx make them.
func TestNumbers(t *testing.T) {
	for _, x := range []struct {
		b    []byte
		want int64
		read func(*reader) int64
	}{
		{[]byte{0x7f}, 127, varint}, {[]byte{0x80, 0x80}, 128, varint}, {[]byte{0xbf, 0xff}, 0x3fff, varint},
		{[]byte{0xc0, 0, 0x40}, 0x4000, varint}, {[]byte{0xf0, 0xff, 0xff, 0xff, 0xff}, -1, varint},
		{[]byte{0, 1, 0}, 1, size}, {[]byte{0x7f, 0xff, 0xff}, 0x7fffff, size}, {[]byte{0x80, 0, 0, 0x80}, 0x800000, size},
		{[]byte{0xc1, 2, 3, 4, 5}, 0x0105040302, size}, {[]byte{0xfc, 1, 2, 3, 4, 5, 6, 7, 8}, 0x0807060504030201, size},
	} {
		r := reader{b: x.b}
		got := x.read(&r)
		if got != x.want || r.bad || r.short || r.at != len(x.b) {
			t.Errorf("% x: %d, not %d", x.b, got, x.want)
		}
		for n := range x.b {
			r := reader{b: x.b[:n]}
			if x.read(&r); !r.short {
				t.Errorf("% x: not short", x.b[:n])
			}
		}
	}
	r := reader{b: []byte{1, 1, 253, 0xfe, 0, 254, 0xfe, 0x7f, 0xff, 0xfe, 0x80, 5, 0, 0, 0xff, 101, 0xff, 0xfe, 0, 0, 0, 0xfe, 0x92, 0x78, 0x34, 0x56}}
	x := firstIndex
	for i, want := range []int32{0, 1, 254, 508, 33275, 5, -102, -102, noMore, 0x12563478} {
		if got := x.read(&r); got != want || r.bad || r.short {
			t.Errorf("index %d: %d, not %d", i, got, want)
		}
	}
}

func varint(r *reader) int64 { return int64(r.varint()) }
func size(r *reader) int64   { return r.size() }

// TestOrder sorts as flist.c says: before protocol 29 by the bytes of names, then
// files before folders, and folders as if a slash were behind them.
func TestOrder(t *testing.T) {
	orders := map[int]string{
		28: ". a a-b a-b/x a.d a.txt a/b a/b/c a/z b",
		29: ". a.txt b a-b a-b/x a.d a a/z a/b a/b/c",
	}
	for version, want := range orders {
		var l list
		for name := range strings.FieldsSeq(want) {
			kind := int32(kindDir)
			if strings.ContainsAny(name[len(name)-1:], "xtzc") || name == "b" {
				kind = kindFile
			}
			l.entries = append(l.entries, entry{name: name, kind: kind})
		}
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(l.entries), func(i, j int) { l.entries[i], l.entries[j] = l.entries[j], l.entries[i] })
		l.sort(version)
		var got []string
		for _, e := range l.entries {
			got = append(got, e.name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("protocol %d: %v, not %s", version, got, want)
		}
	}
}

// TestEntries reads entries with all that may be in them, and nothing of the next one.
func TestEntries(t *testing.T) {
	all := options{owner: true, group: true, links: true, devices: true, specials: true, hardLinks: true, checksums: true}
	modern := all
	modern.acls, modern.xattrs, modern.atimes, modern.crtimes = true, true, true, true
	stamp, none := []byte{0x5f, 1, 2, 3}, []byte{0, 0, 0}
	for what, x := range map[string]struct {
		a    agreed
		b    []byte
		name string
		size int64
	}{
		"27, a file":     {agreed{options: all, version: 27, listSum: 16}, put(byte(0x98), byte(1), "f", -1, 5, 1, 0o100600, 7, 8, pattern(16)), "f", 5 | 1<<32},
		"27, a device":   {agreed{options: all, version: 27, listSum: 16}, put(byte(0x98), byte(1), "d", 0, 0o060600, 0x0801, pattern(16)), "d", 0},
		"28, a fifo":     {agreed{options: all, version: 28, listSum: 16}, put(byte(0x9c), byte(0x09), byte(1), "p", 0, 0o010600, byte(3)), "p", 0},
		"28, hard links": {agreed{options: all, version: 28, listSum: 16}, put(byte(0x9c), byte(0x02), byte(1), "h", 9, 0o100600, 3, 4, pattern(16)), "h", 9},
		"29, same disk":  {agreed{options: all, version: 29, listSum: 16}, put(byte(0x9c), byte(0x06), byte(1), "h", 9, 0o100600, -1, pattern(8), pattern(16)), "h", 9},
		"29, a link":     {agreed{options: all, version: 29, listSum: 16}, put(byte(0x98), byte(1), "l", 4, 0o120777, 4, "else"), "l", 4},
		"30, a device":   {agreed{options: all, version: 30, listSum: 16}, put(byte(0x98), byte(1), "d", none, 0o020600, byte(8), []byte{0xc1, 0x70, 0x11}), "d", 0},
		"30, owners": {agreed{options: all, version: 30, listSum: 16},
			put(byte(0x84), byte(0x0c), byte(1), "o", none, 0o100600, byte(33), byte(3), "www", byte(5), byte(3), "tty", pattern(16)), "o", 0},
		"31, a fifo": {agreed{options: all, version: 31, listSum: 16}, put(byte(0x98), byte(1), "p", none, 0o010600), "p", 0},
		"31, all": {agreed{options: modern, version: 31, varints: true, listSum: 8},
			put([]byte{0xa0, 0x18}, byte(1), "x", none, stamp, byte(9), stamp, 0o100600, stamp, pattern(8),
				byte(0), byte(0x1f), byte(1), byte(2), byte(3), byte(4), byte(2), byte(7), byte(5), byte(3), "bin", byte(8), byte(4), // access list
				byte(0), byte(2), byte(4), byte(1), "u.a\x00", "v", byte(4), byte(40), "u.b\x00", pattern(16)), "x", 0}, // attributes
		"31, a folder with lists known": {agreed{options: modern, version: 31, varints: true, listSum: 8},
			put([]byte{0xc2, 0x98, 0x00}, byte(1), "d", none, 0o040700, byte(3), byte(1), byte(6)), "d", 0},
	} {
		part := &list{first: 1}
		l := lister{a: &x.a}
		b := slices.Concat(x.b, []byte{0xaa})
		r := reader{b: b, old: x.a.version < 30}
		e, end := l.entry(&r, part)
		if end || r.short || r.bad || r.at != len(x.b) || e.name != x.name || e.size != x.size {
			t.Errorf("%s: %+v, %d bytes of %d, end %v, short %v, bad %v", what, e, r.at, len(x.b), end, r.short, r.bad)
		}
		for n := range x.b {
			l := lister{a: &x.a}
			if r := (reader{b: x.b[:n], old: x.a.version < 30}); !short(&l, &r, part) {
				t.Errorf("%s: %d bytes are enough", what, n)
			}
		}
	}
}

func short(l *lister, r *reader, part *list) bool {
	_, end := l.entry(r, part)
	return r.short && !end
}

// TestTwin leaves out what is as in the first link of a file.
func TestTwin(t *testing.T) {
	a := agreed{options: options{hardLinks: true}, version: 30}
	l := lister{a: &a}
	part := &list{first: 1, entries: []entry{{name: "a", kind: kindFile, size: 77}}}
	r := reader{b: put(byte(0x04), byte(0x02), byte(1), "b", byte(1))}
	if e, _ := l.entry(&r, part); e.size != 77 || e.kind != kindFile || r.at != len(r.b) || l.mode != kindFile {
		t.Errorf("%+v", e)
	}
	r = reader{b: put(byte(0x04), byte(0x02), byte(1), "b", byte(9))}
	if l.entry(&r, part); !r.bad {
		t.Error("a link to what is not there")
	}
}

// TestOptions reads command lines.
func TestOptions(t *testing.T) {
	read := func(words ...string) options {
		o := options{push: true}
		for _, w := range words {
			o.word(w, "mod")
		}
		return o
	}
	o := read("--server", "--sender", "-vnlHogDtpAXrcRsze.iLsfxCIvu", "--iconv=utf-8", "--checksum-choice=md5,xxh64", "--temp-dir", "--append", ".", `mod/a\*b`, "-x", "modern")
	if o.push || !o.dryRun || !o.links || !o.hardLinks || !o.devices || !o.acls || !o.xattrs || !o.checksums || !o.relative || !o.compress || !o.unsorted || o.append ||
		o.sums != "md5,xxh64" || !slices.Equal(o.targets, []string{"a*b", "-x", "modern"}) {
		t.Errorf("%+v", o)
	}
	o = read("--server", "-tr", "-B700", "--devices", "--no-specials", "--new-compress", "--compress-level=0", "--delete-excluded", ".", "mod/")
	if !o.push || o.specials || !o.devices || o.codec != "zlibx" || o.filtersFromSender(28) || !o.filtersFromSender(29) || o.owner {
		t.Errorf("%+v", o)
	}
	a := agreed{options: o, version: 29}
	if a.settle(offers{}, offers{}); a.compress {
		t.Error("level 0 compresses")
	}
	for version, optim := range map[int]bool{30: false, 31: true} {
		a := agreed{version: version}
		if a.flags(inParts | namesOfZero); a.xattrOptim != optim || !a.parts || !a.idZero || a.varints {
			t.Errorf("protocol %d: %+v", version, a)
		}
	}
	a = agreed{options: options{sums: "sha1,none"}, version: 31}
	if a.settle(offers{}, offers{}); a.fileSum != 20 || a.listSum != 1 {
		t.Errorf("checksums of %d and %d", a.fileSum, a.listSum)
	}
	a = agreed{options: options{compress: true}, version: 31, varints: true}
	if a.settle(offers{"xxh3 md5", "lz4 zstd"}, offers{"md5 xxh3", "zstd lz4"}); a.fileSum != 8 || a.codec != "lz4" {
		t.Errorf("%+v", a)
	}
}

// TestVersions: a version that is not final is spoken only with its like.
func TestVersions(t *testing.T) {
	for _, x := range []struct {
		a, b string
		want int
	}{{"31.0", "30.0", 30}, {"29", "31.0 md5", 29}, {"31.14", "31.0", 30}, {"30.2", "31.0", 29}, {"31.0", "32.1", 31}, {"31.14", "31.14", 31}} {
		if got := lower(x.a, x.b); got != x.want {
			t.Errorf("%s and %s: %d", x.a, x.b, got)
		}
		if got := lower(x.b, x.a); got != x.want {
			t.Errorf("%s and %s: %d", x.b, x.a, got)
		}
	}
}

// TestPaths: where a file is in the module, or goes.
func TestPaths(t *testing.T) {
	for _, x := range []struct {
		push, several bool
		targets       []string
		name, path    string
	}{
		{false, false, []string{""}, "a/b", "a/b"}, {false, false, []string{"d/e/"}, "b", "d/e/b"}, {false, false, []string{"d/e/b"}, "b", "d/e/b"},
		{false, false, []string{"d/e"}, "e/b", "d/e/b"}, {false, true, []string{"d/a", "d/b"}, "b", "d/b"}, {false, true, []string{"c/a", "d/b"}, "b", "b"},
		{false, true, []string{"d*/a"}, "a", "a"}, {true, false, []string{"in/"}, "t.exe", "in/t.exe"}, {true, false, []string{"in"}, "t.exe", "in/t.exe"},
		{true, false, []string{"in/u.exe"}, "t.exe", "in/u.exe"}, {true, true, []string{"in/u.exe"}, "t.exe", "in/u.exe/t.exe"},
		{true, false, []string{"in/u"}, "u", "in/u"}, {true, false, []string{"in/u.exe"}, "d/t.exe", "in/u.exe/d/t.exe"},
	} {
		d := &conn{several: x.several}
		d.a.push, d.a.targets = x.push, x.targets
		got := new(wire.Transfer)
		if d.place(got, x.name); got.Path != x.path || (got.EarlierNames != nil) != (x.path == "in/u.exe") {
			t.Errorf("%v %s: %s %v", x.targets, x.name, got.Path, got.EarlierNames)
		}
	}
}
