package input

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// container is a format that holds other files.
type container int

const (
	none container = iota
	gzipFile
	zstdFile
	zipFile
	tarFile
)

func containerOf(head []byte) container {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return gzipFile
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return zstdFile
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return zipFile
	case len(head) >= 262 && string(head[257:262]) == "ustar":
		return tarFile
	}
	return none
}

// certain says whether a head is a container's and nothing else. Members lie in tar files,
// and in some zip files, as they are: a log among the first is not what the file is.
func (c container) certain(head []byte) bool {
	return c != none && (c != tarFile || tarHeader(head))
}

// tarHeader says whether the sum in the header of a tar file is right (POSIX ustar: of all
// bytes, those of the sum taken for spaces).
func tarHeader(head []byte) bool {
	if len(head) < 512 {
		return false
	}
	want, err := strconv.ParseInt(strings.Trim(string(head[148:156]), " \x00"), 8, 64)
	sum := int64(8 * ' ')
	for i, b := range head[:512] {
		if i < 148 || i >= 156 {
			sum += int64(b)
		}
	}
	return err == nil && sum == want
}

// unpack opens a compressed stream.
func (c container) unpack(r io.Reader) (io.ReadCloser, error) {
	if c == gzipFile {
		return gzip.NewReader(r)
	}
	d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(512<<20))
	if err != nil {
		return nil, err
	}
	return d.IOReadCloser(), nil
}

// compressed takes a gzip or zstd file as the file in it.
func (w *walker) compressed(n node, c container) {
	inner := n
	inner.depth++
	inner.file = nil
	inner.open = func() (io.ReadCloser, error) { return openCompressed(n, c) }
	r, err := c.unpack(bytes.NewReader(n.head))
	if err == nil {
		inner.head, err = readHead(r)
		r.Close()
	}
	if err != nil {
		w.problem(n, "damaged from its start: %v", err)
		return
	}
	if containerOf(inner.head) == zipFile {
		spooled, err := w.spoolNode(inner)
		if err != nil {
			w.problem(n, "%v", err)
			return
		}
		inner.open = spooled
	}
	w.look(inner)
}

// readCloser closes what lies below too.
type readCloser struct {
	io.Reader
	close func() error
}

func (r readCloser) Close() error { return r.close() }

func openCompressed(n node, c container) (io.ReadCloser, error) {
	below, err := n.open()
	if err != nil {
		return nil, err
	}
	r, err := c.unpack(below)
	if err != nil {
		below.Close()
		return nil, err
	}
	return readCloser{r, func() error { return errors.Join(r.Close(), below.Close()) }}, nil
}

// memberName is the name of an archive member for people: its control and
// formatting characters are shown as escapes.
func memberName(archive, member string) string {
	var b strings.Builder
	for _, r := range member {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		fmt.Fprintf(&b, "\\u%04x", r)
	}
	return archive + "!" + b.String()
}

// count refuses archives with members without end.
func (w *walker) count(n node) bool {
	w.members++
	if w.members == maxMembers {
		w.problem(n, "more than %d archive members in all: the rest is left out", maxMembers)
	}
	return w.members < maxMembers
}

// zip takes the members of a zip file.
func (w *walker) zip(n node) {
	at, size, closer, err := w.randomAccess(n)
	if err != nil {
		w.problem(n, "%s", cause(err))
		return
	}
	archive, err := zip.NewReader(at, size)
	if err != nil {
		closer()
		w.problem(n, "damaged zip file: %v", err)
		return
	}
	for _, f := range archive.File {
		if f.FileInfo().IsDir() || !w.count(n) {
			continue
		}
		w.zipMember(n, f)
	}
}

func (w *walker) zipMember(n node, f *zip.File) {
	m := node{name: memberName(n.name, f.Name), size: int64(f.UncompressedSize64), depth: n.depth + 1, written: f.Modified}
	m.open = func() (io.ReadCloser, error) { return f.Open() }
	m.stored = m.open
	if f.Flags&1 != 0 {
		w.problem(m, "encrypted: unpack it with its password first")
		return
	}
	r, err := m.open()
	if err == nil {
		m.head, err = readHead(r)
		r.Close()
	}
	if err != nil {
		w.problem(m, "%v", err)
		return
	}
	if len(m.head) > 0 {
		w.look(m)
	}
}

// randomAccess gives a node's content for reading anywhere. The file stays
// open for the run: its members are read from it later.
func (w *walker) randomAccess(n node) (io.ReaderAt, int64, func(), error) {
	if n.file != nil {
		f, err := os.Open(n.name)
		if err != nil {
			return nil, 0, nil, err
		}
		return f, n.size, func() { f.Close() }, nil
	}
	open, err := w.spoolNode(n)
	if err != nil {
		return nil, 0, nil, err
	}
	r, err := open()
	if err != nil {
		return nil, 0, nil, err
	}
	section := r.(section)
	return section, section.Size(), func() {}, nil
}

// tar takes the members of a tar file.
func (w *walker) tar(n node) {
	r, err := n.open()
	if err != nil {
		w.problem(n, "%s", cause(err))
		return
	}
	defer r.Close()
	archive := tar.NewReader(r)
	for i := 0; ; i++ {
		h, err := archive.Next()
		if err == io.EOF {
			// What follows the last member shows whether a compressed archive is whole.
			if _, err := io.Copy(io.Discard, r); err != nil {
				w.problems = append(w.problems, Problem{Name: n.name, Cause: fmt.Sprintf("damaged behind its last member: %v", err), Named: true})
			}
			return
		}
		if err != nil {
			w.problems = append(w.problems, Problem{Name: n.name, Cause: fmt.Sprintf("damaged tar file after %d members: %v", i, err), Named: true})
			return
		}
		if h.Typeflag != tar.TypeReg || h.Size == 0 {
			continue
		}
		if !w.count(n) {
			return
		}
		w.tarMember(n, archive, h, i)
	}
}

// tarMember takes one member. In a plain file it is found again by skipping to
// it; in a compressed one it is copied to a temporary file.
func (w *walker) tarMember(n node, archive *tar.Reader, h *tar.Header, index int) {
	m := node{name: memberName(n.name, h.Name), size: h.Size, depth: n.depth + 1, written: h.ModTime}
	head, err := readHead(archive)
	if err != nil {
		w.problem(m, "%v", err)
		return
	}
	m.head = head
	if w.opt.Kind(head) == "" && containerOf(head) == none {
		w.problem(m, "%s", unknown(head))
		return
	}
	if n.file != nil {
		m.open = func() (io.ReadCloser, error) { return openTarMember(n, index) }
	} else if m.open, err = w.spool(io.MultiReader(bytes.NewReader(head), archive)); err != nil {
		w.problems = append(w.problems, Problem{Name: m.name, Cause: err.Error(), Named: true})
		return
	}
	m.stored = m.open
	w.look(m)
}

func openTarMember(n node, index int) (io.ReadCloser, error) {
	r, err := n.open()
	if err != nil {
		return nil, err
	}
	archive := tar.NewReader(r)
	for range index + 1 {
		if _, err := archive.Next(); err != nil {
			r.Close()
			return nil, err
		}
	}
	return readCloser{archive, r.Close}, nil
}
