package suricata

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"waybill/internal/prevent"
)

// kindIndicator is the kind of rules for what findings hold.
const kindIndicator = "indicator"

// svcctl is the interface of the Service Control Manager (MS-SCMR 1.9).
const svcctl = "367abb81-9844-35f1-ad32-98f038001003"

// createService are its calls that make a service, with its name (MS-SCMR 3.1.4: RCreateServiceW,
// RCreateServiceA, RCreateServiceWOW64A, RCreateServiceWOW64W, RCreateWowService).
const createService = "12,24,44,45,60"

// digests are the hashes that Suricata knows, with their length in bytes and keyword.
var digests = map[string]struct {
	size    int
	keyword string
}{"sha256": {32, "filesha256"}, "sha1": {20, "filesha1"}, "md5": {16, "filemd5"}}

// indicators are rules for what findings hold, and notes on what no rule can see.
func indicators(p *prevent.Policy) (rules []*rule, notes []string) {
	made := map[string]*rule{}
	for _, i := range p.Indicators {
		if i.Sealed {
			notes = append(notes, fmt.Sprintf("%s %s of %s: its bytes went encrypted (SMB 3, TLS, SSH), nothing on the wire shows it", i.What, i.Value, i.Finding))
			continue
		}
		r, why := indicatorRule(i)
		if r == nil {
			notes = append(notes, fmt.Sprintf("%s %s of %s: %s", i.What, i.Value, i.Finding, why))
			continue
		}
		if first := made[r.key]; first != nil {
			first.join(r)
			continue
		}
		made[r.key] = r
		rules = append(rules, r)
	}
	sortRules(rules)
	return rules, notes
}

// join adds what another finding says of the same indicator.
func (r *rule) join(other *rule) {
	if r.list != nil {
		r.list.hashes = append(r.list.hashes, other.list.hashes...)
		slices.Sort(r.list.hashes)
		r.list.hashes = slices.Compact(r.list.hashes)
	}
	if other.finding != r.finding {
		r.why = append(r.why, "also in "+other.finding)
	}
	r.severity = max(r.severity, other.severity)
	for _, t := range other.techniques {
		if !slices.Contains(r.techniques, t) {
			r.techniques = append(r.techniques, t)
		}
	}
}

// indicatorRule is the rule for an indicator, or why there is none.
func indicatorRule(i prevent.Indicator) (*rule, string) {
	r := &rule{kind: kindIndicator, severity: i.Severity, techniques: slices.Clone(i.Techniques), finding: i.Finding, analytic: i.Analytic,
		proto: "tcp", from: "$HOME_NET", to: "$HOME_NET", ports: "any"}
	r.why = []string{fmt.Sprintf("%s of %s (%s, %s)", i.What, i.Finding, i.Severity, i.Analytic)}
	why := ""
	switch i.What {
	case "sha256", "sha1", "md5":
		why = r.hash(i)
	case "name", "path":
		why = r.file(i)
	case "service-name":
		why = r.service(i)
	case "pipe":
		why = r.pipe(i)
	default:
		why = "Suricata has no keyword for it"
	}
	if why != "" {
		return nil, why
	}
	return r, ""
}

// hash makes it a rule for the content of files, anywhere: such content is known.
func (r *rule) hash(i prevent.Indicator) string {
	d := digests[i.What]
	value := strings.ToLower(i.Value)
	if b, err := hex.DecodeString(value); err != nil || len(b) != d.size {
		return "no such hash"
	}
	name := "waybill-" + word(i.Finding) + "." + i.What
	r.key = keyOf("hash", word(i.Finding), i.What)
	r.list = &list{name: name, hashes: []string{value}}
	r.from, r.to = "any", "any"
	r.msg = fmt.Sprintf("content of %s (%s) moved", i.Finding, i.Severity)
	r.why = append(r.why, "A hash is known at the file's end: detected, not blocked. None for files that were not seen whole, and none over SMB 3 with encryption, TLS or SSH.")
	r.options = []string{d.keyword + ":" + name + ";"}
	r.sees = func(s *sight) bool { return s.moved() && slices.Contains(r.list.hashes, s.digest(i.What)) }
	return ""
}

// file makes it a rule for a file's name, at the end of what the protocol calls it.
func (r *rule) file(i prevent.Indicator) string {
	name := strings.TrimLeft(i.Value, `\`)
	if i.What == "path" { // in the share that the policy says before; SMB names no share with a file
		if share, rest, ok := strings.Cut(name, `$\`); ok && !strings.Contains(share, `\`) {
			name = rest
		}
	}
	switch {
	case name == "" || len(name) > 255:
		return "no name of a file"
	case strings.ContainsFunc(name, func(c rune) bool { return c >= 0x80 || c < 0x20 }):
		return "Suricata keeps half of each character of names outside ASCII"
	case i.What == "path" && !strings.Contains(name, `\`):
		return "Suricata has no paths but those of SMB"
	}
	r.key = keyOf(i.What, strings.ToLower(name))
	r.msg = fmt.Sprintf("file %s of %s (%s)", name, i.Finding, i.Severity)
	r.why = append(r.why, "A name is known when the file's first bytes move; others may use it, too. It is the one that the file is opened under, before it is renamed.")
	r.options = []string{"file.name;", content([]byte(name)), "nocase;", "endswith;", `pcre:"/(?:^|[\x2f\x5c])` + expression(name) + `$/i";`}
	r.sees = func(s *sight) bool { return s.moved() && s.inside() && slices.ContainsFunc(s.names(), endsAs(name)) }
	return ""
}

// endsAs says whether a path ends with a name or path, whatever the case.
func endsAs(name string) func(string) bool {
	name = strings.ToLower(name)
	return func(path string) bool {
		before, ok := strings.CutSuffix(strings.ToLower(path), name)
		return ok && (before == "" || strings.HasSuffix(before, `\`) || strings.HasSuffix(before, "/"))
	}
}

// service makes it a rule for the making of a service under a name.
func (r *rule) service(i prevent.Indicator) string {
	if i.Value == "" || len(i.Value) > 256 { // MS-SCMR 3.1.4.12
		return "no name of a service"
	}
	r.key = keyOf("service", strings.ToLower(i.Value))
	r.msg = fmt.Sprintf("service %s of %s (%s) made", i.Value, i.Finding, i.Severity)
	r.why = append(r.why, "The name is a parameter of the call (MS-SCMR 3.1.4.12), hidden where RPC or SMB 3 encrypts.")
	r.options = []string{"flow:established,to_server;", "dcerpc.iface:" + svcctl + ";", "dcerpc.opnum:" + createService + ";",
		"dcerpc.stub_data;", `pcre:"/(?:` + expression(string(wide(i.Value))) + `\x00\x00|` + expression(i.Value) + `\x00)/i";`}
	r.sees = func(s *sight) bool {
		return s.a != nil && s.inside() && s.a.What == "service-create" && strings.EqualFold(s.a.Object, i.Value)
	}
	return ""
}

// pipe makes it a rule for the opening of a named pipe over SMB 2, by the whole of its name.
// The command CREATE, 5, is at byte 12 of the header; NameOffset, which clients set to 120, and
// NameLength are at bytes 108 and 110, the name at 120 (MS-SMB2 2.2.1.2, 2.2.13).
func (r *rule) pipe(i prevent.Indicator) string {
	name := strings.TrimLeft(i.Value, `\`)
	pattern := wide(name)
	if name == "" || len(pattern) > 512 {
		return "no name of a pipe"
	}
	r.key = keyOf("pipe", strings.ToLower(name))
	r.proto = "smb"
	r.msg = fmt.Sprintf("pipe %s of %s (%s) opened", name, i.Finding, i.Severity)
	r.why = append(r.why, "The keyword smb.named_pipe has the share only, so the CREATE of SMB 2 itself is looked at. Not seen with SMB 1, nor with the encryption of SMB 3.")
	place := []byte{120, 0, byte(len(pattern)), byte(len(pattern) >> 8)}
	r.options = []string{"flow:established,to_server;", `content:"|FE|SMB|40 00|";`, `content:"|05 00|";`, "distance:6;", "within:2;",
		content(place), "distance:94;", "within:4;", content(pattern), "nocase;", "distance:8;", fmt.Sprintf("within:%d;", len(pattern))}
	r.sees = func(s *sight) bool {
		return s.a != nil && s.inside() && s.a.What == "pipe-open" && s.a.Channel == "smb2" && strings.EqualFold(strings.TrimLeft(s.a.Object, `\`), name)
	}
	return ""
}
