package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"modernc.org/sqlite"
)

// File is a history file that is open. It is one SQLite database. Who may write holds
// it until it is saved or closed: there is one transaction from the first read on, so
// that what is there is always what was saved last, whenever the process dies, and two
// runs never save over each other.
type File struct {
	path    string
	db      *sql.DB
	conn    *sql.Conn
	writes  bool
	fresh   bool // there was nothing in it
	form    int64
	created bool // by this
	open    bool // a transaction is
}

// wait is for how many milliseconds a file that another run holds is waited for; cached
// how many pages of it stay in memory (SQLite, cache_size).
var wait, cached = 10_000, -2000

// Open opens a history file to read and to save; where there is none, it makes one.
func Open(path string) (*File, error) {
	f := &File{path: path, writes: true}
	switch made, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); {
	case err == nil:
		f.created = true
		if err := made.Close(); err != nil {
			return nil, f.explain(err)
		}
	case !errors.Is(err, fs.ErrExist):
		return nil, f.explain(err)
	}
	return f, f.begin("rw", "BEGIN IMMEDIATE")
}

// OpenToRead opens a history file to look at it. Another run may be at it meanwhile.
func OpenToRead(path string) (*File, error) {
	f := &File{path: path}
	if _, err := os.Stat(path); err != nil {
		return nil, f.explain(err)
	}
	mode := "ro"
	if w, err := os.OpenFile(path, os.O_RDWR, 0); err == nil {
		w.Close()
		mode = "rw" // to take back what a killed run left half written
	}
	return f, f.begin(mode, "BEGIN")
}

// begin opens the database and a transaction, and makes sure that it is a history.
func (f *File) begin(mode, how string) (err error) {
	defer func() {
		if err != nil {
			f.Close()
			err = f.explain(err)
		}
	}()
	absolute, err := filepath.Abs(f.path)
	if err != nil {
		return err
	}
	name := (&url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(absolute), RawQuery: "mode=" + mode +
		fmt.Sprintf("&_pragma=busy_timeout(%d)&_pragma=cache_size(%d)&_pragma=trusted_schema(0)&_pragma=cell_size_check(1)&_pragma=synchronous(FULL)", wait, cached)}).String()
	if f.db, err = sql.Open("sqlite", name); err != nil {
		return err
	}
	if f.conn, err = f.db.Conn(context.Background()); err != nil {
		return err
	}
	if err = f.exec(how); err != nil {
		return err
	}
	f.open = true
	return f.check()
}

func (f *File) exec(statement string, args ...any) error {
	_, err := f.conn.ExecContext(context.Background(), statement, args...)
	return err
}

// Fresh says whether there was no history in the file.
func (f *File) Fresh() bool { return f.fresh }

// Close lets go of the file. What was not saved is gone.
func (f *File) Close() error {
	if f.open {
		f.open = false
		f.exec("ROLLBACK")
	}
	var err error
	if f.conn != nil {
		err = f.conn.Close()
		f.conn = nil
	}
	if f.db != nil {
		err = errors.Join(err, f.db.Close())
		f.db = nil
	}
	if f.created {
		f.created = false
		os.Remove(f.path) // never saved
	}
	return err
}

// Codes of SQLite (SQLite, "Result and Error Codes"); the low byte is the kind.
const (
	busy     = 5
	readOnly = 8
	corrupt  = 11
	full     = 13
	cantOpen = 14
	notADB   = 26
)

// explain says what is wrong with the file and what to do.
func (f *File) explain(err error) error {
	var s *sqlite.Error
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("history %s: there is none: scan with --history %s makes it", f.path, f.path)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("history %s: no permission to open or make it: allow it, or name another file", f.path)
	case !errors.As(err, &s):
		return fmt.Errorf("history %s: %w", f.path, err)
	}
	switch s.Code() & 0xff {
	case busy:
		return fmt.Errorf("history %s: another run holds it: wait for its end, or name another file", f.path)
	case readOnly, cantOpen:
		return fmt.Errorf("history %s: it cannot be written: allow writing to it and its folder, or work with a copy", f.path)
	case notADB:
		return fmt.Errorf("history %s: this is no history: name another file (nothing was changed)", f.path)
	case corrupt:
		return fmt.Errorf("history %s: it is damaged (%w): take a copy of before, or begin a new one", f.path, err)
	case full:
		return fmt.Errorf("history %s: the disk is full: what was saved before is still there", f.path)
	}
	return fmt.Errorf("history %s: %w", f.path, err)
}
