package prevent

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"waybill/internal/model"
)

func server(n int) model.Endpoint {
	e := at(fmt.Sprintf("10.0.0.%d", n+100), fmt.Sprintf("APP-%d", n), 445)
	e.Role = "server"
	return e
}

func with(e model.Endpoint, port uint16) model.Endpoint {
	e.Port = port
	return e
}

// find gives the rule of these ends and service, nil for none.
func find(p *Policy, from, to, service string) *Rule {
	for i := range p.Rules {
		if r := &p.Rules[i]; r.From == from && r.To == to && r.Service == service {
			return r
		}
	}
	return nil
}

func wantRule(t *testing.T, p *Policy, action, from, to, service, why string) {
	t.Helper()
	r := find(p, from, to, service)
	if r == nil || r.Action != action || !strings.Contains(r.Why, why) {
		t.Errorf("no %s of %s > %s over %s for %q: %+v, of\n%s", action, from, to, service, why, r, strings.Join(rulesOf(p), "\n"))
	}
}

// A name makes no management source, and no distributor; and nobody has to administer one.
func TestLearnHints(t *testing.T) {
	backup, dep := at("10.0.7.7", "BACKUP-9", 0), at("10.0.0.3", "SCCM-1", 5985)
	dep.Role = "deployment"
	moves := append(office(3), pull(day, backup, server(3), "smb2", "Data", "x"),
		pull(day, workstation(3), dep, "winrm", "", "x"), pull(2*day, workstation(3), dep, "winrm", "", "x"))
	p := Learn(sorted(moves), LearnOptions{})
	if slices.Contains(p.Management, "BACKUP-9") {
		t.Errorf("management %v", p.Management)
	}
	wantRule(t, p, Allow, "BACKUP-9", "APP-3", "smb", "these two hosts only")
	wantRule(t, p, Allow, "WS-3", "SCCM-1", "winrm", "these two hosts only")
}

// Of many servers of a role one is used by all: the rule is for that one.
func TestLearnRoleToHost(t *testing.T) {
	moves := office(3)
	for d := range 3 {
		when := model.Time(d)*day + day/2
		for w := range 12 {
			moves = append(moves, pull(when+model.Time(w), workstation(w), server(0), "smb2", "App", "a.dat"))
		}
		for s := range 9 {
			moves = append(moves, pull(when+100, server(s), server(s+1), "http", "", "x.json"))
		}
	}
	p := Learn(sorted(moves), LearnOptions{})
	wantRule(t, p, Allow, "workstations", "APP-0", "smb", "12 of 12 turn to it")
	if find(p, "workstations", "servers", "smb") != nil {
		t.Error("all servers are open to workstations")
	}
}

// A host that administers many is a host to role, and proposed as a management source.
func TestLearnAdministrator(t *testing.T) {
	adm := at("10.0.5.5", "PAW-1", 0)
	adm.Role = "jump host"
	moves := office(3)
	idle := at("10.0.5.6", "PAW-2", 0)
	idle.Role = "jump host"
	moves = append(moves, pull(1, idle, at("10.0.0.2", "FS-1", 445), "smb2", "Docs", "a"))
	for d := range 2 {
		for w := range 10 {
			moves = append(moves, push(model.Time(d)*day+day/2+model.Time(w), adm, workstation(w), "smb2", "ADMIN$", "fix.ps1"))
		}
	}
	p := Learn(sorted(moves), LearnOptions{})
	wantRule(t, p, Allow, "PAW-1", "workstations", "smb", "it turns to 10 of 12")
	if !slices.Contains(p.Management, "PAW-1") {
		t.Errorf("management %v", p.Management)
	}
	one := Learn(sorted(moves[:len(moves)-10]), LearnOptions{})
	if slices.Contains(one.Management, "PAW-1") {
		t.Error("one day makes an administrator")
	}
	given := Learn(sorted(moves), LearnOptions{Management: []string{"10.0.0.0/28"}})
	if !slices.Equal(given.Management, []string{"10.0.0.0/28"}) || given.Proposed() {
		t.Errorf("management %v, proposed %v", given.Management, given.Proposed())
	}
}

// What intruders go over has to have happened on several days.
func TestLearnRareAdministration(t *testing.T) {
	moves := office(3)
	once := pull(day+5, workstation(3), with(server(1), 3389), "rdp", "", "x.docx")
	moves = append(moves, once)
	p := Learn(sorted(moves), LearnOptions{})
	wantRule(t, p, Candidate, "workstations", "servers", "rdp", "1 pair on one day only, too few to allow: WS-3 > APP-1")
	if d := mustCompile(t, p).Decide(&once); d.Outcome != Unseen || !d.Passes(false) || d.Passes(true) {
		t.Errorf("%+v", d)
	}
	again := once
	again.Time += day
	p = Learn(sorted(append(moves, again)), LearnOptions{})
	wantRule(t, p, Allow, "WS-3", "APP-1", "rdp", "these two hosts only")
	wantRule(t, p, Deny, "any", "workstations", "rdp", "have no rdp")
}

// Peers keep what they do in a rule of its own, the others are denied; who did so on one day
// only is neither.
func TestLearnPeers(t *testing.T) {
	moves := office(3)
	for d := range 2 {
		moves = append(moves, pull(model.Time(d)*day+7, workstation(4), with(workstation(5), 445), "smb2", "Share", "x.docx"))
	}
	p := Learn(sorted(moves), LearnOptions{})
	wantRule(t, p, Allow, "WS-4", "WS-5", "smb", "")
	wantRule(t, p, Deny, AnyGroup, "workstations", "smb", "have no smb")
	p = Learn(sorted(moves[:len(moves)-1]), LearnOptions{})
	wantRule(t, p, Candidate, "WS-4", "workstations", "smb", "one of few")
	wantRule(t, p, Deny, AnyGroup, "workstations", "smb", "have no smb")
}

// Past the bound pairs are candidates, and it is said.
func TestLearnBound(t *testing.T) {
	var moves []Move
	for n := range 40 {
		a, b := at(fmt.Sprintf("10.1.%d.1", n), fmt.Sprintf("X-%02d", n), 0), at(fmt.Sprintf("10.2.%d.1", n), fmt.Sprintf("Y-%02d", n), 80)
		for range 1 + n/35 {
			moves = append(moves, pull(model.Time(n)*1e9+1, a, b, "http", "", "f"))
		}
	}
	p := Learn(moves, LearnOptions{PairRules: 5})
	if n := len(p.Rules); n != 6 {
		t.Fatalf("%d rules:\n%s", n, strings.Join(rulesOf(p), "\n"))
	}
	wantRule(t, p, Allow, "X-39", "Y-39", "http", "")
	wantRule(t, p, Candidate, Others, Others, "http", "35 pairs past the 5 that have rules of their own: X-00 > Y-00, X-01 > Y-01, X-02 > Y-02 and 32 more")
}

// A weak finding denies its pair, a strong one the role.
func TestDenyByFindings(t *testing.T) {
	bad := blamed(push(2*day, workstation(1), server(2), "smb2", "C$", "x.exe"))
	p := Learn(append(office(3), bad), LearnOptions{})
	wantRule(t, p, Deny, "workstations", "servers", "smb", "only findings hold it (f-0123456789abcdef)")
	bad.Finding.Severity = model.Low
	p = Learn(append(office(3), bad), LearnOptions{})
	wantRule(t, p, Deny, "WS-1", "APP-2", "smb", "only findings hold it")
	bad.Finding.Severity = model.Info
	p = Learn(append(office(3), bad), LearnOptions{})
	wantRule(t, p, Allow, "WS-1", "APP-2", "smb", "")
}

// SYSVOL is learned from one read, whatever share of the role that is.
func TestLearnNeeded(t *testing.T) {
	dc := at("10.0.0.1", "DC-1", 445)
	dc.Role = "domain controller"
	moves := office(3)
	moves = slices.DeleteFunc(moves, func(m Move) bool { return m.Server.Host == "DC-1" && m.Client.Host != "WS-7" })
	p := Learn(moves, LearnOptions{})
	wantRule(t, p, Allow, "workstations", "domain-controllers", "smb", "1 of 12 turn to 1 of 1; none can do without: SYSVOL")
	stranger := at("10.7.0.9", "THING", 0)
	p = Learn(sorted(append(moves, pull(day, stranger, dc, "smb2", "SYSVOL", "gpt.ini"))), LearnOptions{})
	wantRule(t, p, Allow, Others, "domain-controllers", "smb", "none can do without: SYSVOL")
}

func TestGroups(t *testing.T) {
	moves := office(3)
	stranger := at("10.0.1.200", "THING", 0)
	byAddress := workstation(2)
	byAddress.Host = ""
	leased := workstation(3)
	leased.Host, leased.Role = "WS-NEW", "workstation"
	camera := at("10.7.0.9", "", 0)
	boss := at("10.8.0.1", "BOSS", 0)
	boss.Role = "Executive Laptop"
	fs := at("10.0.0.2", "FS-1", 445)
	for i, client := range []model.Endpoint{stranger, byAddress, leased, camera, boss} {
		moves = append(moves, pull(2*day+model.Time(i), client, fs, "smb2", "Docs", "a"))
	}
	p := Learn(sorted(moves), LearnOptions{})
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	f := mustCompile(t, p)
	for _, c := range []struct {
		end  model.Endpoint
		want string
	}{{stranger, "workstations"}, {byAddress, "workstations"}, {leased, "workstations"}, {camera, "others"}, {boss, "executive-laptop"}, {at("10.0.1.250", "LATER", 0), "workstations"}} {
		if d := f.Decide(&Move{Client: c.end, Server: fs, Service: "smb"}); d.Client != c.want {
			t.Errorf("%s is of %q, want %q", c.end.Name(), d.Client, c.want)
		}
	}
	i := slices.IndexFunc(p.Groups, func(g Group) bool { return g.Name == "workstations" })
	for _, want := range []string{"1 are nothing that is known", "the addresses of 2 changed"} {
		if !strings.Contains(p.Groups[i].Why, want) {
			t.Errorf("%q is not in %q", want, p.Groups[i].Why)
		}
	}
	for _, h := range p.Groups[i].Hosts {
		if (h.Name == "WS-NEW") != slices.Contains(h.Addresses, netip.MustParseAddr("10.0.1.13")) {
			t.Errorf("%+v: the address is not its last holder's", h)
		}
	}
}

// The learner goes on after it gave a policy, and gives the same as one that never did.
func TestLearnerGoesOn(t *testing.T) {
	moves := office(4)
	l := NewLearner(LearnOptions{})
	for i := range moves {
		l.Add(&moves[i])
		if i%20 == 0 {
			l.Policy()
		}
	}
	if a, b := mustMarshal(t, l.Policy()), mustMarshal(t, Learn(moves, LearnOptions{})); !bytes.Equal(a, b) {
		t.Errorf("%s\nwant\n%s", a, b)
	}
}

// Whatever was learned from can be read again, also with hostile names.
func TestLearnHostile(t *testing.T) {
	var moves []Move
	for i, name := range []string{"a\nb: c", "any", "others", "\x1b[31m", "10.0.0.0/8", "*x", "&y", strings.Repeat("n", 300), "10.9.9.9"} {
		moves = append(moves, pull(model.Time(i+1), at(fmt.Sprintf("10.3.0.%d", i+1), name, 0), at("10.4.0.1", "FS", 445), "smb2", name, name))
	}
	p := Learn(moves, LearnOptions{Management: []string{"10.9.0.1"}})
	text := mustMarshal(t, p)
	if _, err := Read("p", text); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
}

func sorted(moves []Move) []Move {
	moves = slices.Clone(moves)
	slices.SortStableFunc(moves, func(a, b Move) int { return int(a.Time - b.Time) })
	return moves
}
