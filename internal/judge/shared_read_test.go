package judge

import (
	"fmt"
	"strings"
	"testing"

	"waybill/internal/history"
	"waybill/internal/model"
)

// readOn is how many hosts, one a second, open what lies on a share of SRV, as its audit says.
func readOn(hosts int, change func(i int, a *model.Access)) []*model.Access {
	var out []*model.Access
	for i := range hosts {
		a := &model.Access{ID: fmt.Sprintf("x-%d", i), Time: begin + 60e9 + model.Time(i)*1e9, What: "share-read", Source: model.Endpoint{Host: fmt.Sprintf("PC-%d", i)},
			Destination: model.Endpoint{Host: "SRV"}, Share: "pub", Object: `tools\A.exe`, User: fmt.Sprintf("user%d", i), Domain: "CORP",
			Evidence: []model.Evidence{{Input: "a.evtx", Kind: "event", Computer: "SRV", Record: uint64(10 + i)}}}
		change(i, a)
		out = append(out, a)
	}
	return out
}

// TestSharedRead: what one puts on a share and many others open there, and the look-alikes
// that say nothing.
func TestSharedRead(t *testing.T) {
	same := func(_ int, a *model.Access) { a.User = "bob" }
	none := func(int, *model.Access) {}
	serves, seen := history.New(), Settings{Usual: history.New()}
	seen.Usual.Learn(history.Host, "srv", "", "", begin-4*Window)
	serves.Learn(history.Host, "srv", "", "", begin-4*Window)
	for day := range 4 {
		for i := range 6 {
			at := begin - model.Time(day+1)*Window
			serves.Learn(history.Gives, "srv", "smb pull share program", "", at)
			serves.Learn(history.GivesTo, "srv", "smb pull share program", fmt.Sprintf("pc-%d", i), at)
		}
	}
	for name, c := range map[string]struct {
		put  func(*model.Transfer)
		read []*model.Access
		set  Settings
		want string
	}{
		"by many":                         {func(*model.Transfer) {}, readOn(5, none), seen, "share-drop 3, shared-read 3, new-edge 2.9"},
		"by many, and nothing is known":   {func(*model.Transfer) {}, readOn(5, none), Settings{}, ""},
		"by few":                          {func(*model.Transfer) {}, readOn(4, none), Settings{}, ""},
		"by who put it, on three hosts":   {func(*model.Transfer) {}, readOn(3, same), Settings{}, "shared-read 6, share-drop 3"},
		"by who put it, on two":           {func(*model.Transfer) {}, readOn(2, same), Settings{}, ""},
		"a claim":                         {func(t *model.Transfer) { t.Status = model.Claimed }, readOn(3, same), Settings{}, "shared-read 6, share-drop 2"},
		"another file":                    {func(*model.Transfer) {}, readOn(5, func(_ int, a *model.Access) { a.Object = `tools\b.exe` }), Settings{}, ""},
		"of another host":                 {func(*model.Transfer) {}, readOn(5, func(_ int, a *model.Access) { a.Destination.Host = "FS" }), Settings{}, ""},
		"one host many times":             {func(*model.Transfer) {}, readOn(9, func(_ int, a *model.Access) { a.Source.Host = "PC" }), Settings{}, ""},
		"where it was put":                {func(*model.Transfer) {}, readOn(9, func(_ int, a *model.Access) { a.Source.Host = "WS" }), Settings{}, ""},
		"two days later":                  {func(*model.Transfer) {}, readOn(5, func(_ int, a *model.Access) { a.Time += 2 * Window }), Settings{}, ""},
		"a document":                      {func(t *model.Transfer) { t.Name, t.Path = "a.docx", `tools\a.docx` }, readOn(9, func(_ int, a *model.Access) { a.Object = `tools\a.docx` }), Settings{}, ""},
		"from a server that many ask":     {func(*model.Transfer) {}, readOn(5, none), Settings{Usual: serves}, "share-drop 3, new-edge 2.9, shared-read 1.5"},
		"the policies of a domain":        {onSysvol("a.exe"), readOn(6, fromSysvol("a.exe")), Settings{}, "admin-share-write 6.5, shared-read 1.5"},
		"a logon script of a domain":      {onSysvol("a.bat"), readOn(9, fromSysvol("a.bat")), Settings{}, "admin-share-write 6.5"},
		"by the account of a host itself": {func(t *model.Transfer) { t.User = "WS$" }, readOn(3, func(_ int, a *model.Access) { a.User = "WS$" }), Settings{}, ""},
	} {
		put := logged("t-1", 0, func(t *model.Transfer) { t.Share, t.Path = "Pub", `Tools\a.exe`; c.put(t) })
		if got := said([]*model.Transfer{put}, c.read, c.set); got != c.want {
			t.Errorf("%s: %q instead of %q", name, got, c.want)
		}
	}
}

func onSysvol(name string) func(*model.Transfer) {
	return func(t *model.Transfer) { t.Share, t.Path, t.Name = "SYSVOL", `corp\scripts\`+name, name }
}

func fromSysvol(name string) func(int, *model.Access) {
	return func(_ int, a *model.Access) { a.Share, a.Object = "SYSVOL", `corp\scripts\`+name }
}

// TestSharedReadHosts: one finding names all who opened it; what a transfer tells is not
// told twice.
func TestSharedReadHosts(t *testing.T) {
	put := logged("t-1", 0, func(t *model.Transfer) { t.Share, t.Path = "Pub", `Tools\a.exe` })
	reads := readOn(12, func(_ int, a *model.Access) { a.User = "bob" })
	findings := Look([]*model.Transfer{put}, reads, nil, Settings{}).Findings
	if len(findings) != 1 || len(findings[0].Hosts) != 14 || !strings.HasSuffix(findings[0].Title, ", and opened there by 12 others") {
		t.Fatalf("%+v", findings)
	}
	all := []*model.Transfer{put}
	for i, a := range reads {
		all = append(all, logged(fmt.Sprintf("t-2%d", i), a.Time-begin+1e6, func(t *model.Transfer) {
			t.Operation, t.Initiator, t.Source, t.Destination, t.Share, t.Path = model.Pull, model.ByDestination, model.Endpoint{Host: "SRV"}, a.Source, "pub", `tools\A.exe`
		}))
	}
	if got := said(all, reads, Settings{}); strings.Contains(got, "shared-read") {
		t.Error(got)
	}
}

// TestReadsOfNothingPut: what hosts read from a share where nobody put it is not remembered.
func TestReadsOfNothingPut(t *testing.T) {
	r := sharedRead().(*rule[readers])
	take := func(operation, from, to string) (states int) {
		x := logged("t-"+from+to, 0, func(t *model.Transfer) { t.Share, t.Path, t.Operation = "Pub", `Tools\a.exe`, operation })
		r.Step(Event{Time: begin, Transfer: x, Usual: &Usual{}, Facts: Facts{Program: true, From: from, To: to}})
		for _, part := range r.states {
			states += len(part)
		}
		return states
	}
	if n := take(model.Pull, "srv", "pc-1"); n != 0 {
		t.Errorf("%d states of a share that is only read from", n)
	}
	if n := take(model.Push, "ws", "srv") + take(model.Pull, "srv", "pc-2"); n != 2 {
		t.Errorf("%d states of what was put and then read, twice", n)
	}
}
