package nftables

import (
	"bytes"
	"flag"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"waybill/internal/model"
	"waybill/internal/prevent"
)

var rewrite = flag.Bool("rewrite", false, "write the expected files anew")

func prefixes(texts ...string) (out []netip.Prefix) {
	for _, t := range texts {
		out = append(out, netip.MustParsePrefix(t))
	}
	return out
}

func host(name string, addresses ...string) prevent.Host {
	h := prevent.Host{Name: name}
	for _, a := range addresses {
		h.Addresses = append(h.Addresses, netip.MustParseAddr(a))
	}
	return h
}

// office is workstations, servers and a domain controller in IPv4 and IPv6.
func office() *prevent.Policy {
	return &prevent.Policy{
		Version:    prevent.PolicyVersion,
		Learned:    &prevent.Learned{From: model.Time(1790000000e9), To: model.Time(1790600000e9), Moves: 1200, LeftOut: 3},
		Management: []string{"10.9.0.0/28", "ADMIN-1"},
		Groups: []prevent.Group{
			{Name: "domain-controllers", Role: "domain-controller", Why: "answers Kerberos and serves SYSVOL", Hosts: []prevent.Host{host("DC-1", "10.2.0.10", "fd00:2::10")}},
			{Name: "servers", Networks: prefixes("10.2.0.16/28", "fd00:2:0:1::/64"), Hosts: []prevent.Host{host("FS-1", "10.2.0.20"), host("OLD-NAS")}},
			{Name: "workstations", Networks: prefixes("10.1.0.0/24", "fd00:1::/64"), Hosts: []prevent.Host{host("WS-1", "10.1.0.11"), host("ADMIN-1", "10.1.0.99")}},
			{Name: "printers", Hosts: []prevent.Host{host("LP-1")}},
		},
		Services: []prevent.Service{
			{Name: "ftp", Ports: []string{"tcp/21", "tcp/990"}}, {Name: "rpc", Ports: []string{"tcp/135", "tcp/49152-65535"}},
			{Name: "smb", Ports: []string{"tcp/445", "tcp/139"}}, {Name: "tftp", Ports: []string{"udp/69"}}, {Name: "tcp/50000", Ports: []string{"tcp/50000"}},
		},
		Rules: []prevent.Rule{
			{From: "workstations", To: "workstations", Service: "rpc", Action: prevent.Deny, Why: "no workstation called another in 7 days"},
			{From: "workstations", To: "workstations", Service: "smb", Action: prevent.Deny, Why: "no workstation served another in 7 days"},
			{From: "workstations", To: "servers", Service: "smb", Action: prevent.Allow, Why: "800 moves of 40 pairs on 7 days", Moves: 800, Pairs: 40, Days: 7},
			{From: prevent.AnyGroup, To: "domain-controllers", Service: "smb", Action: prevent.Allow, Why: "SYSVOL"},
			{From: "workstations", To: "servers", Service: "tcp/50000", Action: prevent.Allow, Why: "an updater"},
			{From: "servers", To: "workstations", Service: "smb", Action: prevent.Candidate, Why: "never seen"},
			{From: "workstations", To: "printers", Service: "smb", Action: prevent.Deny, Why: "never seen"},
			{From: "WS-1", To: "DC-1", Service: "rpc", Action: prevent.Allow, Why: "one pair"},
		},
		Exceptions: []prevent.Exception{{From: "WS-1", To: "10.1.0.12", Service: "smb", Owner: "CORP\\ann", Until: "2027-01-31", Reason: "moves to a \"new\" PC\n}; flush ruleset; $(reboot)"}},
	}
}

func export(t testing.TB, p *prevent.Policy, c prevent.Choice) []prevent.File {
	t.Helper()
	files, err := Target.Write(p, c)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestExpected(t *testing.T) {
	for _, c := range []struct {
		folder string
		choice prevent.Choice
	}{{"office", prevent.Choice{}}, {"office-strict", prevent.Choice{Strict: true}}} {
		for _, f := range export(t, office(), c.choice) {
			if strings.HasSuffix(f.Name, ".sh") {
				continue
			}
			path := filepath.Join("testdata", c.folder, f.Name)
			if *rewrite {
				_ = os.MkdirAll(filepath.Dir(path), 0o755)
				if err := os.WriteFile(path, f.Text, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil || !bytes.Equal(f.Text, want) {
				t.Errorf("%s differs from what is expected (%v); with -rewrite it is written anew:\n%s", path, err, f.Text)
			}
		}
	}
}

// nft checks a ruleset without loading it; it skips where that cannot be done.
func nft(t *testing.T) func(text []byte) error {
	t.Helper()
	if _, err := exec.LookPath("nft"); err != nil {
		t.Skip("nft is not installed (Debian: nftables)")
	}
	check := func(text []byte) error {
		c := exec.CommandContext(t.Context(), "nft", "-c", "-f", "-")
		c.Stdin = bytes.NewReader(text)
		if out, err := c.CombinedOutput(); err != nil {
			return &exec.Error{Name: string(out), Err: err}
		}
		return nil
	}
	if err := check([]byte("table inet waybill_probe {}\n")); err != nil {
		t.Skipf("nft may not ask the kernel here: %v", err)
	}
	return check
}

func TestLoads(t *testing.T) {
	check := nft(t)
	for _, strict := range []bool{false, true} {
		for _, f := range export(t, office(), prevent.Choice{Strict: strict}) {
			if strings.HasSuffix(f.Name, ".nft") {
				if err := check(f.Text); err != nil {
					t.Errorf("%s: %v", f.Name, err)
				}
			}
		}
	}
	if check([]byte("table inet waybill { chain x { ip saddr @missing drop } }")) == nil {
		t.Error("nft takes anything")
	}
}

var (
	quoted  = regexp.MustCompile(`comment "[^"]*"`)
	tooLong = regexp.MustCompile(`comment "[^"]{129}`)
	ascii   = regexp.MustCompile(`^[\t\n -~]*$`)
	safe    = regexp.MustCompile(`^[a-z0-9.-]+$`)
)

// told is what nft reads of a ruleset: without comments.
func told(text []byte) string {
	var out []string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		out = append(out, quoted.ReplaceAllString(line, "comment"))
	}
	return strings.Join(out, "")
}

// Whatever names and reasons say, nft reads the same rules.
func FuzzText(f *testing.F) {
	for _, s := range []string{"plain", "\"; drop; #", "x\n}\ndelete table inet filter", "$(reboot)", "`reboot`", "\\", "ü\u2028\u202e", strings.Repeat("long ", 100), "\xff\x00"} {
		f.Add(s)
	}
	named := func(s string) *prevent.Policy {
		p := office()
		for i := range p.Rules {
			p.Rules[i].Why = s
		}
		g := &p.Groups[2]
		g.Why, g.Role, g.Hosts[0].Name, p.Groups[1].Hosts[1].Name = s, s, "h"+s, "o"+s
		p.Rules[7].From = "h" + s
		x := &p.Exceptions[0]
		x.From, x.Owner, x.Reason = "h"+s, "o"+s, "r"+s
		return p
	}
	want := export(f, named(""), prevent.Choice{})
	f.Fuzz(func(t *testing.T, s string) {
		files, err := Target.Write(named(s), prevent.Choice{})
		if err != nil {
			t.Skip(err) // the name is that of another host, or does not print
		}
		for i, file := range files {
			if strings.HasSuffix(file.Name, ".nft") && told(file.Text) != told(want[i].Text) {
				t.Errorf("%s: nft reads other rules:\n%s", file.Name, told(file.Text))
			}
			if tooLong.Match(file.Text) || !ascii.Match(file.Text) || !safe.MatchString(file.Name) {
				t.Errorf("%s: not plain, or a comment is too long:\n%s", file.Name, file.Text)
			}
		}
	})
}

// A machine may have only a shell: the scripts keep to what POSIX has.
func TestScripts(t *testing.T) {
	if _, err := exec.LookPath("shellcheck"); err != nil {
		t.Skip("shellcheck is not installed")
	}
	if out, err := exec.CommandContext(t.Context(), "shellcheck", "-s", "sh", "try.sh", "rollback.sh").CombinedOutput(); err != nil {
		t.Errorf("%s", out)
	}
}
