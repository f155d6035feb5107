package scan

import (
	"slices"
	"strings"
	"testing"

	"waybill/internal/model"
	"waybill/internal/synth"
)

// hashes are those that are true of a scene.
func hashes(s synth.Scene) []string {
	var out []string
	for _, m := range s.Truth.Moved {
		if m.SHA256 != "" {
			out = append(out, m.SHA256)
		}
	}
	return out
}

// honest says that nothing was claimed that is not true: every hash is one of a
// file that moved, and what is whole has one.
func honest(t *testing.T, what string, scene synth.Scene, r *Records) {
	t.Helper()
	truth := hashes(scene)
	for _, x := range r.Transfers {
		if x.SHA256 != "" && !slices.Contains(truth, x.SHA256) {
			t.Errorf("%s: %s %s has a hash that nothing has", what, x.Channel, x.Name)
		}
		if (x.Completeness == model.Whole) != (x.SHA256 != "") {
			t.Errorf("%s: %s %s is %s with hash %q", what, x.Channel, x.Name, x.Completeness, x.SHA256)
		}
		if x.Completeness == model.Partial && x.Reason == "" {
			t.Errorf("%s: %s %s is partial without a reason", what, x.Channel, x.Name)
		}
	}
}

// wholeFiles counts the files found whole, of those that are true.
func wholeFiles(scene synth.Scene, r *Records) (n, of int) {
	got := found(r)
	for _, m := range scene.Truth.Whole() {
		of++
		if got[key(m)] > 0 {
			n++
		}
	}
	return n, of
}

func TestHarmless(t *testing.T) {
	eachDay(t, func(t *testing.T, script func(*synth.Net)) {
		for seed := range uint64(3) {
			scene := synth.Record(10+seed, script)
			c := scene.Capture
			for what, changed := range map[string]synth.Capture{
				"duplicates":             c.Duplicate(seed, 0.2),
				"reordered":              c.Reorder(seed, 0.05),
				"duplicates and reorder": c.Duplicate(seed, 0.1).Reorder(seed, 0.05),
			} {
				r := scanFolder(t, captureFile(t, changed))
				honest(t, what, scene, r)
				if n, of := wholeFiles(scene, r); n != of {
					t.Errorf("%s, seed %d: %d of %d files whole", what, seed, n, of)
				}
			}
		}
	})
}

func TestDropped(t *testing.T) {
	eachDay(t, func(t *testing.T, script func(*synth.Net)) {
		for seed := range uint64(6) {
			scene := synth.Record(20+seed, script)
			for _, rate := range []float64{0.002, 0.02, 0.2} {
				r := scanFolder(t, captureFile(t, scene.Capture.Drop(seed, rate)))
				honest(t, "dropped", scene, r)
				n, of := wholeFiles(scene, r)
				if rate < 0.01 && n < of*2/3 {
					t.Errorf("seed %d: with %v lost only %d of %d files whole", seed, rate, n, of)
				}
			}
		}
	})
}

// four reads four files one after the other, each by one protocol, or writes them.
var four = map[string]func(n *synth.Net, a, b *synth.Host) (each func(name string, content []byte), end func()){
	"smb2": func(n *synth.Net, a, b *synth.Host) (func(string, []byte), func()) {
		s := n.SMB(a, b, synth.SMBOptions{User: "u"})
		return s.Tree("D").Get, s.Logoff
	},
	"smb1": func(n *synth.Net, a, b *synth.Host) (func(string, []byte), func()) {
		s := n.SMB1(a, b, synth.SMB1Options{User: "u"})
		return s.Tree("D").Get, s.Logoff
	},
	"smb1 written": func(n *synth.Net, a, b *synth.Host) (func(string, []byte), func()) {
		s := n.SMB1(a, b, synth.SMB1Options{User: "u"})
		return s.Tree("D").Put, s.Logoff
	},
	"nfs3": func(n *synth.Net, a, b *synth.Host) (func(string, []byte), func()) {
		m := n.NFS(a, b, synth.NFSOptions{})
		return m.Get, m.Unmount
	},
	"nfs4 written": func(n *synth.Net, a, b *synth.Host) (func(string, []byte), func()) {
		m := n.NFS(a, b, synth.NFSOptions{Version: 4, Minor: 1})
		return m.Put, m.Unmount
	},
}

// TestOneLost loses one segment in the middle of a file: that file is partial,
// all others are whole.
func TestOneLost(t *testing.T) {
	for what, protocol := range four {
		scene := synth.Record(5, func(n *synth.Net) {
			each, end := protocol(n, n.Host("A", "10.0.0.1"), n.Host("B", "10.0.0.2"))
			for _, name := range []string{"one.bin", "two.bin", "three.bin", "four.bin"} {
				each(name, n.Bytes(200_000))
			}
			end()
		})
		full := 0
		for i, f := range scene.Capture {
			if len(f.Data) < 1400 || i%37 != 0 {
				continue
			}
			full++
			lost := slices.Delete(slices.Clone(scene.Capture), i, i+1)
			r := scanFolder(t, captureFile(t, lost))
			honest(t, what+", one lost", scene, r)
			n, of := wholeFiles(scene, r)
			if of != 4 || n != 3 || len(r.Transfers) != 4 {
				t.Errorf("%s without packet %d: %d of %d whole, %d transfers", what, i+1, n, of, len(r.Transfers))
			}
		}
		if full < 3 {
			t.Fatalf("%s: only %d packets were taken out", what, full)
		}
	}
}

func TestSnapped(t *testing.T) {
	eachDay(t, func(t *testing.T, script func(*synth.Net)) {
		scene := synth.Record(6, script)
		for _, n := range []int{60, 96, 300, 1000} {
			r := scanFolder(t, captureFile(t, scene.Capture.Snap(n)))
			honest(t, "snapped", scene, r)
			if r.Coverage[len(r.Coverage)-1].Blind["snaplen"] == 0 {
				t.Errorf("snapped to %d bytes: not said", n)
			}
		}
		// What fits is whole all the same.
		small := synth.Record(6, func(n *synth.Net) {
			s := n.SMB(n.Host("A", "10.0.0.1"), n.Host("B", "10.0.0.2"), synth.SMBOptions{User: "u"})
			t := s.Tree("D")
			t.Get("small.txt", n.Text(300))
			t.Get("large.txt", n.Text(3000))
			s.Logoff()
		})
		r := scanFolder(t, captureFile(t, small.Capture.Snap(700)))
		honest(t, "snapped", small, r)
		if n, _ := wholeFiles(small, r); n != 1 {
			t.Errorf("%d files whole of the one that fits", n)
		}
	})
}

func TestOneDirection(t *testing.T) {
	eachDay(t, func(t *testing.T, script func(*synth.Net)) {
		scene := synth.Record(7, script)
		for _, side := range []synth.Side{synth.Client, synth.Server} {
			r := scanFolder(t, captureFile(t, scene.Capture.Only(side)))
			honest(t, "one direction", scene, r)
			for _, x := range r.Transfers {
				if x.Completeness == model.Whole && (strings.HasPrefix(x.Channel, "smb") || x.Channel == "nfs") {
					t.Errorf("side %d alone: %s is whole", side, x.Name)
				}
			}
		}
	})
}

func TestLateStart(t *testing.T) {
	eachDay(t, func(t *testing.T, script func(*synth.Net)) {
		scene := synth.Record(8, script)
		c := scene.Capture
		for _, i := range []int{1, 4, 9, 40, len(c) / 3, len(c) / 2, len(c) - 200} {
			r := scanFolder(t, captureFile(t, c.From(i)))
			honest(t, "late start", scene, r)
			if n, of := wholeFiles(scene, r); i < 10 && n < of-2 {
				t.Errorf("from packet %d: %d of %d whole", i+1, n, of)
			}
		}
	})
}

// TestEarlyEnd cuts the capture off.
func TestEarlyEnd(t *testing.T) {
	eachDay(t, func(t *testing.T, script func(*synth.Net)) {
		scene := synth.Record(9, script)
		for _, i := range []int{3, 50, len(scene.Capture) / 2, len(scene.Capture) - 2} {
			honest(t, "early end", scene, scanFolder(t, captureFile(t, scene.Capture[:i])))
		}
	})
}

// TestLittleMemory is honest about what did not fit.
func TestLittleMemory(t *testing.T) {
	eachDay(t, func(t *testing.T, script func(*synth.Net)) {
		scene := synth.Record(10, script)
		c := scene.Capture.Reorder(1, 0.1)
		r := run(t, Options{Paths: []string{captureFile(t, c)}, All: true, Memory: 64 << 10})
		honest(t, "64 KiB", scene, r)
		honest(t, "1 KiB", scene, run(t, Options{Paths: []string{captureFile(t, c)}, All: true, Memory: 1 << 10}))
	})
}
