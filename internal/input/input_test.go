package input

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// In these tests a capture is a file that starts with "CAP".
func kind(head []byte) string {
	if bytes.HasPrefix(head, []byte("CAP")) {
		return "capture"
	}
	return ""
}

var capture = append([]byte("CAP"), bytes.Repeat([]byte("0123456789abcdef"), 9000)...)

func gz(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

func zst(b []byte) []byte {
	w, _ := zstd.NewWriter(nil)
	return w.EncodeAll(b, nil)
}

// member is a file of an archive.
type member struct {
	name string
	data []byte
}

func tarOf(members ...member) []byte {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, m := range members {
		w.WriteHeader(&tar.Header{Name: m.name, Mode: 0o644, Size: int64(len(m.data)), Typeflag: tar.TypeReg})
		w.Write(m.data)
	}
	w.WriteHeader(&tar.Header{Name: "link", Linkname: "/etc/passwd", Typeflag: tar.TypeSymlink})
	w.Close()
	return out.Bytes()
}

func zipOf(members ...member) []byte {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, m := range members {
		f, _ := w.Create(m.name)
		f.Write(m.data)
	}
	w.Close()
	return out.Bytes()
}

// folder writes files and gives their folder.
func folder(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, b := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func names(dir string, inputs []*Input) []string {
	var out []string
	for _, in := range inputs {
		out = append(out, strings.TrimPrefix(in.Name, dir+string(filepath.Separator)))
	}
	return out
}

func TestWalk(t *testing.T) {
	dir := folder(t, map[string][]byte{
		"plain.cap":       capture,
		"sub/deep/no.ext": capture,
		"z.gz":            gz(capture),
		"z.zst":           zst(capture),
		"many.tar":        tarOf(member{"a", capture}, member{"notes", []byte("words")}, member{"b", gz(capture)}),
		"many.tgz":        gz(tarOf(member{"a", capture}, member{"../../c", capture})),
		"many.zip":        zipOf(member{"x/a", capture}, member{"b", capture}),
		"zip.gz":          gz(zipOf(member{"a", capture})),
		"readme.txt":      []byte("words"),
		"empty":           {},
		"photo":           {0xff, 0xd8, 0xff, 0},
	})
	inputs, problems := Walk([]string{dir}, nil, Options{Kind: kind})
	Sort(inputs)
	want := []string{"many.tar!a", "many.tar!b", "many.tgz!../../c", "many.tgz!a", "many.zip!b", "many.zip!x/a", "plain.cap",
		"sub/deep/no.ext", "z.gz", "z.zst", "zip.gz!a"}
	if got := names(dir, inputs); !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	for _, in := range inputs {
		for range 2 { // a digest may read it before the reader does
			r, err := in.Open()
			if err != nil {
				t.Fatalf("%s: %v", in.Name, err)
			}
			b, err := io.ReadAll(r)
			if err != nil || !bytes.Equal(b, capture) {
				t.Errorf("%s: %d bytes, %v", in.Name, len(b), err)
			}
			r.Close()
		}
	}
	for _, p := range problems {
		if p.Named {
			t.Errorf("%v: was not named", p)
		}
	}
	if len(problems) != 4 {
		t.Errorf("problems %v", problems)
	}
}

func TestNamed(t *testing.T) {
	dir := folder(t, map[string][]byte{"readme.txt": []byte("words"), "empty": {}, "bad.gz": gz(capture)[:12], "bad.zip": []byte("PK\x03\x04nothing")})
	for name, cause := range map[string]string{"readme.txt": "text, neither", "empty": "empty", "bad.gz": "damaged", "bad.zip": "damaged zip", "absent": "no such file"} {
		inputs, problems := Walk([]string{filepath.Join(dir, name)}, nil, Options{Kind: kind})
		if len(inputs) != 0 || len(problems) != 1 || !problems[0].Named || !strings.Contains(problems[0].Error(), cause) {
			t.Errorf("%s: %v, %v", name, inputs, problems)
		}
	}
	if os.Getuid() != 0 {
		locked := filepath.Join(dir, "locked")
		os.Mkdir(locked, 0)
		if _, problems := Walk([]string{locked}, nil, Options{Kind: kind}); len(problems) != 1 || !strings.Contains(problems[0].Cause, "permission") {
			t.Errorf("locked folder: %v", problems)
		}
	}
}

func TestStdin(t *testing.T) {
	for name, b := range map[string][]byte{"plain": capture, "gzip": gz(capture), "zip": zipOf(member{"a", capture}), "tar": tarOf(member{"a", capture})} {
		inputs, problems := Walk([]string{"-"}, bytes.NewReader(b), Options{Kind: kind})
		if len(inputs) != 1 || len(problems) != 0 {
			t.Errorf("%s: %v, %v", name, inputs, problems)
			continue
		}
		r, err := inputs[0].Open()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, capture) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	if _, problems := Walk([]string{"-"}, strings.NewReader(""), Options{Kind: kind}); len(problems) != 1 || !problems[0].Named {
		t.Errorf("empty standard input: %v", problems)
	}
}

// TestBombs: nesting without end and archives that unpack to too much are refused.
func TestBombs(t *testing.T) {
	b := capture
	for range maxDepth + 2 {
		b = gz(b)
	}
	dir := folder(t, map[string][]byte{"nested.gz": b, "large.tgz": gz(tarOf(member{"a", append([]byte("CAP"), make([]byte, 3<<20)...)}))})
	if _, problems := Walk([]string{filepath.Join(dir, "nested.gz")}, nil, Options{Kind: kind}); len(problems) != 1 || !strings.Contains(problems[0].Cause, "containers") {
		t.Errorf("nested: %v", problems)
	}
	inputs, problems := Walk([]string{filepath.Join(dir, "large.tgz")}, nil, Options{Kind: kind, TempLimit: 1 << 20})
	if len(inputs) != 0 || len(problems) != 1 || !strings.Contains(problems[0].Cause, "temporary files") {
		t.Errorf("large: %v, %v", inputs, problems)
	}
}

// TestDamagedStream gives what is before the damage, then the error.
func TestDamagedStream(t *testing.T) {
	dir := folder(t, map[string][]byte{"cut.gz": gz(capture)[:200]})
	inputs, _ := Walk([]string{dir}, nil, Options{Kind: kind})
	if len(inputs) != 1 {
		t.Fatal("not found")
	}
	r, err := inputs[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(r); err == nil || len(b) == 0 {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

func TestDedupe(t *testing.T) {
	other := bytes.Clone(capture)
	other[100_000] ^= 1 // where the fast digest does not look
	dir := folder(t, map[string][]byte{"a": capture, "b": capture, "c": other, "d": capture[:1000]})
	inputs, _ := Walk([]string{dir}, nil, Options{Kind: kind})
	Sort(inputs)
	nobody := func(*Input) string { return "" }
	unique, twins := Dedupe(inputs, nobody)
	if got := names(dir, unique); !slices.Equal(got, []string{"a", "c", "d"}) || len(twins) != 1 {
		t.Errorf("%v, twins %v", got, names(dir, twins))
	}
	if unique, _ = Dedupe(inputs, func(in *Input) string { return in.Name }); len(unique) != 4 {
		t.Errorf("of several owners: %v", names(dir, unique))
	}
	if a, b := inputs[0].Digest(), inputs[1].Digest(); a != b || !strings.HasPrefix(a, "xxh64:") {
		t.Errorf("%s, %s", a, b)
	}
	a, _ := inputs[0].SHA256()
	c, _ := inputs[2].SHA256()
	if a == c || len(a) != 64 {
		t.Errorf("%s, %s", a, c)
	}
}

func FuzzWalk(f *testing.F) {
	for _, b := range [][]byte{capture[:100], gz(capture[:100]), zst(capture[:100]), tarOf(member{"a", capture[:100]}), zipOf(member{"a", capture[:100]}), gz(tarOf(member{"a", gz(capture[:50])}))} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		inputs, problems := Walk([]string{"-"}, bytes.NewReader(b), Options{Kind: kind, TempLimit: 1 << 20})
		if len(inputs)+len(problems) == 0 && len(b) > 0 && containerOf(b) == none {
			t.Error("neither an input nor a problem")
		}
		for _, in := range inputs {
			r, err := in.Open()
			if err != nil {
				continue
			}
			io.CopyN(io.Discard, r, 1<<20) // an error is the damage, reported by whoever reads
			r.Close()
		}
	})
}

// TestCutArchive: a compressed archive whose end is missing gives its members, and
// the damage is named.
func TestCutArchive(t *testing.T) {
	whole := gz(tarOf(member{"a.pcap", capture}))
	dir := folder(t, map[string][]byte{"cut.tar.gz": whole[:len(whole)-6]})
	inputs, problems := Walk([]string{dir}, nil, Options{Kind: kind})
	if len(inputs) != 1 || len(problems) != 1 || !problems[0].Named || !strings.Contains(problems[0].Cause, "behind its last member") {
		t.Errorf("%d inputs, %v", len(inputs), problems)
	}
}

// TestLogsLieInArchives: forms of logs are told by lines, and those of a member that is
// not compressed are in the archive's first bytes. A log that only looks like an archive
// is a log.
func TestLogsLieInArchives(t *testing.T) {
	stored := func(name string, b []byte) []byte {
		var out bytes.Buffer
		w := zip.NewWriter(&out)
		f, _ := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		f.Write(b)
		w.Close()
		return out.Bytes()
	}
	fake := append(append(bytes.Repeat([]byte("x"), 257), "ustar"...), capture...)
	dir := folder(t, map[string][]byte{"a.tar": tarOf(member{"one", capture}, member{"two", append(capture, 'x')}), "b.zip": stored("three", append(capture, 'y')), "c.log": fake})
	lines := func(head []byte) string {
		if bytes.Contains(head, []byte("CAP")) {
			return "log"
		}
		return ""
	}
	inputs, problems := Walk([]string{dir}, nil, Options{Kind: lines})
	if got := names(dir, inputs); strings.Join(got, " ") != "a.tar!one a.tar!two b.zip!three c.log" || len(problems) != 0 {
		t.Errorf("%q, %v", got, problems)
	}
}
