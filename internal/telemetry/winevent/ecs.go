package winevent

import (
	"cmp"
	"strings"

	"github.com/valyala/fastjson"
)

// Winlogbeat's modules and Elastic's agent move the data of events they know to the
// names of the Elastic Common Schema (ECS), and take them out of event_data. They
// are put back under the names of the event's own manifest where these are absent.

// ecsName is a place in ECS and the datum that it holds.
type ecsName struct {
	path []string
	name string
}

func ecsNames(pairs ...string) []ecsName {
	var out []ecsName
	for i := 0; i+1 < len(pairs); i += 2 {
		out = append(out, ecsName{strings.Split(pairs[i], "."), pairs[i+1]})
	}
	return out
}

var ecsSysmon = ecsNames("process.executable", "Image", "process.command_line", "CommandLine", "process.parent.executable", "ParentImage",
	"process.parent.command_line", "ParentCommandLine", "process.pid", "ProcessId", "process.entity_id", "ProcessGuid", "process.pe.original_file_name", "OriginalFileName",
	"process.pe.company", "Company", "process.parent.entity_id", "ParentProcessGuid",
	"source.ip", "SourceIp", "source.port", "SourcePort", "source.domain", "SourceHostname", "destination.ip", "DestinationIp", "destination.port", "DestinationPort",
	"destination.domain", "DestinationHostname", "dns.question.name", "QueryName", "sysmon.dns.status", "QueryStatus")

var ecsFile = map[uint16][]ecsName{
	7:  ecsNames("file.path", "ImageLoaded", "dll.path", "ImageLoaded", "file.pe.original_file_name", "OriginalFileName"),
	11: ecsNames("file.path", "TargetFilename"), 15: ecsNames("file.path", "TargetFilename"), 23: ecsNames("file.path", "TargetFilename"),
	26: ecsNames("file.path", "TargetFilename"), 27: ecsNames("file.path", "TargetFilename"), 29: ecsNames("file.path", "TargetFilename"),
	17: ecsNames("file.name", "PipeName"), 18: ecsNames("file.name", "PipeName"),
}

var ecsSecurity = ecsNames("source.ip", "IpAddress", "source.port", "IpPort", "source.domain", "WorkstationName", "process.command_line", "CommandLine", "service.name", "ServiceName")

var ecsStart = ecsNames("process.executable", "NewProcessName", "process.parent.executable", "ParentProcessName", "process.pid", "NewProcessId")

var ecsPowerShell = ecsNames("powershell.file.script_block_text", "ScriptBlockText", "powershell.file.script_block_id", "ScriptBlockId", "powershell.sequence", "MessageNumber",
	"powershell.total", "MessageTotal")

// ecs adds the data that stand under ECS names.
func (l *Lines) ecs(v *fastjson.Value, e *Event) {
	switch e.Provider {
	case Sysmon:
		l.ecsAll(v, e, ecsSysmon)
		l.ecsAll(v, e, ecsFile[e.ID])
		l.ecsUser(v, e, "User", "")
		if d := scalar(v.Get("network", "direction")); d != "" && e.Get("Initiated") == "" {
			inbound := strings.HasPrefix(d, "in")
			l.field("Initiated", map[bool]string{true: "false", false: "true"}[inbound], e)
		}
		l.ecsHashes(v, e)
	case Security:
		l.ecsAll(v, e, ecsSecurity)
		switch e.ID {
		case 4688:
			l.ecsAll(v, e, ecsStart)
			l.ecsUser(v, e, "SubjectUserName", "SubjectDomainName")
		case 4624:
			l.ecsUser(v, e, "TargetUserName", "TargetDomainName")
			l.missing(e, "TargetLogonId", scalar(v.Get("winlog", "logon", "id")))
		default:
			l.ecsUser(v, e, "SubjectUserName", "SubjectDomainName")
			l.missing(e, "SubjectLogonId", scalar(v.Get("winlog", "logon", "id")))
		}
	case PowerShell:
		l.ecsAll(v, e, ecsPowerShell)
	}
}

// SystemIP is the name of what agent adds: one datum an address.
const SystemIP = "SystemIP"

// agent adds the ids of the system and of the agent that runs on the event's host, and the
// host's addresses (ECS host.ip). A collector that was sent the event says its own.
func (l *Lines) agent(v *fastjson.Value, e *Event) {
	own := func(name string) bool {
		bare, _, _ := strings.Cut(name, ".")
		computer, _, _ := strings.Cut(e.Computer, ".")
		return bare != "" && strings.EqualFold(bare, computer)
	}
	if own(cmp.Or(scalar(v.Get("host", "hostname")), scalar(v.Get("host", "name")))) {
		l.missing(e, "SystemId", scalar(v.Get("host", "id")))
		for _, ip := range v.GetArray("host", "ip") {
			l.field(SystemIP, scalar(ip), e)
		}
	}
	if own(cmp.Or(scalar(v.Get("agent", "hostname")), scalar(v.Get("agent", "name")))) {
		l.missing(e, "AgentId", scalar(v.Get("agent", "id")))
	}
}

// client adds the id of Velociraptor's client, which reads the logs of its own host.
func (l *Lines) client(v *fastjson.Value, e *Event) {
	if id := scalar(v.Get("ClientId")); strings.HasPrefix(id, "C.") {
		l.missing(e, "AgentId", id)
	}
}

func (l *Lines) ecsAll(v *fastjson.Value, e *Event, names []ecsName) {
	for _, n := range names {
		if x := v.Get(n.path...); x != nil {
			l.missing(e, n.name, scalar(x))
		}
	}
}

// missing adds a datum that is not there.
func (l *Lines) missing(e *Event, name, value string) {
	if value != "" && e.Get(name) == "" {
		l.field(name, value, e)
	}
}

// ecsUser adds the account, in one datum with its domain or in two.
func (l *Lines) ecsUser(v *fastjson.Value, e *Event, name, domainName string) {
	user, domain := scalar(v.Get("user", "name")), scalar(v.Get("user", "domain"))
	if user == "" || e.Get(name) != "" {
		return
	}
	if domainName == "" {
		l.field(name, joined(domain, user), e)
		return
	}
	l.field(name, user, e)
	l.missing(e, domainName, domain)
}

// ecsHashes puts hashes together as Sysmon writes them.
func (l *Lines) ecsHashes(v *fastjson.Value, e *Event) {
	if e.Get("Hashes") != "" || e.Get("Hash") != "" {
		return
	}
	owner := "file"
	if e.ID == 1 {
		owner = "process"
	}
	var sums []string
	for _, at := range [][]string{{owner, "hash"}, {"dll", "hash"}, {"hash"}} {
		h := v.Get(at...)
		if h == nil || len(sums) > 0 {
			continue
		}
		for _, alg := range []string{"sha256", "sha1", "md5"} {
			if x := scalar(h.Get(alg)); x != "" {
				sums = append(sums, strings.ToUpper(alg)+"="+x)
			}
		}
	}
	l.missing(e, "Hashes", strings.Join(sums, ","))
}
