package winhost

import (
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry/winevent"
)

// servicePipes are the pipes of Windows' own services (MS-RPCE and the protocols'
// own specifications); some of them start things and are read as such elsewhere.
var servicePipes = set("srvsvc wkssvc samr lsarpc lsass netlogon svcctl atsvc winreg spoolss epmapper eventlog ntsvcs browser protected_storage efsrpc " +
	"netdfs initshutdown trkwks w32time tapsrv keysvc msftewds router cert fssagentrpc netsvcs hydralspipe termsrv_api_service ctx_winstation_api_service " +
	"dav_rpc_service rpcss scerpc policyagent plugplay w32time_alt sql\\query tsvcpipe")

// toolPipes are forms of the pipes of remote execution tools (field notes; MITRE
// ATT&CK S0029 and S0154): a name, or what it begins with.
var toolPipes = []string{"psexesvc", "paexec", "remcom", "csexec", "xcmd", "winexesvc", "ahexec", "msagent_", "postex_", "status_", "mojo.5688.8052."}

// pipeKind says what a pipe's name shows, "" for nothing.
func pipeKind(name string) string {
	n := strings.ToLower(strings.TrimPrefix(name, `\`))
	for _, p := range toolPipes {
		if strings.HasPrefix(n, p) {
			return "the pipe of a remote execution tool"
		}
	}
	for _, end := range []string{"-stdin", "-stdout", "-stderr"} {
		if strings.HasSuffix(n, end) {
			return "a pipe for the input and output of a remote command"
		}
	}
	return ""
}

// RemotePipe says what it shows that another host opened a pipe, "" for nothing: a
// tool's pipe, or one that is no known service's.
func RemotePipe(name string) string {
	kind, n := pipeKind(name), strings.ToLower(strings.TrimPrefix(name, `\`))
	if kind == "" && !servicePipes[n] && !strings.HasPrefix(n, "pipe_eventroot") {
		kind = "a pipe of no known service"
	}
	return kind
}

// madePipe is a pipe of no service, whose process made it, and who opened it last from
// another host.
type madePipe struct {
	guid   string
	opened remote
}

// maxMadePipes bounds the pipes of a host that are remembered.
const maxMadePipes = 1024

// madeBy notes which process made a pipe (Sysmon 17).
func (h *host) madeBy(e *winevent.Event, name string) {
	guid := e.Get("ProcessGuid")
	if e.ID != 17 || guid == "" || RemotePipe(name) == "" {
		return
	}
	if h.made == nil || len(h.made) >= maxMadePipes {
		h.made = map[string]*madePipe{}
	}
	h.made[pipeKey(name)] = &madePipe{guid: strings.Clone(guid)}
}

func pipeKey(name string) string { return strings.ToLower(strings.TrimPrefix(name, `\`)) }

// throughPipe says that a process created a program while another host had its pipe
// open: what came over it is in no log.
func (h *host) throughPipe(c *creation) bool {
	if c.guid == "" || !runnable[extension(c.path)] {
		return false
	}
	var from *remote
	for _, p := range h.made {
		o := &p.opened
		if p.guid != c.guid || o.time == 0 || o.time > c.time+10e9 || c.time-o.time > patience || h.isOwn(o.addr, o.time) {
			continue
		}
		if from == nil || o.time > from.time {
			from = o
		}
	}
	if from == nil {
		return false
	}
	_, name := splitPath(c.shown)
	tr := &model.Transfer{ID: c.id, End: c.time, Operation: model.Push, Initiator: model.BySource, Channel: "smb", Path: c.shown, Name: name,
		Completeness: model.Inferred, Status: model.Done, Confidence: "low", Receiver: &model.Receiver{Process: c.process, PID: c.pid},
		Reason: "a process wrote it while another host had its named pipe open; what came over the pipe is in no log", Evidence: []model.Evidence{c.evidence}}
	h.attribute(tr, from)
	h.found(tr, model.ByDestination)
	h.land(tr, c.path, c.time)
	return true
}

// pipeMade takes Sysmon 17 and 18.
func (h *host) pipeMade(e *winevent.Event) {
	name := e.Get("PipeName")
	h.madeBy(e, name)
	if kind := pipeKind(name); kind != "" {
		h.pipe(e, model.Endpoint{}, name, kind)
	}
}

// pipeOpened takes a 5145 on IPC$: from another host, a tool's pipe or one that is
// no known service's.
func (h *host) pipeOpened(e *winevent.Event, name string, from model.Addr) {
	if !from.Known() || loopback(from) || h.isOwn(from, e.Time) || e.Failure {
		return
	}
	kind := RemotePipe(name)
	if kind == "" {
		return
	}
	if p := h.made[pipeKey(name)]; p != nil {
		p.opened = remote{time: e.Time, addr: from, user: strings.Clone(e.Get("SubjectUserName")), domain: strings.Clone(e.Get("SubjectDomainName")),
			evidence: h.evidence(e, eventName(e)+" pipe")}
	}
	h.pipe(e, model.Endpoint{IP: from}, name, kind)
}

// maxPipes bounds the pipes that are told of a host.
const maxPipes = 1024

func (h *host) pipe(e *winevent.Event, from model.Endpoint, name, kind string) {
	if h.pipes++; h.pipes > maxPipes {
		return
	}
	a := &model.Access{Kind: "access", ID: "x" + h.id(e)[1:], Time: e.Time, What: "pipe-open", Source: from, User: strings.Clone(e.First("SubjectUserName", "User")),
		Channel: "smb", Share: "IPC$", Object: strings.Clone(name), Detail: kind, Command: strings.Clone(e.Get("Image")), Evidence: []model.Evidence{h.evidence(e, eventName(e)+" pipe")}}
	if h.s.out.Accessed(a) {
		h.accesses = append(h.accesses, a)
	}
}
