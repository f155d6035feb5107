package lint

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// allowed is what each package may import of the program, besides model. Only
// tests, examples and the benchmark import synth, wiretest and xcatest.
var allowed = map[string][]string{
	"internal/model":    {},
	"internal/packet":   {},
	"internal/content":  {},
	"internal/capture":  {},
	"internal/input":    {},
	"internal/report":   {},
	"internal/lint":     {},
	"internal/judge":    {"internal/hashed", "internal/identity", "internal/history", "internal/spread"},
	"internal/history":  {"internal/hashed", "internal/identity"},
	"internal/incident": {"internal/judge"},
	"internal/triage":   {"internal/judge"},
	"internal/prevent":  {"internal/identity"},

	"internal/prevent/plan":       {"internal/prevent"},
	"internal/prevent/nftables":   {"internal/prevent", "internal/prevent/plan"},
	"internal/prevent/winfw":      {"internal/prevent", "internal/prevent/plan"},
	"internal/prevent/suricata":   {"internal/prevent", "internal/prevent/plan"},
	"internal/prevent/zeekscript": {"internal/prevent", "internal/prevent/plan"},

	"internal/telemetry":           {},
	"internal/telemetry/logtext":   {},
	"internal/telemetry/jsonlog":   {"internal/telemetry", "internal/telemetry/logtext"},
	"internal/telemetry/zeek":      {"internal/telemetry", "internal/telemetry/logtext", "internal/telemetry/jsonlog"},
	"internal/telemetry/eve":       {"internal/telemetry", "internal/telemetry/jsonlog"},
	"internal/telemetry/sensor":    {"internal/telemetry", "internal/webmedia", "internal/wire/dcerpc"},
	"internal/telemetry/linelog":   {"internal/telemetry", "internal/telemetry/logtext"},
	"internal/telemetry/syslog":    {"internal/telemetry", "internal/telemetry/auditd", "internal/telemetry/jsonlog", "internal/telemetry/logtext", "internal/telemetry/linelog"},
	"internal/telemetry/ftplog":    {"internal/telemetry", "internal/telemetry/logtext", "internal/telemetry/linelog"},
	"internal/telemetry/listing":   {"internal/telemetry", "internal/telemetry/linelog", "internal/telemetry/jsonlog", "internal/telemetry/logtext"},
	"internal/telemetry/rsyncd":    {"internal/telemetry", "internal/telemetry/logtext", "internal/telemetry/linelog"},
	"internal/telemetry/sambalog":  {"internal/telemetry", "internal/telemetry/logtext", "internal/telemetry/linelog", "internal/model"},
	"internal/telemetry/weblog":    {"internal/telemetry", "internal/telemetry/logtext", "internal/telemetry/linelog"},
	"internal/telemetry/auditd":    {"internal/telemetry", "internal/telemetry/cmdline", "internal/telemetry/jsonlog", "internal/telemetry/logtext", "internal/telemetry/linelog"},
	"internal/telemetry/shellhist": {"internal/telemetry", "internal/telemetry/logtext", "internal/telemetry/linelog"},
	"internal/telemetry/macos":     {"internal/telemetry", "internal/telemetry/jsonlog"},
	"internal/telemetry/esxi":      {"internal/telemetry", "internal/telemetry/linelog", "internal/telemetry/logtext"},
	"internal/telemetry/leases":    {"internal/telemetry", "internal/telemetry/linelog", "internal/telemetry/logtext"},
	"internal/telemetry/unixhost":  {"internal/telemetry", "internal/telemetry/leases", "internal/telemetry/cmdline", "internal/webmedia"},
	"internal/webmedia":            {},
	"internal/telemetry/winevent":  {},
	"internal/telemetry/evtx":      {"internal/telemetry/winevent"},
	"internal/telemetry/winlog":    {"internal/telemetry/winevent", "internal/telemetry/evtx", "internal/telemetry/logtext"},
	"internal/telemetry/stored":    {"internal/telemetry/winevent", "internal/telemetry/winlog"},
	"internal/telemetry/winhost":   {"internal/telemetry", "internal/telemetry/winevent", "internal/telemetry/cmdline", "internal/webmedia"},
	"internal/telemetry/cmdline":   {},

	"internal/identity":  {},
	"internal/arrival":   {"internal/identity", "internal/telemetry"},
	"internal/cloudsync": {},
	"internal/hashed":    {},
	"internal/ledger":    {"internal/hashed", "internal/identity"},
	"internal/spread":    {"internal/hashed"},

	"internal/wire":             {"internal/content"},
	"internal/wire/wiretest":    {"internal/wire", "internal/content"},
	"internal/wire/der":         {},
	"internal/wire/ntlm":        {"internal/wire", "internal/wire/der"},
	"internal/wire/ticket":      {"internal/wire", "internal/content", "internal/wire/der"},
	"internal/wire/neighbors":   {"internal/wire"},
	"internal/wire/dhcp":        {"internal/wire"},
	"internal/wire/names":       {"internal/wire"},
	"internal/wire/dns":         {"internal/wire", "internal/wire/framed", "internal/cloudsync"},
	"internal/wire/dropbox":     {"internal/wire"},
	"internal/wire/sealed":      {"internal/wire", "internal/content"},
	"internal/wire/krb5":        {"internal/wire", "internal/wire/der", "internal/wire/framed"},
	"internal/wire/ldap":        {"internal/wire", "internal/wire/der", "internal/wire/framed", "internal/wire/ntlm"},
	"internal/wire/xca":         {},
	"internal/wire/xca/xcatest": {"internal/wire/xca"},
	"internal/wire/dcerpc":      {},
	"internal/wire/smbcrypt":    {},
	"internal/wire/fileshare":   {},
	"internal/wire/rpc":         {"internal/wire", "internal/wire/dcerpc", "internal/wire/ntlm"},
	"internal/wire/framed":      {"internal/wire", "internal/content"},
	"internal/wire/nfs":         {"internal/wire", "internal/content", "internal/wire/framed", "internal/wire/fileshare", "internal/wire/ntlm"},
	"internal/wire/ssh":         {"internal/wire"},
	"internal/wire/rsync":       {"internal/wire", "internal/content", "internal/wire/fileshare"},
	"internal/wire/rdp":         {"internal/wire", "internal/content", "internal/wire/fileshare"},
	"internal/wire/tls":         {"internal/wire", "internal/content"},
	"internal/wire/carve":       {"internal/wire", "internal/content"},

	"internal/wire/ticket/tickettest": {},

	"internal/wire/smb1": {"internal/wire", "internal/wire/framed", "internal/content", "internal/wire/ntlm", "internal/wire/dcerpc",
		"internal/wire/rpc", "internal/wire/fileshare"},
	"internal/wire/smb2": {"internal/wire", "internal/content", "internal/wire/ntlm", "internal/wire/dcerpc",
		"internal/wire/rpc", "internal/wire/fileshare", "internal/wire/smbcrypt", "internal/wire/xca"},
	"internal/wire/http": {"internal/wire", "internal/content", "internal/webmedia", "internal/wire/ntlm"},
	"internal/wire/ftp":  {"internal/wire", "internal/content"},
	"internal/wire/tftp": {"internal/wire", "internal/content"},

	"internal/stream": {"internal/packet", "internal/wire", "internal/content"},
	"internal/scan": {"internal/input", "internal/capture", "internal/packet", "internal/stream", "internal/content",
		"internal/telemetry", "internal/telemetry/logtext", "internal/telemetry/zeek", "internal/telemetry/eve", "internal/telemetry/sensor",
		"internal/telemetry/listing", "internal/telemetry/leases", "internal/telemetry/macos", "internal/telemetry/esxi", "internal/arrival",
		"internal/telemetry/syslog", "internal/telemetry/ftplog", "internal/telemetry/rsyncd", "internal/telemetry/sambalog", "internal/telemetry/weblog", "internal/telemetry/auditd", "internal/telemetry/shellhist", "internal/telemetry/unixhost",
		"internal/telemetry/winevent", "internal/telemetry/winlog", "internal/telemetry/winhost", "internal/telemetry/cmdline", "internal/telemetry/stored",
		"internal/identity", "internal/history", "internal/ledger", "internal/judge", "internal/incident", "internal/triage", "internal/wire", "internal/wire/smb1", "internal/wire/smb2", "internal/wire/rpc", "internal/wire/neighbors", "internal/wire/carve", "internal/wire/dhcp", "internal/wire/names", "internal/wire/krb5", "internal/wire/ldap", "internal/wire/ticket",
		"internal/cloudsync", "internal/wire/dns", "internal/wire/dropbox", "internal/wire/sealed",
		"internal/wire/nfs", "internal/wire/rsync", "internal/wire/ssh", "internal/wire/rdp", "internal/wire/tls", "internal/wire/ftp", "internal/wire/tftp", "internal/wire/http"},
	"internal/eval": {"internal/incident", "internal/prevent", "internal/identity", "internal/ledger", "internal/judge", "internal/scan", "internal/spread", "internal/telemetry", "internal/telemetry/sensor", "internal/telemetry/winevent", "internal/telemetry/winhost"},

	"internal/telemetry/logtest": {"internal/telemetry", "internal/synth"}, // for tests
	"internal/synth":             {"internal/packet", "internal/wire/xca/xcatest", "internal/wire/smbcrypt"},
	"internal/synth/gen":         {"internal/synth"},

	"internal/eval/behaviour": {"internal/synth", "internal/scan", "internal/judge", "internal/history", "internal/prevent", "internal/prevent/suricata"},
	"cmd/waybill":             {"internal/prevent", "internal/prevent/nftables", "internal/prevent/winfw", "internal/prevent/suricata", "internal/prevent/zeekscript", "internal/eval", "internal/eval/behaviour", "internal/scan", "internal/history", "internal/identity", "internal/triage", "internal/judge", "internal/report", "internal/wire", "internal/wire/smbcrypt", "internal/wire/ticket"},
	"cmd/waybill-bench":       {"internal/synth", "internal/scan", "internal/judge", "internal/ledger", "internal/identity"},
	"test/lab/foretell":       {"internal/prevent", "internal/prevent/suricata", "internal/scan"},
	"examples":                {},
	"test/lab/decide":         {"internal/prevent", "internal/prevent/nftables"},
}

// eachFile visits the Go files of the program.
func eachFile(t *testing.T, mode parser.Mode, visit func(pkg, file string, imports []string, doc, text string)) {
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || d.Name() != ".." && strings.HasPrefix(d.Name(), ".")) {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, text, mode|parser.ParseComments)
		if err != nil {
			return err
		}
		var imports []string
		for _, i := range f.Imports {
			p, _ := strconv.Unquote(i.Path.Value)
			if p, ok := strings.CutPrefix(p, "waybill/"); ok {
				imports = append(imports, p)
			}
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		visit(path.Dir(rel), rel, imports, f.Doc.Text(), string(text))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestImports(t *testing.T) {
	files := 0
	eachFile(t, parser.ImportsOnly, func(pkg, file string, imports []string, _, _ string) {
		if strings.HasSuffix(file, "_test.go") {
			return
		}
		files++
		may, known := allowed[pkg]
		if !known {
			t.Errorf("%s: package %s is not in the table of the layers", file, pkg)
			return
		}
		for _, i := range imports {
			if i != "internal/model" && !contains(may, i) {
				t.Errorf("%s: %s may not import %s", file, pkg, i)
			}
		}
	})
	if files == 0 {
		t.Error("no file was looked at")
	}
}

// Every package says in prose what it takes, gives and never does.
func TestPackageComments(t *testing.T) {
	docs := map[string]string{}
	eachFile(t, parser.PackageClauseOnly, func(pkg, file string, _ []string, doc, _ string) {
		if !strings.HasSuffix(file, "_test.go") {
			docs[pkg] += doc
		}
	})
	for pkg, doc := range docs {
		if len(strings.Fields(doc)) < 15 {
			t.Errorf("%s: the package comment says too little: %q", pkg, doc)
		}
	}
}

// A file that has grown too long holds more than one concept.
func TestLengthOfFiles(t *testing.T) {
	eachFile(t, parser.PackageClauseOnly, func(_, file string, _ []string, _, text string) {
		if n := strings.Count(text, "\n"); n > 620 {
			t.Errorf("%s has %d lines: split it by concept", file, n)
		}
	})
}

func contains(all []string, s string) bool {
	for _, x := range all {
		if x == s {
			return true
		}
	}
	return false
}
