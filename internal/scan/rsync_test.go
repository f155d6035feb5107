package scan

import (
	"slices"
	"testing"

	"waybill/internal/model"
	"waybill/internal/synth"
)

// rsyncDay is what a daemon's clients do: files both ways, by old and new protocols,
// compressed and not, whole and as differences.
func rsyncDay(n *synth.Net) {
	client, server := n.Host("WS-41", "10.20.1.41"), n.Host("BK-01", "10.20.0.41")
	for _, protocol := range []int{29, 31} {
		for _, how := range []string{"", "zlibx", "zstd"} {
			if protocol == 29 && how == "zstd" {
				continue
			}
			old := n.Bytes(40_000)
			changed := slices.Concat(old[:14_000], n.Bytes(700), old[14_700:], n.Bytes(300))
			files := []synth.RsyncFile{{Name: "a tool.exe", Content: n.PE(60_000)}, {Name: "changed", Content: changed, Old: old},
				{Name: "empty"}, {Name: "zoo.txt", Content: n.Text(33_000)}}
			s := n.Rsync(client, server, "backup", synth.RsyncOptions{Protocol: protocol, Compress: how, User: "night"})
			s.Push("of/ws-41/", files...)
			s.Pull("", files...)
		}
	}
}

// TestRsync finds exactly what moved, with user, module and path.
func TestRsync(t *testing.T) {
	scene := synth.Record(4, rsyncDay)
	r := scanFolder(t, captureFile(t, scene.Capture))
	honest(t, "rsync", scene, r)
	got := found(r)
	for _, m := range scene.Truth.Moved {
		if got[key(m)] == 0 {
			t.Errorf("not found: %s", key(m))
		}
		got[key(m)]--
	}
	if len(r.Transfers) != len(scene.Truth.Moved) {
		t.Errorf("%d transfers of %d", len(r.Transfers), len(scene.Truth.Moved))
	}
	for _, x := range r.Transfers {
		if x.Share != "backup" || x.User != "night" || (x.Operation == model.Push) != (x.Path == "of/ws-41/"+x.Name) {
			t.Errorf("%s %s %s %s by %s", x.Operation, x.Share, x.Path, x.Name, x.User)
		}
		if x.Completeness == model.Partial && *x.BytesSeen != 1100 {
			t.Errorf("%d bytes of the differences", *x.BytesSeen)
		}
	}
}

// TestRsyncLost loses one packet of content that is not compressed: all other files are
// whole, also those that follow.
func TestRsyncLost(t *testing.T) {
	scene := synth.Record(5, func(n *synth.Net) {
		s := n.Rsync(n.Host("A", "10.0.0.1"), n.Host("B", "10.0.0.2"), "m", synth.RsyncOptions{})
		s.Pull("", synth.RsyncFile{Name: "1", Content: n.Bytes(50_000)}, synth.RsyncFile{Name: "2", Content: n.Bytes(50_000)}, synth.RsyncFile{Name: "3", Content: n.Bytes(50_000)})
	})
	kept := 0
	for i, f := range scene.Capture {
		if len(f.Data) < 1400 {
			continue
		}
		r := scanFolder(t, captureFile(t, slices.Delete(slices.Clone(scene.Capture), i, i+1)))
		honest(t, "one lost", scene, r)
		n, of := wholeFiles(scene, r)
		if n == of {
			t.Errorf("without packet %d all is whole", i+1)
		}
		if n == of-1 {
			kept++
		}
		if blind := r.Coverage[len(r.Coverage)-1].Blind["around-loss"]; n < of-1 && blind < 2000 {
			t.Errorf("without packet %d %d of %d are whole, and %d bytes blind", i+1, n, of, blind)
		}
	}
	if kept < 70 {
		t.Errorf("only %d losses cost one file", kept)
	}
}

// TestRsyncLate: without the greeting nothing is read, and that is said.
func TestRsyncLate(t *testing.T) {
	scene := synth.Record(6, func(n *synth.Net) {
		n.Rsync(n.Host("A", "10.0.0.1"), n.Host("B", "10.0.0.2"), "m", synth.RsyncOptions{}).Pull("", synth.RsyncFile{Name: "1", Content: n.Text(50_000)})
	})
	for _, from := range []int{4, 9, 20} {
		r := scanFolder(t, captureFile(t, scene.Capture.From(from)))
		all := r.Coverage[len(r.Coverage)-1]
		if len(r.Transfers) != 0 || all.Blind["unknown-protocol"]+all.Blind["around-loss"] < 20_000 || all.Decoded["rsync"] > 200 {
			t.Errorf("from packet %d: %d transfers, blind %v, decoded %v", from+1, len(r.Transfers), all.Blind, all.Decoded)
		}
	}
}
