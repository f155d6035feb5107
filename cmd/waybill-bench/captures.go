package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/gzip"

	"waybill/internal/model"
	"waybill/internal/synth"
)

// capture is a file to be measured, and what a scan of it must find.
type capture struct {
	Name  string
	Files map[string]int // hash of each whole file, or "opaque", and how often it moved
}

// seed makes the captures the same on every machine.
const seed = 7

// captures makes the files that are not there yet.
func captures(dir string, size int64) ([]capture, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	makers := []struct {
		name  string
		write func(synth.FrameWriter, synth.BulkOptions) (synth.Truth, error)
		o     synth.BulkOptions
	}{
		{"bulk-1-client", synth.Bulk, synth.BulkOptions{Clients: 1, Reorder: 0.01}},
		{"bulk-2-clients", synth.Bulk, synth.BulkOptions{Clients: 2, Reorder: 0.01}},
		{"mixed", synth.Mixed, synth.BulkOptions{Reorder: 0.005}},
		{"bulk-smb1", synth.BulkSMB1, synth.BulkOptions{Clients: 1, Reorder: 0.01}},
		{"bulk-nfs", synth.BulkNFS, synth.BulkOptions{Clients: 1, Reorder: 0.01}},
		{"bulk-ssh", synth.BulkSSH, synth.BulkOptions{Clients: 1, Reorder: 0.01}},
		{"all-tls", synth.BulkTLS, synth.BulkOptions{Clients: 1, Reorder: 0.01}},
	}
	var out []capture
	for _, m := range makers {
		m.o.Seed, m.o.Size = seed, size
		c, err := made(dir, fmt.Sprintf("%s-%d.pcap", m.name, size>>20), func(w synth.FrameWriter) (synth.Truth, error) { return m.write(w, m.o) })
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	zipped, err := compressed(dir, out[0])
	return append(out, zipped), err
}

// made gives a capture, from the folder when it is there.
func made(dir, name string, write func(synth.FrameWriter) (synth.Truth, error)) (capture, error) {
	c := capture{Name: filepath.Join(dir, name)}
	if text, err := os.ReadFile(c.Name + ".json"); err == nil {
		return c, json.Unmarshal(text, &c.Files)
	}
	fmt.Fprintln(os.Stderr, "making", c.Name)
	f, err := os.Create(c.Name)
	if err != nil {
		return c, err
	}
	w := synth.NewPCAP(f, synth.PCAPOptions{})
	truth, err := write(w)
	if err := errors.Join(err, w.Flush(), f.Close()); err != nil {
		return c, err
	}
	c.Files = map[string]int{}
	for _, m := range truth.Moved {
		switch {
		case m.Completeness == model.Opaque:
			c.Files[m.Completeness]++
		case m.Completeness == model.Whole && !m.Quiet:
			c.Files[m.SHA256]++
		}
	}
	return c, c.remember()
}

func (c capture) remember() error {
	text, err := json.Marshal(c.Files)
	if err != nil {
		return err
	}
	return os.WriteFile(c.Name+".json", text, 0o644)
}

// compressed is a capture inside gzip.
func compressed(dir string, c capture) (capture, error) {
	z := capture{Name: c.Name + ".gz", Files: c.Files}
	if _, err := os.Stat(z.Name + ".json"); err == nil {
		return z, nil
	}
	in, err := os.Open(c.Name)
	if err != nil {
		return z, err
	}
	defer in.Close()
	out, err := os.Create(z.Name)
	if err != nil {
		return z, err
	}
	w := gzip.NewWriter(out)
	_, err = io.Copy(w, in)
	if err := errors.Join(err, w.Close(), out.Close()); err != nil {
		return z, err
	}
	return z, z.remember()
}
