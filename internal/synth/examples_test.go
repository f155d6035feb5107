package synth

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// The committed examples are what the generator makes now.
func TestExamplesAreCurrent(t *testing.T) {
	total := 0
	for folder, files := range Examples() {
		for name, want := range files {
			path := filepath.Join("..", "..", "examples", folder, name)
			got, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s differs from what synth makes (%d bytes, made %d): run go generate ./examples", path, len(got), len(want))
			}
			total += len(got)
		}
	}
	if total > 400<<10 {
		t.Errorf("examples have %d bytes, more than 400 KiB", total)
	}
}
