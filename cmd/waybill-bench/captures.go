package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/gzip"

	"waybill/internal/synth"
)

// capture is a file to be measured, and what a scan of it must find.
type capture struct {
	Name  string
	Files map[string]int // hash of each whole file, and how often it moved
}

// seed makes the captures the same on every machine.
const seed = 7

// captures makes the files that are not there yet.
func captures(dir string, size int64) ([]capture, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	mib := size >> 20
	makers := []struct {
		name  string
		write func(synth.FrameWriter) (synth.Truth, error)
	}{
		{fmt.Sprintf("bulk-1-client-%d.pcap", mib), func(w synth.FrameWriter) (synth.Truth, error) {
			return synth.Bulk(w, synth.BulkOptions{Seed: seed, Size: size, Clients: 1, Reorder: 0.01})
		}},
		{fmt.Sprintf("bulk-2-clients-%d.pcap", mib), func(w synth.FrameWriter) (synth.Truth, error) {
			return synth.Bulk(w, synth.BulkOptions{Seed: seed, Size: size, Clients: 2, Reorder: 0.01})
		}},
		{fmt.Sprintf("mixed-%d.pcap", mib), func(w synth.FrameWriter) (synth.Truth, error) {
			return synth.Mixed(w, synth.BulkOptions{Seed: seed, Size: size, Reorder: 0.005})
		}},
	}
	var out []capture
	for _, m := range makers {
		c, err := made(dir, m.name, m.write)
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
	for _, m := range truth.Whole() {
		c.Files[m.SHA256]++
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
