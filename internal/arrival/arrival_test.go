package arrival

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"waybill/internal/identity"
	"waybill/internal/model"
	"waybill/internal/telemetry"
)

const (
	begin  model.Time = 1741000000e9
	minute model.Time = 60e9
	tool              = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

func lay(host, path string, at model.Time, sha256 string) telemetry.Sighting {
	return telemetry.Sighting{Host: host, Path: path, Stream: "files", SHA256: sha256, Size: 81920, Time: at}
}

// said writes arrivals and listed files, a line each.
func said(in Input) string {
	if in.Hosts == nil {
		in.Hosts = &identity.Table{}
	}
	in.Inputs = []string{"files.csv"}
	r := Find(in)
	var out []string
	for _, t := range r.Arrivals {
		out = append(out, fmt.Sprintf("%s>%s %s %s: %s", t.Source.Name(), t.Destination.Name(), t.Path, t.Confidence, t.Reason[strings.Index(t.Reason, ": ")+2:]))
	}
	for _, l := range r.Listed {
		out = append(out, fmt.Sprintf("%s has %s, as %s", l.Host.Name(), l.Path, l.Of.ID[:2]))
	}
	return strings.Join(out, "\n")
}

func transfer(from, to string, at model.Time, change func(*model.Transfer)) *model.Transfer {
	size := int64(81920)
	t := &model.Transfer{ID: "x-1", Source: model.Endpoint{Host: from}, Destination: model.Endpoint{Host: to}, Start: at, End: at, Name: "svc.exe", Size: &size,
		SHA256: tool, Completeness: model.Whole, Status: model.Done}
	if change != nil {
		change(t)
	}
	return t
}

func logon(from, to string, at model.Time) *model.Access {
	return &model.Access{What: "logon", Source: model.Endpoint{Host: from}, Destination: model.Endpoint{Host: to}, Time: at}
}

// much is files that come together: an installation, the tool among them.
func much(host string, at model.Time, sha256 string) []telemetry.Sighting {
	out := []telemetry.Sighting{lay(host, `C:\Tools\svc.exe`, at, sha256)}
	for i := range 64 {
		out = append(out, lay(host, `C:\Tools\`+strconv.Itoa(i)+".dll", at, ""))
	}
	return out
}

func TestArrivals(t *testing.T) {
	temp := `C:\Windows\Temp\svc.exe`
	on := func(hosts string, path string, apart model.Time, sum string) []telemetry.Sighting {
		var out []telemetry.Sighting
		for i, h := range strings.Fields(hosts) {
			out = append(out, lay(h, path, begin+model.Time(i)*apart, sum))
		}
		return out
	}
	for name, c := range map[string]struct {
		in   Input
		want string
	}{
		"its hash was on another host": {Input{Sightings: on("A B", temp, minute, tool)},
			">B " + temp + " low: its content was on A before\nA has " + temp + ", as t-"},
		"it moved elsewhere": {Input{Sightings: on("C", temp, 0, tool), Transfers: []*model.Transfer{transfer("A", "B", begin-minute, nil)}},
			">C " + temp + " low: its content moved from A to B before\n"},
		"it is where it moved to": {Input{Sightings: on("B", temp, 0, tool), Transfers: []*model.Transfer{transfer("A", "B", begin-minute, nil)}},
			"B has " + temp + ", as x-"},
		"since when is not known": {Input{Sightings: []telemetry.Sighting{lay("C", temp, 0, tool)}, Transfers: []*model.Transfer{transfer("A", "B", begin, nil)}},
			"C has " + temp + ", as x-"},
		"it was here long before":             {Input{Sightings: on("C", temp, 0, tool), Transfers: []*model.Transfer{transfer("A", "B", begin+3*minute, nil)}}, "C has " + temp + ", as x-"},
		"a refused transfer":                  {Input{Sightings: on("C", temp, 0, tool), Transfers: []*model.Transfer{transfer("A", "B", begin, func(t *model.Transfer) { t.Status = model.Denied })}}, ""},
		"another day":                         {Input{Sightings: on("A B", temp, 25*60*minute, tool)}, ""},
		"only name and size are alike":        {Input{Sightings: on("A B", temp, minute, "")}, ""},
		"name and size, and who had it comes": {Input{Sightings: on("A B", temp, minute, ""), Accesses: []*model.Access{logon("A", "B", begin+minute-5e9)}}, "A>B " + temp + " medium: its content was on A before, which was active here at the time\nA has " + temp + ", as t-"},
		"name and size, and another comes":    {Input{Sightings: on("A B", temp, minute, ""), Accesses: []*model.Access{logon("C", "B", begin+minute-5e9)}}, ""},
		"name and size, too late":             {Input{Sightings: on("A B", temp, minute, ""), Accesses: []*model.Access{logon("A", "B", begin+3*minute)}}, ""},
		"name and size of what moved":         {Input{Sightings: on("C", temp, 0, ""), Transfers: []*model.Transfer{transfer("A", "B", begin-minute, nil)}}, "C has " + temp + ", as x-"},
		"the name of what moved, other bytes": {Input{Sightings: on("C", temp, 0, strings.Repeat("a", 64)), Transfers: []*model.Transfer{transfer("A", "B", begin-minute, nil)}}, ""},
		"two come at the time": {Input{Sightings: on("A B", temp, minute, tool), Accesses: []*model.Access{logon("C", "B", begin+minute), logon("D", "B", begin+minute)}},
			">B " + temp + " low: its content was on A before\nA has " + temp + ", as t-"},
		"software":               {Input{Sightings: on("A B", `C:\Program Files\X\svc.exe`, minute, tool)}, ""},
		"two files on one host":  {Input{Sightings: append(on("A", temp, 0, tool), on("a.corp", `C:\b.exe`, 0, tool)...)}, ""},
		"an installation":        {Input{Sightings: slices.Concat(much("A", begin, tool), much("B", begin+minute, tool))}, ""},
		"most hosts, over days":  {Input{Sightings: on("A B C D", temp, 23*60*minute, tool)}, ""},
		"most hosts, in an hour": {Input{Sightings: on("A B C D", temp, minute, tool)}, ">B " + temp + " low: its content was on A before\n>C " + temp + " low: its content was on A before\n>D " + temp + " low: its content was on A before\nA has " + temp + ", as t-"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := said(c.in); got != strings.TrimSuffix(c.want, "\n") {
				t.Errorf("\n%s\ninstead of\n%s", got, c.want)
			}
		})
	}
}

// TestSameOut: the order of the listings changes nothing.
func TestSameOut(t *testing.T) {
	var all []telemetry.Sighting
	for i, h := range []string{"A", "B", "C"} {
		for k := range 40 {
			all = append(all, lay(h, `C:\x\`+strconv.Itoa(k)+".exe", begin+model.Time(i)*minute+model.Time(k)*10*minute, fmt.Sprintf("%064x", k+1)))
		}
	}
	want := said(Input{Sightings: slices.Clone(all)})
	slices.Reverse(all)
	if got := said(Input{Sightings: all}); got != want || strings.Count(want, "\n") < 80 {
		t.Errorf("%s\ninstead of\n%s", got, want)
	}
}

// TestHashOfOthers: a listing with SHA-1 and a capture with both say one content.
func TestHashOfOthers(t *testing.T) {
	s := telemetry.Sighting{Host: "C", Path: "/tmp/agent", SHA1: strings.Repeat("b", 40), Size: -1, Time: begin}
	moved := transfer("A", "B", begin-minute, func(t *model.Transfer) { t.SHA1 = s.SHA1 })
	r := Find(Input{Sightings: []telemetry.Sighting{s}, Transfers: []*model.Transfer{moved}, Hosts: &identity.Table{}, Inputs: []string{"x"}})
	if len(r.Arrivals) != 1 || !slices.Contains(r.Arrivals[0].Hashes, model.Hash{Alg: "sha256", Value: tool, From: "bytes", Time: begin - minute}) || r.Arrivals[0].Size != nil {
		t.Errorf("%+v", r.Arrivals)
	}
}

func BenchmarkMillion(b *testing.B) {
	var all []telemetry.Sighting
	for i := range 1_000_000 {
		all = append(all, lay("H"+strconv.Itoa(i%8), `C:\Users\a\`+strconv.Itoa(i/5)+".exe", begin+model.Time(i)*1e9, ""))
	}
	for b.Loop() {
		said(Input{Sightings: all})
	}
}
