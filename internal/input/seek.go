package input

import (
	"io"
	"os"
)

// ReaderAtCloser is a file that can be read anywhere.
type ReaderAtCloser interface {
	io.Reader
	io.ReaderAt
	io.Closer
}

// OpenAt opens the content for reading anywhere, and gives its size. What can only
// be read from front to back is copied to a temporary file, up to limit bytes.
func (in *Input) OpenAt(limit int64) (ReaderAtCloser, int64, error) {
	r, err := in.Open()
	if err != nil {
		return nil, 0, err
	}
	switch r := r.(type) {
	case *os.File:
		info, err := r.Stat()
		if err != nil {
			r.Close()
			return nil, 0, err
		}
		return r, info.Size(), nil
	case section:
		return r, r.Size(), nil
	}
	defer r.Close()
	w := &walker{opt: Options{TempLimit: limit}}
	open, err := w.spool(r)
	if err != nil {
		return nil, 0, err
	}
	copied, err := open()
	if err != nil {
		return nil, 0, err
	}
	s := copied.(section)
	return s, s.Size(), s.damage
}
