package scan

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"waybill/internal/model"
	"waybill/internal/synth"
)

// listingScene is a tool that was pushed to one host, and what the capture did not see:
// the same on two others.
func listingScene() (synth.Scene, []synth.Laid) {
	var names map[model.Addr]string
	scene := synth.Record(11, func(n *synth.Net) {
		a, b := n.Host("WS-A", "10.0.0.1"), n.Host("WS-B", "10.0.0.2")
		names = map[model.Addr]string{b.Model(): "WS-B"}
		push(n, a, b, "svc.exe")
	})
	laid := scene.Truth.Laid(`C:\Windows\Temp\`, synth.Begin+10*minute, names)
	for i, host := range []string{"WS-C", "WS-D"} {
		more := laid[0]
		more.Host, more.Since = host, more.Since+model.Time(i)*minute
		laid = append(laid, more)
	}
	return scene, laid
}

func ofHost(all []synth.Laid, host string) []synth.Laid {
	return slices.DeleteFunc(slices.Clone(all), func(l synth.Laid) bool { return l.Host != host })
}

// TestListings: files that lie on hosts whose logs show nothing are arrivals, whatever
// lists them, and the content is one that reached many hosts.
func TestListings(t *testing.T) {
	scene, laid := listingScene()
	everyday := synth.Laid{Host: "WS-C", Path: `C:\Users\c\letter.docx`, Size: 5000, SHA256: strings.Repeat("d", 64), Since: synth.Begin}
	for name, c := range map[string]struct {
		files    map[string][]byte
		inferred int
		listed   int
		many     bool
	}{
		"table":      {map[string][]byte{"files.csv": synth.FileTable(append(laid, everyday))}, 2, 1, true},
		"sums":       {map[string][]byte{"uac-WS-C-linux-20260317100000/h.sha256": synth.Sums(ofHost(laid, "WS-C")), "uac-WS-D-linux-20260317100000/h.sha256": synth.Sums(append(ofHost(laid, "WS-D"), everyday))}, 0, 2, false},
		"equal sums": {map[string][]byte{"uac-WS-C-linux-20260317100000/h.sha256": synth.Sums(ofHost(laid, "WS-C")), "uac-WS-D-linux-20260317100000/h.sha256": synth.Sums(ofHost(laid, "WS-C")), "copy/uac-WS-D-linux-20260317100000/h.sha256": synth.Sums(ofHost(laid, "WS-C"))}, 0, 2, false},
		"MFT":        {map[string][]byte{"WS-C/mft.csv": synth.MFT(ofHost(laid, "WS-C")), "WS-D/mft.csv": synth.MFT(ofHost(laid, "WS-D"))}, 0, 2, true},
		"body file":  {map[string][]byte{"WS-C/bodyfile.txt": synth.BodyFile(ofHost(laid, "WS-C"))}, 0, 1, false},
		"others":     {map[string][]byte{"files.csv": synth.FileTable([]synth.Laid{everyday})}, 0, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			c.files["c.pcap"] = scene.Capture.PCAP()
			r := scanFolder(t, write(t, c.files))
			inferred := 0
			for _, x := range r.Transfers {
				if x.Completeness == model.Inferred {
					inferred++
					if x.Name != "svc.exe" || x.Destination.Host != "WS-C" && x.Destination.Host != "WS-D" || x.Start != 0 {
						t.Errorf("%+v", x)
					}
				}
			}
			listed := 0
			for _, a := range r.Artifacts {
				for _, s := range a.Sightings {
					if s.How == "listed" {
						listed++
						if !strings.HasSuffix(s.Path, "svc.exe") || len(s.Evidence) != 1 {
							t.Errorf("%+v", s)
						}
					}
				}
			}
			many := slices.ContainsFunc(r.Findings, func(f *model.Finding) bool { return slices.Contains(f.Analytics, "same-file-many-hosts") })
			if inferred != c.inferred || listed != c.listed || many != c.many {
				t.Errorf("%d inferred, %d listed, many hosts %v: instead of %d, %d, %v", inferred, listed, many, c.inferred, c.listed, c.many)
				for _, x := range r.Transfers {
					t.Log(fmt.Sprint(x.Source.Name(), ">", x.Destination.Name(), " ", x.Path, " ", x.Completeness))
				}
			}
		})
	}
}

// TestPrefetch: a program that came is known to have been started there.
func TestPrefetch(t *testing.T) {
	scene, _ := listingScene()
	ran := "Note,SourceFilename,ExecutableName,Hash,Size,Version,RunCount,LastRun,PreviousRun0,FilesLoaded\n" +
		",SVC.EXE-1.pf,SVC.EXE,AA,1,Win10,1,2026-03-17 09:01:00,,\"\\VOLUME{1}\\WINDOWS\\NTDLL.DLL, \\VOLUME{1}\\WINDOWS\\TEMP\\SVC.EXE\"\n" +
		",SVC.EXE-2.pf,OTHER.EXE,AA,1,Win10,1,2026-03-17 09:01:00,,\n"
	r := scanFolder(t, write(t, map[string][]byte{"c.pcap": scene.Capture.PCAP(), filepath.Join("WS-B", "pecmd.csv"): []byte(ran)}))
	// The host of the address is told by the tree path.
	if len(r.Transfers) != 1 || len(r.Transfers[0].Executed) != 1 || r.Transfers[0].Executed[0].Process != `\VOLUME{1}\WINDOWS\TEMP\SVC.EXE` {
		t.Errorf("%+v", r.Transfers)
	}
}

func TestHostOfCollection(t *testing.T) {
	for input, want := range map[string]string{
		"x/uac-fs-1.corp-linux-20240102030405.tar.gz!uac/[root]/var/log/auth.log": "fs-1.corp",
		"uac-esx1-esxi-20240102030405/[root]/var/log/hostd.log":                   "esx1",
		"x/Collection-WS-7-2024-01-02T03_04_05Z.zip!results/x.json":               "WS-7",
		"day1/linux/web01/audit/audit.log":                                        "web01", "web01/logs/secure": "web01", "logs/web01/auth.log": "web01",
		"uac-notes/file":    "uac-notes",
		"WS-1/C/Windows/x":  "WS-1",
		"collection/file.x": "collection",
	} {
		if got := (&Options{}).hostOf(input); got != want {
			t.Errorf("%s: %s instead of %s", input, got, want)
		}
	}
}
