package judge

import (
	"strings"
	"testing"

	"waybill/internal/model"
)

// TestClients: a client whose line names a host and no file moved what went there soon
// after.
func TestClients(t *testing.T) {
	for name, c := range map[string]struct {
		change func(a *model.Access, t *model.Transfer)
		want   string
	}{
		"with a script": {func(*model.Access, *model.Transfer) {}, "tool-push 6, transfer-utility 4"},
		"by hand":       {func(a *model.Access, _ *model.Transfer) { a.Detail = "" }, "tool-push 6, transfer-utility 2"},
		"by address": {func(a *model.Access, t *model.Transfer) {
			a.Destination = model.Endpoint{IP: addr("10.0.0.8")}
			t.Destination = a.Destination
		}, "tool-push 6, transfer-utility 4"},
		"an inferred one":  {func(_ *model.Access, t *model.Transfer) { t.Start, t.Completeness = 0, model.Inferred }, "tool-push 6, transfer-utility 4"},
		"to another host":  {func(a *model.Access, _ *model.Transfer) { a.Destination.Host = "FS" }, "tool-push 6"},
		"of another host":  {func(a *model.Access, _ *model.Transfer) { a.Source.Host = "PC" }, "tool-push 6"},
		"an hour before":   {func(a *model.Access, _ *model.Transfer) { a.Time -= 3600e9 }, "tool-push 6"},
		"another client":   {func(a *model.Access, _ *model.Transfer) { a.Channel = "tftp" }, "tool-push 6"},
		"another channel":  {func(_ *model.Access, t *model.Transfer) { t.Channel = "ssh" }, ""},
		"a page of a scan": {func(_ *model.Access, t *model.Transfer) { t.Name, t.Path = "a.pdf", "a.pdf" }, ""},
	} {
		x := logged("t-1", 60e9, func(t *model.Transfer) {
			t.Channel, t.Share, t.Path = "ftp", "", "/srv/a.exe"
			t.Destination.Host = "srv.corp.example"
		})
		a := &model.Access{ID: "a-1", Time: begin, What: "command", Channel: "ftp", Source: model.Endpoint{Host: "WS"}, Destination: model.Endpoint{Host: "SRV"},
			Object: "ftp", Command: "ftp -s:c.txt SRV", Detail: "with a file of commands"}
		c.change(a, x)
		if got := said([]*model.Transfer{x}, []*model.Access{a}, Settings{}); got != c.want {
			t.Errorf("%s: %q, not %q", name, got, c.want)
		}
	}
}

// TestOrders: another host's order names its technique.
func TestOrders(t *testing.T) {
	x := logged("t-1", 0, func(t *model.Transfer) { t.Tool, t.Command, t.CommandBy = "copy", "copy a b", "wmi" })
	f := Look([]*model.Transfer{x}, nil, nil, Settings{}).Findings
	if len(f) != 1 || !strings.Contains(strings.Join(f[0].Techniques, " "), "T1047") {
		t.Errorf("%+v", f)
	}
}

// TestBareHabit: handing out software explains no new program that names no maker.
func TestBareHabit(t *testing.T) {
	u := Usual{Days: 5, FamilyHosts: 9}
	u.Family.Count, u.Family.Days = 20, 5
	if !u.habit() {
		t.Error("no habit")
	}
	if u.Bare = true; u.habit() {
		t.Error("a new program of no maker is a habit")
	}
	if u.Content.Days = 3; !u.habit() {
		t.Error("a known one is none")
	}
}

// TestUsualPull: what a host gave another on many days explains the kinds that it gives.
func TestUsualPull(t *testing.T) {
	u := Usual{Days: 9}
	u.Pair.Days, u.Family.Days = 5, 2
	if nats, _ := u.edge("", true, false); nats != usualPull {
		t.Error(nats)
	}
	u.Family.Days = 0
	if nats, _ := u.edge("", true, false); nats != 0 {
		t.Error(nats)
	}
	if nats, _ := u.edge("", false, false); nats != usualEdge {
		t.Error(nats)
	}
}

// TestKnownOfNobody: what hosts were seen with is no news, whoever made it.
func TestKnownOfNobody(t *testing.T) {
	e := known(logged("t-1", 0, func(t *model.Transfer) {
		t.Operation, t.Initiator, t.Channel, t.Share, t.Company = model.Pull, model.ByDestination, "deploy", "", noMaker
	}))
	if ofNobody(e) == "" {
		t.Error("a new program is none")
	}
	if e.Usual.Content.Days = 3; ofNobody(e) != "" {
		t.Error("a known program is one")
	}
}
