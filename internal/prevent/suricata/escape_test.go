package suricata

import (
	"slices"
	"strings"
	"testing"

	"waybill/internal/model"
	"waybill/internal/prevent"
)

// split takes a rule apart as Suricata does (SigParseOptions): options end at a semicolon that
// no backslash stands before, quotes or not.
func split(rule string) (header string, options [][2]string, ok bool) {
	header, rest, found := strings.Cut(rule, "(")
	if !found || !strings.HasSuffix(rest, ")") {
		return header, nil, false
	}
	rest = strings.TrimSuffix(rest, ")")
	for rest = strings.TrimLeft(rest, " "); rest != ""; rest = strings.TrimLeft(rest, " ") {
		end := 0
		for end < len(rest) && (rest[end] != ';' || end > 0 && rest[end-1] == '\\') {
			end++
		}
		if end == len(rest) {
			return header, options, false
		}
		name, value, _ := strings.Cut(rest[:end], ":")
		options = append(options, [2]string{strings.TrimSpace(name), value})
		rest = rest[end+1:]
	}
	return header, options, true
}

// shapes are the options of the rules for indicators, by the kind of their key.
var shapes = map[string]string{
	"hash":    "msg filehash classtype priority metadata sid rev",
	"name":    "msg file.name content nocase endswith pcre classtype priority metadata sid rev",
	"path":    "msg file.name content nocase endswith pcre classtype priority metadata sid rev",
	"service": "msg flow dcerpc.iface dcerpc.opnum dcerpc.stub_data pcre classtype priority metadata sid rev",
	"pipe":    "msg flow content content distance within content distance within content nocase distance within classtype priority metadata sid rev",
	"deny":    "msg flow flowbits flowbits classtype priority metadata sid rev",
}

// FuzzNames: no name from the wire or the policy adds a rule or an option, ends a string or a
// line, or leaves a line that Suricata would cut.
func FuzzNames(f *testing.F) {
	for _, seed := range []string{"winsvcmon.exe", `a";sid:1;b`, "a\nalert tcp any any -> any any (sid:9;)", `\`, `|`, `!a`, "\x00", "ä\u2028", strings.Repeat("x", 9000), `a\`, "#", "$HOME_NET", "retired: x sid:1570000 rev:1", "/i; sid:1;"} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, name, other string) {
		p := office()
		p.Groups[1].Name, p.Rules[1].From, p.Rules[1].To, p.Rules[1].Why = name, name, name, other
		p.Groups[1].Hosts, p.Management, p.Rules = nil, p.Management[:1], p.Rules[1:2]
		p.Exceptions[0].Reason, p.Exceptions[0].Owner = name, other
		if files, err := Write(p, prevent.Choice{}); err == nil { // a group of that name may be no policy
			check(t, string(files[0].Text))
		}
		p.Indicators = []prevent.Indicator{{What: "sha256", Value: digest, Finding: name, Analytic: other, Techniques: []string{name}}}
		for _, what := range []string{"name", "path", "service-name", "pipe", other} {
			p.Indicators = append(p.Indicators, prevent.Indicator{What: what, Value: name, Finding: other, Analytic: name, Severity: model.Low, Techniques: []string{other}})
		}
		e := &exported{}
		e.rules, e.notes = indicators(p)
		if err := e.number(nil); err != nil {
			t.Fatal(err)
		}
		check(t, string(e.text()))
		for _, r := range e.rules {
			if r.list != nil && (strings.ContainsFunc(r.list.name, func(c rune) bool { return c > 0x7f || !plain(byte(c)) }) || !strings.HasPrefix(r.list.name, "waybill-")) {
				t.Fatalf("a file of the name %q", r.list.name)
			}
		}
	})
}

func check(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if len(line) > 8000 || strings.ContainsFunc(line, func(c rune) bool { return c < ' ' || c > '~' }) {
			t.Fatalf("no line for Suricata: %q", line)
		}
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		header, options, ok := split(line)
		if !ok || len(strings.Fields(header)) != 7 || !strings.HasPrefix(header, "alert ") {
			t.Fatalf("no rule: %q", line)
		}
		checkOptions(t, line, options)
	}
}

func checkOptions(t *testing.T, line string, options [][2]string) {
	t.Helper()
	var names []string
	key := ""
	for _, o := range options {
		name := o[0]
		if name == "filesha256" || name == "filemd5" {
			name = "filehash"
		}
		names = append(names, name)
		quoted := slices.Contains([]string{"msg", "content", "pcre"}, o[0])
		if n := strings.Count(o[1], `"`); quoted && (n != 2 || !strings.HasPrefix(o[1], `"`) || !strings.HasSuffix(o[1], `"`)) || !quoted && n != 0 {
			t.Fatalf("%s has the value %q in %q", o[0], o[1], line)
		}
		if o[0] == "content" && strings.Count(o[1], "|")%2 != 0 || o[0] != "pcre" && strings.Contains(o[1], `\`) {
			t.Fatalf("%s has the value %q in %q", o[0], o[1], line)
		}
		if o[0] == "metadata" {
			key = strings.TrimPrefix(strings.Split(o[1], ",")[0], "waybill_key ")
		}
	}
	kind, _, _ := strings.Cut(key, "-")
	if want, known := shapes[kind]; known && strings.Join(names, " ") != want {
		t.Fatalf("%s has the options %v, want %s", key, names, want)
	}
}

func TestContent(t *testing.T) {
	for in, want := range map[string]string{
		"a.exe": `content:"a.exe";`, `";|:\`: `content:"|22 3B 7C 3A 5C|";`, "a b\x00c": `content:"a|20|b|00|c";`, "!x": `content:"|21|x";`, "ä": `content:"|C3 A4|";`,
	} {
		if got := content([]byte(in)); got != want {
			t.Errorf("%q is %s, want %s", in, got, want)
		}
	}
	if got := string(wide("aß")); got != "a\x00\xdf\x00" {
		t.Errorf("wide: %q", got)
	}
}
