package suricata

import (
	"bytes"
	"flag"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"waybill/internal/model"
	"waybill/internal/prevent"
)

var rewrite = flag.Bool("rewrite", false, "write the expected files anew")

func networks(texts ...string) (out []netip.Prefix) {
	for _, t := range texts {
		out = append(out, netip.MustParsePrefix(t))
	}
	return out
}

const digest = "133d96e460f69b1509a6ce7d8b2e5c184acd2ea19a75bdb63206cba815ec081f"

// office is workstations and servers, an exception, and a finding with all kinds of indicators.
func office() *prevent.Policy {
	of := func(what, value string) prevent.Indicator {
		return prevent.Indicator{What: what, Value: value, Finding: "f-0123456789abcdef", Analytic: "remote-start", Severity: model.High, Techniques: []string{"T1570", "T1569.002"}}
	}
	sealed, again := of("sha256", strings.Repeat("ab", 32)), of("name", "WINSVCMON.exe")
	sealed.Sealed = true
	again.Finding, again.Severity = "f-fedcba9876543210", model.Critical
	return &prevent.Policy{
		Version: prevent.PolicyVersion, Management: []string{"10.9.0.0/28", "ADMIN-1"},
		Groups: []prevent.Group{
			{Name: "servers", Networks: networks("10.2.0.0/24", "fd00:2::/64")},
			{Name: "workstations", Networks: networks("10.1.0.0/24"), Hosts: []prevent.Host{
				{Name: "ADMIN-1", Addresses: []netip.Addr{netip.MustParseAddr("10.1.0.99")}}, {Name: "OLD-PC"},
				{Addresses: []netip.Addr{netip.MustParseAddr("10.1.0.11")}}, {Addresses: []netip.Addr{netip.MustParseAddr("10.1.0.12")}}}},
		},
		Services: []prevent.Service{{Name: "smb", Ports: []string{"tcp/445", "tcp/139"}}, {Name: "rpc", Ports: []string{"tcp/135", "tcp/49152-65535"}}, {Name: "tftp", Ports: []string{"udp/69"}}, {Name: "tcp/50000", Ports: []string{"tcp/50000"}}},
		Rules: []prevent.Rule{
			{From: "workstations", To: "servers", Service: "smb", Action: prevent.Allow, Why: "800 moves of 40 pairs"},
			{From: "workstations", To: "workstations", Service: "smb", Action: prevent.Deny, Why: "no workstation served another in 7 days"},
			{From: "workstations", To: "servers", Service: "tcp/50000", Action: prevent.Allow, Why: "an updater"},
			{From: "ADMIN-1", To: "workstations", Service: "tftp", Action: prevent.Deny, Why: "in f-0123456789abcdef only"},
			{From: "10.1.0.11", To: "10.1.0.12", Service: "tftp", Action: prevent.Deny, Why: "in f-0123456789abcdef only"},
			{From: "workstations", To: prevent.AnyGroup, Service: "rpc", Action: prevent.Deny, Why: "no calls in 7 days"},
		},
		Exceptions: []prevent.Exception{{From: "10.1.0.7", To: "10.1.0.8", Service: "smb", Owner: "ann", Until: "2027-01-31", Reason: "a \"new\" PC\n; drop"}},
		Indicators: []prevent.Indicator{
			of("sha256", digest), of("sha256", strings.Repeat("0c", 32)), of("md5", strings.Repeat("1d", 16)),
			of("name", "winsvcmon.exe"), again, of("name", `a";b:|c\d$.exe`), of("name", "Übung.exe"), of("path", `ADMIN$\Temp\winsvcmon.exe`), of("path", "/srv/a"),
			of("service-name", "WinSvcMon"), of("pipe", `\PSEXESVC-WS01-1-stdin`), sealed,
		},
	}
}

func write(t testing.TB, p *prevent.Policy, c prevent.Choice) map[string][]byte {
	t.Helper()
	files, err := Target.Write(p, c)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, f := range files {
		out[f.Name] = f.Text
	}
	return out
}

func TestExpected(t *testing.T) {
	for folder, choice := range map[string]prevent.Choice{"office": {}, "office-strict": {Strict: true}} {
		files := write(t, office(), choice)
		for name, text := range files {
			path := filepath.Join("testdata", folder, name)
			if *rewrite {
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, text, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(text, want) {
				t.Errorf("%s is not as expected (go test -rewrite writes it anew):\n%s", path, text)
			}
		}
		if entries, err := os.ReadDir(filepath.Join("testdata", folder)); err != nil || len(entries) != len(files) {
			t.Errorf("%s holds %d files, %d are written (%v)", folder, len(entries), len(files), err)
		}
	}
}

func TestRefused(t *testing.T) {
	for name, spoil := range map[string]func(*prevent.Policy){
		"no management":   func(p *prevent.Policy) { p.Management = nil },
		"unknown":         func(p *prevent.Policy) { p.Management = []string{"GHOST"} },
		"everybody":       func(p *prevent.Policy) { p.Management = []string{"0.0.0.0/0"} },
		"no such group":   func(p *prevent.Policy) { p.Rules[0].From = "ghosts" },
		"no such service": func(p *prevent.Policy) { p.Rules[0].Service = "gopher" },
	} {
		p := office()
		spoil(p)
		if files, err := Write(p, prevent.Choice{}); err == nil || !strings.HasPrefix(err.Error(), "suricata: ") {
			t.Errorf("%s: %d files, %v", name, len(files), err)
		}
	}
}

// What would take thousands of rules is left out, and said.
func TestScattered(t *testing.T) {
	p := office()
	for i := range 4000 {
		p.Groups[1].Hosts = append(p.Groups[1].Hosts, prevent.Host{Addresses: []netip.Addr{netip.AddrFrom4([4]byte{10, 4, byte(i >> 7), byte(i << 1)})}})
	}
	text := string(write(t, p, prevent.Choice{})[rulesFile])
	if n := len(rulesIn([]byte(text))); n > 200 || !strings.Contains(text, "# deny workstations -> workstations, smb: its hosts have too many addresses apart") {
		t.Errorf("%d rules", n)
	}
	if !strings.Contains(text, "policy denies rpc from workstations to any") { // one end alone is cut
		t.Error("no rule for rpc")
	}
}

// Suricata itself loads what is written, where it is installed.
func TestSuricataLoads(t *testing.T) {
	program, err := exec.LookPath("suricata")
	if err != nil {
		t.Skip("suricata is not installed: whether it loads the rules is not checked (Debian: apt-get install suricata)")
	}
	many := office()
	for i := range 600 { // more than fit a line
		a := netip.AddrFrom4([4]byte{10, 3, byte(i >> 7), byte(i << 1)})
		many.Groups[1].Hosts = append(many.Groups[1].Hosts, prevent.Host{Addresses: []netip.Addr{a}})
	}
	for name, p := range map[string]*prevent.Policy{"office": office(), "many": many} {
		for _, strict := range []bool{false, true} {
			loads(t, program, name, write(t, p, prevent.Choice{Strict: strict}))
		}
	}
}

// bare is a configuration with what the rules need.
const bare = `%YAML 1.1
---
vars: {address-groups: {HOME_NET: "[10.0.0.0/8,fd00::/8]"}}
app-layer: {protocols: {smb: {enabled: yes}, dcerpc: {enabled: yes}, http: {enabled: yes}, ftp: {enabled: yes}, nfs: {enabled: yes}}}
`

func loads(t *testing.T, program, name string, files map[string][]byte) {
	t.Helper()
	folder := t.TempDir()
	files["suricata.yaml"] = []byte(bare)
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	said, err := exec.Command(program, "-T", "-v", "-c", filepath.Join(folder, "suricata.yaml"), "-S", filepath.Join(folder, rulesFile), "-l", folder).CombinedOutput()
	rules := len(rulesIn(files[rulesFile]))
	if err != nil || !bytes.Contains(said, []byte(" 0 rules failed")) || bytes.Contains(said, []byte("Error:")) {
		t.Errorf("%s: %d rules: %v\n%s", name, rules, err, said)
	}
}

func rulesIn(text []byte) (out []string) {
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimRight(line, "\n"); line != "" && !strings.HasPrefix(line, "#") {
			out = append(out, line)
		}
	}
	return out
}
