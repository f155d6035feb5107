package winhost

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/cmdline"
	"waybill/internal/telemetry/winevent"
)

// claim is a movement that a command asked for.
type claim struct {
	transfer *model.Transfer
	time     model.Time
	key      string // what it asks for: the same from a shell and from what it starts is one
	local    string // the file on this host that it makes, lower case; "" none or unknown
	pid      uint64
}

// read takes what a command line, or a script, asks for.
func (h *host) read(x *start, m cmdline.Meaning) {
	for _, d := range m.Drives {
		if d.Letter != "" && len(h.drives) < maxFacts {
			h.drives[strings.Clone(d.Letter)] = cmdline.Place{Host: strings.Clone(d.Host), Share: strings.Clone(d.Share)}
		}
	}
	for _, mv := range m.Moves {
		h.asked(x, mv)
	}
	for _, u := range m.Unpackings {
		h.unpacks(x, u)
	}
}

// asked says a movement that a command asked for, as a claim.
func (h *host) asked(x *start, mv cmdline.Move) {
	mv.From, mv.To = h.mapped(mv.From), h.mapped(mv.To)
	if h.isSelf(mv.On) {
		mv.On = ""
	}
	for _, p := range []*cmdline.Place{&mv.From, &mv.To} {
		if p.Host != "" && p.Host != "?" && (p.Host == "127.0.0.1" || h.isSelf(p.Host)) {
			*p = cmdline.Place{Path: localPath("", p.Share, p.Path)}
		}
	}
	switch {
	case mv.From.Local() && mv.To.Local():
		return
	case !mv.From.Local() && !mv.To.Local() && mv.On == "":
		// A copy from A to B that is run here goes A > here and here > B (contract, ordered_by).
		here := cmdline.Place{Path: mv.Name}
		in, out := mv, mv
		in.To, out.From = here, here
		h.claimed(x, in)
		h.claimed(x, out)
		return
	}
	h.claimed(x, mv)
}

// mapped follows a drive letter to its share.
func (h *host) mapped(p cmdline.Place) cmdline.Place {
	if p.Host != "" || len(p.Path) < 2 || p.Path[1] != ':' {
		return p
	}
	d, ok := h.drives[strings.ToLower(p.Path[:2])]
	if !ok {
		return p
	}
	d.Path = strings.TrimLeft(p.Path[2:], `\/`)
	return d
}

// end is the endpoint of a place; the host that the command runs on is filled in later.
func (h *host) placeEnd(p cmdline.Place, x *start) model.Endpoint {
	switch {
	case strings.EqualFold(p.Host, "tsclient"):
		if c := h.desktopClient(x.time); c != nil {
			return model.Endpoint{IP: c.addr}
		}
		return model.Endpoint{}
	case p.Host == "" || strings.ContainsAny(p.Host, "?$%{}"):
		return model.Endpoint{} // the line does not say which
	}
	e := named(strings.Clone(p.Host))
	if n, err := strconv.ParseUint(p.Port, 10, 16); err == nil {
		e.Port = uint16(n)
	}
	return e
}

func (h *host) claimed(x *start, mv cmdline.Move) {
	key := strings.ToLower(mv.From.Host + "|" + mv.From.Path + "|" + mv.To.Host + "|" + mv.To.Path + "|" + mv.On)
	for _, c := range h.claims {
		if c.key == key && x.time-c.time < 2*minute && c.time-x.time < 2*minute {
			c.transfer.Evidence = appendEvidence(c.transfer.Evidence, x.evidence)
			return
		}
	}
	push := mv.From.Local()
	remote := mv.From
	if push {
		remote = mv.To
	}
	tr := &model.Transfer{ID: h.idOf(&x.evidence, key),
		Start: x.time, End: x.time, Channel: mv.Channel, Source: h.placeEnd(mv.From, x), Destination: h.placeEnd(mv.To, x), Share: strings.Clone(remote.Share),
		Path: strings.Clone(cmp.Or(remote.Path, mv.From.Path)), Name: strings.Clone(mv.Name), Completeness: model.Logged, Status: model.Claimed,
		Reason: "a command asked for it; nothing shows that bytes moved", InitiatorUser: x.user, Process: x.shown, Tool: mv.Tool, Command: cmdline.Redact(x.command), PID: x.pid,
		User: strings.Clone(remote.User), Evidence: []model.Evidence{x.evidence}}
	if mv.On == "" {
		tr.CommandBy = x.by
	}
	if mv.Old != "" {
		tr.EarlierNames = []string{strings.Clone(mv.Old)}
	}
	if strings.EqualFold(remote.Host, "tsclient") {
		tr.Channel = "rdp"
	}
	tr.Operation, tr.Initiator = model.Pull, model.ByDestination
	side := model.ByDestination
	if push {
		tr.Operation, tr.Initiator, side = model.Push, model.BySource, model.BySource
	}
	c := &claim{transfer: tr, time: x.time, key: key, pid: x.pid}
	if mv.On != "" {
		tr.OrderedBy = h.name
		other := h.placeEnd(cmdline.Place{Host: mv.On}, x)
		if push {
			tr.Source = other
		} else {
			tr.Destination = other
		}
		side = ""
	} else if !push {
		c.local = strings.ToLower(target(mv))
	}
	h.claims = append(h.claims, c)
	h.found(tr, side)
	if c.local == "" {
		return
	}
	h.land(tr, c.local, x.time)
	for i := range h.created { // a file may be logged before the command that made it
		if f := &h.created[i]; f.path == c.local && f.time >= x.time-2e9 && f.image != "system" {
			h.confirm(tr)
			tr.End, tr.Evidence = max(tr.End, f.time), appendEvidence(tr.Evidence, f.evidence)
			f.taken = true
		}
	}
}

// target is the local file that a fetch makes, as far as the line tells.
func target(mv cmdline.Move) string {
	p := strings.ReplaceAll(mv.To.Path, "/", `\`)
	switch {
	case len(p) < 3 || p[1] != ':' || mv.Name == "" || strings.ContainsAny(mv.Name, "*?"):
		return ""
	case strings.EqualFold(baseName(p), mv.Name):
		return p
	}
	return strings.TrimRight(p, `\`) + `\` + mv.Name
}

// createdBy confirms the claim that a created file fulfils: its path, or its name
// by the same process.
func (h *host) createdBy(e *winevent.Event, path string) bool {
	if len(h.claims) == 0 {
		return false
	}
	lower := strings.ToLower(path)
	name := baseName(lower)
	pid := e.Number("ProcessId")
	for _, c := range slices.Backward(h.claims) {
		tr := c.transfer
		if e.Time < c.time-2e9 || e.Time > c.time+recent || tr.Operation != model.Pull || tr.OrderedBy != "" {
			continue
		}
		samePlace := c.local != "" && c.local == lower
		if !samePlace && !(strings.EqualFold(name, tr.Name) && pid == c.pid && pid != 0) {
			continue
		}
		h.confirm(tr)
		tr.End = max(tr.End, e.Time)
		tr.Evidence = appendEvidence(tr.Evidence, h.evidence(e, eventName(e)+" file create"))
		tr.Receiver = &model.Receiver{Process: strings.Clone(e.Get("Image")), PID: pid}
		if h.landed[lower] == nil {
			h.land(tr, strings.Clone(lower), e.Time)
		}
		return true
	}
	return false
}

// scriptBlock takes a 4104. Long ones come in parts.
func (h *host) scriptBlock(e *winevent.Event) {
	text := e.Get("ScriptBlockText")
	total, number := e.Number("MessageTotal"), e.Number("MessageNumber")
	if total > 1 {
		id := e.Get("ScriptBlockId")
		if total > maxParts || number < 1 || number > total {
			return
		}
		if len(h.blocks) > 64 {
			clear(h.blocks)
		}
		parts := h.blocks[id]
		if parts == nil {
			parts = make([]string, total)
			h.blocks[strings.Clone(id)] = parts
		}
		if int(number) <= len(parts) {
			parts[number-1] = strings.Clone(text)
		}
		if slices.Contains(parts, "") {
			return
		}
		delete(h.blocks, id)
		text = strings.Join(parts, "")
	}
	if !movesSomething(text) {
		return
	}
	x := start{time: e.Time, shown: "powershell", command: clip(text), user: account("", e.Get("UserId")), pid: e.Number("ProcessID"), how: "script",
		evidence: h.evidence(e, "4104 script block")}
	h.read(&x, cmdline.ReadScript(text))
}

// maxParts bounds the parts of a script block that are joined.
const maxParts = 256

// clip keeps the beginning of a long text.
func clip(s string) string {
	const most = 2000
	if len(s) > most {
		return strings.Clone(s[:most]) + "…"
	}
	return strings.Clone(s)
}

// movesSomething is a quick look for what every movement's text has.
func movesSomething(text string) bool {
	return strings.Contains(text, `\\`) || strings.Contains(text, "//") || strings.Contains(text, "Session") || strings.Contains(text, ":")
}

// desktopClient is the client of the latest Remote Desktop session on this host.
func (h *host) desktopClient(t model.Time) *remote {
	for i := range slices.Backward(h.sessions) {
		if s := &h.sessions[i]; s.time <= t+minute {
			return s
		}
	}
	return nil
}

// session notes a Remote Desktop session on this host, by who comes from where.
func (h *host) session(e *winevent.Event, from, user, domain, what string) {
	a := telemetry.Address(from)
	if !a.Known() || loopback(a) || len(h.sessions) >= maxFacts {
		return
	}
	if d, u, ok := strings.Cut(user, `\`); ok { // 21 and 25 say both in one
		user, domain = u, cmp.Or(domain, d)
	}
	h.sessions = append(h.sessions, remote{time: e.Time, addr: a, user: strings.Clone(user), domain: strings.Clone(domain), evidence: h.evidence(e, what)})
}
