package ledger

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"waybill/internal/identity"
	"waybill/internal/model"
)

const second model.Time = 1e9

func addr(s string) model.Addr { return model.AddrOf(netip.MustParseAddr(s)) }

func hosts() *identity.Table {
	t := &identity.Table{}
	for a, h := range map[string]string{"10.0.0.1": "WS1.corp.test", "10.0.0.2": "WS2.corp.test", "10.0.0.8": "SRV.corp.test"} {
		t.Add(identity.Binding{Addr: addr(a), Host: h, Last: 1e15})
	}
	return t
}

// packets is what a capture shows: a.exe whole, from WS1 to SRV.
func packets() *model.Transfer {
	return &model.Transfer{ID: "t-p", Start: 100 * second, End: 101 * second, Source: model.Endpoint{IP: addr("10.0.0.1"), Port: 5000},
		Destination: model.Endpoint{IP: addr("10.0.0.8"), Port: 445}, Operation: model.Push, Channel: "smb2", Name: "a.exe", Path: `t\a.exe`, SHA256: "aa",
		Completeness: model.Whole, Status: model.Done, Evidence: []model.Evidence{{Input: "a.pcap", Kind: "packets"}}}
}

// server is what the logs of SRV say of it, client what those of WS1 do.
func server() *model.Transfer {
	return &model.Transfer{ID: "t-s", Start: 99 * second, End: 101 * second, Source: model.Endpoint{IP: addr("10.0.0.1")}, Destination: model.Endpoint{Host: "SRV.corp.test"},
		Operation: model.Push, Channel: "smb", Name: "A.EXE", Completeness: model.Logged, Status: model.Done, User: "bob",
		Evidence: []model.Evidence{{Input: "srv.evtx", Kind: "event", Computer: "SRV.corp.test"}}}
}

func client() *model.Transfer {
	return &model.Transfer{ID: "t-c", Start: 98 * second, End: 98 * second, Source: model.Endpoint{Host: "WS1.corp.test"}, Destination: model.Endpoint{Host: "srv"},
		Operation: model.Push, Channel: "smb", Name: "a.exe", Completeness: model.Logged, Status: model.Claimed, Tool: "copy", Process: "cmd.exe",
		Evidence: []model.Evidence{{Input: "ws1.evtx", Kind: "event", Computer: "WS1.corp.test"}}}
}

// with changes a transfer.
func with(t *model.Transfer, change func(*model.Transfer)) *model.Transfer {
	change(t)
	return t
}

func TestJoin(t *testing.T) {
	for name, c := range map[string]struct {
		all  []*model.Transfer
		want string // ids, with those joined to them
	}{
		"all three":              {[]*model.Transfer{client(), server(), packets()}, "t-p+t-s+t-c"},
		"logs of both ends":      {[]*model.Transfer{client(), server()}, "t-s+t-c"},
		"a capture and a claim":  {[]*model.Transfer{packets(), client()}, "t-p+t-c"},
		"two captures never":     {[]*model.Transfer{packets(), with(packets(), func(t *model.Transfer) { t.ID = "t-q" })}, "t-p t-q"},
		"too late":               {[]*model.Transfer{packets(), with(server(), func(t *model.Transfer) { t.Start, t.End = 400*second, 400*second })}, "t-p t-s"},
		"another source":         {[]*model.Transfer{packets(), with(server(), func(t *model.Transfer) { t.Source.IP = addr("10.0.0.2") })}, "t-s t-p"},
		"another destination":    {[]*model.Transfer{packets(), with(server(), func(t *model.Transfer) { t.Destination.Host = "WS2.corp.test" })}, "t-s t-p"},
		"another name":           {[]*model.Transfer{packets(), with(server(), func(t *model.Transfer) { t.Name = "b.exe" })}, "t-s t-p"},
		"another name, its hash": {[]*model.Transfer{packets(), with(server(), func(t *model.Transfer) { t.Name = "b.exe"; t.Hashes = []model.Hash{{Alg: "sha256", Value: "aa"}} })}, "t-p+t-s"},
		"another content":        {[]*model.Transfer{packets(), with(server(), func(t *model.Transfer) { t.Hashes = []model.Hash{{Alg: "sha256", Value: "bb"}} })}, "t-s t-p"},
		"another channel":        {[]*model.Transfer{packets(), with(server(), func(t *model.Transfer) { t.Channel = "http" })}, "t-s t-p"},
		"an earlier name":        {[]*model.Transfer{with(packets(), func(t *model.Transfer) { t.Name, t.EarlierNames = "z.exe", []string{"a.exe"} }), server()}, "t-p+t-s"},
		"an unknown source":      {[]*model.Transfer{packets(), with(server(), func(t *model.Transfer) { t.Source = model.Endpoint{} })}, "t-p+t-s"},
		"both ends unknown":      {[]*model.Transfer{packets(), with(server(), func(t *model.Transfer) { t.Source, t.Destination = model.Endpoint{}, model.Endpoint{} })}, "t-s t-p"},
		"two of one host's logs": {[]*model.Transfer{server(), with(server(), func(t *model.Transfer) { t.ID = "t-s2" })}, "t-s t-s2"},
	} {
		got := Join(c.all, hosts())
		slices.SortFunc(got, func(a, b *model.Transfer) int { return int(a.Start - b.Start) })
		var ids []string
		for _, x := range got {
			id := x.ID
			for _, o := range x.Observations {
				if o != x.ID {
					id += "+" + o
				}
			}
			ids = append(ids, id)
		}
		if s := strings.Join(ids, " "); s != c.want {
			t.Errorf("%s: %s instead of %s", name, s, c.want)
		}
	}
}

// TestMerge: the best witness stays, and has what the others know.
func TestMerge(t *testing.T) {
	got := Join([]*model.Transfer{client(), server(), packets()}, hosts())
	if len(got) != 1 {
		t.Fatalf("%d transfers", len(got))
	}
	x := got[0]
	if x.Completeness != model.Whole || x.SHA256 != "aa" || x.User != "bob" || x.Process != "cmd.exe" || x.Tool != "copy" ||
		x.Source.Host != "WS1.corp.test" || x.Destination.Host != "SRV.corp.test" || x.Source.Port != 5000 || len(x.Evidence) != 3 {
		t.Errorf("%+v", x)
	}
	if got := Join([]*model.Transfer{client(), server()}, hosts()); got[0].Status != model.Done || got[0].ID != "t-s" {
		t.Errorf("%+v", got[0])
	}
}

// TestOrderIsNothing joins in every order.
func TestOrderIsNothing(t *testing.T) {
	for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		all := []*model.Transfer{client(), server(), packets()}
		got := Join([]*model.Transfer{all[order[0]], all[order[1]], all[order[2]]}, hosts())
		if len(got) != 1 || got[0].ID != "t-p" || !slices.Equal(got[0].Observations, []string{"t-p", "t-s", "t-c"}) {
			t.Errorf("%v: %d transfers, %+v", order, len(got), got[0])
		}
	}
}

func TestTie(t *testing.T) {
	start := func(host, image string, at model.Time) Start {
		return Start{Host: model.Endpoint{Host: host}, Image: image, Execution: model.Execution{Time: at, How: "process"}}
	}
	for name, c := range map[string]struct {
		start Start
		want  int
	}{
		"there and then":      {start("SRV.corp.test", `C:\t\a.exe`, 110*second), 1},
		"on another host":     {start("WS2.corp.test", `C:\t\a.exe`, 110*second), 0},
		"in another folder":   {start("SRV.corp.test", `C:\u\a.exe`, 110*second), 0},
		"long before":         {start("SRV.corp.test", `C:\t\a.exe`, -500*second), 0},
		"two days later":      {start("SRV.corp.test", `C:\t\a.exe`, 200_000*second), 0},
		"another program":     {start("SRV.corp.test", `C:\t\b.exe`, 110*second), 0},
		"a name that ends so": {start("SRV.corp.test", `C:\t\xa.exe`, 110*second), 0},
	} {
		all := Join([]*model.Transfer{packets()}, hosts())
		if Tie(all, []Start{c.start, c.start}, hosts()); len(all[0].Executed) != c.want {
			t.Errorf("%s: %d starts", name, len(all[0].Executed))
		}
	}
}

func TestConfirm(t *testing.T) {
	claim := func() *model.Transfer {
		return &model.Transfer{ID: "t-c", Start: 98 * second, End: 98 * second, Source: model.Endpoint{Host: "SRV.corp.test"}, Destination: model.Endpoint{Host: "WS1.corp.test"},
			Operation: model.Pull, Channel: "smb", Name: "b.exe", Path: `tools\a.exe`, Status: model.Claimed, Completeness: model.Logged}
	}
	read := func(by, path string, at model.Time) *model.Access {
		return &model.Access{Time: at, What: "share-read", Source: model.Endpoint{IP: addr(by)}, Destination: model.Endpoint{Host: "SRV.corp.test"}, Object: path}
	}
	for name, c := range map[string]struct {
		read *model.Access
		want string
	}{
		"agrees":         {read("10.0.0.1", `Tools\A.exe`, 99*second), model.Done},
		"another reader": {read("10.0.0.2", `tools\a.exe`, 99*second), model.Claimed},
		"another file":   {read("10.0.0.1", `other\a.exe`, 99*second), model.Claimed},
		"hours later":    {read("10.0.0.1", `tools\a.exe`, 9000*second), model.Claimed},
	} {
		x := claim()
		c.read.User = "anna"
		if Confirm([]*model.Transfer{x}, []*model.Access{c.read}, hosts()); x.Status != c.want || (x.User == "anna") != (c.want == model.Done) {
			t.Errorf("%s: %s by %q", name, x.Status, x.User)
		}
	}
}

// TestConfirmByDomain: what was run from a share of the domain came from the controller
// whose log has the read.
func TestConfirmByDomain(t *testing.T) {
	ran := &model.Transfer{ID: "t-c", Start: 98 * second, End: 98 * second, Source: model.Endpoint{Host: "corp.test"}, Destination: model.Endpoint{Host: "WS1.corp.test"},
		Operation: model.Pull, Channel: "smb", Name: "a.exe", Path: `scripts\a.exe`, Status: model.Done, Completeness: model.Logged}
	read := &model.Access{Time: 97 * second, What: "share-read", Source: model.Endpoint{IP: addr("10.0.0.1")}, Destination: model.Endpoint{Host: "SRV.corp.test"}, User: "WS1$", Object: `scripts\a.exe`}
	Confirm([]*model.Transfer{ran}, []*model.Access{read}, hosts())
	if ran.Source.Host != "SRV.corp.test" || ran.User != "WS1$" {
		t.Errorf("%+v by %q", ran.Source, ran.User)
	}
}
