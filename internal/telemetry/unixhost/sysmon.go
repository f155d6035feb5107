package unixhost

import (
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/cmdline"
)

// sysmon takes an event of Sysmon for Linux, whose data have the names of those of
// Windows: 1 process start, 3 connection, 11 file made, 23 file removed.
func (h *host) sysmon(r *telemetry.Record) {
	h.audit.begin()
	p := h.process(r)
	switch r.Get("EventID") {
	case "1":
		if line := r.Get("CommandLine"); line != "" {
			*p = process{image: p.image, args: strings.Fields(strings.Clone(line)), from: p.from}
			h.runs(r, p, asker{user: strings.Clone(r.Get("User")), command: line, process: p.image, pid: pidOf(r)}, cmdline.ReadShell(line))
		}
	case "3":
		if strings.EqualFold(r.Get("Initiated"), "true") {
			h.calls(r, p, endOf(r.Get("DestinationIp"), r.Get("DestinationPort")))
		}
	case "11":
		h.created(r, p, r.Get("TargetFilename"))
	case "23":
		h.removed(r, r.Get("TargetFilename"))
	}
}

// calls notes that a process called an inside address.
func (h *host) calls(r *telemetry.Record, p *process, to model.Endpoint) {
	if !to.IP.Known() || to.IP.Netip().IsLoopback() || h.s.o.Inside != nil && !h.s.o.Inside(to.IP) || to.Port == 53 {
		return
	}
	p.spoke = spoken{r.Time, to, h.evidence(r, "connection")}
}
