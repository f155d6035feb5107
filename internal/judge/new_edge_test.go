package judge

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"waybill/internal/model"
)

// handedOut is how hosts fetch packages from servers on five days, and the last one after
// them.
func handedOut(servers int, last func(*model.Transfer)) []*model.Transfer {
	var out []*model.Transfer
	fetch := func(at model.Time, from, to, path string) *model.Transfer {
		t := logged(fmt.Sprintf("t-%d", len(out)), at, func(t *model.Transfer) {
			t.Operation, t.Initiator, t.Channel, t.Share, t.User = model.Pull, model.ByDestination, "deploy", "", ""
			t.Source, t.Destination = model.Endpoint{Host: from}, model.Endpoint{Host: to}
			t.Path, t.Name = path, path[strings.LastIndexByte(path, '\\')+1:]
		})
		out = append(out, t)
		return t
	}
	for day := range model.Time(5) {
		for i := range model.Time(4) {
			fetch(day*Window+i*3600e9, fmt.Sprintf("CM-%d", int(i)%servers), fmt.Sprintf("WS-%d", i), `C:\Windows\ccmcache\1f\reader.exe`)
		}
	}
	last(fetch(5*Window, "WS-0", "WS-1", `C:\Windows\ccmcache\2a\tool.exe`))
	return out
}

// TestNewGiver: what few hosts hand out on many days, from one that never did.
func TestNewGiver(t *testing.T) {
	for name, c := range map[string]struct {
		servers int
		last    func(*model.Transfer)
		want    bool
	}{
		"from another host":    {1, func(*model.Transfer) {}, true},
		"from one that does":   {1, func(t *model.Transfer) { t.Source.Host = "CM-0" }, false},
		"many hand it out":     {4, func(*model.Transfer) {}, false},
		"another kind of file": {1, func(t *model.Transfer) { t.Path = `C:\Windows\ccmcache\2a\tool.dll`; t.Name = "tool.dll" }, false},
		"of another folder":    {1, func(t *model.Transfer) { t.Path = `C:\Tools\tool.exe` }, false},
		"in another way":       {1, func(t *model.Transfer) { t.Channel = "http" }, false},
	} {
		all := handedOut(c.servers, c.last)
		found := false
		for _, f := range Look(all, nil, nil, Settings{}).Findings {
			for _, r := range f.Reasons {
				found = found || strings.Contains(r.Text, "never came from this one") && r.Nats == newGiver
			}
		}
		if found != c.want {
			t.Errorf("%s: %v", name, found)
		}
	}
	early := handedOut(1, func(*model.Transfer) {})[12:] // two days are no habit
	if got := said(early, nil, Settings{}); strings.Contains(got, "new-edge 4.5") {
		t.Error(got)
	}
}

// TestOrigin: what nobody was seen with, from a host that fetches such files from others
// and did not get it.
func TestOrigin(t *testing.T) {
	const content = "00000000000000000000000000000000000000000000000000000000000000aa"
	for name, c := range map[string]struct {
		came bool // to the source, an hour before
		want bool
	}{
		"from nowhere": {false, true},
		"handed on":    {true, false},
	} {
		all := handedOut(1, func(t *model.Transfer) { t.SHA256 = content })
		if c.came {
			came := *all[len(all)-1]
			came.ID, came.Source.Host, came.Destination.Host, came.SHA256 = "t-came", "CM-0", "WS-0", content
			came.Start, came.End = came.Start-3600e9, came.End-3600e9
			all = append(all, &came)
		}
		var said []string
		for _, f := range Look(all, nil, nil, Settings{}).Findings {
			if slices.Contains(f.Transfers, "t-20") {
				for _, r := range f.Reasons {
					said = append(said, fmt.Sprintf("%s %g", r.Analytic, r.Nats))
				}
			}
		}
		if len(said) == 0 || slices.Contains(said, "rare-file 3.5") != c.want {
			t.Errorf("%s: %q", name, said)
		}
	}
}
