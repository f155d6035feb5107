package scan

import (
	"bytes"
	"testing"

	"waybill/internal/synth"
)

// TestBulk reads the captures of the benchmark, cut down: every file is whole.
func TestBulk(t *testing.T) {
	for what, bulk := range map[string]func(synth.FrameWriter, synth.BulkOptions) (synth.Truth, error){
		"smb2": synth.Bulk, "nfs": synth.BulkNFS, "smb1": synth.BulkSMB1,
	} {
		var b bytes.Buffer
		w := synth.NewPCAP(&b, synth.PCAPOptions{})
		truth, err := bulk(w, synth.BulkOptions{Seed: 3, Size: 1, Reorder: 0.01})
		if err != nil || w.Flush() != nil {
			t.Fatal(err)
		}
		r := scanFolder(t, write(t, map[string][]byte{"a.pcap": b.Bytes()}))
		if n, of := wholeFiles(synth.Scene{Truth: truth}, r); n != of || n != 4 || len(r.Transfers) != 4 {
			t.Errorf("%s: %d of %d files whole, %d transfers", what, n, of, len(r.Transfers))
		}
	}
}
