package zeekscript

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
	"waybill/internal/prevent/plan"
)

var rewrite = flag.Bool("rewrite", false, "write the expected files anew")

// office is workstations and servers, an exception, and a finding with all kinds of indicators.
func office() *prevent.Policy {
	of := func(what, value string) prevent.Indicator {
		return prevent.Indicator{What: what, Value: value, Finding: "f-0123456789abcdef", Analytic: "remote-start", Severity: model.High, Techniques: []string{"T1570", "T1569.002"}}
	}
	sealed := of("sha256", strings.Repeat("ab", 32))
	sealed.Sealed = true
	return &prevent.Policy{
		Version: prevent.PolicyVersion, Management: []string{"10.9.0.0/28"},
		Groups: []prevent.Group{
			{Name: "servers", Networks: []netip.Prefix{netip.MustParsePrefix("10.2.0.0/24"), netip.MustParsePrefix("fd00:2::/64")}},
			{Name: "workstations", Networks: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/24")}},
		},
		Services: []prevent.Service{{Name: "smb", Ports: []string{"tcp/445", "tcp/139"}}, {Name: "rpc", Ports: []string{"tcp/135", "tcp/49152-65535"}}, {Name: "tftp", Ports: []string{"udp/69"}}},
		Rules: []prevent.Rule{
			{From: "workstations", To: "servers", Service: "smb", Action: prevent.Allow, Why: "800 moves of 40 pairs"},
			{From: "workstations", To: "workstations", Service: "smb", Action: prevent.Deny, Why: "no workstation served another in 7 days"},
			{From: "workstations", To: prevent.AnyGroup, Service: "rpc", Action: prevent.Candidate, Why: "never seen"},
		},
		Exceptions: []prevent.Exception{{From: "10.1.0.7", To: "10.1.0.8", Service: "smb", Owner: "ann", Until: "2027-01-31", Reason: "a \"new\" PC\n}"}},
		Indicators: []prevent.Indicator{
			of("sha256", strings.Repeat("0c", 32)), of("md5", strings.Repeat("1d", 16)), of("name", "winsvcmon.exe"), of("name", `#a";b`+"\t"+`\x.exe`), of("name", "-"),
			of("path", `ADMIN$\Temp\winsvcmon.exe`), of("service-name", "WinSvcMon"), of("pipe", `psexesvc-ws01-1-stdin`), sealed,
		},
	}
}

func TestExpected(t *testing.T) {
	p := office()
	p.Indicators[3].Value = `#a";b\x.exe` // a policy with what cannot be printed is refused
	for folder, choice := range map[string]prevent.Choice{"office": {}, "office-strict": {Strict: true}} {
		files, err := Target.Write(p, choice)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			path := filepath.Join("testdata", folder, f.Name)
			if *rewrite {
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, f.Text, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(f.Text, want) {
				t.Errorf("%s is not as expected (go test -rewrite writes it anew):\n%s", path, f.Text)
			}
		}
	}
}

// Zeek itself parses what is written, where it is installed.
func TestZeekParses(t *testing.T) {
	program, err := exec.LookPath("zeek")
	if err != nil {
		t.Skip("zeek is not installed: whether it takes the script is not checked")
	}
	files, err := Write(policyThatPrints(), prevent.Choice{Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(folder, f.Name), f.Text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if said, err := exec.Command(program, "--parse-only", folder).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, said)
	}
}

func policyThatPrints() *prevent.Policy {
	p := office()
	p.Indicators = append(p.Indicators[:3], p.Indicators[4:]...)
	return p
}

func TestRefused(t *testing.T) {
	p := policyThatPrints()
	p.Management = nil
	if files, err := Write(p, prevent.Choice{}); err == nil || !strings.HasPrefix(err.Error(), "zeek: ") {
		t.Errorf("%d files without management sources, %v", len(files), err)
	}
}

// events are those that the script handles, with the types of their parameters as the manual
// of Zeek has them (event.bif.zeek, the SMB and DCE-RPC analyzers, the Intel framework).
var events = map[string]string{
	"file_new":                 "fa_file",
	"file_sniff":               "fa_file, fa_metadata",
	"file_over_new_connection": "fa_file, connection, bool",
	"dce_rpc_request":          "connection, count, count, count, count",
	"dce_rpc_request_stub":     "connection, count, count, count, string",
	"smb2_create_request":      "connection, SMB2::Header, SMB2::CreateRequest",
	"connection_established":   "connection",
	"new_connection":           "connection",
	"Intel::match":             "Intel::Seen, set[Intel::Item]",
}

func TestEvents(t *testing.T) {
	handled := 0
	for _, m := range regexp.MustCompile(`(?m)^event ([A-Za-z0-9_:]+)\(([^)]*)\)`).FindAllStringSubmatch(script, -1) {
		var types []string
		for _, p := range strings.Split(m[2], ", ") {
			_, typ, _ := strings.Cut(p, ": ")
			types = append(types, typ)
		}
		handled++
		if want := events[m[1]]; want != strings.Join(types, ", ") {
			t.Errorf("event %s has the parameters %v, want %s", m[1], types, want)
		}
	}
	if handled != len(events) {
		t.Errorf("%d events are handled, want %d", handled, len(events))
	}
}

// tokens takes a script apart, without comments; strings and patterns are one token each.
var tokens = regexp.MustCompile(`#[^\n]*|"(?:[^"\\\n]|\\.)*"|/(?:[^/\\\n]|\\.)+/|::|\?\$|!in\b|[A-Za-z_@][A-Za-z0-9_@]*|[0-9][0-9a-fA-F.:]*|\s+|[^\s]`)

// outline is the script with every string as S and every pattern as P, comments and blanks gone.
func outline(t testing.TB, text string) []string {
	t.Helper()
	var out []string
	for _, tok := range tokens.FindAllString(text, -1) {
		switch {
		case strings.TrimSpace(tok) == "" || tok[0] == '#':
		case tok == `"`:
			t.Fatal("a string without an end")
		case tok[0] == '"':
			out = append(out, "S")
		case len(tok) > 1 && tok[0] == '/':
			out = append(out, "P")
		default:
			out = append(out, tok)
		}
	}
	return out
}

// checkBrackets says whether all brackets close in their order.
func checkBrackets(t testing.TB, outline []string) {
	t.Helper()
	closing := map[string]string{"(": ")", "[": "]", "{": "}"}
	var open []string
	for i, tok := range outline {
		switch tok {
		case "(", "[", "{":
			open = append(open, closing[tok])
		case ")", "]", "}":
			if len(open) == 0 || open[len(open)-1] != tok {
				t.Fatalf("%q closes nothing after %q", tok, outline[max(0, i-12):i])
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		t.Fatalf("%q is missing at the end", open)
	}
}

func TestBrackets(t *testing.T) {
	files, err := Write(policyThatPrints(), prevent.Choice{Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	checkBrackets(t, outline(t, string(files[0].Text)))
}

// FuzzNames: no name changes anything of the script but what is in strings and comments, nor
// the columns of the intelligence file.
func FuzzNames(f *testing.F) {
	for _, seed := range []string{"winsvcmon.exe", `a"; exit(1); "`, "a\nevent zeek_init() { }", "a\tb", `\`, "#x", "\x00", "ä\u2028", strings.Repeat("x", 9000), "-", "%s", "@DIR"} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, name, other string) {
		shape := func(name, other string) []string {
			p := office()
			p.Rules[1].Why, p.Exceptions[0].Reason, p.Exceptions[0].Owner = name, other, name
			p.Indicators = nil
			for _, what := range []string{"path", "service-name", "pipe"} {
				p.Indicators = append(p.Indicators, prevent.Indicator{What: what, Value: "v" + name, Finding: other, Analytic: name, Techniques: []string{other}})
			}
			k := sort(p)
			p.Indicators = nil
			asked, err := plan.Of(p)
			if err != nil {
				return nil
			}
			text := settings(asked, &k, false) + left(append(k.notes, name))
			for line := range strings.Lines(text) {
				if strings.ContainsFunc(strings.TrimSuffix(line, "\n"), func(c rune) bool { return c > '~' || c < ' ' && c != '\t' }) {
					t.Fatalf("a line of what is no text: %q", line)
				}
			}
			return outline(t, text)
		}
		got, want := shape(name, other), shape("a", "b")
		if got != nil && strings.Join(got, " ") != strings.Join(want, " ") {
			t.Fatalf("%q changes the script:\n%v\nwant\n%v", name, got, want)
		}
		k := known{intel: []prevent.Indicator{{What: "name", Value: name, Finding: other, Analytic: name, Techniques: []string{other}}}}
		if column(name) == "" {
			return
		}
		lines := strings.Split(strings.TrimSuffix(string(k.file()), "\n"), "\n")
		if len(lines) != 2 || strings.Count(lines[1], "\t") != 3 || strings.HasPrefix(lines[1], "#") {
			t.Fatalf("%q makes %q", name, lines)
		}
	})
}
