// Package input finds the inputs of a run. In come the paths of the command
// line; out come the captures and logs in them, wherever they lie: plain, in folders, or
// inside gzip, zstd, zip and tar, nested a few deep. What a file is, is told by
// its first bytes, never by its name. Names of archive members are data: they
// are shown and never used as a path.
package input

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"
)

// headSize is how much of an input is looked at to tell its kind.
const headSize = 64 << 10

// Bounds of what is opened.
const (
	maxDepth   = 5       // containers in containers
	maxMembers = 1 << 20 // of all archives together
)

// Options of Walk.
type Options struct {
	// Kind tells an input that can be read by its first bytes, "" for others.
	Kind func(head []byte) string
	// TempLimit bounds what is copied from compressed archives to temporary
	// files, which are removed at once; 0 is 16 GiB.
	TempLimit int64
}

// Input is one file that can be read.
type Input struct {
	Name string // path, with "!member" for a member of an archive
	Kind string // as Options.Kind told it
	Size int64  // of the file or member as stored; -1 unknown
	Head []byte // its first bytes, as much as was looked at
	// Written is when the file or member was last written, as far as its file system or
	// archive says; zero when unknown.
	Written time.Time

	open   func() (io.ReadCloser, error) // the content
	stored func() (io.ReadCloser, error) // as stored, for digests; nil when it can be read only once
}

// Open opens the content. Standard input can be opened only once.
func (in *Input) Open() (io.ReadCloser, error) { return in.open() }

// Problem is a path that gave no input.
type Problem struct {
	Name  string
	Cause string
	// Named says that the path was named by itself on the command line, which
	// makes the problem an error and not just a file that was skipped.
	Named bool
}

func (p Problem) Error() string { return p.Name + ": " + p.Cause }

// walker gathers what Walk finds.
type walker struct {
	opt      Options
	inputs   []*Input
	problems []Problem
	temp     int64
	members  int
}

// node is something that may be an input or hold some.
type node struct {
	name    string
	size    int64
	depth   int
	written time.Time
	named   bool
	head    []byte
	open    func() (io.ReadCloser, error)
	stored  func() (io.ReadCloser, error)
	file    *os.File // set when the node is a plain file: zip needs random access
}

// Walk finds the inputs in paths; "-" is stdin.
func Walk(paths []string, stdin io.Reader, opt Options) ([]*Input, []Problem) {
	if opt.TempLimit == 0 {
		opt.TempLimit = 16 << 30
	}
	w := &walker{opt: opt}
	for _, p := range paths {
		if p == "-" {
			w.stdin(stdin)
			continue
		}
		w.path(p)
	}
	return w.inputs, w.problems
}

func (w *walker) problem(n node, format string, args ...any) {
	w.problems = append(w.problems, Problem{Name: n.name, Cause: fmt.Sprintf(format, args...), Named: n.named})
}

// path takes one path of the command line.
func (w *walker) path(p string) {
	info, err := os.Stat(p)
	if err != nil {
		w.problem(node{name: p, named: true}, "%s", cause(err))
		return
	}
	if !info.IsDir() {
		w.file(p, true)
		return
	}
	if err := filepath.WalkDir(p, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			w.problem(node{name: path, named: path == p || d == nil || d.IsDir()}, "%s", cause(err))
			return nil
		}
		if d.Type().IsRegular() {
			w.file(path, false)
		}
		return nil
	}); err != nil {
		w.problem(node{name: p, named: true}, "%s", cause(err))
	}
}

// cause is an error without the path that the message names already.
func cause(err error) string {
	var pathErr *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "no such file or folder: check the path"
	case errors.Is(err, fs.ErrPermission):
		return "permission denied: run as a user who may read it"
	case errors.As(err, &pathErr):
		return pathErr.Err.Error()
	}
	return err.Error()
}

// file takes one file of the file system.
func (w *walker) file(path string, named bool) {
	n := node{name: path, named: named, size: -1}
	n.open = func() (io.ReadCloser, error) { return os.Open(path) }
	f, err := os.Open(path)
	if err != nil {
		w.problem(n, "%s", cause(err))
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		w.problem(n, "%s", cause(err))
		return
	}
	if !info.Mode().IsRegular() {
		w.stream(path, f)
		return
	}
	n.size, n.file, n.stored, n.written = info.Size(), f, n.open, info.ModTime()
	if n.head, err = readHead(f); err != nil {
		w.problem(n, "%s", cause(err))
		return
	}
	w.look(n)
}

func readHead(r io.Reader) ([]byte, error) {
	head, err := io.ReadAll(io.LimitReader(r, headSize))
	if len(head) > 0 {
		err = nil // a damaged input is reported where it is read
	}
	return head, err
}

// stdin takes standard input, which can be read only once.
func (w *walker) stdin(r io.Reader) {
	if r == nil {
		w.problem(node{name: "-", named: true}, "there is no standard input")
		return
	}
	w.stream("-", r)
}

// stream takes what can be read only once: standard input or a named pipe.
func (w *walker) stream(name string, r io.Reader) {
	buffered := bufio.NewReaderSize(r, headSize)
	head, err := buffered.Peek(headSize)
	n := node{name: name, named: true, size: -1, head: bytes.Clone(head)}
	if len(head) == 0 && err != nil && err != io.EOF {
		w.problem(n, "%s", cause(err))
		return
	}
	if name != "-" {
		spooled, err := w.spool(buffered) // the caller closes its file
		if err != nil {
			w.problem(n, "%v", err)
			return
		}
		n.open, n.stored = spooled, spooled
		w.look(n)
		return
	}
	opened := false
	n.open = func() (io.ReadCloser, error) {
		if opened {
			return nil, errors.New("standard input can be read only once")
		}
		opened = true
		return io.NopCloser(buffered), nil
	}
	if c := containerOf(head); c == zipFile || c == tarFile {
		spooled, err := w.spool(buffered)
		if err != nil {
			w.problem(n, "%v", err)
			return
		}
		n.open, n.stored = spooled, spooled
	}
	w.look(n)
}

// look tells what a node is and takes it, or what is in it.
func (w *walker) look(n node) {
	if len(n.head) == 0 {
		w.problem(n, "empty")
		return
	}
	c := containerOf(n.head)
	if kind := w.opt.Kind(n.head); kind != "" && !c.certain(n.head) {
		w.inputs = append(w.inputs, &Input{Name: n.name, Kind: kind, Size: n.size, Head: n.head, Written: n.written, open: n.open, stored: n.stored})
		return
	}
	if c != none && n.depth >= maxDepth {
		w.problem(n, "more than %d containers in one another", maxDepth)
		return
	}
	switch c {
	case gzipFile, zstdFile:
		w.compressed(n, c)
	case zipFile:
		w.zip(n)
	case tarFile:
		w.tar(n)
	default:
		w.problem(n, "%s", unknown(n.head))
	}
}

// unknown says what an unrecognised input looks like.
func unknown(head []byte) string {
	for _, m := range []struct{ magic, what string }{
		{"BZh", "bzip2 is not read: unpack it first"},
		{"\xfd7zXZ\x00", "xz is not read: unpack it first"},
		{"7z\xbc\xaf\x27\x1c", "7-Zip is not read: unpack it first"},
	} {
		if strings.HasPrefix(string(head), m.magic) {
			return m.what
		}
	}
	what := "binary data"
	if isText(head[:min(len(head), 512)]) {
		what = "text"
	}
	return what + ", neither a capture (pcap, pcapng) nor a log of a form that is read (docs/formats.md)"
}

func isText(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' {
			return false
		}
	}
	return true
}

// Sort orders inputs by name, so that the order on the command line is nothing.
func Sort(inputs []*Input) {
	sort.SliceStable(inputs, func(i, j int) bool { return inputs[i].Name < inputs[j].Name })
}
