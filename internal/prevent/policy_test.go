package prevent

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"waybill/internal/model"
)

const day = model.Time(24 * 3600e9)

// office is moves of a small network in a number of days: workstations read from a file
// server and SYSVOL, a deployment server pushes, a scanner looks around.
func office(days int) []Move {
	var out []Move
	dc := at("10.0.0.1", "DC-1", 445)
	dc.Role = "domain controller"
	fs := at("10.0.0.2", "FS-1", 445)
	fs.Role = "file server"
	dep := at("10.0.0.3", "SCCM-1", 0)
	dep.Role = "deployment"
	for d := range days {
		for w := range 12 {
			ws := workstation(w)
			when := model.Time(d)*day + model.Time(w)*3600e9 + 1
			out = append(out,
				pull(when, ws, fs, "smb2", "Docs", "a.docx"),
				pull(when+1, ws, dc, "smb2", "SYSVOL", "gpt.ini"),
				push(when+2, dep, ws, "smb2", "ADMIN$", "client.exe"))
		}
	}
	return out
}

func workstation(n int) model.Endpoint {
	e := at(fmt.Sprintf("10.0.1.%d", n+10), fmt.Sprintf("WS-%d", n), 0)
	e.Role = "workstation"
	return e
}

func pull(when model.Time, client, server model.Endpoint, channel, share, name string) Move {
	return moveOf(&model.Transfer{ID: "t-" + name, Start: when, End: when, Source: server, Destination: client, Initiator: model.ByDestination, Channel: channel, Share: share, Name: name, Status: model.Done, Evidence: []model.Evidence{{Kind: "packets"}}})
}

func push(when model.Time, client, server model.Endpoint, channel, share, name string) Move {
	server.Port = 445
	return moveOf(&model.Transfer{ID: "t-" + name, Start: when, End: when, Source: client, Destination: server, Initiator: model.BySource, Channel: channel, Share: share, Name: name, Status: model.Done, Evidence: []model.Evidence{{Kind: "packets"}}})
}

func moveOf(t *model.Transfer) Move {
	m, ok := ofTransfer(t)
	if !ok {
		panic("no move")
	}
	return m
}

// blamed is a move that a finding holds.
func blamed(m Move) Move {
	m.Finding = &model.Finding{ID: "f-0123456789abcdef", Severity: model.High}
	return m
}

func mustCompile(t testing.TB, p *Policy) *Filter {
	t.Helper()
	f, err := p.Compile()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func mustMarshal(t testing.TB, p *Policy) []byte {
	t.Helper()
	b, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func rulesOf(p *Policy) []string {
	var out []string
	for _, r := range p.Rules {
		out = append(out, fmt.Sprintf("%s %s>%s %s", r.Action, r.From, r.To, r.Service))
	}
	return out
}

func TestLearnGeneralises(t *testing.T) {
	p := Learn(office(3), LearnOptions{})
	want := []string{
		"allow deployment>workstations smb",
		"allow workstations>domain-controllers smb",
		"allow workstations>file-servers smb",
		"deny any>workstations smb", "deny any>workstations rpc", "deny any>workstations winrm", "deny any>workstations rdp", "deny any>workstations ssh",
	}
	if got := rulesOf(p); !slices.Equal(got, want) {
		t.Errorf("rules\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if want := []string{"DC-1", "SCCM-1"}; !slices.Equal(p.Management, want) || p.Learned.Management != Proposed {
		t.Errorf("management %v (%s), want %v proposed", p.Management, p.Learned.Management, want)
	}
	i := slices.IndexFunc(p.Groups, func(g Group) bool { return g.Name == "workstations" })
	if i < 0 || !slices.Equal(p.Groups[i].Networks, []netip.Prefix{netip.MustParsePrefix("10.0.1.0/24")}) {
		t.Errorf("groups %+v", p.Groups)
	}
}

func TestFindingsAreNotLearned(t *testing.T) {
	moves := office(3)
	evil := blamed(push(2*day, workstation(1), workstation(2), "smb2", "ADMIN$", "evil.exe"))
	evil2 := blamed(push(2*day, workstation(1), at("10.0.0.9", "APP-1", 445), "smb2", "ADMIN$", "evil.exe"))
	p := Learn(append(moves, evil, evil2), LearnOptions{})
	f := mustCompile(t, p)
	for _, m := range []Move{evil, evil2} {
		if d := f.Decide(&m); d.Outcome != Denied {
			t.Errorf("%s > %s is %v, want denied", m.Client.Name(), m.Server.Name(), d.Outcome)
		}
	}
	if p.Learned.LeftOut != 2 {
		t.Errorf("left out %d, want 2", p.Learned.LeftOut)
	}
}
