package scan

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"waybill/internal/model"
	"waybill/internal/synth"
)

// written puts files into a folder, in folders of their own where their names say so,
// and gives the paths of those that lie in it.
func written(t *testing.T, files map[string][]byte) []string {
	t.Helper()
	dir, tops := t.TempDir(), map[string]bool{}
	for name, b := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		top, _, _ := strings.Cut(name, "/")
		tops[filepath.Join(dir, top)] = true
	}
	var out []string
	for p := range tops {
		out = append(out, p)
	}
	slices.Sort(out)
	return out
}

// seenMovements are the movements of a scan, without what tells its witnesses.
func seenMovements(r *Records) []string {
	var out []string
	for _, x := range r.Transfers {
		size := "?"
		if x.Size != nil && x.Completeness != model.Opaque {
			size = fmt.Sprint(*x.Size)
		}
		out = append(out, fmt.Sprint(x.Source.IP, ">", x.Destination.IP, " ", strings.TrimRight(x.Channel, "12"), " ", x.Operation, " ", x.Name, " ", size))
	}
	slices.Sort(out)
	return out
}

// findings are what findings say of hosts, contents and techniques, however well they
// are known.
func findings(r *Records) []string {
	bare := func(host string) string {
		host, _, _ = strings.Cut(strings.ToLower(host), ".")
		return host
	}
	var out []string
	for _, f := range r.Findings {
		var hosts, words []string
		for _, h := range f.Hosts {
			hosts = append(hosts, bare(h))
		}
		for _, w := range strings.Fields(f.Title) {
			if strings.Contains(w, "-") {
				w = bare(w)
			}
			words = append(words, w)
		}
		slices.Sort(hosts)
		out = append(out, fmt.Sprint(strings.Join(words, " "), " ", hosts, f.Techniques))
	}
	slices.Sort(out)
	return out
}

// TestSameIntrusion gives one intrusion as capture, as logs and as both, in whatever
// order: one transfer each, and the same finding. The capture alone scores no more, and what
// encryption hides has no name.
func TestSameIntrusion(t *testing.T) {
	for _, w := range synth.WitnessedWays {
		capture, logs, moved := w.Witnesses(3)
		alone := scanned(t, written(t, logs)...)
		logs["office.pcap"] = capture.PCAP()
		paths := written(t, logs)
		packets := scanned(t, paths[slices.IndexFunc(paths, func(p string) bool { return filepath.Ext(p) == ".pcap" })])
		both := scanned(t, paths...)
		if got, want := len(both.Transfers), len(moved); got != want || len(alone.Transfers) != want || len(packets.Transfers) != want {
			t.Errorf("%s: %d movements, by packets %s; by logs %s; by both %s", w.Channel, want, brief(packets.Transfers), brief(alone.Transfers), brief(both.Transfers))
			continue
		}
		for _, x := range both.Transfers {
			if len(x.Observations) < 2 || len(x.Contradictions) > 0 {
				t.Errorf("%s: not joined, or in contradiction: %q %q", w.Channel, x.Observations, x.Contradictions)
			}
		}
		if w.Channel != "ssh" && !slices.Equal(seenMovements(both), seenMovements(packets)) {
			t.Errorf("%s: %q by both, %q by packets", w.Channel, seenMovements(both), seenMovements(packets))
		}
		if !slices.Equal(findings(both), findings(alone)) {
			t.Errorf("%s: found by both %q, by logs %q", w.Channel, findings(both), findings(alone))
		}
		if len(both.Findings) != 1 || len(packets.Findings) != 1 {
			t.Errorf("%s: found by both %q, by packets %q", w.Channel, findings(both), findings(packets))
			continue
		}
		sameFinding(t, w.Channel, both.Findings[0], packets.Findings[0], alone.Findings[0])
		want, _ := json.Marshal(both.Records)
		slices.Reverse(paths)
		if again, _ := json.Marshal(scanned(t, paths...).Records); string(again) != string(want) {
			t.Errorf("%s: the order of the inputs: %s", w.Channel, firstDifference(string(again), string(want)))
		}
	}
}

// sameFinding wants the finding of a capture to say what that of all inputs says, but for
// starts and names that packets do not show, at a score that is lower and at least low.
func sameFinding(t *testing.T, channel string, both, packets, alone *model.Finding) {
	t.Helper()
	if packets.Severity < model.Low || packets.Score > both.Score || alone.Score > both.Score {
		t.Errorf("%s: %.1f by packets, %.1f by logs, %.1f by both", channel, packets.Score, alone.Score, both.Score)
	}
	if !slices.Equal(packets.Techniques, both.Techniques) || len(packets.Transfers) != len(both.Transfers) || len(packets.Hosts) != len(both.Hosts) {
		t.Errorf("%s: %q %q by packets, %q %q by both", channel, packets.Title, packets.Techniques, both.Title, both.Techniques)
	}
	sealed := channel == "ssh"
	if !sealed && !slices.Equal(packets.Artifacts, both.Artifacts) || strings.Fields(packets.Title)[0] != strings.Fields(both.Title)[0] && !sealed {
		t.Errorf("%s: %q of %q by packets, %q of %q by both", channel, packets.Title, packets.Artifacts, both.Title, both.Artifacts)
	}
	for _, way := range [...]string{" copied from ", " fetched from "} {
		if strings.Contains(packets.Title, way) != strings.Contains(both.Title, way) {
			t.Errorf("%s: %q by packets, %q by both", channel, packets.Title, both.Title)
		}
	}
	if said := strings.Contains(strings.Join(packets.Missing, "; "), "encrypted"); said != sealed {
		t.Errorf("%s: missing by packets: %q", channel, packets.Missing)
	}
}

// TestSameTwice: inputs that are there twice, under other names and in another form,
// change no movement and no finding.
func TestSameTwice(t *testing.T) {
	for _, w := range synth.WitnessedWays {
		capture, logs, _ := w.Witnesses(4)
		logs["office.pcap"] = capture.PCAP()
		want := movements(scanned(t, written(t, logs)...))
		logs["zz-again.pcapng"] = capture.PCAPNG(synth.PCAPNGOptions{})
		for name, b := range logs {
			if strings.HasPrefix(name, "uac-") {
				logs["copy/"+name] = b
			}
		}
		r, err := Run(t.Context(), Options{Paths: written(t, logs)})
		if err != nil {
			t.Fatal(err)
		}
		if got := movements(r); got != want {
			t.Errorf("%s: %s", w.Channel, firstDifference(got, want))
		}
	}
}

// TestWrongClock: a server's log whose clock is two hours off, or three minutes, joins
// the capture all the same, and coverage says by how much it is.
func TestWrongClock(t *testing.T) {
	n := synth.New(5)
	client, server := n.Host("WS-31", "10.30.1.31"), n.Host("SRV-08", "10.30.0.8")
	const files = 9
	for i := range files {
		begin, path := n.Now, fmt.Sprintf(`Plans\plan-%c.docx`, 'a'+i)
		n.SharePut(server, client, `CORP\h.lang`, "C$", path)
		n.Now = begin
		s := n.SMB(client, server, synth.SMBOptions{User: "h.lang", Domain: "CORP"})
		s.Tree("C$").Put(path, n.DOCX(5_000+i*100))
		s.Logoff()
		n.Sleep(11 * 60e9)
	}
	paths := written(t, map[string][]byte{"a.pcap": n.Take().PCAP(), "srv.evtx": n.Logs.Sorted().EVTX()})
	for _, off := range []time.Duration{0, 3 * time.Minute, -2 * time.Hour} {
		r, err := Run(t.Context(), Options{Paths: paths, Clocks: map[string]time.Duration{"srv-08": off}})
		if err != nil || len(r.Transfers) != files {
			t.Fatalf("%s: %v, %d transfers", off, err, len(r.Transfers))
		}
		all := r.Coverage[len(r.Coverage)-1]
		if len(all.Clock) != 1 || all.Clock[0].Pairs != files || math.Abs(math.Abs(all.Clock[0].Offset)-math.Abs(off.Seconds())) > 1 {
			t.Errorf("%s: %+v", off, all.Clock)
		}
		advised := slices.ContainsFunc(all.Advice, func(s string) bool { return strings.Contains(s, "--clock srv-08.corp.example="+(-off).String()) })
		if advised != (off != 0) {
			t.Errorf("%s: %q", off, all.Advice)
		}
	}
}

// TestRenamedHost: a host that got another name in between is one, called by the last.
func TestRenamedHost(t *testing.T) {
	n := synth.New(6)
	client, old := n.Host("WS-31", "10.30.1.31"), n.Host("SRV-08", "10.30.0.8")
	put := func(to *synth.Host, path string) {
		begin := n.Now
		n.SharePut(to, client, `CORP\h.lang`, "C$", path)
		n.Now = begin
		s := n.SMB(client, to, synth.SMBOptions{User: "h.lang", Domain: "CORP"})
		s.Tree("C$").Put(path, n.PE(9_000))
		s.Logoff()
		n.Sleep(3 * 3600e9)
	}
	put(old, `Tools\one.exe`)
	n.Log(old, synth.EventLog, 6011, "", "SRV-08", "", "FILES-02")
	n.Sleep(60e9)
	now := &synth.Host{Name: "FILES-02", Addr: old.Addr, MAC: old.MAC}
	put(now, `Tools\two.exe`)
	r := scanned(t, written(t, map[string][]byte{"a.pcap": n.Take().PCAP(), "all.evtx": n.Logs.Sorted().EVTX()})...)
	if len(r.Transfers) != 2 {
		t.Fatal(brief(r.Transfers))
	}
	for _, x := range r.Transfers {
		if x.Destination.Host != "FILES-02.corp.example" || len(x.Observations) < 2 {
			t.Errorf("%s to %s, %q", x.Name, x.Destination.Host, x.Observations)
		}
	}
	if c := r.Coverage[len(r.Coverage)-1].Renamed; len(c) != 1 || len(c[0].Names) != 2 || c[0].Names[0].Name != "SRV-08" {
		t.Errorf("%+v", c)
	}
}
