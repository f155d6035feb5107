package judge

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"waybill/internal/model"
	"waybill/internal/spread"
)

// scenario is one file of testdata: what was seen, and what must come of it.
type scenario struct {
	About     string
	Transfers []struct {
		At             time.Duration // after the scenario's begin
		From, To       string        // addresses; the first opened the exchange unless pull
		Pull           bool
		Channel, Share string
		Path, Content  string // content names one; "" is unknown
		Type, User     string
		Size           int64
		Status         string
		Partial        bool
		Opaque         int64 // estimate of what moved, encrypted
		Copy           bool  // neither end asked for it: a third one did
		Notes          []string
	}
	Calls []struct {
		At                  time.Duration
		From, To            string
		What, Service, Path string
		User, Status        string
	}
	Findings []struct {
		Score     float64
		Severity  string
		Analytics []string
		Transfers int
		Title     string // a part of it
	}
}

const begin = model.Time(1_773_738_000e9)

func addr(s string) model.Addr { return model.AddrOf(netip.MustParseAddr(s)) }

// records makes the records of a scenario.
func (s *scenario) records() (transfers []*model.Transfer, accesses []*model.Access) {
	for i, x := range s.Transfers {
		t := &model.Transfer{ID: fmt.Sprintf("t-%d", i), Start: begin + model.Time(x.At), End: begin + model.Time(x.At) + 1e6,
			Channel: x.Channel, Share: x.Share, Path: x.Path, Name: x.Path[strings.LastIndexAny(x.Path, `\/`)+1:],
			Type: x.Type, User: x.User, Status: model.Done, Completeness: model.Whole, Scope: model.ScopeInternal, Techniques: []string{"T1570"},
			Evidence: []model.Evidence{{Input: "a.pcap", Kind: "packets", Packets: &[2]uint64{uint64(i), uint64(i)}}}}
		if t.Channel == "" {
			t.Channel = "smb2"
		}
		if x.Status != "" {
			t.Status = x.Status
		}
		size := x.Size
		if size == 0 {
			size = 1000
		}
		t.Size = &size
		if x.Content != "" && !x.Partial {
			t.SHA256 = fmt.Sprintf("%064x", x.Content)
		}
		if x.Partial {
			t.Completeness = model.Partial
			t.Prefix = map[string]string{"65536": fmt.Sprintf("%064x", x.Content)}
		}
		t.Source, t.Destination = model.Endpoint{IP: addr(x.From)}, model.Endpoint{IP: addr(x.To)}
		t.Operation, t.Initiator = model.Push, model.BySource
		switch {
		case x.Pull:
			t.Operation, t.Initiator = model.Pull, model.ByDestination
		case x.Copy:
			t.Operation, t.Initiator, t.Client = model.Copy, model.ByOther, &t.Source
		}
		if t.Notes = x.Notes; x.Opaque > 0 {
			t.Completeness, t.Confidence, t.Size, t.Estimate = model.Opaque, "medium", nil, &model.Estimate{Size: x.Opaque, Low: x.Opaque * 97 / 100, High: x.Opaque * 103 / 100}
		}
		transfers = append(transfers, t)
	}
	for i, x := range s.Calls {
		accesses = append(accesses, &model.Access{ID: fmt.Sprintf("a-%d", i), Time: begin + model.Time(x.At), What: x.What,
			Source: model.Endpoint{IP: addr(x.From)}, Destination: model.Endpoint{IP: addr(x.To)},
			Object: x.Service, Command: x.Path, User: x.User, Status: x.Status,
			Evidence: []model.Evidence{{Input: "a.pcap", Kind: "packets", Packets: &[2]uint64{uint64(1000 + i), uint64(1000 + i)}}}})
	}
	return transfers, accesses
}

// known is the event of a transfer, with its facts.
func known(t *model.Transfer) Event {
	book := spread.New(spread.Settings{})
	return Event{Time: t.End, Transfer: t, Usual: &Usual{}, Facts: newFactory(book).of(t, book.Add(t))}
}

func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var s scenario
			if err := yaml.Unmarshal(text, &s); err != nil {
				t.Fatal(err)
			}
			transfers, accesses := s.records()
			got := Look(transfers, accesses, nil, Settings{}).Findings
			if len(got) != len(s.Findings) {
				for _, f := range got {
					t.Logf("%v %v %s", f.Score, f.Analytics, f.Title)
				}
				t.Fatalf("%d findings instead of %d", len(got), len(s.Findings))
			}
			for i, want := range s.Findings {
				f := got[i]
				if f.Score != want.Score || f.Severity.String() != want.Severity || !slices.Equal(f.Analytics, want.Analytics) ||
					len(f.Transfers) != want.Transfers || !strings.Contains(f.Title, want.Title) {
					t.Errorf("%v %v %v, %d transfers, %q\ninstead of %+v", f.Score, f.Severity, f.Analytics, len(f.Transfers), f.Title, want)
				}
				checkFinding(t, f)
			}
		})
	}
}

// checkFinding holds for every finding.
func checkFinding(t *testing.T, f *model.Finding) {
	t.Helper()
	if !LacksHistory(f) {
		t.Errorf("%s: a history is missing, and %q does not say so", f.Title, f.Missing)
	}
	sum, last := 0.0, model.Time(0)
	for _, r := range f.Reasons {
		sum += r.Nats
		if w, ok := Weights()[r.Analytic]; ok && w.Family != r.Family {
			t.Errorf("%s is of the family %s, not %s", r.Analytic, r.Family, w.Family)
		}
		if r.Text == "" || len(r.Evidence) == 0 {
			t.Errorf("%s: text %q, %d pieces of evidence", r.Analytic, r.Text, len(r.Evidence))
		}
	}
	if sum != f.Score || f.Time <= last || !strings.HasPrefix(f.ID, "f-") || len(f.Missing) == 0 || len(f.Hosts) == 0 {
		t.Errorf("%+v", f)
	}
}

// TestOrder gives the same verdict whatever order the records come in.
func TestOrder(t *testing.T) {
	var s scenario
	text, err := os.ReadFile("testdata/copy-and-start.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	transfers, accesses := s.records()
	want, _ := json.Marshal(Look(transfers, accesses, nil, Settings{}).Findings)
	transfers, accesses = s.records()
	slices.Reverse(accesses)
	if got, _ := json.Marshal(Look(transfers, accesses, nil, Settings{}).Findings); string(got) != string(want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if n := len(transfers[1].Executed); n != 1 {
		t.Errorf("%d starts noted", n)
	}
}

// TestStatesSerialise writes every state as JSON after each event and goes on
// with what was read: the marks stay the same. State is partitioned by key.
func TestStatesSerialise(t *testing.T) {
	var s scenario
	text, _ := os.ReadFile("testdata/copy-and-start.yaml")
	if err := yaml.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	transfers, accesses := s.records()
	plain, stored := analytics(Settings{}), analytics(Settings{})
	marks := 0
	book := spread.New(spread.Settings{})
	facts := newFactory(book)
	for _, e := range events(transfers, accesses, nil) {
		e.Usual = &Usual{}
		if e.Transfer != nil {
			e.Facts = facts.of(e.Transfer, book.Add(e.Transfer))
		}
		for i := range plain {
			want, got := plain[i].Step(e), stored[i].Step(e)
			marks += len(want)
			if len(want)+len(got) > 0 && !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %+v instead of %+v", plain[i].Name(), got, want)
			}
			throughJSON(t, stored[i])
		}
	}
	if marks == 0 {
		t.Error("no marks at all")
	}
}

// throughJSON writes and reads all states of an analytic.
func throughJSON(t *testing.T, a Analytic) {
	t.Helper()
	switch r := a.(type) {
	case *rule[adminWrites]:
		again(t, r)
	case *rule[starts]:
		again(t, r)
	case *rule[reach]:
		again(t, r)
	case *rule[readers]:
		again(t, r)
	case *rule[shelves]:
		again(t, r)
	case *rule[policies]:
		again(t, r)
	case *rule[drops]:
		again(t, r)
	case *rule[sends]:
		again(t, r)
	case *rule[holders]:
		again(t, r)
	case *rule[habits]:
		again(t, r)
	case *rule[pipes]:
		again(t, r)
	case *rule[writers]:
		again(t, r)
	case *rule[aliases]:
		again(t, r)
	case *rule[serves]:
		again(t, r)
	case *rule[sizes]:
		again(t, r)
	case *rule[hardware]:
		again(t, r)
	case *rule[place]:
		again(t, r)
	case *rule[receipts]:
		again(t, r)
	case *rule[passes]:
		again(t, r)
	case both:
		throughJSON(t, r[0])
		throughJSON(t, r[1])
	case *rule[struct{}]:
		again(t, r)
	default:
		t.Fatalf("%s: another kind of state", a.Name())
	}
}

func again[S any](t *testing.T, r *rule[S]) {
	t.Helper()
	for i, part := range r.states {
		if part == nil {
			continue
		}
		b, err := json.Marshal(part)
		if err != nil {
			t.Fatal(err)
		}
		r.states[i] = nil
		if err := json.Unmarshal(b, &r.states[i]); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRunBy(t *testing.T) {
	for _, c := range []struct {
		share, path, command string
		want                 bool
	}{
		{"ADMIN$", `Temp\x.exe`, `%SystemRoot%\Temp\x.exe -k`, true},
		{"ADMIN$", `x.exe`, `C:\Windows\x.exe`, true},
		{"ADMIN$", `x.exe`, `x.exe`, true},
		{"ADMIN$", `x.exe`, `"C:\Windows\x.exe" arg`, true},
		{"ADMIN$", `Temp\x.exe`, `C:\Windows\Other\x.exe`, false},
		{"ADMIN$", `x.exe`, `C:\Windows\xx.exe`, false},
		{"ADMIN$", `x.exe`, `C:\Windows\x.exe.bak`, false},
		{"C$", `tools\x.exe`, `c:\tools\x.exe`, true},
		{"C$", `tools\x.exe`, `d:\tools\x.exe`, false},
		{"C$", `tools/x.exe`, `cmd /c c:\tools\x.exe`, true},
		{"Public", `x.exe`, `C:\Shares\Public\x.exe`, true},
	} {
		l := landing{Share: c.share, Path: pathKey(c.path), Name: strings.ToLower(c.path[strings.LastIndexAny(c.path, `\/`)+1:])}
		if got := l.runBy(pathKey(strings.Trim(c.command, ` "`))); got != c.want {
			t.Errorf("%s\\%s by %s: %v", c.share, c.path, c.command, got)
		}
	}
}

func TestUnfit(t *testing.T) {
	for _, c := range []struct{ name, typ, technique string }{
		{"photo.jpg", "pe", "T1036.008"}, {"notes.txt", "elf", "T1036.008"}, {"plan.pdf", "archive", "T1036.008"},
		{"invoice.pdf.exe", "pe", "T1036.007"}, {"a.doc   .scr", "pe", "T1036.007"},
		{"setup.exe", "pe", ""}, {"lib.dll", "pe", ""}, {"plan.docx", "archive", ""}, {"log.txt", "archive", ""}, {"data.bin", "pe", ""},
		{"noextension", "pe", ""}, {"setup.tmp", "pe", ""}, {"v1.2.exe", "pe", ""}, {"a.zip", "archive", ""}, {"script.txt", "text", ""},
	} {
		if _, got := unfit(c.name, c.typ); got != c.technique {
			t.Errorf("%s with %s: %q instead of %q", c.name, c.typ, got, c.technique)
		}
	}
}

func TestAble(t *testing.T) {
	v := Look(nil, nil, nil, Settings{})
	for name, c := range map[string]struct {
		coverage model.Coverage
		want     string
	}{
		"nothing":   {model.Coverage{}, "unable"},
		"all clear": {model.Coverage{Decoded: map[string]int64{"smb2": 9}}, "able"},
		"encrypted": {model.Coverage{Decoded: map[string]int64{"smb2": 9}, Blind: map[string]int64{"encrypted-smb3": 1}}, "partly"},
	} {
		able := v.Able(&c.coverage)
		if got := able["admin-share-write"].Able; got != c.want {
			t.Errorf("%s: %s instead of %s", name, got, c.want)
		}
		if len(able) != len(analytics(Settings{})) {
			t.Errorf("%d analytics", len(able))
		}
	}
}

// TestAbleToSeeStarts: what logs starts says how far remote-start sees.
func TestAbleToSeeStarts(t *testing.T) {
	v := Look(nil, nil, nil, Settings{})
	for log, want := range map[string]string{"sysmon/1": "able", "security/4688": "able", "auditd": "partly", "sysmon": "partly", "eslogger": "partly", "vsftpd": "unable"} {
		c := model.Coverage{Events: map[string]int64{log: 5}}
		if got := v.Able(&c)["remote-start"].Able; got != want {
			t.Errorf("%s: %s instead of %s", log, got, want)
		}
	}
}

func TestArtifacts(t *testing.T) {
	s := scenario{}
	if err := yaml.Unmarshal([]byte(`
transfers:
  - {from: 10.0.0.1, to: 10.0.0.2, path: a.exe, content: x}
  - {at: 1s, from: 10.0.0.2, to: 10.0.0.3, path: b.exe, content: x}
  - {at: 2s, from: 10.0.0.2, to: 10.0.0.3, path: c.exe, content: y, status: denied}
`), &s); err != nil {
		t.Fatal(err)
	}
	transfers, _ := s.records()
	all := Look(transfers, nil, nil, Settings{}).Artifacts
	if len(all) != 1 || !slices.Equal(all[0].Names, []string{"a.exe", "b.exe"}) || len(all[0].Sightings) != 4 {
		t.Errorf("%d artifacts, %+v", len(all), all[0])
	}
}
