package prevent

import (
	"bytes"
	"strings"
	"testing"

	"waybill/internal/model"
)

func TestReadMarshal(t *testing.T) {
	p := Learn(office(3), LearnOptions{})
	p.Exceptions = []Exception{{From: "WS-1", To: "10.0.0.0/24", Service: "ssh", Owner: "k.meier", Until: "1970-01-10", Reason: "move of the archive"}}
	p.Indicators = []Indicator{{What: "sha256", Value: strings.Repeat("ab", 32), Finding: "f-1", Analytic: "relay", Severity: model.High, Techniques: []string{"T1570"}, Sealed: true}}
	first := mustMarshal(t, p)
	read, err := Read("p.yaml", first)
	if err != nil {
		t.Fatalf("%v\n%s", err, first)
	}
	if again := mustMarshal(t, read); !bytes.Equal(first, again) {
		t.Errorf("read and written again:\n%s\nfirst:\n%s", again, first)
	}
	for _, want := range []string{"PROPOSED", "# Hosts that do the same", "{name: WS-0, addresses: [10.0.1.10]}"} {
		if !strings.Contains(string(first), want) {
			t.Errorf("no %q in\n%s", want, first)
		}
	}
}

const small = `version: 1
management: [10.9.0.5]
groups:
  - name: ws
    hosts: [{name: WS-1, addresses: [10.0.1.1]}]
  - name: fs
    networks: [10.0.2.0/24]
    hosts:
      - {name: FS-1, addresses: [10.0.2.1]}
services:
  - {name: smb, ports: [tcp/445]}
rules:
  - from: ws
    to: fs
    service: smb
    action: allow
    why: work
exceptions:
  - from: WS-1
    to: 10.0.3.7
    service: smb
    owner: k.meier
    until: 2027-01-31
    reason: move
`

func TestReadErrors(t *testing.T) {
	if _, err := Read("p.yaml", []byte(small)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, with, want string }{
		{small, "", "p.yaml:1: empty"},
		{small, "# nothing\n", "p.yaml:1: empty"},
		{small, "- a\n", "p.yaml:1: a policy is a mapping"},
		{"version: 1", "version: [", "p.yaml:"},
		{"version: 1", "version: 7", "p.yaml:1: this program knows version 1"},
		{"management: [10.9.0.5]", "management: []", "p.yaml:2: no management source"},
		{"management: [10.9.0.5]\n", "", "p.yaml:1: no management source"},
		{"management: [10.9.0.5]", "management: [WS-9]", `p.yaml:2: "WS-9" is no group`},
		{"management: [10.9.0.5]", "management: [0.0.0.0/0]", "p.yaml:2: any host a management source"},
		{"name: fs", "name: ws", "p.yaml:6: a second group ws"},
		{"name: fs", "name: any", "p.yaml:6: group name"},
		{"name: FS-1", "name: ws-1", "p.yaml:9: ws-1 is in ws and in fs"},
		{"10.0.2.1]", "10.0.1.1]", "p.yaml:9: 10.0.1.1 is in ws and in fs"},
		{"[10.0.2.0/24]", "[10.0.2.0/24, 10.0.2.128/25]", "p.yaml:7: network 10.0.2.128/25 of fs overlaps"},
		{"[10.0.2.0/24]", "[10.0.0.0/16]", "p.yaml:5: 10.0.1.1 of ws lies in 10.0.0.0/16 of fs"},
		{"[10.0.2.0/24]", "[10.0.2.9/24]", "p.yaml:7: network 10.0.2.9/24"},
		{"[10.0.2.0/24]", "[10.0.2/24]", "p.yaml:"},
		{"ports: [tcp/445]", "ports: [445]", `p.yaml:11: ports "445"`},
		{"to: fs", "to: files", `p.yaml:14: "files" is no group`},
		{"service: smb\n    action", "service: sbm\n    action", `p.yaml:15: unknown service "sbm"`},
		{"action: allow", "action: permit", `p.yaml:16: action "permit"`},
		{"action: allow", "acton: allow", "p.yaml:16: unknown key acton"},
		{"from: ws\n    to: fs", "from: any\n    to: any", "p.yaml:13: this lets every host reach every host"},
		{"    why: work\n", "    why: work\n  - {from: ws, to: fs, service: smb, action: deny}\n", "p.yaml:18: rule 1 says allow"},
		{"    owner: k.meier\n", "", "p.yaml:19: an exception without owner"},
		{"until: 2027-01-31", "until: soon", `p.yaml:23: until "soon"`},
		{"to: 10.0.3.7", "to: any", ""},
		{"from: WS-1\n    to: 10.0.3.7", "from: any\n    to: any", "p.yaml:19: this lets every host"},
		{"why: work", "why: &a work", "p.yaml:17: anchors"},
		{small, small + "---\nversion: 1\n", "p.yaml: a second document"},
		{small, strings.Repeat("#", MaxPolicy+1), "p.yaml: 32 MiB are no policy"},
	} {
		text := strings.Replace(small, c.old, c.with, 1)
		_, err := Read("p.yaml", []byte(text))
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.with, err)
		case c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)):
			t.Errorf("%q for %q: error %v, want %s", c.with[:min(len(c.with), 60)], c.old[:min(len(c.old), 40)], err, c.want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(small))
	f.Add(mustMarshal(f, Learn(office(2), LearnOptions{})))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := Read("p", text)
		if err != nil {
			if p != nil || !strings.HasPrefix(err.Error(), "p:") {
				t.Fatalf("policy %v with error %v", p, err)
			}
			return
		}
		if _, err := p.Compile(); err != nil {
			t.Fatalf("read and not compiled: %v", err)
		}
		written := mustMarshal(t, p)
		again, err := Read("p", written)
		if err != nil {
			t.Fatalf("written and not read: %v\n%s", err, written)
		}
		if b := mustMarshal(t, again); !bytes.Equal(b, written) {
			t.Fatalf("written twice:\n%s\n%s", written, b)
		}
	})
}
