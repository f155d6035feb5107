package input

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// section is a temporary file, opened anew. When what it was copied from was
// damaged, its end says so.
type section struct {
	*io.SectionReader
	damage error
}

func (s section) Read(b []byte) (int, error) {
	n, err := s.SectionReader.Read(b)
	if err == io.EOF && s.damage != nil {
		err = s.damage
	}
	return n, err
}

func (section) Close() error { return nil }

// spoolNode copies a node's content to a temporary file.
func (w *walker) spoolNode(n node) (func() (io.ReadCloser, error), error) {
	r, err := n.open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return w.spool(r)
}

// spool copies r to a temporary file without a name and gives what opens it.
// What could be read of a damaged r is kept; the damage shows at its end.
func (w *walker) spool(r io.Reader) (func() (io.ReadCloser, error), error) {
	f, err := os.CreateTemp("", "waybill-*")
	if err != nil {
		return nil, fmt.Errorf("no temporary file: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, err
	}
	n, err := io.Copy(writer{f}, io.LimitReader(r, w.opt.TempLimit-w.temp+1))
	w.temp += n
	if w.temp > w.opt.TempLimit {
		f.Close()
		return nil, fmt.Errorf("more than %d bytes to unpack into temporary files: unpack it first", w.opt.TempLimit)
	}
	var write writeError
	if errors.As(err, &write) {
		f.Close()
		return nil, fmt.Errorf("cannot write a temporary file: %w", write.error)
	}
	damage := err
	return func() (io.ReadCloser, error) { return section{io.NewSectionReader(f, 0, n), damage}, nil }, nil
}

// writeError tells a full disk from a damaged input.
type writeError struct{ error }

type writer struct{ w io.Writer }

func (w writer) Write(b []byte) (int, error) {
	n, err := w.w.Write(b)
	if err != nil {
		err = writeError{err}
	}
	return n, err
}
