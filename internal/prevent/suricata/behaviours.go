package suricata

import (
	"regexp"
	"strings"

	"waybill/internal/model"
	"waybill/internal/prevent/plan"
)

// kindBehaviour is the kind of rules for what intruders do, whatever the file.
const kindBehaviour = "behaviour"

// The bits of flows and pairs of addresses that rules hand on.
const (
	bitAdmin = "waybill.admin-share"
	bitWrote = "waybill.program-written"
	bitKnown = "waybill.known-protocol"
	// handedOn is how long a program written by one host makes calls of the same two hosts
	// suspicious, in seconds (an estimate: tools start what they wrote at once).
	handedOn = "3600"
)

// behaviours are rules for what analytics of waybill look at, for all but management.
func behaviours(p *plan.Plan) []*rule {
	from, to := set{home: true, not: p.Management.Prefixes()}, set{home: true}
	rules := []*rule{connected(), written("pe", "a program (MZ)", `content:"MZ";`), written("elf", "a program (ELF)", `content:"|7F|ELF";`), script()}
	for _, c := range calls {
		rules = append(rules, c.same(), c.other())
	}
	for _, r := range rules {
		r.limit(from, to)
	}
	for _, r := range append(knowns(), rawPE(), rawELF()) { // the file may go either way
		r.limit(from, from)
		rules = append(rules, r)
	}
	return rules
}

// limit makes it a rule for clients and servers of some networks.
func (r *rule) limit(from, to set) {
	r.kind, r.from, r.to, r.ports = kindBehaviour, from.String(), to.String(), "any"
	shown := r.sees
	r.sees = func(s *sight) bool { return s.between(from, to) && shown(s) }
}

// connected remembers that a flow reached an administrative share.
func connected() *rule {
	return &rule{
		key: "admin-share", proto: "smb", silent: true, analytic: "admin-share-write", techniques: []string{"T1021.002"}, severity: model.Low,
		msg:     "administrative share connected",
		why:     []string{"Remembers that the flow connected ADMIN$ or the share of a drive. Suricata tells no share of a write: whatever the flow writes later counts, also to another share."},
		options: []string{"flow:established,to_server;", "smb.share;", `content:"|24|";`, "endswith;", `pcre:"/\x5c(?:admin|[a-z])\x24$/i";`, "flowbits:set," + bitAdmin + ";"},
		sees: func(s *sight) bool {
			if s.a != nil && s.a.What == "share-connect" && adminShare.MatchString(s.a.Share) {
				s.flow.admin = true
			}
			return false
		},
	}
}

var (
	adminShare  = regexp.MustCompile(`(?i)\\(admin|[a-z])\$$`)
	scriptNames = regexp.MustCompile(`(?i)\.(?:` + scriptEndings + `)$`)
)

const scriptEndings = "bat|cmd|ps1|psm1|vbs|vbe|js|jse|wsf|wsh|hta|sct"

// written is a program that a client writes after it reached an administrative share.
func written(typ, what, pattern string) *rule {
	return &rule{
		key: "admin-share-" + typ, proto: "smb", analytic: "admin-share-write", techniques: []string{"T1570", "T1021.002"}, severity: model.Medium,
		msg:     what + " written after an administrative share was connected",
		why:     []string{"Told by its first bytes, while it is written. Not seen with the encryption of SMB 3."},
		options: []string{"flow:established,to_server;", "flowbits:isset," + bitAdmin + ";", "file.data;", pattern, "startswith;", "flowbits:set," + bitWrote + ";", "xbits:set," + bitWrote + ",track ip_pair,expire " + handedOn + ";"},
		sees: func(s *sight) bool {
			return s.pushed() && s.flow.admin && s.t.Type == typ && s.wrote()
		},
	}
}

// script is a script that a client writes after it reached an administrative share, told by its name.
func script() *rule {
	return &rule{
		key: "admin-share-script", proto: "smb", analytic: "admin-share-write", techniques: []string{"T1570", "T1021.002"}, severity: model.Medium,
		msg:     "a script written after an administrative share was connected",
		why:     []string{"Told by the ending of its name, since scripts begin in many ways. Not seen with the encryption of SMB 3."},
		options: []string{"flow:established,to_server;", "flowbits:isset," + bitAdmin + ";", "file.name;", `content:".";`, `pcre:"/\.(?:` + scriptEndings + `)$/i";`, "flowbits:set," + bitWrote + ";", "xbits:set," + bitWrote + ",track ip_pair,expire " + handedOn + ";"},
		sees: func(s *sight) bool {
			return s.pushed() && s.flow.admin && s.named(scriptNames) && s.wrote()
		},
	}
}

// call is calls that start something on the host that they are made to.
type call struct {
	name, uuid string
	opnums     string
	numbers    []int
	technique  string
	what       string
}

// calls are those of MS-SCMR 3.1.4, MS-TSCH 3.2.5.2 and 3.2.5.4, and MS-WMI 3.1.4.3.
var calls = []call{
	{"service", svcctl, "12,19,24,31,44,45,60", []int{12, 19, 24, 31, 44, 45, 60}, "T1569.002", "a service is made or started"},
	{"at", "1ff70682-0a51-30e8-076d-740be8cee98b", "0", []int{0}, "T1053.002", "a job is made"},
	{"task", "86d35949-83c9-4044-b424-db363231fd0c", "1,12", []int{1, 12}, "T1053.005", "a task is made or started"},
	{"wmi", "9556dc99-828c-11cf-a37e-00aa003240c7", "24,25", []int{24, 25}, "T1047", "a method of WMI is run"},
}

// same is a call in the flow that wrote a program.
func (c call) same() *rule {
	r := c.rule("-same-flow", c.what+" in the connection that wrote a program to an administrative share")
	r.options = append([]string{"flow:established,to_server;", "flowbits:isset," + bitWrote + ";"}, r.options...)
	r.sees = func(s *sight) bool { return c.seen(s) && s.flow.wrote }
	return r
}

// other is a call of the same two hosts in another flow.
func (c call) other() *rule {
	r := c.rule("-other-flow", c.what+" within an hour after the same host wrote a program to an administrative share")
	r.options = append([]string{"flow:established,to_server;", "flowbits:isnotset," + bitWrote + ";", "xbits:isset," + bitWrote + ",track ip_pair;"}, r.options...)
	r.sees = func(s *sight) bool { return c.seen(s) && !s.flow.wrote && s.pair.lately(s.time()) }
	return r
}

func (c call) rule(suffix, msg string) *rule {
	return &rule{
		key: "start-" + c.name + suffix, proto: "tcp", analytic: "remote-start", techniques: []string{"T1570", c.technique}, severity: model.High,
		msg:     msg,
		why:     []string{"Interface and number of the call are in clear also where its parameters are encrypted; not where SMB 3 encrypts. Suricata knows which interfaces a flow bound, not which of them a call goes to."},
		options: []string{"dcerpc.iface:" + c.uuid + ";", "dcerpc.opnum:" + c.opnums + ";"},
	}
}

// seen says whether the flow has the interface and the call one of the numbers.
func (c call) seen(s *sight) bool {
	if s.a == nil || s.a.What != "rpc-call" || s.a.Opnum == nil {
		return false
	}
	if !s.flow.bound[c.uuid] {
		return false
	}
	for _, n := range c.numbers {
		if n == *s.a.Opnum {
			return true
		}
	}
	return false
}

// protocols are those that Suricata tells and that carry files, or hide what they carry.
var protocols = []string{"smb", "dcerpc", "http", "http2", "ftp", "ftp-data", "nfs", "smtp", "imap", "tls", "ssh", "rdp"}

// knowns remember that Suricata knows the protocol of a flow. It has no word for flows of
// which it does not: "failed" is only said where both sides spoke enough.
func knowns() (out []*rule) {
	for _, p := range protocols {
		out = append(out, &rule{
			key: "known-" + p, proto: "tcp", silent: true, severity: model.Low, analytic: "raw-transfer", techniques: []string{"T1570"},
			msg:     "protocol " + p,
			why:     []string{"Remembers that the flow is one of " + p + "."},
			options: []string{"flow:established;", "flowbits:isnotset," + bitKnown + ";", "app-layer-protocol:" + p + ";", "flowbits:set," + bitKnown + ";"},
			sees:    func(*sight) bool { return false },
		})
	}
	return out
}

// rawPE is a program for Windows in a flow of no protocol that Suricata knows.
func rawPE() *rule {
	r := raw("pe", "a program (MZ)")
	r.options = append(r.options, `content:"MZ";`, `content:"This program cannot be run in DOS mode";`, "distance:38;", "within:512;")
	r.why = append(r.why, "The text is what the linkers of Microsoft and GNU put before the program; others' programs are not seen.")
	return r
}

// rawELF is a program for Linux in one: class, byte order, version 1, then the type of a
// program or shared object (ELF 1.2, figure 1-3).
func rawELF() *rule {
	r := raw("elf", "a program (ELF)")
	r.options = append(r.options, `content:"|7F|ELF";`, `pcre:"/\x7fELF[\x01\x02][\x01\x02]\x01.{9}(?:[\x02\x03]\x00|\x00[\x02\x03])/s";`)
	return r
}

func raw(typ, what string) *rule {
	return &rule{
		key: "raw-" + typ, proto: "tcp", analytic: "raw-transfer", techniques: []string{"T1570"}, severity: model.Medium,
		msg:     what + " in a flow of no known protocol",
		why:     []string{"netcat and what is like it; also rsync, which Suricata does not know. Only within the first bytes that stream.reassembly.depth leaves."},
		options: []string{"flow:established;", "flowbits:isnotset," + bitKnown + ";"},
		sees: func(s *sight) bool {
			return s.t != nil && s.t.Type == typ && (s.t.Channel == "tcp" || strings.HasPrefix(s.t.Channel, "rsync")) && s.carried()
		},
	}
}
