package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// output is standard output, or a file that appears when it is complete.
type output struct {
	io.Writer
	file   *os.File // nil for standard output
	target string
	buffer *bufio.Writer
}

func newOutput(stdout io.Writer, path string) (*output, error) {
	if path == "" || path == "-" {
		return &output{Writer: stdout}, nil
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".waybill-*")
	if err != nil {
		return nil, usagef("--output %s: %w", path, err)
	}
	b := bufio.NewWriter(f)
	return &output{Writer: b, file: f, target: path, buffer: b}, nil
}

// commit gives the file its name. It is readable by its owner only, since it
// tells what moved on a network.
func (o *output) commit() error {
	if o.file == nil {
		return nil
	}
	err := errors.Join(o.buffer.Flush(), o.file.Sync(), o.file.Close())
	if err == nil {
		err = os.Rename(o.file.Name(), o.target)
	}
	if err != nil {
		return fmt.Errorf("--output %s: %w", o.target, err)
	}
	o.file = nil
	return nil
}

// discard removes a file that was not committed.
func (o *output) discard() {
	if o.file == nil {
		return
	}
	o.file.Close()
	os.Remove(o.file.Name())
}
