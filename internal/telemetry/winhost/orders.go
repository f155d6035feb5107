package winhost

import (
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry/cmdline"
	"waybill/internal/telemetry/winevent"
)

// noMaker is how Sysmon says that a program's version resource names no company, or that
// it has none.
const noMaker = "-"

// maker is the company that a program names as its maker (Sysmon 1).
func (h *host) maker(e *winevent.Event) string {
	if e.Lacks("Company") {
		return noMaker
	}
	company := e.Get("Company")
	h.s.makers = h.s.makers || company != ""
	return h.s.texts.Shared(company)
}

// maxOrdered bounds the processes of a host of which is remembered what started them.
const maxOrdered = 1024

// orderedBy tells what started a process: its parent, or what started its parent, when
// that runs what it is told to (a shell), or lies where services are not installed.
func (h *host) orderedBy(x *start, e *winevent.Event) string {
	by := startedBy(x.parent, e.Get("ParentCommandLine"))
	if by == "" {
		by = h.ordered[e.Get("ParentProcessGuid")]
	}
	guid := e.Get("ProcessGuid")
	if by == "" || guid == "" || !launchers[baseName(x.image)] && !oddPlace(x.image) {
		return by
	}
	if h.ordered == nil || len(h.ordered) >= maxOrdered {
		h.ordered = map[string]string{}
	}
	h.ordered[strings.Clone(guid)] = by
	return by
}

// maxAsking bounds what is told of a host's clients.
const maxAsking = 1024

// asks notes that a client was started for another host whose line names no file.
func (h *host) asks(x *start) {
	if baseName(x.image) != "ftp.exe" || len(h.asking) >= maxAsking {
		return
	}
	session := cmdline.Opens(x.command)
	if session.Host == "" || h.isSelf(session.Host) {
		return
	}
	a := &model.Access{Kind: "access", ID: "x" + h.idOf(&x.evidence, "asks")[1:], Time: x.time, What: "command", Destination: named(strings.Clone(session.Host)), User: x.user,
		Channel: session.Channel, Object: session.Tool, Command: cmdline.Redact(x.command), Evidence: []model.Evidence{x.evidence}}
	if session.Script {
		a.Detail = "with a file of commands"
	}
	if h.s.out.Accessed(a) {
		h.asking = append(h.asking, a)
	}
}
