package scan

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"waybill/internal/model"
	"waybill/internal/synth"
)

// write puts files into a new folder and gives its path.
func write(t testing.TB, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, b := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// captureFile writes one capture and gives its folder.
func captureFile(t testing.TB, c synth.Capture) string {
	return write(t, map[string][]byte{"a.pcap": c.PCAP()})
}

func run(t testing.TB, o Options) *Records {
	t.Helper()
	r, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range r.Coverage {
		for _, f := range c.DecoderFaults {
			t.Errorf("decoder fault: %s", f)
		}
	}
	return r
}

func scanFolder(t testing.TB, dir string) *Records {
	t.Helper()
	return run(t, Options{Paths: []string{dir}, All: true, Workers: 2})
}

// lines are the transfers in a form to be compared: everything but the evidence.
func lines(t testing.TB, r *Records) []string {
	t.Helper()
	var out []string
	for _, x := range r.Transfers {
		c := *x
		c.Evidence = nil
		c.Executed = slices.Clone(c.Executed)
		for i := range c.Executed {
			c.Executed[i].Evidence = nil
		}
		b, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(b))
	}
	return out
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if slices.Equal(got, want) {
		return
	}
	for _, l := range want {
		if !slices.Contains(got, l) {
			t.Errorf("%s: missing %s", what, l)
		}
	}
	for _, l := range got {
		if !slices.Contains(want, l) {
			t.Errorf("%s: not expected %s", what, l)
		}
	}
	if !t.Failed() {
		t.Errorf("%s: another order", what)
	}
}

// key is what of a transfer the truth of a script knows.
func key(m synth.Moved) string {
	return fmt.Sprintf("%s>%s %s %s %s %d %s %s", m.Source, m.Destination, m.Operation, m.Channel, m.Name, m.Size, m.SHA256, m.Completeness)
}

func found(r *Records) map[string]int {
	out := map[string]int{}
	for _, t := range r.Transfers {
		size := int64(-1)
		if t.Size != nil {
			size = *t.Size
		}
		out[key(synth.Moved{Source: t.Source.IP, Destination: t.Destination.IP, Operation: t.Operation, Channel: t.Channel,
			Name: t.Name, Size: size, SHA256: t.SHA256, Completeness: t.Completeness})]++
	}
	return out
}

// refusal is what of a refused transfer the truth knows.
func refusal(source, destination model.Addr, operation, name string) string {
	return fmt.Sprintf("%s>%s %s %s", source, destination, operation, name)
}

func refusals(r *Records) []string {
	var out []string
	for _, x := range r.Transfers {
		if x.Status == model.Denied {
			out = append(out, refusal(x.Source.IP, x.Destination.IP, x.Operation, x.Name))
		}
	}
	return sorted(out)
}

func sorted(all []string) []string {
	slices.Sort(all)
	return all
}

// TestTruth finds exactly what moved.
func TestTruth(t *testing.T) {
	eachDay(t, func(t *testing.T, script func(*synth.Net)) {
		for _, v6 := range []bool{false, true} {
			scene := synth.Record(3, func(n *synth.Net) { n.V6 = v6; script(n) })
			r := scanFolder(t, captureFile(t, scene.Capture))
			got := found(r)
			var denied []string
			for _, x := range scene.Truth.Seen {
				if !isSeen(r, x) {
					t.Errorf("v6 %v: not seen: %+v", v6, x)
				}
			}
			for _, m := range scene.Truth.Moved {
				if m.Status == model.Denied {
					denied = append(denied, refusal(m.Source, m.Destination, m.Operation, m.Name))
				}
				if m.Completeness != model.Whole && m.Completeness != model.Inferred {
					continue
				}
				if got[key(m)] == 0 {
					t.Errorf("v6 %v: not found: %s %s", v6, m.Path, key(m))
				}
				got[key(m)]--
			}
			same(t, "refused", refusals(r), sorted(denied))
			for k, n := range got {
				if n > 0 && (strings.HasSuffix(k, model.Whole) || strings.HasSuffix(k, model.Inferred)) {
					t.Errorf("v6 %v: %d times more than true: %s", v6, n, k)
				}
			}
		}
	})
}

// TestSplits reads one capture in other forms: nothing but the evidence changes.
func TestSplits(t *testing.T) {
	eachDay(t, func(t *testing.T, script func(*synth.Net)) {
		c := synth.Record(3, script).Capture
		want := lines(t, scanFolder(t, captureFile(t, c)))
		if len(want) < 10 {
			t.Fatalf("only %d transfers", len(want))
		}
		ring := map[string][]byte{}
		for i, part := range c.Ring(5) {
			ring[fmt.Sprintf("ring-%d.pcap", 5-i)] = part.PCAP() // names in the wrong order
		}
		same(t, "ring", lines(t, scanFolder(t, write(t, ring))), want)

		taps := c.Taps()
		same(t, "two taps", lines(t, scanFolder(t, write(t, map[string][]byte{"x.pcap": taps[0].PCAP(), "y.pcap": taps[1].PCAP()}))), want)

		ways := c.Directions(0)
		same(t, "one file a direction", lines(t, scanFolder(t, write(t, map[string][]byte{"in.pcap": ways[1].PCAP(), "out.pcap": ways[0].PCAP()}))), want)

		same(t, "pcapng", lines(t, scanFolder(t, write(t, map[string][]byte{"a.pcapng": c.PCAPNG(synth.PCAPNGOptions{})}))), want)
	})
}

// TestClocks reads one file a direction whose clocks differ by up to 4 seconds:
// the same files, with other times.
func TestClocks(t *testing.T) {
	eachDay(t, func(t *testing.T, script func(*synth.Net)) {
		scene := synth.Record(3, script)
		for _, ahead := range []model.Time{-4e9, -3e6, 3e6, 4e9} {
			if ahead == -4e9 && strings.HasSuffix(t.Name(), "datagrams") {
				continue // of what nobody knows yet only the first answers are kept until their calls come
			}
			ways := scene.Capture.Directions(ahead)
			got := found(scanFolder(t, write(t, map[string][]byte{"in.pcap": ways[1].PCAP(), "out.pcap": ways[0].PCAP()})))
			for _, m := range scene.Truth.Whole() {
				if got[key(m)] == 0 {
					t.Errorf("clock %d ms ahead: not found: %s", ahead/1e6, key(m))
				}
			}
		}
	})
}

// TestSeenTwice reads everything from two sensors that saw the same packets.
func TestSeenTwice(t *testing.T) {
	eachDay(t, func(t *testing.T, script func(*synth.Net)) {
		c := synth.Record(3, script).Capture
		want := lines(t, scanFolder(t, captureFile(t, c)))
		late := slices.Clone(c)
		for i := range late {
			late[i].Time += 400_000
		}
		got := scanFolder(t, write(t, map[string][]byte{"a.pcap": c.PCAP(), "b.pcap": late.PCAP()}))
		if len(got.Transfers) != len(want) {
			t.Errorf("%d transfers instead of %d", len(got.Transfers), len(want))
		}
		if d := got.Coverage[len(got.Coverage)-1].Duplicate; d == 0 {
			t.Error("no packet counted as duplicate")
		}
	})
}

// TestTunnels reads the capture in each tunnel and on each link layer.
func TestTunnels(t *testing.T) {
	eachDay(t, func(t *testing.T, script func(*synth.Net)) {
		for _, v6 := range []bool{false, true} {
			c := synth.Record(3, func(n *synth.Net) { n.V6 = v6; script(n) }).Capture
			want := lines(t, scanFolder(t, captureFile(t, c)))
			for _, name := range synth.Tunnels(v6) {
				same(t, fmt.Sprintf("%s, v6 %v", name, v6), lines(t, scanFolder(t, captureFile(t, c.Wrap(name)))), want)
			}
		}
	})
}

// TestSameBytes prints the same bytes whatever the workers and the order of the
// inputs are.
func TestSameBytes(t *testing.T) {
	eachDay(t, func(t *testing.T, script func(*synth.Net)) {
		dir := write(t, map[string][]byte{})
		var paths []string
		for i, part := range synth.Record(3, script).Capture.Ring(4) {
			p := filepath.Join(dir, fmt.Sprintf("p%d.pcap", i))
			if err := os.WriteFile(p, part.PCAP(), 0o600); err != nil {
				t.Fatal(err)
			}
			paths = append(paths, p)
		}
		var want []byte
		for i, workers := range []int{1, 2, 8, 1} {
			if i == 3 {
				slices.Reverse(paths)
			}
			r := run(t, Options{Paths: paths, Workers: workers, All: true})
			got, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			if want == nil {
				want = got
			}
			if !bytes.Equal(got, want) {
				t.Errorf("workers %d, inputs %v: other bytes", workers, paths)
			}
		}
	})
}

// TestFindings judges the example: one finding that names everything.
func TestFindings(t *testing.T) {
	r := scanFolder(t, captureFile(t, synth.Record(2026, synth.Intrusion).Capture))
	if len(r.Findings) != 1 {
		t.Fatalf("%d findings", len(r.Findings))
	}
	f := r.Findings[0]
	want := []string{"admin-share-write", "remote-start", "relay", "disguise", "executor-match", "same-file-many-hosts"}
	if !slices.Equal(f.Analytics, want) || f.Severity != model.Critical || len(f.Transfers) != 4 {
		t.Errorf("%v %v, %d transfers: %s", f.Analytics, f.Severity, len(f.Transfers), f.Title)
	}
	sum := 0.0
	for _, x := range f.Reasons {
		sum += x.Nats
		if len(x.Evidence) == 0 {
			t.Errorf("%s has no evidence", x.Analytic)
		}
	}
	if sum != f.Score {
		t.Errorf("score %v, sum of the reasons %v", f.Score, sum)
	}
	started := 0
	for _, x := range r.Transfers {
		started += len(x.Executed)
	}
	if started != 3 {
		t.Errorf("%d starts", started)
	}
}

// TestSecrets: a password in a command that crossed the wire is in no record.
func TestSecrets(t *testing.T) {
	capture := synth.Record(1, func(n *synth.Net) {
		s := n.SMB(n.Host("A", "10.0.0.1"), n.Host("B", "10.0.0.2"), synth.SMBOptions{User: "bob"})
		s.Tree("ADMIN$").Put(`x.exe`, n.PE(4000))
		s.StartService("x", "x", `C:\Windows\x.exe & net use \\c\d S3cret /user:bob`)
		s.Logoff()
	}).Capture.PCAP()
	r := scanned(t, folder(t, map[string][]byte{"a.pcap": capture})...)
	text, err := json.Marshal(r.Records)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "S3cret") || !strings.Contains(string(text), `\\\\c\\d ***`) {
		t.Errorf("%s", text)
	}
}
