package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A scan that is interrupted leaves the history as it was, or makes none.
func TestInterruptedScanLearnsNothing(t *testing.T) {
	example := filepath.Join("..", "..", "examples", "intrusion")
	file := filepath.Join(t.TempDir(), "h.waybill")
	scan := func(ctx context.Context, path string) (int, string) {
		var out, problems bytes.Buffer
		p := &program{ctx: ctx, stdin: strings.NewReader(""), stdout: &out, stderr: &problems}
		return p.run([]string{"scan", "--history", file, path}), problems.String()
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if code, said := scan(cancelled, example); code != exitInterrupted || !strings.Contains(said, "the history is left as it was") {
		t.Errorf("exit code %d: %s", code, said)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("an interrupted scan made a history")
	}
	if code, said := scan(t.Context(), filepath.Join(example, "office.pcap")); code != exitDone {
		t.Fatalf("exit code %d: %s", code, said)
	}
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if code, _ := scan(cancelled, example); code != exitInterrupted {
		t.Errorf("exit code %d", code)
	}
	if after, _ := os.ReadFile(file); !bytes.Equal(before, after) {
		t.Error("an interrupted scan changed the history")
	}
}
