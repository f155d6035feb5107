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

// pipeMade takes Sysmon 17 and 18.
func (h *host) pipeMade(e *winevent.Event) {
	name := e.Get("PipeName")
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
	if kind := RemotePipe(name); kind != "" {
		h.pipe(e, model.Endpoint{IP: from}, name, kind)
	}
}

// maxPipes bounds the pipes that are told of a host.
const maxPipes = 1024

func (h *host) pipe(e *winevent.Event, from model.Endpoint, name, kind string) {
	if h.pipes++; h.pipes > maxPipes {
		return
	}
	a := &model.Access{Kind: "access", ID: "x" + h.id(e)[1:], Time: e.Time, What: "pipe-open", Source: from, User: strings.Clone(e.First("SubjectUserName", "User")),
		Channel: "smb", Share: "IPC$", Object: strings.Clone(name), Detail: kind, Command: strings.Clone(e.Get("Image")), Evidence: []model.Evidence{h.evidence(e, eventName(e)+" pipe")}}
	h.s.out.Accesses = append(h.s.out.Accesses, a)
	h.accesses = append(h.accesses, a)
}
